# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GREEN-API: instances and partner calls. https://green-api.com/en/docs/"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from .._common import states
from .._common.errors import Delivery, FleetError, UsageError
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

# https://green-api.com/en/docs/partners/createInstance/ and .../api/account/SetSettings/ ; what is a boolean here is
# "yes" or "no" there.
SETTINGS: dict[str, str] = {
    "webhookUrl": "str",
    "webhookUrlToken": "str",
    "delaySendMessagesMilliseconds": "int",
    "markIncomingMessagesReaded": "bool",
    "markIncomingMessagesReadedOnReply": "bool",
    "outgoingWebhook": "bool",
    "outgoingMessageWebhook": "bool",
    "outgoingAPIMessageWebhook": "bool",
    "stateWebhook": "bool",
    "incomingWebhook": "bool",
    "deviceWebhook": "bool",
    "keepOnlineStatus": "bool",
    "pollMessageWebhook": "bool",
    "incomingBlockWebhook": "bool",
    "incomingCallWebhook": "bool",
    "editedMessageWebhook": "bool",
    "deletedMessageWebhook": "bool",
}
SECRET_SETTINGS = ("webhookUrlToken",)


class GreenApi(Gateway):
    """One partner account, or single instances, at GREEN-API. Every token is the last segment of a URL's path."""

    provider: ClassVar[str] = "green_api"
    # https://green-api.com/en/docs/api/account/QR/ : a new one every 20 s, to be asked for every second.
    qr_policy: ClassVar[CodePolicy] = CodePolicy(interval=1.0, life=20.0)
    # https://green-api.com/en/docs/api/account/GetStateInstance/ : starting, if it lasts longer than 5 minutes.
    reboot_cures: ClassVar[frozenset[str]] = frozenset((states.YELLOW_CARD, states.STARTING))

    def read_state(self, credentials: Credentials, budget: RequestBudget) -> Reading:
        """https://green-api.com/en/docs/api/account/GetStateInstance/ ; 1 request a second per instance."""
        request = _instance_request("GET", credentials, "getStateInstance", "reading the state of", Effect.READS)
        return self._transport.send(request, _parse_state, budget)

    # A code is a key to the account, and a new one may take the place of another: asking for it counts as a write.

    def request_qr_code(self, credentials: Credentials, budget: RequestBudget, *, as_text: bool) -> LinkingCode | None:
        """https://green-api.com/en/docs/api/account/QR/ ; always an image, the same for 20 s. 3 requests a second."""
        request = _instance_request("GET", credentials, "qr", "asking for a QR code of", Effect.WRITES)
        return self._transport.send(request, _parse_qr_code, budget)

    def request_pairing_code(self, credentials: Credentials, budget: RequestBudget, phone: str) -> LinkingCode | None:
        """https://green-api.com/en/docs/api/account/GetAuthorizationCode/"""
        request = _instance_request(
            "POST",
            credentials,
            "getAuthorizationCode",
            f"asking for a code for the phone {phone} of",
            Effect.WRITES,
            body={"phoneNumber": int(phone)},
        )
        return self._transport.send(request, _parse_pairing_code, budget)

    def reboot(self, credentials: Credentials) -> None:
        """https://green-api.com/en/docs/api/account/Reboot/ ; a GET that writes."""
        request = _instance_request("GET", credentials, "reboot", "rebooting", Effect.WRITES)
        self._transport.send(request, _parse_reboot)

    def list_instances(self) -> list[Instance]:
        """The partner's instances, with their tokens, those deleted in the last 3 months among them.

        https://green-api.com/en/docs/partners/getInstances/ ; it has no pages and no filter.
        """
        return self._transport.send(
            self._partner_request("GET", "getInstances", "listing the GREEN-API partner's instances", Effect.READS),
            _parse_listing,
        )

    def create_instance(self, payload: Mapping[str, Any]) -> Instance:
        """https://green-api.com/en/docs/partners/createInstance/ ; a day's price is debited at once."""
        request = self._partner_request(
            "POST",
            "createInstance",
            f"creating GREEN-API instance {payload['name']}",
            Effect.WRITES,
            body=dict(payload),
            secrets=tuple(str(payload[key]) for key in SECRET_SETTINGS if key in payload),
        )
        return self._transport.send(request, lambda response: _parse_creation(response, payload["name"]))

    @staticmethod
    def payload_for(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """``settings`` travel in the create request, their booleans as the vendor's "yes" and "no"."""
        _refuse_foreign(options)
        settings = {key: value for key, value in (options.get("settings") or {}).items() if value is not None}
        yes_no = {True: "yes", False: "no"}
        return {"name": name} | {
            key: yes_no[value] if isinstance(value, bool) else value for key, value in settings.items()
        }

    def _partner_request(
        self,
        method: str,
        call: str,
        what: str,
        effect: Effect,
        *,
        body: Any = None,
        secrets: tuple[str, ...] = (),
    ) -> Request:
        return Request(
            method,
            f"/partner/{call}/{quote(self._partner_token, safe='')}",
            what=what,
            effect=effect,
            credential="partner_token",
            secrets=(self._partner_token, *secrets),
            body=body,
        )


def _instance_request(
    method: str, credentials: Credentials, call: str, what: str, effect: Effect, *, body: Any = None
) -> Request:
    return Request(
        method,
        f"/waInstance{quote(credentials.id, safe='')}/{call}/{quote(credentials.token, safe='')}",
        what=f"{what} GREEN-API instance {credentials.id}",
        effect=effect,
        credential="instance_id and instance_token",
        secrets=(credentials.token,),
        body=body,
    )


def _refuse_foreign(options: Mapping[str, Any]) -> None:
    foreign = sorted(set(options) - {"settings"})
    if foreign:
        raise UsageError(f"{foreign[0]} is an option of plugzapi; for green_api, use settings")


def _parse_state(response: Response) -> Reading:
    body = _successful_body(response)
    # The documented body of an instance that is being created is the JSON literal null:
    # https://green-api.com/en/docs/api/recommendations/creating-and-configuring-an-instance/
    if body is None:
        return Reading(states.CREATING, "null")
    if isinstance(body, dict) and isinstance(body.get("stateInstance"), str):
        # A fleet has few states.
        return Reading(states.normalize(body["stateInstance"]), sys.intern(response.masked(body["stateInstance"])))
    raise response.malformed("an object with stateInstance")


def _parse_qr_code(response: Response) -> LinkingCode | None:
    body = _successful_body(response)
    kind = body.get("type") if isinstance(body, dict) else None
    if kind == "alreadyLogged":
        return None
    if kind == "error":
        raise _no_code(response, word_in(response, body.get("message")) or "an error without a word")
    image = parse_png(body.get("message")) if kind == "qrCode" else None
    if image is None:
        raise response.malformed("a QR code as PNG in base64")
    return LinkingCode(image=image)


def _parse_pairing_code(response: Response) -> LinkingCode:
    body = _successful_body(response)
    if isinstance(body, dict) and body.get("status") is False:
        raise _no_code(response, "no code for this number")
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, str) or not code:
        raise response.malformed("an object with status and code")
    return LinkingCode(text=code)


