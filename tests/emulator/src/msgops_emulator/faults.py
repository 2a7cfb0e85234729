# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand: what networks, gateways and vendors do to a request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .clock import Clock
from .config import Invalid, Missing, Option
from .fault_kinds import EARLY, KINDS, OVERLAYS, check_fault
from .messages import Call, Match, Response, Route
from .stand_ins import substitute, transformed


@dataclass(slots=True)
class Fault:
    """An armed fault.

    ``seen``: requests that fitted so far; ``hits``: those that it struck; ``hanging``: those that hang now.
    """

    id: int
    route: str
    kind: str
    count: int | None
    skip: int
    match: str | None
    options: dict[str, Any]
    seen: int = 0
    hits: int = 0
    hanging: int = 0
    releases: int = 0

    @property
    def at(self) -> str:
        """The place at which it strikes."""
        return str(self.options.get("at", "answer"))

    def strikes(self, route: Route, call: Call) -> bool:
        """Count a request if it fits, and return whether the fault strikes it."""
        if not fnmatchcase(route.name, self.route) or (self.kind == "lag" and not route.creates):
            return False
        if self.match is not None and not any(
            self.match in text for text in (call.target, "/".join(call.segments), call.body.decode("utf-8", "replace"))
        ):
            return False
        return self.fits()

    def fits(self) -> bool:
        """Count what fits, and return whether the fault strikes it."""
        if self.count is not None and self.hits >= self.count:
            return False
        self.seen += 1
        if self.seen <= self.skip:
            return False
        self.hits += 1
        return True

    def describe(self) -> dict[str, Any]:
        described = {key: getattr(self, key) for key in self.__dataclass_fields__}
        described["fault"] = described.pop("kind")
        del described["releases"]
        return described


