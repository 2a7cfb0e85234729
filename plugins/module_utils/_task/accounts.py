# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The partner accounts that a task's options name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._common.errors import UsageError
from .._vendors.accounts import Account, resolve_account
from .._vendors.gateway import Gateway
from .._vendors.providers import PROVIDERS, GatewayCache
from .arguments import OptionResolver


@dataclass(frozen=True)
class PartnerAccount:
    """An account as the options give it. ``where`` names its place in the options, for messages.

    ``name`` is what the list of accounts calls it. ``api_url`` has no slash at its end, and ``own_api_url`` is the
    item's, if it has one. ``is_implied``: no option names
    the account; its partner token is in the environment.
    """

    where: str
    identity: Account
    api_url: str
    partner_token: str | None = field(repr=False)
    client_token: str | None = field(repr=False)
    name: str | None = None
    own_api_url: str | None = None
    is_implied: bool = False

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self.identity.provider

    @property
    def label(self) -> str:
        """What people call the account."""
        return self.name or self.identity.name or self.provider

    @property
    def is_known(self) -> bool:
        """Whether the options tell the account from others: a name does, and a partner token does."""
        return bool(self.partner_token or self.identity.name)

    def connect(self, gateways: GatewayCache, resolver: OptionResolver) -> Gateway:
        """The account's client; sends no request.

        :raises UsageError: if the partner token is missing, or the address isn't a URL that may be used.
        """
        token = resolver.require(self.provider, "partner_token", self.where, own=self.partner_token)
        with resolver.naming(self.provider, "api_url", self.own_api_url, self.where):
            return gateways.get(self.provider, self.api_url, token)


def partner_account(item: Mapping[str, Any], where: str, resolver: OptionResolver) -> PartnerAccount:
    """The account of ``item``. What it leaves out comes from the task's options, then from the environment.

    :raises UsageError: if the provider is missing, or the address or the name isn't valid.
    """
    provider = resolver.provider(item, where)
    api_url = resolver.api_url(provider, item).rstrip("/")
    name, partner_token, client_token = (
        resolver.find(provider, option, item.get(option)) for option in ("account", "partner_token", "client_token")
    )
    with (
        resolver.naming(provider, "account", item.get("account"), where),
        resolver.naming(provider, "api_url", item.get("api_url"), where),
    ):
        identity = resolve_account(provider, name, api_url, partner_token or "")
    own = item.get("api_url")
    return PartnerAccount(where, identity, api_url, partner_token, client_token, own_api_url=own)


def resolve_accounts(params: Mapping[str, Any], where: str, resolver: OptionResolver) -> list[PartnerAccount]:
    """The accounts of the option ``accounts``, else the one that the other options name.

    If neither is set: the account of each gateway whose partner token is in the environment.

    :raises UsageError: if there is no account, or one isn't valid; ``where`` names the task in the message.
    """
    if params["accounts"] is not None:
        return [
            replace(partner_account(item, f"accounts[{index}]", resolver), name=item.get("name"))
            for index, item in enumerate(params["accounts"])
        ]
    if any(params[option] for option in ("provider", "api_url", "partner_token")):
        return [partner_account({}, where, resolver)]
    found = implied_accounts(where, resolver)
    if not found:
        variables = " or ".join(gateway.environment["partner_token"] for gateway in PROVIDERS.values())
        raise UsageError(f"{where} needs accounts, or provider and partner_token (or the variable {variables})")
    return found


def implied_accounts(
    where: str, resolver: OptionResolver, providers: Collection[str] = PROVIDERS
) -> list[PartnerAccount]:
    """The account of each of ``providers`` whose partner token is in the environment."""
    return [
        replace(partner_account({"provider": provider}, where, resolver), is_implied=True)
        for provider in PROVIDERS
        if provider in providers and resolver.find(provider, "partner_token")
    ]
