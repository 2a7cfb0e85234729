# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PlugzAPI's client against the responses that its documentation, Z-API's and their users report."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import RequestBudget
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Credentials, Instance, Reading
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.plugzapi import Plugzapi
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.plugzapi_responses import Availability
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
from werkzeug import Request, Response

CREDENTIALS = Credentials("3C01", TOKEN, "account-t0ken")


def read(url: str, credentials: Credentials = CREDENTIALS, **options: Any) -> Reading:
    return Plugzapi(transport(url, **options)).read_state(credentials, RequestBudget())


def partner(url: str, **options: Any) -> Plugzapi:
    return Plugzapi(transport(url, **options), TOKEN)


def create(url: str, **options: Any) -> Instance:
    return partner(url, **options).create_instance({"name": "shop"})


def ask(url: str, **options: Any) -> Availability:
    return Plugzapi(transport(url, **options)).check_registration(CREDENTIALS, "55", "4499999999")


# Reading a state


def test_the_token_is_in_the_path_and_the_accounts_token_in_a_header(wire: WireFactory) -> None:
    server = wire(answering(response({"connected": True})))
    read(server.url)
    request = server.received[0]
    assert (request.method, request.target) == ("GET", f"/instances/3C01/token/{quote(TOKEN, safe='')}/status")
    assert request.headers["client-token"] == "account-t0ken"


def test_the_accounts_token_may_be_left_out(wire: WireFactory) -> None:
    server = wire(answering(response({"connected": True})))
    assert read(server.url, Credentials("3C01", TOKEN)).state == "authorized"
    assert "client-token" not in server.received[0].headers


@pytest.mark.parametrize(
    "error",
    [
        "You are already connected",
        "You are already connected.",
        "You need to restore the session",
        "You are not connected",
        "",
        None,
        ...,
    ],
)
@pytest.mark.parametrize(
    ("connected", "reading"),
    [(True, Reading("authorized", "connected")), (False, Reading("notAuthorized", "disconnected"))],
)
def test_only_connected_tells_the_state(
    httpserver: HTTPServer, url: str, connected: bool, reading: Reading, error: object
) -> None:
    body = {"connected": connected, "smartphoneConnected": False, "session": not connected}
    httpserver.expect_request(ANY).respond_with_json(body if error is ... else body | {"error": error})
    assert read(url) == reading


