# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS: which certificates are trusted. Each test run issues its own."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

import pytest
import trustme
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery, FleetError, UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._http.messages import Request
from ansible_collections.msgops.fleet.tests.support.wire import (
    TOKEN,
    Clock,
    Peer,
    Wire,
    WireFactory,
    answering,
    assert_tells_no_secret,
    context_for,
    reading,
    response,
    send,
    writing,
)

WHOLE = response({"all": "well"})


@pytest.fixture
def server(wire: WireFactory, authority: trustme.CA) -> Wire:
    return wire(answering(WHOLE), tls=context_for(authority, "127.0.0.1"))


@pytest.mark.parametrize("request_", [reading(f"/{TOKEN}"), writing(f"/{TOKEN}")], ids=["read", "write"])
def test_a_certificate_of_an_unknown_authority_is_refused_before_anything_is_sent(
    server: Wire, clock: Clock, request_: Request
) -> None:
    with pytest.raises(FleetError) as caught:
        send(server.url, request_, retry_timeout=60)
    error = caught.value
    assert (error.code, error.retryable, error.delivery) == ("tls", False, Delivery.NOT_SENT)
    assert "TLS failed: unable to get local issuer certificate" in error.message
    assert "ca_path" in error.message
    assert (server.connections, server.received) == (1, [])
    assert_tells_no_secret(error)


def test_ca_path_names_the_authorities_to_trust(server: Wire, ca_path: str) -> None:
    assert send(server.url, reading(), ca_path=ca_path) == {"all": "well"}


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_usual_variables_name_the_authorities_to_trust(
    server: Wire, ca_path: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, ca_path)
    assert send(server.url, reading()) == {"all": "well"}


def test_ca_path_wins_over_the_variables(
    server: Wire, ca_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_path)
    with pytest.raises(FleetError, match="TLS failed"):
        send(server.url, reading(), ca_path=str(other))


def unfit(folder: Path, kind: str) -> str:
    """The path of a file that holds no certificate."""
    path = folder / "authorities.pem"
    if kind == "missing":
        return str(path)
    if kind == "a circle of links":
        path.symlink_to(path)
    else:
        path.write_bytes({"nonsense": b"no certificate", "empty": b"", "DER": b"0\x82\x01\x00"}[kind])
    return str(path)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "doesn't exist"),
        ("empty", "holds no certificate in PEM format"),
        ("nonsense", "holds no certificate in PEM format"),
        ("DER", "holds no certificate in PEM format"),
        ("a circle of links", r"can't be read \(Too many levels of symbolic links\)"),
    ],
)
@pytest.mark.parametrize("where", ["ca_path", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_authorities_that_cannot_be_read_are_named(
    server: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, kind: str, reason: str
) -> None:
    path = unfit(tmp_path, kind)
    options = {"ca_path": path} if where == "ca_path" else {}
    if not options:
        monkeypatch.setenv(where, path)
    with pytest.raises(UsageError, match=f"^{where} {re.escape(path)} {reason}$"):
        send(server.url, reading(), **options)
    assert server.received == []


@pytest.mark.skipif(os.getuid() == 0, reason="root may read every file")
def test_authorities_without_permission_are_named(server: Wire, ca_path: str) -> None:
    Path(ca_path).chmod(0)
    with pytest.raises(UsageError, match=r"can't be read \(Permission denied\)"):
        send(server.url, reading(), ca_path=ca_path)


def test_a_certificate_for_another_host_is_refused(wire: WireFactory, authority: trustme.CA, ca_path: str) -> None:
    server = wire(answering(WHOLE), tls=context_for(authority, "api.example.com"))
    with pytest.raises(FleetError) as caught:
        send(server.url, reading(), ca_path=ca_path)
    assert (caught.value.code, server.received) == ("tls", [])
    assert "127.0.0.1" in caught.value.message


def test_without_validate_certs_any_certificate_will_do_and_nothing_warns(server: Wire) -> None:
    with warnings.catch_warnings(record=True) as caught:
        assert send(server.url, reading(), validate_certs=False) == {"all": "well"}
    assert [str(warning.message) for warning in caught if "certificate" in str(warning.message)] == []


def test_validate_certs_false_wins_over_the_variables(server: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/does/not/exist")
    assert send(server.url, reading(), validate_certs=False) == {"all": "well"}


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_authorities_of_the_environment_are_not_read_without_tls(
    wire: WireFactory, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "/does/not/exist")
    assert send(wire(answering(WHOLE)).url, reading()) == {"all": "well"}


def test_a_server_that_speaks_no_tls_is_a_tls_failure(wire: WireFactory) -> None:
    def speak_plainly(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        peer.wait_for_end()

    server = wire(speak_plainly)
    with pytest.raises(FleetError) as caught:
        send(server.url.replace("http://", "https://"), writing())
    assert (caught.value.code, caught.value.retryable) == ("tls", False)
    assert caught.value.delivery is Delivery.NOT_SENT


def test_a_handshake_that_breaks_off_was_not_sent(wire: WireFactory, clock: Clock, authority: trustme.CA) -> None:
    def hang_up(_peer: Peer) -> None:
        pass

    server = wire(hang_up)
    with pytest.raises(FleetError) as caught:
        send(server.url.replace("http://", "https://"), writing())
    assert caught.value.code in ("tls", "connection")
    assert caught.value.delivery is Delivery.NOT_SENT
    assert_tells_no_secret(caught.value)
