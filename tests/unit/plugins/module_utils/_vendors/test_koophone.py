# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KooPhone's client against the answers that the generations of its documentation, its SDK and its gateway give."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.phones import Phone
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import RequestBudget
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone import Koophone
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_auth import GivenToken
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_responses import is_caused_by_one_id
from ansible_collections.msgops.fleet.tests.support.wire import (
    ANY,
    TOKEN,
    Clock,
    WireFactory,
    answering,
    raised_error,
    response,
    transport,
)
from pytest_httpserver import HTTPServer

RESULTS = [{"instance_id": "a44uhlf7", "status": 2}]
WHOLE = {"error_code": "0", "error_msg": "ok", "data": {"status_results": RESULTS}}


def koophone(url: str, **options: Any) -> Koophone:
    return Koophone(transport(url, **options), GivenToken(TOKEN))


def read(url: str, **options: Any) -> dict[str, int | None]:
    return koophone(url, **options).read_statuses(["a44uhlf7", "efjy72gs"], RequestBudget())


# Asking


def test_a_batch_is_asked_for_as_documented(wire: WireFactory) -> None:
    server = wire(answering(response(WHOLE)))
    read(server.url)
    request = server.received[0]
    assert (request.method, request.target) == ("POST", "/v1/instances/batch-query-status")
    assert request.json == {"instance_ids": ["a44uhlf7", "efjy72gs"]}
    assert request.headers["x-auth-token"] == TOKEN
    assert request.headers["content-type"] == "application/json"


def test_every_request_has_an_id_of_its_own(wire: WireFactory) -> None:
    server = wire(answering(response(WHOLE)))
    client = koophone(server.url)
    for _attempt in range(2):
        client.read_statuses(["a44uhlf7"], RequestBudget())
    ids = [uuid.UUID(request.headers["x-request-id"]) for request in server.received]
    assert len(set(ids)) == 2


def test_a_query_is_sent_in_check_mode_although_it_is_a_post(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json(WHOLE)
    assert read(url, read_only=True) == {"a44uhlf7": 2}


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_query_is_repeated_although_it_is_a_post(wire: WireFactory, clock: Clock, status: int) -> None:
    server = wire(answering(response({}, status), response(WHOLE)))
    assert read(server.url, retry_timeout=60.0) == {"a44uhlf7": 2}


def test_a_token_of_several_kilobytes_is_sent(wire: WireFactory) -> None:
    server = wire(answering(response(WHOLE)))
    Koophone(transport(server.url), GivenToken("M" * 6000)).read_statuses(["a44uhlf7"], RequestBudget())
    assert server.received[0].headers["x-auth-token"] == "M" * 6000


# Answers

SHAPES: dict[str, Any] = {
    "the table's": WHOLE,
    "the example's": {"status_results": RESULTS},
    "the example's with a code": {"status_results": RESULTS, "error_code": "0", "error_msg": "OK"},
    "the table's without a code": {"data": {"status_results": RESULTS}},
    "a number for a code": WHOLE | {"error_code": 0},
    "no code": WHOLE | {"error_code": None},
}


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_both_shapes_of_the_answer_are_read(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    assert read(url) == {"a44uhlf7": 2}


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (0, "unknown"),
        (1, "stopped"),
        (2, "running"),
        (3, "offline"),
        (4, "starting"),
        (5, "shut_down"),
        (6, "other"),
        (7, "other"),
        (10, "other"),
        (-1, "other"),
    ],
)
def test_the_integer_is_kept_and_named_as_well_as_can_be(
    httpserver: HTTPServer, url: str, status: int, name: str
) -> None:
    httpserver.expect_request(ANY).respond_with_json({"status_results": [{"instance_id": "a", "status": status}]})
    assert read(url) == {"a": status}
    assert Phone("a", status).as_result() == {"instance_id": "a", "status": status, "status_name": name, "error": None}


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        *[("2", 2), ("07", 7), ("two", None), ("", None), (None, None), (2.5, None), (True, None)],
        *[([2], None), ({}, None), ("\u00b2", None), ("9" * 5000, None)],
    ],
)
def test_a_status_that_is_no_integer_is_no_status(
    httpserver: HTTPServer, url: str, raw: object, status: int | None
) -> None:
    httpserver.expect_request(ANY).respond_with_json({"status_results": [{"instance_id": "a", "status": raw}]})
    assert read(url) == {"a": status}


