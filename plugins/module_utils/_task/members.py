# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The members of a provisioning task, by its options."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from .._common.errors import FleetError, UsageError
from .._http.address import check_base_url
from .._provisioning.member import Member
from .._vendors.accounts import checked_name
from .._vendors.providers import GatewayCache
from .arguments import CREATION, ITEM_GATEWAY, PARTNER, ArgumentSpec, OptionResolver, Spec
from .desired import desired_instance, duplicate, refuse_duplicates
from .normalization import as_users_name_it
from .settings import desired_settings, settings_of_creation
from .targets import item_target

# Options of the task that are dictionaries by provider, and the option of an item that each of them stands in for.
_BY_PROVIDER = {"api_urls": "api_url", "partner_tokens": "partner_token", "accounts": "account"}

_SECRET: dict[str, Any] = {"type": "str", "no_log": True}

# An item of ``instances``, and the list of items that have nothing but a name.
ITEM: Spec = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "token": _SECRET,
    "client_token": _SECRET,
    "phone": {"type": "str"},
    **ITEM_GATEWAY,
    **PARTNER.options,
    **CREATION.options,
}
MEMBERS = ArgumentSpec(
    {
        "instances": {"type": "list", "elements": "dict", "options": ITEM},
        "names": {"type": "list", "elements": "str"},
    }
)


def provisioned_members(
    params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver
) -> tuple[list[Member], list[str]]:
    """The members of the options ``instances`` and ``names``, in order, and the errors of those that are to exist.

    An item with an ID or a token is only checked. Sends no request.

    :raises UsageError: if there is neither option, if a value for a provider isn't valid, if two items stand for one
        instance, if pairing codes are to be shown, and an item has no usable number for one, or if an item has a
        setting that its gateway doesn't take.
    """
    _check_by_provider(params)
    items = [_complete(item, params) for item in _items(params)]
    _refuse_duplicates(items, _where(params))
    if params["link"] == "code":
        for index, item in enumerate(items):
            _check_phone(item, f"instances[{index}]")
    members = [_member(item, resolver) for item in items]
    missing = []
    for index, (item, member) in enumerate(zip(items, members, strict=True)):
        try:
            if not _exists(item):
                _check_name(item, f"instances[{index}]")
                missing.append((item, member))
                continue
            target = item_target(item, f"instances[{index}]", gateways, resolver)
        except FleetError as error:
            member.action, member.error = "failed", error
        else:
            if target.is_created:
                member.target = target
            else:
                member.action = "would_create"
    errors = []
    for item, member in missing:
        try:
            member.desired = desired_instance(item, gateways, resolver)
        except FleetError as error:
            errors.append(error.message)
    refuse_duplicates((member.desired for member in members if member.desired), _where(params))
    if errors:
        for _item, member in missing:
            member.action, member.desired = "failed", None
    if params["settings"]:
        _hold_settings(items, members)
    return members, errors[:1]


def _hold_settings(items: Sequence[Mapping[str, Any]], members: Sequence[Member]) -> None:
    """Let the settings of the items hold for instances that exist.

    :raises UsageError: if there is one that the gateway doesn't have or take.
    """
    for index, (item, member) in enumerate(zip(items, members, strict=True)):
        source = member.target or member.desired
        if source and (given := settings_of_creation(item)):
            where = f"instances[{index}] ({member.name or member.instance_id})"
            member.settings = desired_settings(source.gateway, given, where)


def _items(params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    instances, names = params["instances"], params["names"]
    if instances is None and names is None:
        raise UsageError(
            "give the instances in instances or names (in the role: provision_instances, provision_names; in the "
            "playbook provision also: fleet_instances, fleet_names)"
        )
    return [*(instances or ()), *({"name": str(name)} for name in names or ())]


def _where(params: Mapping[str, Any]) -> str:
    """The options that name the items, as the user knows them."""
    return " and ".join(as_users_name_it(option, params) for option in MEMBERS.options if params[option])


def _refuse_duplicates(items: Sequence[Mapping[str, Any]], where: str) -> None:
    """Refuse an item that is to exist, and has the name and the account of another item.

    Items that are only checked may have one name, which is for messages only: their IDs tell them apart.

    :raises UsageError: if there is one.
    """
    by_name: dict[tuple[Any, ...], list[Mapping[str, Any]]] = collections.defaultdict(list)
    for item in items:
        if item["name"] and item["provider"]:
            by_name[item["provider"], item["account"], item["api_url"], item["name"]].append(item)
    for (provider, *_whose, name), same in by_name.items():
        if len(same) > 1 and not all(_exists(item) for item in same):
            raise duplicate(name, provider, len(same), where)


def _check_by_provider(params: Mapping[str, Any]) -> None:
    """Check the task's values here, where messages can still tell them from an item's."""
    for provider, url in (params["api_urls"] or {}).items():
        if url is not None:
            check_base_url(url, f"api_urls.{provider}")
    for provider, name in (params["accounts"] or {}).items():
        checked_name(name, f"accounts.{provider}")


def _exists(item: Mapping[str, Any]) -> bool:
    """Whether the instance is known to exist, or would exist after a run that isn't in check mode."""
    return item["id"] is not None or item["token"] is not None


def _complete(item: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """The item with the task's values for its gateway."""
    provider = item.get("provider") or params["provider"]
    defaults = {option: (params[by_provider] or {}).get(provider) for by_provider, option in _BY_PROVIDER.items()}
    completed = {option: item.get(option) or value for option, value in defaults.items()}
    return {**dict.fromkeys(ITEM), **item, "provider": provider, **completed}


def _member(item: Mapping[str, Any], resolver: OptionResolver) -> Member:
    provider = item["provider"]
    return Member(
        name=item["name"],
        provider=provider,
        account=item["account"],
        instance_id=item["id"] or None,
        api_url=item["api_url"],
        client_token=resolver.find(provider, "client_token", item["client_token"]) if provider else None,
        phone=item["phone"],
    )


def _check_name(item: Mapping[str, Any], where: str) -> None:
    if not item["name"]:
        raise UsageError(f"{where} needs name, or id and token")


def _check_phone(item: Mapping[str, Any], where: str) -> None:
    phone = item["phone"]
    if not (phone and phone.isascii() and phone.isdecimal()):
        raise UsageError(
            f"{where} ({item['name'] or item['id']}) needs phone for link: code (in the role: provision_link), the "
            "number with the country code, digits only"
        )
