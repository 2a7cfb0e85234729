# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PlugzAPI's API of one instance: https://developer.z-api.io/en/instance/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .accounts import PlugzApiAccount
from .instances import CONNECTED, DISCONNECTED, PlugzApiInstance
from .linking import Linking, Refused, png
from .messages import Call, Response, Route, json_response
from .plugzapi_common import error, find_instance, milliseconds, not_found, unknown_instance
from .plugzapi_settings import ROUTES, SettingsApi
from .world import World

REGISTRATION = Route("plugzapi.registration_available", writes=True)
PHONE_CODE = Route("plugzapi.phone_code", writes=True)

Handler = Callable[[Call, PlugzApiInstance], Response]


class InstanceApi:
    """Handles requests that carry an instance's id and token."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._linking = Linking(world)
        self._settings = SettingsApi(world)
        self.routes: dict[tuple[str, str], tuple[Route, Handler]] = {
            ("GET", "status"): (Route("plugzapi.status"), self._status),
            ("GET", "me"): (Route("plugzapi.me"), self._me),
            ("GET", "device"): (Route("plugzapi.device"), self._device),
            ("GET", "restart"): (Route("plugzapi.restart", writes=True), self._restart),
            ("GET", "disconnect"): (Route("plugzapi.disconnect", writes=True), self._disconnect),
            ("GET", "qr-code"): (Route("plugzapi.qr_code", writes=True), self._qr_code),
            ("GET", "qr-code/image"): (Route("plugzapi.qr_code_image", writes=True), self._qr_code_image),
            ("POST", "mobile/registration-available"): (REGISTRATION, self._registration_available),
            **{("PUT", name): (route, self._settings.change) for name, route in ROUTES.items()},
        }

    def handle(self, call: Call, id: str, token: str, route: Route, handler: Handler) -> Response:
        """Find the instance, check the account's Client-Token, and handle the request."""
        registering = route is REGISTRATION
        if registering and not call.content_type:
            return error(415, "Unsupported Media Type")
        instance = find_instance(self._world, id, token)
        if instance is None:
            return unknown_instance(self._world, call)
        account = instance.account
        assert isinstance(account, PlugzApiAccount)
        # The header is optional until the account activates it, except for the registration, whose page requires it.
        if registering or self._world.option(account, "plugzapi.client_token_active"):
            client_token = call.headers.get("Client-Token")
            if not client_token:
                return self._client_token_missing(account)
            if client_token != account.client_token:
                return error(403, f"Client-Token {client_token} not allowed")
        return handler(call, instance)

    def _client_token_missing(self, account: PlugzApiAccount) -> Response:
        status = self._world.option(account, "plugzapi.client_token_missing")
        if status == "http400":
            return error(400, "your client-token is not configured")
        return error(int(status[-3:]), "null not allowed")

    def _status(self, call: Call, instance: PlugzApiInstance) -> Response:
        connected = instance.state == CONNECTED
        silent = self._world.option(instance.account, "plugzapi.after_disconnect") == "unavailable"
        if silent and instance.unlinkings and not connected:
            return error(400, "Instance is disconnected")
        body: dict[str, Any] = {
            "connected": connected,
            "error": "You are already connected" if connected else "You are not connected.",
            "smartphoneConnected": connected,
        }
        if self._world.option(instance.account, "plugzapi.status_session"):
            body["session"] = connected
        return json_response(body)

    def _me(self, call: Call, instance: PlugzApiInstance) -> Response:
        presence = self._world.config["plugzapi.me"]
        if presence == "not_found_200":
            return not_found()
        if presence != "present":
            return error(int(presence[-3:]), "Not Found" if presence == "http404" else "Method Not Allowed")
        return json_response(
            {
                "id": instance.id,
                "token": instance.token,
                "name": instance.name,
                # Always in seconds: plugzapi.due_form holds for the other responses.
                "due": int(instance.due),
                "connected": instance.state == CONNECTED,
                "paymentStatus": instance.payment,
                "created": milliseconds(instance.created),
                **self._settings.shown(instance),
                "initialDataCallbackUrl": "",
                "proxyUrl": "",
                "useProxy": False,
            }
        )

    def _device(self, call: Call, instance: PlugzApiInstance) -> Response:
        if instance.state != CONNECTED:
            return error(400, "You are not connected.")
        return json_response(
            {
                "phone": instance.phone,
                "imgUrl": None,
                "about": "",
                "name": instance.name,
                "device": {
                    "sessionName": instance.attributes.get("sessionName", "PlugzAPI"),
                    "device_model": "PlugzAPI",
                },
                "originalDevice": "smba" if instance.attributes.get("businessDevice") else "android",
                "sessionId": 1,
                "isBusiness": bool(instance.attributes.get("businessDevice")),
            }
        )

    def _restart(self, call: Call, instance: PlugzApiInstance) -> Response:
        # The session of a linked phone is resumed; without one there is nothing to restart.
        if instance.phone:
            seconds = self._world.option(instance.account, "plugzapi.restart_seconds")
            instance.become(DISCONNECTED, [(self._world.clock.now() + seconds, CONNECTED)])
        instance.forget_codes()
        return json_response({"value": True})

    def _disconnect(self, call: Call, instance: PlugzApiInstance) -> Response:
        option = self._world.option
        now = self._world.clock.now()
        instance.unlink(
            option(instance.account, "plugzapi.disconnect_effect"),
            now + option(instance.account, "plugzapi.disconnect_seconds"),
        )
        instance.advance_to(now)
        return json_response({"value": True})

    def _qr_code(self, call: Call, instance: PlugzApiInstance) -> Response:
        as_image = self._world.option(instance.account, "plugzapi.qr_value") == "image"
        return self._code(instance, lambda: self._qr_value(instance, as_image=as_image))

    def _qr_code_image(self, call: Call, instance: PlugzApiInstance) -> Response:
        return self._code(instance, lambda: self._qr_value(instance, as_image=True))

    def phone_code(self, call: Call, instance: PlugzApiInstance) -> Response:
        """Make a pairing code for the telephone number at the end of the path."""
        phone = call.segments[-1]
        if not _is_digits(phone):
            return error(400, "Invalid request: phone must be digits")
        return self._code(instance, lambda: self._linking.pairing_code(instance, phone))

    def _qr_value(self, instance: PlugzApiInstance, *, as_image: bool) -> str:
        text = self._linking.qr_code(instance)
        return f"data:image/png;base64,{png(text)}" if as_image else text

    def _code(self, instance: PlugzApiInstance, code: Callable[[], str]) -> Response:
        if instance.state == CONNECTED:
            return json_response({"connected": True, "error": "You are already connected"})
        try:
            return json_response({"value": code()})
        except Refused as refusal:
            return error(200, str(refusal))

    def _registration_available(self, call: Call, instance: PlugzApiInstance) -> Response:
        body = call.json_object() or {}
        ddi, phone = body.get("ddi"), body.get("phone")
        if not _is_digits(ddi) or not _is_digits(phone):
            return error(400, "Invalid request: ddi and phone must be digits")
        number = self._world.number(str(ddi), str(phone))
        number.onboardings.append(self._world.clock.now())
        if number.result == "banned":
            return json_response({"available": False, "blocked": True, "appealToken": number.appeal_token})
        if number.result == "error":
            return json_response({"available": False, "reason": number.reason})
        return json_response(
            {
                "available": True,
                "smsWaitSeconds": number.sms_wait_seconds,
                "voiceWaitSeconds": number.voice_wait_seconds,
                "waOldWaitSeconds": number.wa_old_wait_seconds,
                "waOldEligible": number.wa_old_eligible,
            }
        )


def _is_digits(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()