def test_a_status_may_be_left_out(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"status_results": [{"instance_id": "a"}]})
    assert read(url) == {"a": None}


def test_an_id_that_is_a_number_is_a_string(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"status_results": [{"instance_id": 7, "status": 2}]})
    assert read(url) == {"7": 2}


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": "0", "data": {"status_results": []}},
        {"error_code": "0", "data": {"status_results": None}},
        {"status_results": None},
    ],
)
def test_an_answer_may_name_no_phone_at_all(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    assert read(url) == {}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        "ok",
        {"error_code": "0"},
        {"error_code": "0", "data": None},
        {"error_code": "0", "data": {}},
        {"status_results": {}},
        {"status_results": [None]},
        {"status_results": [{"status": 2}]},
        {"status_results": [{"instance_id": True, "status": 2}]},
        {"status_results": [], "error_code": {"x": 1}},
        {"status_results": [], "error_code": True},
    ],
)
def test_another_answer_is_a_bad_answer(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    error = raised_error(lambda: read(url))
    assert (error.code, error.retryable) == ("bad_answer", False)


# Errors


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"error": {"code": 400, "message": "the IDs are wrong", "title": "Bad Request"}}, "the IDs are wrong"),
        ({"error_code": None, "error_msg": "the IDs are wrong"}, "the IDs are wrong"),
        ({"error": "the IDs are wrong"}, "the IDs are wrong"),
        ({"message": "the IDs are wrong", "request_id": "x"}, "the IDs are wrong"),
    ],
)
@pytest.mark.parametrize(("status", "code"), [(400, "bad_request"), (403, "forbidden"), (500, "unavailable")])
def test_an_error_is_reported_in_the_vendors_words(
    httpserver: HTTPServer, url: str, body: Any, says: str, status: int, code: str
) -> None:
    httpserver.expect_request(ANY).respond_with_json(body, status)
    error = raised_error(lambda: read(url))
    assert error.code == code
    assert f"HTTP {status}: {says}" in error.message


MEANINGS = [
    ("KOOPHONE.API.0000", "forbidden", False),
    ("KOOPHONE.API.0004", "forbidden", False),
    ("KOOPHONE.API.1000", "bad_request", False),
    ("KOOPHONE.API.1001", "forbidden", False),
    ("KOOPHONE.API.1002", "bad_request", False),
    ("KOOPHONE.API.1004", "forbidden", False),
    ("KOOPHONE.API.1012", "forbidden", False),
    ("KOOPHONE.API.4001", "not_found", False),
    ("KOOPHONE.API.9999", "unavailable", True),
    ("APIG.0101", "not_found", False),
    ("APIG.0301", "unauthorized", False),
    ("APIG.0302", "forbidden", False),
    ("APIG.0303", "unauthorized", False),
    ("APIG.0305", "unauthorized", False),
    ("APIG.0306", "forbidden", False),
    ("APIG.0308", "throttled", True),
]


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
@pytest.mark.parametrize(("vendor_code", "code", "retryable"), MEANINGS)
def test_an_error_code_counts_whatever_the_http_status_is(
    httpserver: HTTPServer, url: str, vendor_code: str, code: str, retryable: bool, status: int
) -> None:
    httpserver.expect_request(ANY).respond_with_json({"error_code": vendor_code, "error_msg": "No."}, status)
    error = raised_error(lambda: read(url))
    assert (error.code, error.http_status, error.retryable) == (code, status, retryable)
    assert error.vendor_code == vendor_code
    assert f"HTTP {status}, {vendor_code}: No." in error.message


@pytest.mark.parametrize(
    ("spelled", "code"),
    [
        ("KooPhone.API.1001", "KOOPHONE.API.1001"),
        ("koophone.api.1001", "KOOPHONE.API.1001"),
        ("KOOPHONE.API.1001", "KOOPHONE.API.1001"),
        ("APIGW.0301", "APIG.0301"),
        ("apigw.0301", "APIG.0301"),
        ("Apig.0308", "APIG.0308"),
    ],
)
def test_an_error_code_counts_however_it_is_spelled(httpserver: HTTPServer, url: str, spelled: str, code: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"error_code": spelled, "error_msg": "No."}, 400)
    assert raised_error(lambda: read(url)).vendor_code == code


