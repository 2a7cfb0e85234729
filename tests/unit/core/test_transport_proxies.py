# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxies that the environment names."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from ansible_collections.msgops.fleet.plugins.module_utils._errors import Delivery, FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._http import Request
from ansible_collections.msgops.fleet.tests.unit.core.support import (
    TOKEN,
    Clock,
    Conversation,
    Peer,
    Wire,
    answering,
    assert_tells_no_secret,
    judge,
    reading,
    response,
    send,
    transport,
    writing,
)

WireFactory = Callable[..., Wire]

WHOLE = response({"all": "well"})


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(wire: WireFactory, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    server, proxy = wire(answering(WHOLE)), wire(answering(response({"by": "proxy"})))
    monkeypatch.setenv(variable, proxy.url)
    assert send(server.url, reading()) == {"by": "proxy"}
    assert proxy.received[0].target == f"{server.url}/thing"
    assert server.connections == 0


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy_is_used_where_the_environment_says_so(
    wire: WireFactory, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    server, proxy = wire(answering(WHOLE)), wire(answering(response({"by": "proxy"})))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv(variable, "example.com,127.0.0.1")
    assert send(server.url, reading()) == {"all": "well"}
    assert proxy.connections == 0


def test_the_environment_is_looked_at_once(wire: WireFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    server, proxy = wire(answering(WHOLE)), wire(answering(response({"by": "proxy"})))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    door = transport(server.url)
    monkeypatch.delenv("HTTP_PROXY")
    for _attempt in range(2):
        assert door.send(reading(), judge) == {"by": "proxy"}


@pytest.mark.parametrize("request_", [reading(), writing()], ids=["read", "write"])
def test_a_proxy_that_refuses_connections_has_sent_nothing(
    wire: WireFactory, monkeypatch: pytest.MonkeyPatch, request_: Request
) -> None:
    proxy = wire(listening=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://user:{quote(TOKEN, safe='')}@127.0.0.1:{proxy.port}")
    with pytest.raises(FleetError) as caught:
        send("http://127.0.0.1:1", request_)
    error = caught.value
    assert (error.code, error.retryable, error.delivery) == ("connection", True, Delivery.NOT_SENT)
    assert "the proxy on the way to 127.0.0.1:1 failed; check the proxy variables" in error.message
    assert_tells_no_secret(error)


@pytest.mark.parametrize("proxy", ["http://", f"http://user:{TOKEN}@127.0.0.1:1", "ftp://127.0.0.1:1"])
@pytest.mark.parametrize("request_", [reading(), writing()], ids=["read", "write"])
def test_a_proxy_that_cannot_be_used_has_sent_nothing_and_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, proxy: str, request_: Request
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(FleetError) as caught:
        send("http://127.0.0.1:1", request_, retry_timeout=60)
    error = caught.value
    assert (error.code, error.retryable, error.delivery) == ("connection", False, Delivery.NOT_SENT)
    assert "the proxy that the environment names can't be used" in error.message
    assert clock.pauses == []
    assert_tells_no_secret(error)


# Behind a proxy that is asked for a tunnel


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tunnel_to(port: int) -> Conversation:
    """Serve one CONNECT as a proxy does."""

    def converse(peer: Peer) -> None:
        peer.read_request()
        with socket.create_connection(("127.0.0.1", port)) as onward:
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=_pump, args=(onward, peer.connection), daemon=True).start()
            _pump(peer.connection, onward)

    return converse


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass


def test_a_proxy_sees_the_host_but_neither_path_nor_headers(
    wire: WireFactory, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca_path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = wire(answering(WHOLE), tls=context)
    proxy = wire(tunnel_to(server.port))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    request = reading(f"/wait/{quote(TOKEN, safe='')}", headers={"Client-Token": TOKEN})
    assert send(server.url, request, ca_path=str(ca_path)) == {"all": "well"}
    assert (proxy.received[0].method, proxy.received[0].target) == ("CONNECT", f"127.0.0.1:{server.port}")
    assert "client-token" not in proxy.received[0].headers
    assert server.received[0].headers["client-token"] == TOKEN


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_makes_no_tunnel_has_sent_nothing(
    wire: WireFactory, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    proxy = wire(answering(response({}, status)))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(FleetError) as caught:
        send("https://api.example.com", writing(f"/make/{quote(TOKEN, safe='')}"))
    error = caught.value
    assert (error.code, error.delivery) == ("connection", Delivery.NOT_SENT)
    assert "check the proxy variables" in error.message
    assert_tells_no_secret(error)
