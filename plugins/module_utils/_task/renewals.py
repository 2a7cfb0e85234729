# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances whose tokens a task renews, with their accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._common.errors import UsageError
from .._renewal.progress import Renewal
from .._vendors.providers import PROVIDERS, GatewayCache
from .accounts import partner_account
from .arguments import OptionResolver
from .targets import refuse_duplicates, resolve_targets


def resolve_renewals(params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver) -> list[Renewal]:
    """The instances, each with the client of its partner's account. Sends no request.

    :raises UsageError: if one lacks its provider, ID, token or partner token, or its gateway renews no tokens.
    """
    targets = resolve_targets(params, gateways, resolver)
    refuse_duplicates(targets)
    items: list[Mapping[str, Any]] = [{}] if params["instances"] is None else params["instances"]
    renewals = []
    for index, (item, target) in enumerate(zip(items, targets, strict=True)):
        where = f"instances[{index}] ({target.name_or_id})" if item else "the task"
        provider = target.gateway.provider
        if not target.gateway.renews_tokens:
            able = " and ".join(name for name, gateway in PROVIDERS.items() if gateway.renews_tokens)
            raise UsageError(f"{where}: {provider} has no call for new tokens, only {able} has one")
        account = partner_account({**item, "provider": provider}, where, resolver)
        target = replace(target, gateway=account.connect(gateways, resolver))
        renewals.append(Renewal(target=target, account=account.identity, api_url=account.api_url))
    return renewals
