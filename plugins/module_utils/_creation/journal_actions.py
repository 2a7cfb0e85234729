# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions of the module creation_journal: listing entries, and recording what a person knows about them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .._common.errors import UsageError
from .._common.texts import join_first, one_line
from .._common.timestamps import utc_now
from .._journal.command_lines import JournalCommands
from .._journal.entries import OPEN, Entry, Memory, Use, normal_id
from .._journal.journal import Journal
from .._vendors.providers import PROVIDERS
from .credentials import CredentialsFile
from .credentials_content import credentials_key

Action = Literal["adopt", "discard", "forget"]

# Entries that a message shows.
_SHOWN = 3


@dataclass(frozen=True)
class EntryFilter:
    """Chooses entries. ``None`` matches any value."""

    operation_id: str | None = None
    provider: str | None = None
    name: str | None = None
    account: str | None = None
    status: Collection[str] | None = None

    def matches(self, entry: Entry) -> bool:
        """Whether the filter chooses the entry."""
        return (
            self.operation_id in (None, entry.operation_id)
            and self.provider in (None, entry.provider)
            and self.name in (None, entry.name)
            and self.account in (None, entry.account)
            and (not self.status or entry.status in self.status)
        )

    def __str__(self) -> str:
        if self.operation_id:
            return f"creation {self.operation_id}"
        return f"creation of {self.provider} {credentials_key(self.name or '', self.account)}"


def list_entries(journal: Journal, entries: EntryFilter) -> dict[str, Any]:
    """The module's result for the action list."""
    memory = journal.read()
    chosen = [entry for entry in memory.entries if entries.matches(entry)]
    return {
        "changed": False,
        "entries": [_as_result(entry, memory) for entry in chosen],
        "accounts": _accounts(memory.uses),
    }


@dataclass(frozen=True)
class EntryAction:
    """An action on the only entry that ``entries`` chooses.

    ``instance_id`` is, for adopt, the ID of the instance that the creation made; for forget, the one that the entry
    must have. ``account`` is the new name of the entry's account. Forget also removes the instance's entry from
    ``credentials_file``.
    """

    action: Action
    entries: EntryFilter
    instance_id: str | None = None
    account: str | None = None
    credentials_file: CredentialsFile | None = None

    def apply(self, journal: Journal, *, check_mode: bool) -> dict[str, Any]:
        """Change the entry, and return the module's result.

        :raises UsageError: if there isn't exactly one such entry, or the action isn't allowed for its status.
        """
        file = self.credentials_file
        memory, commands = journal.read(), JournalCommands(journal.location, file.path if file else None)
        before = self._find(memory, commands)
        if before is None:
            return {"changed": False, "entries": [], "diff": _diff(None, None)}
        after = self._after(before, commands)
        if after == before:
            return {"changed": False, "entries": [_as_result(before, memory)], "diff": _diff(before, before)}
        if not check_mode:
            with journal.locked([before.key]) as lease:
                if before not in lease.memory.entries:
                    raise UsageError(f"another run has just changed the entry of {before.name}; list the entries again")
                if after:
                    lease.record([after])
                else:
                    self._remove_credentials(before)
                    lease.forget(before)
        entries = [_as_result(after, memory)] if after else []
        return {"changed": True, "entries": entries, "diff": _diff(before, after)}

    def _remove_credentials(self, entry: Entry) -> None:
        if self.credentials_file and entry.instance_id:
            keys = {credentials_key(entry.name, account) for account in (entry.account, None)}
            self.credentials_file.remove(entry.provider, keys, entry.instance_id)

    def _find(self, memory: Memory, commands: JournalCommands) -> Entry | None:
        found = [entry for entry in memory.entries if self.entries.matches(entry)]
        if len(found) > 1:
            each = [f"{_describe_account(entry)}: {self._command(commands, entry)}" for entry in found]
            each_shown = join_first(each, _SHOWN, "; ")
            raise UsageError(f"there is more than one {self.entries}; run the one that is meant. {each_shown}")
        if not found and (self.action == "adopt" or self.entries.operation_id):
            raise UsageError(f"the journal has no {self.entries}; each creation has its own ID: list the entries again")
        return found[0] if found else None

    def _command(self, commands: JournalCommands, entry: Entry) -> str:
        if self.action == "adopt":
            return commands.adopt(dataclasses.replace(entry, instance_id=self.instance_id))
        return commands.discard(entry) if self.action == "discard" else commands.forget(entry)

    def _after(self, before: Entry, commands: JournalCommands) -> Entry | None:
        """The entry after the action; ``None`` if it is removed."""
        if self.action == "adopt":
            return self._adopted(before, commands)
        if self.action == "discard":
            return _discarded(before, commands)
        if normal_id(self.instance_id) != normal_id(before.instance_id):
            raise UsageError(
                f"{before.name} is forgotten only if instance_id is the one in the journal: "
                f"{before.instance_id or 'it has none, leave instance_id out'}"
            )
        return None

    def _adopted(self, before: Entry, commands: JournalCommands) -> Entry:
        named = dataclasses.replace(before, account=self.account or before.account)
        if before.instance_id == self.instance_id:
            return named
        # A run has seen the instance, so it has the spelling of the gateway's listing.
        if before.status == "delivered" and normal_id(before.instance_id) == normal_id(self.instance_id):
            return named
        if before.status == "delivered":
            raise UsageError(
                f"the creation of {before.name} isn't open: it is delivered, as {before.instance_id}. If that is "
                f"wrong, run {commands.forget(before)}; the next run then adopts what the account has, or creates it"
            )
        _check_id(before.provider, self.instance_id or "")
        return _changed(named, status="created", instance_id=self.instance_id)


