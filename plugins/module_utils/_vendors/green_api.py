# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GREEN-API: instances and partner calls. https://green-api.com/en/docs/"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from .._common import states
from .._http.messages import Effect, Request
from .._http.sizes import CREATION, FIELDS, LISTING, PICTURE, Size
from .._http.transport import RequestBudget
from .gateway import (
    CodePolicy,
    Credentials,
    DeletionResponse,
    Gateway,
    IdForm,
    Instance,
    LinkingCode,
    OptionSpec,
    Reading,
    Setting,
)
from .green_api_responses import (
    parse_creation,
    parse_deletion,
    parse_listing,
    parse_logout,
    parse_pairing_code,
    parse_qr_code,
    parse_reboot,
    parse_renewal,
    parse_saving,
    parse_settings,
    parse_state,
)
from .parsing import settings_secrets

_YES_NO = Setting("bool")
# A boolean is sent as "yes" or "no". https://green-api.com/en/docs/partners/createInstance/ ,
# https://green-api.com/en/docs/api/account/SetSettings/ , and for the last two green-api/whatsapp-api-client-js-v2
# ``src/types/instance.ts``.
SETTINGS: dict[str, Setting] = {
    "webhookUrl": Setting(is_url=True),
    "webhookUrlToken": Setting(is_secret=True),
    "delaySendMessagesMilliseconds": Setting("int", least=500),
    "markIncomingMessagesReaded": _YES_NO,
    "markIncomingMessagesReadedOnReply": _YES_NO,
    "outgoingWebhook": _YES_NO,
    "outgoingMessageWebhook": _YES_NO,
    "outgoingAPIMessageWebhook": _YES_NO,
    "stateWebhook": _YES_NO,
    "incomingWebhook": _YES_NO,
    "deviceWebhook": _YES_NO,
    "keepOnlineStatus": _YES_NO,
    "pollMessageWebhook": _YES_NO,
    "incomingBlockWebhook": _YES_NO,
    "incomingCallWebhook": _YES_NO,
    "editedMessageWebhook": _YES_NO,
    "deletedMessageWebhook": _YES_NO,
    "autoTyping": Setting("int", most=10),
    "linkPreview": _YES_NO,
}
# The page of createInstance lists all others.
_NOT_AT_CREATION = frozenset(("autoTyping", "linkPreview"))
_YES_OR_NO = {True: "yes", False: "no"}


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
            "options": {key: setting.option for key, setting in SETTINGS.items() if key not in _NOT_AT_CREATION},
        },
    }
    settings: ClassVar[Mapping[str, Setting]] = SETTINGS
    # https://green-api.com/en/docs/api/account/SetSettings/ : they are applied within 5 minutes.
    settings_restart: ClassVar[bool] = True
    settings_lag: ClassVar[float] = 300.0
    # https://green-api.com/en/docs/api/account/QR/ : the code changes every 20 s; poll it once a second.
    qr_policy: ClassVar[CodePolicy] = CodePolicy(interval=1.0, life=20.0)
    # https://green-api.com/en/docs/api/account/GetStateInstance/ : reboot an instance that has yellowCard, or that has
    # been starting for more than 5 minutes.
    reboot_cures: ClassVar[frozenset[str]] = frozenset((states.YELLOW_CARD, states.SUSPENDED, states.STARTING))

    renews_tokens: ClassVar[bool] = True

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

    @classmethod
    def vendor_settings(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """A boolean is "yes" or "no"."""
        return {key: _YES_OR_NO[value] if isinstance(value, bool) else value for key, value in options.items()}

    def read_settings(self, credentials: Credentials, wanted: Collection[str], budget: RequestBudget) -> dict[str, Any]:
        """https://green-api.com/en/docs/api/account/GetSettings/ ; 1 request a second per instance.

        For up to five minutes after a change, it may show the old values.
        """
        request = _instance_request("GET", credentials, "getSettings", "reading the settings of", Effect.READS)
        known = {key: SETTINGS[key] for key in wanted}
        return self._transport.send(request, lambda response: parse_settings(response, known), budget)

    def write_settings(self, credentials: Credentials, changes: Mapping[str, Any]) -> None:
        """https://green-api.com/en/docs/api/account/SetSettings/ ; other settings keep their values."""
        request = _instance_request(
            "POST",
            credentials,
            "setSettings",
            "changing the settings of",
            Effect.WRITES,
            body=dict(changes),
            secrets=settings_secrets(SETTINGS, changes),
        )
        self._transport.send(request, parse_saving)

    def unlink(self, credentials: Credentials) -> None:
        """https://green-api.com/en/docs/api/account/Logout/ ; a GET that writes. It may leave the session
        (green-api/issues#783).
        """
        request = _instance_request("GET", credentials, "logout", "unlinking the phone of", Effect.WRITES)
        self._transport.send(request, parse_logout)

    def delete_instance(self, credentials: Credentials) -> DeletionResponse:
        """https://green-api.com/en/docs/partners/deleteInstanceAccount/ ; it doesn't log the phone out."""
        request = self._partner_request(
            "POST",
            "deleteInstanceAccount",
            f"deleting GREEN-API instance {credentials.id}",
            Effect.WRITES,
            body={"idInstance": int(credentials.id)},
        )
        return self._transport.send(request, parse_deletion)

    def renew_token(self, credentials: Credentials) -> str:
        """https://green-api.com/en/docs/api/account/UpdateApiToken/ ; a GET that writes."""
        request = _instance_request("GET", credentials, "updateApiToken", "renewing the token of", Effect.WRITES)
        return self._transport.send(request, parse_renewal)

    def list_instances(self) -> list[Instance]:
        """The partner's instances with their tokens, including the instances deleted in the last 3 months.

        https://green-api.com/en/docs/partners/getInstances/ ; the call has no pages and no filter.
        """
        what = "listing the GREEN-API partner's instances"
        request = self._partner_request("GET", "getInstances", what, Effect.READS, size=LISTING)
        return self._transport.send(request, parse_listing)

    def create_instance(self, payload: Mapping[str, Any]) -> Instance:
        """https://green-api.com/en/docs/partners/createInstance/ ; a day's price is debited at once."""
        request = self._partner_request(
            "POST",
            "createInstance",
            f"creating GREEN-API instance {payload['name']}",
            Effect.WRITES,
            body=dict(payload),
            secrets=settings_secrets(SETTINGS, payload),
            size=CREATION,
        )
        return self._transport.send(request, lambda response: parse_creation(response, payload["name"]))

    @staticmethod
    def payload_for(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """``settings`` are sent in the create request; a boolean becomes the vendor's "yes" or "no"."""
        settings = {key: value for key, value in (options.get("settings") or {}).items() if value is not None}
        return {"name": name} | GreenApi.vendor_settings(settings)

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
    secrets: tuple[str, ...] = (),
    size: Size = FIELDS,
) -> Request:
    return Request(
        method,
        f"/waInstance{quote(credentials.id, safe='')}/{call}/{quote(credentials.token, safe='')}",
        what=f"{what} GREEN-API instance {credentials.id}",
        effect=effect,
        credential="instance_id and instance_token",
        secrets=(credentials.token, *secrets),
        body=body,
        size=size,
    )
