# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of every client, with a successful response to it."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import RequestBudget, Transport
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import (
    Credentials,
    DeletionResponse,
    Instance,
    LinkingCode,
    Reading,
)
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.green_api import GreenApi
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone import Koophone
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_auth import GivenToken, IamUser
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_responses import ListedPhone
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.plugzapi import Plugzapi
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.plugzapi_responses import Availability
from ansible_collections.msgops.fleet.tests.support.wire import TOKEN

CREDENTIALS = Credentials("1101", TOKEN, TOKEN)
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()


@dataclass(frozen=True)
class ApiCall:
    """A call of a client, the type that it returns, and a successful response of the vendor."""

    call: Callable[[Transport], Any]
    returns: Any
    good: Any
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    creates: bool = False


GREEN_INSTANCE = {
    "idInstance": 1101,
    "name": "one",
    "apiTokenInstance": "t",
    "expirationDate": "2027-01-01T00:00:00",
    "deleted": False,
    "timeCreated": "2026-01-01T00:00:00",
    "tariff": "BUSINESS",
    "isExpired": False,
}
PLUGZ_INSTANCE = {
    "id": "3C01",
    "name": "one",
    "token": "t",
    "due": 1798761600000,
    "created": "2026-01-01T00:00:00Z",
    "paymentStatus": "PAID",
    "whatsappConnected": True,
}
PHONE = {
    "instance_id": "p1",
    "instance_name": "one",
    "running_status": "2",
    "frozen_status": 0,
    "region": "cn-north-4",
    "instance_sku": "s",
    "billing_mode": 1,
    "project_name": "p",
    "account_name": "a",
    "assign_status": 1,
}
AVAILABILITY = {
    "available": True,
    "blocked": False,
    "appealToken": "a",
    "smsWaitSeconds": 1,
    "voiceWaitSeconds": 2.5,
    "waOldWaitSeconds": 3,
    "waOldEligible": True,
    "reason": "none",
}


def green(api: Transport) -> GreenApi:
    return GreenApi(api, TOKEN)


def plugz(api: Transport) -> Plugzapi:
    return Plugzapi(api, TOKEN)


def koophone(api: Transport) -> Koophone:
    return Koophone(api, GivenToken(TOKEN))