@pytest.mark.parametrize("body", [None, [], {}, True, "connected", {"connected": None}, {"connected": "true"}])
def test_another_answer_is_a_bad_answer(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    error = raised_error(lambda: read(url))
    assert error.code == "bad_answer"
    assert "an object with connected was expected" in error.message


# Errors

ERRORS: dict[str, tuple[int, Any, str, str]] = {
    "400 with an error": (400, {"error": "Invalid request"}, "bad_request", "HTTP 400: Invalid request"),
    "400 with a message": (400, {"message": "Invalid request"}, "bad_request", "HTTP 400: Invalid request"),
    "400 as a bare string": (400, "Proxy is not reachable", "bad_request", "HTTP 400: Proxy is not reachable"),
    "the account's token is missing": (
        400,
        {"error": "your client-token is not configured"},
        "unauthorized",
        "give the account's security token as client_token",
    ),
    "the account's token is missing, at any status": (
        200,
        {"error": "null not allowed"},
        "unauthorized",
        "give the account's security token as client_token",
    ),
    "401": (401, {}, "unauthorized", "check instance_id, instance_token and client_token"),
    "the account's token is wrong": (
        403,
        {"error": "Client-Token account-t0ken not allowed"},
        "forbidden",
        "HTTP 403: Client-Token *** not allowed",
    ),
    "another address is wanted": (200, {"error": "10.0.0.1 not allowed"}, "forbidden", "10.0.0.1 not allowed"),
    "another address is wanted, with 403": (403, {"error": "10.0.0.1 not allowed"}, "forbidden", "10.0.0.1"),
    "405": (405, {}, "bad_request", "HTTP 405"),
    "415": (415, {}, "bad_request", "HTTP 415"),
    "a failure with 200": (200, {"error": "Oops", "message": "It broke"}, "vendor", "HTTP 200: Oops: It broke"),
    "500": (500, {"error": "Oops"}, "unavailable", "HTTP 500: Oops"),
}


@pytest.mark.parametrize(("status", "body", "code", "words"), ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("action", [read, ask], ids=["reading", "asking"])
def test_an_error_is_understood_in_every_form(
    httpserver: HTTPServer, url: str, action: Callable[[str], object], status: int, body: Any, code: str, words: str
) -> None:
    httpserver.expect_request(ANY).respond_with_json(body, status)
    error = raised_error(lambda: action(url))
    assert (error.code, error.http_status) == (code, status)
    assert words in error.message


@pytest.mark.parametrize("status", [200, 400, 403])
def test_an_error_in_plain_text_is_understood(httpserver: HTTPServer, url: str, status: int) -> None:
    httpserver.expect_request(ANY).respond_with_data("account-t0ken not allowed", status, content_type="text/plain")
    error = raised_error(lambda: read(url))
    assert error.code == ("bad_request" if status == 400 else "forbidden")
    assert f"HTTP {status}" in error.message
    assert "*** not allowed" in error.message


def test_a_wrong_path_is_http_200_with_not_found(httpserver: HTTPServer, url: str) -> None:
    text = "Unable to find matching target resource method"
    httpserver.expect_request(ANY).respond_with_json({"error": "NOT_FOUND", "message": text})
    error = raised_error(lambda: read(url))
    assert (error.code, error.http_status) == ("not_found", 200)
    assert text in error.message


def test_a_wrong_verb_is_http_405(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_data("", 405)
    error = raised_error(lambda: read(url))
    assert (error.code, error.http_status, error.retryable) == ("bad_request", 405, False)


# Listing a partner's instances

NOT_FOUND = {"error": "NOT_FOUND", "message": "Unable to find matching target resource method"}


def item(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"ID{number}",
        "name": f"name {number}",
        "token": f"token {number}",
        "due": 1648565999675,
        "paymentStatus": "TRIAL",
        "middleware": "web",
        "whatsappConnected": False,
        **fields,
    }


class Account:
    """Serves pages of ``size`` instances; ``before_page`` may change the account before a page is asked for."""

    def __init__(self, items: Sequence[dict[str, Any]], size: int = 2) -> None:
        self.items = list(items)
        self.size = size
        self.asked: list[str] = []
        self.before_page: dict[int, Callable[[Account], object]] = {}

    def __call__(self, request: Request) -> Response:
        self.asked.append(request.args["page"])
        page = int(request.args["page"])
        if page in self.before_page:
            self.before_page.pop(page)(self)
        pages = -(-len(self.items) // self.size)
        content = self.items[(page - 1) * self.size : page * self.size]
        answer = {"total": len(self.items), "totalPage": pages, "pageSize": self.size, "page": page}
        return Response(json.dumps({**answer, "content": content}), content_type="application/json")


def listed(httpserver: HTTPServer, url: str, account: Account) -> list[str]:
    httpserver.expect_request("/instances", method="GET").respond_with_handler(account)
    instances = partner(url).list_instances()
    assert instances is not None
    return [instance.id for instance in instances]


def test_the_partners_token_is_a_bearer_token_and_nothing_else(wire: WireFactory) -> None:
    server = wire(answering(response({"total": 0, "totalPage": 0, "content": []})))
    assert partner(server.url).list_instances() == []
    request = server.received[0]
    assert (request.method, request.target, request.body) == ("GET", "/instances?page=1&pageSize=100", b"")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert "client-token" not in request.headers


def test_an_instance_is_listed_with_all_that_the_account_tells_of_it(httpserver: HTTPServer, url: str) -> None:
    listed = item(1, created=1648393199675)
    httpserver.expect_request(ANY).respond_with_json({"total": 1, "totalPage": 1, "content": [listed]})
    instances = partner(url).list_instances()
    assert instances == [
        Instance(
            "ID1",
            "name 1",
            "token 1",
            "2022-03-29T14:59:59Z",
            1648565999675,
            created_at="2022-03-27T14:59:59Z",
            payment_status="TRIAL",
            reading=Reading("notAuthorized", "disconnected"),
            trial_ends_at="2022-03-29T14:59:59Z",
        )
    ]
    assert "token 1" not in repr(instances)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"whatsappConnected": True, "phoneConnected": False}, "authorized"),
        ({"whatsappConnected": False, "phoneConnected": True}, "notAuthorized"),
        ({"whatsappConnected": "", "phoneConnected": True}, None),
    ],
)
def test_a_listed_instances_state_is_whatsapps_not_the_phones(
    httpserver: HTTPServer, url: str, fields: dict[str, Any], state: str | None
) -> None:
    httpserver.expect_request(ANY).respond_with_json({"total": 1, "totalPage": 1, "content": [item(1, **fields)]})
    (instance,) = partner(url).list_instances() or []
    assert (instance.reading and instance.reading.state) == state


