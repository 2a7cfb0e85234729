# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PlugzAPI, a white label of Z-API: instances, partner calls, number registration.

Facts come from TecnoSpeed's help centre (https://atendimento.tecnospeed.com.br/hc/pt-br) and, where that is silent,
from Z-API's documentation (https://developer.z-api.io/en/), whose paths and fields are the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

from .._common import states
from .._http.messages import Effect, Request
from .._http.sizes import CREATION, FIELDS, KIB, PICTURE, Size
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
from .paging import Page, list_all
from .parsing import settings_secrets
from .plugzapi_responses import (
    Availability,
    parse_availability,
    parse_cancellation,
    parse_creation,
    parse_deletion,
    parse_done,
    parse_first_page,
    parse_page,
    parse_pairing_code,
    parse_qr_code,
    parse_settings,
    parse_state,
    parse_subscription,
)
from .plugzapi_settings import ME_FIELDS, SETTING_CALLS, SETTINGS

_PAGE_SIZE = 100
# An instance in a listing has about 1.5 kB and 25 values, eight URLs among them.
_PAGE = FIELDS.plus(_PAGE_SIZE, Size(8 * KIB, 100))

# Options of a creation, and the vendor's field for each of them.
CREATE_FIELDS = {
    "session_name": "sessionName",
    "delivery_callback_url": "deliveryCallbackUrl",
    "received_callback_url": "receivedCallbackUrl",
    "received_and_delivery_callback_url": "receivedAndDeliveryCallbackUrl",
    "disconnected_callback_url": "disconnectedCallbackUrl",
    "connected_callback_url": "connectedCallbackUrl",
    "message_status_callback_url": "messageStatusCallbackUrl",
}


