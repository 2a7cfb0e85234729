# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GREEN-API: https://green-api.com/en/docs/api/account/ and https://green-api.com/en/docs/partners/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from .accounts import GREEN_API, Account, GreenApiAccount
from .clock import utc
from .green_api_settings import CREATE_ONLY, DEFAULTS, moved_setting, settings_problem
from .instances import AUTHORIZED, CREATING, DELETED, NOT_AUTHORIZED, STARTING, GreenApiInstance
from .linking import Linking, Refused, png
from .messages import Call, Match, Response, Route, json_response, text_response
from .rate_limit import RateLimit
from .world import World

NEVER = "0001-01-01T00:00:00"
LISTED_AFTER_DELETION = 90 * 86400.0  # seconds
# The routes with a limit other than 1: https://green-api.com/en/docs/api/ratelimiter/.
REQUESTS_PER_SECOND = {"green_api.qr": 3.0}
# States that a restart ends.
RESTARTED = ("yellowCard", "suspended", "sleepMode")

UNKNOWN = Route("green_api.unknown")
UPDATE_TOKEN = Route("green_api.update_token", writes=True)


class GreenApi:
    """Responds as api.green-api.com does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._linking = Linking(world)
        self._instance_routes: dict[tuple[str, str], tuple[Route, Callable[[Call, GreenApiInstance], Response]]] = {
            ("GET", "getStateInstance"): (Route("green_api.get_state"), self._get_state),
            ("GET", "getStatusInstance"): (Route("green_api.get_status"), self._get_status),
            ("GET", "getSettings"): (Route("green_api.get_settings"), self._get_settings),
            ("GET", "getWaSettings"): (Route("green_api.get_wa_settings"), self._get_wa_settings),
            ("POST", "setSettings"): (Route("green_api.set_settings", writes=True), self._set_settings),
            ("GET", "reboot"): (Route("green_api.reboot", writes=True), self._reboot),
            ("GET", "logout"): (Route("green_api.logout", writes=True), self._logout),
            ("GET", "updateApiToken"): (UPDATE_TOKEN, self._update_token),
            ("GET", "qr"): (Route("green_api.qr", writes=True), self._qr),
            ("POST", "getAuthorizationCode"): (
                Route("green_api.get_authorization_code", writes=True),
                self._get_authorization_code,
            ),
        }
        listing = (Route("green_api.list"), self._list)
        self._partner_routes: dict[tuple[str, str], tuple[Route, Callable[[Call, Account], Response]]] = {
            ("POST", "createInstance"): (Route("green_api.create", writes=True, creates=True), self._create),
            ("GET", "getInstances"): listing,
            ("POST", "getInstances"): listing,
            ("POST", "deleteInstanceAccount"): (Route("green_api.delete", writes=True), self._delete),
        }
        self.routes = (
            *dict.fromkeys(
                route for route, _handler in (*self._instance_routes.values(), *self._partner_routes.values())
            ),
            UNKNOWN,
        )

    def match(self, call: Call) -> Match | None:
        """Return the route of a request and its handler, None if the path is not GREEN-API's."""
        first, *rest = call.segments
        partner = first == "partner"
        if not partner and not first.startswith("waInstance"):
            return None
        method, token = rest if len(rest) == 2 else ("", "")
        key = (call.method, method)
        if partner and key in self._partner_routes:
            route, partner_handler = self._partner_routes[key]
            return Match(route, lambda: self._as_partner(call, token, partner_handler), token)
        if not partner and key in self._instance_routes:
            route, handler = self._instance_routes[key]
            id_text = first[len("waInstance") :]
            return Match(route, lambda: self._as_instance(call, id_text, token, route, handler), token)
        if call.method == "OPTIONS":
            return Match(UNKNOWN, lambda: Response(204), token)
        return Match(UNKNOWN, lambda: self._error(call, 404, "Not Found"), token)

    def _error(self, call: Call, status: int, text: str) -> Response:
        """Return an error; the vendor documents its text, but not the form of its body."""
        form = self._world.config["green_api.error_body"]
        if form == "empty":
            return Response(status)
        if form == "text":
            return text_response(text, status)
        body: dict[str, Any] = {"statusCode": status, "message": text}
        if form == "json_with_path":
            body["path"] = "/" + "/".join(quote(segment, safe="") for segment in call.segments)
        return json_response(body, status)

    # Instance methods

    def _as_instance(
        self, call: Call, id_text: str, token: str, route: Route, handler: Callable[[Call, GreenApiInstance], Response]
    ) -> Response:
        number = int(id_text) if id_text.isdecimal() and id_text.isascii() and len(id_text) <= 10 else -1
        instance = self._world.green_api.get(number)
        if instance is None:
            return self._error(call, 403, "Forbidden")
        now = self._world.clock.now()
        if not instance.accepts(token, now):
            if route is UPDATE_TOKEN:
                return json_response({"code": 401, "description": "Unauthorized"})
            return self._error(call, 401, "Unauthorized")
        state = instance.advance_to(now)
        if self._world.option(instance.account, "green_api.enforce_rate_limits"):
            limit = instance.limits.setdefault(route.name, RateLimit(REQUESTS_PER_SECOND.get(route.name, 1.0), now))
            if not limit.take(now):
                return self._error(call, 429, "Too Many Requests")
        if state == DELETED:
            if route.name == "green_api.get_state" and (
                self._world.option(instance.account, "green_api.deleted_answer") == "starting"
            ):
                return json_response({"stateInstance": STARTING})
            return self._error(call, 400, "Instance is deleted")
        if state == "expired":
            return self._error(call, 400, "Instance account is expired. Renew your instance from personal area")
        return handler(call, instance)

    def _get_state(self, call: Call, instance: GreenApiInstance) -> Response:
        if instance.state == CREATING:
            return json_response(None)
        return json_response({"stateInstance": instance.state})

    def _get_status(self, call: Call, instance: GreenApiInstance) -> Response:
        return json_response({"statusInstance": "online" if instance.state == AUTHORIZED else "offline"})

    def _get_settings(self, call: Call, instance: GreenApiInstance) -> Response:
        return json_response({"wid": _wid(instance), **DEFAULTS, **instance.settings})

    def _get_wa_settings(self, call: Call, instance: GreenApiInstance) -> Response:
        wid = _wid(instance)
        return json_response(
            {
                "avatar": "",
                "phone": instance.phone if wid else "",
                "stateInstance": None if instance.state == CREATING else instance.state,
                "deviceId": f"{instance.phone}:1@s.whatsapp.net" if wid else "",
            }
        )

    def _set_settings(self, call: Call, instance: GreenApiInstance) -> Response:
        if instance.state in (CREATING, STARTING):
            return self._error(call, 400, "instance in starting process try later")
        try:
            body = call.json
        except ValueError:
            return self._error(call, 400, "Unexpected token _ in JSON at position 0")
        problem = settings_problem(body, extra=frozenset())
        if problem:
            return self._error(call, 400, problem)
        self._save(instance, body)
        self._restart(instance)
        return json_response({"saveSettings": True})

    def _save(self, instance: GreenApiInstance, body: dict[str, Any]) -> None:
        option = self._world.option
        effect = option(instance.account, "green_api.settings_effect")
        if effect == "lost":
            return
        moved = moved_setting(instance.settings, body) if effect == "moves_another" else {}
        shown_at = self._world.clock.now() + option(instance.account, "green_api.settings_lag_seconds")
        instance.change_settings({**body, **moved}, shown_at)
        instance.advance_to(self._world.clock.now())

    def _reboot(self, call: Call, instance: GreenApiInstance) -> Response:
        if instance.state == CREATING:
            return self._error(call, 400, "instance in starting process try later")
        self._restart(instance)
        return json_response({"isReboot": True})

    def _restart(self, instance: GreenApiInstance) -> None:
        """Start again; a restart ends some states and a start that hangs, others return after it."""
        instance.forget_codes()
        if instance.state in (*RESTARTED, STARTING):
            after = AUTHORIZED if instance.phone else NOT_AUTHORIZED
        else:
            after = instance.state
        ready = self._world.clock.now() + self._world.option(instance.account, "green_api.restart_seconds")
        instance.become(STARTING, [(ready, after)])

    def _logout(self, call: Call, instance: GreenApiInstance) -> Response:
        if instance.state in (CREATING, STARTING):
            return self._error(call, 400, "instance in starting process try later")
        option = self._world.option
        now = self._world.clock.now()
        instance.unlink(
            option(instance.account, "green_api.logout_effect"),
            now + option(instance.account, "green_api.logout_seconds"),
        )
        instance.advance_to(now)
        return json_response({"isLogout": True})

    def _update_token(self, call: Call, instance: GreenApiInstance) -> Response:
        option, now = self._world.option, self._world.clock.now()
        instance.old_token = instance.token
        instance.token = self._world.new_green_api_token(instance.account)
        instance.old_token_until = now + option(instance.account, "green_api.old_token_seconds")
        instance.token_works_at = now + option(instance.account, "green_api.new_token_lag_seconds")
        instance.token_listed_at = now + option(instance.account, "green_api.token_listing_lag_seconds")
        return json_response({"apiTokenInstance": instance.token})

    def _qr(self, call: Call, instance: GreenApiInstance) -> Response:
        if instance.state in (CREATING, STARTING):
            return self._error(call, 400, "instance in starting process try later")
        if instance.state == AUTHORIZED:
            return json_response({"type": "alreadyLogged", "message": "Instance has auth. You need to make log out"})
        if instance.state != NOT_AUTHORIZED:
            return json_response({"type": "error", "message": f"Instance is {instance.state}"})
        if self._world.option(instance.account, "green_api.qr_answer") == "passkeyRequired":
            return json_response({"type": "passkeyRequired", "message": ""})
        try:
            return json_response({"type": "qrCode", "message": png(self._linking.qr_code(instance))})
        except Refused as refusal:
            return json_response({"type": "error", "message": str(refusal)})

    def _get_authorization_code(self, call: Call, instance: GreenApiInstance) -> Response:
        if instance.state in (CREATING, STARTING):
            return self._error(call, 400, "instance in starting process try later")
        number = (call.json_object() or {}).get("phoneNumber")
        if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
            return self._error(call, 400, "Validation failed. Details: 'phoneNumber' must be a number")
        if instance.state != NOT_AUTHORIZED:
            return json_response({"status": False, "code": ""})
        try:
            return json_response({"status": True, "code": self._linking.pairing_code(instance, str(number))})
        except Refused:
            return json_response({"status": False, "code": ""})

    # Partner methods

    def _as_partner(self, call: Call, token: str, handler: Callable[[Call, Account], Response]) -> Response:
        for account in self._world.accounts_of_class(GreenApiAccount):
            if account.accepts(token):
                return handler(call, account)
        form = self._world.config["green_api.partner_error"]
        if form == "http200":
            return json_response({"code": 401, "description": "Unauthorized"})
        return self._error(call, 401 if form == "http401" else 400, "Unauthorized")

    def _create(self, call: Call, account: Account) -> Response:
        try:
            body = call.json
        except ValueError:
            return self._error(call, 400, "Unexpected token _ in JSON at position 0")
        problem = settings_problem(body, extra=CREATE_ONLY)
        if problem:
            return self._error(call, 400, problem)
        option = self._world.option
        instance = self._world.create_green_api(
            account, body.get("name", ""), token_style=option(account, "green_api.token_style")
        )
        if not instance.name:
            instance.name = f"Instance {instance.id}"
        instance.settings = {key: value for key, value in body.items() if key not in CREATE_ONLY}
        starting = instance.created + option(account, "green_api.creating_seconds")
        ready = starting + option(account, "green_api.starting_seconds")
        pending: list[tuple[float, Any]] = [(starting, STARTING), (ready, NOT_AUTHORIZED)]
        linked_after = option(account, "green_api.auto_link_seconds")
        if linked_after is not None:
            pending.append((max(ready, instance.created + linked_after), AUTHORIZED))
        instance.become(CREATING, pending)
        self._world.delay_listing(
            instance,
            option(account, "green_api.listing_lag_seconds"),
            option(account, "green_api.listing_lag_listings"),
        )
        return json_response(
            {"idInstance": instance.id, "apiTokenInstance": instance.token, "typeInstance": "whatsapp"},
            created=instance,
        )

    def _list(self, call: Call, account: Account) -> Response:
        now = self._world.clock.now()
        return json_response(
            [
                _listed(instance, now)
                for instance in self._world.instances(GREEN_API)
                if isinstance(instance, GreenApiInstance)
                and instance.account is account
                and instance.listed(now, count=True)
                and (instance.deleted_at is None or now - instance.deleted_at < LISTED_AFTER_DELETION)
            ]
        )

    def _delete(self, call: Call, account: Account) -> Response:
        body = call.json_object() or {}
        number = str(body.get("idInstance"))
        instance = self._world.green_api.get(int(number)) if number.isdecimal() else None
        now = self._world.clock.now()
        if instance is None or instance.account is not account or instance.advance_to(now) == DELETED:
            return json_response({"code": 404, "description": "Not found"})
        option = self._world.option
        if option(account, "green_api.delete_effect") == "deleted":
            instance.become(instance.state, [(now + option(account, "green_api.delete_seconds"), DELETED)])
            instance.advance_to(now)
        return json_response({"deleteInstanceAccount": True})


