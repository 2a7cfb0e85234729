# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults reset and close at each point of request and response, seen from a bare socket."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

msgops_emulator: Any = pytest.importorskip("msgops_emulator")

if TYPE_CHECKING:
    from msgops_emulator import Control

    from .conftest import GreenApi

BODY = b'{"name": "shop"}'
ENDS = {"reset": ConnectionResetError, "close": None}


@pytest.fixture
def connection(emulator: Control) -> Iterator[socket.socket]:
    with connect(emulator) as opened:
        yield opened


def connect(emulator: Control) -> socket.socket:
    where = urlsplit(emulator.url)
    return socket.create_connection((where.hostname, where.port), timeout=10)


def head(emulator: Control) -> bytes:
    token = quote(emulator.account("green_api")["partner_token"], safe="")
    lines = [f"POST /partner/createInstance/{token} HTTP/1.1", "Host: x", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {len(BODY)}", "", ""]).encode()


def received(connection: socket.socket, fault: str) -> bytes:
    """Return the bytes that come until the connection ends, and assert that it ends in the way of the fault."""
    data = bytearray()
    raised = None
    try:
        while chunk := connection.recv(65536):
            data += chunk
    except OSError as error:
        raised = type(error)
    assert raised is ENDS[fault]
    return bytes(data)


@pytest.mark.parametrize("fault", ENDS)
def test_before_the_first_byte_is_read(emulator: Control, fault: str) -> None:
    emulator.arm("*", fault, at="connection")
    with (
        contextlib.suppress(ConnectionResetError),
        connect(emulator) as connection,
    ):  # a reset can arrive while connecting
        assert received(connection, fault) == b""
    assert emulator.faults()[0]["hits"] == 1
    assert emulator.log() == []


@pytest.mark.parametrize("fault", ENDS)
def test_after_the_head(emulator: Control, connection: socket.socket, fault: str) -> None:
    sent = head(emulator)
    emulator.arm("green_api.create", fault, at="head", match="createInstance")
    connection.sendall(sent)
    assert received(connection, fault) == b""
    (entry,) = emulator.log()
    assert (entry["fault"], entry["committed"], entry["status"], entry["body"]) == (fault, False, None, "")


@pytest.mark.parametrize("fault", ENDS)
def test_in_the_body(emulator: Control, connection: socket.socket, fault: str) -> None:
    sent = head(emulator)
    emulator.arm("green_api.create", fault, at="body")
    connection.sendall(sent + BODY[: len(BODY) // 2])
    assert received(connection, fault) == b""
    assert emulator.instances() == []
    assert [entry["committed"] for entry in emulator.log()] == [False]


@pytest.mark.parametrize("fault", ENDS)
def test_after_the_body(emulator: Control, connection: socket.socket, fault: str) -> None:
    sent = head(emulator)
    emulator.arm("green_api.create", fault, at="answer", when="after")
    connection.sendall(sent + BODY)
    assert received(connection, fault) == b""
    assert len(emulator.instances()) == 1


@pytest.mark.parametrize("fault", ENDS)
def test_in_the_response(emulator: Control, fault: str) -> None:
    sent = head(emulator)
    got = {}
    for place in ("answer_head", "answer_body", "answer_end"):
        emulator.arm("green_api.create", fault, at=place)
        with connect(emulator) as connection:
            connection.sendall(sent + BODY)
            got[place] = received(connection, fault)
    assert got["answer_head"].startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\n" not in got["answer_head"]
    body = {place: answer.partition(b"\r\n\r\n")[2] for place, answer in got.items()}
    assert len(body["answer_body"]) == len(body["answer_end"]) // 2
    assert body["answer_end"].endswith(b"}")
    assert b"Connection: close" not in got["answer_end"]
    assert len(emulator.instances()) == 3
    assert [(entry["committed"], entry["status"]) for entry in emulator.log()] == [(True, 200)] * 3


def test_a_tls_connection_can_end_before_its_handshake(tmp_path: Path) -> None:
    files = (tmp_path / "cert.pem", tmp_path / "key.pem")
    with msgops_emulator.Emulator(tls=files) as emulator:
        emulator.arm("*", "close", at="connection")
        context = ssl.create_default_context(cafile=str(files[0]))
        with connect(emulator) as connection, pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(connection, server_hostname="localhost")
        with connect(emulator) as connection:
            context.wrap_socket(connection, server_hostname="localhost").close()


def test_other_requests_are_served(green: GreenApi, emulator: Control) -> None:
    emulator.arm("green_api.create", "reset", at="head", skip=1, count=None)
    assert green.create(name="a").status_code == 200
    assert green.partner("getInstances", "GET").status_code == 200
    assert emulator.faults()[0]["hits"] == 0


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"route": "green_api.create", "options": {"at": "connection"}}, "arm this fault with the route"),
        ({"route": "*", "match": "shop", "options": {"at": "connection"}}, "without match"),
        ({"route": "*", "options": {"at": "body", "when": "after"}}, "has not been read"),
        ({"route": "*", "options": {"at": "home"}}, "at: 'home'"),
    ],
)
def test_an_invalid_place_is_refused(emulator: Control, wanted: dict[str, Any], text: str) -> None:
    with pytest.raises(msgops_emulator.ControlError, match=text):
        emulator.request("POST", "faults", {"fault": "reset", **wanted})
    assert emulator.faults() == []