def _discarded(before: Entry, commands: JournalCommands) -> Entry:
    if before.status not in (*OPEN, "rejected"):
        raise UsageError(
            f"the creation of {before.name} isn't open: it is {before.status}, as {before.instance_id}. If the "
            f"instance is gone, and the next run is to create one, run {commands.forget(before)}"
        )
    return before if before.status == "rejected" else _changed(before, status="rejected")


def _check_id(provider: str, instance_id: str) -> None:
    form = PROVIDERS[provider].id_form if provider in PROVIDERS else None
    if form and not form.pattern.fullmatch(instance_id):
        raise UsageError(f"instance_id {instance_id} is not one of {provider}: its IDs are {form.words}")


def _changed(entry: Entry, **changes: Any) -> Entry:
    return dataclasses.replace(entry, updated_at=utc_now(), **changes)


def _as_result(entry: Entry, memory: Memory) -> dict[str, Any]:
    """The entry as the module returns it."""
    tokens = {access.token for access in entry.accesses}
    seen = [u.last_seen for u in memory.uses if u.provider == entry.provider and u.access.token in tokens]
    return {
        "provider": entry.provider,
        "account": entry.account,
        "address": entry.address,
        "last_seen": max(seen, default=None),
        "name": entry.name,
        "status": entry.status,
        "id": entry.instance_id,
        "operation_id": entry.operation_id,
        "payload_hash": entry.payload_hash,
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
    }


def _accounts(uses: Collection[Use]) -> list[dict[str, Any]]:
    """The accounts that runs have used, by provider, name and address."""
    grouped: dict[tuple[str, str, str], list[Use]] = {}
    for use in uses:
        grouped.setdefault((use.provider, use.account or "", use.access.address), []).append(use)
    return [
        {
            "provider": provider,
            "account": account or None,
            "address": address,
            "tokens": len(same),
            "first_seen": min(use.first_seen for use in same),
            "last_seen": max(use.last_seen for use in same),
            "listed_at": max((use.listed_at for use in same if use.listed_at), default=None),
        }
        for (provider, account, address), same in sorted(grouped.items())
    ]


def _describe_account(entry: Entry) -> str:
    account = f"account {entry.account}" if entry.account else f"the account at {entry.address or 'an unknown address'}"
    return f"{account}, {entry.instance_id or entry.status}"


def _diff(before: Entry | None, after: Entry | None) -> Mapping[str, str]:
    def line(entry: Entry | None) -> str:
        if entry is None:
            return ""
        name = credentials_key(entry.name, entry.account)
        return one_line(f"{entry.provider} {name}: {entry.status} {entry.instance_id or ''}") + "\n"

    return {"before": line(before), "after": line(after), "before_header": "journal", "after_header": "journal"}
