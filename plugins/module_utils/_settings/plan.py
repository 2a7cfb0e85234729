# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about each instance: its settings and the journal are read before anything is sent or written."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .._common.errors import Delivery, FleetError, UsageError
from .._common.limits import Limit
from .._common.polling import poll
from .._fleet.outcome import within
from .._journal.changes import Change, ChangeJournal, fingerprint
from .progress import SettingsProgress

OnUnreadable = Literal["fail", "apply"]


@dataclass(frozen=True)
class SettingsPolicy:
    """How a task changes settings; times in seconds.

    :raises UsageError: if a time isn't a usable number of seconds.
    """

    max_restarting: Limit
    max_changes: Limit | None = None
    verify: bool = True
    verify_timeout: float = 330.0
    verify_interval: float = 10.0
    on_unreadable: OnUnreadable = "fail"

    def __post_init__(self) -> None:
        if not 0 < self.verify_timeout < float("inf"):
            raise UsageError("verify_timeout must be a number of seconds above 0")
        if not 0 < self.verify_interval < float("inf"):
            raise UsageError("verify_interval must be a number of seconds above 0")

    @property
    def pace(self) -> float:
        """Seconds between two requests for an instance: GREEN-API allows one a second."""
        return min(1.0, self.verify_interval)


def part(key: str) -> str:
    """The name of a setting in the journal of changes."""
    return f"setting {key}"


def setting_fingerprint(instance: SettingsProgress, value: Any) -> str:
    """The fingerprint of a setting's value. The journal doesn't have its key, which is the instance's token."""
    return fingerprint(json.dumps(value), instance.target.credentials.token)


def make_plan(
    instances: Sequence[SettingsProgress], policy: SettingsPolicy, journal: ChangeJournal, *, concurrency: int
) -> None:
    """Read all settings, and set what is to change. An instance that can't be read fails, the others don't.

    :raises JournalError: if the journal can't be read.
    """
    poll(instances, _read, workers=concurrency)
    readable = [instance for instance in instances if not instance.is_over]
    recorded = journal.read(instance.identity for instance in readable)
    for instance in readable:
        _plan(instance, policy, recorded.get(instance.identity, {}))
    within([instance for instance in instances if instance.has_work], policy.max_changes, len(instances))


def _read(instance: SettingsProgress) -> bool:
    if instance.target.is_created:
        try:
            instance.read()
        except FleetError as error:
            instance.end("failed", error)
    else:
        instance.end("unchanged")
    return True


def _plan(instance: SettingsProgress, policy: SettingsPolicy, recorded: Mapping[str, Change]) -> None:
    instance.unreadable = frozenset(instance.desired.keys() - instance.current.keys())
    if instance.unreadable and policy.on_unreadable == "fail":
        names = ", ".join(sorted(instance.unreadable))
        instance.end(
            "failed",
            FleetError(
                "vendor",
                f"the gateway doesn't tell {names}, so nothing was changed; leave these settings out, or write them "
                "unread with on_unreadable: apply",
                delivery=Delivery.NOT_SENT,
                cause="not readable",
            ),
        )
        return
    for key, value in instance.desired.items():
        change = recorded.get(part(key))
        is_same = change is not None and change.fingerprint == setting_fingerprint(instance, value)
        if key in instance.unreadable:
            if not (change and is_same and change.status == "done"):
                instance.changes[key] = value
        elif instance.current[key] != value:
            instance.changes[key] = value
            lag = instance.gateway.settings_lag
            if change and is_same and change.status == "pending" and change.age < lag:
                # The gateway may show it later: sending it again now would only restart the instance.
                instance.sent.append(key)
                instance.resend_at = max(instance.resend_at or 0.0, time.monotonic() + lag - change.age)