def _no_code(response: Response, text: str) -> FleetError:
    return response.error("vendor", f"the gateway says: {text}", delivery=Delivery.REFUSED)


def _parse_reboot(response: Response) -> None:
    body = _successful_body(response)
    done = body.get("isReboot") if isinstance(body, dict) else None
    if done is False:
        raise response.error("vendor", "the gateway says that it did not", delivery=Delivery.REFUSED)
    if done is not True:
        raise response.malformed("an object with isReboot")


def _parse_listing(response: Response) -> list[Instance]:
    body = _successful_body(response)
    if not isinstance(body, list):
        raise response.malformed("a list of instances")
    return [_instance(response, item) for item in body]


def _instance(response: Response, item: Any) -> Instance:
    # A name is no duty at the creation of an instance.
    name = name_in(item) if isinstance(item, dict) else None
    if name is None or not _is_id(item.get("idInstance")):
        raise response.malformed("a list of instances, each with idInstance and name,")
    token = item.get("apiTokenInstance")
    expires = item.get("expirationDate")
    return Instance(
        id=str(item["idInstance"]),
        name=name,
        token=token if is_token(token) else None,
        due=parse_due(expires),
        due_raw=plain(expires),
        deleted=item.get("deleted") is True,
        created_at=parse_due(item.get("timeCreated")),
        plan=word_in(response, item.get("tariff")),
        expired=item["isExpired"] if isinstance(item.get("isExpired"), bool) else None,
    )


def _parse_creation(response: Response, name: str) -> Instance:
    body = _successful_body(response)
    if isinstance(body, dict):
        token = body.get("apiTokenInstance")
        if _is_id(body.get("idInstance")) and is_token(token):
            return Instance(id=str(body["idInstance"]), name=name, token=token)
    raise response.malformed("an object with idInstance and apiTokenInstance")


def _successful_body(response: Response) -> Any:
    """The body, if neither the HTTP status nor the body itself tells of a failure.

    A wrong partner token is HTTP 401, or 400, or 200 with ``{"code": 401}``, depending on the host
    (green-api/issues#619); https://green-api.com/en/docs/api/common-errors/ has the others.
    """
    body = response.body
    if response.ok:
        if not response.is_json:
            raise response.malformed("JSON")
        code = body.get("code") if isinstance(body, dict) else None
        if isinstance(code, int) and code >= 400 and "description" in body:
            raise response.error_for_status(code, _vendor_says(body))
        return body
    # The pages give the texts of errors, not their form.
    text = _vendor_says(body) or response.text
    if response.status == 400 and "in starting process" in text.lower():
        raise response.error(
            "unavailable",
            f"HTTP 400: {text}",
            retryable=True,
            delivery=Delivery.REFUSED,
            remedy="wait until it has started",
        )
    if response.status == 400 and "is expired" in text.lower():
        # A fresh instance may say so for up to 5 minutes (green-api/issues#197, #249).
        raise response.error(
            "bad_request", f"HTTP 400: {text}", transient=True, remedy="renew it, or wait if it is new"
        )
    raise response.error_for_status(response.status, text)


def _vendor_says(body: Any) -> str:
    if isinstance(body, str):
        return body
    if not isinstance(body, dict):
        return ""
    for status in ("invokeStatus", "correspondentsStatus"):
        # https://greenapi.com/en/docs/api/466-error-example-body
        if isinstance(body.get(status), dict):
            body = body[status]
    for key in ("description", "message", "error", "status"):
        if isinstance(body.get(key), str) and body[key]:
            return str(body[key])
    return ""


def _is_id(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.isdecimal())
