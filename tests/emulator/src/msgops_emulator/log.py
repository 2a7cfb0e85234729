# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log of the newest requests."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import Invalid
from .messages import Call, Route

MAX_BODY = 16384  # bytes


@dataclass(slots=True)
class Entry:
    """One request.

    ``time`` is by the emulator's clock, in seconds since the epoch; ``monotonic_ms`` by the machine's monotonic clock.
    ``status`` is None until a response is sent. ``committed``: whether the vendor's code has handled the request.
    """

    seq: int
    time: float
    monotonic_ms: float
    vendor: str
    route: str
    writes: bool
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: str
    status: int | None = None
    fault: str | None = None
    committed: bool = False

    def describe(self) -> dict[str, Any]:
        entry = {key: getattr(self, key) for key in self.__dataclass_fields__}
        entry["headers"] = dict(self.headers)
        return entry


class Log:
    """The newest ``capacity`` requests, in the order in which they came in."""

    def __init__(self, capacity: int) -> None:
        self._lock = threading.Lock()
        self._seq = 0
        self._entries: deque[Entry] = deque(maxlen=capacity)

    def resize(self, capacity: int) -> None:
        """Change the capacity; the newest entries stay."""
        with self._lock:
            if capacity != self._entries.maxlen:
                self._entries = deque(self._entries, maxlen=capacity)

    def clear(self) -> None:
        """Delete all entries; the next one has the next ``seq``."""
        with self._lock:
            self._entries.clear()

    def add(self, call: Call, route: Route, now: float) -> Entry:
        """Add a request as it comes in."""
        body = call.body[:MAX_BODY].decode("utf-8", "replace")
        with self._lock:
            self._seq += 1
            entry = Entry(
                seq=self._seq,
                time=now,
                monotonic_ms=time.monotonic() * 1000,
                vendor=route.name.partition(".")[0],
                route=route.name,
                writes=route.writes,
                method=call.method,
                path=call.target,
                headers=call.headers.to_wsgi_list(),
                body=body,
            )
            self._entries.append(entry)
        return entry

    def latest(self, number: int) -> list[Entry]:
        """Return the newest entries, newest first."""
        with self._lock:
            return [entry for entry, _index in zip(reversed(self._entries), range(number), strict=False)]

    def describe(self, filters: Mapping[str, str]) -> dict[str, Any]:
        """Return the entries that match all filters, and their number by route; raise Invalid for an unknown filter."""
        with self._lock:
            entries, last = list(self._entries), self._seq
        chosen = list(_filtered(entries, filters))
        counts = Counter(entry.route for entry in chosen)
        if "limit" in filters:
            chosen = chosen[-_number("limit", filters["limit"]) :]
        return {
            "last": last,
            "total": counts.total(),
            "counts": dict(counts),
            "entries": [entry.describe() for entry in chosen],
        }


def _filtered(entries: list[Entry], filters: Mapping[str, str]) -> Iterator[Entry]:
    wanted = dict(filters)
    wanted.pop("limit", None)
    since = _number("since", wanted.pop("since", "0"))
    match = wanted.pop("match", "")
    for key in wanted:
        if key not in ("route", "vendor", "method", "writes", "committed", "status", "fault"):
            raise Invalid(f"{key}: no such filter of the log")
    for entry in entries:
        if entry.seq <= since or (match and match not in entry.path and match not in entry.body):
            continue
        if all(_text(getattr(entry, key)) == value for key, value in wanted.items()):
            yield entry


def _number(key: str, text: str) -> int:
    if not text.isdecimal():
        raise Invalid(f"{key}: {text!r} is not a number")
    return int(text)


def _text(value: object) -> str:
    """Return a value as it is written in a query string."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
