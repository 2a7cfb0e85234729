# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy between a client and an HTTP server, on loopback, that breaks a connection where it is told to.

It is asked in each of the ways that there are: for a tunnel (CONNECT), in which it speaks TLS as a proxy does that
inspects its company's traffic, for an absolute URL, or as a gateway that stands in the server's place. Whatever host it
is asked for, it asks the one server that it was made for, whose every answer says how long it is.
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
    """Where on its way a request is when its connection breaks. Up to ``HANDSHAKE`` nothing of it has left."""

    CONNECT = "before there is a connection"
    HANDSHAKE = "before TLS"
    HEAD = "in the headers"
    BODY = "in the body"
    REQUEST = "after the request"
    CARRIED_OUT = "after the server has answered"
    ANSWER = "in the answer"


@dataclass
class Fault:
    """What happens at ``place`` to the next ``count`` requests that hold ``match`` (a path or a part of a body).

    ``answer`` is the proxy's own HTTP status there; without one, the connection ends, with a reset or in peace.
    Before there is a request there is nothing to match.
    """

    place: Place
    reset: bool = True
    answer: int | None = None
    match: str = ""
    count: int = 1
    hits: int = field(default=0, init=False)


class Proxy:
    """Listens on ``port`` until it is closed; ``tls`` is for the tunnels, or with ``gateway`` for every connection."""

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
        """Have it happen; ``fault.hits`` counts how often it did."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def hang_up(self) -> None:
        """End the connections that are open, and wait until they are."""
        with self._lock:
            threads = list(self._serving)
        self._shut_down()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            # Closing alone doesn't wake a thread that accepts, nor one that reads.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._shut_down()

    def _shut_down(self) -> None:
        for connection in self._open.copy():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def take(self, place: Place, text: str = "") -> Fault | None:
        """The fault that is due at ``place`` for a request with ``text`` in it."""
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
        """One request to the server, and its answer back."""
        # What is to strike before the body is read can only be matched with the head.
        first = head.decode("latin-1")
        self._strike(client.socket, self.take(Place.HEAD, first))
        length = _length_of(head)
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
    """The connection ends here."""


class _Stream:
    """What comes over a connection, in the portions of HTTP."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._buffer = b""

    def read_head(self) -> bytes:
        """Up to the empty line after the headers, that included."""
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
        """The answer's bytes as they come, for as long as ``client`` is there to wait for them."""
        while True:
            while b"\r\n\r\n" not in self._buffer:
                _wait(self.socket, client)
                self._receive()
            head = self.read_head()
            yield head
            if not head.startswith(b"HTTP/1.1 1"):
                break
        left = _length_of(head)
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
    """Wait for the server; a client that says something before it is answered has gone away."""
    readable, _writable, _failed = select.select([server, client], [], [])
    if server not in readable:
        raise _Over


def _length_of(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _as_for_the_server(head: bytes) -> bytes:
    """The same request with the path alone, if it came with an absolute URL."""
    method, target, rest = head.split(b" ", 2)
    if target.startswith(b"/"):
        return head
    parts = urlsplit(target.decode("latin-1"))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return b" ".join((method, path.encode("latin-1"), rest))
