# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The responses that faults send instead of the normal one, or make of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from werkzeug.http import http_date

from .bombs import bomb
from .green_api import quota_response
from .iam import iam_error
from .koophone import throttled
from .messages import Call, Match, Response, Route, json_response, text_response

HTML = """<html>
<head><title>502 Bad Gateway</title></head>
<body>
<center><h1>502 Bad Gateway</h1></center>
<hr><center>nginx</center>
</body>
</html>
"""


def substitute(kind: str, options: Mapping[str, Any], call: Call, match: Match, now: float) -> Response:
    """Return the response that a kind of fault sends instead of the normal one."""
    response = _substitute(kind, options, call, match)
    response.headers += _retry_after(options, now)
    return response


def transformed(kind: str, options: Mapping[str, Any], response: Response) -> Response:
    """Return the normal response, changed by a kind of fault."""
    if kind == "truncate":
        response.keep = min(int(len(response.body) * options["keep"]), max(len(response.body) - 1, 0))
        return response
    value = json.loads(response.body)
    if kind == "charset":
        response.body = _encoded(value, options["charset"], options["message"])
        response.content_type = f"application/json;charset={options['charset']}"
    else:
        _put_nulls(value, options["key"], options["items"] or math.inf)
        response.body = json.dumps(value).encode()
    return response


def _substitute(kind: str, options: Mapping[str, Any], call: Call, match: Match) -> Response:
    vendor = match.route.name.partition(".")[0]
    if kind == "throttle":
        return _throttled(vendor)
    if kind == "quota":
        return quota_response(options["kind"])
    if kind == "bad_gateway":
        return text_response(HTML, 502, "text/html")
    if kind == "client_closed":
        return Response(499)
    if kind == "redirect":
        location = options["location"].replace("{path}", call.target)
        return Response(options["status"], headers=[("Location", location)])
    if kind == "garbage":
        return _garbage(options, match.route)
    if kind == "bomb":
        return bomb(options["kind"], options["status"], options["megabytes"], options["encoding"])
    return Response(options["status"], _body(options, call, match.secret), options["content_type"])


def _retry_after(options: Mapping[str, Any], now: float) -> list[tuple[str, str]]:
    form = options.get("retry_after", "none")
    if form == "none":
        return []
    if form == "nonsense":
        return [("Retry-After", "in a while")]
    seconds = math.ceil(options["seconds"])
    return [("Retry-After", str(seconds) if form == "seconds" else http_date(now + seconds))]


def _throttled(vendor: str) -> Response:
    text = "Too Many Requests"
    if vendor == "koophone":
        return throttled()
    if vendor == "iam":
        return iam_error(429, text)
    return json_response({"error": text}, 429) if vendor == "plugzapi" else text_response(text, 429)


def _body(options: Mapping[str, Any], call: Call, secret: str) -> bytes:
    body = options["body"]
    if body is None:
        body = {"error": "{secret} not allowed" if options["echo_secret"] else f"status {options['status']}"}
    text = body if isinstance(body, str) else json.dumps(body)
    if options["echo_secret"]:
        spellings = {
            "secret": secret,
            "secret_start": secret[: len(secret) // 2],
            "secret_end": secret[len(secret) // 2 :],
            "capital_secret": secret.upper(),
            "split_secret": "\u200b".join(secret),
            "wrapped_secret": "\n".join(secret),
        }
        if not isinstance(body, str):
            spellings = {name: json.dumps(value)[1:-1] for name, value in spellings.items()}
        for name, value in {**spellings, "encoded_secret": quote(secret, safe=""), "path": call.target}.items():
            text = text.replace(f"{{{name}}}", value)
    return text.encode()


def _garbage(options: Mapping[str, Any], route: Route) -> Response:
    kind, status = options["kind"], options["status"]
    if kind == "html":
        return text_response("<!DOCTYPE html><title>Sign in to the network</title>", status, "text/html")
    if kind == "wrong_type":
        # An object where the client expects a list, and the reverse.
        return json_response({"instances": 1} if route.name == "green_api.list" else [1, "two", None], status)
    if kind == "huge":
        return Response(status, b'{"padding": "' + b"x" * (options["megabytes"] << 20) + b'"}')
    if kind == "deep":
        return Response(status, b"[" * options["depth"] + b"]" * options["depth"])
    return Response(status, {"binary": bytes(range(256)) * 4, "empty": b""}.get(kind, b'{"stateInstance": "author'))


def _encoded(value: Any, charset: str, message: str) -> bytes:
    """Return JSON in an encoding; an object gets ``message``, unless it has one."""
    if isinstance(value, dict):
        value.setdefault("message", message)

    def spelled(character: str) -> str:
        try:
            character.encode(charset)
        except UnicodeEncodeError:
            return json.dumps(character)[1:-1]
        return character

    return "".join(map(spelled, json.dumps(value, ensure_ascii=False))).encode(charset)


def _put_nulls(value: Any, key: str, number: float) -> float:
    """Set the first ``number`` fields with that key to null; return how many more are to be set."""
    if isinstance(value, dict) and key in value and number > 0:
        value[key] = None
        number -= 1
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        number = _put_nulls(child, key, number)
    return number
