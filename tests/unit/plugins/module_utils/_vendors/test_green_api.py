# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GREEN-API's client against the responses that its documentation, its SDKs and its users report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common import states
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import RequestBudget
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Credentials, Instance, Reading
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.green_api import GreenApi
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import PROVIDERS
from ansible_collections.msgops.fleet.tests.support.wire import (
    ANY,
    TOKEN,
    Clock,
    WireFactory,
    answering,
    raised_error,
    response,
    silence,
    transport,
)
from pytest_httpserver import HTTPServer

CREDENTIALS = Credentials("1101000001", TOKEN)


def read(url: str, **options: Any) -> Reading:
    return GreenApi(transport(url, **options)).read_state(CREDENTIALS, RequestBudget())


def partner(url: str, **options: Any) -> GreenApi:
    return GreenApi(transport(url, **options), TOKEN)


def create(url: str, **settings: Any) -> Instance:
    return partner(url).create_instance(GreenApi.payload_for("shop", {"settings": settings}))


# Reading a state


def test_the_token_is_the_last_segment_of_the_path(wire: WireFactory) -> None:
    server = wire(answering(response({"stateInstance": "authorized"})))
    read(server.url)
    assert server.received[0].method == "GET"
    assert server.received[0].target == f"/waInstance1101000001/getStateInstance/{quote(TOKEN, safe='')}"


@pytest.mark.parametrize("word", sorted(set(states.STATES) - {"creating", "unknown"}))
def test_the_vendors_words_are_the_vocabulary(httpserver: HTTPServer, url: str, word: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"stateInstance": word})
    assert read(url) == Reading(word, word)


@pytest.mark.parametrize("word", ["sleepMode", "suspended"])
def test_words_that_only_some_editions_know_are_known(httpserver: HTTPServer, url: str, word: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"stateInstance": word})
    assert read(url).state == word


@pytest.mark.parametrize("word", ["pendingPassword", "pendingCode", "Authorized", "AUTHORIZED", "", "brandNew"])
def test_a_word_that_is_not_known_is_unknown_and_kept(httpserver: HTTPServer, url: str, word: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"stateInstance": word})
    assert read(url) == Reading("unknown", word)


def test_null_means_that_the_instance_is_being_created(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_data("null", content_type="application/json")
    assert read(url) == Reading("creating", "null")


def test_a_word_that_holds_the_token_is_masked(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"stateInstance": f"what is {TOKEN}?\nno idea"})
    assert read(url) == Reading("unknown", "what is ***? no idea")


@pytest.mark.parametrize(
    "body", [{}, [], "authorized", 1, True, {"stateInstance": None}, {"stateInstance": 1}, {"state": "authorized"}]
)
def test_another_answer_is_a_bad_answer(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    error = raised_error(lambda: read(url))
    assert error.code == "bad_answer"
    assert "an object with stateInstance was expected" in error.message


def test_an_answer_without_content_is_a_bad_answer(wire: WireFactory) -> None:
    server = wire(answering(b"HTTP/1.1 204 No Content\r\n\r\n"))
    error = raised_error(lambda: read(server.url))
    assert (error.code, error.http_status) == ("bad_answer", 204)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.greenapi.com",
        "https://api.green-api.com",
        "https://7105.api.greenapi.com",
        "https://4100.api.green-api.com",
        "https://3100.api.green-api.com/v3",
    ],
)
def test_every_form_of_the_address_is_taken_as_it_is_given(address: str) -> None:
    assert transport(address).base_url == address


def test_the_default_address_is_that_of_the_sdks() -> None:
    assert PROVIDERS["green_api"].api_url == "https://api.green-api.com"


def test_an_address_with_a_prefix_is_kept(wire: WireFactory) -> None:
    server = wire(answering(response({"stateInstance": "authorized"})))
    read(f"{server.url}/v3/")
    assert server.received[0].target.startswith("/v3/waInstance1101000001/")


# The common errors, in each form that a body can have: the vendor documents only their texts

COMMON_ERRORS = [
    (400, "instance in starting process try later", "unavailable", True, False),
    (400, "instance is starting or not authorized", "bad_request", False, False),
    (400, "instance account not authorized", "bad_request", False, False),
    (400, "Instance account is expired. Renew your instance from personal area", "bad_request", False, True),
    (400, "bad request data", "bad_request", False, False),
    (400, "Instance is deleted", "bad_request", False, False),
    (400, "Bad Request Validation failed", "bad_request", False, False),
    (400, "Validation failed. Details: 'chatId' is required", "bad_request", False, False),
    (400, "Unexpected token _ in JSON at position XX", "bad_request", False, False),
    (401, "Unauthorized", "unauthorized", False, False),
    (403, "Forbidden", "forbidden", False, False),
    (404, "Not Found", "not_found", False, False),
    (429, "Too Many Requests", "throttled", True, False),
    (466, "Monthly quota has been exceeded", "quota", False, False),
    (499, "Client Closed Request", "timeout", True, False),
    (500, "Internal Server Error", "unavailable", True, False),
    (502, "Bad Gateway", "unavailable", True, False),
]

