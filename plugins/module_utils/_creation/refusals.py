# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an instance isn't created, with the commands by which a person resolves that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .._common.errors import Delivery, FleetError
from .._common.texts import join_first
from .._journal.command_lines import JournalCommands
from .._journal.entries import Entry
from .._vendors.gateway import Instance
from .desired import DesiredInstance

_ANYWAY = "this task with on_unknown: create (in the role: provision_on_unknown)"
_HOW_TO_NAME = "with account (of the task, or of its item in instances; provision_accounts in the role)"
# Entries that a message shows.
_SHOWN = 3


@dataclass(frozen=True)
class Refusals:
    """The errors, whose ``commands`` name the task's journal."""

    commands: JournalCommands

    def duplicates(self, desired: DesiredInstance, instances: Sequence[Instance]) -> FleetError:
        """The account has several instances of the name. One of them may be from a creation of this run."""
        ids = ", ".join(instance.id for instance in instances)
        message = f"{len(instances)} instances of {desired.gateway.provider} are named {desired.name}: {ids}"
        return FleetError("vendor", f"{message}; rename or delete all but one", delivery=Delivery.UNKNOWN)

    def unknown(self, desired: DesiredInstance, entry: Entry, reason: str, http_status: int | None) -> FleetError:
        """It is not known whether the entry's creation happened."""
        return FleetError(
            "outcome_unknown",
            f"It is not known whether {desired} was created: {reason}. Look for it in the gateway's console. If it is "
            f"there, run this with its ID: {self.commands.adopt(replace(entry, instance_id=None))}; if it isn't, run "
            f"{self.commands.discard(entry)}, or {_ANYWAY}",
            http_status=http_status,
            delivery=Delivery.UNKNOWN,
        )

    def vanished(self, desired: DesiredInstance, entry: Entry, name_now: str | None) -> FleetError:
        """The listing doesn't show the entry's instance by its name any more."""
        reason = f"is named {name_now} now; rename it back" if name_now else "isn't in the listing any more"
        return FleetError(
            "not_found",
            f"{desired} was created as {entry.instance_id} on {entry.created_at}, but {reason}. It is not created "
            f"again; if that is what you want, run {self.commands.forget(entry)} and then this task, or {_ANYWAY}",
        )

    def other_token(self, desired: DesiredInstance, entry: Entry) -> FleetError:
        """The address was used before with another token, and this one's listing doesn't show the entry's instance."""
        return FleetError(
            "not_found",
            f"{desired} was created as {entry.instance_id} on {entry.created_at} with another partner token for "
            f"{desired.account.address}, and this one's listing doesn't show it. Nothing was created or overwritten. "
            f"If they are two accounts, tell them apart {_HOW_TO_NAME}: this task then creates an instance of its own. "
            f"If the token was renewed and the instance is gone, run {self.commands.forget(entry)}",
        )

    def unclear(self, desired: DesiredInstance, rivals: Sequence[Entry]) -> FleetError:
        """The journal has the name for accounts that may be this one."""
        before = (
            f"The journal has {desired.name} for an account that may be the one of {desired}. Nothing was created or "
            "overwritten. "
        )
        if desired.account.name is None:
            return FleetError(
                "not_found", f"{before}Say which account this task is for, {_HOW_TO_NAME}. {_each(rivals, self._name)}"
            )
        cases = _each(rivals, lambda entry: f"if it is the same, {self._adopt(entry, desired.account.name)}")
        return FleetError(
            "not_found",
            f"{before}{cases}. If it is another account's, run that account's task first, with an account of its own, "
            f"or {_ANYWAY}",
        )

    def renamed(self, desired: DesiredInstance, rivals: Sequence[Entry]) -> FleetError:
        """The journal knows the task's token and address by another name of the account."""
        known = rivals[0].account
        cases = _each(rivals, lambda entry: self._adopt(entry, desired.account.name))
        return FleetError(
            "not_found",
            f"{desired} has the partner token and the address of account {known}, for which the journal has it. "
            f"Nothing was created or overwritten. One account has one name: give this task account {known}, or give "
            f"the instance the new name. {cases}",
        )

    def _name(self, entry: Entry) -> str:
        if entry.account:
            return f"if it is the same, set account: {entry.account}"
        return f"give its account a name: {self._adopt(entry, None)}"

    def _adopt(self, entry: Entry, account: str | None) -> str:
        command = self.commands.adopt_as(entry, account)
        if entry.instance_id:
            return f"run {command}"
        return f"look for it in the gateway's console and run this with its ID: {command}"


def _each(entries: Sequence[Entry], what_to_do: Callable[[Entry], str]) -> str:
    """Each of the first few entries with what to do about it."""
    return join_first([f"{_describe(entry)}: {what_to_do(entry)}" for entry in entries], _SHOWN, "; ")


def _describe(entry: Entry) -> str:
    what = f"Instance {entry.instance_id}" if entry.instance_id else f"The creation that is {entry.status}"
    whose = f"account {entry.account}" if entry.account else "no named account"
    where = f" at {entry.address}" if entry.address else ""
    return f"{what} of {entry.created_at}, {whose}{where}"