@pytest.mark.parametrize("nothing", ["", None, 0, []])
def test_what_a_listing_leaves_empty_is_not_known(httpserver: HTTPServer, url: str, nothing: object) -> None:
    fields = {"created": nothing, "paymentStatus": nothing, "whatsappConnected": nothing, "due": nothing}
    httpserver.expect_request(ANY).respond_with_json({"total": 1, "totalPage": 1, "content": [item(1, **fields)]})
    (instance,) = partner(url).list_instances() or []
    assert (instance.payment_status, instance.reading, instance.plan) == (None, None, None)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_all_pages_are_listed_each_once(httpserver: HTTPServer, url: str, count: int) -> None:
    account = Account([item(number) for number in range(count)])
    assert listed(httpserver, url, account) == [f"ID{number}" for number in range(count)]
    assert account.asked == [str(page) for page in range(1, -(-count // 2) + 1)]


def test_the_page_that_is_asked_for_is_named_in_an_error(wire: WireFactory) -> None:
    first = response({"total": 3, "totalPage": 2, "content": [item(1), item(2)]})
    server = wire(answering(first, response({}, 403)))
    error = raised_error(partner(server.url).list_instances)
    assert "listing the PlugzAPI partner's instances (page 2) failed: HTTP 403; check partner_token" in (
        error.message[0].lower() + error.message[1:]
    )


@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_instance_that_comes_while_the_account_is_listed_hides_no_other(
    httpserver: HTTPServer, url: str, at: int
) -> None:
    account = Account([item(number) for number in range(5)])
    account.before_page[at] = lambda account: account.items.insert(0, item(99))
    assert sorted(listed(httpserver, url, account)) == [f"ID{number}" for number in [0, 1, 2, 3, 4, 99]]


@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_instance_that_goes_while_the_account_is_listed_hides_no_other(
    httpserver: HTTPServer, url: str, at: int
) -> None:
    account = Account([item(number) for number in range(6)])
    account.before_page[at] = lambda account: account.items.pop(0)
    assert sorted(listed(httpserver, url, account)) == [f"ID{number}" for number in [1, 2, 3, 4, 5]]


def test_an_account_that_keeps_changing_is_an_error_that_may_pass(httpserver: HTTPServer, url: str) -> None:
    account = Account([item(number) for number in range(20)])

    def shrink(account: Account) -> None:
        account.items.pop()
        account.before_page[2] = shrink

    account.before_page[2] = shrink
    error = raised_error(lambda: listed(httpserver, url, account))
    assert (error.code, error.retryable) == ("bad_answer", True)
    assert "the instances change while they are listed" in error.message


# Each page has what a page may have: 700 kB of text, or 10,000 values.
LARGE = {"bytes": {"padding": "x" * 700_000}, "values": {"padding": [0] * 10_000}}


@pytest.mark.parametrize("fields", LARGE.values(), ids=LARGE)
def test_all_pages_together_have_the_size_of_a_listing(
    httpserver: HTTPServer, url: str, fields: dict[str, Any]
) -> None:
    account = Account([item(number, **fields) for number in range(300)])
    account.size = 1
    error = raised_error(lambda: listed(httpserver, url, account))
    assert (error.code, error.retryable) == ("bad_answer", False)
    assert "a listing of instances of 32 MiB and 1,000,000 values at most, all its pages together" in error.message
    assert len(account.asked) < 110


def test_an_instance_that_two_pages_show_is_listed_once(wire: WireFactory) -> None:
    pages = [{"total": 3, "totalPage": 2, "content": content} for content in ([item(1), item(2)], [item(2), item(3)])]
    server = wire(answering(*map(response, pages)))
    assert [i.id for i in partner(server.url).list_instances() or []] == ["ID1", "ID2", "ID3"]


def test_fewer_instances_than_the_listing_counts_are_no_whole_listing(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"total": 2, "totalPage": 1, "content": [item(1)]})
    error = raised_error(partner(url).list_instances)
    assert error.code == "bad_answer"
    assert "a listing of 2 instances, not of 1, was expected" in error.message


def test_a_listing_may_leave_out_its_total(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"totalPage": 1, "content": [item(1)]})
    assert [i.id for i in partner(url).list_instances() or []] == ["ID1"]


NO_SUCH_CALL: dict[str, tuple[int, Any]] = {
    "HTTP 404": (404, {}),
    "HTTP 405": (405, {"error": "Method Not Allowed"}),
    "HTTP 200 with NOT_FOUND": (200, NOT_FOUND),
    "HTTP 404 with NOT_FOUND": (404, NOT_FOUND),
}


@pytest.mark.parametrize(("status", "body"), NO_SUCH_CALL.values(), ids=NO_SUCH_CALL)
def test_a_gateway_may_have_no_listing(httpserver: HTTPServer, url: str, status: int, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body, status)
    assert partner(url).list_instances() is None


@pytest.mark.parametrize(("status", "body"), NO_SUCH_CALL.values(), ids=NO_SUCH_CALL)
def test_a_listing_that_ends_after_its_first_page_is_an_error(wire: WireFactory, status: int, body: Any) -> None:
    first = response({"total": 3, "totalPage": 2, "content": [item(1), item(2)]})
    server = wire(answering(first, response(body, status)))
    error = raised_error(partner(server.url).list_instances)
    assert error.code == ("bad_request" if status == 405 else "not_found")


@pytest.mark.parametrize(
    ("status", "code"), [(401, "unauthorized"), (403, "forbidden"), (500, "unavailable"), (302, "bad_answer")]
)
@pytest.mark.parametrize("page", [1, 2])
def test_a_page_that_fails_fails_the_listing(wire: WireFactory, status: int, code: str, page: int) -> None:
    whole = response({"total": 3, "totalPage": 2, "content": [item(1), item(2)]})
    server = wire(answering(*[whole] * (page - 1), response({}, status)))
    assert raised_error(partner(server.url).list_instances).code == code


def test_a_page_that_fails_for_the_moment_is_asked_for_again(wire: WireFactory, clock: Clock) -> None:
    first = response({"total": 3, "totalPage": 2, "content": [item(1), item(2)]})
    second = response({"total": 3, "totalPage": 2, "content": [item(3)]})
    server = wire(answering(first, response({}, 503), second))
    assert len(partner(server.url, retry_timeout=60.0).list_instances() or []) == 3


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        [item(1)],
        {},
        {"content": []},
        {"content": None, "totalPage": 1},
        {"content": {}, "totalPage": 1},
        {"content": [], "totalPage": "1"},
        {"content": [], "totalPage": -1},
        {"content": [], "totalPage": 10**9},
        {"content": [None], "totalPage": 1},
        {"content": [{}], "totalPage": 1},
        {"content": [item(1), item(2, id=None)], "totalPage": 1},
        {"content": [item(1), item(2, name=5)], "totalPage": 1},
        {"content": [item(1), item(2, name=["shop"])], "totalPage": 1},
        {"content": None, "totalPage": 1, "total": 1},
        {"content": [], "totalPage": True},
        {"content": [item(1)], "totalPage": 1, "total": "1"},
        {"content": [item(1, token=5)], "totalPage": 1},
        {"content": [item(1, token={"x": []})], "totalPage": 1},
    ],
)
def test_another_answer_is_no_listing(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    assert raised_error(partner(url).list_instances).code == "bad_answer"


@pytest.mark.parametrize("counts", [{"total": 0}, {"total": 0, "totalPage": 1}, {"totalPage": 0}])
def test_an_account_without_instances_may_have_null_for_a_list(
    httpserver: HTTPServer, url: str, counts: dict[str, int]
) -> None:
    httpserver.expect_request(ANY).respond_with_json({"page": 1, "totalPage": 0, "content": None, **counts})
    assert partner(url).list_instances() == []


def test_an_instance_may_have_no_name(httpserver: HTTPServer, url: str) -> None:
    nameless = item(2)
    del nameless["name"]
    body = {"content": [item(1, name=None), nameless, item(3, name="shop")], "totalPage": 1, "total": 3}
    httpserver.expect_request(ANY).respond_with_json(body)
    assert [instance.name for instance in partner(url).list_instances() or ()] == ["", "", "shop"]


def test_what_a_cancellation_means_is_not_computed(httpserver: HTTPServer, url: str) -> None:
    cancelled = item(1, paymentStatus="CANCELED", due=1648565999675)
    httpserver.expect_request(ANY).respond_with_json({"total": 1, "totalPage": 1, "content": [cancelled]})
    instance = (partner(url).list_instances() or [])[0]
    assert (instance.due_raw, instance.deleted) == (1648565999675, False)


# Creating an instance

CREATED = {"id": "8823XWIE982KII99012K2L", "token": "new-token", "due": 1648565999675}


def test_a_creation_sends_the_options_in_the_vendors_spelling(wire: WireFactory) -> None:
    server = wire(answering(response(CREATED)))
    options = {
        "session_name": "Shop",
        "delivery_callback_url": "https://h/1",
        "received_callback_url": "https://h/2",
        "received_and_delivery_callback_url": "https://h/3",
        "disconnected_callback_url": "https://h/4",
        "connected_callback_url": "https://h/5",
        "message_status_callback_url": "https://h/6",
    }
    partner(server.url).create_instance(Plugzapi.payload_for("shop", options))
    request = server.received[0]
    assert (request.method, request.target) == ("POST", "/instances/integrator/on-demand")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.json == {
        "name": "shop",
        "sessionName": "Shop",
        "deliveryCallbackUrl": "https://h/1",
        "receivedCallbackUrl": "https://h/2",
        "receivedAndDeliveryCallbackUrl": "https://h/3",
        "disconnectedCallbackUrl": "https://h/4",
        "connectedCallbackUrl": "https://h/5",
        "messageStatusCallbackUrl": "https://h/6",
    }


@pytest.mark.parametrize("status", [200, 201])
def test_a_creation_succeeds_with_200_and_with_201(httpserver: HTTPServer, url: str, status: int) -> None:
    httpserver.expect_request(ANY).respond_with_json(CREATED, status)
    due = "2022-03-29T14:59:59Z"
    new = Instance("8823XWIE982KII99012K2L", "shop", "new-token", due, 1648565999675, trial_ends_at=due)
    assert create(url) == new


@pytest.mark.parametrize(
    ("raw", "due"),
    [
        (1648565999675, "2022-03-29T14:59:59Z"),
        ("1648565999675", "2022-03-29T14:59:59Z"),
        ("329000002121", "1980-06-04T20:53:22Z"),
        (1700000000, "2023-11-14T22:13:20Z"),
        ("1700000000", "2023-11-14T22:13:20Z"),
        ("soon", None),
        (None, None),
    ],
)
def test_the_end_comes_as_a_string_or_a_number_of_milliseconds_or_seconds(
    httpserver: HTTPServer, url: str, raw: object, due: str | None
) -> None:
    httpserver.expect_request(ANY).respond_with_json(CREATED | {"due": raw})
    created = create(url)
    assert (created.due, created.due_raw) == (due, raw)


@pytest.mark.parametrize("raw", [[1648565999675], {"date": "2022-03-29"}])
def test_an_end_that_is_neither_text_nor_a_number_is_none(httpserver: HTTPServer, url: str, raw: object) -> None:
    httpserver.expect_request(ANY).respond_with_json(CREATED | {"due": raw})
    assert (create(url).due, create(url).due_raw) == (None, None)


def test_an_instance_without_an_end_is_created_all_the_same(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"id": "a", "token": "new-token"})
    assert create(url) == Instance("a", "shop", "new-token")


