# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done about each desired instance, by what the listing and the journal say of it."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .._common.errors import Delivery, FleetError
from .._journal.commands import JournalCommands
from .._journal.entries import OPEN, Entry, Key, Memory, new_entry
from .._vendors.accounts import Account, Kinship, Standing, kinship
from .._vendors.gateway import Gateway, Instance
from .listing import Listing

Action = Literal["created", "adopted", "unchanged", "would_create", "failed", "unknown"]
OnUnknown = Literal["fail", "create"]

_HOW_TO_NAME = "with account (of the task, or of its item in instances; provision_accounts in the role)"


@dataclass(frozen=True, eq=False)
class DesiredInstance:
    """An instance that shall exist: its name, the account that it belongs to, and what a creation would send."""

    name: str
    gateway: Gateway
    api_url: str
    account: Account
    payload: Mapping[str, Any] = field(repr=False)

    @property
    def key(self) -> Key:
        """What a run that works on it must hold."""
        return Key(self.gateway.provider, self.name)

    def __str__(self) -> str:
        whose = f" of account {self.account.name}" if self.account.name else ""
        return f"{self.gateway.provider} instance {self.name}{whose}"


@dataclass(frozen=True)
class Outcome:
    """What became of a desired instance.

    ``posted`` tells whether this run sent its creation, ``entry`` is the journal's of it.
    """

    desired: DesiredInstance
    action: Action
    instance: Instance | None = None
    error: FleetError | None = None
    posted: bool = False
    entry: Entry | None = None

    @property
    def changed(self) -> bool:
        """Whether the account has (or would have) an instance more."""
        return self.action == "would_create" or (self.posted and self.instance is not None)

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        found, account = self.instance, self.desired.account.name
        return {
            **({"account": account} if account else {}),
            "name": self.desired.name,
            "id": found.id if found else None,
            "provider": self.desired.gateway.provider,
            "token": found.token if found else None,
            "due": found.due if found else None,
            "due_raw": found.due_raw if found else None,
            "api_url": self.desired.api_url,
            "action": self.action,
            "error": self.error.as_item_error() if self.error else None,
        }


@dataclass(frozen=True)
class Claim:
    """The entry of a desired instance; ``rivals`` are those that may be, where it isn't known which one or whether "
    "any."""

    kinship: Kinship
    entry: Entry | None = None
    rivals: tuple[Entry, ...] = ()


def find_claim(desired: DesiredInstance, memory: Memory) -> Claim:
    """What the journal has of a desired instance."""
    related: dict[Kinship, list[Entry]] = collections.defaultdict(list)
    for entry in memory.of(desired.key):
        related[kinship(desired.account, entry)].append(entry)
    same = related[Kinship.SAME]
    same = [entry for entry in same if entry.account == desired.account.name] or same
    same = [entry for entry in same if any(a.address == desired.account.address for a in entry.accesses)] or same
    if len(same) == 1:
        return Claim(Kinship.SAME, same[0])
    if same:
        return Claim(Kinship.UNCLEAR, rivals=tuple(same))
    renewed = related[Kinship.RENEWED]
    # What never happened is nobody's instance.
    rivals = [
        entry
        for kin in (Kinship.RENAMED, Kinship.UNCLEAR, Kinship.RENEWED)
        for entry in related[kin]
        if entry.status != "rejected"
    ]
    if renewed and not rivals:
        return Claim(Kinship.RENEWED, renewed[0])
    if len(rivals) == 1 and rivals[0] in renewed:
        return Claim(Kinship.RENEWED, rivals[0])
    if rivals:
        return Claim(kinship(desired.account, rivals[0]), rivals=tuple(rivals))
    return Claim(Kinship.OTHER)


