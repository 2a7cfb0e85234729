# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending instances: unlink, stop paying, delete, verify, forget. Each request is journalled before it is sent, once.

A run that is killed between two steps leaves nothing behind that the next run doesn't see: the state, the payment and
the listing tell how far it came, and the journal tells of requests whose effect may still be about to show.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence

from .._common.errors import Delivery, FleetError
from .._common.polling import ProgressLog, poll
from .._common.states import STARTING
from .._creation.credentials import CredentialsFile
from .._creation.credentials_content import credentials_key
from .._creation.listing import Listing, list_until
from .._fleet.outcome import by_gateway
from .._journal.changes import ChangeJournal
from .._journal.journal import Journal, Lease
from .._journal.storage import JournalError
from .._vendors.payments import CANCELLED, SUBSCRIBED, Payment, payment_in
from .listed import RecentListings, refusal, unknown
from .plan import Deletion, DeletionPolicy, make_plan

# The parts of an instance's end in the journal of changes.
UNLINK, CANCEL, DELETE = "unlink", "cancel", "delete"


class Deleter:
    """Ends the instances of one task."""

    def __init__(
        self,
        policy: DeletionPolicy,
        journal: Journal,
        changes: ChangeJournal,
        *,
        credentials_file: CredentialsFile | None,
        concurrency: int,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self._policy = policy
        self._journal = journal
        self._changes = changes
        self._file = credentials_file
        self._concurrency = concurrency
        self._deletions: Sequence[Deletion] = ()
        self._listings = RecentListings(policy.interval)
        self._step = ""
        self._log = ProgressLog(progress, self._describe) if progress else None

    def predict(self, deletions: Sequence[Deletion]) -> None:
        """Set what a task that isn't in check mode would begin to do. Sends no request that writes."""
        memory = self._journal.read({deletion.key for deletion in deletions})
        make_plan(deletions, self._policy, memory, concurrency=self._concurrency)
        for deletion in deletions:
            if not deletion.is_over:
                deletion.end("would_delete")

    def delete(self, deletions: Sequence[Deletion]) -> None:
        """End the instances, unless a guard says no to one of them.

        :raises JournalError: if the journal can't be written; nothing was sent.
        """
        if not deletions:
            return
        self._deletions = deletions
        if self._file:
            self._file.check()
        with self._journal.locked({deletion.key for deletion in deletions}) as lease:
            make_plan(deletions, self._policy, lease.memory, concurrency=self._concurrency)
            if any(deletion.error for deletion in deletions):
                return
            requested = self._changes.read([deletion.identity for deletion in deletions])
            for deletion in deletions:
                deletion.changes = requested.get(deletion.identity, {})
            self._each("unlinked", self._unlink, interval=self._policy.interval)
            self._cancel_all()
            self._delete_all()
            for deletion in deletions:
                if deletion.is_gone:
                    self._forget(deletion, lease)

    def _left(self) -> list[Deletion]:
        return [deletion for deletion in self._deletions if not deletion.is_over]

    def _each(self, step: str, act: Callable[[Deletion], bool], interval: float = 0.0) -> None:
        self._step = step
        poll(self._left(), act, workers=self._concurrency, interval=interval, progress=self._log)

    def _describe(self) -> str:
        left = [deletion.target.name_or_id for deletion in self._left()]
        return f"{len(self._deletions) - len(left):,} of {len(self._deletions):,} instances ended; being {self._step}"

    # Unlink

    def _unlink(self, deletion: Deletion) -> bool:
        """Unlink its phone, once, and look until it is; true if there is nothing to wait for any more."""
        if deletion.unlink_until is None:
            deletion.unlink_until = time.monotonic() + self._policy.wait_timeout
        else:
            with contextlib.suppress(FleetError):  # the last state stays
                deletion.read_state(lambda: self._listings.of(deletion.gateway).with_id(deletion.target.credentials.id))
        if not deletion.is_linked:
            if deletion.sent:
                self._record(deletion, UNLINK, done=True)
        elif not deletion.sent and deletion.state != STARTING:
            self._send(deletion, UNLINK, lambda: deletion.gateway.unlink(deletion.target.credentials))
        elif time.monotonic() >= deletion.unlink_until:
            deletion.end("failed", self._still_linked(deletion))
        return deletion.is_over or not deletion.is_linked

    def _still_linked(self, deletion: Deletion) -> FleetError:
        why = f" ({deletion.doubt.message})" if deletion.doubt else ""
        return FleetError(
            "timeout",
            f"it is still {deletion.state} {self._policy.wait_timeout:g} s after its phone should have been unlinked"
            f"{why}, so it was not deleted: run the task again, or remove the device on the phone",
            delivery=Delivery.UNKNOWN,
            cause="still linked",
        )

    # Stop paying

    def _cancel_all(self) -> None:
        payers = [one for one in self._left() if one.gateway.has_subscriptions and _payment(one) in SUBSCRIBED]
        self._await_recent(payers, CANCEL, self._is_cancelled)
        sent = [one for one in payers if not self._is_done(one) and self._cancel(one)]
        for mine in by_gateway(sent).values():
            self._look(mine, self._is_cancelled)
            for deletion in mine:
                if _payment(deletion) in CANCELLED:
                    self._record(deletion, CANCEL, done=True)
                elif deletion.doubt:
                    remedy = f"the gateway still says {_word(deletion)}: run the task again later"
                    deletion.end("unknown", unknown("cancelled", deletion.doubt, remedy))

    def _is_done(self, deletion: Deletion) -> bool:
        """Whether an earlier run has cancelled its subscription: the gateway may say that it is paid until it ends."""
        change = deletion.changes.get(CANCEL)
        return _payment(deletion) in CANCELLED or (change is not None and change.status == "done")

    def _cancel(self, deletion: Deletion) -> bool:
        deletion.doubt = None
        arrived = self._send(
            deletion, CANCEL, lambda: deletion.gateway.cancel_subscription(deletion.target.credentials)
        )
        if arrived and not deletion.doubt:
            self._record(deletion, CANCEL, done=True)
        return arrived

    @staticmethod
    def _is_cancelled(deletion: Deletion, listing: Listing) -> bool:
        found = listing.with_id(deletion.target.credentials.id)
        return found is None or payment_in(found.payment_status) in CANCELLED

    # Delete and verify

    def _delete_all(self) -> None:
        self._await_recent(self._left(), DELETE, _is_gone)
        for deletion in self._left():
            deletion.doubt = None
        self._each("deleted", self._delete)
        for mine in by_gateway(self._left()).values():
            self._look(mine, _is_gone)
            for deletion in mine:
                if deletion.is_gone:
                    deletion.end("deleted")
                else:
                    remedy = "the gateway still lists it: look into its console, or run the task again later"
                    deletion.end("unknown", unknown("deleted", deletion.doubt, remedy))

    def _delete(self, deletion: Deletion) -> bool:
        if deletion.is_gone:
            return True
        responses = []
        gateway, credentials = deletion.gateway, deletion.target.credentials
        self._send(deletion, DELETE, lambda: responses.append(gateway.delete_instance(credentials)))
        if responses and responses[0].status in ("refused", "no_call"):
            self._record(deletion, DELETE, done=False)
            deletion.reason = responses[0].reason
            deletion.end("draining")
        return True

    def _await_recent(
        self, deletions: Sequence[Deletion], part: str, is_shown: Callable[[Deletion, Listing], bool]
    ) -> None:
        """Let the effect of what an earlier run has just sent show in the listing before it is sent again."""
        wait = self._policy.listing.timeout
        recent = [one for one in deletions if (c := one.changes.get(part)) and c.status == "pending" and c.age < wait]
        for mine in by_gateway(recent).values():
            self._look(mine, is_shown)

    def _look(self, mine: Sequence[Deletion], is_shown: Callable[[Deletion, Listing], bool]) -> None:
        """Ask the listing until it shows the effect on all, or the time is up, and take over what it shows."""
        try:
            listing = list_until(
                mine[0].gateway, lambda listing: all(is_shown(one, listing) for one in mine), self._policy.listing
            )
        except FleetError as error:
            for deletion in mine:
                deletion.doubt = deletion.doubt or error
            return
        for deletion in mine:
            found = listing.with_id(deletion.target.credentials.id)
            deletion.is_gone = found is None
            deletion.listed = found or deletion.listed

    # Requests and the journal

    def _send(self, deletion: Deletion, part: str, request: Callable[[], None]) -> bool:
        """Journal and send a request; whether it arrived, or may have."""
        try:
            self._changes.request(*deletion.identity, {part: part})
        except JournalError as error:
            deletion.end("failed", error)
            return False
        try:
            request()
        except FleetError as error:
            if error.delivery is not Delivery.UNKNOWN:
                self._record(deletion, part, done=False)
                deletion.end("failed", error)
                return False
            deletion.doubt = error
        deletion.sent = True
        return True

    def _record(self, deletion: Deletion, part: str, *, done: bool) -> None:
        # A change that stays pending costs the next run a look at the listing, and nothing else.
        with contextlib.suppress(JournalError):
            self._changes.record(*deletion.identity, [part], done=done)

    def _forget(self, deletion: Deletion, lease: Lease) -> None:
        """Remove what is kept of it: first its credentials, because the journal is how a later run finds it."""
        try:
            names = {deletion.account, None, *(entry.account for entry in deletion.entries)}
            keys = {credentials_key(deletion.target.name or "", name) for name in names}
            if self._file:
                self._file.remove(deletion.gateway.provider, keys, deletion.target.credentials.id)
            for entry in deletion.entries:
                lease.forget(entry)
            self._changes.forget(*deletion.identity)
        except FleetError as error:
            way_out = refusal(f"it is deleted, but not forgotten: {error.message}; run the task again", "not forgotten")
            deletion.end(deletion.action, way_out)
        else:
            deletion.is_cleaned = bool(deletion.entries)


def _is_gone(deletion: Deletion, listing: Listing) -> bool:
    return listing.with_id(deletion.target.credentials.id) is None


def _payment(deletion: Deletion) -> Payment | None:
    return payment_in(_word(deletion))


def _word(deletion: Deletion) -> str | None:
    return deletion.listed.payment_status if deletion.listed else None