class Plugzapi(Gateway):
    """One partner account, or single instances, at PlugzAPI."""

    provider: ClassVar[str] = "plugzapi"
    api_url: ClassVar[str] = "https://api.plugzapi.com.br"
    environment: ClassVar[Mapping[str, str]] = {
        "api_url": "PLUGZAPI_URL",
        "instance_id": "PLUGZAPI_INSTANCE_ID",
        "instance_token": "PLUGZAPI_INSTANCE_TOKEN",
        "client_token": "PLUGZAPI_CLIENT_TOKEN",
        "partner_token": "PLUGZAPI_PARTNER_TOKEN",
        "account": "PLUGZAPI_ACCOUNT",
    }
    # The form of the IDs in PlugzAPI's and Z-API's examples of a creation.
    id_form: ClassVar[IdForm | None] = IdForm(re.compile(r"[0-9A-Fa-f]{32}"), "32 hexadecimal digits")
    creation_options: ClassVar[Mapping[str, OptionSpec]] = {option: {"type": "str"} for option in CREATE_FIELDS}
    settings: ClassVar[Mapping[str, Setting]] = SETTINGS
    # https://developer.z-api.io/en/instance/qrcode : request a code every 10 to 20 s, and stop after 3 until a person
    # asks for more. 20 s, because a request during the life of a code may return that code, with less time left.
    qr_policy: ClassVar[CodePolicy] = CodePolicy(interval=20.0, life=20.0, limit=3)
    pairing_policy: ClassVar[CodePolicy] = CodePolicy(interval=150.0, life=150.0, limit=3)
    # https://developer.z-api.io/en/instance/restart : restart is for troubleshooting; the phone stays linked.
    reboot_cures: ClassVar[frozenset[str]] = frozenset((states.NOT_AUTHORIZED,))
    has_subscriptions: ClassVar[bool] = True

    def read_state(self, credentials: Credentials, budget: RequestBudget) -> Reading:
        """https://developer.z-api.io/en/instance/status ; ``connected`` alone gives the state."""
        request = self._instance_request(
            "GET", credentials, "status", "reading the state of PlugzAPI instance {id}", Effect.READS
        )
        return self._transport.send(request, parse_state, budget)

    # Requests for a code are writes, although they are GETs: a code gives access to the account, and WhatsApp makes a
    # new one for each request.

    def request_qr_code(self, credentials: Credentials, budget: RequestBudget, *, as_text: bool) -> LinkingCode | None:
        """https://developer.z-api.io/en/instance/qrcode : ``/qr-code`` or ``/qr-code/image``.

        The documentation contradicts itself: ``/qr-code`` may return an image, too.
        """
        request = self._instance_request(
            "GET",
            credentials,
            "qr-code" if as_text else "qr-code/image",
            "asking for a QR code of PlugzAPI instance {id}",
            Effect.WRITES,
            size=PICTURE,
        )
        return self._transport.send(request, parse_qr_code, budget)

    def request_pairing_code(self, credentials: Credentials, budget: RequestBudget, phone: str) -> LinkingCode | None:
        """https://developer.z-api.io/en/instance/phone-code"""
        request = self._instance_request(
            "GET",
            credentials,
            f"phone-code/{phone}",
            f"asking for a code for the phone {phone} of PlugzAPI instance {{id}}",
            Effect.WRITES,
        )
        return self._transport.send(request, parse_pairing_code, budget)

    def reboot(self, credentials: Credentials) -> None:
        """https://developer.z-api.io/en/instance/restart ; a GET that writes."""
        request = self._instance_request(
            "GET", credentials, "restart", "rebooting PlugzAPI instance {id}", Effect.WRITES
        )
        self._transport.send(request, parse_done)

    @classmethod
    def settings_requests(cls, changes: Mapping[str, Any], desired: Mapping[str, Any]) -> list[dict[str, Any]]:
        """One for each setting, in the order of ``SETTINGS``."""
        wanted = dict(changes)
        if changes.get("received_and_delivery_callback_url") and desired.get("notify_sent_by_me") is False:
            wanted["notify_sent_by_me"] = False
        return [{option: wanted[option]} for option in SETTINGS if option in wanted]

    def read_settings(self, credentials: Credentials, wanted: Collection[str], budget: RequestBudget) -> dict[str, Any]:
        """https://developer.z-api.io/en/instance/me ; empty if there is no such call: only Z-API documents it."""
        request = self._instance_request(
            "GET", credentials, "me", "reading the settings of PlugzAPI instance {id}", Effect.READS
        )
        known = {option: SETTINGS[option] for option in wanted}
        return self._transport.send(request, lambda response: parse_settings(response, ME_FIELDS, known), budget)

    def write_settings(self, credentials: Credentials, changes: Mapping[str, Any]) -> None:
        """https://developer.z-api.io/en/webhooks/ and https://developer.z-api.io/en/instance/ , a PUT each."""
        ((option, value),) = changes.items()
        request = self._instance_request(
            "PUT",
            credentials,
            SETTING_CALLS[option][0],
            f"changing {option} of PlugzAPI instance {{id}}",
            Effect.WRITES,
            body={"notifySentByMe" if option == "notify_sent_by_me" else "value": value},
            more_secrets=settings_secrets(SETTINGS, changes),
        )
        self._transport.send(request, parse_done)

    def unlink(self, credentials: Credentials) -> None:
        """https://developer.z-api.io/en/instance/disconnect ; a GET that writes. A new link needs a new code."""
        request = self._instance_request(
            "GET", credentials, "disconnect", "unlinking the phone of PlugzAPI instance {id}", Effect.WRITES
        )
        self._transport.send(request, parse_done)

    # The partner's calls about an instance.

    def subscribe(self, credentials: Credentials) -> None:
        """https://developer.z-api.io/en/partner/subscribe-instance"""
        request = self._partner_request("POST", credentials, "subscription", "subscribing", body={})
        self._transport.send(request, parse_subscription)

    def cancel_subscription(self, credentials: Credentials) -> None:
        """https://developer.z-api.io/en/partner/unsubscribe-instance ; editions differ about how long it lives on."""
        request = self._partner_request("POST", credentials, "cancel", "cancelling the subscription of", body={})
        self._transport.send(request, parse_cancellation)

    def delete_instance(self, credentials: Credentials) -> DeletionResponse:
        """https://developer.z-api.io/en/partner/delete-instance ; only Z-API documents it, and contradicts itself."""
        request = self._partner_request("DELETE", credentials, "delete", "deleting")
        return self._transport.send(request, parse_deletion)

    def _partner_request(
        self, method: str, credentials: Credentials, call: str, what: str, body: Any = None
    ) -> Request:
        request = self._instance_request(
            method,
            credentials,
            f"integrator/on-demand/{call}",
            f"{what} PlugzAPI instance {{id}}",
            Effect.WRITES,
            body=body,
        )
        secrets = (*request.secrets, self._partner_token)
        return replace(request, credential="partner_token", secrets=secrets, headers=self._bearer())

    def check_registration(self, credentials: Credentials, ddi: str, phone: str) -> Availability:
        """Ask whether a number may be registered. A write, because it also sets up the onboarding at WhatsApp."""
        request = self._instance_request(
            "POST",
            credentials,
            "mobile/registration-available",
            f"asking PlugzAPI instance {{id}} for the registration of {ddi} {phone}",
            Effect.WRITES,
            body={"ddi": ddi, "phone": phone},
        )
        return self._transport.send(request, parse_availability)

    def list_instances(self) -> list[Instance] | None:
        """All pages of https://developer.z-api.io/en/partner/list-instances ; ``None`` if there is no such call.

        Z-API documents the call, PlugzAPI doesn't. The listing leaves deleted instances out. Its parameter ``query``
        isn't used, because whether it matches names exactly isn't documented.
        """
        return list_all(self._page, "instances")

    def _page(self, number: int) -> Page[Instance] | None:
        """A page; ``None`` if it is the first one, and there is no such call."""
        request = Request(
            "GET",
            "/instances",
            what=f"listing the PlugzAPI partner's instances (page {number})",
            effect=Effect.READS,
            credential="partner_token",
            secrets=(self._partner_token,),
            headers=self._bearer(),
            query={"page": str(number), "pageSize": str(_PAGE_SIZE)},
            size=_PAGE,
        )
        return self._transport.send(request, parse_first_page if number == 1 else parse_page)

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
            size=CREATION,
        )
        return self._transport.send(request, lambda response: parse_creation(response, payload["name"]))

    @staticmethod
    def payload_for(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """``options`` under the vendor's names."""
        return {"name": name} | {CREATE_FIELDS[option]: value for option, value in options.items()}

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._partner_token}"}

    def _instance_request(
        self,
        method: str,
        credentials: Credentials,
        call: str,
        what: str,
        effect: Effect,
        *,
        body: Any = None,
        more_secrets: tuple[str, ...] = (),
        size: Size = FIELDS,
    ) -> Request:
        secrets = tuple(s for s in (credentials.token, credentials.client_token, *more_secrets) if s)
        return Request(
            method,
            f"/instances/{quote(credentials.id, safe='')}/token/{quote(credentials.token, safe='')}/{call}",
            what=what.format(id=credentials.id),
            effect=effect,
            credential="instance_id, instance_token and client_token",
            secrets=secrets,
            headers={"Client-Token": credentials.client_token} if credentials.client_token else {},
            body=body,
            size=size,
        )
