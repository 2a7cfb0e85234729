# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the core share: a server that misbehaves byte by byte, and short ways to call the transport."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import pytest
import trustme
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._http.messages import Effect, Request, Response
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import (
    RequestBudget,
    Transport,
    TransportOptions,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import ArgumentSpec
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT

MODULE_UTILS = ROOT / "plugins" / "module_utils"

# A token with all kinds of characters that are escaped in a URL, in JSON or in HTML.
TOKEN = "s3cret/t0ken+with=all&kinds?of%characters"

ANY = re.compile(".*")

# Seconds, more than any test takes: a test that waits this long fails by its assertion instead of hanging.
PATIENCE = 20.0


@dataclass(frozen=True)
class Received:
    """A request as the server got it, with the target still percent-encoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket, received: list[Received]) -> None:
        self.connection = connection
        self._received = received
        self._buffer = b""

    def read_head(self) -> tuple[str, str, dict[str, str]]:
        """Read the request line and the headers, but not the body."""
        while b"\r\n\r\n" not in self._buffer:
            self._receive()
        head, _end, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _version = first.split(" ")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
        return method, target, headers

    def read_request(self) -> Received:
        """Read one whole request and append it to the server's ``received``."""
        method, target, headers = self.read_head()
        length = int(headers.get("content-length", 0))
        while len(self._buffer) < length:
            self._receive()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        request = Received(method, target, headers, body)
        self._received.append(request)
        return request

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def reset(self) -> None:
        """Close the connection with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def wait_for_end(self) -> None:
        """Wait until the client has closed its end."""
        while self.connection.recv(65536):
            pass

    def _receive(self) -> None:
        data = self.connection.recv(65536)
        if not data:
            raise EOFError
        self._buffer += data


Conversation = Callable[[Peer], None]


class Wire:
    """A server on loopback that sends exactly the bytes of a test.

    The next of ``conversations`` serves the next connection, and the last of them all later ones. A server that isn't
    ``listening`` refuses connections until ``listen`` is called.
    """

    def __init__(self, *conversations: Conversation, tls: ssl.SSLContext | None = None, listening: bool = True) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self._conversations = conversations
        self._tls = tls
        self._open: list[socket.socket] = []
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if listening:
            self.listen()

    def listen(self) -> None:
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            # close() alone doesn't wake the thread that is blocked in accept().
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            conversation = self._conversations[min(self.connections, len(self._conversations) - 1)]
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection, conversation), daemon=True).start()

    def _serve(self, connection: socket.socket, conversation: Conversation) -> None:
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            conversation(Peer(connection, self.received))
        except (OSError, EOFError):
            # The client has closed the connection, as many tests expect.
            pass
        finally:
            connection.close()


# The fixture ``wire`` gives it.
WireFactory = Callable[..., Wire]


def context_for(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """A TLS context for a server with these names or addresses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def response(
    body: Any = b"", status: int = 200, headers: Mapping[str, str] | None = None, *, length: int | None = None
) -> bytes:
    """The bytes of an HTTP response; ``length`` is a false Content-Length."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {
        "Content-Type": "application/json",
        "Content-Length": str(len(content) if length is None else length),
        **(headers or {}),
    }
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


def answering(*answers: bytes) -> Conversation:
    """Answer the next request of a connection with the next of ``answers``, and all later ones with the last."""

    def converse(peer: Peer) -> None:
        for index in range(1_000_000):
            peer.read_request()
            peer.send(answers[min(index, len(answers) - 1)])

    return converse


def silence(peer: Peer) -> None:
    """Read the request and never answer."""
    peer.read_request()
    peer.wait_for_end()


def reading(path: str = "/thing", **fields: Any) -> Request:
    return Request("GET", path, "reading the thing", Effect.READS, "the_token", **fields)


def writing(path: str = "/thing", **fields: Any) -> Request:
    return Request("POST", path, "making the thing", Effect.WRITES, "the_token", **{"body": {"name": "a"}, **fields})


def parse(response: Response) -> Any:
    """Return the JSON of a successful response, as a client does."""
    if not response.ok:
        raise response.error_for_status(response.status)
    if not response.is_json:
        raise response.malformed("JSON")
    return response.body


def send(url: str, request: Request, budget: RequestBudget | None = None, **options: Any) -> Any:
    """Send one request through a new transport; without retries, unless ``retry_timeout`` is given."""
    return transport(url, **options).send(request, parse, budget)


def transport(url: str, **options: Any) -> Transport:
    return Transport(url, TransportOptions(**{"timeout": PATIENCE, "retry_timeout": 0.0, **options}))


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and all exceptions that a traceback would print with it."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def assert_tells_no_secret(error: FleetError) -> None:
    """Assert that no text of ``error`` holds ``TOKEN``, in any spelling, or a URL."""
    shown = [error.message, repr(error.as_error()), repr(error.as_item_error()), repr(vars(error))]
    for link in chain(error):
        shown += [str(link), repr(link)]
    for text in shown:
        assert "s3cret" not in text
        assert "t0ken" not in text
        assert "://" not in text
    assert "\n" not in error.message


def raised_error(action: Callable[[], object]) -> FleetError:
    """The error that ``action`` raises, which tells no secret."""
    with pytest.raises(FleetError) as caught:
        action()
    assert_tells_no_secret(caught.value)
    return caught.value


def validated_params(arguments: ArgumentSpec, **options: Any) -> dict[str, Any]:
    """Return a module's parameters as Ansible makes them from a task's options and the environment."""
    return arguments.validate(options).params


def make_context(
    arguments: ArgumentSpec, *, check_mode: bool = False, no_log: bool = False, **options: Any
) -> TaskContext:
    return TaskContext(validated_params(arguments, **options), check_mode=check_mode, diff=True, no_log=no_log)


@dataclass
class Clock:
    """A clock that moves only when ``sleep`` is called."""

    now: float = 1000.0
    pauses: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        self.on_sleep()


def join_workers() -> None:
    """Wait for the steps that ``poll`` has left running at its deadline."""
    for thread in threading.enumerate():
        if thread.name.endswith("(work)"):
            thread.join(PATIENCE)


class Crowd:
    """Counts the threads that are in the block at once, and blocks each until ``expected`` of them are."""

    def __init__(self, expected: int) -> None:
        self.most = 0
        self.total = 0
        self._inside = 0
        self._lock = threading.Lock()
        self._meeting = threading.Barrier(expected)

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            self.total += 1
            self.most = max(self.most, self._inside)
        self._meeting.wait(PATIENCE)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
