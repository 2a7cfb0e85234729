# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Huawei Cloud KooPhone: the status of cloud phones. https://support.huaweicloud.com/intl/en-us/api-koophone/"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from .._common.errors import Code, Delivery, FleetError
from .._common.polling import poll
from .._http.messages import Effect, Request, Response
from .._http.parsing import encode_body
from .._http.transport import RequestBudget, Transport
from .gateway import word_in
from .koophone_auth import Authentication

# https://support.huaweicloud.com/intl/en-us/api-koophone/instanceBatchQueryStatus.html ; the table of the page's
# newest edition contradicts its own introduction, which keeps these names.
STATUS_NAMES = {0: "unknown", 1: "stopped", 2: "running", 3: "offline", 4: "starting", 5: "shut_down"}
OTHER = "other"
MISSING = "missing"

# No permission for an instance, instances of several regions or tenants, no such instance: errors of the whole batch
# that one id of it causes. https://support.huaweicloud.com/intl/en-us/api-koophone/ErrorCode.html
_CAUSED_BY_ONE_ID = ("KOOPHONE.API.1001", "KOOPHONE.API.1002", "KOOPHONE.API.1012", "KOOPHONE.API.4001")

# How often a tenant is listed that changes meanwhile, and far more pages than any tenant has.
_LISTINGS = 3
_MAX_PAGES = 10_000

Value = TypeVar("Value")


@dataclass(frozen=True)
class ListedPhone:
    """A phone as the tenant's listing shows it; ``None`` is what it doesn't tell.

    ``status`` is one of ``STATUS_NAMES``, also where the call for many statuses has newer meanings. A phone is
    ``frozen`` when it isn't paid for in the time of grace. ``tenant`` is the account's name at Huawei Cloud.
    """

    id: str
    name: str
    status: int | None = None
    frozen: bool | None = None
    region: str | None = None
    sku: str | None = None
    billing_mode: str | None = None
    project: str | None = None
    tenant: str | None = None
    assigned: bool | None = None


@dataclass(frozen=True)
class _Page:
    response: Response
    phones: list[ListedPhone]
    total: int


@dataclass(frozen=True)
class _Meaning:
    code: Code
    remedy: str = ""
    retryable: bool = False
    delivery: Delivery = Delivery.REFUSED


_CREDENTIALS = _Meaning("unauthorized", "check {credential} (a token lives 24 hours)")
_PERMISSION = _Meaning("forbidden", "check the permissions of {credential} (the action's access level is Write)")

_MEANINGS: dict[str, _Meaning] = {
    "APIG.0101": _Meaning("not_found", "check endpoint"),
    "APIG.0301": _CREDENTIALS,
    "APIG.0303": _CREDENTIALS,
    "APIG.0305": _CREDENTIALS,
    "APIG.0302": _PERMISSION,
    "APIG.0306": _PERMISSION,
    "APIG.0308": _Meaning("throttled", "lower concurrency or raise retry_timeout", True, Delivery.THROTTLED),
    "KOOPHONE.API.0000": _Meaning("forbidden", "check the tenant of {credential}"),
    "KOOPHONE.API.0004": _Meaning("forbidden", "check the project of {credential}"),
    "KOOPHONE.API.1000": _Meaning("bad_request", "check the IDs and the size of batches or pages"),
    "KOOPHONE.API.1001": _Meaning("forbidden", "check the id, and the permissions of {credential}"),
    "KOOPHONE.API.1002": _Meaning("bad_request", "ask for the instances of one region at a time"),
    "KOOPHONE.API.1004": _Meaning("forbidden", "subscribe to KooPhone, or check the tenant of {credential}"),
    "KOOPHONE.API.1012": _Meaning("forbidden", "ask for the instances of one tenant at a time"),
    "KOOPHONE.API.4001": _Meaning("not_found", "check the id"),
    "KOOPHONE.API.9999": _Meaning("unavailable", "try again later", True, Delivery.UNKNOWN),
}


