# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KooPhone's client lists a tenant's phones page by page."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone import Koophone
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_auth import AccessKey, GivenToken
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_responses import ListedPhone
from ansible_collections.msgops.fleet.tests.support.wire import (
    ANY,
    TOKEN,
    Crowd,
    WireFactory,
    answering,
    raised_error,
    response,
    transport,
)
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from msgops_emulator import Control

# The fields of the page's table.
RESULT: dict[str, Any] = {
    "instance_id": "a44uhlf7",
    "instance_name": "phone-1",
    "region": "cn-north-4",
    "instance_sku": "Professional edition | 8 vCPUs",
    "frozen_status": 0,
    "running_status": 2,
    "login_status": 1,
    "assign_status": 1,
    "assign_user": "somebody",
    "billing_mode": "1",
    "project_id": "0a1b",
    "project_name": "cn-north-4",
    "phone_id": "a44uhlf7",
    "member_name": "Some Body",
    "account_name": "acme",
    "region_name": "somewhere",
}


def page(*results: Any, total: Any = None) -> dict[str, Any]:
    data = {"result": list(results), "page_no": 1, "page_size": 100, "total_count": len(results)}
    return {
        "data": data if total is None else data | {"total_count": total},
        "error_code": "0",
        "error_msg": "ok",
    }


def phones(url: str, page_size: int = 100, concurrency: int = 4) -> list[ListedPhone]:
    client = Koophone(transport(url, concurrency=concurrency), GivenToken(TOKEN), page_size=page_size)
    return client.list_phones(concurrency=concurrency)


class Tenant:
    """Serves pages of at most ``largest`` of its phones; ``before_page`` may change them before a page is given."""

    def __init__(self, count: int, largest: int = 100) -> None:
        self.ids = [f"kp{number:04d}" for number in range(count)]
        self.largest = largest
        self.asked: list[int] = []
        self.before_page: Callable[[Tenant, int], None] = lambda tenant, number: None

    def __call__(self, request: Request) -> Response:
        number, size = int(request.args["page_no"]), min(int(request.args["page_size"]), self.largest)
        self.before_page(self, number)
        self.asked.append(number)
        shown = self.ids[(number - 1) * size : number * size]
        body = page(*(RESULT | {"instance_id": id} for id in shown), total=len(self.ids))
        return Response(response_body(body), content_type="application/json")


def response_body(body: Any) -> bytes:
    return response(body).partition(b"\r\n\r\n")[2]


def test_a_page_is_asked_for_as_documented(wire: WireFactory) -> None:
    server = wire(answering(response(page())))
    assert phones(server.url, page_size=50) == []
    request = server.received[0]
    target = urlsplit(request.target)
    query = parse_qs(target.query)
    assert (request.method, target.path, request.body) == ("GET", "/v1/instances/batch-query", b"")
    assert (query["page_no"], query["page_size"]) == (["1"], ["50"])
    # The page of this call has the id in the query, all others in the header.
    assert str(uuid.UUID(query["x-request-id"][0])) == request.headers["x-request-id"]
    assert request.headers["x-auth-token"] == TOKEN


