# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a task that changes settings, and its warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._common.texts import join_first, join_groups
from .._fleet import outcome
from .._fleet.watching import Returned
from .progress import SettingsProgress


def report(instances: Sequence[SettingsProgress], returned: Returned = "all") -> dict[str, Any]:
    """The module's result."""
    lines = [pair for instance in instances for pair in instance.lines()]
    return outcome.report(
        instances,
        changed=any(i.sent_at or i.action in ("applied", "would_apply") for i in instances),
        before="".join(before for before, _after in lines),
        after="".join(after for _before, after in lines),
        done="given their settings",
        returned=returned,
    )


def warnings(instances: Sequence[SettingsProgress]) -> list[str]:
    """What a person should know, although nothing failed."""
    moved = [(key, i.target.name_or_id) for i in instances for key in i.moved]
    resumed = [i.target.name_or_id for i in instances if i.resend_at]
    unreadable = [(key, i.target.name_or_id) for i in instances if i.error is None for key in i.unreadable]
    found = []
    if unreadable:
        found.append(
            f"settings that the gateway doesn't tell were written once, and not read: {join_groups(unreadable)}"
        )
    if moved:
        found.append(f"settings that the task doesn't name have changed meanwhile: {join_groups(moved)}")
    if resumed:
        found.append(
            "an earlier task sent these settings, or was about to, and didn't see them applied; they are not sent "
            f"again while the gateway may still show them: {join_first(resumed, 10)}"
        )
    return found
