# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests, responses and routes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from werkzeug.datastructures import Headers
from werkzeug.sansio.request import Request

JSON_TYPE = "application/json;charset=UTF-8"
TEXT_TYPE = "text/plain;charset=UTF-8"


class Call(Request):
    """One request that came in.

    ``segments`` is its path, split before it is decoded, so that a token may hold an encoded slash. ``gone`` returns
    whether the client has closed the connection, ``inform`` sends an informational response.
    """

    def __init__(
        self,
        method: str,
        target: str,
        headers: Headers,
        body: bytes = b"",
        *,
        prefix: str = "",
        gone: Callable[[], bool] = lambda: False,
        inform: Callable[[int], None] = lambda status: None,
    ) -> None:
        path, _mark, query = target.partition("?")
        super().__init__(method, "http", None, "", path, query.encode("latin-1"), headers, None)
        self.target = target
        self.body = body
        self.gone = gone
        self.inform = inform
        if prefix and path.startswith(f"/{prefix}/"):
            path = path[len(prefix) + 1 :]
        self.segments = tuple(unquote(segment) for segment in path.split("/")[1:])

    @cached_property
    def json(self) -> Any:
        """The parsed body; raises ValueError if it isn't JSON."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None

    def json_object(self) -> dict[str, Any] | None:
        """Return the body if it is a JSON object, otherwise None."""
        try:
            value = self.json
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class Flood:
    """Bytes in place of a response: ``start``, and then ``piece`` so many ``times``."""

    start: bytes
    piece: bytes
    times: int


@dataclass(slots=True)
class Response:
    """One response, and how the server sends it.

    ``abort`` ends the connection (``reset``: RST, ``close``: FIN), before the first byte or at a later point
    (``abort_at``: ``answer_head``, ``answer_body``, ``answer_end``). ``keep``: send only so many bytes of the body,
    fewer than Content-Length announces. ``drip``: send the body in pieces; (bytes of a piece, seconds before it).
    ``created``: the instance that the request has created. ``flood``: what is sent instead, to the connection's end.
    """

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: list[tuple[str, str]] = field(default_factory=list)
    abort: str | None = None
    abort_at: str = "answer"
    keep: int | None = None
    drip: tuple[int, float] | None = None
    created: Any = None
    flood: Flood | None = None


def json_response(value: Any, status: int = 200, *headers: tuple[str, str], created: Any = None) -> Response:
    """Return a response with a JSON body."""
    return Response(status, json.dumps(value).encode(), JSON_TYPE, list(headers), created=created)


def text_response(text: str, status: int = 200, content_type: str = TEXT_TYPE) -> Response:
    """Return a response with a text body."""
    return Response(status, text.encode(), content_type)


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a vendor's API.

    ``writes``: whether it changes something at the vendor, even by GET. ``creates``: whether it creates an instance.
    """

    name: str
    writes: bool = False
    creates: bool = False


@dataclass(slots=True)
class Match:
    """The route of a request, its handler, and the secret that authenticates it."""

    route: Route
    handler: Callable[[], Response]
    secret: str = ""