def test_a_phone_is_listed_with_what_the_tenant_is_told_of_it(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json(page(RESULT))
    assert phones(url) == [
        ListedPhone(
            id="a44uhlf7",
            name="phone-1",
            status=2,
            frozen=False,
            region="cn-north-4",
            sku="Professional edition | 8 vCPUs",
            billing_mode="1",
            project="cn-north-4",
            tenant="acme",
            assigned=True,
        )
    ]


@pytest.mark.parametrize("nothing", [None, "", [], {}])
@pytest.mark.parametrize("fields", [(), tuple(RESULT)], ids=["left out", "empty"])
def test_what_a_listing_leaves_out_is_not_known(
    httpserver: HTTPServer, url: str, fields: tuple[str, ...], nothing: object
) -> None:
    result = dict.fromkeys(fields, nothing) | {"instance_id": "a44uhlf7"}
    httpserver.expect_request(ANY).respond_with_json(page(result))
    assert phones(url) == [ListedPhone("a44uhlf7", "")]


def test_numbers_and_strings_of_digits_are_the_same(httpserver: HTTPServer, url: str) -> None:
    result = RESULT | {"running_status": "5", "frozen_status": "1", "assign_status": "0", "billing_mode": 3}
    httpserver.expect_request(ANY).respond_with_json(page(result, total="1"))
    (phone,) = phones(url)
    assert (phone.status, phone.frozen, phone.assigned, phone.billing_mode) == (5, True, False, "3")


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250])
@pytest.mark.parametrize("largest", [100, 30])
def test_all_pages_are_listed_each_once(httpserver: HTTPServer, url: str, count: int, largest: int) -> None:
    tenant = Tenant(count, largest)
    httpserver.expect_request(ANY).respond_with_handler(tenant)
    assert [phone.id for phone in phones(url)] == tenant.ids
    assert sorted(tenant.asked) == list(range(1, -(-count // largest) + 1))


def test_pages_are_asked_for_at_once(httpserver: HTTPServer, url: str) -> None:
    tenant, crowd = Tenant(500), Crowd(4)

    def meet(tenant: Tenant, number: int) -> None:
        if number > 1:
            with crowd:
                pass

    tenant.before_page = meet
    httpserver.expect_request(ANY).respond_with_handler(tenant)
    assert len(phones(url, concurrency=4)) == 500
    assert crowd.most == 4


def test_a_tenant_that_changes_meanwhile_is_listed_again(httpserver: HTTPServer, url: str) -> None:
    tenant = Tenant(150)

    def lose_one(tenant: Tenant, number: int) -> None:
        if number == 2 and len(tenant.ids) == 150:
            tenant.ids.pop(0)

    tenant.before_page = lose_one
    httpserver.expect_request(ANY).respond_with_handler(tenant)
    assert [phone.id for phone in phones(url)] == tenant.ids
    assert tenant.asked == [1, 2, 1, 2]


def test_a_tenant_that_changes_all_the_time_is_an_error(httpserver: HTTPServer, url: str) -> None:
    tenant = Tenant(150)
    tenant.before_page = lambda tenant, number: tenant.ids.append(f"new{len(tenant.asked)}")
    httpserver.expect_request(ANY).respond_with_handler(tenant)
    error = raised_error(lambda: phones(url))
    assert (error.code, error.retryable) == ("bad_answer", True)
    assert "the phones change while they are listed; try again later" in error.message


def test_a_tenant_without_phones_may_have_null_for_a_list(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"data": {"result": None, "total_count": 0}})
    assert phones(url) == []


BROKEN: dict[str, Any] = {
    "no data": {"error_code": "0"},
    "no object": [],
    "no result": {"data": {"total_count": 0}},
    "no total": {"data": {"result": []}},
    "a total that is no number": page(total="many"),
    "null for a list that isn't empty": {"data": {"result": None, "total_count": 1}},
    "a result that is no list": {"data": {"result": {}, "total_count": 0}},
    "a phone that is no object": page("a44uhlf7"),
    "a phone without an id": page({"instance_name": "phone-1"}),
    "a phone with an empty id": page(RESULT | {"instance_id": ""}),
    "fewer phones than it says": page(total=1),
    "the same phone twice": page(RESULT, RESULT),
    "more pages than anybody has": page(RESULT, total=10**9),
    "more phones than a float can count": page(RESULT, total=10**400),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_listing_that_is_not_whole_is_an_error(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_request(ANY).respond_with_json(body)
    assert raised_error(lambda: phones(url)).code == "bad_answer"


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("vendor_code", "code"),
    [
        ("KOOPHONE.API.1000", "bad_request"),
        ("KooPhone.API.1004", "forbidden"),
        ("APIGW.0301", "unauthorized"),
        ("APIG.0308", "throttled"),
    ],
)
def test_an_error_code_is_an_error_at_any_status(
    httpserver: HTTPServer, url: str, status: int, vendor_code: str, code: str
) -> None:
    httpserver.expect_request(ANY).respond_with_json({"error_code": vendor_code, "error_msg": "no"}, status=status)
    assert raised_error(lambda: phones(url)).code == code


def test_a_page_that_fails_fails_the_listing(httpserver: HTTPServer, url: str) -> None:
    tenant = Tenant(250)

    def serve(request: Request) -> Response:
        return Response(status=500) if request.args["page_no"] == "2" else tenant(request)

    httpserver.expect_request(ANY).respond_with_handler(serve)
    error = raised_error(lambda: phones(url))
    assert error.code == "unavailable"
    assert error.message.startswith("Listing the phones at KooPhone (page 2) failed: HTTP 500")


@pytest.mark.parametrize("page_size", [1, 7, 100])
def test_a_signature_covers_the_query(emulator: Control, page_size: int) -> None:
    emulator.seed(phones=[{"count": 15, "id": "kp{n:04d}"}])
    account = emulator.account("koophone")
    client = Koophone(
        transport(emulator.url), AccessKey(account["access_key"], account["secret_key"]), page_size=page_size
    )
    listed: Sequence[ListedPhone] = client.list_phones(concurrency=4)
    assert [phone.id for phone in listed] == [f"kp{number:04d}" for number in range(1, 16)]
