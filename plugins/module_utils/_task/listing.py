# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listing the instances of several partner accounts: the failure of one doesn't keep the others from being listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._common.errors import FleetError
from .._common.polling import poll
from .._common.texts import sentence
from .._vendors.gateway import Gateway, Instance
from .._vendors.providers import GatewayCache
from .accounts import PartnerAccount
from .arguments import OptionResolver


class NoListingError(FleetError):
    """The gateway has no call that lists the account's instances."""

    def __init__(self, provider: str) -> None:
        what = f"listing the instances of the {provider} account"
        super().__init__("not_found", sentence(what, "the gateway has no such call", "check api_url"))


@dataclass(frozen=True)
class AccountListing:
    """The instances of an account, without deleted ones, or why it could not be listed."""

    account: PartnerAccount
    instances: Sequence[Instance] = ()
    error: FleetError | None = None

    def as_result(self) -> dict[str, Any]:
        """The account as instance_info returns it."""
        return {
            "provider": self.account.provider,
            "account": self.account.identity.name,
            "api_url": self.account.api_url,
            "total": None if self.error else len(self.instances),
            "error": self.error.as_item_error() if self.error else None,
        }


def list_accounts(
    accounts: Sequence[PartnerAccount], gateways: GatewayCache, resolver: OptionResolver, *, concurrency: int
) -> list[AccountListing]:
    """The listing of each account, in the order of ``accounts``; ``concurrency`` accounts are listed at once."""
    listings: dict[int, AccountListing] = {}

    def list_one(index: int) -> bool:
        account = accounts[index]
        try:
            instances = list_account(account.connect(gateways, resolver))
        except FleetError as error:
            listings[index] = AccountListing(account, error=error)
        else:
            listings[index] = AccountListing(account, [instance for instance in instances if not instance.deleted])
        return True

    poll(range(len(accounts)), list_one, workers=concurrency)
    return [listings[index] for index in range(len(accounts))]


def list_account(gateway: Gateway) -> list[Instance]:
    """All instances that the account's listing shows.

    :raises NoListingError: if the gateway has no listing.
    :raises FleetError: if the account can't be listed.
    """
    instances = gateway.list_instances()
    if instances is None:
        raise NoListingError(gateway.provider)
    return instances
