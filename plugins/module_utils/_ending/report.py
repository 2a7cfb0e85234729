# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a task that ends instances, and its warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._fleet import outcome
from .plan import Deletion


def report(deletions: Sequence[Deletion]) -> dict[str, Any]:
    """The module's result."""
    return outcome.report(
        deletions,
        changed=any(one.sent or one.is_cleaned or one.action == "would_delete" for one in deletions),
        before="".join(one.line(one.before or "gone") for one in deletions),
        after="".join(one.line("gone" if _ends(one) else one.state) for one in deletions),
        done="deleted",
    )


def warnings(deletions: Sequence[Deletion]) -> list[str]:
    """What a person should know, although nothing failed."""
    return [
        f"{one.target.label} isn't deleted yet: {one.reason}. The gateway ends it by itself, or the same task does "
        f"later{_due(one)}"
        for one in deletions
        if one.action == "draining"
    ]


def _ends(deletion: Deletion) -> bool:
    return deletion.is_gone or deletion.action == "would_delete"


def _due(deletion: Deletion) -> str:
    return f"; it is due on {deletion.listed.due}" if deletion.listed and deletion.listed.due else ""
