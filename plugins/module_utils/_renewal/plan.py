# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances get a new token: listing, states and journal are read before anything is sent or written."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from .._common.errors import Delivery, FleetError, UsageError
from .._common.limits import Limit
from .._common.polling import poll
from .._common.timestamps import seconds_since
from .._creation.listing import LISTING_POLICY, ListingPolicy
from .._fleet.observation import Target, read
from .._fleet.outcome import by_gateway, within
from .._http.transport import RequestBudget
from .._journal.changes import Change, ChangeJournal
from .._vendors.accounts import hash_secret
from .progress import Renewal

# The name of the token in the journal of changes, whose fingerprint is that of the token before the renewal: the new
# one isn't known when the entry is written.
PART = "token"

_DAY = 86400.0


@dataclass(frozen=True)
class RenewalPolicy:
    """How a task renews tokens. A token younger than ``max_age_days`` stays.

    A new token is tried for ``proof_timeout`` seconds, every ``proof_interval``.

    :raises UsageError: if ``max_age_days`` isn't a usable number of days.
    """

    max_changes: Limit
    max_age_days: float | None = None
    listing: ListingPolicy = LISTING_POLICY
    proof_timeout: float = 30.0
    proof_interval: float = 1.0

    def __post_init__(self) -> None:
        if self.max_age_days is not None and not 0 <= self.max_age_days < float("inf"):
            raise UsageError("max_age_days must be 0 or a number of days above it")

    def keeps(self, age: float | None) -> bool:
        """Whether a token of this age in seconds stays; the age may be unknown."""
        return age is not None and self.max_age_days is not None and age < self.max_age_days * _DAY


def make_plan(renewals: Sequence[Renewal], policy: RenewalPolicy, journal: ChangeJournal, *, concurrency: int) -> None:
    """Set which instances are due. An instance that can't be read fails, the others don't.

    :raises JournalError: if the journal can't be read.
    """
    _list([renewal for renewal in renewals if renewal.target.is_created])
    listed = [renewal for renewal in renewals if renewal.listed and not renewal.is_over]
    poll(listed, _find_current, workers=concurrency)
    readable = [renewal for renewal in listed if not renewal.is_over]
    recorded = journal.read(renewal.identity for renewal in readable)
    for renewal in readable:
        _decide(renewal, policy, recorded.get(renewal.identity, {}).get(PART))
    due = [renewal for renewal in readable if renewal.is_due]
    within(due, policy.max_changes, len(renewals))


def works(renewal: Renewal, token: str) -> FleetError | None:
    """Try ``token`` by reading the state; the error if that fails."""
    credentials = dataclasses.replace(renewal.target.credentials, token=token)
    return read(Target(renewal.gateway, credentials, renewal.target.name), RequestBudget()).error


def _list(renewals: Sequence[Renewal]) -> None:
    for gateway, own in by_gateway(renewals).items():
        try:
            listing = {one.id: one for one in gateway.list_instances() or () if not one.deleted}
        except FleetError as error:
            for renewal in own:
                renewal.end("failed", error)
            continue
        for renewal in own:
            listed = listing.get(renewal.target.credentials.id)
            if listed and listed.token:
                renewal.listed = listed
                continue
            lack = "shows no token of it" if listed else "doesn't have it"
            renewal.end(
                "failed",
                FleetError(
                    "not_found",
                    f"the listing of the partner's account {lack}, so a new token whose answer is lost could not be "
                    "found again; check the instance's ID and partner_token",
                    delivery=Delivery.NOT_SENT,
                    cause="not listed",
                ),
            )


def _find_current(renewal: Renewal) -> bool:
    """Find the token that works: the one of the listing, or else the task's, if the listing lags behind."""
    given = renewal.target.credentials.token
    renewal.current = (renewal.listed.token if renewal.listed else None) or given
    error = works(renewal, renewal.current)
    if error and error.code == "unauthorized" and given != renewal.current and not works(renewal, given):
        renewal.current, error = given, None
    if error:
        renewal.end("failed", error)
    return True


def _decide(renewal: Renewal, policy: RenewalPolicy, change: Change | None) -> None:
    if change and change.status == "pending" and change.fingerprint != hash_secret(renewal.current):
        renewal.is_found, renewal.new = True, renewal.current
        return
    ages = [change.age] if change and change.status == "done" else []
    with contextlib.suppress(ValueError):
        if renewal.listed and renewal.listed.created_at:
            # A token isn't older than its instance.
            ages.append(max(0.0, seconds_since(renewal.listed.created_at)))
    if policy.keeps(min(ages, default=None)):
        if renewal.current != renewal.target.credentials.token:
            renewal.new = renewal.current
    else:
        renewal.is_due = True