def test_the_documented_answer_without_commas_leaves_the_outcome_open(httpserver: HTTPServer, url: str) -> None:
    text = '{"id": "8823XWIE982KII99012K2L" "token": "8900" "due": "329000002121"}'
    httpserver.expect_request(ANY).respond_with_data(text, 201, content_type="application/json")
    error = raised_error(lambda: create(url))
    assert (error.code, error.delivery) == ("bad_answer", Delivery.UNKNOWN)
    assert "8900" not in error.message


@pytest.mark.parametrize("charset", ["iso-8859-1", "x-unknown", "utf-8"])
def test_a_token_is_not_lost_for_the_words_beside_it(wire: WireFactory, charset: str) -> None:
    content = '{"id": "ID1", "token": "new-token", "message": "criação concluída"}'.encode("iso-8859-1")
    server = wire(answering(response(content, headers={"Content-Type": f"application/json; charset={charset}"})))
    created = create(server.url)
    assert (created.id, created.token) == ("ID1", "new-token")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"id": "a"},
        {"token": "a"},
        CREATED | {"id": 5},
        CREATED | {"token": ""},
        CREATED | {"token": "t\ufffd"},
    ],
)
def test_a_success_without_id_and_token_leaves_the_outcome_open(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    error = raised_error(lambda: create(url))
    assert (error.code, error.delivery) == ("bad_answer", Delivery.UNKNOWN)


@pytest.mark.parametrize("status", [408, 499, 500, 502, 503, 504])
def test_a_creation_that_was_not_refused_leaves_the_outcome_open(wire: WireFactory, clock: Clock, status: int) -> None:
    server = wire(answering(response({}, status), response(CREATED)))
    error = raised_error(lambda: create(server.url, retry_timeout=60.0))
    assert error.delivery is Delivery.UNKNOWN
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, {"error": "Invalid request"}), (401, {}), (403, {}), (200, {"error": "x not allowed"}), (200, NOT_FOUND)],
)
def test_a_creation_that_was_refused_created_nothing(httpserver: HTTPServer, url: str, status: int, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body, status)
    assert raised_error(lambda: create(url)).delivery is Delivery.REFUSED


