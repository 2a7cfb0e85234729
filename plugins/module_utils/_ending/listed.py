# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that a task names by ID and name, and what their accounts' listings say of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from .._common.errors import Delivery, FleetError, outcome_unknown
from .._creation.listing import Listing, list_until
from .._fleet.outcome import Action, Outcome, by_gateway
from .._vendors.gateway import Gateway, Instance


@dataclass(kw_only=True)
class NamedOutcome(Outcome[Action]):
    """What becomes of an instance that a task names by ID and name. ``listed`` is what its account's listing shows.

    ``doubt`` is the error that leaves open whether a request arrived.
    """

    listed: Instance | None = None
    sent: bool = False
    doubt: FleetError | None = None

    def take(self, instance: Instance) -> None:
        """Take over what the listing shows: its token is the newest."""
        self.listed = instance
        token = instance.token or self.target.credentials.token
        credentials = replace(self.target.credentials, id=instance.id, token=token)
        self.target = replace(self.target, credentials=credentials)

    def find_in(self, listing: Listing) -> Instance | None:
        """The listed instance of its ID and name; ``None`` if it is gone.

        :raises FleetError: if the listing shows the ID with another name, or the name with another ID.
        """
        instance_id, name = self.target.credentials.id, self.target.name or ""
        found = listing.with_id(instance_id)
        if found and found.name == name:
            return found
        if found:
            raise refusal(f"the account's listing calls it {found.name or 'by no name'}, not {name}", "another name")
        if not listing.has_deleted(instance_id) and (others := listing.named(name)):
            ids = ", ".join(other.id for other in others)
            raise refusal(f"the account's listing has no {instance_id}, and {name} is {ids} there", "another ID")
        return None


Named = TypeVar("Named", bound=NamedOutcome[Any])


def refusal(reason: str, cause: str) -> FleetError:
    """The error of a guard, which says no before anything is sent."""
    return FleetError("bad_request", reason, delivery=Delivery.NOT_SENT, cause=cause)


def take_listed(
    outcomes: Sequence[Named], gone: Callable[[Named], None], refused: Callable[[Named, FleetError], None]
) -> None:
    """List each account once, and tell its instances from those that are gone and those that don't match."""
    for gateway, mine in by_gateway(outcomes).items():
        listing = _listed(gateway)
        if isinstance(listing, FleetError):
            for outcome in mine:
                outcome.end("failed", listing)
            continue
        for outcome in mine:
            try:
                found = outcome.find_in(listing)
            except FleetError as error:
                refused(outcome, error)
                continue
            if found:
                outcome.take(found)
            else:
                gone(outcome)


class RecentListings:
    """The listings of accounts, for all threads of a task; each is read again once it is ``lasts`` seconds old."""

    def __init__(self, lasts: float) -> None:
        self._lasts = lasts
        self._mutex = threading.Lock()
        self._listings: dict[Gateway, tuple[Listing | FleetError, float]] = {}

    def of(self, gateway: Gateway) -> Listing:
        """The listing of this account.

        :raises FleetError: if it can't be listed.
        """
        with self._mutex:
            if gateway not in self._listings or time.monotonic() >= self._listings[gateway][1]:
                self._listings[gateway] = _listed(gateway), time.monotonic() + self._lasts
            listing = self._listings[gateway][0]
        if isinstance(listing, FleetError):
            raise listing
        return listing


def _listed(gateway: Gateway) -> Listing | FleetError:
    try:
        return list_until(gateway, lambda _listing: True)
    except FleetError as error:
        return error


def unknown(what: str, doubt: FleetError | None, remedy: str) -> FleetError:
    """The error of a request whose effect the listing doesn't show; ``doubt`` is why it may not have arrived."""
    why = doubt.message if doubt else "the gateway says that it did, but its listing doesn't show it"
    return outcome_unknown(f"it is not known whether it was {what}: {why}; {remedy}", doubt)