class Faults:
    """The armed faults, in the order in which they were armed: the first that fits a request strikes it."""

    def __init__(self, clock: Clock, routes: Iterable[Route]) -> None:
        self._clock = clock
        self._routes = tuple(routes)
        # Guards what is armed, and wakes requests that wait.
        self._changed = threading.Condition()
        self._faults: list[Fault] = []
        self._last_id = 0
        self._resets = 0
        # Those that hang, some of which may have been disarmed.
        self._hanging: list[Fault] = []

    def reset(self) -> None:
        """Disarm all; requests that hang end without an answer."""
        with self._changed:
            self._faults.clear()
            self._resets += 1
            self._changed.notify_all()

    def release(self, id: str | None = None) -> int:
        """Let the requests go on that hang, all or those of one fault; return how many there are."""
        with self._changed:
            released = [fault for fault in self._hanging if id in (None, str(fault.id))]
            for fault in released:
                fault.releases += 1
            self._changed.notify_all()
            return len(released)

    def arm(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Arm a fault; raise Invalid for what can't be."""
        for key in wanted:
            if key not in ("route", "fault", "count", "skip", "match", "options"):
                raise Invalid(f"{key}: not one of route, fault, count, skip, match, options")
        route = wanted.get("route")
        names = [known.name for known in self._routes]
        if not isinstance(route, str) or not any(fnmatchcase(name, route) for name in names):
            raise Invalid(f"route: {route!r} is no route; there are *, {', '.join(names)}")
        kind = wanted.get("fault")
        if kind not in KINDS:
            raise Invalid(f"fault: {kind!r} is not one of {', '.join(KINDS)}")
        if kind == "lag" and not any(known.creates and fnmatchcase(known.name, route) for known in self._routes):
            raise Invalid(f"route: lag is for routes that create, and {route} does not")
        options = check_fault(kind, wanted.get("options") or {})
        count = Option(1, "", nullable=True).check("count", wanted.get("count", 1))
        skip = Option(0, "").check("skip", wanted.get("skip", 0))
        match = wanted.get("match")
        if match is not None and not isinstance(match, str):
            raise Invalid(f"match: {match!r} is not a string")
        if options.get("at") == "connection" and (route != "*" or match is not None):
            raise Invalid("at: a connection has no route and no text yet; arm it with the route * and without match")
        with self._changed:
            self._last_id += 1
            fault = Fault(self._last_id, route, kind, count, skip, match, options)
            self._faults.append(fault)
            return fault.describe()

    def disarm(self, id: str | None = None) -> int:
        """Disarm one fault or all; return how many."""
        with self._changed:
            kept = [fault for fault in self._faults if id is not None and str(fault.id) != id]
            disarmed = len(self._faults) - len(kept)
            self._faults = kept
        if id is not None and not disarmed:
            raise Missing(f"no fault {id}")
        return disarmed

    def describe(self) -> list[dict[str, Any]]:
        """Return the faults armed, those that have struck as often as they should included."""
        with self._changed:
            return [fault.describe() for fault in self._faults]

    @property
    def any_early(self) -> bool:
        """Whether any fault is armed that strikes before a request is here."""
        return any(fault.at in EARLY for fault in self._faults)

    def take_connection(self) -> Fault | None:
        """Return the fault that strikes a new connection."""
        with self._changed:
            return next((fault for fault in self._faults if fault.at == "connection" and fault.fits()), None)

    def take_early(self, route: Route, call: Call) -> Fault | None:
        """Return the fault that strikes a request before its body is here."""
        with self._changed:
            early = (fault for fault in self._faults if fault.at in EARLY and fault.at != "connection")
            return next((fault for fault in early if fault.strikes(route, call)), None)

    def take(self, route: Route, call: Call) -> tuple[Fault | None, dict[str, Fault]]:
        """Return the fault that strikes a request that is here, and those on top of it by kind."""
        if not self._faults:
            return None, {}
        struck: dict[str, Fault] = {}
        with self._changed:
            for fault in self._faults:
                place = fault.kind if fault.kind in OVERLAYS else ""
                if place not in struck and fault.at not in EARLY and fault.strikes(route, call):
                    struck[place] = fault
        return struck.pop("", None), struck

    def inform(self, fault: Fault, call: Call) -> bool:
        """Send the informational answers; return whether the request goes on."""
        for status in fault.options["statuses"]:
            if self.pause(fault.options["seconds"], call) == "reset":
                return False
            call.inform(status)
        return self.pause(fault.options["pause"], call) == "over"

    def apply(self, fault: Fault, call: Call, match: Match, commit: Callable[[], Response]) -> Response:
        """Return the answer of a request that a fault strikes; ``commit`` carries the request out."""
        options = fault.options
        # Only a fault that strikes afterwards lets the request have its effect first.
        done = commit() if options.get("when") == "after" else None
        if fault.kind in ("slow", "hang"):
            hang = fault.kind == "hang"
            ended = self.pause(options["cap" if hang else "seconds"], call, hanging=fault if hang else None)
            if ended != ("released" if hang else "over"):
                return Response(0, abort="close")
            response = done or commit()
            if options.get("drip"):
                response.drip = (options["drip"], options["interval"])
            return response
        if fault.kind in ("truncate", "charset", "nulls"):
            return transformed(fault.kind, options, commit())
        if fault.kind in ("reset", "close"):
            if fault.at == "answer":
                return Response(0, abort=fault.kind)
            response = done or commit()
            response.abort, response.abort_at = fault.kind, fault.at
            return response
        return substitute(fault.kind, options, call, match, self._clock.now())

    def pause(self, seconds: float, call: Call, *, hanging: Fault | None = None) -> str:
        """Wait; return what ended it: ``over``, ``reset``, or for what hangs ``released`` or ``gone`` (the client).

        What goes on after a reset would change the world of the next test, so callers drop the request then.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            resets, releases = self._resets, hanging.releases if hanging else 0
            if hanging:
                hanging.hanging += 1
                self._hanging.append(hanging)
            try:
                while (left := deadline - time.monotonic()) > 0:
                    # A client's going wakes nobody, so look for it from time to time.
                    self._changed.wait(min(left, 0.5) if hanging else left)
                    if resets != self._resets:
                        return "reset"
                    if hanging and call.gone():
                        return "gone"
                    if hanging and releases != hanging.releases:
                        return "released"
            finally:
                if hanging:
                    hanging.hanging -= 1
                    self._hanging.remove(hanging)
        return "over"
