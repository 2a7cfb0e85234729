# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renewing tokens: each request is sent once, and a new token is found again, delivered and proved."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from .._common.errors import Delivery, FleetError, UsageError, outcome_unknown
from .._common.polling import ProgressLog, poll
from .._creation.listing import Listing, list_until
from .._creation.token_delivery import TokenDelivery
from .._fleet.outcome import by_gateway, report
from .._journal.changes import ChangeJournal
from .._journal.entries import Key
from .._journal.journal import Journal
from .._journal.storage import JournalError
from .._vendors.accounts import hash_secret
from .plan import PART, RenewalPolicy, make_plan, works
from .progress import Renewal


class Renewer:
    """Renews the tokens of one task's instances. ``journal`` keeps two tasks from renewing the same one at once."""

    def __init__(
        self,
        policy: RenewalPolicy,
        delivery: TokenDelivery,
        journal: Journal,
        changes: ChangeJournal,
        *,
        concurrency: int,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self._policy = policy
        self._delivery = delivery
        self._journal = journal
        self._changes = changes
        self._concurrency = concurrency
        self._progress = progress

    def predict(self, renewals: Sequence[Renewal]) -> dict[str, Any]:
        """The module's result in check mode."""
        make_plan(renewals, self._policy, self._changes, concurrency=self._concurrency)
        self._refuse(renewals)
        for renewal in renewals:
            if not renewal.is_over and (renewal.is_due or renewal.is_found):
                renewal.end("would_rotate")
                renewal.new = None
        return self._report(renewals)

    def renew(self, renewals: Sequence[Renewal]) -> dict[str, Any]:
        """The module's result. The failure of one instance doesn't keep the others from a new token.

        :raises FleetError: if the journal or the credentials file can't be used; nothing was sent.
        """
        self._delivery.check()
        identities = [renewal.identity for renewal in renewals]
        keys = {Key(provider, f"the token of {instance_id}") for provider, instance_id in identities}
        with self._journal.locked(keys):
            make_plan(renewals, self._policy, self._changes, concurrency=self._concurrency)
            self._refuse(renewals)
            wanted = [renewal for renewal in renewals if not renewal.is_over and (renewal.is_due or renewal.new)]
            with self._delivery.reserved([(renewal.slot, renewal.instance) for renewal in wanted]):
                self._send([renewal for renewal in renewals if renewal.is_due and not renewal.is_over])
                self._reconcile([renewal for renewal in renewals if renewal.doubt])
                self._prove([r for r in renewals if r.new and (r.was_sent or r.is_found) and not r.is_over])
                self._deliver([renewal for renewal in renewals if renewal.new])
        return self._report(renewals)

    def _refuse(self, renewals: Sequence[Renewal]) -> None:
        """End what can't be delivered, before anything is sent."""
        wanted = [renewal for renewal in renewals if not renewal.is_over and (renewal.is_due or renewal.is_found)]
        content = self._delivery.file.read() if self._delivery.file and wanted else {}
        for renewal in wanted:
            error: FleetError | None = None
            if self._delivery.file:
                # Without a token: an entry of the instance with another address could not be replaced afterwards.
                bare = replace(renewal.instance, token=None)
                error = self._delivery.file.conflict(content, renewal.slot, bare)
            elif not self._delivery.output.is_safe:
                error = UsageError(
                    "there is no safe way to deliver a new token, so none is made: set no_log: true on this task, or "
                    "give credentials_file"
                )
            if error:
                renewal.new = None
                renewal.is_found = False
                renewal.end("failed", error)

    def _send(self, due: Sequence[Renewal]) -> None:
        def describe() -> str:
            return f"{sum(one.was_sent or one.is_over for one in due):,} of {len(due):,} tokens renewed"

        log = ProgressLog(self._progress, describe) if self._progress else None
        poll(due, self._renew, workers=self._concurrency, progress=log)

    def _renew(self, renewal: Renewal) -> bool:
        """Send one request, once: after a lost answer, the listing shows the new token."""
        target = renewal.target
        if failure := self._delivery.failure():
            renewal.end("failed", failure)
            return True
        try:
            self._changes.request(*renewal.identity, {PART: hash_secret(renewal.current)})
        except JournalError as error:
            renewal.end("failed", error)
            return True
        renewal.was_sent = True
        try:
            renewal.new = renewal.gateway.renew_token(replace(target.credentials, token=renewal.current))
        except FleetError as error:
            if error.delivery is Delivery.UNKNOWN:
                renewal.doubt = error
                return True
            renewal.was_sent = False
            self._record(renewal, done=False)
            renewal.end("failed", error)
            return True
        self._delivery.write_early(renewal.slot, renewal.instance)
        return True

    def _reconcile(self, doubtful: Sequence[Renewal]) -> None:
        """Ask the listing for the new token of each instance whose answer was lost, until it shows one."""
        deadline = self._policy.listing.deadline()
        for gateway, own in by_gateway(doubtful).items():

            def shows_new_tokens(listing: Listing, own: Sequence[Renewal] = own) -> bool:
                for renewal in own:
                    listed = listing.with_id(renewal.target.credentials.id)
                    if listed and listed.token and listed.token != renewal.current:
                        renewal.new = listed.token
                return all(renewal.new for renewal in own)

            left = replace(self._policy.listing, timeout=max(0.0, deadline - time.monotonic()))
            with contextlib.suppress(FleetError):
                list_until(gateway, shows_new_tokens, left)
            for renewal in own:
                if renewal.doubt and renewal.new is None:
                    renewal.end("unknown", _unknown(renewal.doubt))

    def _prove(self, renewed: Sequence[Renewal]) -> None:
        deadline = time.monotonic() + self._policy.proof_timeout

        def prove(renewal: Renewal) -> bool:
            renewal.proof = works(renewal, renewal.new or "")
            return renewal.proof is None or time.monotonic() >= deadline

        poll(renewed, prove, workers=self._concurrency, interval=self._policy.proof_interval)

    def _deliver(self, renewals: Sequence[Renewal]) -> None:
        failure: UsageError | None = None
        try:
            self._delivery.write([(renewal.slot, renewal.instance) for renewal in renewals])
        except UsageError as error:
            failure = error
        for renewal in renewals:
            if renewal.is_over or not (renewal.was_sent or renewal.is_found):
                if failure and not renewal.error:
                    renewal.end("failed", failure)
            elif renewal.proof:
                renewal.end("unknown", _unproved(renewal.proof))
            else:
                renewal.end("rotated", failure)
                if not failure:
                    self._record(renewal, done=True)

    def _record(self, renewal: Renewal, *, done: bool) -> None:
        # An entry that stays pending makes the next task find the token in the listing, and nothing else.
        with contextlib.suppress(JournalError):
            self._changes.record(*renewal.identity, [PART], done=done)

    def _report(self, renewals: Sequence[Renewal]) -> dict[str, Any]:
        for renewal in renewals:
            if renewal.new and not self._delivery.output.may_return(renewal.new):
                renewal.new = None
        return report(
            renewals,
            changed=any(renewal.is_changed for renewal in renewals),
            before="".join(renewal.line("its token") for renewal in renewals),
            after="".join(renewal.line("a new token" if renewal.is_changed else "its token") for renewal in renewals),
            done="given a new token",
        )


def _unknown(doubt: FleetError) -> FleetError:
    return FleetError(
        "outcome_unknown",
        f"it is not known whether it got a new token: {doubt.message}; the listing shows none yet: run the task again, "
        "which takes the new token from the listing",
        http_status=doubt.http_status,
        delivery=Delivery.UNKNOWN,
    )


def _unproved(proof: FleetError) -> FleetError:
    return outcome_unknown(
        f"its new token was delivered, but doesn't work: {proof.message}; run the task again, which tries it again",
        proof,
    )
