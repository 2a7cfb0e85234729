# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults, over real sockets."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

msgops_emulator: Any = pytest.importorskip("msgops_emulator")

if TYPE_CHECKING:
    from msgops_emulator import Control

    from .conftest import GreenApi, KooPhone, PlugzApi


@pytest.fixture
def instance(emulator: Control) -> dict[str, Any]:
    return emulator.seed(instances=[{"provider": "green_api", "state": "authorized"}])["instances"][0]


def connect(emulator: Control) -> socket.socket:
    where = urlsplit(emulator.url)
    return socket.create_connection((where.hostname, where.port), timeout=10)


def create(connection: socket.socket, emulator: Control) -> None:
    """Send a creation, without reading the response."""
    token = quote(emulator.account("green_api")["partner_token"], safe="")
    body = b'{"name": "shop"}'
    head = f"POST /partner/createInstance/{token} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    connection.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)


def received(connection: socket.socket) -> bytes:
    """Return the bytes that come until the connection ends."""
    data = bytearray()
    while chunk := connection.recv(65536):
        data += chunk
    return bytes(data)


def eventually(condition: Callable[[], Any], seconds: float = 5) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value


# For which requests a fault fires


def test_a_fault_skips_requests_and_then_fires_count_times(
    green: GreenApi, emulator: Control, instance: dict[str, Any]
) -> None:
    armed = emulator.arm("green_api.get_state", "status", skip=1, count=2, status=503)
    assert [green.instance(instance, "getStateInstance").status_code for _n in range(4)] == [200, 503, 503, 200]
    (fault,) = emulator.faults()
    assert fault == {**armed, "seen": 3, "hits": 2}
    assert emulator.disarm() == 1
    assert emulator.faults() == []


def test_a_fault_without_a_count_fires_until_it_is_disarmed(
    green: GreenApi, emulator: Control, instance: dict[str, Any]
) -> None:
    armed = emulator.arm("*", "bad_gateway", count=None)
    assert {green.instance(instance, "getStateInstance").status_code for _n in range(5)} == {502}
    assert emulator.disarm(armed["id"]) == 1
    assert green.instance(instance, "getStateInstance").status_code == 200
    with pytest.raises(msgops_emulator.ControlError) as raised:
        emulator.disarm(armed["id"])
    assert raised.value.status == 404


def test_match_looks_at_path_and_body(green: GreenApi, emulator: Control, instance: dict[str, Any]) -> None:
    emulator.arm("green_api.create", "status", count=None, match='"second"')
    assert [green.create(name=name).status_code for name in ("first", "second", "third")] == [200, 500, 200]
    emulator.arm("green_api.*", "status", count=None, match=f"waInstance{instance['id']}")
    assert green.instance(instance, "getSettings").status_code == 500


def test_the_first_matching_fault_fires(green: GreenApi, emulator: Control, instance: dict[str, Any]) -> None:
    emulator.arm("green_api.get_state", "status", status=500)
    emulator.arm("*", "status", status=503)
    assert [green.instance(instance, "getStateInstance").status_code for _n in range(3)] == [500, 503, 200]


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"route": "green_api.nothing", "fault": "reset"}, "green_api.nothing"),
        ({"route": "*", "fault": "explosion"}, "explosion"),
        ({"route": "*", "fault": "reset", "options": {"when": "later"}}, "when: 'later'"),
        ({"route": "*", "fault": "reset", "options": {"colour": 1}}, "colour"),
        ({"route": "*", "fault": "reset", "count": -1}, "count"),
        ({"route": "*", "fault": "status", "options": {"status": 99}}, "status: 99"),
        ({"route": "green_api.list", "fault": "lag"}, "green_api.list"),
        ({"route": "*", "fault": "reset", "retries": 1}, "retries"),
        ({}, "route"),
    ],
)
def test_an_invalid_fault_is_refused(emulator: Control, wanted: dict[str, Any], text: str) -> None:
    with pytest.raises(msgops_emulator.ControlError, match=text) as raised:
        emulator.request("POST", "faults", wanted)
    assert raised.value.status == 400
    assert emulator.faults() == []


