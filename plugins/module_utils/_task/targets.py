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
    return [_target(item, f"instances[{index}]", gateways, resolver) for index, item in enumerate(params["instances"])]


def single_target(params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver) -> Target:
    """The instance of ``instance_id`` and ``instance_token``.

    :raises UsageError: if one of them is missing.
    """
    provider = resolver.provider({}, "the task")
    return Target(
        gateways.get(provider, resolver.api_url(provider, {})),
        Credentials(
            resolver.require(provider, "instance_id", "the task"),
            resolver.require(provider, "instance_token", "the task"),
            resolver.find(provider, "client_token"),
        ),
        name=None,
    )


def refuse_duplicates(targets: Sequence[Target]) -> None:
    """Refuse a list that names an instance twice, for tasks that act on each instance.

    :raises UsageError: if it does.
    """
    counts = collections.Counter((target.gateway.provider, target.credentials.id) for target in targets)
    for (provider, instance_id), count in counts.items():
        if count > 1:
            raise UsageError(f"instances names {instance_id} of {provider} {count} times")


def _target(item: Mapping[str, Any], where: str, gateways: GatewayCache, resolver: OptionResolver) -> Target:
    if not item["id"].strip():
        raise UsageError(f"{where} has an empty id")
    where = f"{where} ({item['name'] or item['id']})"
    provider = resolver.provider(item, where)
    return Target(
        gateways.get(provider, resolver.api_url(provider, item)),
        Credentials(
            item["id"],
            resolver.require(provider, "instance_token", where, own=item["token"], own_name="token"),
            resolver.find(provider, "client_token", item["client_token"]),
        ),
        name=item["name"],
    )
