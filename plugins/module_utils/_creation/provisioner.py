# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating instances exactly once: lock the names, list the account, plan, journal, post, settle, hand over.

The gateways know neither unique names nor idempotency keys. So a creation is begun only where the listing and the
journal agree that there is nothing of that name, and its outcome is believed only if the gateway said it, or shows it.
"""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._common.errors import Delivery, FleetError, UsageError
from .._common.polling import poll
from .._common.timestamps import utc_now
from .._journal.commands import JournalCommands
from .._journal.entries import Entry, Memory, Status, begun_entry, hash_payload, is_new_token, new_entry
from .._journal.journal import Journal, Lease
from .._journal.storage import JournalError
from .._vendors.accounts import Account, Kinship
from .._vendors.gateway import Gateway
from .delivery import TokenDelivery, has_token
from .listing import Lister, Listing, ListingPolicy, awaits_listing, listed_by
from .plan import Action, Claim, DesiredInstance, OnUnknown, Outcome, Planner, find_claim


@dataclass
class Provisioner:
    """One task's creations; ``warnings`` gathers what the user should know beside the outcomes."""

    journal: Journal
    commands: JournalCommands
    delivery: TokenDelivery
    on_unknown: OnUnknown
    listing: ListingPolicy
    concurrency: int
    progress: Callable[[str], None] | None = None
    warnings: list[str] = field(default_factory=list)

    def predict(self, all_desired: Sequence[DesiredInstance]) -> list[Outcome]:
        """What ``provision`` would do, without a trace at the gateways, in the journal or in the file."""
        planned, _listed = self._plan(all_desired, self.journal.read({desired.key for desired in all_desired}))
        outcomes = self.delivery.without_conflicts(planned)
        if not self.delivery.is_safe and any(o.action == "would_create" for o in outcomes):
            self.warnings.append(_no_safe_way().message)
        return self.delivery.strip_tokens(self.delivery.restore_tokens(outcomes))

    def provision(self, all_desired: Sequence[DesiredInstance]) -> list[Outcome]:
        """What became of each desired instance, in their order.

        The failure of one instance or account doesn't keep the others from being created.

        :raises UsageError: if the journal or the credentials file can't be used; nothing was created.
        """
        if not all_desired:
            return []
        self.delivery.check()
        with self.journal.locked({desired.key for desired in all_desired}) as lease:
            planned, listed = self._plan(all_desired, lease.memory)
            planned = self.delivery.without_conflicts(planned)
            try:
                lease.note_uses(listed)
            except JournalError as error:
                planned = [_failed(o, error) if o.action == "would_create" else o for o in planned]
            with self.delivery.room_for(planned):
                reconciled = self._reconcile(self._create_all(planned, lease), lease.memory)
                with contextlib.suppress(UsageError):  # whoever writes to the file then says why
                    reconciled = self.delivery.restore_tokens(reconciled)
                outcomes = self.delivery.write_credentials(self.delivery.strip_tokens(reconciled), reconciled)
            known = [self._recorded(o, s) for o, s in zip(outcomes, reconciled, strict=True)]
            self._record(lease, [entry for entry in known if entry])
            self._warn_of_unknown_tokens(zip(reconciled, known, strict=True))
        return outcomes

    # Planning: what the listings and the journal say

    def _plan(
        self, all_desired: Sequence[DesiredInstance], memory: Memory
    ) -> tuple[list[Outcome], dict[Account, bool]]:
        """What is to be done about each desired instance, and which accounts could be listed."""
        planner, lister = Planner(memory, self.commands, self.on_unknown), Lister(self.listing, memory.uses)
        claims = {desired: find_claim(desired, memory) for desired in all_desired}
        planned: dict[DesiredInstance, Outcome] = {}
        listed: dict[Account, bool] = {}
        for gateway, in_account in _by_account(all_desired):
            # A listing may lag behind what an earlier run has begun a moment ago.
            entries = [
                entry for desired in in_account for entry in (claims[desired].entry, *claims[desired].rivals) if entry
            ]
            until = {entry.name: listed_by(entry) for entry in entries if awaits_listing(entry)}
            try:
                listing = lister.ask(gateway, {desired.account for desired in in_account}, until)
            except FleetError as error:
                planned |= {desired: Outcome(desired, "failed", error=error) for desired in in_account}
            else:
                planned |= {desired: planner.plan(desired, claims[desired], listing) for desired in in_account}
                self.delivery.plan([planned[desired] for desired in in_account], listing)
                listed |= {desired.account: listing is not None for desired in in_account}
        self._warn_of_new_tokens(
            {desired: claims[desired] for desired in all_desired if desired.account in listed}, memory
        )
        return [planned[desired] for desired in all_desired], listed

    # Creating: each at most once

    def _create_all(self, planned: Sequence[Outcome], lease: Lease) -> list[Outcome]:
        outcomes = {outcome.desired: outcome for outcome in planned}
        wanted = [outcome for outcome in planned if outcome.action == "would_create"]

        def create(outcome: Outcome) -> bool:
            outcomes[outcome.desired] = self._create(outcome.desired, outcome.entry, lease)
            return True

        def tell() -> None:
            if self.progress:
                done = sum(outcomes[outcome.desired].action != "would_create" for outcome in wanted)
                self.progress(f"{done} of {len(wanted)} creations answered")

        if self.delivery.is_safe:
            poll(wanted, create, workers=self.concurrency, progress=tell if self.progress else None)
        else:
            outcomes |= {outcome.desired: _failed(outcome, _no_safe_way()) for outcome in wanted}
        return list(outcomes.values())

    def _create(self, desired: DesiredInstance, before: Entry | None, lease: Lease) -> Outcome:
        if failure := self.delivery.failure():
            return Outcome(desired, "failed", error=failure)
        entry = begun_entry(desired.account, desired.name, hash_payload(desired.payload), before)
        try:
            lease.begin(entry, instead_of=before)
        except JournalError as error:
            return Outcome(desired, "failed", error=error)
        try:
            instance = desired.gateway.create_instance(desired.payload)
        except FleetError as error:
            action: Action = "unknown" if error.delivery is Delivery.UNKNOWN else "failed"
            return Outcome(desired, action, error=error, posted=True, entry=entry)
        # At once, because this process may be killed, and the vendor may never show the token again.
        created = replace(entry, status="created", instance_id=instance.id, updated_at=utc_now())
        self._record(lease, [created])
        self.delivery.write_at_once(desired, instance)
        return Outcome(desired, "created", instance, posted=True, entry=created)

    # Settling: ask the listing about what got no clear answer

    def _reconcile(self, outcomes: Sequence[Outcome], memory: Memory) -> list[Outcome]:
        reconciled = {outcome.desired: outcome for outcome in outcomes}
        unclear = [outcome.desired for outcome in outcomes if outcome.action == "unknown" and outcome.posted]
        end = listed_by()
        planner, lister = Planner(memory, self.commands, self.on_unknown), Lister(self.listing, memory.uses)
        for gateway, all_desired in _by_account(unclear):
            listing = None
            with contextlib.suppress(FleetError):
                until = dict.fromkeys((desired.name for desired in all_desired), end)
                listing = lister.ask(gateway, {desired.account for desired in all_desired}, until)
            for desired in all_desired:
                reconciled[desired] = _reconciled(planner, reconciled[desired], listing)
        return list(reconciled.values())

    # Remembering

    def _journal_status(self, outcome: Outcome, reconciled: Outcome) -> tuple[Status, str | None] | None:
        if outcome.instance:
            in_file = self.delivery.file is not None and has_token(reconciled)
            handed_over = not outcome.error and (in_file or has_token(outcome))
            return ("delivered" if handed_over else "created", outcome.instance.id)
        if outcome.posted:
            is_open = outcome.error is not None and outcome.error.delivery is Delivery.UNKNOWN
            return ("unknown" if is_open else "rejected", None)
        return None

    def _recorded(self, outcome: Outcome, reconciled: Outcome) -> Entry | None:
        """What the journal shall say about an outcome; ``None`` if nothing is to be said."""
        if (said := self._journal_status(outcome, reconciled)) is None:
            return None
        status, instance_id = said
        entry = reconciled.entry or new_entry(outcome.desired.account, outcome.desired.name, status)
        # Once the token was handed over, it stays so, even if a later run can't show it again.
        if entry.instance_id == instance_id and entry.status in (status, "delivered"):
            return entry
        return replace(entry, status=status, instance_id=instance_id, updated_at=utc_now())

    def _record(self, lease: Lease, entries: Sequence[Entry]) -> None:
        try:
            lease.record(entries)
        except JournalError as error:
            # Nothing is lost: an entry that stays pending is settled by the next run's listing.
            self.warnings.append(error.message)

    def _warn_of_unknown_tokens(self, outcomes: Iterable[tuple[Outcome, Entry | None]]) -> None:
        place = " into credentials_file" if self.delivery.file else ""
        for outcome, entry in outcomes:
            if outcome.instance and not has_token(outcome) and not (entry and entry.status == "delivered"):
                self.warnings.append(
                    f"the token of {outcome.desired} ({outcome.instance.id}) was never handed over, and the gateway "
                    f"doesn't tell it again; copy it from the gateway's console{place}"
                )

    def _warn_of_new_tokens(self, claims: Mapping[DesiredInstance, Claim], memory: Memory) -> None:
        assumed = {
            desired.account
            for desired, claim in claims.items()
            if claim.kinship is Kinship.RENEWED
            and claim.entry
            and all(access.token != desired.account.token for access in claim.entry.accesses)
        }
        for account in dict.fromkeys(desired.account for desired in claims):
            if account in assumed or is_new_token(account, memory.uses):
                self.warnings.append(
                    f"the partner token of {account.provider} at {account.address} was not seen before. It is taken "
                    "for a renewed token of the account that was used there; if it is another account's, tell the two "
                    "apart with account (of the task, or of its item in instances; provision_accounts in the role)"
                )


def _failed(outcome: Outcome, error: FleetError) -> Outcome:
    return Outcome(outcome.desired, "failed", error=error)


def _no_safe_way() -> UsageError:
    return UsageError(
        "there is no safe way to hand a new instance's token over, so none is created: set no_log: true on this "
        "task, or give credentials_file"
    )


def _by_account(all_desired: Sequence[DesiredInstance]) -> Iterable[tuple[Gateway, list[DesiredInstance]]]:
    accounts: dict[Gateway, list[DesiredInstance]] = collections.defaultdict(list)
    for desired in all_desired:
        accounts[desired.gateway].append(desired)
    return accounts.items()


def _reconciled(planner: Planner, outcome: Outcome, listing: Listing | None) -> Outcome:
    desired, cause, entry = outcome.desired, outcome.error, outcome.entry
    if matches := listing.named(desired.name) if listing else []:
        return replace(planner.found(desired, entry, matches), posted=True)
    reason, http_status = (cause.message, cause.http_status) if cause else ("", None)
    return replace(planner.unknown(desired, entry, reason, http_status=http_status), posted=True) if entry else outcome
