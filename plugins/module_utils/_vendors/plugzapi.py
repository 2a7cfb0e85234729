# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PlugzAPI, a white label of Z-API: instances, partner calls, number registration.

Facts come from TecnoSpeed's help centre (https://atendimento.tecnospeed.com.br/hc/pt-br) and, where that is silent,
from Z-API's documentation (https://developer.z-api.io/en/), whose paths and fields are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

from .._common import states
from .._common.errors import Delivery, UsageError
from .._http.messages import Effect, Request, Response
from .._http.transport import RequestBudget
from .gateway import (
    CodePolicy,
    Credentials,
    Gateway,
    Instance,
    LinkingCode,
    Reading,
    is_token,
    name_in,
    parse_due,
    parse_png,
    plain,
    word_in,
)

_PAGE_SIZE = 100
# Far more than any account has: an answer that names more pages is taken for a broken one.
_MAX_PAGES = 10_000
# How often an account that changes meanwhile is listed.
_LISTINGS = 3

PageOrNone = TypeVar("PageOrNone", bound="_Page | None")

CREATE_FIELDS = {
    "session_name": "sessionName",
    "delivery_callback_url": "deliveryCallbackUrl",
    "received_callback_url": "receivedCallbackUrl",
    "received_and_delivery_callback_url": "receivedAndDeliveryCallbackUrl",
    "disconnected_callback_url": "disconnectedCallbackUrl",
    "connected_callback_url": "connectedCallbackUrl",
    "message_status_callback_url": "messageStatusCallbackUrl",
}


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


