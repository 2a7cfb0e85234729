# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One instance on its way to its settings: what it should have, what it had, what was sent, and what is shown."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .._common.errors import FleetError
from .._common.secret_index import MASK
from .._common.urls import shown_url
from .._fleet.outcome import Outcome
from .._http.transport import RequestBudget
from .._vendors.gateway import Setting

Action = Literal["unchanged", "applied", "would_apply", "unverified", "failed", "unknown"]


@dataclass(kw_only=True)
class SettingsProgress(Outcome[Action]):
    """One instance; ``desired`` are the settings that the task names, as the gateway has them.

    ``before`` and ``current`` are the first and the last reading, ``changes`` the settings that differ and are written.
    ``unreadable`` are those that the gateway doesn't tell. ``doubt`` is the error that leaves open whether a request
    arrived, ``failure`` is why the requests after those that were sent weren't carried out. If an earlier task has sent
    changes, the gateway must show them by ``resend_at``. A gateway that has refused changes because the instance was
    starting must take them by ``take_by``. ``was_read_back`` tells whether the settings were read since changes were
    sent. Times are those of ``time.monotonic()``; no request is sent before ``next_at``.
    """

    desired: Mapping[str, Any] = field(repr=False)
    action: Action = "unchanged"
    before: Mapping[str, Any] | None = field(default=None, repr=False)
    current: Mapping[str, Any] = field(default_factory=dict, repr=False)
    changes: dict[str, Any] = field(default_factory=dict, repr=False)
    unreadable: frozenset[str] = frozenset()
    sent: list[str] = field(default_factory=list)
    sent_at: float | None = None
    doubt: FleetError | None = None
    failure: FleetError | None = None
    resend_at: float | None = None
    take_by: float | None = None
    was_read_back: bool = False
    next_at: float = 0.0
    budget: RequestBudget = field(default_factory=RequestBudget)

    @property
    def is_postponed(self) -> bool:
        """Whether nothing was sent because the instance is starting."""
        return self.take_by is not None and not (self.is_over or self.sent or self.doubt or self.failure)

    @property
    def has_work(self) -> bool:
        """Whether there is something to send, or something sent whose effect isn't known."""
        return not self.is_over and bool(self.changes)

    @property
    def missing(self) -> list[str]:
        """The settings that the gateway tells, and that aren't as the task wants them."""
        return [
            key for key, value in self.desired.items() if key not in self.unreadable and self.current.get(key) != value
        ]

    @property
    def moved(self) -> list[str]:
        """Settings that the task doesn't name, and whose value was another one in the first reading."""
        before = self.before or {}
        return sorted(
            key
            for key in before.keys() & self.current.keys()
            if key not in self.desired and before[key] != self.current[key]
        )

    @property
    def after(self) -> Mapping[str, Any]:
        """The settings as they are now, or as a task that isn't in check mode would leave them."""
        return {**self.current, **self.changes} if self.action == "would_apply" else self.current

    def read(self) -> None:
        """Read its settings.

        :raises FleetError: if they can't be read.
        """
        gateway, credentials = self.gateway, self.target.credentials
        self.next_at = time.monotonic() + 1.0
        self.current = gateway.read_settings(credentials, self.desired.keys(), self.budget)
        if self.before is None:
            self.before = self.current

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        return super().as_result() | {
            "changed_keys": sorted(self.changes),
            "before": self._shown(self.before or {}),
            "after": self._shown(self.after),
        }

    def lines(self) -> Iterator[tuple[str, str]]:
        """The lines of the diff for each setting that differs, before and after."""
        before = self.before or {}
        for key in sorted(self.changes):
            old, new = (self._value(key, values.get(key)) for values in (before, self.changes))
            yield self.line(f"{key}: {old}"), self.line(f"{key}: {new}{' (changed)' if old == new else ''}")

    def _shown(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self._value(key, values.get(key)) for key in self.desired}

    def _value(self, key: str, value: Any) -> Any:
        setting: Setting = self.gateway.settings[key]
        if not isinstance(value, str) or not value:
            return value
        return MASK if setting.is_secret else shown_url(value) if setting.is_url else value