FORMS: dict[str, Callable[[str], tuple[bytes, str]]] = {
    "message": lambda text: (response({"statusCode": 400, "message": text}), text),
    "description": lambda text: (response({"description": text}), text),
    "JSON string": lambda text: (response(text), text),
    "plain text": lambda text: (response(text.encode(), headers={"Content-Type": "text/plain"}), text),
    "text that claims to be JSON": lambda text: (response(text.encode()), text),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("status", "text", "code", "retryable", "transient"), COMMON_ERRORS)
def test_a_common_error_is_understood_in_every_form(
    wire: WireFactory,
    form: Callable[[str], tuple[bytes, str]],
    status: int,
    text: str,
    code: str,
    retryable: bool,
    transient: bool,
) -> None:
    answer, words = form(text)
    server = wire(answering(answer.replace(b"200 Whatever", f"{status} Whatever".encode())))
    error = raised_error(lambda: read(server.url))
    assert (error.code, error.http_status, error.retryable, error.transient) == (code, status, retryable, transient)
    assert f"reading the state of GREEN-API instance 1101000001 failed: HTTP {status}: {words}" in (
        error.message[0].lower() + error.message[1:]
    )


@pytest.mark.parametrize(("body", "content_type"), [(b"", "text/plain"), (b"<html>No</html>", "text/html")])
@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad_request"), (401, "unauthorized"), (403, "forbidden"), (429, "throttled"), (502, "unavailable")],
)
def test_an_error_without_words_is_told_by_its_status(
    httpserver: HTTPServer, url: str, status: int, code: str, body: bytes, content_type: str
) -> None:
    httpserver.expect_request(ANY).respond_with_data(body, status, content_type=content_type)
    error = raised_error(lambda: read(url))
    assert (error.code, error.http_status) == (code, status)
    assert "<" not in error.message


@pytest.mark.parametrize("key", ["invokeStatus", "correspondentsStatus"])
@pytest.mark.parametrize("number", [100, "100"])
def test_a_spent_quota_is_told_in_the_vendors_words_and_not_asked_for_again(
    wire: WireFactory, clock: Clock, key: str, number: object
) -> None:
    body = {
        key: {
            "method": "checkwhatsapp",
            "used": number,
            "total": number,
            "status": "QUOTE_EXCEEDED",
            "description": "Monthly quota has been exceeded",
        }
    }
    server = wire(answering(response(body, 466)))
    error = raised_error(lambda: read(server.url, retry_timeout=60.0))
    assert (error.code, error.retryable) == ("quota", False)
    assert "HTTP 466: Monthly quota has been exceeded; raise the quota" in error.message
    assert len(server.received) == 1


def test_an_instance_that_is_starting_is_asked_again(wire: WireFactory, clock: Clock) -> None:
    busy = response({"message": "instance in starting process try later"}, 400)
    server = wire(answering(busy, busy, response({"stateInstance": "authorized"})))
    assert read(server.url, retry_timeout=60.0).state == "authorized"


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_not_tried_again(wire: WireFactory, clock: Clock, status: int) -> None:
    server = wire(answering(response({}, status)))
    error = raised_error(lambda: read(server.url, retry_timeout=60.0))
    assert "check instance_id and instance_token" in error.message
    assert len(server.received) == 1


def test_a_path_that_an_error_gives_back_shows_no_token(httpserver: HTTPServer, url: str) -> None:
    text = f"Cannot GET /waInstance1/getStateInstance/{quote(TOKEN, safe='')}"
    httpserver.expect_request(ANY).respond_with_json({"message": text}, 404)
    assert "Cannot GET /waInstance1/getStateInstance/***;" in raised_error(lambda: read(url)).message


@pytest.mark.parametrize(
    ("number", "code", "retryable"),
    [(401, "unauthorized", False), (404, "not_found", False), (429, "throttled", True), (500, "unavailable", True)],
)
def test_a_failure_in_the_body_of_a_success_is_a_failure(
    httpserver: HTTPServer, url: str, number: int, code: str, retryable: bool
) -> None:
    httpserver.expect_request(ANY).respond_with_json({"code": number, "description": "No"})
    error = raised_error(lambda: read(url))
    assert (error.code, error.http_status, error.retryable) == (code, 200, retryable)
    assert f"HTTP 200 with code {number} in the body: No" in error.message


# Listing a partner's instances