class Plugzapi(Gateway):
    """One partner account, or single instances, at PlugzAPI."""

    provider: ClassVar[str] = "plugzapi"
    # https://developer.z-api.io/en/instance/qrcode : every 10 to 20 s, and after 3 a person should ask for more. A code
    # that is asked for before the last one has run out may be the same, and run out with it.
    qr_policy: ClassVar[CodePolicy] = CodePolicy(interval=20.0, life=20.0, limit=3)
    pairing_policy: ClassVar[CodePolicy] = CodePolicy(interval=150.0, life=150.0, limit=3)
    # https://developer.z-api.io/en/instance/restart : for troubleshooting; the phone stays linked.
    reboot_cures: ClassVar[frozenset[str]] = frozenset((states.NOT_AUTHORIZED,))

    def read_state(self, credentials: Credentials, budget: RequestBudget) -> Reading:
        """https://developer.z-api.io/en/instance/status : only ``connected`` tells the state."""
        request = self._instance_request(
            "GET", credentials, "status", "reading the state of PlugzAPI instance {id}", Effect.READS
        )
        return self._transport.send(request, _parse_state, budget)

    # Codes are keys to the account, and asking for one has WhatsApp make it: they count as writes, GET or not.

    def request_qr_code(self, credentials: Credentials, budget: RequestBudget, *, as_text: bool) -> LinkingCode | None:
        """https://developer.z-api.io/en/instance/qrcode : ``/qr-code`` or ``/qr-code/image``.

        The pages contradict each other: the first may be an image as well.
        """
        request = self._instance_request(
            "GET",
            credentials,
            "qr-code" if as_text else "qr-code/image",
            "asking for a QR code of PlugzAPI instance {id}",
            Effect.WRITES,
        )
        return self._transport.send(request, _parse_qr_code, budget)

    def request_pairing_code(self, credentials: Credentials, budget: RequestBudget, phone: str) -> LinkingCode | None:
        """https://developer.z-api.io/en/instance/phone-code"""
        request = self._instance_request(
            "GET",
            credentials,
            f"phone-code/{phone}",
            f"asking for a code for the phone {phone} of PlugzAPI instance {{id}}",
            Effect.WRITES,
        )
        return self._transport.send(request, _parse_pairing_code, budget)

    def reboot(self, credentials: Credentials) -> None:
        """https://developer.z-api.io/en/instance/restart ; a GET that writes."""
        request = self._instance_request(
            "GET", credentials, "restart", "rebooting PlugzAPI instance {id}", Effect.WRITES
        )
        self._transport.send(request, _parse_reboot)

    def check_registration(self, credentials: Credentials, ddi: str, phone: str) -> Availability:
        """Ask whether a number may be registered, which also sets up its onboarding at WhatsApp: a write."""
        request = self._instance_request(
            "POST",
            credentials,
            "mobile/registration-available",
            f"asking PlugzAPI instance {{id}} for the registration of {ddi} {phone}",
            Effect.WRITES,
            body={"ddi": ddi, "phone": phone},
        )
        return self._transport.send(request, _parse_availability)

    def list_instances(self) -> list[Instance] | None:
        """All pages of https://developer.z-api.io/en/partner/list-instances ; ``None`` if there is no such call.

        Z-API documents it, PlugzAPI doesn't. It hides deleted instances. ``query`` isn't used: whether it matches
        exactly isn't documented.
        """
        for _attempt in range(_LISTINGS):
            pages = self._pages()
            if not pages:
                return None
            # An instance that comes or goes meanwhile moves others from page to page, past the reader.
            if all(page.total == pages[0].total for page in pages):
                break
        else:
            raise pages[-1].response.error(
                "bad_answer", "the account changes while it is listed", remedy="try again later", retryable=True
            )
        found = {instance.id: instance for page in pages for instance in page.instances}
        total = pages[-1].total
        if total is not None and len(found) < total:
            raise pages[-1].response.malformed(f"a listing of {total} instances, not of {len(found)},")
        return list(found.values())

    def _pages(self) -> list[_Page]:
        """All pages, none if there is no such call. Each tells how many there are."""
        first = self._page(1, _parse_first_page)
        pages = [first] if first else []
        while pages and len(pages) < pages[-1].pages:
            pages.append(self._page(len(pages) + 1, _parse_page))
        return pages

    def _page(self, number: int, parse: Callable[[Response], PageOrNone]) -> PageOrNone:
        request = Request(
            "GET",
            "/instances",
            what=f"listing the PlugzAPI partner's instances (page {number})",
            effect=Effect.READS,
            credential="partner_token",
            secrets=(self._partner_token,),
            headers=self._bearer(),
            query={"page": str(number), "pageSize": str(_PAGE_SIZE)},
        )
        return self._transport.send(request, parse)

    def create_instance(self, payload: Mapping[str, Any]) -> Instance:
        """https://atendimento.tecnospeed.com.br/hc/pt-br/articles/9658694844567-Criando-uma-inst%C3%A2ncia"""
        request = Request(
            "POST",
            "/instances/integrator/on-demand",
            what=f"creating PlugzAPI instance {payload['name']}",
            effect=Effect.WRITES,
            credential="partner_token",
            secrets=(self._partner_token,),
            headers=self._bearer(),
            body=dict(payload),
        )
        return self._transport.send(request, lambda response: _parse_creation(response, payload["name"]))

    @staticmethod
    def payload_for(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The vendor's spelling of the options."""
        foreign = sorted(set(options) - set(CREATE_FIELDS))
        if foreign:
            raise UsageError(f"{foreign[0]} is an option of green_api; plugzapi has options such as session_name")
        return {"name": name} | {CREATE_FIELDS[option]: value for option, value in options.items()}

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._partner_token}"}

    def _instance_request(
        self, method: str, credentials: Credentials, call: str, what: str, effect: Effect, body: Any = None
    ) -> Request:
        secrets = tuple(s for s in (credentials.token, credentials.client_token) if s)
        return Request(
            method,
            f"/instances/{quote(credentials.id, safe='')}/token/{quote(credentials.token, safe='')}/{call}",
            what=what.format(id=credentials.id),
            effect=effect,
            credential="instance_id, instance_token and client_token",
            secrets=secrets,
            headers={"Client-Token": credentials.client_token} if credentials.client_token else {},
            body=body,
        )


@dataclass(frozen=True)
class _Page:
    response: Response
    instances: list[Instance]
    pages: int
    total: int | None


def _parse_state(response: Response) -> Reading:
    body = response.body
    # "error" is filled when all is well, too ("You are already connected"), so "connected" alone decides.
    if response.ok and isinstance(body, dict) and isinstance(body.get("connected"), bool):
        return _reading(body["connected"])
    _raise_failure(response)
    raise response.malformed("an object with connected")


def _reading(connected: bool) -> Reading:
    return Reading(states.AUTHORIZED, "connected") if connected else Reading(states.NOT_AUTHORIZED, "disconnected")


def _parse_qr_code(response: Response) -> LinkingCode | None:
    value = _code_in(response)
    if value is None:
        return None
    image = parse_png(value)
    if image is None and value.startswith("data:"):
        raise response.malformed("a QR code, or its PNG,")
    return LinkingCode(text=None if image else value, image=image)


def _parse_pairing_code(response: Response) -> LinkingCode | None:
    value = _code_in(response)
    return None if value is None else LinkingCode(text=value)


