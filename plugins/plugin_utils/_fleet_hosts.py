# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of an inventory as members of a fleet, and what the listings and the credentials file know of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError, UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._task.listing import AccountListing
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import PROVIDERS

PHONES = "koophone"

# The provider and the ID of an instance or phone.
Key = tuple[str, str]

_VARIABLES = ("id", "provider", "account", "name", "due", "api_url", "token", "client_token")


@dataclass(frozen=True)
class FleetHost:
    """A host whose variables name an instance or a phone. ``account`` is the user's own name for its account."""

    host: str
    id: str
    provider: str
    account: str | None = None
    name: str | None = None
    due: str | None = None
    api_url: str | None = None
    token: str | None = field(default=None, repr=False)
    client_token: str | None = field(default=None, repr=False)

    @property
    def key(self) -> Key:
        """What identifies the instance or phone within its account."""
        return (self.provider, self.id)


@dataclass(frozen=True)
class _Known:
    """What a source other than the inventory knows of an instance. ``account`` is the source's name for its account."""

    account: str | None
    token: str | None = field(repr=False)
    api_url: str | None
    due: str | None = None


def fleet_host(host: str, variables: Mapping[str, Any], *, phones: bool) -> FleetHost:
    """The member that the variables of ``host`` name.

    :raises UsageError: if they name none.
    """
    values = {
        name: None if (value := variables.get(f"msgops_{name}")) is None else str(value).strip() for name in _VARIABLES
    }
    allowed = (PHONES,) if phones else tuple(PROVIDERS)
    if not values["id"] or values["provider"] not in allowed:
        raise UsageError(
            f"host {host} needs the variables msgops_id and msgops_provider ({' or '.join(allowed)}), "
            "as the inventory plugins set them; leave other hosts out by fleet_hosts"
        )
    if phones or values["account"] == values["provider"]:  # the inventory plugin's name for an account without a name
        values["account"] = None
    return FleetHost(host=host, **values)  # type: ignore[arg-type]  # id and provider are no None


def with_known(
    hosts: Iterable[FleetHost],
    credentials: Mapping[str, Mapping[str, Mapping[str, Any]]],
    listings: Iterable[AccountListing],
) -> list[FleetHost]:
    """``hosts`` with what their variables leave out: from the listings, else from the credentials file.

    A listed due date replaces the variable, because it is newer.
    """
    known: dict[Key, list[_Known]] = {}
    for provider, entries in credentials.items():
        for key, entry in entries.items():
            account, slash, _name = key.partition("/")
            found = _Known(account if slash else None, entry.get("token"), entry.get("api_url"))
            known.setdefault((provider, str(entry.get("id"))), []).append(found)
    for listing in listings:
        account_name, url = listing.account.identity.name, listing.account.api_url
        for instance in listing.instances:
            found = _Known(account_name, instance.token, url, instance.due)
            known.setdefault((listing.account.provider, instance.id), []).append(found)
    return [_completed(host, known.get(host.key, ())) for host in hosts]


def _completed(host: FleetHost, known: Sequence[_Known]) -> FleetHost:
    if len({one.account for one in known if one.account}) > 1:  # equal IDs in several accounts
        known = [one for one in known if one.account in (None, host.account)]
    latest: dict[str, str | None] = {}
    for one in known:
        latest |= {name: value for name, value in vars(one).items() if value is not None}
    return replace(
        host,
        account=host.account or latest.get("account"),
        token=host.token or latest.get("token"),
        api_url=host.api_url or latest.get("api_url"),
        due=latest.get("due") or host.due,
    )


def why_without_token(host: FleetHost, listings: Iterable[AccountListing]) -> FleetError:
    """Why the token of ``host`` isn't known: its account could not be listed, or no source has it."""
    for listing in listings:
        name = listing.account.identity.name
        is_other = host.provider != listing.account.provider or (host.account and name and host.account != name)
        if listing.error and not is_other:
            message = f"its account could not be listed: {listing.error.message}"
            return FleetError(listing.error.code, message, retryable=listing.error.retryable)
    variable = PROVIDERS[host.provider].environment["partner_token"]
    return UsageError(
        f"its token isn't known; give the job the partner's token ({variable}) of the account that it is in, or "
        "fleet_credentials_file"
    )
