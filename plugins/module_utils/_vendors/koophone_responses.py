# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What KooPhone's responses mean: bodies, and error codes. https://support.huaweicloud.com/intl/en-us/api-koophone/"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._common.errors import Code, Delivery
from .._common.phone_states import PHONE_STATUSES, status_name
from .._http.messages import Response
from .paging import Page
from .parsing import word_in

# Errors of a whole batch that a single ID causes: no permission for an instance, instances of several regions or of
# several tenants, no such instance. https://support.huaweicloud.com/intl/en-us/api-koophone/ErrorCode.html
# A reboot is also refused if one of the phones isn't running:
# https://support.huaweicloud.com/api-koophone/BatchRebootInstance.html
_NOT_RUNNING = "KOOPHONE.API.5005"
_CAUSED_BY_ONE_ID = (
    "KOOPHONE.API.1001",
    "KOOPHONE.API.1002",
    "KOOPHONE.API.1012",
    "KOOPHONE.API.4001",
    _NOT_RUNNING,
)


@dataclass(frozen=True)
class ListedPhone:
    """A phone as the tenant's listing shows it; what the listing leaves out is ``None``.

    ``status`` is KooPhone's integer, whose names are in ``phone_states``. A phone is ``frozen`` while it is in the
    grace period after its paid time. ``tenant`` is the account's name at Huawei Cloud.
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

    @property
    def status_name(self) -> str | None:
        """The name of the status, ``None`` if the listing doesn't tell it."""
        return None if self.status is None else status_name(self.status)

    @property
    def health(self) -> str | None:
        """What kind of attention the status needs."""
        return PHONE_STATUSES[self.status_name].health if self.status_name else None


@dataclass(frozen=True)
class _Meaning:
    """What a vendor's error code means; ``remedy`` may name the options of the ``{credential}``."""

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
    _NOT_RUNNING: _Meaning("bad_request", "it isn't running any more: start it in the KooPhone console"),
    "KOOPHONE.API.9999": _Meaning("unavailable", "try again later", True, Delivery.UNKNOWN),
}


def is_caused_by_one_id(vendor_code: str | None) -> bool:
    """Whether a batch that was refused with this code may succeed without one of its IDs."""
    return vendor_code in _CAUSED_BY_ONE_ID


def parse_statuses(response: Response) -> dict[str, int | None]:
    body = _successful_body(response)
    if isinstance(body, dict):
        # The page's table has data.status_results. The example on the same page has status_results at the top.
        data = body.get("data")
        results = _list_in(data if isinstance(data, dict) else body, "status_results")
        if isinstance(results, list) and all(_has_id(r) for r in results):
            return {str(result["instance_id"]): _number(result.get("status")) for result in results}
    raise response.malformed("an object with status_results")


def _has_id(result: Any) -> bool:
    return isinstance(result, dict) and type(result.get("instance_id")) in (str, int)


def parse_reboot(response: Response) -> None:
    body = _successful_body(response)
    if not isinstance(body, dict) or "error_code" not in body:
        raise response.malformed("an object with error_code")


def parse_page(response: Response) -> Page[ListedPhone]:
    body = _successful_body(response)
    data = body.get("data") if isinstance(body, dict) else None
    if isinstance(data, dict):
        results, total = _list_in(data, "result"), _number(data.get("total_count"))
        if isinstance(results, list) and total is not None and all(_is_phone(result) for result in results):
            return Page(response, [_phone(response, result) for result in results], total)
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
    """The value that should be a list; KooPhone may send null for an empty one."""
    return [] if key in data and data[key] is None else data.get(key)


def _flag(value: Any) -> bool | None:
    number = _number(value)
    return None if number is None else number == 1


def _successful_body(response: Response) -> Any:
    """The body of a successful response.

    :raises FleetError: if the HTTP status or the body reports a failure.
    """
    body = response.body
    error_code = body.get("error_code") if isinstance(body, dict) else None
    if type(error_code) in (str, int):
        # Errors have HTTP 200 in one edition of the pages, and 400, 401 or 500 in another. Both editions spell the
        # prefixes KOOPHONE and APIG in several ways.
        code = str(error_code).upper().replace("APIGW.", "APIG.")
        if code != "0":
            raise _failure(response, code, word_in(response, body.get("error_msg")) or "no message")
    if not response.ok:
        raise response.error_for_status(response.status, error_text(body) or response.text)
    if error_code is not None and type(error_code) not in (str, int):
        raise response.malformed("an object whose error_code is text")
    return body


def error_text(body: Any) -> str:
    """The message of an error of Huawei Cloud.

    IAM sends ``{"error": {"message": ...}}`` as in Keystone, the other services ``{"error_code": ..., "error_msg":
    ...}``. https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html
    """
    if not isinstance(body, dict):
        return ""
    error = body.get("error")
    words = [error.get("message")] if isinstance(error, dict) else [body.get("error_code"), body.get("error_msg")]
    return ": ".join(word for word in [*words, error, body.get("message")] if isinstance(word, str) and word)


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
    # int() raises an error for thousands of digits.
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
