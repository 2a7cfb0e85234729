# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking an account which instances it has, where its gateway can be asked."""

from __future__ import annotations

import collections
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .._common.errors import FleetError
from .._common.timestamps import seconds_since
from .._journal.entries import Entry, Use
from .._vendors.accounts import Account
from .._vendors.gateway import Gateway, Instance

ListingPolicy = Literal["auto", "required", "none"]

# Seconds after a creation for which a listing that doesn't show it is asked again.
SETTLE = 15.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 4.0


class Listing:
    """An account's instances by name; of those that were ``deleted``, as far as the vendor still says so, the IDs."""

    def __init__(self, instances: Sequence[Instance]) -> None:
        self._by_name: dict[str, list[Instance]] = collections.defaultdict(list)
        self._names: dict[str, str] = {}
        self.deleted = frozenset(instance.id for instance in instances if instance.deleted)
        for instance in instances:
            if not instance.deleted:
                self._by_name[instance.name].append(instance)
                self._names[instance.id] = instance.name

    def named(self, name: str) -> list[Instance]:
        """The instances of exactly this name."""
        return self._by_name.get(name, [])

    def name_for(self, instance_id: str | None) -> str | None:
        """What the instance of this ID is named now."""
        return self._names.get(instance_id or "")

    def shows(self, instance_id: str | None) -> bool:
        """Whether the account has, or is still known to have had, the instance of this ID."""
        return instance_id in self._names or instance_id in self.deleted


@dataclass(frozen=True)
class Lister:
    """Asks accounts for their listings. ``uses`` tells which of them had one before."""

    policy: ListingPolicy
    uses: Sequence[Use]

    def ask(self, gateway: Gateway, accounts: Iterable[Account], until: Mapping[str, float]) -> Listing | None:
        """The listing, asked again until it shows each name or its time (of ``time.monotonic()``) is up.

        ``None`` if the gateway has none, or isn't to be asked.

        :raises FleetError: if it can't be had, or there is none where there has to be one.
        """
        if self.policy == "none":
            return None
        if listing := _list_until_shown(gateway, until):
            return listing
        seen = [use.listed_at for use in self.uses for one in accounts if use.listed_at and use.may_belong_to(one)]
        if self.policy == "required" or seen:
            why = f"it was listed on {max(seen)}" if seen else "listing is required"
            raise FleetError(
                "not_found",
                f"Listing the {gateway.provider} account failed: the gateway answered that there is no such call, but "
                f"{why}. Nothing is created; check api_url, or set listing: none (provision_listing in the role) if "
                "the gateway really has none",
            )
        return None


def awaits_listing(entry: Entry) -> bool:
    """Whether a listing may still come to show what was begun."""
    if entry.status in ("rejected", "unknown"):
        return False  # nothing will come, or it was waited for already
    return seconds_since(entry.updated_at) < SETTLE


def listed_by(entry: Entry | None = None) -> float:
    """Until when (of ``time.monotonic()``) a listing is waited for, after ``entry`` was written, or from now on."""
    # At most from now on: a clock that was set back makes nobody wait longer.
    return time.monotonic() + SETTLE - max(0.0, seconds_since(entry.updated_at) if entry else 0.0)


def _list_until_shown(gateway: Gateway, until: Mapping[str, float]) -> Listing | None:
    """The account's listing, asked again until it shows each name or its time (of ``time.monotonic()``) is up.

    ``None`` if the gateway has no such call.

    :raises FleetError: if the listing can't be had.
    """
    pause = _FIRST_PAUSE
    while True:
        listing, failure = None, None
        try:
            instances = gateway.list_instances()
        except FleetError as error:
            failure = error
        else:
            if instances is None:
                return None
            listing = Listing(instances)
        left = max((end for name, end in until.items() if not (listing and listing.named(name))), default=0.0)
        left -= time.monotonic()
        if left <= 0 or (failure and not failure.retryable):
            if failure:
                raise failure
            return listing
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)
