# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances that a task's options name."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from .._common.errors import UsageError
from .._fleet.observation import Target
from .._vendors.gateway import Credentials
from .._vendors.providers import GatewayCache
from .arguments import OptionResolver


def resolve_targets(params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver) -> list[Target]:
    """The instances of the option ``instances``, else the single one that the options or the environment name.

    Sends no request.

    :raises UsageError: if an instance lacks its provider, ID or token.
    """
    if params["instances"] is None:
        return [single_target(params, gateways, resolver)]
    return [
        item_target(item, f"instances[{index}]", gateways, resolver) for index, item in enumerate(params["instances"])
    ]


def single_target(params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver) -> Target:
    """The instance of ``instance_id`` and ``instance_token``, both of the task or both of the environment.

    :raises UsageError: if one of them is missing.
    """
    provider = resolver.provider({}, "the task")
    gateway = resolver.gateway(gateways, provider, {}, "the task")
    options = ("instance_id", "instance_token")
    given = [option for option in options if params[option] is not None]
    missing = [option for option in options if params[option] is None]
    if given and missing:
        raise UsageError(
            f"the task needs {missing[0]}, because it has {given[0]}: set both, or leave both to the environment, so "
            "that they belong to the same instance"
        )
    instance_id, token = (
        params[option] if given else resolver.require(provider, option, "the task") for option in options
    )
    return Target(gateway, Credentials(instance_id, token, resolver.find(provider, "client_token")), name=None)


def refuse_duplicates(targets: Sequence[Target]) -> None:
    """Refuse a list that names an instance twice, for tasks that act on each instance.

    :raises UsageError: if it does.
    """
    counts = collections.Counter(
        (target.gateway.provider, target.credentials.id) for target in targets if target.is_created
    )
    for (provider, instance_id), count in counts.items():
        if count > 1:
            raise UsageError(f"instances names {instance_id} of {provider} {count} times")


def item_target(item: Mapping[str, Any], where: str, gateways: GatewayCache, resolver: OptionResolver) -> Target:
    """The instance of one item; ``where`` is its place in the options, for messages.

    :raises UsageError: if it lacks its provider, ID or token.
    """
    if item["id"] is None:
        raise UsageError(f"{where} ({item['name']}) needs id, because it has a token")
    where = f"{where} ({item['name'] or item['id']})"
    provider = resolver.provider(item, where)
    token = item["token"]
    if token is None:
        token = resolver.require(provider, "instance_token", where, own_name="token")
    return Target(
        resolver.gateway(gateways, provider, item, where),
        Credentials(item["id"], token, resolver.find(provider, "client_token", item["client_token"])),
        name=item["name"],
    )
