# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator without its server: it makes the response to a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .clock import Clock
from .config import Config
from .control import ROOT, ControlApi
from .faults import Fault, Faults
from .green_api import GreenApi
from .iam import Iam
from .koophone import KooPhone
from .log import Log
from .messages import Call, Match, Response, Route, text_response
from .page import page_response
from .plugzapi import PlugzApi
from .seeding import seed
from .world import World

UNKNOWN = Route("unknown")


class Application:
    """The emulator's data, the vendors' APIs on it, the control API, the faults and the log.

    It starts with ``config`` and ``seeds``, and a reset restores them.
    """

    def __init__(self, config: Mapping[str, Any] | None = None, seeds: Mapping[str, Any] | None = None) -> None:
        self.config = Config(config)
        self.clock = Clock()
        self.world = World(self.config, self.clock)
        self.log = Log(self.config["server.log_entries"])
        self._vendors = (GreenApi(self.world), PlugzApi(self.world), KooPhone(self.world), Iam(self.world))
        self.routes = tuple(route for vendor in self._vendors for route in vendor.routes)
        self.faults = Faults(self.clock, self.routes)
        self.control = ControlApi(self)
        self._seeds = seeds or {}
        seed(self.world, self._seeds)

    def reset(self, config: Mapping[str, Any] | None = None) -> None:
        """Restore the config and the data of the start; then set ``config``."""
        with self.world.lock:
            self.config.reset()
            self.configure(config or {})
            self.faults.reset()
            self.clock.reset()
            self.world.reset()
            seed(self.world, self._seeds)
            self.log.clear()

    def configure(self, values: Mapping[str, Any]) -> None:
        """Set config keys."""
        self.config.update(values)
        self.log.resize(self.config["server.log_entries"])

    def response(self, call: Call) -> Response:
        """Return the response to a request."""
        first = call.segments[0]
        if first == ROOT:
            return self.control.response(call)
        if call.path == "/" and call.method in ("GET", "HEAD"):
            return page_response(self.routes)
        match = self._match(call)
        self.clock.advance(self.config["server.step_seconds"])
        entry = self.log.add(call, match.route, self.clock.now())
        fault, overlays = self.faults.take(match.route, call)
        lag, informational = overlays.get("lag"), overlays.get("informational")
        entry.fault = fault.kind if fault else next(iter(overlays), None)
        latency = self.config[f"{entry.vendor}.latency_seconds"] if match.route is not UNKNOWN else 0
        if latency and self.faults.pause(latency, call) == "reset":
            return Response(0, abort="close")

        if informational and not self.faults.inform(informational, call):
            return Response(0, abort="close")

        def commit() -> Response:
            with self.world.lock:
                response = match.handler()
                if lag and response.created is not None:
                    self.world.delay_listing(response.created, lag.options["seconds"], lag.options["listings"])
            entry.committed = True
            return response

        response = self.faults.apply(fault, call, match, commit) if fault else commit()
        entry.status = None if response.abort and response.abort_at == "answer" else response.status
        return response

    def fault_before_body(self, call: Call) -> Fault | None:
        """Return the fault that ends the connection before a request has been read, if there is one."""
        if not self.faults.any_early or call.segments[0] == ROOT:
            return None
        match = self._match(call)
        fault = self.faults.take_early(match.route, call)
        if fault is not None:
            self.log.add(call, match.route, self.clock.now()).fault = fault.kind
        return fault

    def _match(self, call: Call) -> Match:
        for vendor in self._vendors:
            match = vendor.match(call)
            if match is not None:
                return match
        return Match(UNKNOWN, lambda: text_response("Not Found", 404))
