# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What instances and cloud phones have in common: a state that changes as the emulator's clock moves on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .accounts import Account


@dataclass(slots=True)
class Stateful:
    """Something with a state; ``pending`` holds the planned changes as (time, state), sorted by time."""

    account: Account
    name: str
    state: Any
    created: float
    pending: list[tuple[float, Any]] = field(default_factory=list)

    def advance_to(self, now: float) -> Any:
        """Make the changes that were planned until now; return the state. ``now``: seconds since the epoch."""
        while self.pending and self.pending[0][0] <= now:
            self.state = self.pending.pop(0)[1]
        return self.state

    def become(self, state: Any, pending: list[tuple[float, Any]] | None = None) -> None:
        """Change the state now, and replace all planned changes by ``pending``."""
        self.state = state
        self.pending = sorted(pending or [], key=lambda change: change[0])
