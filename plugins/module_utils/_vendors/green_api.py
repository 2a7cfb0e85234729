# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GREEN-API: instances and partner calls. https://green-api.com/en/docs/"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from .._common import states
from .._http.messages import Effect, Request
from .._http.sizes import CREATION, FIELDS, MIB, PICTURE, Size
from .._http.transport import RequestBudget
from .gateway import CodePolicy, Credentials, Gateway, IdForm, Instance, LinkingCode, OptionSpec, Reading
from .green_api_responses import (
    parse_creation,
    parse_listing,
    parse_pairing_code,
    parse_qr_code,
    parse_reboot,
    parse_state,
)

# Name and type of each setting. A boolean is sent as "yes" or "no".
# https://green-api.com/en/docs/partners/createInstance/ and https://green-api.com/en/docs/api/account/SetSettings/
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
# Sixty thousand instances. The vendor's listing has about 500 bytes and 15 values for each, and no pages.
_LISTING = Size(32 * MIB, 1_000_000)


class GreenApi(Gateway):
    """One partner account, or single instances, at GREEN-API. Every token is the last segment of a URL's path."""

    provider: ClassVar[str] = "green_api"
    api_url: ClassVar[str] = "https://api.green-api.com"
    environment: ClassVar[Mapping[str, str]] = {
        "api_url": "GREEN_API_URL",
        "instance_id": "GREEN_API_ID_INSTANCE",
        "instance_token": "GREEN_API_TOKEN_INSTANCE",
        "partner_token": "GREEN_API_PARTNER_TOKEN",
        "account": "GREEN_API_ACCOUNT",
    }
    # https://green-api.com/en/docs/api/account/GetStateInstance/ : idInstance is an integer.
    id_form: ClassVar[IdForm | None] = IdForm(re.compile(r"[0-9]+"), "digits")
    creation_options: ClassVar[Mapping[str, OptionSpec]] = {
        "settings": {
            "type": "dict",
            "options": {key: {"type": kind, "no_log": key in SECRET_SETTINGS} for key, kind in SETTINGS.items()},
        },
    }
    # https://green-api.com/en/docs/api/account/QR/ : the code changes every 20 s; poll it once a second.
    qr_policy: ClassVar[CodePolicy] = CodePolicy(interval=1.0, life=20.0)
    # https://green-api.com/en/docs/api/account/GetStateInstance/ : reboot an instance that has yellowCard, or that has
    # been starting for more than 5 minutes.
    reboot_cures: ClassVar[frozenset[str]] = frozenset((states.YELLOW_CARD, states.STARTING))

    def read_state(self, credentials: Credentials, budget: RequestBudget) -> Reading:
        """https://green-api.com/en/docs/api/account/GetStateInstance/ ; 1 request a second per instance."""
        request = _instance_request("GET", credentials, "getStateInstance", "reading the state of", Effect.READS)
        return self._transport.send(request, parse_state, budget)

    # Requests for a code are writes, even the GET: a code gives access to the account, and a new code may invalidate
    # the one before it.

    def request_qr_code(self, credentials: Credentials, budget: RequestBudget, *, as_text: bool) -> LinkingCode | None:
        """https://green-api.com/en/docs/api/account/QR/ ; always an image. 3 requests a second are allowed."""
        request = _instance_request("GET", credentials, "qr", "asking for a QR code of", Effect.WRITES, size=PICTURE)
        return self._transport.send(request, parse_qr_code, budget)

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
        return self._transport.send(request, parse_pairing_code, budget)

    def reboot(self, credentials: Credentials) -> None:
        """https://green-api.com/en/docs/api/account/Reboot/ ; a GET that writes."""
        request = _instance_request("GET", credentials, "reboot", "rebooting", Effect.WRITES)
        self._transport.send(request, parse_reboot)

    def list_instances(self) -> list[Instance]:
        """The partner's instances with their tokens, including the instances deleted in the last 3 months.

        https://green-api.com/en/docs/partners/getInstances/ ; the call has no pages and no filter.
        """
        what = "listing the GREEN-API partner's instances"
        request = self._partner_request("GET", "getInstances", what, Effect.READS, size=_LISTING)
        return self._transport.send(request, parse_listing)

    def create_instance(self, payload: Mapping[str, Any]) -> Instance:
        """https://green-api.com/en/docs/partners/createInstance/ ; a day's price is debited at once."""
        request = self._partner_request(
            "POST",
            "createInstance",
            f"creating GREEN-API instance {payload['name']}",
            Effect.WRITES,
            body=dict(payload),
            secrets=tuple(str(payload[key]) for key in SECRET_SETTINGS if key in payload),
            size=CREATION,
        )
        return self._transport.send(request, lambda response: parse_creation(response, payload["name"]))

    @staticmethod
    def payload_for(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """``settings`` are sent in the create request; a boolean becomes the vendor's "yes" or "no"."""
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
        size: Size = FIELDS,
    ) -> Request:
        return Request(
            method,
            f"/partner/{call}/{quote(self._partner_token, safe='')}",
            what=what,
            effect=effect,
            credential="partner_token",
            secrets=(self._partner_token, *secrets),
            body=body,
            size=size,
        )


def _instance_request(
    method: str,
    credentials: Credentials,
    call: str,
    what: str,
    effect: Effect,
    *,
    body: Any = None,
    size: Size = FIELDS,
) -> Request:
    return Request(
        method,
        f"/waInstance{quote(credentials.id, safe='')}/{call}/{quote(credentials.token, safe='')}",
        what=f"{what} GREEN-API instance {credentials.id}",
        effect=effect,
        credential="instance_id and instance_token",
        secrets=(credentials.token,),
        body=body,
        size=size,
    )
