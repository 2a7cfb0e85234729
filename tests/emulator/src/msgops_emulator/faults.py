# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand: what networks, gateways and vendors do to a request."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from werkzeug.http import http_date

from .clock import Clock
from .config import Invalid, Missing, Option, check_options
from .green_api import quota_answer
from .iam import iam_error
from .koophone import throttled
from .messages import JSON_TYPE, Answer, Call, Match, Route, json_answer, text_answer

HTML = """<html>
<head><title>502 Bad Gateway</title></head>
<body>
<center><h1>502 Bad Gateway</h1></center>
<hr><center>nginx</center>
</body>
</html>
"""

_BEFORE = Option("before", "Whether it strikes before or after the request has had its effect.", ("before", "after"))
_AFTER = Option("after", _BEFORE.help, ("before", "after"))
_RETRY_AFTER = {
    "retry_after": Option(
        "none",
        "Form of the Retry-After header: none, seconds, an HTTP date, or nonsense.",
        ("none", "seconds", "date", "nonsense"),
    ),
    "seconds": Option(1.0, "What Retry-After says, in seconds from now."),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault and its options."""

    help: str
    options: Mapping[str, Option] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    "throttle": Kind("429 in the vendor's form; nothing happens.", _RETRY_AFTER),
    "status": Kind(
        "Any status and body.",
        {
            "status": Option(500, "HTTP status."),
            "body": Option(None, 'A string as it is, anything else as JSON; null: `{"error": ...}`.', anything=True),
            "content_type": Option(JSON_TYPE, "Content-Type."),
            "echo_secret": Option(
                False,
                "Repeat the request's token: in place of `{secret}`, `{encoded_secret}` and `{path}` in the body.",
            ),
            "when": _BEFORE,
            **_RETRY_AFTER,
        },
    ),
    "quota": Kind(
        "GREEN-API's 466; nothing happens.",
        {"kind": Option("invokeStatus", "Which limit.", ("invokeStatus", "correspondentsStatus"))},
    ),
    "bad_gateway": Kind("502 with a gateway's HTML page.", {"when": _BEFORE}),
    "client_closed": Kind("499 without a body.", {"when": _BEFORE}),
    "slow": Kind(
        "The right answer, late or in drops.",
        {
            "seconds": Option(1.0, "Seconds of delay."),
            "drip": Option(0, "Bytes of the body at a time; 0: all at once."),
            "interval": Option(0.1, "Seconds before each drop."),
            "when": _BEFORE,
        },
    ),
    "hang": Kind(
        "No answer until the fault is released (then the right one), or the emulator is reset (then never).",
        {"cap": Option(600.0, "Seconds until the connection is closed anyway."), "when": _BEFORE},
    ),
    "reset": Kind("The connection ends with RST.", {"when": _BEFORE}),
    "close": Kind("The connection ends with FIN, without an answer.", {"when": _BEFORE}),
    "truncate": Kind(
        "The right answer, cut off: Content-Length promises more.",
        {"keep": Option(0.5, "Share of the body that is sent.")},
    ),
    "garbage": Kind(
        "An answer that can't be read.",
        {
            "kind": Option(
                "not_json", "What it is.", ("not_json", "html", "binary", "empty", "huge", "deep", "wrong_type")
            ),
            "megabytes": Option(16, "Size of `huge`."),
            "depth": Option(100000, "Depth of `deep`."),
            "status": Option(200, "HTTP status."),
            "when": _AFTER,
        },
    ),
    "redirect": Kind(
        "A redirect to another path or host.",
        {
            "location": Option("/elsewhere{path}", "Location; `{path}` is the request's own, with its query."),
            "status": Option(302, "HTTP status.", (301, 302, 303, 307, 308)),
            "when": _BEFORE,
        },
    ),
    "lag": Kind(
        "The instance that the request creates stays out of listings for a time.",
        {
            "seconds": Option(0.0, "Seconds until listings show it."),
            "listings": Option(0, "Number of listings that don't show it."),
        },
    ),
}


@dataclass(slots=True)
class Fault:
    """An armed fault. ``seen``: requests that fitted so far; ``hits``: those that it struck."""

    id: int
    route: str
    kind: str
    count: int | None
    skip: int
    match: str | None
    options: dict[str, Any]
    seen: int = 0
    hits: int = 0

    def strikes(self, route: Route, call: Call) -> bool:
        """Count a request if it fits, and return whether the fault strikes it."""
        if self.count is not None and self.hits >= self.count:
            return False
        if not fnmatchcase(route.name, self.route) or (self.kind == "lag" and not route.creates):
            return False
        if self.match is not None and not any(
            self.match in text for text in (call.target, "/".join(call.segments), call.body.decode("utf-8", "replace"))
        ):
            return False
        self.seen += 1
        if self.seen <= self.skip:
            return False
        self.hits += 1
        return True

    def describe(self) -> dict[str, Any]:
        described = {key: getattr(self, key) for key in self.__dataclass_fields__}
        described["fault"] = described.pop("kind")
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
        self._releases = 0
        self._resets = 0
        self._hanging = 0

    def reset(self) -> None:
        """Disarm all; requests that hang end without an answer."""
        with self._changed:
            self._faults.clear()
            self._resets += 1
            self._changed.notify_all()

    def release(self) -> int:
        """Let all hanging requests go on; return how many there are."""
        with self._changed:
            self._releases += 1
            self._changed.notify_all()
            return self._hanging

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
        given = check_options(wanted.get("options") or {}, KINDS[kind].options)
        options = {key: given.get(key, option.default) for key, option in KINDS[kind].options.items()}
        if "status" in options and not 200 <= options["status"] <= 599:
            raise Invalid(f"status: {options['status']} is not from 200 to 599")
        count = Option(1, "", nullable=True).check("count", wanted.get("count", 1))
        skip = Option(0, "").check("skip", wanted.get("skip", 0))
        match = wanted.get("match")
        if match is not None and not isinstance(match, str):
            raise Invalid(f"match: {match!r} is not a string")
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

    def take(self, route: Route, call: Call) -> tuple[Fault | None, Fault | None]:
        """Return the fault that strikes a request, and the lag for what it creates."""
        if not self._faults:
            return None, None
        struck: dict[bool, Fault] = {}
        with self._changed:
            for fault in self._faults:
                lags = fault.kind == "lag"
                if lags not in struck and fault.strikes(route, call):
                    struck[lags] = fault
        return struck.get(False), struck.get(True)

    def apply(self, fault: Fault, call: Call, match: Match, commit: Callable[[], Answer]) -> Answer:
        """Return the answer of a request that a fault strikes; ``commit`` carries the request out."""
        options = fault.options
        # Only a fault that strikes afterwards lets the request have its effect first.
        done = commit() if options.get("when") == "after" else None
        if fault.kind in ("slow", "hang"):
            hang = fault.kind == "hang"
            ended = self.pause(options["cap" if hang else "seconds"], call, hang=hang)
            if ended != ("released" if hang else "over"):
                return Answer(0, abort="close")
            answer = done or commit()
            if options.get("drip"):
                answer.drip = (options["drip"], options["interval"])
            return answer
        if fault.kind == "truncate":
            answer = commit()
            answer.keep = min(int(len(answer.body) * options["keep"]), max(len(answer.body) - 1, 0))
            return answer
        if fault.kind in ("reset", "close"):
            return Answer(0, abort=fault.kind)
        answer = self._substitute(fault, call, match)
        answer.headers += self._retry_after(options)
        return answer

    def pause(self, seconds: float, call: Call, *, hang: bool = False) -> str:
        """Wait; return what ended it: ``over``, ``reset``, or for what hangs ``released`` or ``gone`` (the client).

        What goes on after a reset would change the world of the next test, so callers drop the request then.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            releases, resets = self._releases, self._resets
            self._hanging += hang
            try:
                while (left := deadline - time.monotonic()) > 0:
                    # A client's going wakes nobody, so look for it from time to time.
                    self._changed.wait(min(left, 0.5) if hang else left)
                    if resets != self._resets:
                        return "reset"
                    if hang and call.gone():
                        return "gone"
                    if hang and releases != self._releases:
                        return "released"
            finally:
                self._hanging -= hang
        return "over"

    def _substitute(self, fault: Fault, call: Call, match: Match) -> Answer:
        """Return the answer that stands in for the right one."""
        options = fault.options
        vendor = match.route.name.partition(".")[0]
        if fault.kind == "throttle":
            return _throttled(vendor)
        if fault.kind == "quota":
            return quota_answer(options["kind"])
        if fault.kind == "bad_gateway":
            return text_answer(HTML, 502, "text/html")
        if fault.kind == "client_closed":
            return Answer(499)
        if fault.kind == "redirect":
            location = options["location"].replace("{path}", call.target)
            return Answer(options["status"], headers=[("Location", location)])
        if fault.kind == "garbage":
            return _garbage(options, match.route)
        return Answer(options["status"], _body(options, call, match.secret), options["content_type"])

    def _retry_after(self, options: Mapping[str, Any]) -> list[tuple[str, str]]:
        form = options.get("retry_after", "none")
        if form == "none":
            return []
        if form == "nonsense":
            return [("Retry-After", "in a while")]
        seconds = math.ceil(options["seconds"])
        return [("Retry-After", str(seconds) if form == "seconds" else http_date(self._clock.now() + seconds))]


def _throttled(vendor: str) -> Answer:
    text = "Too Many Requests"
    if vendor == "koophone":
        return throttled()
    if vendor == "iam":
        return iam_error(429, text)
    return json_answer({"error": text}, 429) if vendor == "plugzapi" else text_answer(text, 429)


def _body(options: Mapping[str, Any], call: Call, secret: str) -> bytes:
    body = options["body"]
    if body is None:
        body = {"error": "{secret} not allowed" if options["echo_secret"] else f"status {options['status']}"}
    text = body if isinstance(body, str) else json.dumps(body)
    if options["echo_secret"]:
        for name, value in (
            ("{encoded_secret}", quote(secret, safe="")),
            ("{secret}", secret if isinstance(body, str) else json.dumps(secret)[1:-1]),
            ("{path}", call.target),
        ):
            text = text.replace(name, value)
    return text.encode()


def _garbage(options: Mapping[str, Any], route: Route) -> Answer:
    kind, status = options["kind"], options["status"]
    if kind == "html":
        return text_answer("<!DOCTYPE html><title>Sign in to the network</title>", status, "text/html")
    if kind == "wrong_type":
        # An object for who expects a list, a list for who expects an object.
        return json_answer({"instances": 1} if route.name == "green_api.list" else [1, "two", None], status)
    if kind == "huge":
        return Answer(status, b'{"padding": "' + b"x" * (options["megabytes"] << 20) + b'"}')
    if kind == "deep":
        return Answer(status, b"[" * options["depth"] + b"]" * options["depth"])
    return Answer(status, {"binary": bytes(range(256)) * 4, "empty": b""}.get(kind, b'{"stateInstance": "author'))
