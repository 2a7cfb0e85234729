# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand: what networks, gateways and vendors can do to a request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .clock import Clock
from .config import Option
from .errors import Invalid, Missing
from .fault_kinds import EARLY, KINDS, OVERLAYS, check_fault
from .fault_responses import substitute, transformed
from .messages import Call, Match, Response, Route


@dataclass(slots=True)
class Fault:
    """An armed fault.

    It fires for the next ``count`` matching requests (None: for all) after ``skip`` others. Numbers of requests:
    ``seen`` matched so far, for ``hits`` of them it fired, ``hanging`` are held at present.
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
        """The point of request or response at which a reset or close happens."""
        return str(self.options.get("at", "answer"))

    def fires_for(self, route: Route, call: Call) -> bool:
        """Return whether the fault fires for a request; count the request if it matches."""
        if not fnmatchcase(route.name, self.route) or (self.kind == "lag" and not route.creates):
            return False
        if self.match is not None and not any(
            self.match in text for text in (call.target, "/".join(call.segments), call.body.decode("utf-8", "replace"))
        ):
            return False
        return self.fires()

    def fires(self) -> bool:
        """Return whether the fault fires for a matching request or connection, and count it."""
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
    """The armed faults, in the order in which they were armed: the first that matches a request fires."""

    def __init__(self, clock: Clock, routes: Iterable[Route]) -> None:
        self._clock = clock
        self._routes = tuple(routes)
        # Guards the armed faults, and wakes the requests that they hold.
        self._changed = threading.Condition()
        self._faults: list[Fault] = []
        self._last_id = 0
        self._resets = 0
        # The faults that hold requests; some of them may be disarmed.
        self._hanging: list[Fault] = []

    def reset(self) -> None:
        """Disarm all faults; the requests that they hold end without a response."""
        with self._changed:
            self._faults.clear()
            self._resets += 1
            self._changed.notify_all()

    def release(self, id: str | None = None) -> int:
        """Resume the requests that faults hold, or those of one fault; return how many there are."""
        with self._changed:
            released = [fault for fault in self._hanging if id in (None, str(fault.id))]
            for fault in released:
                fault.releases += 1
            self._changed.notify_all()
            return len(released)

    def arm(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Arm a fault, and return it; raise Invalid if its route, kind or options are."""
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
            raise Invalid(
                "at: a new connection has no route and no text; arm this fault with the route * and without match"
            )
        with self._changed:
            self._last_id += 1
            fault = Fault(self._last_id, route, kind, count, skip, match, options)
            self._faults.append(fault)
            return fault.describe()

    def disarm(self, id: str | None = None) -> int:
        """Disarm one fault or all; return how many were disarmed."""
        with self._changed:
            kept = [fault for fault in self._faults if id is not None and str(fault.id) != id]
            disarmed = len(self._faults) - len(kept)
            self._faults = kept
        if id is not None and not disarmed:
            raise Missing(f"no fault {id}")
        return disarmed

    def describe(self) -> list[dict[str, Any]]:
        """Return the armed faults, including those that have fired ``count`` times."""
        with self._changed:
            return [fault.describe() for fault in self._faults]

    @property
    def any_early(self) -> bool:
        """Whether a fault is armed that fires before a request has been read."""
        return any(fault.at in EARLY for fault in self._faults)

    def take_connection(self) -> Fault | None:
        """Return the fault that fires for a new connection, if there is one."""
        with self._changed:
            return next((fault for fault in self._faults if fault.at == "connection" and fault.fires()), None)

    def take_early(self, route: Route, call: Call) -> Fault | None:
        """Return the fault that fires before the body of a request has been read, if there is one."""
        with self._changed:
            early = (fault for fault in self._faults if fault.at in EARLY and fault.at != "connection")
            return next((fault for fault in early if fault.fires_for(route, call)), None)

    def take(self, route: Route, call: Call) -> tuple[Fault | None, dict[str, Fault]]:
        """Return the fault that fires for a request, if there is one, and by kind the overlays that fire as well."""
        if not self._faults:
            return None, {}
        fired: dict[str, Fault] = {}
        with self._changed:
            for fault in self._faults:
                key = fault.kind if fault.kind in OVERLAYS else ""
                if key not in fired and fault.at not in EARLY and fault.fires_for(route, call):
                    fired[key] = fault
        return fired.pop("", None), fired

    def inform(self, fault: Fault, call: Call) -> bool:
        """Send the informational responses; return False if the emulator was reset meanwhile."""
        for status in fault.options["statuses"]:
            if self.pause(fault.options["seconds"], call) == "reset":
                return False
            call.inform(status)
        return self.pause(fault.options["pause"], call) == "over"

    def apply(self, fault: Fault, call: Call, match: Match, commit: Callable[[], Response]) -> Response:
        """Return the response that a fault makes; ``commit`` has the vendor's code handle the request."""
        options = fault.options
        # With `when: after` the request has its effect before the fault spoils the response.
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
        """Wait, and return why the wait ended.

        ``over``: the seconds are over. ``reset``: the emulator was reset; callers drop the request, which would
        otherwise change the data of the next test. With ``hanging`` also ``released``, and ``gone``: the client closed
        the connection.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            resets, releases = self._resets, hanging.releases if hanging else 0
            if hanging:
                hanging.hanging += 1
                self._hanging.append(hanging)
            try:
                while (left := deadline - time.monotonic()) > 0:
                    # Nothing notifies this thread when the client closes its connection: look twice a second.
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
