# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control API under ``/_emulator/``, by which tests seed data, change states, move the clock and arm faults."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .accounts import PROVIDERS
from .camera import read_codes
from .config import is_number, is_whole
from .errors import Conflict, Invalid, Missing
from .instances import PlugzApiInstance
from .linking import Linking
from .messages import Call, Response, json_response
from .origin import refusal_of_other_sites
from .page import overview
from .phones import Phone
from .seeding import seed, seed_number
from .world import World

if TYPE_CHECKING:
    from .application import Application

ROOT = "_emulator"


class ControlApi:
    """Handles requests to the control API, in JSON; errors are ``{"error": text}`` with 400, 403, 404, 405 or 409."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._world: World = application.world
        self._linking = Linking(self._world)
        self._endpoints: dict[str, dict[str, Callable[[Call, tuple[str, ...]], Any]]] = {
            "": {"GET": self._index},
            "reset": {"POST": self._reset},
            "config": {"GET": self._get_config, "POST": self._set_config},
            "seed": {"POST": self._seed},
            "accounts": {"GET": self._accounts},
            "renew": {"POST": self._renew},
            "instances": {"GET": self._instances, "POST": self._set_instance},
            "phones": {"GET": self._phones, "POST": self._set_phone},
            "numbers": {"GET": self._numbers, "POST": self._set_number},
            "link": {"POST": self._link},
            "scan": {"POST": self._scan},
            "clock": {"GET": self._get_clock, "POST": self._set_clock},
            "faults": {"GET": self._get_faults, "POST": self._arm, "DELETE": self._disarm},
            "log": {"GET": self._get_log, "DELETE": self._clear_log},
            "overview": {"GET": self._overview},
        }

    def response(self, call: Call) -> Response:
        """Return the response to a request."""
        refusal = refusal_of_other_sites(call)
        if refusal is not None:
            return json_response({"error": refusal}, 403)
        name, rest = (call.segments[1], call.segments[2:]) if len(call.segments) > 1 else ("", ())
        methods = self._endpoints.get(name)
        if methods is None:
            return json_response(
                {"error": f"no such control: {name}; there are {', '.join(filter(None, self._endpoints))}"}, 404
            )
        handler = methods.get(call.method)
        if handler is None:
            return json_response({"error": f"{name} takes {', '.join(methods)}"}, 405)
        try:
            return json_response(handler(call, rest))
        except Conflict as error:
            return json_response({"error": str(error)}, 409)
        except Missing as error:
            return json_response({"error": str(error)}, 404)
        except Invalid as error:
            return json_response({"error": str(error)}, 400)

    def _index(self, call: Call, rest: tuple[str, ...]) -> Any:
        return {
            "controls": {name: list(methods) for name, methods in self._endpoints.items() if name},
            "routes": [{"name": route.name, "writes": route.writes} for route in self._application.routes],
        }

    def _reset(self, call: Call, rest: tuple[str, ...]) -> Any:
        body = _body(call, "config")
        self._application.reset(body.get("config"))
        return {"reset": True}

    def _get_config(self, call: Call, rest: tuple[str, ...]) -> Any:
        return self._application.config.describe()

    def _set_config(self, call: Call, rest: tuple[str, ...]) -> Any:
        self._application.configure(_body(call))
        return self._application.config.describe()

    def _seed(self, call: Call, rest: tuple[str, ...]) -> Any:
        with self._world.lock:
            return seed(self._world, _body(call))

    def _accounts(self, call: Call, rest: tuple[str, ...]) -> Any:
        with self._world.lock:
            return {"accounts": [account.describe() for account in self._world.accounts.values()]}

    def _renew(self, call: Call, rest: tuple[str, ...]) -> Any:
        body = _body(call, "provider", "account", "partner_token", "keep_old")
        token = _typed(body, "partner_token", str, "") or None
        with self._world.lock:
            account = self._world.account(_typed(body, "provider", str, ""), _typed(body, "account", str, "default"))
            self._world.renew(account, token, keep_old=_typed(body, "keep_old", bool, False))
            return account.describe()

    # Instances and phones

    def _instances(self, call: Call, rest: tuple[str, ...]) -> Any:
        with self._world.lock:
            if len(rest) == 2:
                return self._world.instance(*rest).describe()
            if rest:
                raise Missing("instances/{provider}/{id}")
            described = (instance.describe() for instance in self._world.instances())
            return {"instances": _filtered(described, call.args, ("provider", "account", "name", "state"))}

    def _set_instance(self, call: Call, rest: tuple[str, ...]) -> Any:
        if len(rest) != 2:
            raise Missing("instances/{provider}/{id}")
        body = _body(call, "state", "schedule", "name", "subscribed", "payment", "settings")
        with self._world.lock:
            instance = self._world.instance(*rest)
            if "state" in body or "schedule" in body:
                pending = self._schedule(body.get("schedule", []), "state")
                self._world.set_state(instance, body.get("state", instance.state), pending)
            instance.name = _typed(body, "name", str, instance.name)
            for key in ("subscribed", "payment"):
                if key in body and not isinstance(instance, PlugzApiInstance):
                    raise Invalid(f"{key}: only PlugzAPI's instances have it")
            if isinstance(instance, PlugzApiInstance):
                if "subscribed" in body:
                    instance.subscribed = _typed(body, "subscribed", bool, False)
                    instance.payment, instance.payments = "PAID" if instance.subscribed else "TRIAL", []
                if "payment" in body:
                    is_told = body["payment"] is not None
                    instance.payment = _typed(body, "payment", str, "") if is_told else None
            now = self._world.clock.now()
            instance.change_settings(_typed(body, "settings", dict, {}), now)
            instance.advance_to(now)
            return instance.describe()

    def _phones(self, call: Call, rest: tuple[str, ...]) -> Any:
        now = self._world.clock.now()
        with self._world.lock:
            for phone in self._world.phones.values():
                phone.advance_to(now)
            if len(rest) == 1:
                return self._phone(rest[0]).describe()
            if rest:
                raise Missing("phones/{id}")
            described = (phone.describe() for phone in self._world.phones.values())
            return {"phones": _filtered(described, call.args, ("account", "name", "status"))}

    def _phone(self, id: str) -> Phone:
        phone = self._world.phones.get(id)
        if phone is None:
            raise Missing(f"no phone {id}")
        return phone

    def _set_phone(self, call: Call, rest: tuple[str, ...]) -> Any:
        if len(rest) != 1:
            raise Missing("phones/{id}")
        body = _body(call, "status", "schedule", "name")
        with self._world.lock:
            phone = self._phone(rest[0])
            phone.advance_to(self._world.clock.now())
            pending = self._schedule(body.get("schedule", []), "status")
            status = body.get("status", phone.state)
            if not all(is_whole(value) for value in (status, *(value for _at, value in pending))):
                raise Invalid("status: not an integer")
            phone.become(status, pending)
            phone.name = _typed(body, "name", str, phone.name)
            return phone.describe()

    def _schedule(self, steps: Any, key: str) -> list[tuple[float, Any]]:
        """Return the planned states as (seconds since the epoch, state)."""
        now = self._world.clock.now()
        if not isinstance(steps, list):
            raise Invalid("schedule: not a list")
        pending = []
        for step in steps:
            if not isinstance(step, dict) or set(step) != {"after", key} or not is_number(step["after"]):
                raise Invalid(f'schedule: {step!r} is not {{"after": seconds, "{key}": ...}}')
            pending.append((now + step["after"], step[key]))
        return pending

    def _link(self, call: Call, rest: tuple[str, ...]) -> Any:
        body = _body(call, "provider", "id", "name", "account", "when_ready")
        provider = body.get("provider")
        with self._world.lock:
            if "id" in body:
                instance = self._world.instance(str(provider), body["id"])
            else:
                if provider not in PROVIDERS:
                    raise Invalid(f"provider: {provider!r} is not one of {', '.join(PROVIDERS)}")
                found = [
                    instance
                    for instance in self._world.instances(provider)
                    if instance.name == body.get("name")
                    and instance.account.name == body.get("account", instance.account.name)
                    and instance.state != "deleted"
                ]
                if not found:
                    raise Missing(f"{provider} has no instance named {body.get('name')!r}")
                if len(found) > 1:
                    ids = ", ".join(str(instance.id) for instance in found)
                    raise Conflict(f"{provider} has several instances named {body.get('name')!r}: {ids}")
                instance = found[0]
            self._linking.link(instance, when_ready=_typed(body, "when_ready", bool, False))
            return instance.describe()

    def _scan(self, call: Call, rest: tuple[str, ...]) -> Any:
        body = _body(call, "code", "image", "phone")
        code, phone = _typed(body, "code", str, ""), _typed(body, "phone", str, "") or None
        if "image" in body:
            code = _read_code(_typed(body, "image", str, ""))
        with self._world.lock:
            return self._linking.scan(code, phone).describe()

    def _numbers(self, call: Call, rest: tuple[str, ...]) -> Any:
        with self._world.lock:
            return {"numbers": [number.describe() for number in self._world.numbers.values()]}

    def _set_number(self, call: Call, rest: tuple[str, ...]) -> Any:
        if len(rest) != 2:
            raise Missing("numbers/{ddi}/{phone}")
        with self._world.lock:
            return seed_number(self._world, {**_body(call), "ddi": rest[0], "phone": rest[1]}).describe()

    # Clock, faults and log

    def _get_clock(self, call: Call, rest: tuple[str, ...]) -> Any:
        return self._world.clock.describe()

    def _set_clock(self, call: Call, rest: tuple[str, ...]) -> Any:
        body = _body(call, "advance", "freeze")
        clock = self._world.clock
        seconds = body.get("advance", 0)
        if not is_number(seconds) or seconds < 0:
            raise Invalid(f"advance: {seconds!r} is not a number of seconds, 0 or more")
        if "freeze" in body:
            clock.freeze(_typed(body, "freeze", bool, False))
        clock.advance(seconds)
        return clock.describe()

    def _get_faults(self, call: Call, rest: tuple[str, ...]) -> Any:
        return {"faults": self._application.faults.describe()}

    def _arm(self, call: Call, rest: tuple[str, ...]) -> Any:
        if rest and rest[-1] == "release" and len(rest) <= 2:
            return {"released": self._application.faults.release(*rest[:-1])}
        return self._application.faults.arm(_body(call))

    def _disarm(self, call: Call, rest: tuple[str, ...]) -> Any:
        return {"disarmed": self._application.faults.disarm(rest[0] if rest else None)}

    def _overview(self, call: Call, rest: tuple[str, ...]) -> Any:
        with self._world.lock:
            return overview(self._application)

    def _get_log(self, call: Call, rest: tuple[str, ...]) -> Any:
        return self._application.log.describe(call.args)

    def _clear_log(self, call: Call, rest: tuple[str, ...]) -> Any:
        self._application.log.clear()
        return {"cleared": True}


def _body(call: Call, *keys: str) -> dict[str, Any]:
    """Return the body as an object, {} if there is none; raise Invalid for a key that is not in ``keys``, if given."""
    body = call.json_object() if call.body else {}
    if body is None:
        raise Invalid("the body is not a JSON object")
    for key in body:
        if keys and key not in keys:
            raise Invalid(f"{key}: not one of {', '.join(keys)}")
    return body


def _typed(body: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
    """Return a key's value, or the default; raise Invalid if the value has another type."""
    value = body.get(key, default)
    if not isinstance(value, kind):
        raise Invalid(f"{key}: {value!r} is not a {kind.__name__}")
    return value


def _read_code(image: str) -> str:
    """Return the content of the QR code in a picture, which is in base64; raise Conflict unless there is one."""
    try:
        picture = base64.b64decode(image, validate=True)
    except ValueError:
        raise Invalid("image: not base64") from None
    codes = read_codes(picture)
    if len(codes) != 1:
        raise Conflict(f"there are {len(codes)} QR codes in the picture")
    return codes[0]


def _filtered(
    described: Iterable[dict[str, Any]], filters: Mapping[str, str], keys: tuple[str, ...]
) -> list[dict[str, Any]]:
    for key in filters:
        if key not in keys:
            raise Invalid(f"{key}: no such filter; there are {', '.join(keys)}")
    wanted = dict(filters)
    return [thing for thing in described if all(str(thing[key]) == value for key, value in wanted.items())]
