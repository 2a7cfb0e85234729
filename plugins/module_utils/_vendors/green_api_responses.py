# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GREEN-API's responses mean: the body and the HTTP status of each call. https://green-api.com/en/docs/"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from .._common import states
from .._common.errors import Delivery, FleetError
from .._http.messages import Response
from .gateway import DeletionResponse, Instance, LinkingCode, Reading, Setting
from .parsing import (
    field_of_type,
    is_token,
    name_in,
    parse_due,
    parse_pairing_code_text,
    parse_png,
    plain,
    setting_in,
    token_in,
    word_in,
)


def parse_state(response: Response) -> Reading:
    body = _successful_body(response)
    # The body is the JSON literal null while the instance is being created:
    # https://green-api.com/en/docs/api/recommendations/creating-and-configuring-an-instance/
    if body is None:
        return Reading(states.CREATING, "null")
    if isinstance(body, dict) and isinstance(body.get("stateInstance"), str):
        # Interned: thousands of instances share a handful of words.
        return Reading(states.normalize(body["stateInstance"]), sys.intern(response.masked(body["stateInstance"])))
    raise response.malformed("an object with stateInstance")


def parse_qr_code(response: Response) -> LinkingCode | None:
    body = _successful_body(response)
    kind = body.get("type") if isinstance(body, dict) else None
    if kind == "alreadyLogged":
        return None
    if kind == "error":
        raise _no_code(response, word_in(response, body.get("message")) or "an error without a message")
    if kind == "passkeyRequired":
        # Documented without a call that enters the passkey: https://green-api.com/en/docs/release/5.44.37.12/
        raise _no_code(response, "this account needs a passkey", remedy="link the phone in the gateway's console")
    image = parse_png(body.get("message")) if kind == "qrCode" else None
    if image is None:
        raise response.malformed("a QR code as PNG in base64")
    return LinkingCode(image=image)


def parse_pairing_code(response: Response) -> LinkingCode:
    body = _successful_body(response)
    if isinstance(body, dict) and field_of_type(response, body, "status", bool) is False:
        raise _no_code(response, "no code for this number")
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, str) or not code:
        raise response.malformed("an object with status and code")
    return LinkingCode(text=parse_pairing_code_text(response, code))


def _no_code(response: Response, text: str, remedy: str = "") -> FleetError:
    return response.error("vendor", f"the gateway says: {text}", delivery=Delivery.REFUSED, remedy=remedy)


def _require_done(response: Response, field: str, refusal: str = "did not") -> None:
    """Take ``true`` in the field for success.

    :raises FleetError: if the gateway says that it ``refusal``, or something else.
    """
    body = _successful_body(response)
    done = body.get(field) if isinstance(body, dict) else None
    if done is False:
        raise response.error("vendor", f"the gateway says that it {refusal}", delivery=Delivery.REFUSED)
    if done is not True:
        raise response.malformed(f"an object with {field}")


def parse_reboot(response: Response) -> None:
    _require_done(response, "isReboot")


def parse_settings(response: Response, wanted: Mapping[str, Setting]) -> dict[str, Any]:
    body = _successful_body(response)
    if not isinstance(body, dict) or not body:
        raise response.malformed("an object with settings")
    # wid is the phone's number, and no setting.
    values = {key: plain(value) for key, value in body.items() if key != "wid"}
    for key, setting in wanted.items():
        if setting.kind != "bool":
            values[key] = setting_in(response, body, key, setting)
        elif body.get(key) not in ("yes", "no", "", None):
            raise response.malformed(f"an object whose {key} is yes or no")
        else:
            values[key] = body.get(key) or None
    return {key: value for key, value in values.items() if value is not None}


def parse_saving(response: Response) -> None:
    _require_done(response, "saveSettings", "did not save them")


def parse_logout(response: Response) -> None:
    _require_done(response, "isLogout")


def parse_deletion(response: Response) -> DeletionResponse:
    # {"code": 404} with HTTP status 200 says that the instance doesn't exist, or was deleted before.
    body = response.body
    if response.ok and isinstance(body, dict) and body.get("code") == 404 and "description" in body:
        return DeletionResponse("gone")
    _require_done(response, "deleteInstanceAccount")
    return DeletionResponse("accepted")


def parse_renewal(response: Response) -> str:
    body = _successful_body(response)
    token = body.get("apiTokenInstance") if isinstance(body, dict) else None
    if not is_token(token) or token in response.request.secrets:
        raise response.malformed("an object with a new apiTokenInstance")
    return str(token)


def parse_listing(response: Response) -> list[Instance]:
    body = _successful_body(response)
    if not isinstance(body, list):
        raise response.malformed("a list of instances")
    return [_instance(response, item) for item in body]


def _instance(response: Response, item: Any) -> Instance:
    # GREEN-API creates instances without a name, so name may be missing.
    name = name_in(item) if isinstance(item, dict) else None
    if name is None or not _is_id(item.get("idInstance")):
        raise response.malformed("a list of instances, each with idInstance and name,")
    expires = item.get("expirationDate")
    return Instance(
        id=str(item["idInstance"]),
        name=name,
        token=token_in(response, item, "apiTokenInstance"),
        due=parse_due(expires),
        due_raw=plain(expires),
        deleted=field_of_type(response, item, "deleted", bool) is True,
        created_at=parse_due(item.get("timeCreated")),
        plan=word_in(response, item.get("tariff")),
        expired=item["isExpired"] if isinstance(item.get("isExpired"), bool) else None,
    )


def parse_creation(response: Response, name: str) -> Instance:
    body = _successful_body(response)
    if isinstance(body, dict):
        token = body.get("apiTokenInstance")
        if _is_id(body.get("idInstance")) and is_token(token):
            return Instance(id=str(body["idInstance"]), name=name, token=token)
    raise response.malformed("an object with idInstance and apiTokenInstance")


def _successful_body(response: Response) -> Any:
    """The body of a successful response.

    A wrong partner token is HTTP 401, or 400, or 200 with ``{"code": 401}``, depending on the host
    (green-api/issues#619). The other errors: https://green-api.com/en/docs/api/common-errors/

    :raises FleetError: if the HTTP status or the body reports a failure.
    """
    body = response.body
    if response.ok:
        if not response.is_json:
            raise response.malformed("JSON")
        code = body.get("code") if isinstance(body, dict) else None
        if isinstance(code, int) and code >= 400 and "description" in body:
            raise response.error_for_status(code, _error_text(body))
        return body
    # The vendor documents the texts of errors, but not the JSON around them.
    text = _error_text(body) or response.text
    if response.status == 400 and "in starting process" in text.lower():
        raise response.error(
            "unavailable",
            f"HTTP 400: {text}",
            retryable=True,
            delivery=Delivery.REFUSED,
            remedy="wait until it has started",
        )
    if response.status == 400 and "is expired" in text.lower():
        # GREEN-API says so of a new instance for up to 5 minutes (green-api/issues#197, #249).
        raise response.error(
            "bad_request", f"HTTP 400: {text}", transient=True, remedy="renew it, or wait if it is new"
        )
    raise response.error_for_status(response.status, text)


def _error_text(body: Any) -> str:
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
