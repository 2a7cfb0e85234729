# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The members of a provisioning task, by its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._common.errors import FleetError, UsageError
from .._provisioning.member import Member
from .._vendors.providers import GatewayCache
from .arguments import OptionResolver
from .desired import desired_instances
from .targets import item_target

# Options of the task that are dictionaries by provider, and the option of an item that each of them stands in for.
_BY_PROVIDER = {"api_urls": "api_url", "partner_tokens": "partner_token", "accounts": "account"}


def provisioned_members(
    params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver
) -> tuple[list[Member], list[str]]:
    """The members of the option ``instances``, in its order, and the errors of those that are to exist.

    An item with an ID or a token is only checked. Sends no request.

    :raises UsageError: if pairing codes are to be shown, and an item has no usable number for one.
    """
    items = [_complete(item, params) for item in params["instances"]]
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
    try:
        all_desired = desired_instances({"instances": [item for item, _member in missing]}, gateways, resolver)
    except FleetError as error:
        for _item, member in missing:
            member.action = "failed"
        return members, [error.message]
    for (_item, member), desired in zip(missing, all_desired, strict=True):
        member.desired = desired
    return members, []


def _exists(item: Mapping[str, Any]) -> bool:
    """Whether the instance is known to exist, or would exist after a run that isn't in check mode."""
    return item["id"] is not None or item["token"] is not None


def _complete(item: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """The item with the task's values for its gateway."""
    provider = item["provider"] or params["provider"]
    defaults = {option: (params[by_provider] or {}).get(provider) for by_provider, option in _BY_PROVIDER.items()}
    return {**item, "provider": provider} | {option: item[option] or value for option, value in defaults.items()}


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
