# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast one gateway is asked: less while it throttles, and more again once it doesn't."""

from __future__ import annotations

import threading
import time

from .retries import Backoff


class Pace:
    """Turns to send requests to one gateway, at most ``most`` at once, shared by all threads.

    A throttled request halves the number of turns, and any other answer adds one. Requests of the same turn count once,
    because they were sent before the first of them was throttled. Once two requests in a row were throttled, it isn't
    one instance's limit: then nothing is sent before a pause, which grows while the gateway goes on throttling. After
    ``patience`` seconds of that, a request that would have to wait is given up instead.
    """

    def __init__(self, most: int, patience: float, backoff: Backoff) -> None:
        self._most = most
        self._patience = max(patience, backoff.longest)
        self._backoff = backoff
        self._changed = threading.Condition()
        self._allowed = most
        self._under_way = 0
        self._lowered_at = float("-inf")
        self._not_before = float("-inf")
        # Since the last answer that wasn't throttled: requests, rounds of requests, and when the first one was.
        self._refused = 0
        self._rounds = 0
        self._refused_since = float("inf")

    def wait_for_turn(self, until: float) -> float | None:
        """Return the time of a turn, which ``end_turn`` must end; ``None`` if there is none before ``until``.

        Times are of ``time.monotonic()``.
        """
        while True:
            with self._changed:
                now = time.monotonic()
                pause = self._not_before - now
                if pause <= 0 and self._under_way < self._allowed:
                    self._under_way += 1
                    return now
                left = min(until, self._refused_since + self._patience) - now
                if left <= max(pause, 0.0):
                    return None
                if pause <= 0:
                    self._changed.wait(min(left, threading.TIMEOUT_MAX))
            if pause > 0:
                time.sleep(pause)

    def end_turn(self, began: float, *, throttled: bool | None) -> None:
        """End the turn that began at ``began``: whether it was ``throttled``, ``None`` if there was no answer."""
        with self._changed:
            self._under_way -= 1
            if throttled:
                self._slow_down(began, time.monotonic())
            elif throttled is not None:
                self._refused = self._rounds = 0
                self._refused_since = float("inf")
                self._allowed = min(self._most, self._allowed + 1)
            self._changed.notify_all()

    def _slow_down(self, began: float, now: float) -> None:
        self._refused += 1
        self._refused_since = min(self._refused_since, now)
        if began > self._lowered_at:
            self._allowed = max(1, self._allowed // 2)
            self._lowered_at = now
            self._rounds += 1
        if self._refused > 1:
            self._not_before = self._lowered_at + self._backoff.grown(self._rounds - 1)
