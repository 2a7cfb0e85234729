# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that a request was not sent: through proxies of all kinds, with faults at each place of a request.

A request is "not sent", and repeated, only if the connection fails before its first byte. Behind a proxy, urllib3 calls
each failure the proxy's, differently in each version: ``make units-3.10-2.16`` runs these with the oldest one.
"""

from __future__ import annotations

import os
import resource
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery, FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._http.connection import Limits
from ansible_collections.msgops.fleet.plugins.module_utils._http.messages import Effect, Request
from ansible_collections.msgops.fleet.plugins.module_utils._http.sizes import MIB, Size
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import Transport
from ansible_collections.msgops.fleet.tests.support.proxy import Fault, Place, Proxy
from ansible_collections.msgops.fleet.tests.support.wire import (
    PATIENCE,
    Clock,
    Peer,
    Wire,
    WireFactory,
    answering,
    context_for,
    parse,
    reading,
    response,
    transport,
    writing,
)

WHOLE = response({"all": "well"})

REQUESTS = {
    "a read": reading(),
    "a write": writing(body={"name": "a" * 100}),
    "a write without a body": Request("GET", "/reboot", "rebooting", Effect.WRITES, "the_token"),
}


@dataclass
class Way:
    """A transport that reaches the server through a proxy; a test arms the proxy's faults."""

    api: Transport
    proxy: Proxy
    server: Wire


@pytest.fixture
def limits() -> Limits:
    """Let a write use an idle connection however slow the machine is."""
    return Limits(max_idle=PATIENCE)


@pytest.fixture(params=["plain gateway", "TLS gateway", "tunnel"])
def way(
    request: pytest.FixtureRequest,
    wire: WireFactory,
    authority: trustme.CA,
    ca_path: str,
    clock: Clock,
    limits: Limits,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Way]:
    server = wire(answering(WHOLE))
    tls = None if request.param == "plain gateway" else context_for(authority, "127.0.0.1", "api.example.com")
    with Proxy(server.port, tls=tls, gateway=request.param != "tunnel") as proxy:
        if request.param == "tunnel":
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        url = "https://api.example.com" if request.param == "tunnel" else proxy.url
        yield Way(transport(url, ca_path=ca_path, retry_timeout=60.0, limits=limits), proxy, server)


@dataclass(frozen=True)
class Break:
    """A fault of the proxy, and whether the server gets the request before it."""

    place: Place
    reset: bool = True
    answer: int | None = None
    arrives: bool = False

    def __str__(self) -> str:
        how = f"HTTP {self.answer}" if self.answer else "reset" if self.reset else "closed"
        return f"{how} {self.place.value}"


NOT_SENT = [
    Break(Place.CONNECT),
    Break(Place.CONNECT, reset=False),
    Break(Place.HANDSHAKE),
    Break(Place.HANDSHAKE, reset=False),
]
UNKNOWN = [
    *(Break(Place.HEAD, reset) for reset in (True, False)),
    *(Break(Place.BODY, reset) for reset in (True, False)),
    *(Break(Place.REQUEST, reset) for reset in (True, False)),
    *(Break(Place.REQUEST, answer=status) for status in (502, 504)),
    *(Break(Place.CARRIED_OUT, reset, arrives=True) for reset in (True, False)),
    *(Break(Place.CARRIED_OUT, answer=status, arrives=True) for status in (502, 503, 504)),
    *(Break(Place.ANSWER, reset, arrives=True) for reset in (True, False)),
]
WRITES = [name for name in REQUESTS if name != "a read"]


def with_what_can_break(names: list[str], faults: list[Break]) -> pytest.MarkDecorator:
    """Parametrize a test with each request and each fault; a request without a body has no faults in the body."""
    pairs = [
        (name, fault) for name in names for fault in faults if REQUESTS[name].body or fault.place is not Place.BODY
    ]
    return pytest.mark.parametrize(("name", "fault"), pairs, ids=[f"{name}, {fault}" for name, fault in pairs])


@with_what_can_break(WRITES, UNKNOWN)
@pytest.mark.parametrize("used", [False, True], ids=["new connection", "used connection"])
def test_a_write_of_which_a_byte_has_left_is_not_sent_again(way: Way, fault: Break, name: str, used: bool) -> None:
    request = REQUESTS[name]
    if used:
        way.api.send(reading("/before"), parse)
    armed = way.proxy.arm(Fault(fault.place, fault.reset, fault.answer, match=request.path))
    with pytest.raises(FleetError) as caught:
        way.api.send(request, parse)
    assert armed.hits == 1
    assert caught.value.delivery is Delivery.UNKNOWN
    assert "proxy" not in caught.value.message
    sent = [received.target for received in way.server.received if received.target != "/before"]
    assert sent == [request.path] * fault.arrives


