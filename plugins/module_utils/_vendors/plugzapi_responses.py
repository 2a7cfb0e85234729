# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PlugzAPI's responses mean: the body and the HTTP status of each call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._common import states
from .._common.errors import Delivery
from .._http.messages import Response
from .gateway import DeletionResponse, Instance, LinkingCode, Reading, Setting
from .paging import Page
from .parsing import (
    field_of_type,
    is_token,
    name_in,
    parse_due,
    parse_pairing_code_text,
    parse_png,
    parse_qr_text,
    plain,
    setting_in,
    token_in,
    word_in,
)
from .payments import payment_in

# The types of refusals of a deletion that pass when the gateway has ended the payment; the others need a person.
_NOT_YET = ("INSTANCE_NOT_ELIGIBLE", "INSTANCE_HAS_ACTIVE_SUBSCRIPTION")


@dataclass(frozen=True)
class Availability:
    """Whether a number may be registered; waiting times in seconds, ``None`` for what the vendor left out.

    https://atendimento.tecnospeed.com.br/hc/pt-br/articles/27706832301079-Verificar-disponibilidade-de-registro
    """

    available: bool | None = None
    blocked: bool | None = None
    appeal_token: str | None = field(default=None, repr=False)
    sms_wait_seconds: int | float | None = None
    voice_wait_seconds: int | float | None = None
    wa_old_wait_seconds: int | float | None = None
    wa_old_eligible: bool | None = None
    reason: str | None = None


def parse_state(response: Response) -> Reading:
    body = response.body
    # "error" is set in successful responses, too ("You are already connected"), so only "connected" counts.
    if response.ok and isinstance(body, dict) and isinstance(body.get("connected"), bool):
        return _reading(body["connected"])
    _raise_failure(response)
    raise response.malformed("an object with connected")


def _reading(connected: bool) -> Reading:
    return Reading(states.AUTHORIZED, "connected") if connected else Reading(states.NOT_AUTHORIZED, "disconnected")


def parse_qr_code(response: Response) -> LinkingCode | None:
    value = _code_in(response)
    if value is None:
        return None
    image = parse_png(value)
    if image is None and value.startswith("data:"):
        raise response.malformed("a QR code, or its PNG,")
    return LinkingCode(image=image) if image else LinkingCode(text=parse_qr_text(response, value))


def parse_pairing_code(response: Response) -> LinkingCode | None:
    value = _code_in(response)
    return None if value is None else LinkingCode(text=parse_pairing_code_text(response, value))


def _code_in(response: Response) -> str | None:
    """The code, ``None`` if a phone is linked already."""
    body = response.body
    if response.ok and isinstance(body, dict):
        if isinstance(body.get("value"), str) and body["value"]:
            return str(body["value"])
        if body.get("connected") is True:
            return None
    _raise_failure(response)
    raise response.malformed("an object with value")


def parse_done(response: Response) -> None:
    body = response.body
    done = body.get("value") if response.ok and isinstance(body, dict) else None
    if done is True:
        return
    _raise_failure(response)
    if done is False:
        raise response.error("vendor", "the gateway says that it did not", delivery=Delivery.REFUSED)
    raise response.malformed("an object with value")


def parse_settings(response: Response, fields: Mapping[str, str], wanted: Mapping[str, Setting]) -> dict[str, Any]:
    """The settings by option; ``fields`` has the option of each field. Empty if there is no such call."""
    body = response.body
    # A wrong instance is a 404 as well, whose text names the instance.
    names_instance = "instance" in (_error_text(body) or response.text).lower()
    if _is_no_such_call(response) or (response.status in (404, 405) and not names_instance):
        return {}
    if not (response.ok and isinstance(body, dict) and "id" in body):
        _raise_failure(response)
        raise response.malformed("an object with id and settings")
    values = {
        option: setting_in(response, body, name, wanted[option]) if option in wanted else plain(body.get(name))
        for name, option in fields.items()
    }
    return {option: value for option, value in values.items() if value is not None}


def parse_subscription(response: Response) -> None:
    # The body is "OK", or there is none. A second subscription is an error that says that it is paid already.
    text = (_error_text(response.body) or response.text).lower()
    if not (response.ok and _is_plain(response)) and not ("already" in text and "paid" in text):
        _raise_failure(response)
        raise response.malformed("OK")


def parse_cancellation(response: Response) -> None:
    if not (response.ok and _is_plain(response)):
        _raise_failure(response)
        raise response.malformed("OK")


def _is_plain(response: Response) -> bool:
    """Whether the body says OK, or nothing. A page of a proxy says neither."""
    if isinstance(response.body, str):
        return response.body.strip().upper() in ("", "OK")
    if response.is_json:
        return response.body in (None, {}, [])
    return response.is_empty or response.text.upper() == "OK"