ITEM: dict[str, Any] = {
    "idInstance": 1101728004,
    "name": "shop",
    "typeInstance": "whatsapp",
    "typeAccount": "",
    "partnerUserUiid": "",
    "timeCreated": "2022-06-03T18:39:44",
    "timeDeleted": "0001-01-01T00:00:00",
    "apiTokenInstance": "its-token",
    "deleted": False,
    "tariff": "PARTNER_23",
    "isFree": False,
    "isPartner": True,
    "expirationDate": "2026-12-31T23:59:59",
    "isExpired": False,
}


def listing(httpserver: HTTPServer, url: str, *items: Any) -> list[Instance]:
    httpserver.expect_request(ANY).respond_with_json(list(items))
    return partner(url).list_instances()


def test_the_partners_token_is_the_last_segment_of_the_path(wire: WireFactory) -> None:
    server = wire(answering(response([])))
    assert partner(server.url).list_instances() == []
    assert server.received[0].method == "GET"
    assert server.received[0].target == f"/partner/getInstances/{quote(TOKEN, safe='')}"


def test_an_instance_is_listed_with_all_that_the_partner_is_told_of_it(httpserver: HTTPServer, url: str) -> None:
    assert listing(httpserver, url, ITEM) == [
        Instance(
            "1101728004",
            "shop",
            "its-token",
            "2026-12-31T23:59:59Z",
            "2026-12-31T23:59:59",
            created_at="2022-06-03T18:39:44Z",
            plan="PARTNER_23",
            expired=False,
        )
    ]


@pytest.mark.parametrize("nothing", ["", None, 0, []])
def test_what_a_listing_leaves_empty_is_not_known(httpserver: HTTPServer, url: str, nothing: object) -> None:
    (instance,) = listing(httpserver, url, ITEM | {"tariff": nothing, "isExpired": nothing})
    assert (instance.plan, instance.expired, instance.payment_status, instance.reading) == (None, None, None, None)


def test_a_deleted_instance_is_listed_as_deleted(httpserver: HTTPServer, url: str) -> None:
    assert [i.deleted for i in listing(httpserver, url, ITEM | {"deleted": True}, ITEM)] == [True, False]


@pytest.mark.parametrize("number", [1, 1101728004, 9999999999, "1101728004"])
def test_an_id_is_a_string_whatever_it_was(httpserver: HTTPServer, url: str, number: object) -> None:
    assert listing(httpserver, url, ITEM | {"idInstance": number})[0].id == str(number)


@pytest.mark.parametrize("missing", [{"name": None}, {"name": ""}])
def test_an_instance_may_have_no_name(httpserver: HTTPServer, url: str, missing: dict[str, Any]) -> None:
    assert [i.name for i in listing(httpserver, url, ITEM | missing, ITEM)] == ["", "shop"]


@pytest.mark.parametrize("token", [None, ""])
def test_an_instance_may_have_no_token(httpserver: HTTPServer, url: str, token: object) -> None:
    assert listing(httpserver, url, ITEM | {"apiTokenInstance": token})[0].token is None


def test_a_token_is_in_no_text_that_shows_an_instance(httpserver: HTTPServer, url: str) -> None:
    assert "its-token" not in repr(listing(httpserver, url, ITEM))


@pytest.mark.parametrize(
    "item",
    [None, 1, "shop", [], {}, ITEM | {"idInstance": None}, ITEM | {"idInstance": True}, ITEM | {"idInstance": "x"}]
    + [ITEM | {"name": name} for name in (0, 5, False, ["shop"], {})]
    + [ITEM | {"apiTokenInstance": token} for token in (5, False, ["its-token"], {})]
    + [ITEM | {"deleted": deleted} for deleted in ("true", 1, [], {})],
)
def test_a_listing_with_one_item_that_is_no_instance_is_no_listing(
    httpserver: HTTPServer, url: str, item: object
) -> None:
    httpserver.expect_request(ANY).respond_with_json([ITEM, item])
    assert raised_error(partner(url).list_instances).code == "bad_answer"


