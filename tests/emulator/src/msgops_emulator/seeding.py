# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adding data: single objects, or thousands of them by a count and a pattern of names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .accounts import ACCOUNTS, GREEN_API, KOOPHONE, PROVIDERS
from .config import OPTIONS, check_options, is_whole
from .errors import Invalid
from .instances import DISCONNECTED, NOT_AUTHORIZED, AnyInstance, check_state
from .phones import Number, Phone
from .world import World

MAX_COUNT = 200_000


def seed(world: World, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Add accounts, instances, phones and numbers; return them, with their tokens.

    Raises Invalid at the first item that can't be added; the items before it have been added.
    """
    if not isinstance(wanted, Mapping):
        raise Invalid("a seed is an object")
    _check_keys("seed", wanted, ("accounts", "instances", "phones", "numbers"))
    for name in wanted:
        if not isinstance(wanted[name], list) or not all(isinstance(item, dict) for item in wanted[name]):
            raise Invalid(f"{name}: not a list of objects")
    accounts = [_seed_account(world, item) for item in wanted.get("accounts", [])]
    instances = [made for item in wanted.get("instances", []) for made in _seed_instances(world, item)]
    phones = [made for item in wanted.get("phones", []) for made in _seed_phones(world, item)]
    numbers = [seed_number(world, item) for item in wanted.get("numbers", [])]
    return {
        "accounts": accounts,
        "instances": [instance.describe() for instance in instances],
        "phones": [phone.describe() for phone in phones],
        "numbers": [number.describe() for number in numbers],
    }


def _seed_account(world: World, item: dict[str, Any]) -> dict[str, Any]:
    provider, name = item.get("provider"), item.get("name")
    if provider not in ACCOUNTS:
        raise Invalid(f"provider: {provider!r} is not one of {', '.join(ACCOUNTS)}")
    if not isinstance(name, str) or not name:
        raise Invalid(f"name: {name!r} is not a name")
    kind = ACCOUNTS[provider]
    lists = ("old_partner_tokens",) if provider in PROVIDERS else ()
    _check_keys("account", item, ("provider", "name", "options", *kind.CREDENTIALS, *lists))
    options = check_options(item.get("options", {}), OPTIONS)
    for key in options:
        vendors = (provider, "iam") if provider == KOOPHONE else (provider,)
        if OPTIONS[key].whole_server or key.partition(".")[0] not in vendors:
            raise Invalid(f"options: {key} is not an option of an account of {provider}")
    account = world.accounts.get((provider, name))
    if account is None:
        account = kind(provider, name)
        if name != "default":
            # The credentials of another account must differ from those of the default account.
            for key in kind.CREDENTIALS:
                setattr(account, key, f"{getattr(account, key)}-{name}" if key != "project_name" else "cn-south-1")
        world.accounts[provider, name] = account
    account.options.update(options)
    for key in kind.CREDENTIALS:
        if key in item:
            if not isinstance(item[key], str) or not item[key]:
                raise Invalid(f"{key}: not a string")
            setattr(account, key, item[key])
    for key in lists:
        tokens = item.get(key, [])
        if not isinstance(tokens, list) or not all(isinstance(token, str) and token for token in tokens):
            raise Invalid(f"{key}: not a list of strings")
        if key in item:
            setattr(account, key, tokens)
    return account.describe()


def _seed_instances(world: World, item: dict[str, Any]) -> list[AnyInstance]:
    _check_keys(
        "instance",
        item,
        ("provider", "account", "count", "name", "state", "states", "id", "token", "token_style", "settings"),
    )
    provider = item.get("provider")
    if provider not in PROVIDERS:
        raise Invalid(f"provider: {provider!r} is not one of {', '.join(PROVIDERS)}")
    account = world.account(provider, item.get("account", "default"))
    count = _count(item, ("id", "token"))
    states = item.get("states", [item.get("state", NOT_AUTHORIZED if provider == GREEN_API else DISCONNECTED)])
    if not isinstance(states, list) or not states:
        raise Invalid("states: not a list of states")
    for state in states:
        check_state(provider, state)
    style = OPTIONS[f"{provider}.token_style"].check("token_style", item.get("token_style", "plain"))
    settings, token = item.get("settings", {}), item.get("token")
    if not isinstance(settings, dict):
        raise Invalid("settings: not an object")
    if token is not None and (not isinstance(token, str) or not token):
        raise Invalid("token: not a string")
    made: list[AnyInstance] = []
    for index in range(count):
        name = _name(item.get("name", "instance-{n}"), index + 1)
        instance: AnyInstance
        if provider == GREEN_API:
            instance = world.create_green_api(
                account, name, id=_green_api_id(world, item), token=token, token_style=style
            )
            instance.settings = dict(settings)
        else:
            instance = world.create_plugzapi(
                account, name, id=_unused_id(item, world.plugzapi), token=token, token_style=style
            )
            instance.attributes = dict(settings)
        world.set_state(instance, states[index % len(states)], [])
        made.append(instance)
    return made


def _green_api_id(world: World, item: dict[str, Any]) -> int | None:
    if "id" not in item:
        return None
    text = str(item["id"])
    if not text.isascii() or not text.isdecimal() or len(text) > 10:
        raise Invalid(f"id: {item['id']!r} is not a number of up to ten digits")
    if int(text) in world.green_api:
        raise Invalid(f"id: {text} exists already")
    return int(text)


def _unused_id(item: dict[str, Any], taken: Mapping[str, object]) -> str | None:
    id = item.get("id")
    if id is None:
        return None
    if not isinstance(id, str) or not id:
        raise Invalid(f"id: {id!r} is not a string")
    if id in taken:
        raise Invalid(f"id: {id} exists already")
    return id


def _seed_phones(world: World, item: dict[str, Any]) -> list[Phone]:
    _check_keys("phone", item, ("account", "count", "id", "name", "status", "statuses"))
    account = world.account(KOOPHONE, item.get("account", "default"))
    statuses = item.get("statuses", [item.get("status", 2)])
    if not isinstance(statuses, list) or not statuses or not all(is_whole(status) for status in statuses):
        raise Invalid("status: not an integer")
    made = []
    for index in range(_count(item, ())):
        named = dict(item)
        if "id" in item:
            named["id"] = _name(item["id"], index + 1)
        name = _name(item["name"], index + 1) if "name" in item else None
        made.append(
            world.create_phone(account, statuses[index % len(statuses)], id=_unused_id(named, world.phones), name=name)
        )
    return made


def seed_number(world: World, item: Mapping[str, Any]) -> Number:
    """Set what registration says about a telephone number."""
    settable = [field.name for field in fields(Number) if field.name != "onboardings"]
    _check_keys("number", item, tuple(settable))
    if item.get("result", "available") not in Number.RESULTS:
        raise Invalid(f"result: {item['result']!r} is not one of {', '.join(Number.RESULTS)}")
    for key in ("ddi", "phone"):
        if not isinstance(item.get(key), str) or not item[key].isascii() or not item[key].isdigit():
            raise Invalid(f"{key}: {item.get(key)!r} is not a string of digits")
    number = world.number(item["ddi"], item["phone"])
    for key, value in item.items():
        if type(value) is not type(getattr(number, key)):
            raise Invalid(f"{key}: {value!r} is not a {type(getattr(number, key)).__name__}")
        setattr(number, key, value)
    return number


def _count(item: dict[str, Any], single: tuple[str, ...]) -> int:
    count = item.get("count", 1)
    if not is_whole(count) or not 0 <= count <= MAX_COUNT:
        raise Invalid(f"count: {count!r} is not a number from 0 to {MAX_COUNT}")
    for key in single:
        if count != 1 and key in item:
            raise Invalid(f"{key}: only for a count of 1")
    return int(count)


def _name(pattern: Any, n: int) -> str:
    """Return a name with its number, which counts from 1, in the place of ``{n}`` or ``{n:04d}``."""
    if not isinstance(pattern, str):
        raise Invalid(f"name: {pattern!r} is not a string")
    if "{n" not in pattern:
        return pattern
    try:
        return pattern.format(n=n)
    except (KeyError, IndexError, ValueError):
        raise Invalid(f"name: {pattern!r} is not a pattern with {{n}}") from None


def _check_keys(what: str, item: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in item:
        if key not in keys:
            raise Invalid(f"{key}: not a key of {what}; there are {', '.join(keys)}")