@with_what_can_break(["a read"], [*NOT_SENT, *UNKNOWN])
def test_a_read_is_sent_again_wherever_it_breaks(way: Way, name: str, fault: Break) -> None:
    armed = way.proxy.arm(Fault(fault.place, fault.reset, fault.answer))
    assert way.api.send(REQUESTS[name], parse) == {"all": "well"}
    assert armed.hits == 1


# Without a tunnel or TLS, the request's first byte is the first byte of the connection.
@pytest.mark.parametrize("way", ["TLS gateway", "tunnel"], indirect=True)
@with_what_can_break(WRITES, NOT_SENT)
def test_a_write_of_which_nothing_has_left_is_sent_again_and_arrives_once(way: Way, fault: Break, name: str) -> None:
    request = REQUESTS[name]
    armed = way.proxy.arm(Fault(fault.place, fault.reset, count=2))
    assert way.api.send(request, parse) == {"all": "well"}
    assert armed.hits == 2
    assert [received.target for received in way.server.received] == [request.path]


@pytest.mark.parametrize("name", WRITES)
def test_a_connection_that_was_closed_while_nobody_used_it_is_not_written_to(way: Way, name: str) -> None:
    """The end of the connection has arrived before the write begins, so the client can notice it."""
    way.api.send(reading("/before"), parse)
    way.proxy.hang_up()
    assert way.api.send(REQUESTS[name], parse) == {"all": "well"}
    assert way.proxy.connections == 2


@pytest.mark.parametrize(("limits", "connections"), [(Limits(max_idle=PATIENCE), 1), (Limits(max_idle=0.0), 2)])
def test_a_write_does_not_use_a_connection_that_a_server_may_be_about_to_close(way: Way, connections: int) -> None:
    way.api.send(reading(), parse)
    way.api.send(reading(), parse)
    assert way.proxy.connections == 1
    way.api.send(writing(), parse)
    assert way.proxy.connections == connections


# TLS


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_certificate_says_so_when_the_request_may_have_left(
    wire: WireFactory, authority: trustme.CA, ca_path: str, version: ssl.TLSVersion
) -> None:
    """In TLS 1.3, the server's alert comes after the client has finished its handshake."""
    context = context_for(authority, "127.0.0.1")
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    server = wire(answering(WHOLE), tls=context)
    with pytest.raises(FleetError) as caught:
        transport(server.url, ca_path=ca_path).send(writing(), parse)
    late = version is ssl.TLSVersion.TLSv1_3
    assert caught.value.delivery is (Delivery.UNKNOWN if late else Delivery.NOT_SENT)
    assert server.received == []


# Resources of this machine that run out


# Run in another process, so that the server in this one can still open files.
WITHOUT_FILES = """
import resource, socket, sys
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import Transport, TransportOptions
from ansible_collections.msgops.fleet.plugins.module_utils._http.messages import Effect, Request

transport = Transport(sys.argv[1], TransportOptions(retry_timeout=0))
resource.setrlimit(resource.RLIMIT_NOFILE, (64,) * 2)
held = []
try:
    while True:
        held.append(socket.socket())
except OSError:
    pass
try:
    transport.send(Request("POST", "/thing", "making the thing", Effect.WRITES, "x", body={}), lambda answer: None)
except FleetError as error:
    print(error.code, error.delivery.value, error.message)
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_write_for_which_there_is_no_socket_was_not_sent_and_is_told_what_ran_out(
    wire: WireFactory, collections_path: Path, host: str
) -> None:
    server = wire(answering(WHOLE))
    environment = {**os.environ, "PYTHONPATH": str(collections_path)}
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_FILES, f"http://{host}:{server.port}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.startswith("connection not_sent ")
    assert "run out of open files; raise the limit of open files (ulimit -n)" in ran.stdout
    assert server.connections == 0


def test_an_answer_for_which_there_is_no_memory_is_a_failure_that_says_so(
    wire: WireFactory,
) -> None:
    piece = b" " * 1000
    large = Size(100 * MIB, 1)

    def promise_much(peer: Peer) -> None:
        peer.read_request()
        peer.send(WHOLE)
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n")
        while True:
            peer.send(piece)

    api = transport(wire(promise_much).url)
    # Use the same connection: for another one, the server would need memory for a thread.
    api.send(writing(), parse)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 8_000_000, hard))
    try:
        with pytest.raises(FleetError) as caught:
            api.send(writing(size=large), parse)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert caught.value.delivery is Delivery.UNKNOWN
    assert "run out of memory" in caught.value.message