@dataclass(frozen=True)
class Planner:
    """Decides what is to be done. It sends nothing and writes nothing."""

    memory: Memory
    commands: JournalCommands
    on_unknown: OnUnknown

    def plan(self, desired: DesiredInstance, claim: Claim, listing: Listing | None) -> Outcome:
        """What a run would do, from the instance's entries in the journal, and the account's listing if there is "
        "one."""
        if matches := listing.named(desired.name) if listing else []:
            return self.found(desired, self._entry_for(desired, claim, matches[0]), matches)
        if claim.rivals:
            return self._plan_unclear(desired, claim, listing)
        entry = claim.entry
        if entry is None or entry.status == "rejected":
            return Outcome(desired, "would_create", entry=entry)
        if entry.status in OPEN:
            if self.on_unknown == "create":
                return Outcome(desired, "would_create", entry=entry)
            return self.unknown(desired, entry, f"the outcome of its creation of {entry.updated_at} is still open")
        if listing is None:
            known = Instance(entry.instance_id or "", desired.name, None)
            standing = Standing.PROVEN if claim.kinship is Kinship.SAME else Standing.ASSUMED
            return Outcome(desired, "unchanged", known, entry=entry.used_by(desired.account, standing))
        if entry.instance_id in listing.deleted:
            return Outcome(desired, "would_create", entry=entry)
        is_same = claim.kinship is Kinship.SAME or listing.shows(entry.instance_id)
        if self.on_unknown == "create":
            # An entry that may be another account's stays.
            return Outcome(desired, "would_create", entry=entry if is_same else None)
        vanished = self._vanished(desired, entry, listing.name_for(entry.instance_id))
        return Outcome(desired, "failed", error=vanished if is_same else self._another(desired, entry))

    def found(self, desired: DesiredInstance, entry: Entry | None, matches: Sequence[Instance]) -> Outcome:
        """The account has instances of that name."""
        if len(matches) > 1:
            ids = ", ".join(instance.id for instance in matches)
            message = f"{len(matches)} instances of {desired.gateway.provider} are named {desired.name}: {ids}"
            message += "; rename or delete all but one"
            # One of them may be what this run's own creation made.
            return Outcome(
                desired, "failed", error=FleetError("vendor", message, delivery=Delivery.UNKNOWN), entry=entry
            )
        instance = matches[0]
        is_known = entry is not None and entry.instance_id == instance.id
        entry = entry or new_entry(desired.account, desired.name, "created")
        entry = entry.used_by(desired.account, Standing.PROVEN)
        return Outcome(desired, "unchanged" if is_known else "adopted", instance, entry=entry)

    def unknown(
        self, desired: DesiredInstance, entry: Entry, reason: str, *, http_status: int | None = None
    ) -> Outcome:
        """It can't be known whether the entry's creation happened."""
        error = FleetError(
            "outcome_unknown",
            f"It is not known whether {desired} was created: {reason}. Look for it in the gateway's console. If it is "
            f"there, run this with its ID: {self.commands.adopt(replace(entry, instance_id=None))}; if it isn't, run "
            f"{self.commands.discard(entry)}, or this task with on_unknown: create",
            http_status=http_status,
            delivery=Delivery.UNKNOWN,
        )
        return Outcome(desired, "unknown", error=error, entry=entry)

    def _entry_for(self, desired: DesiredInstance, claim: Claim, instance: Instance) -> Entry | None:
        """The entry of an instance that the account's listing shows: its ID proves whose it is."""
        if claim.kinship is Kinship.SAME:
            return claim.entry
        for entry in self.memory.of(desired.key):
            if entry.instance_id == instance.id and not (entry.account and desired.account.name):
                return entry
        # Where only the address is the same, an instance of another ID may be another account's.
        return claim.entry if claim.entry and claim.entry.instance_id is None else None

    def _plan_unclear(self, desired: DesiredInstance, claim: Claim, listing: Listing | None) -> Outcome:
        deleted = [entry for entry in claim.rivals if listing and entry.instance_id in listing.deleted]
        if deleted:
            return Outcome(desired, "would_create", entry=deleted[0])
        # Where the user has named the account, an instance that its listing doesn't show is another account's.
        is_elsewhere = (
            listing is not None
            and desired.account.name is not None
            and claim.kinship is not Kinship.RENAMED
            and all(entry.instance_id and not listing.shows(entry.instance_id) for entry in claim.rivals)
        )
        if is_elsewhere or self.on_unknown == "create":
            return Outcome(desired, "would_create")
        error = self._renamed if claim.kinship is Kinship.RENAMED else self._unclear
        return Outcome(desired, "failed", error=error(desired, claim.rivals))

    # Failures that say what to do

    def _vanished(self, desired: DesiredInstance, entry: Entry, name_now: str | None) -> FleetError:
        reason = f"is named {name_now} now; rename it back" if name_now else "isn't in the listing any more"
        return FleetError(
            "not_found",
            f"{desired} was created as {entry.instance_id} on {entry.created_at}, but {reason}. It is not created "
            f"again; if that is what you want, run {self.commands.forget(entry)}, or this task with on_unknown: create",
        )

    def _another(self, desired: DesiredInstance, entry: Entry) -> FleetError:
        return FleetError(
            "not_found",
            f"{desired} was created as {entry.instance_id} on {entry.created_at} with another partner token for "
            f"{desired.account.address}, and this one's listing doesn't show it. Nothing was created or overwritten. "
            f"If they are two accounts, tell them apart {_HOW_TO_NAME}: this task then creates an instance of its own. "
            f"If the token was renewed and the instance is gone, run {self.commands.forget(entry)}",
        )

    def _unclear(self, desired: DesiredInstance, rivals: Sequence[Entry]) -> FleetError:
        known = "; ".join(_told(entry) for entry in rivals)
        before = (
            f"It is not known whether {desired} is one that the journal has of an account that may be the same: "
            f"{known}. Nothing was created or overwritten. "
        )
        if desired.account.name is None:
            return FleetError("not_found", f"{before}Say which account this task is for, {_HOW_TO_NAME}")
        return FleetError(
            "not_found",
            f"{before}If it is, {self._adopting(rivals, desired.account)}. If it is another account's, run that "
            "account's task first, with an account of its own, or this task with on_unknown: create",
        )

    def _renamed(self, desired: DesiredInstance, rivals: Sequence[Entry]) -> FleetError:
        entry = rivals[0]
        return FleetError(
            "not_found",
            f"{desired} has the partner token and the address of account {entry.account}, to which the journal has "
            f"{_told(entry)}. Nothing was created or overwritten. One account has one name: give this task account "
            f"{entry.account}, or, to give the instance the new name, {self._adopting(rivals, desired.account)}",
        )

    def _adopting(self, rivals: Sequence[Entry], account: Account) -> str:
        commands = "; ".join(self.commands.adopt(entry, account.name) for entry in rivals)
        if all(entry.instance_id for entry in rivals):
            return f"run {commands}"
        return f"look for it in the gateway's console and run this with its ID: {commands}"


def _told(entry: Entry) -> str:
    what = entry.instance_id or f"a creation that is {entry.status}"
    whose = f"account {entry.account}" if entry.account else "no named account"
    where = f" at {entry.address}" if entry.address else ""
    return f"{what} of {entry.created_at}, {whose}{where}"