def parse_deletion(response: Response) -> DeletionResponse:
    body = response.body
    text = _error_text(body) or response.text
    if response.status == 204:
        return DeletionResponse("accepted")
    # An instance that is gone is a 404, too, and its text says so.
    if response.status == 404 and "instance" in text.lower():
        return DeletionResponse("gone")
    if response.status in (404, 405) or _is_no_such_call(response):
        return DeletionResponse("no_call", "the gateway has no call that deletes an instance")
    kind = body.get("type") if isinstance(body, dict) else None
    if response.status == 403 and isinstance(kind, str) and kind:
        reason = response.masked(kind)
        if kind in _NOT_YET:
            return DeletionResponse("refused", reason)
        raise response.error("vendor", f"HTTP 403: {reason}", delivery=Delivery.REFUSED, vendor_code=reason)
    _raise_failure(response)
    raise response.malformed("HTTP 204")


def parse_first_page(response: Response) -> Page[Instance] | None:
    if response.status in (404, 405) or _is_no_such_call(response):
        return None
    return parse_page(response)


def parse_page(response: Response) -> Page[Instance]:
    body = response.body
    if not (response.ok and isinstance(body, dict) and "content" in body):
        _raise_failure(response)
        raise response.malformed("a page of instances")
    content = body["content"]
    pages, total = (field_of_type(response, body, key, int) for key in ("totalPage", "total"))
    if content is None and 0 in (pages, total):
        content = []
    if not isinstance(content, list) or pages is None or pages < 0:
        raise response.malformed("a page of instances with content and totalPage")
    return Page(response, [_instance(response, item) for item in content], total, pages)


def _instance(response: Response, item: Any) -> Instance:
    name = name_in(item) if isinstance(item, dict) else None
    if name is None or not is_token(item.get("id")):
        raise response.malformed("a page of instances, each with id and name,")
    due, payment_status = parse_due(item.get("due")), word_in(response, item.get("paymentStatus"))
    return Instance(
        id=item["id"],
        name=name,
        token=token_in(response, item, "token"),
        due=due,
        due_raw=plain(item.get("due")),
        created_at=parse_due(item.get("created")),
        payment_status=payment_status,
        trial_ends_at=due if payment_in(payment_status) == "trial" else None,
        # Not phoneConnected: a linked WhatsApp account sends even while the telephone is offline.
        reading=_reading(item["whatsappConnected"]) if isinstance(item.get("whatsappConnected"), bool) else None,
    )


def parse_creation(response: Response, name: str) -> Instance:
    body = response.body
    if response.ok and isinstance(body, dict):
        created, token = body.get("id"), body.get("token")
        if is_token(created) and is_token(token):
            due = body.get("due")
            ends = parse_due(due)
            # The page of this call: a new instance is a trial of two days, and is deleted unless somebody subscribes.
            return Instance(id=created, name=name, token=token, due=ends, due_raw=plain(due), trial_ends_at=ends)
    _raise_failure(response)
    raise response.malformed("an object with id and token")


def parse_availability(response: Response) -> Availability:
    body = response.body
    reason = _if_of_type(body, "reason", str) if isinstance(body, dict) else None
    if response.ok and isinstance(body, dict) and ("available" in body or reason is not None):
        appeal_token = field_of_type(response, body, "appealToken", str) or None
        return Availability(
            available=field_of_type(response, body, "available", bool),
            blocked=_if_of_type(body, "blocked", bool),
            appeal_token=appeal_token,
            sms_wait_seconds=_if_of_type(body, "smsWaitSeconds", int, float),
            voice_wait_seconds=_if_of_type(body, "voiceWaitSeconds", int, float),
            wa_old_wait_seconds=_if_of_type(body, "waOldWaitSeconds", int, float),
            wa_old_eligible=_if_of_type(body, "waOldEligible", bool),
            reason=None if reason is None else response.masked(reason, appeal_token or ""),
        )
    _raise_failure(response)
    raise response.malformed("an object with available")


def _raise_failure(response: Response) -> None:
    """Raise the failure that the HTTP status or the body reports; return if neither does.

    For a wrong path or verb, users have seen HTTP 200 with NOT_FOUND, where the documentation says 405. A missing
    Client-Token is "null not allowed" (https://developer.z-api.io/en/security/client-token).
    """
    text = _error_text(response.body) or response.text
    refused = "not allowed" in text.lower()
    if _is_no_such_call(response):
        raise response.error_for_status(404, text)
    if "null not allowed" in text.lower() or "client-token is not configured" in text.lower():
        raise response.error(
            "unauthorized",
            f"HTTP {response.status}: {text}",
            remedy="give the account's security token as client_token",
            delivery=Delivery.REFUSED,
        )
    if not response.ok:
        raise response.error_for_status(response.status, text)
    if refused:
        raise response.error_for_status(403, text)
    if isinstance(response.body, dict) and text:
        raise response.error("vendor", f"HTTP {response.status}: {text}", delivery=Delivery.REFUSED)


def _is_no_such_call(response: Response) -> bool:
    return isinstance(response.body, dict) and response.body.get("error") == "NOT_FOUND"


def _error_text(body: Any) -> str:
    if isinstance(body, str):
        return body
    if not isinstance(body, dict):
        return ""
    return ": ".join(body[key] for key in ("error", "message") if isinstance(body.get(key), str) and body[key])


def _if_of_type(body: dict[str, Any], key: str, *types: type) -> Any:
    """The field ``key``; ``None`` if it has another type. For fields that a person only reads."""
    value = body.get(key)
    return value if type(value) in types else None
