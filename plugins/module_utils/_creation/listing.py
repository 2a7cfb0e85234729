# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a gateway which instances an account has."""

from __future__ import annotations

import collections
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .._common.errors import FleetError
from .._common.timestamps import seconds_since
from .._journal.entries import Entry, Use, normal_id
from .._vendors.accounts import Account
from .._vendors.gateway import Gateway, Instance

ListingMode = Literal["auto", "required", "none"]


@dataclass(frozen=True)
class ListingPolicy:
    """How long a listing may lag behind a creation, all in seconds.

    The listing is requested again for ``timeout`` until it shows what was created, after ``first_pause`` and then after
    pauses that double up to ``max_pause``.
    """

    timeout: float = 15.0
    first_pause: float = 0.5
    max_pause: float = 4.0

    def applies_to(self, entry: Entry) -> bool:
        """Whether the listing may still come to show the entry's instance."""
        if entry.status in ("rejected", "unknown"):
            return False  # there is no instance, or an earlier run has waited for it already
        return seconds_since(entry.updated_at) < self.timeout

    def deadline(self, entry: Entry | None = None) -> float:
        """The ``time.monotonic()`` at which waiting ends: ``timeout`` after ``entry`` was written, or from now on."""
        # An entry from the future, before the clock was set back, makes a run wait no longer than one from now.
        return time.monotonic() + self.timeout - max(0.0, seconds_since(entry.updated_at) if entry else 0.0)


LISTING_POLICY = ListingPolicy()


class Listing:
    """An account's instances by name, and the normal IDs of ``deleted`` ones that the vendor still lists."""

    def __init__(self, instances: Sequence[Instance]) -> None:
        self._by_name: dict[str, list[Instance]] = collections.defaultdict(list)
        self._names: dict[str, str] = {}
        self.deleted = frozenset(normal_id(instance.id) for instance in instances if instance.deleted)
        for instance in instances:
            if not instance.deleted:
                self._by_name[instance.name].append(instance)
                self._names[normal_id(instance.id)] = instance.name

    def named(self, name: str) -> list[Instance]:
        """The instances of exactly this name."""
        return self._by_name.get(name, [])

    def name_for(self, instance_id: str | None) -> str | None:
        """The present name of the instance with this ID."""
        return self._names.get(normal_id(instance_id))

    def has_deleted(self, instance_id: str | None) -> bool:
        """Whether the account had the instance of this ID, and it was deleted."""
        return normal_id(instance_id) in self.deleted

    def shows(self, instance_id: str | None) -> bool:
        """Whether the account has or had the instance of this ID."""
        return normal_id(instance_id) in self._names or self.has_deleted(instance_id)


@dataclass(frozen=True)
class Lister:
    """Requests accounts' listings. ``uses`` tells which accounts gave one before."""

    mode: ListingMode
    policy: ListingPolicy
    uses: Sequence[Use]

    def ask(self, gateway: Gateway, accounts: Iterable[Account], until: Mapping[str, float]) -> Listing | None:
        """Request the listing, again until it shows each name in ``until`` or that name's ``time.monotonic()`` is past.

        ``None`` if the gateway has no listing, or the mode is ``none``.

        :raises FleetError: if the listing can't be read, or is missing although it is required or was there before.
        """
        if self.mode == "none":
            return None
        if listing := self._list_until_shown(gateway, until):
            return listing
        seen = [use.listed_at for use in self.uses for one in accounts if use.listed_at and use.may_belong_to(one)]
        if self.mode == "required" or seen:
            why = f"it was listed on {max(seen)}" if seen else "listing is required"
            raise FleetError(
                "not_found",
                f"Listing the {gateway.provider} account failed: the gateway answered that there is no such call, but "
                f"{why}. Nothing is created; check api_url, or set listing: none (provision_listing in the role) if "
                "the gateway really has none",
            )
        return None

    def _list_until_shown(self, gateway: Gateway, until: Mapping[str, float]) -> Listing | None:
        pause = self.policy.first_pause
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
            pause = min(2 * pause, self.policy.max_pause)
