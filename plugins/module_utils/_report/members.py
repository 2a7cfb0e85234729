# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances and phones of a fleet, as they were read."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .._common.errors import UsageError
from .._common.phone_states import OTHER, PHONE_STATUSES
from .._common.states import STATES, Health, health_for, remedy_for
from .._common.timestamps import parse_time

Kind = Literal["instance", "phone"]

Condition = Literal["ready", "transient", "action_required", "degraded", "failed", "unknown", "unreadable"]
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
    (when the paid time ends) and ``observed_at`` are in ISO 8601.
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
        return health_for(self.state if self.state in STATES else None)

    @property
    def condition(self) -> Condition:
        """The health, or that the member could not be read."""
        return "unreadable" if self.state is None else self.health

    @property
    def remedy(self) -> str:
        """What to do about the state. For a member that could not be read, the error says what to do."""
        if self.state is None:
            return "see why it could not be read"
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
    """A member made of a row that instance_state returned; ``account``, ``host`` and ``due`` may have been added.

    :raises UsageError: if the row has no id; ``where`` names the row.
    """
    return Member(
        kind="instance",
        provider=str(row.get("provider") or "unknown"),
        id=_parse_id(row, "id", where),
        **_texts(row, "account", "name", "host", "state", "vendor_state", "due", "observed_at"),
        error=_parse_error(row),
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
    )


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
