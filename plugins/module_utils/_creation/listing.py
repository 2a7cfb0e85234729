# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a gateway which instances an account has."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .._common.errors import Delivery, FleetError
from .._common.timestamps import seconds_since
from .._journal.entries import Entry, Use, normal_id, related_uses
from .._vendors.accounts import Account
from .._vendors.gateway import Gateway, Instance

ListingMode = Literal["auto", "required", "none"]


@dataclass(frozen=True)
class ListingPolicy:
    """How long a listing may lag behind a creation, or may be missing for a moment, all in seconds.

    The listing is requested again for ``timeout`` until it shows what was created, after ``first_pause`` and then after
    pauses that double up to ``max_pause``. A gateway that answers at the first contact that it has no listing is asked
    again after ``second_look``.
    """

    timeout: float = 15.0
    first_pause: float = 0.5
    max_pause: float = 4.0
    second_look: float = 5.0

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
        self._by_id: dict[str, Instance] = {}
        self.deleted = frozenset(normal_id(instance.id) for instance in instances if instance.deleted)
        for instance in instances:
            if not instance.deleted:
                self._by_name[instance.name].append(instance)
                self._by_id[normal_id(instance.id)] = instance

    def named(self, name: str) -> list[Instance]:
        """The instances of exactly this name."""
        return self._by_name.get(name, [])

    def with_id(self, instance_id: str | None) -> Instance | None:
        """The instance with this ID."""
        return self._by_id.get(normal_id(instance_id))

    def name_for(self, instance_id: str | None) -> str | None:
        """The present name of the instance with this ID."""
        instance = self.with_id(instance_id)
        return instance.name if instance else None

    def has_deleted(self, instance_id: str | None) -> bool:
        """Whether the account had the instance of this ID, and it was deleted."""
        return normal_id(instance_id) in self.deleted

    def shows(self, instance_id: str | None) -> bool:
        """Whether the account has or had the instance of this ID."""
        return normal_id(instance_id) in self._by_id or self.has_deleted(instance_id)


def list_until(
    gateway: Gateway, is_complete: Callable[[Listing], bool], policy: ListingPolicy | None = None
) -> Listing:
    """List the account until a listing ``is_complete``, or the policy's time is up; once, without a policy.

    Returns that listing, or the last one that could be read.

    :raises FleetError: if the account can't be listed.
    """
    deadline = policy.deadline() if policy else 0.0
    pause = policy.first_pause if policy else 0.0
    listing: Listing | None = None
    while True:
        failure = None
        try:
            instances = gateway.list_instances()
            listing = None if instances is None else Listing(instances)
        except FleetError as error:
            failure = error
        if listing and is_complete(listing):
            return listing
        left = deadline - time.monotonic()
        if left <= 0 or not policy:
            if listing:
                return listing
            raise failure or no_listing(gateway)
        time.sleep(min(pause, left))
        pause = min(2 * pause, policy.max_pause)


def no_listing(gateway: Gateway) -> FleetError:
    """The error of an account that has no listing: only a listing proves what becomes of its instances."""
    return FleetError(
        "not_found",
        f"the {gateway.provider} account can't be listed, because the gateway has no such call, so nothing was sent: "
        "check api_url, or use the gateway's console",
        delivery=Delivery.NOT_SENT,
        cause="no listing",
    )


@dataclass(frozen=True)
class Lister:
    """Requests accounts' listings. ``uses`` tells which accounts gave one in earlier runs, ``has_listing`` in this."""

    mode: ListingMode
    policy: ListingPolicy
    uses: Sequence[Use]
    has_listing: dict[Gateway, bool] = field(default_factory=dict)

    def ask(self, gateway: Gateway, accounts: Collection[Account], until: Mapping[str, float]) -> Listing | None:
        """Request the listing, again until it shows each name in ``until`` or that name's ``time.monotonic()`` is past.

        ``None`` if the gateway has no listing, or the mode is ``none``.

        :raises FleetError: if the listing can't be read, or is missing although it is required or was there before.
        """
        if self.mode == "none":
            return None
        known = related_uses(accounts, self.uses)
        is_missed = self._missed(gateway, known)
        listing = self._list_until_shown(gateway, until, is_missed)
        if listing is None and not known and gateway not in self.has_listing:
            # A gateway that is being restarted or a proxy before it may lack the call for a moment, and the journal
            # knows nothing of the account: what it has would be created again.
            time.sleep(self.policy.second_look)
            listing = self._list_until_shown(gateway, until, is_missed)
        self.has_listing[gateway] = listing is not None
        return listing

    def _missed(self, gateway: Gateway, known: Iterable[Use]) -> FleetError | None:
        """The error if the gateway answers that it has no listing; ``None`` if that may be true."""
        seen = [use.listed_at for use in known if use.listed_at]
        if seen:
            why = f"it was listed on {max(seen)}"
        elif self.has_listing.get(gateway):
            why = "it was listed a moment ago"
        elif self.mode == "required":
            why = "listing is required"
        else:
            return None
        return FleetError(
            "not_found",
            f"Listing the {gateway.provider} account failed: the gateway answered that there is no such call, but "
            f"{why}. Check api_url and run again, or set listing: none (provision_listing in the role) if the gateway "
            "really has none",
        )

    def _list_until_shown(
        self, gateway: Gateway, until: Mapping[str, float], is_missed: FleetError | None
    ) -> Listing | None:
        pause = self.policy.first_pause
        while True:
            listing, failure = None, None
            try:
                instances = gateway.list_instances()
            except FleetError as error:
                failure = error
            else:
                if instances is not None:
                    listing = Listing(instances)
                elif is_missed is None:
                    return None
                failure = None if listing else is_missed
            left = max((end for name, end in until.items() if not (listing and listing.named(name))), default=0.0)
            left -= time.monotonic()
            if left <= 0 or (failure and not (failure.retryable or failure is is_missed)):
                if failure:
                    raise failure
                return listing
            time.sleep(min(pause, left))
            pause = min(2 * pause, self.policy.max_pause)
