# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating instances exactly once: lease the names, list, plan, journal, post, reconcile, deliver the tokens.

The gateways have neither unique names nor idempotency keys. So a run creates an instance only if neither the listing
nor the journal has one of its name, and it believes an outcome only if the gateway's response or its listing tells it.
"""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._common.errors import Delivery, FleetError, UsageError
from .._common.timestamps import utc_now
from .._journal.command_lines import JournalCommands
from .._journal.entries import (
    Entry,
    Memory,
    Status,
    is_new_token,
    is_same_id,
    new_entry,
)
from .._journal.journal import Journal, Lease
from .._journal.storage import JournalError
from .._vendors.accounts import Account, Kinship
from .._vendors.gateway import Gateway
from .claim import Claim, find_claim
from .creator import Creator, not_begun
from .desired import DesiredInstance
from .listing import LISTING_POLICY, Lister, ListingMode, ListingPolicy
from .plan import OnUnknown, Plan, Planner
from .refusals import Refusals
from .result import Result, result_from_plan
from .token_delivery import CreationDelivery


@dataclass
class Provisioner:
    """The creations of one task. ``warnings`` are for the user, besides the results."""

    journal: Journal
    delivery: CreationDelivery
    on_unknown: OnUnknown
    listing: ListingMode
    concurrency: int
    listing_policy: ListingPolicy = LISTING_POLICY
    progress: Callable[[str], None] | None = None
    warnings: list[str] = field(default_factory=list)

    def predict(self, all_desired: Sequence[DesiredInstance]) -> list[Result]:
        """What ``provision`` would do. Nothing is written to the gateways, the journal or the file."""
        if not all_desired:
            return []
        memory = self.journal.read({desired.key for desired in all_desired})
        plans, listed = self._plan(all_desired, memory, self._lister(memory))
        plans = self.delivery.without_conflicts(plans)
        refusals = (self._refusal(plan, listed) for plan in plans)
        self.warnings += dict.fromkeys(refusal.message for refusal in refusals if refusal)
        return self.delivery.strip_tokens(self.delivery.restore_tokens([result_from_plan(plan) for plan in plans]))

    def provision(self, all_desired: Sequence[DesiredInstance]) -> list[Result]:
        """Create what is missing. The results are in the order of the desired instances.

        The failure of one instance or account doesn't keep the others from being created.

        :raises UsageError: if the journal or the credentials file can't be used; nothing was created.
        """
        if not all_desired:
            return []
        self.delivery.check()
        with self.journal.locked({desired.key for desired in all_desired}) as lease:
            lister = self._lister(lease.memory)
            plans, listed = self._plan(all_desired, lease.memory, lister)
            plans = self.delivery.without_conflicts(plans)
            plans = [plan.failed(why) if (why := self._refusal(plan, listed)) else plan for plan in plans]
            try:
                lease.note_uses(listed)
            except JournalError as error:
                plans = [
                    plan.failed(not_begun(error, plan.desired)) if plan.action == "would_create" else plan
                    for plan in plans
                ]
            with self.delivery.room_for(plans):
                results = Creator(self.delivery, lease, self.concurrency, self.progress).create(plans)
                results = self._reconcile(results, lease, lister)
                with contextlib.suppress(UsageError):  # write_credentials reports a file that can't be read
                    results = self.delivery.restore_tokens(results)
                results = self.delivery.write_credentials(results)
            results = [replace(result, entry=self._updated_entry(result)) for result in results]
            self._record(lease, results)
        self.warnings += self.delivery.warnings
        self._warn_of_lost_tokens(results)
        return self.delivery.strip_tokens(results)

    # Plan

    def _plan(
        self, all_desired: Sequence[DesiredInstance], memory: Memory, lister: Lister
    ) -> tuple[list[Plan], dict[Account, bool]]:
        """The plans, and the accounts that were asked with whether they gave a listing."""
        planner = self._planner(memory)
        claims = {desired: find_claim(desired, memory) for desired in all_desired}
        plans: dict[DesiredInstance, Plan] = {}
        listed: dict[Account, bool] = {}
        for gateway, in_account in _by_account(all_desired):
            until = self._deadlines(claims[desired] for desired in in_account)
            try:
                listing = lister.ask(gateway, {desired.account for desired in in_account}, until)
            except FleetError as error:
                plans |= {desired: Plan(desired, "failed", error=error) for desired in in_account}
            else:
                plans |= {desired: planner.plan(desired, claims[desired], listing) for desired in in_account}
                listed |= {desired.account: listing is not None for desired in in_account}
        self._warn_of_new_tokens(
            {desired: claims[desired] for desired in all_desired if desired.account in listed}, memory
        )
        return [plans[desired] for desired in all_desired], listed

    def _refusal(self, plan: Plan, listed: Mapping[Account, bool]) -> UsageError | None:
        """Why the plan's creation must not be sent; ``None`` if it creates nothing."""
        if plan.action != "would_create":
            return None
        return self.delivery.refusal(is_listed=listed.get(plan.desired.account, False))

    def _planner(self, memory: Memory) -> Planner:
        file = self.delivery.file
        commands = JournalCommands(self.journal.location, file.path if file else None)
        return Planner(memory, Refusals(commands), self.on_unknown)

    def _lister(self, memory: Memory) -> Lister:
        return Lister(self.listing, self.listing_policy, memory.uses)

    def _deadlines(self, claims: Iterable[Claim]) -> dict[str, float]:
        """Until when to wait for the listing to show what an earlier run has just created."""
        entries = [entry for claim in claims for entry in (claim.entry, *claim.rivals) if entry]
        policy = self.listing_policy
        return {entry.name: policy.deadline(entry) for entry in entries if policy.applies_to(entry)}

    # Reconcile: ask the listing about creations without a clear response

    def _reconcile(self, results: Sequence[Result], lease: Lease, lister: Lister) -> list[Result]:
        reconciled = {result.desired: result for result in results}
        unclear = [result.desired for result in results if result.action == "unknown" and result.posted]
        deadline = self.listing_policy.deadline()
        planner = self._planner(lease.memory)
        for gateway, all_desired in _by_account(unclear):
            listing = None
            accounts = {desired.account for desired in all_desired}
            with contextlib.suppress(FleetError):
                until = dict.fromkeys((desired.name for desired in all_desired), deadline)
                listing = lister.ask(gateway, accounts, until)
            if listing:
                with contextlib.suppress(JournalError):  # _record reports a journal that can't be written
                    lease.note_uses(dict.fromkeys(accounts, True))
            for desired in all_desired:
                result = reconciled[desired]
                if matches := listing.named(desired.name) if listing else []:
                    reconciled[desired] = result.after(planner.found(desired, result.entry, matches))
                elif result.entry and (cause := result.error):
                    plan = planner.unknown(desired, result.entry, cause.message, cause.http_status)
                    reconciled[desired] = result.after(plan)
        return list(reconciled.values())

    # Record

    def _updated_entry(self, result: Result) -> Entry | None:
        """The entry that the journal gets for a result; ``None`` if it keeps the one that it has."""
        status: Status
        if result.instance:
            status, instance_id = "delivered" if self.delivery.delivers(result) else "created", result.instance.id
        elif result.posted:
            is_open = result.error is not None and result.error.delivery is Delivery.UNKNOWN
            status, instance_id = "unknown" if is_open else "rejected", None
        else:
            return None
        entry = result.entry or new_entry(result.desired.account, result.desired.name, status)
        is_same = entry.instance_id == instance_id or is_same_id(entry.instance_id, instance_id)
        # A delivered token stays delivered, also if a later run can't show it again.
        if is_same and entry.status in (status, "delivered"):
            return replace(entry, instance_id=instance_id)
        return replace(entry, status=status, instance_id=instance_id, updated_at=utc_now())

    def _record(self, lease: Lease, results: Sequence[Result]) -> None:
        try:
            lease.record([result.entry for result in results if result.entry])
        except JournalError as error:
            # Nothing is lost: the next run reconciles an entry that stays pending with the listing.
            created = sum(result.action == "created" for result in results)
            done = f"{created} of its instances were created" if created else "what this run found"
            self.warnings.append(error.with_consequence(f"{done}, which it doesn't say").message)

    # Warnings

    def _warn_of_lost_tokens(self, results: Iterable[Result]) -> None:
        place = " into credentials_file" if self.delivery.file else ""
        for result in results:
            is_delivered = result.entry is not None and result.entry.status == "delivered"
            if result.instance and not result.has_token and not is_delivered:
                self.warnings.append(
                    f"the token of {result.desired} ({result.instance.id}) was never delivered, and the gateway "
                    f"doesn't show it again; copy it from the gateway's console{place}"
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


def _by_account(all_desired: Sequence[DesiredInstance]) -> Iterable[tuple[Gateway, list[DesiredInstance]]]:
    accounts: dict[Gateway, list[DesiredInstance]] = collections.defaultdict(list)
    for desired in all_desired:
        accounts[desired.gateway].append(desired)
    return accounts.items()