def _code_in(response: Response) -> str | None:
    """The answer's code, ``None`` if a phone is linked already."""
    body = response.body
    if response.ok and isinstance(body, dict):
        if isinstance(body.get("value"), str) and body["value"]:
            return str(body["value"])
        if body.get("connected") is True:
            return None
    _raise_failure(response)
    raise response.malformed("an object with value")


def _parse_reboot(response: Response) -> None:
    body = response.body
    done = body.get("value") if response.ok and isinstance(body, dict) else None
    if done is True:
        return
    _raise_failure(response)
    if done is False:
        raise response.error("vendor", "the gateway says that it did not", delivery=Delivery.REFUSED)
    raise response.malformed("an object with value")


def _parse_first_page(response: Response) -> _Page | None:
    if response.status in (404, 405) or _is_no_such_call(response):
        return None
    return _parse_page(response)


def _parse_page(response: Response) -> _Page:
    body = response.body
    if not (response.ok and isinstance(body, dict) and "content" in body):
        _raise_failure(response)
        raise response.malformed("a page of instances")
    content, pages, total = body["content"], body.get("totalPage"), body.get("total")
    if content is None and 0 in (pages, total):
        content = []
    if not isinstance(content, list) or not isinstance(pages, int) or not 0 <= pages <= _MAX_PAGES:
        raise response.malformed("a page of instances with content and totalPage")
    return _Page(
        response, [_instance(response, item) for item in content], pages, total if isinstance(total, int) else None
    )


def _instance(response: Response, item: Any) -> Instance:
    name = name_in(item) if isinstance(item, dict) else None
    if name is None or not is_token(item.get("id")):
        raise response.malformed("a page of instances, each with id and name,")
    token = item.get("token")
    return Instance(
        id=item["id"],
        name=name,
        token=token if is_token(token) else None,
        due=parse_due(item.get("due")),
        due_raw=plain(item.get("due")),
        created_at=parse_due(item.get("created")),
        payment_status=word_in(response, item.get("paymentStatus")),
        # phoneConnected tells whether the telephone is online, which WhatsApp doesn't need all the time.
        reading=_reading(item["whatsappConnected"]) if isinstance(item.get("whatsappConnected"), bool) else None,
    )


def _parse_creation(response: Response, name: str) -> Instance:
    body = response.body
    if response.ok and isinstance(body, dict):
        created, token = body.get("id"), body.get("token")
        if is_token(created) and is_token(token):
            due = body.get("due")
            return Instance(id=created, name=name, token=token, due=parse_due(due), due_raw=plain(due))
    _raise_failure(response)
    raise response.malformed("an object with id and token")


def _parse_availability(response: Response) -> Availability:
    body = response.body
    if response.ok and isinstance(body, dict) and ("available" in body or "reason" in body):
        if not isinstance(body.get("available"), (bool, type(None))):
            raise response.malformed("an object whose available is a boolean")
        appeal_token = _field_of_type(body, "appealToken", str)
        reason = _field_of_type(body, "reason", str)
        return Availability(
            available=body.get("available"),
            blocked=_field_of_type(body, "blocked", bool),
            appeal_token=appeal_token,
            sms_wait_seconds=_field_of_type(body, "smsWaitSeconds", int, float),
            voice_wait_seconds=_field_of_type(body, "voiceWaitSeconds", int, float),
            wa_old_wait_seconds=_field_of_type(body, "waOldWaitSeconds", int, float),
            wa_old_eligible=_field_of_type(body, "waOldEligible", bool),
            reason=None if reason is None else response.masked(reason, appeal_token or ""),
        )
    _raise_failure(response)
    raise response.malformed("an object with available")


def _raise_failure(response: Response) -> None:
    """Raise what the HTTP status or the body tells of, if it is a failure.

    A wrong path or verb is HTTP 200 with NOT_FOUND in the field and 405 in the documentation; a missing
    Client-Token is "null not allowed" (https://developer.z-api.io/en/security/client-token).
    """
    text = _vendor_says(response.body) or response.text
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


def _vendor_says(body: Any) -> str:
    if isinstance(body, str):
        return body
    if not isinstance(body, dict):
        return ""
    return ": ".join(body[key] for key in ("error", "message") if isinstance(body.get(key), str) and body[key])


def _field_of_type(body: dict[str, Any], key: str, *types: type) -> Any:
    value = body.get(key)
    # A boolean is an int to Python, but never a number of seconds.
    return value if isinstance(value, types) and (bool in types or not isinstance(value, bool)) else None