@pytest.mark.parametrize("body", [None, {}, {"instances": []}, "[]", 0, {"code": 100, "description": "?"}])
def test_an_answer_that_is_no_list_is_no_listing(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    assert raised_error(partner(url).list_instances).code == "bad_answer"


@pytest.mark.parametrize(("status", "code"), [(404, "not_found"), (405, "bad_request")])
def test_a_listing_that_is_not_found_is_an_error(httpserver: HTTPServer, url: str, status: int, code: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({}, status)
    assert raised_error(partner(url).list_instances).code == code


WRONG_TOKEN: dict[str, tuple[bytes, str]] = {
    "HTTP 401": (response(b"", 401), "unauthorized"),
    "HTTP 401 with a body": (response({"code": 401, "description": "Unauthorized"}, 401), "unauthorized"),
    "HTTP 200 with code 401": (response({"code": 401, "description": "Unauthorized"}), "unauthorized"),
    "HTTP 400 with code 401": (response({"code": 401, "description": "Unauthorized"}, 400), "bad_request"),
    "HTTP 400 with a text": (response(b"Unauthorized", 400), "bad_request"),
}


@pytest.mark.parametrize(("answer", "code"), WRONG_TOKEN.values(), ids=WRONG_TOKEN)
def test_a_wrong_partner_token_is_refused_in_every_form(
    wire: WireFactory, clock: Clock, answer: bytes, code: str
) -> None:
    for action in (GreenApi.list_instances, lambda p: p.create_instance({"name": "shop"})):
        server = wire(answering(answer))
        error = raised_error(lambda action=action, url=server.url: action(partner(url, retry_timeout=60.0)))  # type: ignore[misc]
        assert (error.code, error.retryable, error.delivery) == (code, False, Delivery.REFUSED)
        assert len(server.received) == 1


# Creating an instance

CREATED = {"idInstance": 1101728000, "apiTokenInstance": "new-token", "typeInstance": "whatsapp"}


def test_a_creation_sends_name_and_settings_and_returns_id_and_token(wire: WireFactory) -> None:
    server = wire(answering(response(CREATED)))
    created = create(server.url, webhookUrl="https://hooks.example.com", stateWebhook=True, incomingWebhook=False)
    assert created == Instance("1101728000", "shop", "new-token")
    request = server.received[0]
    assert (request.method, request.target) == ("POST", f"/partner/createInstance/{quote(TOKEN, safe='')}")
    assert request.json == {
        "name": "shop",
        "webhookUrl": "https://hooks.example.com",
        "stateWebhook": "yes",
        "incomingWebhook": "no",
    }


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"idInstance": 1},
        {"apiTokenInstance": "x"},
        CREATED | {"apiTokenInstance": ""},
        CREATED | {"apiTokenInstance": "new-t\ufffdken"},
        CREATED | {"idInstance": None},
        {"code": 200, "description": "Error saving instance. Try creating the instance again."},
    ],
)
def test_a_success_without_id_and_token_leaves_the_outcome_open(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    error = raised_error(lambda: create(url))
    assert (error.code, error.delivery) == ("bad_answer", Delivery.UNKNOWN)


@pytest.mark.parametrize("status", [408, 499, 500, 502, 503, 504])
def test_a_creation_that_was_not_refused_leaves_the_outcome_open(wire: WireFactory, clock: Clock, status: int) -> None:
    server = wire(answering(response({}, status), response(CREATED)))
    gateway = partner(server.url, retry_timeout=60.0)
    error = raised_error(lambda: gateway.create_instance({"name": "shop"}))
    assert error.delivery is Delivery.UNKNOWN
    assert len(server.received) == 1


def test_a_creation_that_times_out_leaves_the_outcome_open(wire: WireFactory, clock: Clock) -> None:
    server = wire(silence)
    gateway = partner(server.url, timeout=0.05, retry_timeout=60.0)
    error = raised_error(lambda: gateway.create_instance({"name": "shop"}))
    assert (error.code, error.delivery) == ("timeout", Delivery.UNKNOWN)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        response({"code": 100, "description": "Temporarily no free instances"}, 400),
        response(b"Temporarily no free instances", 400),
    ],
    ids=["JSON", "text"],
)
def test_a_creation_that_was_refused_says_why(wire: WireFactory, answer: bytes) -> None:
    error = raised_error(lambda: create(wire(answering(answer)).url))
    assert (error.code, error.delivery) == ("bad_request", Delivery.REFUSED)
    assert error.message == "Creating GREEN-API instance shop failed: HTTP 400: Temporarily no free instances"


def test_a_setting_that_is_a_secret_is_masked_where_the_vendor_gives_it_back(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"message": "webhookUrlToken hook5ecret is too short"}, 400)
    assert "webhookUrlToken *** is too short" in raised_error(lambda: create(url, webhookUrlToken="hook5ecret")).message


# Settings


def test_settings_keep_their_strings_and_numbers() -> None:
    settings = {"webhookUrl": "https://x", "delaySendMessagesMilliseconds": 500, "stateWebhook": "yes"}
    assert GreenApi.payload_for("shop", {"settings": settings}) == {"name": "shop", **settings}


def test_without_settings_only_the_name_is_sent() -> None:
    assert GreenApi.payload_for("shop", {}) == {"name": "shop"}


def test_settings_that_are_not_given_are_not_sent() -> None:
    assert GreenApi.payload_for("shop", {"settings": {"webhookUrl": None, "deviceWebhook": False}}) == {
        "name": "shop",
        "deviceWebhook": "no",
    }
