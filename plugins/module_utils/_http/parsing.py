# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the bytes of an answer to JSON, and from JSON to the bytes of a request."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from . import connection
from .messages import Effect, Request, Response

_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.ASCII | re.IGNORECASE)
# Half a character, which JSON can spell, but neither a file nor a database can hold.
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


def encode_body(body: Any) -> bytes:
    """A request's body as it is sent, for those who sign it."""
    return json.dumps(body).encode()


def parse_response(request: Request, status: int, headers: Mapping[str, str], content: bytes) -> Response:
    """The answer to ``request``, whatever its content is."""
    content_type = headers.get("Content-Type", "")
    media_type = re.sub(r"[^\w.+/-]", "", content_type.split(";")[0]) or "no content type"
    if len(content) > connection.MAX_RESPONSE_BYTES:
        description = f"more than {connection.MAX_RESPONSE_BYTES // 2**20} MiB"
        return Response(request, status, headers, None, False, description)
    try:
        body, is_json = _parse(_decode(content, content_type, request.effect)), True
    except (ValueError, RecursionError):
        body, is_json = None, False
    description = f"no JSON ({media_type}, {len(content)} bytes)" if content else "empty"
    # A short text is what the vendor says, a page isn't.
    is_text = not is_json and len(content) <= 1000 and not content.lstrip().startswith(b"<")
    text = content.decode(errors="replace").strip() if is_text else ""
    return Response(request, status, headers, body, is_json, description, text)


def _decode(content: bytes, content_type: str, effect: Effect) -> str:
    """The text of ``content``: Unicode, as JSON is, else in the charset that the answer declares.

    In this order, because RFC 8259 knows no charsets: a server that declares one by habit sends Unicode all the same,
    and text in another charset is no Unicode but by rare accident. Of what a write answers, which comes only once,
    characters that can't be read are U+FFFD, so that the others aren't lost.

    :raises ValueError: if it is neither.
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
    """The JSON in ``text``: text and numbers that a file, a database and JSON itself can hold.

    :raises ValueError: also for what only Python takes for a number.
    :raises RecursionError: for what nests too deep.
    """
    body = _JSON.decode(text)
    if _HALF_CHARACTER.search(text):
        # A pair of halves is a character; a half alone becomes a question mark.
        body = json.loads(json.dumps(body, ensure_ascii=False).encode(errors="replace"))
    return body


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("no number of JSON")
    return value


_JSON = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)
