# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances and phones of a fleet, as they were read."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .._common.errors import UsageError
from .._common.phone_states import OTHER, PHONE_STATUSES
from .._common.states import STATES, Health, health_for, remedy_for
from .._common.timestamps import parse_time

Kind = Literal["instance", "phone"]

Condition = Literal["ready", "transient", "action_required", "degraded", "failed", "unknown", "unreadable"]
DRIFT_REMEDY = "apply its settings with instance_settings, or declare them as they are"
# From the worst to the best.
CONDITIONS: tuple[Condition, ...] = (
    "failed",
    "degraded",
    "action_required",
    "unreadable",
    "unknown",
    "transient",
    "ready",
)


@dataclass(frozen=True)
class Member:
    """An instance or a phone of the fleet, as it was read.

    ``account`` is the user's name for its account, ``host`` its name in the inventory. ``state`` is the state of an
    instance or the status name of a phone. It is ``None`` if it could not be read, which ``error`` explains. ``due``
    (when the paid time ends) and ``observed_at`` are in ISO 8601. ``drifted`` are the settings that differ from those
    that a task names; ``None`` if they weren't compared.
    """

    kind: Kind
    provider: str
    id: str
    account: str | None = None
    name: str | None = None
    host: str | None = None
    state: str | None = None
    vendor_state: str | None = None
    due: str | None = None
    observed_at: str | None = None
    error: Mapping[str, Any] | None = None
    drifted: tuple[str, ...] | None = None

    @property
    def is_read(self) -> bool:
        """Whether all that a task has tried to read of it was read: its state, its settings, or both."""
        if self.drifted is None:
            return self.state is not None
        return bool(self.drifted) or self.error is None

    @property
    def word(self) -> str:
        """The state in a word; for a member of which only the settings were read, whether they differ."""
        return self.state or (("drifted" if self.drifted else "as declared") if self.is_read else "unreadable")

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the member within its account."""
        return (self.kind, self.provider, self.id)

    @property
    def label(self) -> str:
        """The account, the name and the ID, as messages show them: ``retail/shop (1101000001)``."""
        name = self.name or self.host
        label = f"{name} ({self.id})" if name and name != self.id else self.id
        return f"{self.account}/{label}" if self.account else label

    @property
    def health(self) -> Health:
        """What kind of attention the member needs."""
        if self.kind == "phone":
            return PHONE_STATUSES[self.state].health if self.state in PHONE_STATUSES else "unknown"
        if self.state is None and self.is_read:
            return "degraded" if self.drifted else "ready"
        return health_for(self.state if self.state in STATES else None)

    @property
    def condition(self) -> Condition:
        """The health, or that the member could not be read."""
        return self.health if self.is_read else "unreadable"

    @property
    def remedy(self) -> str:
        """What to do about the state. For a member that could not be read, the error says what to do."""
        if self.state is None:
            return DRIFT_REMEDY if self.is_read else "see why it could not be read"
        if self.kind == "phone":
            return PHONE_STATUSES[self.state if self.state in PHONE_STATUSES else OTHER].remedy
        return remedy_for(self.state if self.state in STATES else None)

    @property
    def due_at(self) -> datetime.datetime | None:
        """When the paid time ends; ``None`` if that is unknown, or isn't in ISO 8601."""
        try:
            return parse_time(self.due) if self.due else None
        except ValueError:
            return None


def instance_member(row: Mapping[str, Any], where: str) -> Member:
    """A member made of a row that instance_state or instance_settings returned.

    ``account``, ``host`` and ``due`` may have been added.

    :raises UsageError: if the row has no id; ``where`` names the row.
    """
    if row.get("trial_ends_at"):  # the gateway deletes it then
        row = {**row, "due": row["trial_ends_at"]}
    return Member(
        kind="instance",
        provider=str(row.get("provider") or "unknown"),
        id=_parse_id(row, "id", where),
        **_texts(row, "account", "name", "host", "state", "vendor_state", "due", "observed_at"),
        error=_parse_error(row),
        drifted=_drift(row),
    )


def phone_member(row: Mapping[str, Any], where: str) -> Member:
    """A member made of a row that cloudphone_status returned; other fields may have been added.

    :raises UsageError: if the row has no instance_id; ``where`` names the row.
    """
    status = row.get("status")
    return Member(
        kind="phone",
        provider="koophone",
        id=_parse_id(row, "instance_id", where),
        state=None if row.get("status_name") is None else str(row["status_name"]),
        vendor_state=None if status is None else str(status),
        **_texts(row, "account", "name", "host", "due", "observed_at"),
        error=_parse_error(row),
    )


def parse_member(row: Mapping[str, Any]) -> Member:
    """A member of an earlier report's JSON.

    :raises KeyError: if the row lacks what every member has.
    """
    return Member(
        kind="phone" if row["kind"] == "phone" else "instance",
        provider=str(row["provider"]),
        id=str(row["id"]),
        **_texts(row, "account", "name", "host", "state", "vendor_state", "due", "observed_at"),
        error=_parse_error(row),
        drifted=None if row.get("drifted") is None else tuple(map(str, row["drifted"])),
    )


def _drift(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The settings that differ in a row of instance_settings. What it has applied differs no more."""
    keys = row.get("changed_keys")
    if not isinstance(keys, Sequence) or isinstance(keys, str):
        return None
    return () if row.get("action") == "applied" else tuple(map(str, keys))


def _texts(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: None if row.get(name) is None else str(row[name]) for name in names}


def _parse_id(row: Mapping[str, Any], name: str, where: str) -> str:
    if row.get(name) in (None, ""):
        raise UsageError(f"{where} has no {name}")
    return str(row[name])


def _parse_error(row: Mapping[str, Any]) -> dict[str, Any] | None:
    error = row.get("error")
    if not error:
        return None
    return {
        "code": str(error.get("code")),
        "message": str(error.get("message")),
        "retryable": bool(error.get("retryable")),
    }
