# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that takes as little time as possible, so that the measured time is that of its clients.

The first segment of a path is the latency of the response in milliseconds. The server checks no credentials: every
instance is authorized, every phone is running. As a program it prints its port, and stops when its standard input ends.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import resource
import socket
import subprocess
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Any

_END = b"\r\n\r\n"


def _response(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d" % (status, len(body))
    return head + _END + body


_STATE = _response(b'{"stateInstance":"authorized"}')
_NOT_FOUND = _response(b'{"error":"not found"}', b"404 Not Found")


class _Connection(asyncio.Protocol):
    """One keep-alive connection; all its requests have the same latency, so the responses keep their order."""

    def __init__(self, statistics: dict[str, int]) -> None:
        self._statistics = statistics
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        self._statistics["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        while _END in self._received:
            head, _end, rest = self._received.partition(_END)
            length = 0
            if head.startswith(b"POST"):
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                if len(rest) < length:
                    return
            self._received = rest[length:]
            self._respond(head.split(b" ", 2)[1], rest[:length])

    def _respond(self, path: bytes, body: bytes) -> None:
        if path == b"/statistics":
            usage = resource.getrusage(resource.RUSAGE_SELF)
            seconds = usage.ru_utime + usage.ru_stime
            self._transport.write(_response(json.dumps({**self._statistics, "cpu_seconds": seconds}).encode()))
            return
        self._statistics["requests"] += 1
        latency, _slash, call = path[1:].partition(b"/")
        if b"/getStateInstance/" in call:
            response = _STATE
        elif call == b"v1/instances/batch-query-status":
            results = [{"instance_id": phone, "status": 2} for phone in json.loads(body)["instance_ids"]]
            response = _response(json.dumps({"error_code": "0", "data": {"status_results": results}}).encode())
        else:
            response = _NOT_FOUND
        if latency == b"0":
            self._transport.write(response)
        else:
            asyncio.get_running_loop().call_later(int(latency) / 1000, self._transport.write, response)


class _Parent(asyncio.Protocol):
    """The standard input, which ends when the parent process does."""

    def __init__(self) -> None:
        self.gone = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set_result(None)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    statistics = {"requests": 0, "connections": 0}
    server = await loop.create_server(lambda: _Connection(statistics), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    _transport, parent = await loop.connect_read_pipe(_Parent, sys.stdin)
    await parent.gone


@dataclass(frozen=True)
class Statistics:
    """The server's requests, connections and seconds of CPU time so far."""

    requests: int
    connections: int
    cpu_seconds: float


class Server:
    """The server in a process of its own: ``with Server() as server: ... server.url(20)``."""

    def __enter__(self) -> Server:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def url(self, latency: int) -> str:
        """Return the base URL of an API with that latency in milliseconds."""
        return f"http://127.0.0.1:{self.port}/{latency}"

    def statistics(self) -> Statistics:
        """Return the server's statistics so far."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/statistics")
        response: dict[str, Any] = json.load(connection.getresponse())
        connection.close()
        return Statistics(**response)


if __name__ == "__main__":
    asyncio.run(_serve())
