# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning what to do about each desired instance, from the account's listing and the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .._common.errors import FleetError
from .._journal.entries import OPEN, Entry, Memory, is_same_id, new_entry, normal_id
from .._vendors.accounts import Kinship, Standing
from .._vendors.gateway import Instance
from .claim import Claim
from .credentials_content import Slot
from .desired import DesiredInstance
from .listing import Listing
from .refusals import Refusals

PlannedAction = Literal["adopted", "unchanged", "would_create", "failed", "unknown"]
OnUnknown = Literal["fail", "create"]


@dataclass(frozen=True)
class Plan:
    """What is to be done about a desired instance.

    ``instance`` is the one that exists. ``entry`` is the journal's: a creation replaces it. ``gone`` are the normal IDs
    of deleted instances, whose credentials a new instance of the name may replace.
    """

    desired: DesiredInstance
    action: PlannedAction
    instance: Instance | None = None
    error: FleetError | None = None
    entry: Entry | None = None
    gone: frozenset[str] = frozenset()

    @property
    def slot(self) -> Slot:
        """Where the instance's credentials go in the file."""
        desired = self.desired
        return Slot(desired.gateway.provider, desired.name, desired.api_url, self.gone, desired.account.name)

    def failed(self, error: FleetError) -> Plan:
        """The plan after an error: nothing is done."""
        return replace(self, action="failed", error=error)


@dataclass(frozen=True)
class Planner:
    """Decides what is to be done. It sends nothing and writes nothing."""

    memory: Memory
    refusals: Refusals
    on_unknown: OnUnknown

    def plan(self, desired: DesiredInstance, claim: Claim, listing: Listing | None) -> Plan:
        """Decide by the ``claim`` to an entry in the journal, and by the listing if the account has one."""
        plan = self._decide(desired, claim, listing)
        gone = listing.deleted if listing else frozenset[str]()
        former = normal_id(plan.entry.instance_id) if plan.entry else ""
        # All plans share one set unless the journal knows one more ID.
        return replace(plan, gone=gone if not former or former in gone else gone | {former})

    def found(self, desired: DesiredInstance, entry: Entry | None, matches: Sequence[Instance]) -> Plan:
        """The plan for a name that the account's listing shows."""
        if len(matches) > 1:
            return Plan(desired, "failed", error=self.refusals.duplicates(desired, matches), entry=entry)
        instance = matches[0]
        is_known = entry is not None and is_same_id(entry.instance_id, instance.id)
        entry = entry or new_entry(desired.account, desired.name, "created")
        entry = entry.used_by(desired.account, Standing.PROVEN)
        return Plan(desired, "unchanged" if is_known else "adopted", instance, entry=entry)

    def unknown(self, desired: DesiredInstance, entry: Entry, reason: str, http_status: int | None = None) -> Plan:
        """The plan where it is not known whether the entry's creation happened."""
        error = self.refusals.unknown(desired, entry, reason, http_status)
        return Plan(desired, "unknown", error=error, entry=entry)

    def _decide(self, desired: DesiredInstance, claim: Claim, listing: Listing | None) -> Plan:
        if matches := listing.named(desired.name) if listing else []:
            return self.found(desired, self._entry_for(desired, claim, matches[0]), matches)
        if claim.rivals:
            return self._plan_unclear(desired, claim, listing)
        entry = claim.entry
        if entry is None or entry.status == "rejected":
            return Plan(desired, "would_create", entry=entry)
        if entry.status in OPEN:
            if self.on_unknown == "create":
                return Plan(desired, "would_create", entry=entry)
            return self.unknown(desired, entry, f"the outcome of its creation of {entry.updated_at} is still open")
        if listing is None:
            known = Instance(entry.instance_id or "", desired.name, None)
            standing = Standing.PROVEN if claim.kinship is Kinship.SAME else Standing.ASSUMED
            return Plan(desired, "unchanged", known, entry=entry.used_by(desired.account, standing))
        return self._plan_missing(desired, entry, claim.kinship, listing)

    def _plan_missing(self, desired: DesiredInstance, entry: Entry, kinship: Kinship, listing: Listing) -> Plan:
        """The journal has an instance that the listing doesn't show by its name."""
        if listing.has_deleted(entry.instance_id):
            return Plan(desired, "would_create", entry=entry)
        is_same = kinship is Kinship.SAME or listing.shows(entry.instance_id)
        if self.on_unknown == "create":
            # If the entry may be another account's, it stays in the journal; the creation gets an entry of its own.
            return Plan(desired, "would_create", entry=entry if is_same else None)
        if is_same:
            error = self.refusals.vanished(desired, entry, listing.name_for(entry.instance_id))
        else:
            error = self.refusals.other_token(desired, entry)
        return Plan(desired, "failed", error=error)

    def _entry_for(self, desired: DesiredInstance, claim: Claim, instance: Instance) -> Entry | None:
        """The entry of an instance that the account's listing shows. Its ID proves that the entry is the account's."""
        if claim.kinship is Kinship.SAME:
            return claim.entry
        for entry in self.memory.entries_for(desired.key):
            if is_same_id(entry.instance_id, instance.id) and not (entry.account and desired.account.name):
                return entry
        # An entry of the same address with another ID may be another account's.
        return claim.entry if claim.entry and claim.entry.instance_id is None else None

    def _plan_unclear(self, desired: DesiredInstance, claim: Claim, listing: Listing | None) -> Plan:
        deleted = [entry for entry in claim.rivals if listing and listing.has_deleted(entry.instance_id)]
        if deleted:
            return Plan(desired, "would_create", entry=deleted[0])
        # If the user has named the account, an instance that its listing doesn't show is another account's.
        is_elsewhere = (
            listing is not None
            and desired.account.name is not None
            and claim.kinship is not Kinship.RENAMED
            and all(entry.instance_id and not listing.shows(entry.instance_id) for entry in claim.rivals)
        )
        if is_elsewhere or self.on_unknown == "create":
            return Plan(desired, "would_create")
        refuse = self.refusals.renamed if claim.kinship is Kinship.RENAMED else self.refusals.unclear
        return Plan(desired, "failed", error=refuse(desired, claim.rivals))