# Whether a number may be registered


def test_a_number_is_asked_for_as_documented(wire: WireFactory) -> None:
    server = wire(answering(response({"available": True})))
    ask(server.url)
    request = server.received[0]
    path = f"/instances/3C01/token/{quote(TOKEN, safe='')}/mobile/registration-available"
    assert (request.method, request.target) == ("POST", path)
    assert request.headers["client-token"] == "account-t0ken"
    assert request.json == {"ddi": "55", "phone": "4499999999"}


def test_an_available_number_has_its_waiting_times(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json(
        {"available": True, "smsWaitSeconds": 0, "voiceWaitSeconds": 5, "waOldWaitSeconds": 1.5, "waOldEligible": True}
    )
    assert ask(url) == Availability(
        available=True, sms_wait_seconds=0, voice_wait_seconds=5, wa_old_wait_seconds=1.5, wa_old_eligible=True
    )


def test_a_banned_number_has_its_appeal_token(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"available": False, "blocked": True, "appealToken": TOKEN})
    answer = ask(url)
    assert answer == Availability(available=False, blocked=True, appeal_token=TOKEN)
    assert TOKEN not in repr(answer)


def test_a_reason_alone_is_an_answer(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"reason": "invalid_number"})
    assert ask(url) == Availability(reason="invalid_number")