class Koophone:
    """The phones that one tenant sees."""

    def __init__(self, transport: Transport, authentication: Authentication) -> None:
        self._transport = transport
        self._authentication = authentication
        self._first = threading.Lock()
        self._accepted = False
        self._refusal: FleetError | None = None

    def read_statuses(self, instance_ids: Sequence[str], budget: RequestBudget) -> dict[str, int | None]:
        """The status of each of ``instance_ids`` that the answer names; ``None`` where it isn't a number.

        POST /v1/instances/batch-query-status, which only reads.
        """
        return self._send(
            "POST",
            "/v1/instances/batch-query-status",
            f"reading the status of {_some(instance_ids)} at KooPhone",
            _parse_statuses,
            budget,
            body={"instance_ids": list(instance_ids)},
        )

    def list_phones(self, *, page_size: int, concurrency: int) -> list[ListedPhone]:
        """All of the tenant's phones, asked for in pages, several at once.

        https://support.huaweicloud.com/intl/en-us/api-koophone/ListInstances.html ; it gives no largest page.
        """
        for _attempt in range(_LISTINGS):
            pages = self._pages(page_size, concurrency)
            # A phone that comes or goes meanwhile moves others from page to page, past the reader.
            if all(page.total == pages[0].total for page in pages):
                break
        else:
            raise pages[-1].response.error(
                "bad_answer", "the phones change while they are listed", remedy="try again later", retryable=True
            )
        found = {phone.id: phone for page in pages for phone in page.phones}
        if len(found) < pages[0].total:
            raise pages[-1].response.malformed(f"a listing of {pages[0].total} phones, not of {len(found)},")
        return list(found.values())

    def _pages(self, size: int, concurrency: int) -> list[_Page]:
        first = self._page(1, size)
        # Pages may be smaller than asked for.
        count = -(-first.total // len(first.phones)) if first.phones else 1
        if count > _MAX_PAGES:
            raise first.response.malformed(f"a listing of {_MAX_PAGES} pages at most")
        pages = {1: first}

        def read(number: int) -> bool:
            pages[number] = self._page(number, size)
            return True

        poll(range(2, count + 1), read, workers=concurrency)
        return [pages[number] for number in sorted(pages)]

    def _page(self, number: int, size: int) -> _Page:
        return self._send(
            "GET",
            "/v1/instances/batch-query",
            f"listing the phones at KooPhone (page {number})",
            _parse_page,
            RequestBudget(),
            query={"page_no": str(number), "page_size": str(size)},
        )

    def _send(
        self,
        method: str,
        path: str,
        what: str,
        parse: Callable[[Response], Value],
        budget: RequestBudget,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
    ) -> Value:
        """Send a request, the first one before all others: refused credentials are not shown to the vendor again.

        Huawei Cloud locks an access key after five failures in a row
        (https://support.huaweicloud.com/en-us/ocr_faq/ocr_01_0063.html).
        """
        with self._first:
            if self._refusal:
                raise self._refusal
            if not self._accepted:
                try:
                    return self._transport.send(self._request(method, path, what, body, query), parse, budget)
                except FleetError as error:
                    if error.code == "unauthorized":
                        self._refusal = error
                    raise
                finally:
                    # While the vendor is down, the requests needn't wait for one another's retries.
                    self._accepted = self._refusal is None
        return self._transport.send(self._request(method, path, what, body, query), parse, budget)

    def _request(self, method: str, path: str, what: str, body: Any, query: Mapping[str, str] | None) -> Request:
        request_id = str(uuid.uuid4())
        sent = b"" if body is None else encode_body(body)
        url = self._transport.base_url + path
        if query is not None:
            # The pages of calls with a query have it there, the others in the header.
            query = {"x-request-id": request_id, **query}
            url += "?" + urlencode(query)
        authentication = self._authentication.headers_for(method, url, sent)
        return Request(
            method,
            path,
            what=what,
            effect=Effect.READS,
            credential=self._authentication.credential,
            secrets=self._authentication.secrets,
            headers={**authentication, "x-request-id": request_id},
            query=query or {},
            body=body,
        )


def is_caused_by_one_id(vendor_code: str | None) -> bool:
    """Whether a batch that was refused with this code may succeed without one of its ids."""
    return vendor_code in _CAUSED_BY_ONE_ID


def _parse_statuses(response: Response) -> dict[str, int | None]:
    body = _successful_body(response)
    if isinstance(body, dict):
        # The page's table has data.status_results, its example status_results at the top and no error_code.
        data = body.get("data")
        results = _list_in(data if isinstance(data, dict) else body, "status_results")
        if isinstance(results, list) and all(_has_id(r) for r in results):
            return {str(result["instance_id"]): _number(result.get("status")) for result in results}
    raise response.malformed("an object with status_results")


def _has_id(result: Any) -> bool:
    return isinstance(result, dict) and isinstance(result.get("instance_id"), (str, int))


def _parse_page(response: Response) -> _Page:
    body = _successful_body(response)
    data = body.get("data") if isinstance(body, dict) else None
    if isinstance(data, dict):
        results, total = _list_in(data, "result"), _number(data.get("total_count"))
        if isinstance(results, list) and total is not None and all(_is_phone(result) for result in results):
            return _Page(response, [_phone(response, result) for result in results], total)
    raise response.malformed("a page of phones with result and total_count")


def _is_phone(result: Any) -> bool:
    return isinstance(result, dict) and isinstance(result.get("instance_id"), str) and bool(result["instance_id"])


def _phone(response: Response, result: Mapping[str, Any]) -> ListedPhone:
    billing_mode = result.get("billing_mode")
    return ListedPhone(
        id=result["instance_id"],
        name=word_in(response, result.get("instance_name")) or "",
        status=_number(result.get("running_status")),
        frozen=_flag(result.get("frozen_status")),
        region=word_in(response, result.get("region")),
        sku=word_in(response, result.get("instance_sku")),
        billing_mode=word_in(response, billing_mode if _number(billing_mode) is None else str(billing_mode)),
        project=word_in(response, result.get("project_name")),
        tenant=word_in(response, result.get("account_name")),
        assigned=_flag(result.get("assign_status")),
    )


def _list_in(data: Mapping[str, Any], key: str) -> Any:
    """What should be a list; an empty one can be null."""
    return [] if key in data and data[key] is None else data.get(key)


def _flag(value: Any) -> bool | None:
    number = _number(value)
    return None if number is None else number == 1


def _successful_body(response: Response) -> Any:
    """The body, if neither the HTTP status nor the body itself tells of a failure."""
    body = response.body
    if isinstance(body, dict) and isinstance(body.get("error_code"), (str, int)):
        # One generation of the pages answers errors with HTTP 200, the other with 400, 401 and 500; both spell
        # KooPhone and APIG in several ways.
        code = str(body["error_code"]).upper().replace("APIGW.", "APIG.")
        if code != "0":
            raise _failure(response, code, word_in(response, body.get("error_msg")) or "no message")
    if not response.ok:
        raise response.error_for_status(response.status, response.text)
    return body


def _failure(response: Response, code: str, text: str) -> Exception:
    reason = f"HTTP {response.status}, {code}: {text}"
    meaning = _MEANINGS.get(code)
    if meaning is not None:
        return response.error(
            meaning.code,
            reason,
            remedy=meaning.remedy.format(credential=response.request.credential),
            retryable=meaning.retryable,
            delivery=meaning.delivery,
            vendor_code=code,
        )
    if response.ok:
        return response.error("vendor", reason, delivery=Delivery.REFUSED, vendor_code=code)
    return response.error_for_status(response.status, f"{code}: {text}")


def _number(value: Any) -> int | None:
    # Python doesn't read thousands of digits.
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _some(instance_ids: Sequence[str]) -> str:
    if len(instance_ids) == 1:
        return f"phone {instance_ids[0]}"
    return f"{len(instance_ids)} phones ({instance_ids[0]} to {instance_ids[-1]})"
