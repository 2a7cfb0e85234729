# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes in and what goes out."""

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
    """One request: the path split before it is decoded, so that a token may hold an encoded slash."""

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
        """The body as JSON; raises ValueError where it isn't JSON."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None

    def json_object(self) -> dict[str, Any] | None:
        """Return the body as a JSON object, or None where it is something else."""
        try:
            value = self.json
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


@dataclass(slots=True)
class Response:
    """One answer, and how it goes over the wire.

    ``abort`` ends the connection (``reset``: RST, ``close``: FIN), before anything is sent unless ``abort_at`` is a
    later place (``answer_head``, ``answer_body``, ``answer_end``). ``keep`` sends only that many bytes of the body that
    Content-Length promises. ``drip`` is (bytes at a time, seconds between).
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


def json_response(value: Any, status: int = 200, *headers: tuple[str, str], created: Any = None) -> Response:
    """Return an answer with a JSON body."""
    return Response(status, json.dumps(value).encode(), JSON_TYPE, list(headers), created=created)


def text_response(text: str, status: int = 200, content_type: str = TEXT_TYPE) -> Response:
    """Return an answer with a text body."""
    return Response(status, text.encode(), content_type)


@dataclass(frozen=True, slots=True)
class Route:
    """A named route of a vendor.

    ``writes``: whether it changes something at the vendor, whatever its verb. ``creates``: whether it makes an
    instance that listings will show.
    """

    name: str
    writes: bool = False
    creates: bool = False


@dataclass(slots=True)
class Match:
    """A request that found its route: ``act`` carries it out, ``secret`` is the credential that it carries."""

    route: Route
    act: Callable[[], Response]
    secret: str = ""
