# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy on loopback, between a client and an HTTP server, that breaks connections at chosen places.

A client can use it by a tunnel (CONNECT), in which the proxy terminates TLS, by an absolute URL, or as a gateway in
place of the server. It passes all requests on to one server, whose responses must have a Content-Length.
"""

from __future__ import annotations

import contextlib
import enum
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_LINGER_ZERO = struct.pack("ii", 1, 0)
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Place(enum.Enum):
    """Where a connection breaks. Up to ``HANDSHAKE``, no byte of the request was sent."""

    CONNECT = "before there is a connection"
    HANDSHAKE = "before TLS"
    HEAD = "in the headers"
    BODY = "in the body"
    REQUEST = "after the request"
    CARRIED_OUT = "after the server has answered"
    ANSWER = "in the answer"


@dataclass
class Fault:
    """A fault at ``place`` of the next ``count`` requests that contain ``match`` (a path or a part of a body).

    The proxy answers with the HTTP status ``answer``, or without one closes the connection, with a ``reset`` or
    normally. Up to ``HANDSHAKE`` there is no request to match.
    """

    place: Place
    reset: bool = True
    answer: int | None = None
    match: str = ""
    count: int = 1
    hits: int = field(default=0, init=False)


class Proxy:
    """A proxy that listens on ``port``; it uses ``tls`` in tunnels, or as a ``gateway`` for every connection."""

    def __init__(self, server_port: int, *, tls: ssl.SSLContext | None = None, gateway: bool = False) -> None:
        self.requests: list[str] = []  # first lines, those of tunnels included
        self.connections = 0
        self._server_port = server_port
        self._tls = tls
        self._gateway = gateway
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._serving: set[threading.Thread] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls and gateway else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def arm(self, fault: Fault) -> Fault:
        """Arm a fault, and return it; ``fault.hits`` counts how often it happened."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def hang_up(self) -> None:
        """Close all open connections, and wait until they are closed."""
        with self._lock:
            threads = list(self._serving)
        self._shut_down()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            # close() alone doesn't wake a thread that is blocked in accept() or recv().
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._shut_down()

    def _shut_down(self) -> None:
        for connection in self._open.copy():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def take(self, place: Place, text: str = "") -> Fault | None:
        """Return the next fault at ``place`` for a request that contains ``text``."""
        with self._lock:
            for fault in self._faults:
                if fault.place is place and fault.hits < fault.count and fault.match in text:
                    fault.hits += 1
                    return fault
        return None

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._serving = {each for each in self._serving if each.is_alive()} | {thread}
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.suppress(OSError, EOFError, _Over))
            self._hold(stack, client)
            if self._gateway:
                self._strike(client, self.take(Place.CONNECT))
                client = self._wrap(stack, client)
            server: _Stream | None = None
            stream = _Stream(client)
            while True:
                head = stream.read_head()
                self.requests.append(head.partition(b"\r\n")[0].decode("latin-1"))
                if head.startswith(b"CONNECT "):
                    self._strike(client, self.take(Place.CONNECT))
                    client.sendall(_ESTABLISHED)
                    client = self._wrap(stack, client)
                    stream = _Stream(client)
                    continue
                if server is None:
                    onward = socket.create_connection(("127.0.0.1", self._server_port))
                    self._hold(stack, onward)
                    server = _Stream(onward)
                self._pass_on(head, stream, server)

    def _wrap(self, stack: contextlib.ExitStack, client: socket.socket) -> socket.socket:
        self._strike(client, self.take(Place.HANDSHAKE))
        if self._tls is None:
            return client
        wrapped = self._tls.wrap_socket(client, server_side=True)
        self._hold(stack, wrapped)
        return wrapped

    def _pass_on(self, head: bytes, client: _Stream, server: _Stream) -> None:
        """Pass one request on to the server, and its response back."""
        # Faults before the body can match the request's head only.
        first = head.decode("latin-1")
        self._strike(client.socket, self.take(Place.HEAD, first))
        length = _content_length(head)
        if length and (fault := self.take(Place.BODY, first)):
            client.read(length // 2)
            self._strike(client.socket, fault)
        body = client.read(length)
        text = first + body.decode("latin-1")
        self._strike(client.socket, self.take(Place.REQUEST, text))
        server.socket.sendall(_as_for_the_server(head) + body)
        if fault := self.take(Place.CARRIED_OUT, text):
            for _piece in server.answer(client.socket):
                pass
            self._strike(client.socket, fault)
        if fault := self.take(Place.ANSWER, text):
            client.socket.sendall(b"".join(server.answer(client.socket))[:-1])
            self._strike(client.socket, fault)
        for piece in server.answer(client.socket):
            client.socket.sendall(piece)

    def _strike(self, client: socket.socket, fault: Fault | None) -> None:
        if fault is None:
            return
        if fault.answer is not None:
            client.sendall(f"HTTP/1.1 {fault.answer} By the proxy\r\nContent-Length: 0\r\n\r\n".encode())
        elif fault.reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        raise _Over

    def _hold(self, stack: contextlib.ExitStack, connection: socket.socket) -> None:
        self._open.add(connection)
        stack.callback(self._open.discard, connection)
        stack.callback(connection.close)


class _Over(Exception):
    """Ends the service of a connection."""


class _Stream:
    """Reads HTTP messages from a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._buffer = b""

    def read_head(self) -> bytes:
        """Return the bytes up to the empty line after the headers, inclusive."""
        while b"\r\n\r\n" not in self._buffer:
            self._receive()
        head, end, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head + end

    def read(self, length: int) -> bytes:
        while len(self._buffer) < length:
            self._receive()
        data, self._buffer = self._buffer[:length], self._buffer[length:]
        return data

    def answer(self, client: socket.socket) -> Iterator[bytes]:
        """Yield the bytes of the response as they arrive, while ``client`` is connected."""
        while True:
            while b"\r\n\r\n" not in self._buffer:
                _wait(self.socket, client)
                self._receive()
            head = self.read_head()
            yield head
            if not head.startswith(b"HTTP/1.1 1"):
                break
        left = _content_length(head)
        while left:
            if not self._buffer:
                _wait(self.socket, client)
                self._receive()
            piece = self.read(min(left, len(self._buffer)))
            left -= len(piece)
            yield piece

    def _receive(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self._buffer += data


def _wait(server: socket.socket, client: socket.socket) -> None:
    """Wait for the server; a client that becomes readable before its response has closed the connection."""
    readable, _writable, _failed = select.select([server, client], [], [])
    if server not in readable:
        raise _Over


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _as_for_the_server(head: bytes) -> bytes:
    """Return the head of a request with a path as its target, instead of an absolute URL."""
    method, target, rest = head.split(b" ", 2)
    if target.startswith(b"/"):
        return head
    parts = urlsplit(target.decode("latin-1"))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return b" ".join((method, path.encode("latin-1"), rest))