@pytest.mark.parametrize("vendor_code", ["KOOPHONE.API.2001", "KPAPI.2209", "common.00000400", "1"])
def test_an_error_code_that_is_not_known_is_a_vendors_error(httpserver: HTTPServer, url: str, vendor_code: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"error_code": vendor_code, "error_msg": "No."})
    error = raised_error(lambda: read(url))
    assert (error.code, error.retryable) == ("vendor", False)
    assert f"{vendor_code.upper()}: No." in error.message


@pytest.mark.parametrize(("status", "code"), [(400, "bad_request"), (403, "forbidden"), (500, "unavailable")])
def test_an_error_code_that_is_not_known_is_told_by_the_http_status(
    httpserver: HTTPServer, url: str, status: int, code: str
) -> None:
    httpserver.expect_request(ANY).respond_with_json({"error_code": "KPAPI.2209", "error_msg": "No."}, status)
    error = raised_error(lambda: read(url))
    assert (error.code, error.http_status) == (code, status)
    assert "KPAPI.2209: No." in error.message


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error_msg": "No."}', b"Too many requests"])
def test_an_error_without_a_code_is_told_by_the_http_status(httpserver: HTTPServer, url: str, body: bytes) -> None:
    httpserver.expect_request(ANY).respond_with_data(body, 429)
    error = raised_error(lambda: read(url))
    assert (error.code, error.http_status, error.retryable) == ("throttled", 429, True)


def test_an_error_with_results_is_an_error(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json(WHOLE | {"error_code": "KOOPHONE.API.1004"})
    assert raised_error(lambda: read(url)).code == "forbidden"


def test_results_with_an_http_error_are_an_error(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json(WHOLE, 500)
    assert raised_error(lambda: read(url)).code == "unavailable"


def test_the_gateways_throttling_is_waited_for(wire: WireFactory, clock: Clock) -> None:
    text = "The throttling threshold has been reached: policy user over ratelimit,limit:XX,time:1 minute"
    throttled = {"error_code": "APIG.0308", "error_msg": text, "request_id": "1"}
    server = wire(answering(response(throttled, 429), response(throttled), response(WHOLE)))
    assert read(server.url, retry_timeout=60.0) == {"a44uhlf7": 2}


def test_a_token_that_the_gateway_gives_back_is_masked(httpserver: HTTPServer, url: str) -> None:
    body = {"error_code": "APIG.0301", "error_msg": f"decrypt token fail: {TOKEN}"}
    httpserver.expect_request(ANY).respond_with_json(body, 401)
    error = raised_error(lambda: read(url))
    assert "decrypt token fail: ***; check auth_token" in error.message


def test_refused_credentials_are_shown_to_the_vendor_once(wire: WireFactory, clock: Clock) -> None:
    server = wire(answering(response({"error_code": "APIG.0301", "error_msg": "No."}, 401)))
    client = koophone(server.url, retry_timeout=60.0)
    for _attempt in range(3):
        assert raised_error(lambda: client.read_statuses(["a"], RequestBudget())).code == "unauthorized"
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("vendor_code", "one_id"),
    [
        ("KOOPHONE.API.1001", True),
        ("KOOPHONE.API.1002", True),
        ("KOOPHONE.API.1012", True),
        ("KOOPHONE.API.4001", True),
        ("KOOPHONE.API.1004", False),
        ("KOOPHONE.API.0000", False),
        ("KOOPHONE.API.9999", False),
        ("APIG.0301", False),
        ("APIG.0308", False),
        (None, False),
    ],
)
def test_only_some_refusals_may_be_due_to_a_single_id(vendor_code: str | None, one_id: bool) -> None:
    assert is_caused_by_one_id(vendor_code) is one_id


def test_a_message_names_the_phones(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({}, 403)
    client = koophone(url)
    one = raised_error(lambda: client.read_statuses(["a"], RequestBudget()))
    several = raised_error(lambda: client.read_statuses(["a", "b", "c"], RequestBudget()))
    assert "Reading the status of phone a at KooPhone failed" in one.message
    assert "Reading the status of 3 phones (a to c) at KooPhone failed" in several.message


def test_a_refusal_is_no_doubt_about_what_was_done(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"error_code": "KOOPHONE.API.4001", "error_msg": "No."})
    assert raised_error(lambda: read(url)).delivery is Delivery.REFUSED