def test_a_reason_shows_no_secret(httpserver: HTTPServer, url: str) -> None:
    reason = f"use app3al or {TOKEN} or account-t0ken"
    httpserver.expect_request(ANY).respond_with_json({"available": False, "appealToken": "app3al", "reason": reason})
    assert ask(url).reason == "use *** or *** or ***"


@pytest.mark.parametrize("body", [{"reason": ["x"]}, {"reason": None}, {"blocked": True}, {}, [], "yes", None])
def test_an_answer_that_tells_nothing_of_the_number_is_a_bad_answer(
    httpserver: HTTPServer, url: str, body: object
) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    assert raised_error(lambda: ask(url)).code == "bad_answer"


def test_an_empty_appeal_token_is_none(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"available": False, "appealToken": ""})
    assert ask(url) == Availability(available=False)


def test_values_of_another_type_count_as_absent(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json(
        {
            "available": None,
            "blocked": 1,
            "appealToken": None,
            "smsWaitSeconds": "0",
            "voiceWaitSeconds": True,
            "waOldEligible": None,
            "reason": ["x"],
        }
    )
    assert ask(url) == Availability()


@pytest.mark.parametrize("status", [408, 499, 500, 502, 503, 504])
def test_a_question_that_may_have_arrived_is_not_repeated(wire: WireFactory, clock: Clock, status: int) -> None:
    server = wire(answering(response({}, status), response({"available": True})))
    assert raised_error(lambda: ask(server.url, retry_timeout=60.0)).delivery is Delivery.UNKNOWN
    assert len(server.received) == 1


def test_a_question_that_timed_out_is_not_repeated(wire: WireFactory, clock: Clock) -> None:
    server = wire(silence)
    assert raised_error(lambda: ask(server.url, timeout=0.05, retry_timeout=60.0)).code == "timeout"
    assert len(server.received) == 1


def test_nothing_is_asked_in_check_mode(wire: WireFactory) -> None:
    server = wire(answering(response({"available": True})))
    with pytest.raises(AssertionError):
        ask(server.url, read_only=True)
    assert server.connections == 0


@pytest.mark.parametrize(
    "fields",
    [{"available": value} for value in ("true", 1, [], {}, {"x": []})] + [{"appealToken": value} for value in (5, [])],
)
def test_whether_a_number_is_available_is_not_guessed(httpserver: HTTPServer, url: str, fields: dict[str, Any]) -> None:
    httpserver.expect_request(ANY).respond_with_json({"reason": "x"} | fields)
    error = raised_error(lambda: ask(url))
    assert error.code == "bad_answer"
    assert f"an object whose {next(iter(fields))} is a" in error.message


@pytest.mark.parametrize("body", [None, [], {}, {"smsWaitSeconds": 0}, "no"])
def test_an_answer_about_something_else_is_a_bad_answer(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    assert raised_error(lambda: ask(url)).code == "bad_answer"
