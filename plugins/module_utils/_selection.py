# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task's options name: the instances to read, and those that shall exist."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import Any

from ._arguments import CREATION, Settings
from ._creation import Wish
from ._errors import UsageError
from ._gateway import Credentials
from ._http import TransportOptions, transport_to
from ._journal import fingerprint
from ._koophone import Koophone
from ._koophone_auth import authentication_of
from ._observation import Target
from ._providers import PROVIDERS, Gateways


def targets_of(params: Mapping[str, Any], gateways: Gateways, settings: Settings) -> list[Target]:
    """The instances that ``instances`` lists, else the single one that the options or the environment name.

    :raises UsageError: for an instance that can't be asked for; nothing was sent.
    """
    if params["instances"] is None:
        return [single_target(params, gateways, settings)]
    return [_target(item, f"instances[{index}]", gateways, settings) for index, item in enumerate(params["instances"])]


def single_target(params: Mapping[str, Any], gateways: Gateways, settings: Settings) -> Target:
    """The instance of ``instance_id`` and ``instance_token``.

    :raises UsageError: if one of them is missing.
    """
    provider = settings.provider({}, "the task")
    return Target(
        gateways.get(provider, settings.api_url(provider, {})),
        Credentials(
            settings.require(provider, "instance_id", "the task"),
            settings.require(provider, "instance_token", "the task"),
            settings.find(provider, "client_token"),
        ),
        name=None,
    )


def _target(item: Mapping[str, Any], where: str, gateways: Gateways, settings: Settings) -> Target:
    if not item["id"].strip():
        raise UsageError(f"{where} has an empty id")
    where = f"{where} ({item['name'] or item['id']})"
    provider = settings.provider(item, where)
    return Target(
        gateways.get(provider, settings.api_url(provider, item)),
        Credentials(
            item["id"],
            settings.require(provider, "instance_token", where, own=item["token"], own_name="token"),
            settings.find(provider, "client_token", item["client_token"]),
        ),
        name=item["name"],
    )


def wishes_of(params: Mapping[str, Any], gateways: Gateways, settings: Settings) -> list[Wish]:
    """The instances that shall exist: those of ``instances``, else the one of ``name``.

    :raises UsageError: for one that can't be created as asked, and for a name that occurs twice; nothing was sent.
    """
    items: list[Mapping[str, Any]] = [params] if params["instances"] is None else params["instances"]
    wishes = [_wish(item, params, gateways, settings) for item in items]
    counts = collections.Counter((wish.gateway.provider, wish.name) for wish in wishes)
    for (provider, name), count in counts.items():
        if count > 1:
            raise UsageError(f"instances names {name} {count} times for {provider}; a name stands for one instance")
    return wishes


def _wish(item: Mapping[str, Any], params: Mapping[str, Any], gateways: Gateways, settings: Settings) -> Wish:
    name = item["name"] or ""
    if not name.strip() or name != name.strip():
        raise UsageError(f"name must not be empty, nor begin or end with a space: {name!r}")
    provider = settings.provider(item, name)
    api_url = settings.api_url(provider, item)
    partner_token = settings.require(provider, "partner_token", name, own=item.get("partner_token"))
    options = {option: item[option] for option in CREATION.options if item[option] is not None}
    return Wish(
        name=name,
        gateway=gateways.get(provider, api_url, partner_token),
        api_url=api_url.rstrip("/"),
        account=fingerprint(provider, api_url.rstrip("/"), partner_token),
        payload=PROVIDERS[provider].client.payload_for(name, options),
    )


def koophone_of(params: Mapping[str, Any], options: TransportOptions, secrets: set[str]) -> Koophone:
    """The client of the tenant that the options or the environment name.

    :raises UsageError: if nothing says who asks.
    """
    transport = transport_to(params["endpoint"], options, url_option="endpoint")
    return Koophone(transport, authentication_of(params, options, secrets))
