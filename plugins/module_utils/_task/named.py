# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances that a task ends or pays for, by its options: each by ID and name, in its account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._common.errors import UsageError
from .._fleet.observation import Target
from .._vendors.gateway import Credentials
from .._vendors.providers import GatewayCache
from .accounts import PartnerAccount, partner_account
from .arguments import ITEM_GATEWAY, PARTNER, OptionResolver, Spec

# An item of ``instances``: what ends an instance needs its ID and its name, which must match.
NAMED_ITEM: Spec = {
    "id": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "token": {"type": "str", "no_log": True},
    **ITEM_GATEWAY,
    **PARTNER.options,
}


@dataclass(frozen=True)
class NamedInstance:
    """An instance of ``account`` that a task names by ID and name. Its token is empty if the task doesn't give it."""

    target: Target
    account: PartnerAccount


def named_instances(
    params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver, *, provider: str | None = None
) -> Iterator[NamedInstance]:
    """The instances of the option ``instances``; ``provider`` is that of an item that names none. Sends no request.

    :raises UsageError: if an item lacks its provider or its partner token, or its ID can't be one.
    """
    for index, item in enumerate(params["instances"]):
        where = f"instances[{index}] ({item['name']})"
        account = partner_account({**item, "provider": item["provider"] or provider}, where, resolver)
        gateway = account.connect(gateways, resolver)
        form = gateway.id_form
        if account.provider == "green_api" and form and not form.pattern.fullmatch(item["id"]):
            raise UsageError(f"{where}: {item['id']} is no ID of {account.provider}: its IDs are {form.words}")
        credentials = Credentials(item["id"], item["token"] or "", account.client_token)
        yield NamedInstance(Target(gateway, credentials, item["name"]), account)
