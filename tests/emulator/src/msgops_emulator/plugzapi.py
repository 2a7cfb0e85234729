# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PlugzAPI, a white label of Z-API: https://developer.z-api.io/en/partner/."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from .linking import Linking, Refused, png
from .messages import Call, Match, Response, Route, json_response, text_response
from .state import (
    CONNECTED,
    DELETED,
    DISCONNECTED,
    PLUGZAPI,
    PlugzApiAccount,
    PlugzApiInstance,
    World,
)

CALLBACKS = (
    "deliveryCallbackUrl",
    "receivedCallbackUrl",
    "receivedAndDeliveryCallbackUrl",
    "disconnectedCallbackUrl",
    "connectedCallbackUrl",
    "messageStatusCallbackUrl",
    "presenceChatCallbackUrl",
)
TEXTS = ("sessionName", "callRejectMessage", *CALLBACKS)
FLAGS = (
    "callRejectAuto",
    "autoReadMessage",
    "autoReadStatus",
    "isDevice",
    "businessDevice",
    "disableEnqueueWhenDisconnected",
)
SUBSCRIPTION = 30 * 86400.0

UNKNOWN = Route("plugzapi.unknown")
LIST = Route("plugzapi.list")
CREATE = Route("plugzapi.create", writes=True, creates=True)

InstanceAct = Callable[[Call, PlugzApiInstance], Response]