def test_the_log_names_the_fault(green: GreenApi, emulator: Control) -> None:
    emulator.arm("green_api.create", "bad_gateway", when="before")
    emulator.arm("green_api.create", "client_closed", when="after")
    assert [green.create(name="shop").status_code for _n in range(3)] == [502, 499, 200]
    entries = emulator.log()
    assert [(entry["fault"], entry["status"], entry["committed"]) for entry in entries] == [
        ("bad_gateway", 502, False),
        ("client_closed", 499, True),
        (None, 200, True),
    ]
    assert len(emulator.instances()) == 2


# Responses that replace the normal one


def test_throttling_in_each_vendors_form(green: GreenApi, plugz: PlugzApi, koo: KooPhone, emulator: Control) -> None:
    emulator.arm("*", "throttle", count=None)
    responses = [green.create(name="a"), plugz.create(name="a"), koo.query(["a"]), koo.iam()]
    assert {response.status_code for response in responses} == {429}
    assert {"Retry-After" in response.headers for response in responses} == {False}
    assert responses[2].json()["error_code"] == "APIG.0308"
    assert responses[3].json()["error"]["code"] == 429
    assert emulator.instances() == []


def test_forms_of_retry_after(green: GreenApi, emulator: Control) -> None:
    for form in ("seconds", "date", "nonsense"):
        emulator.arm("green_api.create", "throttle", retry_after=form, seconds=7)
    seconds, date, nonsense = (green.create(name="a").headers["Retry-After"] for _n in range(3))
    assert seconds == "7"
    assert parsedate_to_datetime(date).timestamp() == pytest.approx(emulator.clock()["now"] + 7, abs=3)
    assert nonsense == "in a while"


def test_any_status_and_body(green: GreenApi, emulator: Control) -> None:
    body = {"code": 200, "description": "Error saving instance. Try creating the instance again."}
    emulator.arm("green_api.create", "status", status=400, body=body, when="after")
    response = green.create(name="a")
    assert (response.status_code, response.json()) == (400, body)
    assert len(emulator.instances()) == 1


def test_a_body_can_echo_the_secret(green: GreenApi, plugz: PlugzApi, koo: KooPhone, emulator: Control) -> None:
    emulator.arm("*", "status", count=None, status=403, echo_secret=True)
    for response, secret in (
        (green.create(name="a"), green.credential("green_api", "partner_token")),
        (plugz.create(name="a"), plugz.credential("plugzapi", "partner_token")),
        (koo.query(["a"]), koo.credential("koophone", "auth_token")),
        (koo.iam(), koo.credential("koophone", "iam_password")),
    ):
        assert response.json() == {"error": f"{secret} not allowed"}
    emulator.disarm()
    text = "{encoded_secret} at {path}"
    emulator.arm("*", "status", status=500, body=text, content_type="text/plain", echo_secret=True)
    response = green.create(name="a")
    token = quote(green.credential("green_api", "partner_token"), safe="")
    assert response.headers["Content-Type"] == "text/plain"
    assert response.text == f"{token} at /partner/createInstance/{token}"


