# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that know whether any of a request has left, and answers that have an end and belong to their request.

urllib3 makes and keeps the connections; what it calls an error depends on its version and on proxies. So what has
happened is noted here, where bytes are handed to a socket.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import ipaddress
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

with contextlib.suppress(ImportError):  # the session tells
    import urllib3

# Ten thousand instances of a GREEN-API partner are listed in about 5 MB. It holds for what was compressed, too.
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
_MAX_HEADER_BYTES = 2**20
# What is read at once: it may grow a thousandfold when it is unpacked.
_CHUNK_SIZE = 8 * 1024
# Those that were asked for; urllib3 knows more, and any number of them one inside the other.
_ENCODINGS = ("gzip", "x-gzip", "deflate")
# Informational answers (RFC 9110, 15.2) before the answer; servers send one or two.
_MOST_INFORMATIONAL = 20
# Seconds after which a server may be about to close a connection that nobody uses; the shortest usual time is two.
_IDLE = 1.0


@dataclass
class Exchange:
    """A request on its way, and what is known of it. The answer is given up ``patience`` seconds from now.

    ``sent``: whether a byte of it may have left; what asks a proxy for a tunnel isn't of the request.
    ``tunnel_status``: what the proxy said to that.
    """

    patience: float
    writes: bool
    sent: bool = False
    tunnel_status: int | None = None

    def __post_init__(self) -> None:
        self.ends_at = time.monotonic() + self.patience


class _Current(threading.local):
    # A request is sent, and its answer read, by the thread that asks.
    exchange = Exchange(0.0, writes=False)


_current = _Current()


def begin(exchange: Exchange) -> None:
    """Whatever this thread sends from now on is of ``exchange``."""
    _current.exchange = exchange


def read(raw: Any) -> bytes:
    """The body of an answer, unpacked; no more of it than it takes to see that it is too long.

    In small pieces, because urllib3 unpacks all of what it reads at once (before version 2.6).
    """
    packed = raw.headers.get("Content-Encoding", "").lower() in _ENCODINGS
    content = bytearray()
    while len(content) <= MAX_RESPONSE_BYTES and (piece := raw.read(_CHUNK_SIZE, decode_content=packed)):
        content += piece
    if raw.length_remaining and len(content) <= MAX_RESPONSE_BYTES:
        raise urllib3.exceptions.ProtocolError  # urllib3 does so itself since version 2
    return bytes(content)


def watch(manager: Any) -> Any:
    """urllib3's pool manager, whose pools from now on have such connections."""
    manager.pool_classes_by_scheme = {
        scheme: _watched(pool_class) for scheme, pool_class in manager.pool_classes_by_scheme.items()
    }
    return manager


@functools.cache
def _watched(pool_class: Any) -> Any:
    if issubclass(pool_class, _Pool):
        return pool_class
    bases = (_Connection, pool_class.ConnectionCls)
    traits = {"response_class": _Response, "is_plain": pool_class.scheme == "http"}
    return type("_Pool", (_Pool, pool_class), {"ConnectionCls": type("_Connection", bases, traits)})


class _Pool:
    """Part of urllib3's pools: a write gets a connection that the server isn't about to close."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        if _current.exchange.writes and time.monotonic() - connection.used_at > _IDLE:
            connection.close()
            connection = self._new_conn()  # type: ignore[attr-defined]
        return connection

    def _put_conn(self, connection: Any) -> None:
        if connection:
            connection.used_at = time.monotonic()
        super()._put_conn(connection)  # type: ignore[misc]


class _Connection(http.client.HTTPConnection):
    """Part of urllib3's connections."""

    is_plain = False
    used_at = 0.0
    _is_connecting = False

    def connect(self) -> None:
        self._is_connecting = True
        try:
            super().connect()
        finally:
            self._is_connecting = False
        if self.is_plain and not _is_own(self.sock):
            # Names such as api.localhost are the machine's own by definition, but who knows who resolves them.
            self.close()
            raise NotLoopback

    def send(self, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()
        if self.sock is not None and not self._is_connecting:
            _current.exchange.sent = True
        super().send(data)


class NotLoopback(OSError):
    """Behind the address of an ``http://`` URL is another machine."""


def _is_own(sock: socket.socket) -> bool:
    return ipaddress.ip_address(sock.getpeername()[0].partition("%")[0]).is_loopback


class _Response(http.client.HTTPResponse):
    """An answer that is read through ``_Incoming``."""

    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp: Any = io.BufferedReader(_Incoming(self.fp.detach(), sock, _current.exchange.ends_at))

    def _read_status(self) -> tuple[str, int, str]:
        """The status line of the answer itself; http.client skips no informational one but 100, and any number.

        It asks for this one before anything else, of a tunnel as well.
        """
        for _informational in range(_MOST_INFORMATIONAL + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            # Nobody asked to switch protocols, and what comes then is no HTTP.
            if not 100 <= status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                break
            http.client.parse_headers(self.fp)
        if status < 200:
            raise http.client.BadStatusLine("informational")
        if not _current.exchange.sent:
            _current.exchange.tunnel_status = status
        return version, status, reason


class _Incoming(io.RawIOBase):
    """What comes from a socket, until it is too much or too late.

    A timeout of the socket bounds the gap between two bytes only, and http.client reads a chunk of a negative size
    until the connection ends.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, ends_at: float) -> None:
        self._raw = raw
        self._sock = sock
        self._ends_at = ends_at
        self._room = MAX_RESPONSE_BYTES + _MAX_HEADER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        gap = self._sock.gettimeout()
        if gap is None or left < gap:
            self._sock.settimeout(left)
        if self._room <= 0:
            return 0
        count = self._raw.readinto(buffer)
        self._room -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