class PlugzApi:
    """Answers as api.plugzapi.com.br does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._linking = Linking(world)
        self._phone_code_route = Route("plugzapi.phone_code", writes=True)
        registration = Route("plugzapi.registration_available", writes=True)
        self._client_routes: dict[tuple[str, str], tuple[Route, InstanceAct]] = {
            ("GET", "status"): (Route("plugzapi.status"), self._status),
            ("GET", "me"): (Route("plugzapi.me"), self._me),
            ("GET", "device"): (Route("plugzapi.device"), self._device),
            ("GET", "restart"): (Route("plugzapi.restart", writes=True), self._restart),
            ("GET", "disconnect"): (Route("plugzapi.disconnect", writes=True), self._disconnect),
            ("GET", "qr-code"): (Route("plugzapi.qr_code", writes=True), self._qr_code),
            ("GET", "qr-code/image"): (Route("plugzapi.qr_code_image", writes=True), self._qr_code_image),
            ("POST", "mobile/registration-available"): (registration, self._registration_available),
        }
        self._partner_routes: dict[tuple[str, str], tuple[Route, InstanceAct]] = {
            ("POST", "integrator/on-demand/subscription"): (
                Route("plugzapi.subscribe", writes=True),
                self._subscribe,
            ),
            ("POST", "integrator/on-demand/cancel"): (Route("plugzapi.cancel", writes=True), self._cancel),
        }
        routes = [route for route, _act in (*self._client_routes.values(), *self._partner_routes.values())]
        self.routes = (CREATE, LIST, *routes, self._phone_code_route, UNKNOWN)

    def match(self, call: Call) -> Match | None:
        """Find what a request is for; None where it isn't PlugzAPI's."""
        first, *rest = call.segments
        if first != "instances":
            return None
        bearer = _bearer(call)
        if not rest and call.method == "GET":
            return Match(LIST, lambda: self._list(call), bearer)
        if rest == ["integrator", "on-demand"] and call.method == "POST":
            return Match(CREATE, lambda: self._create(call), bearer)
        if len(rest) > 3 and rest[1] == "token":
            id, token, key = rest[0], rest[2], (call.method, "/".join(rest[3:]))
            client_route = self._client_routes.get(key)
            if call.method == "GET" and rest[3] == "phone-code" and len(rest) == 5:
                client_route = (self._phone_code_route, self._phone_code)
            if client_route:
                route, act = client_route
                secret = call.headers.get("Client-Token") or token
                return Match(route, lambda: self._as_client(call, id, token, route, act), secret)
            if key in self._partner_routes:
                route, act = self._partner_routes[key]
                return Match(route, lambda: self._as_partner(call, id, token, act), bearer)
        return Match(UNKNOWN, self._wrong_path, bearer or call.headers.get("Client-Token", ""))

    def _wrong_path(self) -> Response:
        if self._world.config["plugzapi.wrong_path"] == "http405":
            return _error(405, "Method Not Allowed")
        return _not_found()

    # Partner calls

    def _partner(self, call: Call) -> PlugzApiAccount | None:
        token = _bearer(call)
        for account in self._world.accounts_of(PLUGZAPI):
            if isinstance(account, PlugzApiAccount) and account.opens(token):
                return account
        return None

    def _create(self, call: Call) -> Response:
        if not call.content_type:
            return _error(415, "Unsupported Media Type")
        account = self._partner(call)
        if account is None:
            return _error(401, "Unauthorized")
        body = call.json_object()
        if body is None:
            return _error(400, "Invalid request body")
        option = self._world.option
        problem = _problem(body, https=option(account, "plugzapi.https_webhooks"))
        if problem:
            return _error(400, problem)
        instance = self._world.create_plugzapi(
            account, body["name"], token_style=option(account, "plugzapi.token_style")
        )
        instance.attributes = {key: body[key] for key in (*TEXTS, *FLAGS) if key in body}
        linked_after = option(account, "plugzapi.auto_link_seconds")
        if linked_after is not None:
            instance.pending = [(instance.created + linked_after, CONNECTED)]
        self._world.delay_listing(
            instance,
            option(account, "plugzapi.listing_lag_seconds"),
            option(account, "plugzapi.listing_lag_listings"),
        )
        return json_response(
            {"id": instance.id, "token": instance.token, "due": self._due(instance)},
            option(account, "plugzapi.create_status"),
            created=instance,
        )

    def _list(self, call: Call) -> Response:
        listing = self._world.config["plugzapi.listing"]
        if listing == "not_found_200":
            return _not_found()
        if listing != "present":
            return _error(int(listing[-3:]), "Not Found" if listing == "http404" else "Method Not Allowed")
        account = self._partner(call)
        if account is None:
            return _error(401, "Unauthorized")
        page = call.args.get("page", 0, type=int)
        size = call.args.get("pageSize", 0, type=int)
        if page < 1 or size < 1:
            return _error(400, "page and pageSize are required and start at 1")
        largest = self._world.option(account, "plugzapi.max_page_size")
        size = min(size, largest) if largest else size
        query = call.args.get("query", "").casefold()
        middleware = call.args.get("middleware")
        now = self._world.clock.now()
        found = [
            instance
            for instance in self._world.instances(PLUGZAPI)
            if isinstance(instance, PlugzApiInstance)
            and instance.account is account
            and instance.state != DELETED
            and (query in instance.name.casefold() or query in instance.id.casefold())
            and middleware in (None, "", _middleware(instance))
            # A listing is all of its pages: only the first one counts.
            and instance.listed(now, count=page == 1)
        ]
        shown = found[(page - 1) * size : page * size]
        return json_response(
            {
                "total": len(found),
                "totalPage": math.ceil(len(found) / size),
                "pageSize": size,
                "page": page,
                "content": [self._listed(instance) for instance in shown],
            }
        )

    def _listed(self, instance: PlugzApiInstance) -> dict[str, Any]:
        connected = instance.state == CONNECTED
        return {
            "token": instance.token,
            "tenant": "",
            "created": _milliseconds(instance.created),
            "due": self._due(instance),
            "paymentStatus": "PAID" if instance.subscribed else "TRIAL",
            **{key: instance.attributes.get(key, "") for key in CALLBACKS},
            "receivedStatusCallbackUrl": "",
            "phoneConnected": connected,
            "whatsappConnected": connected,
            "middleware": _middleware(instance),
            "name": instance.name,
            "id": instance.id,
        }

    def _due(self, instance: PlugzApiInstance) -> int | str:
        form = self._world.option(instance.account, "plugzapi.due_form")
        value = _milliseconds(instance.due) if form.startswith("ms") else int(instance.due)
        return str(value) if form.endswith("_string") else value

    def _as_partner(self, call: Call, id: str, token: str, act: InstanceAct) -> Response:
        if not call.content_type:
            return _error(415, "Unsupported Media Type")
        account = self._partner(call)
        if account is None:
            return _error(401, "Unauthorized")
        instance = self._find(id, token)
        if instance is None or instance.account is not account:
            return self._unknown_instance(call)
        return act(call, instance)

    def _subscribe(self, call: Call, instance: PlugzApiInstance) -> Response:
        instance.subscribed = True
        instance.due = self._world.clock.now() + SUBSCRIPTION
        return text_response("OK", 201)

    def _cancel(self, call: Call, instance: PlugzApiInstance) -> Response:
        instance.subscribed = False
        return text_response("OK", 201)

    # Calls of one instance

    def _find(self, id: str, token: str) -> PlugzApiInstance | None:
        instance = self._world.plugzapi.get(id)
        if instance is None or instance.token != token:
            return None
        return None if instance.settle(self._world.clock.now()) == DELETED else instance

    def _unknown_instance(self, call: Call) -> Response:
        answer = self._world.config["plugzapi.unknown_instance"]
        if answer == "http403":
            return _error(403, f"Client-Token {call.headers.get('Client-Token', 'null')} not allowed")
        return _error(int(answer[-3:]), "Instance not found")

    def _as_client(self, call: Call, id: str, token: str, route: Route, act: InstanceAct) -> Response:
        registering = route.name == "plugzapi.registration_available"
        if registering and not call.content_type:
            return _error(415, "Unsupported Media Type")
        instance = self._find(id, token)
        if instance is None:
            return self._unknown_instance(call)
        account = instance.account
        assert isinstance(account, PlugzApiAccount)
        # Optional until the account activates it; the registration's page lists the header as required.
        if registering or self._world.option(account, "plugzapi.client_token_active"):
            client_token = call.headers.get("Client-Token")
            if not client_token:
                return self._client_token_missing(account)
            if client_token != account.client_token:
                return _error(403, f"Client-Token {client_token} not allowed")
        return act(call, instance)

    def _client_token_missing(self, account: PlugzApiAccount) -> Response:
        answer = self._world.option(account, "plugzapi.client_token_missing")
        if answer == "http400":
            return _error(400, "your client-token is not configured")
        return _error(int(answer[-3:]), "null not allowed")

    def _status(self, call: Call, instance: PlugzApiInstance) -> Response:
        connected = instance.state == CONNECTED
        body: dict[str, Any] = {
            "connected": connected,
            "error": "You are already connected" if connected else "You are not connected.",
            "smartphoneConnected": connected,
        }
        if self._world.option(instance.account, "plugzapi.status_session"):
            body["session"] = connected
        return json_response(body)

    def _me(self, call: Call, instance: PlugzApiInstance) -> Response:
        return json_response(
            {
                "id": instance.id,
                "token": instance.token,
                "name": instance.name,
                # Seconds here, whatever the form elsewhere.
                "due": int(instance.due),
                "connected": instance.state == CONNECTED,
                "paymentStatus": "PAID" if instance.subscribed else "TRIAL",
                "created": _milliseconds(instance.created),
                **{key: instance.attributes.get(key, "") for key in CALLBACKS},
                "receiveCallbackSentByMe": False,
                "callRejectAuto": instance.attributes.get("callRejectAuto", False),
                "callRejectMessage": instance.attributes.get("callRejectMessage", ""),
                "autoReadMessage": instance.attributes.get("autoReadMessage", False),
                "initialDataCallbackUrl": "",
                "proxyUrl": "",
                "useProxy": False,
            }
        )

    def _device(self, call: Call, instance: PlugzApiInstance) -> Response:
        if instance.state != CONNECTED:
            return _error(400, "You are not connected.")
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
        # A session that a phone has begun is taken up again; without one there is nothing to restart.
        if instance.phone:
            seconds = self._world.option(instance.account, "plugzapi.restart_seconds")
            instance.become(DISCONNECTED, [(self._world.clock.now() + seconds, CONNECTED)])
        instance.forget_codes()
        return json_response({"value": True})

    def _disconnect(self, call: Call, instance: PlugzApiInstance) -> Response:
        instance.phone = ""
        instance.forget_codes()
        instance.become(DISCONNECTED)
        return json_response({"value": True})

    def _qr_code(self, call: Call, instance: PlugzApiInstance) -> Response:
        as_image = self._world.option(instance.account, "plugzapi.qr_value") == "image"
        return self._code(instance, lambda: self._qr_value(instance, as_image=as_image))

    def _qr_code_image(self, call: Call, instance: PlugzApiInstance) -> Response:
        return self._code(instance, lambda: self._qr_value(instance, as_image=True))

    def _phone_code(self, call: Call, instance: PlugzApiInstance) -> Response:
        phone = call.segments[-1]
        if not _is_digits(phone):
            return _error(400, "Invalid request: phone must be digits")
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
            return _error(200, str(refusal))

    def _registration_available(self, call: Call, instance: PlugzApiInstance) -> Response:
        body = call.json_object() or {}
        ddi, phone = body.get("ddi"), body.get("phone")
        if not _is_digits(ddi) or not _is_digits(phone):
            return _error(400, "Invalid request: ddi and phone must be digits")
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


def _bearer(call: Call) -> str:
    kind, _space, token = call.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _error(status: int, text: str) -> Response:
    return json_response({"error": text}, status)


def _not_found() -> Response:
    return json_response({"error": "NOT_FOUND", "message": "Unable to find matching target resource method"})


def _problem(body: dict[str, Any], *, https: bool) -> str:
    """Return what is wrong with a creation's body, "" where nothing is."""
    if not isinstance(body.get("name"), str) or not body["name"]:
        return "Invalid request: name is required"
    for key in TEXTS:
        if not isinstance(body.get(key, ""), str | None):
            return f"Invalid request: {key} must be a string"
    for key in FLAGS:
        if not isinstance(body.get(key, False), bool):
            return f"Invalid request: {key} must be a boolean"
    for key in CALLBACKS:
        if https and body.get(key) and urlsplit(body[key]).scheme != "https":
            return f"Invalid request: {key} must be https"
    return ""


def _middleware(instance: PlugzApiInstance) -> str:
    return "mobile" if instance.attributes.get("isDevice") else "web"


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _is_digits(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()
