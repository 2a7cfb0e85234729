# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Responses that cost a careless client much memory or time."""

from __future__ import annotations

import functools
import threading
import zlib
from collections.abc import Iterator

from .messages import Flood, Response

_PIECE = 1 << 16

# Start, repeated part and end of a body.
_BODIES = {
    "values": (b"[", b"[],", b"0]"),
    "objects": (b"[", b'{"a":{}},', b"0]"),
    "levels": (b"", b"[", b""),
    "digits": (b"", b"9", b""),
    "key": (b'{"', b"k", b'": 0}'),
    "escapes": (b'{"code": 400, "description": "', b"%252525", b'"}'),
    "surrogates": (b'["', b"\\ud800", b'"]'),
}
_STATUS_LINE = b"HTTP/1.1 %d Whatever\r\n"
_CHUNKED = _STATUS_LINE + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
# Start and repeated part of what is around a body.
_FLOODS = {
    "informational": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    "headers": (_STATUS_LINE, b"X: x\r\n"),
    "header": (_STATUS_LINE + b"X: ", b"x"),
    "cookies": (_STATUS_LINE, b"Set-Cookie: a=b; Path=/\r\n"),
    "chunks": (_CHUNKED, b"1\r\n \r\n"),
    "extension": (_CHUNKED + b"1;", b"x"),
    "trailers": (_CHUNKED + b"0\r\n", b"X: x\r\n"),
}
BOMBS = (*_BODIES, *_FLOODS)
# Many requests get the same body, which one of them makes.
_making = threading.Lock()


def bomb(kind: str, status: int, megabytes: int, encoding: str) -> Response:
    """Return the response; ``encoding`` is that of a body, which is compressed for each gzip in it."""
    if kind in _FLOODS:
        start, part = _FLOODS[kind]
        pieces = _PIECE // len(part)
        return Response(status, flood=Flood(start.replace(b"%d", b"%d" % status), part * pieces, megabytes * 16))
    headers = [("Content-Encoding", encoding)] if encoding else []
    with _making:
        body = _body(kind, megabytes, encoding.count("gzip"))
    return Response(status, body, headers=headers)


@functools.lru_cache(maxsize=8)
def _body(kind: str, megabytes: int, layers: int) -> bytes:
    start, part, end = _BODIES[kind]
    pieces: Iterator[bytes] = iter([start, *[part * (_PIECE // len(part))] * (megabytes * 16), end])
    for _layer in range(layers):
        pieces = _compressed(pieces)
    return b"".join(pieces)


def _compressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
