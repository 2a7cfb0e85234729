# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that extends the internals of http.client, urllib3 and requests; ``units-3.10-2.16`` tests it with the oldest.

urllib3 opens and keeps the connections. Which exception it raises depends on its version and on proxies, so it is no
proof of what was sent. The connections here record instead, in an ``Exchange``, when a byte of a request is handed to a
socket. They also bound a response: its headers, its body before and after decompression, and the time that it takes.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import http.client
import io
import ipaddress
import os
import socket
import threading
import time
import zlib
from dataclasses import dataclass
from typing import Any

from .._common.resources import is_for_files, is_scarce
from .sizes import FIELDS, KIB, Size

# Bytes to read at once.
_CHUNK_SIZE = 16 * KIB
# The encoding that a request accepts. A body in another one, or in several inside one another, stays as it is.
_GZIP = ("gzip", "x-gzip")
_GZIP_FORMAT = 16 + zlib.MAX_WBITS
# Informational responses (RFC 9110, 15.2) before the final one; servers send one or two.
_MAX_INFORMATIONAL = 20


@dataclass(frozen=True)
class Limits:
    """Limits of a response, and of an idle connection. Times are in seconds."""

    # All headers together, those of informational responses included.
    max_header_bytes: int = 64 * KIB
    # Abandon a response that is still arriving after so many times the timeout, and the time that the largest response
    # to the request takes at the lowest speed.
    timeouts: float = 3.0
    bytes_per_second: int = 100 * KIB
    # Abandon a response this long after its caller's deadline. ``poll``, which waits for many callers until the same
    # deadline, then returns before the callers fail.
    deadline_grace: float = 0.1
    # Open a new connection for a write instead of one that was idle for longer: the server may be about to close it.
    # The shortest usual keep-alive timeout of servers is 2 s.
    max_idle: float = 1.0

    def whole(self, timeout: float, size: Size) -> float:
        """Return the seconds that a whole request may take."""
        return self.timeouts * timeout + size.bytes / self.bytes_per_second


@dataclass
class Exchange:
    """One request and its response, which is abandoned ``patience`` seconds from now.

    ``size`` is the most that a successful response has, ``body_bytes`` are those of its body that were read. ``sent``
    becomes true before the first byte of the request is handed to a socket; the CONNECT request that asks a proxy for a
    tunnel doesn't count. ``tunnel_status`` becomes the proxy's HTTP status for that CONNECT request.
    """

    patience: float
    writes: bool
    limits: Limits
    size: Size = FIELDS
    body_bytes: int = 0
    sent: bool = False
    tunnel_status: int | None = None

    def __post_init__(self) -> None:
        self.ends_at = time.monotonic() + self.patience

    @property
    def is_over(self) -> bool:
        """Whether the response is abandoned by now."""
        return time.monotonic() >= self.ends_at


class _Current(threading.local):
    # requests sends a request, and reads its response, in the thread that calls it.
    exchange = Exchange(0.0, writes=False, limits=Limits())


_current = _Current()


def begin(exchange: Exchange) -> None:
    """Make ``exchange`` the one that this thread's next request belongs to."""
    _current.exchange = exchange


def read_body(raw: Any, max_bytes: int) -> bytearray:
    """Return the decompressed body of urllib3's response, cut off soon after ``max_bytes``.

    urllib3 before 2.6 decompresses all that it has read at once, and a byte may become a thousand. zlib can stop.
    """
    is_compressed = raw.headers.get("Content-Encoding", "").lower() in _GZIP
    unpacker = zlib.decompressobj(_GZIP_FORMAT) if is_compressed else None
    content = bytearray()
    exchange = _current.exchange
    while len(content) <= max_bytes and (chunk := raw.read(_CHUNK_SIZE, decode_content=False)):
        exchange.body_bytes += len(chunk)
        if exchange.body_bytes > max_bytes + 2 * _CHUNK_SIZE:
            raise TooLarge("more bytes compressed than it may have otherwise")
        try:
            content += unpacker.decompress(chunk, max_bytes + 1 - len(content)) if unpacker else chunk
        except zlib.error:
            raise urllib3.exceptions.DecodeError from None
    if len(content) <= max_bytes:
        if raw.length_remaining:
            raise urllib3.exceptions.ProtocolError  # as urllib3 does by itself since version 2
        if unpacker and content and not unpacker.eof:
            raise urllib3.exceptions.DecodeError
    return content


with contextlib.suppress(ImportError):  # session.py reports that requests isn't installed
    import requests.adapters
    import urllib3

    class Adapter(requests.adapters.HTTPAdapter):
        """requests' adapter, with this file's connections to servers and to proxies."""

        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **options)
            _extend_pools(self.poolmanager)

        def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
            return _extend_pools(super().proxy_manager_for(*arguments, **options))


