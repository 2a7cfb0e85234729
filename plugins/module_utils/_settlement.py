# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person knows about creations whose outcome is open, written to the journal."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ._errors import UsageError
from ._journal import OPEN, Entry, Journal, Status


@dataclass(frozen=True)
class Selection:
    """Which entries; ``None`` means any."""

    provider: str | None
    name: str | None
    account: str | None
    status: Collection[str] | None

    def matches(self, entry: Entry) -> bool:
        """Whether the entry is one of them."""
        return (
            self.provider in (None, entry.key.provider)
            and self.name in (None, entry.key.name)
            and self.account in (None, entry.key.account)
            and (not self.status or entry.status in self.status)
        )


def list_entries(journal: Journal, selection: Selection) -> dict[str, Any]:
    """The module's result for the action list."""
    chosen = [entry for entry in journal.entries() if selection.matches(entry)]
    return {"changed": False, "entries": [entry.as_result() for entry in chosen]}


def settle(journal: Journal, selection: Selection, instance_id: str | None, *, check_mode: bool) -> dict[str, Any]:
    """The module's result for the actions adopt (with ``instance_id``) and discard (without).

    :raises UsageError: if there isn't exactly one such entry, or its outcome isn't open.
    """
    before = _the_one(journal, selection)
    if before is None and instance_id is None:
        return {"changed": False, "entries": [], "diff": _diff(None, None)}
    if before is None:
        raise UsageError(f"the journal {journal.name} has no creation of {selection.provider} {selection.name}")
    status: Status = "created" if instance_id else "rejected"
    if _is_settled_so(before, instance_id):
        return {"changed": False, "entries": [before.as_result()], "diff": _diff(before, before)}
    if before.status not in OPEN:
        known = f"as {before.instance_id}" if before.instance_id else "without an instance"
        raise UsageError(f"the creation of {before.key.name} isn't open: it is {before.status}, {known}")
    if check_mode:
        after = dataclasses.replace(before, status=status, instance_id=instance_id)
    else:
        with journal.locked([before.key]) as lease:
            if lease.entries.get(before.key) != before:
                raise UsageError(f"another run has just worked on {before.key.name}; look at the journal again")
            lease.settle({before.key: (status, instance_id)})
            after = lease.entries[before.key]
    return {"changed": True, "entries": [after.as_result()], "diff": _diff(before, after)}


def _the_one(journal: Journal, selection: Selection) -> Entry | None:
    found = [entry for entry in journal.entries() if selection.matches(entry)]
    if len(found) > 1:
        accounts = ", ".join(entry.key.account for entry in found)
        raise UsageError(
            f"several accounts of {selection.provider} have {selection.name}: give account, one of {accounts}"
        )
    return found[0] if found else None


def _is_settled_so(entry: Entry, instance_id: str | None) -> bool:
    if instance_id is None:
        return entry.status == "rejected"
    return entry.status in ("created", "delivered") and entry.instance_id == instance_id


def _diff(before: Entry | None, after: Entry | None) -> dict[str, str]:
    def line(entry: Entry | None) -> str:
        if entry is None:
            return ""
        return f"{entry.key.provider} {entry.key.name}: {entry.status} {entry.instance_id or ''}".rstrip() + "\n"

    return {"before": line(before), "after": line(after), "before_header": "journal", "after_header": "journal"}