def quota_response(kind: str) -> Response:
    """Return the response beyond the tariff's quota: https://greenapi.com/en/docs/api/466-error-example-body."""
    status = "QUOTE_EXCEEDED" if kind == "invokeStatus" else "CORRESPONDENTS_QUOTE_EXCEEDED"
    return json_response(
        {
            kind: {
                "method": "checkwhatsapp",
                "used": 100,
                "total": 100,
                "status": status,
                "description": "Monthly quota has been exceeded...",
            }
        },
        466,
    )


def _wid(instance: GreenApiInstance) -> str:
    return f"{instance.phone}@c.us" if instance.phone and instance.state == AUTHORIZED else ""


def _listed(instance: GreenApiInstance, now: float) -> dict[str, Any]:
    return {
        "idInstance": instance.id,
        "name": instance.name,
        "typeInstance": "whatsapp",
        "typeAccount": "",
        "partnerUserUiid": "",
        "timeCreated": _zoneless(instance.created),
        "timeDeleted": NEVER if instance.deleted_at is None else _zoneless(instance.deleted_at),
        "apiTokenInstance": instance.listed_token(now),
        "deleted": instance.state == DELETED,
        "tariff": "PARTNER_23",
        "isFree": False,
        "isPartner": True,
        "expirationDate": _zoneless(instance.created + 365 * 86400),
        "isExpired": instance.state == "expired",
    }


def _zoneless(seconds: float) -> str:
    return utc(seconds).strftime("%Y-%m-%dT%H:%M:%S")
