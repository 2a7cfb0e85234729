# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task's options name: the instances that shall exist."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import Any

from .._common.errors import UsageError
from .._creation.plan import DesiredInstance
from .._journal.entries import Key
from .._vendors.accounts import resolve_account
from .._vendors.providers import PROVIDERS, GatewayCache
from .arguments import CREATION, OptionResolver


def desired_instances(
    params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver
) -> list[DesiredInstance]:
    """The instances that shall exist: those of ``instances``, else the one of ``name``.

    :raises UsageError: for one that can't be created as asked, and for a name that occurs twice; nothing was sent.
    """
    items: list[Mapping[str, Any]] = [params] if params["instances"] is None else params["instances"]
    instances = [_desired_instance(item, params, gateways, resolver) for item in items]
    by_name: dict[Key, list[DesiredInstance]] = collections.defaultdict(list)
    for desired in instances:
        by_name[desired.key].append(desired)
    for key, same in by_name.items():
        names = [desired.account.name for desired in same]
        if len(same) > 1 and (None in names or len(set(names)) < len(names)):
            raise UsageError(
                f"instances names {key.name} {len(same)} times for {key.provider}; a name stands for one instance of "
                "an account: where they are several accounts', give each item its account"
            )
    return instances


def _desired_instance(
    item: Mapping[str, Any], params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver
) -> DesiredInstance:
    name = item["name"] or ""
    if not name.strip() or name != name.strip():
        raise UsageError(f"name must not be empty, nor begin or end with a space: {name!r}")
    provider = resolver.provider(item, name)
    api_url = resolver.api_url(provider, item)
    partner_token = resolver.require(provider, "partner_token", name, own=item.get("partner_token"))
    options = {option: item[option] for option in CREATION.options if item[option] is not None}
    return DesiredInstance(
        name=name,
        gateway=gateways.get(provider, api_url, partner_token),
        api_url=api_url.rstrip("/"),
        account=resolve_account(
            provider, resolver.find(provider, "account", item.get("account")), api_url, partner_token
        ),
        payload=PROVIDERS[provider].client.payload_for(name, options),
    )
