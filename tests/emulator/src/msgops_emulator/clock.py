# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator's clock, by which trials, tokens, codes and schedules expire."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from typing import Any


class Clock:
    """The machine's time, which tests can move forward and stop. Times are seconds since the epoch, UTC."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Show the machine's time again, and run."""
        with self._lock:
            self._offset = 0.0
            self._frozen_at: float | None = None

    def now(self) -> float:
        """Return the current time."""
        frozen_at = self._frozen_at
        return time.time() + self._offset if frozen_at is None else frozen_at

    def advance(self, seconds: float) -> None:
        """Move forward; a stopped clock moves as well, and stays stopped."""
        with self._lock:
            if self._frozen_at is None:
                self._offset += seconds
            else:
                self._frozen_at += seconds

    def freeze(self, frozen: bool) -> None:
        """Stop the clock, or start it again from the time that it shows."""
        with self._lock:
            if frozen and self._frozen_at is None:
                self._frozen_at = time.time() + self._offset
            elif not frozen and self._frozen_at is not None:
                self._offset = self._frozen_at - time.time()
                self._frozen_at = None

    def describe(self) -> dict[str, Any]:
        """Return the clock as the control API shows it."""
        now = self.now()
        return {"now": now, "iso": utc(now).isoformat(), "frozen": self._frozen_at is not None}


def utc(seconds: float) -> datetime:
    """Return the UTC datetime of seconds since the epoch."""
    return datetime.fromtimestamp(seconds, timezone.utc)