def test_a_body_can_echo_the_secret_in_other_forms(green: GreenApi, emulator: Control) -> None:
    text = "{secret_start}|{secret_end}|{capital_secret}|{split_secret}|{wrapped_secret}"
    emulator.arm("*", "status", count=None, status=403, body={"error": text}, echo_secret=True)
    start, end, capitals, split, wrapped = green.create(name="a").json()["error"].split("|")
    token = green.credential("green_api", "partner_token")
    assert (start, start + end, capitals) == (token[: len(token) // 2], token, token.upper())
    assert (split, wrapped) == ("\u200b".join(token), "\n".join(token))


def test_the_quota_of_a_tariff(green: GreenApi, emulator: Control, instance: dict[str, Any]) -> None:
    emulator.arm("green_api.get_state", "quota")
    response = green.instance(instance, "getStateInstance")
    assert response.status_code == 466
    assert response.json()["invokeStatus"]["status"] == "QUOTE_EXCEEDED"


def test_a_bad_gateway_is_html(green: GreenApi, emulator: Control) -> None:
    emulator.arm("green_api.create", "bad_gateway")
    response = green.create(name="a")
    assert response.headers["Content-Type"] == "text/html"
    assert response.text.startswith("<html>")


def test_a_redirect(green: GreenApi, emulator: Control, instance: dict[str, Any]) -> None:
    emulator.arm("green_api.get_state", "redirect", status=307)
    response = green.instance(instance, "getStateInstance")
    assert response.status_code == 307
    assert response.headers["Location"] == f"/elsewhere/waInstance{instance['id']}/getStateInstance/{instance['token']}"
    assert green.send("GET", response.headers["Location"]).status_code == 404
    assert emulator.log()[-1]["route"] == "unknown"


@pytest.mark.parametrize("kind", ["not_json", "html", "binary", "empty", "deep"])
def test_garbage_after_the_effect(green: GreenApi, emulator: Control, kind: str) -> None:
    emulator.arm("green_api.create", "garbage", kind=kind)
    response = green.create(name="a")
    assert response.status_code == 200
    with pytest.raises((ValueError, RecursionError)):
        json.loads(response.content)
    assert len(emulator.instances()) == 1


def test_garbage_that_is_json(green: GreenApi, emulator: Control) -> None:
    emulator.arm("*", "garbage", kind="wrong_type", count=2)
    assert isinstance(green.create(name="a").json(), list)
    assert isinstance(green.partner("getInstances", "GET").json(), dict)
    emulator.arm("green_api.create", "garbage", kind="huge", megabytes=3, when="before")
    assert len(green.create(name="a").content) > 3 << 20
    assert len(emulator.instances()) == 1


# Connections that are ended, and requests that are held


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reset_sends_rst(emulator: Control, when: str) -> None:
    emulator.arm("green_api.create", "reset", when=when)
    with connect(emulator) as connection:
        create(connection, emulator)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert len(emulator.instances()) == (when == "after")
    assert emulator.log()[0]["status"] is None


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_close_ends_the_connection_without_a_response(emulator: Control, when: str) -> None:
    emulator.arm("green_api.create", "close", when=when)
    with connect(emulator) as connection:
        create(connection, emulator)
        assert received(connection) == b""
    assert len(emulator.instances()) == (when == "after")


def test_a_truncated_response(emulator: Control) -> None:
    emulator.arm("green_api.create", "truncate", keep=0.1)
    with connect(emulator) as connection:
        create(connection, emulator)
        head, _empty, body = received(connection).partition(b"\r\n\r\n")
    assert body == b'{"idInstance'
    assert b"Content-Length: 128" in head
    assert len(emulator.instances()) == 1


def test_a_delayed_response_in_pieces(emulator: Control) -> None:
    emulator.arm("green_api.create", "slow", seconds=0.3, drip=32, interval=0.1)
    started = time.monotonic()
    with connect(emulator) as connection:
        create(connection, emulator)
        head = connection.recv(65536)
        headed = time.monotonic() - started
        assert head.endswith(b"\r\n\r\n")
        body = b""
        while len(body) < 128:
            body += connection.recv(65536)
    assert headed >= 0.3
    assert time.monotonic() - started >= 0.7
    assert json.loads(body)["typeInstance"] == "whatsapp"


def test_a_creation_goes_on_after_its_client_has_gone(emulator: Control) -> None:
    emulator.arm("green_api.create", "slow", seconds=0.3)
    with connect(emulator) as connection:
        create(connection, emulator)
    assert eventually(emulator.instances)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_hanging_request_is_resumed_by_a_release(emulator: Control, when: str) -> None:
    emulator.arm("green_api.create", "hang", when=when)
    with connect(emulator) as connection:
        create(connection, emulator)
        eventually(lambda: emulator.log(committed=when == "after"))
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert len(emulator.instances()) == (when == "after")
        assert emulator.log()[0]["status"] is None
        assert emulator.release() == 1
        connection.settimeout(10)
        assert b"idInstance" in connection.recv(65536)
    assert len(emulator.instances()) == 1


def test_the_requests_of_one_fault_can_be_released(emulator: Control) -> None:
    first, second = (emulator.arm("green_api.create", "hang")["id"] for _n in range(2))
    with connect(emulator) as one, connect(emulator) as other:
        create(one, emulator)
        eventually(lambda: emulator.faults()[0]["hanging"])
        create(other, emulator)
        eventually(lambda: emulator.faults()[1]["hanging"])
        assert emulator.release(second) == 1
        assert b"idInstance" in other.recv(65536)
        assert [fault["hanging"] for fault in emulator.faults()] == [1, 0]
        assert emulator.release(second) == 0
        assert emulator.release(first) == 1
        assert b"idInstance" in one.recv(65536)


@pytest.mark.parametrize(("fault", "options"), [("hang", {}), ("slow", {"seconds": 20})])
def test_a_request_that_waits_ends_with_a_reset_of_the_emulator(
    emulator: Control, fault: str, options: dict[str, Any]
) -> None:
    emulator.arm("green_api.create", fault, **options)
    with connect(emulator) as connection:
        create(connection, emulator)
        eventually(emulator.log)
        emulator.reset()
        assert received(connection) == b""
    assert emulator.instances() == []


def test_a_hanging_request_ends_after_its_cap(emulator: Control) -> None:
    emulator.arm("green_api.create", "hang", cap=0.2)
    with connect(emulator) as connection:
        create(connection, emulator)
        assert received(connection) == b""
    assert emulator.instances() == []


def test_a_hanging_request_whose_client_has_gone_is_dropped(emulator: Control) -> None:
    emulator.arm("green_api.create", "hang")
    with connect(emulator) as connection:
        create(connection, emulator)
        eventually(emulator.log)
    eventually(lambda: emulator.release() == 0)
    assert emulator.instances() == []


def test_hanging_requests_do_not_delay_others(green: GreenApi, emulator: Control, instance: dict[str, Any]) -> None:
    emulator.arm("green_api.create", "hang", count=None)
    connections = [connect(emulator) for _n in range(20)]
    for connection in connections:
        create(connection, emulator)
    assert green.state(instance) == {"stateInstance": "authorized"}
    eventually(lambda: len(emulator.log(route="green_api.create")) == 20)
    for connection in connections:
        connection.close()


# Lag of listings, and latency


def test_listings_leave_out_a_new_instance_for_a_time(green: GreenApi, plugz: PlugzApi, emulator: Control) -> None:
    emulator.freeze()
    emulator.arm("green_api.create", "lag", seconds=5)
    green.create(name="a")
    assert green.partner("getInstances", "GET").json() == []
    emulator.advance(5)
    assert len(green.partner("getInstances", "GET").json()) == 1
    emulator.arm("plugzapi.create", "lag", listings=2)
    plugz.create(name="a")
    plugz.create(name="b")
    pages = [[item["name"] for item in plugz.list(page, 1).json()["content"]] for page in (1, 2, 1, 1, 2)]
    assert pages == [["b"], [], ["b"], ["a"], ["b"]]


def test_lag_combines_with_another_fault(green: GreenApi, emulator: Control) -> None:
    emulator.arm("green_api.create", "lag", listings=1)
    emulator.arm("green_api.create", "client_closed", when="after")
    assert green.create(name="a").status_code == 499
    assert [len(green.partner("getInstances", "GET").json()) for _n in range(2)] == [0, 1]


def test_lag_by_config(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.listing_lag_listings": 1})
    green.create(name="a")
    assert [len(green.partner("getInstances", "GET").json()) for _n in range(2)] == [0, 1]


def test_latency_of_one_vendor(green: GreenApi, koo: KooPhone, emulator: Control) -> None:
    emulator.config({"green_api.latency_seconds": 60})
    started = time.monotonic()
    koo.query(["a"])
    assert time.monotonic() - started < 60
    emulator.config({"green_api.latency_seconds": 0.3})
    started = time.monotonic()
    green.create(name="a")
    assert time.monotonic() - started >= 0.3


def test_many_connections_at_once(emulator: Control, instance: dict[str, Any]) -> None:
    emulator.config({"green_api.latency_seconds": 0.5})
    where = urlsplit(emulator.url)
    path = f"/waInstance{instance['id']}/getStateInstance/{instance['token']}"
    statuses: list[int] = []

    def ask() -> None:
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
        connection.request("GET", path)
        statuses.append(connection.getresponse().status)
        connection.close()

    threads = [threading.Thread(target=ask) for _n in range(300)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 300
    assert time.monotonic() - started < 150, "one after another"