def _extend_pools(manager: Any) -> Any:
    """Make urllib3's pool manager use this file's pools from now on."""
    manager.pool_classes_by_scheme = {
        scheme: _extended(pool_class) for scheme, pool_class in manager.pool_classes_by_scheme.items()
    }
    return manager


@functools.cache
def _extended(pool_class: Any) -> Any:
    if issubclass(pool_class, _Pool):
        return pool_class
    bases = (_Connection, pool_class.ConnectionCls)
    traits = {"response_class": _Response, "is_plain": pool_class.scheme == "http"}
    return type("_Pool", (_Pool, pool_class), {"ConnectionCls": type("_Connection", bases, traits)})


class _Pool:
    """Mixin for urllib3's pools.

    A write never reuses a connection that the server may be about to close, and an idle connection keeps no descriptor
    that is scarce.
    """

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        exchange = _current.exchange
        if exchange.writes and time.monotonic() - connection.used_at > exchange.limits.max_idle:
            connection.close()
            connection = self._new_conn()  # type: ignore[attr-defined]
        return connection

    def _put_conn(self, connection: Any) -> None:
        if connection:
            connection.used_at = time.monotonic()
            if connection.sock and is_scarce(connection.sock.fileno()):
                connection.close()
        super()._put_conn(connection)  # type: ignore[misc]


class _Connection(http.client.HTTPConnection):
    """Mixin for urllib3's connections.

    It records that a request was sent, uses ``http`` to loopback only, and takes no descriptor that files may need.
    """

    is_plain = False
    used_at = 0.0
    _is_connecting = False

    def connect(self) -> None:
        self._is_connecting = True
        try:
            super().connect()
        finally:
            self._is_connecting = False
        if is_for_files(self.sock.fileno()):
            self.close()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        if self.is_plain and not _is_to_loopback(self.sock):
            # A name such as api.localhost passes the check of the URL, but a resolver may map it to another machine.
            self.close()
            raise NotLoopback

    def send(self, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()
        if self.sock is not None and not self._is_connecting:
            _current.exchange.sent = True
        super().send(data)


class NotLoopback(OSError):
    """The host of an ``http://`` URL is another machine."""


class TooLarge(OSError):
    """A response has more headers, or more bytes around its content, than it may have; the argument says what."""


def _is_to_loopback(sock: socket.socket) -> bool:
    return ipaddress.ip_address(sock.getpeername()[0].partition("%")[0]).is_loopback


class _Response(http.client.HTTPResponse):
    """http.client's response, read through a ``_BoundedReader``."""

    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self._reader = _BoundedReader(self.fp.detach(), sock, _current.exchange)
        self.fp: Any = io.BufferedReader(self._reader)

    def begin(self) -> None:
        try:
            super().begin()
        except http.client.HTTPException as exc:
            if exc.__class__ is http.client.HTTPException:  # its subclasses are all other errors
                raise TooLarge("more than 100 headers") from None
            raise
        self._reader.begin_body()

    def _read_status(self) -> tuple[str, int, str]:
        """Return the status line of the final response.

        http.client skips any number of informational responses with status 100, and none with another status. It calls
        this method first for each response, also for a proxy's response to CONNECT.
        """
        for _informational in range(_MAX_INFORMATIONAL + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            # No request asks to switch protocols, and what follows this status isn't HTTP.
            if not 100 <= status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                break
            http.client.parse_headers(self.fp)
        if status < 200:
            raise http.client.BadStatusLine("informational")
        if not _current.exchange.sent:
            _current.exchange.tunnel_status = status
        return version, status, reason


class _BoundedReader(io.RawIOBase):
    """The bytes of a response, up to the limits of its exchange.

    A socket's timeout bounds only the time between two bytes. http.client bounds neither trailers nor what is around
    chunks, and reads a chunk of a negative size until the connection ends.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, exchange: Exchange) -> None:
        self._raw = raw
        self._sock = sock
        self._exchange = exchange
        self._count = self._head = 0
        self._excess = "headers of more than {kib} KiB"

    def begin_body(self) -> None:
        """Count from here on what is read in addition to the body: lengths of chunks, their extensions, trailers."""
        self._head = self._count
        self._excess = "more than {kib} KiB around its content"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        seconds_left = self._exchange.ends_at - time.monotonic()
        if seconds_left <= 0:
            raise TimeoutError
        timeout = self._sock.gettimeout()
        if timeout is None or seconds_left < timeout:
            self._sock.settimeout(seconds_left)
        # In chunks of a hundred bytes, the additional bytes are a tenth of the body.
        most = self._exchange.limits.max_header_bytes
        if self._count - self._head > most + 1.25 * self._exchange.body_bytes:
            raise TooLarge(self._excess.format(kib=most // KIB))
        count = self._raw.readinto(buffer)
        self._count += count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
