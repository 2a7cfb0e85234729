# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxies from environment variables."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import trustme
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery, FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._http.messages import Request
from ansible_collections.msgops.fleet.tests.support.proxy import Fault, Place, Proxy
from ansible_collections.msgops.fleet.tests.support.wire import (
    TOKEN,
    Clock,
    Conversation,
    Peer,
    Wire,
    WireFactory,
    answering,
    assert_tells_no_secret,
    context_for,
    parse,
    reading,
    response,
    send,
    silence,
    transport,
    writing,
)

API = "https://api.example.com"
WHOLE = response({"all": "well"})


@pytest.fixture
def server(wire: WireFactory) -> Wire:
    return wire(answering(WHOLE))


@pytest.fixture
def proxy(server: Wire, authority: trustme.CA) -> Iterator[Proxy]:
    """A proxy that decrypts the TLS of its tunnels, as those of companies do."""
    with Proxy(server.port, tls=context_for(authority, "api.example.com")) as proxy:
        yield proxy


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_used(
    proxy: Proxy, server: Wire, ca_path: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, proxy.url)
    assert send(API, reading(), ca_path=ca_path) == {"all": "well"}
    assert proxy.requests == ["CONNECT api.example.com:443 HTTP/1." + proxy.requests[0][-1], "GET /thing HTTP/1.1"]
    assert len(server.received) == 1


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy_is_used_where_the_environment_says_so(
    proxy: Proxy,
    wire: WireFactory,
    authority: trustme.CA,
    ca_path: str,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    direct = wire(answering(WHOLE), tls=context_for(authority, "127.0.0.1"))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv(variable, "example.com,127.0.0.1")
    assert send(direct.url, reading(), ca_path=ca_path) == {"all": "well"}
    assert proxy.connections == 0


def test_the_environment_is_looked_at_once(proxy: Proxy, ca_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    api = transport(API, ca_path=ca_path)
    monkeypatch.delenv("HTTPS_PROXY")
    for _attempt in range(2):
        assert api.send(reading(), parse) == {"all": "well"}
    assert proxy.connections == 1


def tunnel_to(port: int) -> Conversation:
    """Serve one CONNECT request, and pass all bytes on in both directions."""

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
    wire: WireFactory, authority: trustme.CA, ca_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = wire(answering(WHOLE), tls=context_for(authority, "api.example.com"))
    blind = wire(tunnel_to(server.port))
    monkeypatch.setenv("HTTPS_PROXY", blind.url)
    request = reading(f"/wait/{quote(TOKEN, safe='')}", headers={"Client-Token": TOKEN})
    assert send(API, request, ca_path=ca_path) == {"all": "well"}
    assert (blind.received[0].method, blind.received[0].target) == ("CONNECT", "api.example.com:443")
    assert "client-token" not in blind.received[0].headers
    assert server.received[0].headers["client-token"] == TOKEN


# Loopback addresses, which are never reached through a proxy


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "LocalHost", "api.LOCALHOST", "[::1]"])
@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_http_to_a_loopback_address_never_goes_through_a_proxy(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, variable: str, host: str, scheme: str
) -> None:
    monkeypatch.setenv(variable, proxy.url)
    with pytest.raises(FleetError) as caught:
        send(f"{scheme}://{host}:1", reading(f"/{TOKEN}"))
    assert "proxy" not in caught.value.message
    assert proxy.connections == 0


def test_a_name_that_should_be_loopback_but_leads_elsewhere_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it makes the system choose the local address
        except OSError:
            pytest.skip("this machine has no address but loopback")
        elsewhere = probe.getsockname()[0]
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, *arguments, **options: resolve(elsewhere, *arguments, **options)
    )
    listener = socket.create_server((elsewhere, 0))
    with listener, pytest.raises(FleetError) as caught:
        send(f"http://api.localhost:{listener.getsockname()[1]}", writing(f"/{TOKEN}"))
    assert (caught.value.retryable, caught.value.delivery) == (False, Delivery.NOT_SENT)
    assert "is another machine" in caught.value.message
    assert_tells_no_secret(caught.value)


# Proxies that fail before there is a tunnel


@pytest.mark.parametrize("request_", [reading(), writing()], ids=["read", "write"])
def test_a_proxy_that_refuses_connections_has_sent_nothing(
    wire: WireFactory, monkeypatch: pytest.MonkeyPatch, request_: Request
) -> None:
    nobody = wire(listening=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{quote(TOKEN, safe='')}@127.0.0.1:{nobody.port}")
    with pytest.raises(FleetError) as caught:
        send(API, request_)
    error = caught.value
    assert (error.code, error.retryable, error.delivery) == ("connection", True, Delivery.NOT_SENT)
    assert "the proxy on the way to api.example.com failed; check the proxy variables" in error.message
    assert_tells_no_secret(error)


@pytest.mark.parametrize("variable", ["http://", f"http://user:{TOKEN}@127.0.0.1:1", "ftp://127.0.0.1:1"])
@pytest.mark.parametrize("request_", [reading(), writing()], ids=["read", "write"])
def test_a_proxy_that_cannot_be_used_has_sent_nothing_and_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, variable: str, request_: Request
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", variable)
    with pytest.raises(FleetError) as caught:
        send(API, request_, retry_timeout=60)
    error = caught.value
    assert (error.code, error.retryable, error.delivery) == ("connection", False, Delivery.NOT_SENT)
    assert "the proxy that the environment names can't be used" in error.message
    assert clock.pauses == []
    assert_tells_no_secret(error)


@pytest.mark.parametrize(("status", "retryable"), [(403, False), (407, False), (502, True), (504, True)])
def test_a_proxy_that_makes_no_tunnel_has_sent_nothing(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, status: int, retryable: bool
) -> None:
    proxy.arm(Fault(Place.CONNECT, answer=status))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(FleetError) as caught:
        send(API, writing(f"/make/{quote(TOKEN, safe='')}"))
    error = caught.value
    assert (error.code, error.delivery, error.retryable) == ("connection", Delivery.NOT_SENT, retryable)
    assert f"the proxy on the way to api.example.com answered HTTP {status}; check the proxy" in error.message
    assert_tells_no_secret(error)


def test_a_proxy_that_does_not_answer_has_sent_nothing(wire: WireFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", wire(silence).url)
    with pytest.raises(FleetError) as caught:
        send(API, writing(), timeout=0.1)
    assert (caught.value.code, caught.value.delivery) == ("timeout", Delivery.NOT_SENT)


def test_what_comes_before_a_proxys_answer_is_not_taken_for_it(
    wire: WireFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = wire(answering(b"HTTP/1.1 102 Processing\r\n\r\n" + response({}, 407)))
    monkeypatch.setenv("HTTPS_PROXY", early.url)
    with pytest.raises(FleetError, match="answered HTTP 407"):
        send(API, writing())