API_CALLS: dict[str, ApiCall] = {
    "green state": ApiCall(
        lambda api: green(api).read_state(CREDENTIALS, RequestBudget()), Reading, {"stateInstance": "authorized"}
    ),
    "green list": ApiCall(lambda api: green(api).list_instances(), list[Instance], [GREEN_INSTANCE]),
    "green create": ApiCall(
        lambda api: green(api).create_instance({"name": "one", "webhookUrlToken": TOKEN}),
        Instance,
        {"idInstance": 1101, "apiTokenInstance": "t", "typeInstance": "whatsapp"},
        creates=True,
    ),
    "green QR code": ApiCall(
        lambda api: green(api).request_qr_code(CREDENTIALS, RequestBudget(), as_text=True),
        LinkingCode | None,
        {"type": "qrCode", "message": PNG},
    ),
    "green pairing code": ApiCall(
        lambda api: green(api).request_pairing_code(CREDENTIALS, RequestBudget(), "5511999999999"),
        LinkingCode | None,
        {"status": True, "code": "ABCD-1234"},
    ),
    "green reboot": ApiCall(lambda api: green(api).reboot(CREDENTIALS), None, {"isReboot": True}),
    "green settings": ApiCall(
        lambda api: green(api).read_settings(CREDENTIALS, ["webhookUrl", "stateWebhook"], RequestBudget()),
        dict[str, Any],
        {"wid": "", "webhookUrl": "", "stateWebhook": "no", "autoTyping": 0},
    ),
    "green change of settings": ApiCall(
        lambda api: green(api).write_settings(CREDENTIALS, {"webhookUrlToken": TOKEN}),
        None,
        {"saveSettings": True},
        creates=True,
    ),
    "green logout": ApiCall(lambda api: green(api).unlink(CREDENTIALS), None, {"isLogout": True}, creates=True),
    "green deletion": ApiCall(
        lambda api: green(api).delete_instance(CREDENTIALS),
        DeletionResponse,
        {"deleteInstanceAccount": True},
        creates=True,
    ),
    "green new token": ApiCall(
        lambda api: green(api).renew_token(CREDENTIALS), str, {"apiTokenInstance": "t"}, creates=True
    ),
    "plugz settings": ApiCall(
        lambda api: plugz(api).read_settings(CREDENTIALS, ["name", "auto_read_message"], RequestBudget()),
        dict[str, Any],
        {"id": "1", "name": "one", "autoReadMessage": False, "receivedCallbackUrl": ""},
    ),
    "plugz change of a setting": ApiCall(
        lambda api: plugz(api).write_settings(CREDENTIALS, {"received_callback_url": f"https://h.example/?k={TOKEN}"}),
        None,
        {"value": True},
        creates=True,
    ),
    "plugz subscription": ApiCall(lambda api: plugz(api).subscribe(CREDENTIALS), None, "OK", creates=True),
    "plugz cancellation": ApiCall(lambda api: plugz(api).cancel_subscription(CREDENTIALS), None, "OK", creates=True),
    # A deletion is a 204 without a body; these are the fields of a refusal.
    "plugz deletion": ApiCall(
        lambda api: plugz(api).delete_instance(CREDENTIALS),
        DeletionResponse,
        {"type": "INSTANCE_STILL_CONNECTED", "message": "the instance is connected"},
        creates=True,
    ),
    "plugz state": ApiCall(
        lambda api: plugz(api).read_state(CREDENTIALS, RequestBudget()), Reading, {"connected": True, "error": "none"}
    ),
    "plugz list": ApiCall(
        lambda api: plugz(api).list_instances(),
        list[Instance] | None,
        {"total": 1, "totalPage": 1, "content": [PLUGZ_INSTANCE]},
    ),
    "plugz create": ApiCall(
        lambda api: plugz(api).create_instance({"name": "one"}),
        Instance,
        {"id": "3C01", "token": "t", "due": 1798761600000},
        creates=True,
    ),
    "plugz QR code": ApiCall(
        lambda api: plugz(api).request_qr_code(CREDENTIALS, RequestBudget(), as_text=True),
        LinkingCode | None,
        {"value": "2@code", "connected": False},
    ),
    "plugz QR image": ApiCall(
        lambda api: plugz(api).request_qr_code(CREDENTIALS, RequestBudget(), as_text=False),
        LinkingCode | None,
        {"value": f"data:image/png;base64,{PNG}", "connected": False},
    ),
    "plugz pairing code": ApiCall(
        lambda api: plugz(api).request_pairing_code(CREDENTIALS, RequestBudget(), "5511999999999"),
        LinkingCode | None,
        {"value": "ABCD-1234", "connected": False},
    ),
    "plugz reboot": ApiCall(lambda api: plugz(api).reboot(CREDENTIALS), None, {"value": True}),
    "plugz registration": ApiCall(
        lambda api: plugz(api).check_registration(CREDENTIALS, "55", "11999999999"), Availability, AVAILABILITY
    ),
    "koophone statuses": ApiCall(
        lambda api: koophone(api).read_statuses(["p1", "p2"], RequestBudget()),
        dict[str, int | None],
        {"error_code": "0", "data": {"status_results": [{"instance_id": "p1", "status": 2}]}},
    ),
    "koophone list": ApiCall(
        lambda api: koophone(api).list_phones(concurrency=2),
        list[ListedPhone],
        {"error_code": "0", "data": {"total_count": 1, "result": [PHONE]}},
    ),
    "koophone reboot": ApiCall(
        lambda api: koophone(api).reboot(["p1", "p2"]), None, {"error_code": "0", "error_msg": "success"}, creates=True
    ),
    "IAM token": ApiCall(
        lambda api: IamUser(api, "user", TOKEN, "domain", "project").headers_for("GET", "https://h/", b""),
        dict[str, str],
        {"token": {"expires_at": "2027-01-01T00:00:00.000000Z"}},
        headers={"X-Subject-Token": "t"},
    ),
}
