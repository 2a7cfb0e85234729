# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decoding and encoding of bodies: JSON, as the vendors send it and as they expect it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from .messages import EMPTY, Effect, Request, Response
from .sizes import NONE, Size

_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.ASCII | re.IGNORECASE)
# An escaped surrogate. A lone one is valid JSON, but can't be written to a file or a database.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

# The digits of a number: more than any has that a vendor means.
_MAX_DIGITS = 400


def encode_body(body: Any) -> bytes:
    """Return the bytes of a request's body; a signature of the request covers the same bytes."""
    return json.dumps(body).encode()


def parse_response(request: Request, status: int, headers: Mapping[str, str], content: bytearray) -> Response:
    """Parse the response to ``request``, whatever its content is. One that is larger than it may be isn't parsed."""
    content_type = headers.get("Content-Type", "")
    media_type = re.sub(r"[^\w.+/-]", "", content_type.split(";")[0]) or "no content type"
    most = request.size.for_status(status)
    if len(content) > most.bytes:
        return Response(request, status, headers, None, False, f"more than {most}")
    try:
        text = _decode(content, content_type, request.effect)
        measured = Size.measured(content, text)
        if excess := most.excess(measured, text):
            return Response(request, status, headers, None, False, excess)
        body, is_json, size = _parse(text), True, measured
    except (ValueError, RecursionError):
        body, is_json, size = None, False, NONE
    description = f"no JSON ({media_type}, {len(content)} bytes)" if content else EMPTY
    # A short text may be the vendor's own message; an HTML page comes from a proxy or a web server.
    is_text = not is_json and len(content) <= 1000 and not content.lstrip().startswith(b"<")
    text = content.decode(errors="replace").strip() if is_text else ""
    return Response(request, status, headers, body, is_json, description, text, size)


def _decode(content: bytearray, content_type: str, effect: Effect) -> str:
    """Decode ``content`` as Unicode, as JSON requires, or else in the charset that the response declares.

    In this order, because a server may declare a charset by habit and still send Unicode, while text in another charset
    is hardly ever valid UTF-8. A write's response can't be requested again, so it is decoded in any case: U+FFFD
    replaces what is invalid, and the rest of the response, such as a token, is kept.

    :raises ValueError: if the response to a read is neither.
    """
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        declared = _CHARSET.search(content_type)
    try:
        return content.decode(declared[1] if declared else encoding)
    except (LookupError, ValueError):
        if effect is Effect.READS:
            raise ValueError("no text") from None
        return content.decode(encoding, errors="replace")


def _parse(text: str) -> Any:
    """Parse JSON whose texts and numbers can be written to a file, to a database and as JSON again.

    :raises ValueError: for what isn't JSON; so are NaN and Infinity, which Python's parser accepts by default.
    :raises RecursionError: for what is nested too deep.
    """
    body = _JSON.decode(text)
    if _SURROGATE.search(text):
        # Encoding joins the two surrogates of a character, and replaces a lone one by a question mark.
        body = json.loads(json.dumps(body, ensure_ascii=False).encode(errors="replace"))
    return body


def _whole(number: str) -> int:
    # Python reads a number of n digits in n * n steps, unless its own limit of 4,300 digits is in force.
    if len(number) > _MAX_DIGITS:
        raise ValueError("no number of JSON")
    return int(number)


def _finite(number: str) -> float:
    value = float(number)
    if len(number) > _MAX_DIGITS or not math.isfinite(value):
        raise ValueError("no number of JSON")
    return value


_JSON = json.JSONDecoder(parse_constant=_finite, parse_float=_finite, parse_int=_whole)
