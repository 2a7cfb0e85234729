# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits on the number of requests a second."""

from __future__ import annotations


class RateLimit:
    """A token bucket: it holds ``rate`` tokens, at least one, and ``rate`` tokens a second are added to it."""

    # Accept requests that come some milliseconds early: clients pace themselves by clocks of their own.
    TOLERANCE = 0.05

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._left = max(rate, 1.0)
        self._at = now

    def take(self, now: float) -> bool:
        """Take a token for one request; return False where the limit is exceeded. ``now``: seconds since the epoch."""
        self._left = min(max(self.rate, 1.0), self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1 - self.TOLERANCE:
            return False
        self._left -= 1
        return True
