# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Valid responses that clients may fail on: informational ones, encodings, nulls."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

msgops_emulator: Any = pytest.importorskip("msgops_emulator")

if TYPE_CHECKING:
    from msgops_emulator import Control

    from .conftest import GreenApi, PlugzApi


def exchange(emulator: Control) -> bytes:
    """Send a creation; return all bytes that come back."""
    token = quote(emulator.account("green_api")["partner_token"], safe="")
    where = urlsplit(emulator.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(
            f"POST /partner/createInstance/{token} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            'Content-Length: 16\r\n\r\n{"name": "shop"}'.encode()
        )
        data = bytearray()
        while chunk := connection.recv(65536):
            data += chunk
        return bytes(data)


# Informational responses


@pytest.mark.parametrize("statuses", [[103], [102], [100], [100, 103, 103, 102], [150]])
def test_informational_responses_come_before_the_final_one(emulator: Control, statuses: list[int]) -> None:
    emulator.arm("green_api.create", "informational", statuses=statuses)
    *before, real, _body = exchange(emulator).split(b"\r\n\r\n")
    assert [int(answer.split()[1]) for answer in before] == statuses
    assert real.startswith(b"HTTP/1.1 200 OK\r\n")
    assert [(entry["status"], entry["fault"]) for entry in emulator.log()] == [(200, "informational")]


def test_informational_and_final_responses_can_be_delayed(emulator: Control) -> None:
    emulator.arm("green_api.create", "informational", statuses=[102, 103], seconds=0.2, pause=0.2)
    started = time.monotonic()
    assert exchange(emulator).count(b"HTTP/1.1 ") == 3
    assert time.monotonic() - started >= 0.6


def test_informational_responses_combine_with_another_fault(emulator: Control) -> None:
    emulator.arm("green_api.create", "informational")
    emulator.arm("green_api.create", "bad_gateway", when="after")
    answers = exchange(emulator).split(b"\r\n\r\n")
    assert [answer.split()[1] for answer in answers[:2]] == [b"103", b"502"]
    assert len(emulator.instances()) == 1
    emulator.arm("green_api.create", "informational", statuses=[102])
    emulator.arm("green_api.create", "close", when="after")
    assert exchange(emulator) == b"HTTP/1.1 102 Processing\r\n\r\n"


@pytest.mark.parametrize("statuses", [[101], [200], [99], ["103"], [True], 103, None])
def test_other_statuses_are_refused(emulator: Control, statuses: Any) -> None:
    with pytest.raises(msgops_emulator.ControlError, match="statuses"):
        emulator.arm("*", "informational", statuses=statuses)


# A declared encoding


@pytest.mark.parametrize("charset", ["ISO-8859-1", "windows-1252", "utf-16"])
def test_a_response_declares_its_encoding(plugz: PlugzApi, emulator: Control, charset: str) -> None:
    emulator.arm("plugzapi.create", "charset", charset=charset)
    response = plugz.create(name="loja")
    assert response.headers["Content-Type"] == f"application/json;charset={charset}"
    with pytest.raises(UnicodeDecodeError):
        response.content.decode("utf-8")
    answer = json.loads(response.content.decode(charset))
    assert answer["message"] == "criação concluída"
    assert answer["id"] == emulator.instances()[0]["id"]


def test_characters_that_an_encoding_lacks_are_escaped(plugz: PlugzApi, emulator: Control) -> None:
    name = "são \u20ac \U0001f600"
    plugz.create(name=name)
    emulator.arm("plugzapi.list", "charset")
    content = plugz.list().content
    assert b's\xe3o \\u20ac \\ud83d\\ude00"' in content
    assert json.loads(content.decode("latin-1"))["content"][0]["name"] == name


def test_an_unknown_encoding_is_refused(emulator: Control) -> None:
    with pytest.raises(msgops_emulator.ControlError, match="charset: 'klingon'"):
        emulator.arm("*", "charset", charset="klingon")


# Nulls


def test_names_in_a_listing_can_be_null(green: GreenApi, emulator: Control) -> None:
    emulator.seed(instances=[{"provider": "green_api", "count": 3}])

    def names(**options: Any) -> list[str | None]:
        emulator.arm("green_api.list", "nulls", **options)
        return [item["name"] for item in green.partner("getInstances", "GET").json()]

    assert names() == [None, "instance-2", "instance-3"]
    assert names(items=2) == [None, None, "instance-3"]
    assert names(items=0) == [None, None, None]
    assert names(key="nothing") == ["instance-1", "instance-2", "instance-3"]


def test_the_list_of_a_listing_can_be_null(plugz: PlugzApi, emulator: Control) -> None:
    plugz.create(name="loja")
    emulator.arm("plugzapi.list", "nulls", key="content")
    assert plugz.list().json() == {"total": 1, "totalPage": 1, "pageSize": 50, "page": 1, "content": None}
    assert len(plugz.list().json()["content"]) == 1
