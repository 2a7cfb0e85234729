# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about each instance that a task ends: guards, listing, states and journal, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .._common import states
from .._common.errors import FleetError, UsageError
from .._common.limits import Limit
from .._common.polling import poll
from .._creation.listing import LISTING_POLICY, ListingPolicy
from .._fleet.outcome import within
from .._http.transport import RequestBudget
from .._journal.changes import Change
from .._journal.entries import Entry, Key, Memory, is_same_id
from .._vendors.gateway import Instance
from .._vendors.payments import payment_in
from .listed import NamedOutcome, refusal, take_listed
from .subscription import unknown_payment

Action = Literal["deleted", "draining", "unchanged", "would_delete", "refused", "failed", "unknown"]

# The states in which no phone has a session.
UNLINKED = frozenset((states.NOT_AUTHORIZED, states.CREATING, "blocked"))


@dataclass(frozen=True)
class DeletionPolicy:
    """Which instances a task may end, and how long it waits until a phone is unlinked; times in seconds.

    :raises UsageError: if ``wait_timeout`` isn't a usable number of seconds.
    """

    max_changes: Limit
    protected: Collection[str] = ()
    allow_authorized: bool = False
    only_journalled: bool = True
    wait_timeout: float = 60.0
    interval: float = 2.0
    listing: ListingPolicy = LISTING_POLICY

    def __post_init__(self) -> None:
        if not 0 < self.wait_timeout < float("inf"):
            raise UsageError("wait_timeout must be a number of seconds above 0")


@dataclass(kw_only=True)
class Deletion(NamedOutcome[Action]):
    """What becomes of one instance. ``account`` is the user's name for its account.

    ``state`` is its last state, ``before`` the first one. ``entries`` are the journal's of it, ``changes`` what earlier
    runs requested. ``is_gone`` tells that the listing proves it; ``reason`` is why the gateway will end it by itself.
    """

    action: Action = "unchanged"
    account: str | None = None
    state: str | None = None
    before: str | None = None
    entries: tuple[Entry, ...] = ()
    changes: Mapping[str, Change] = field(default_factory=dict)
    is_gone: bool = False
    is_cleaned: bool = False
    unlink_until: float | None = None
    reason: str = ""

    @property
    def key(self) -> Key:
        """What a run must have a lease on to end it."""
        return Key(self.gateway.provider, self.target.name or "")

    @property
    def is_linked(self) -> bool:
        """Whether a phone may have a session."""
        return self.state not in UNLINKED

    def read_state(self, find: Callable[[], Instance | None]) -> None:
        """Read its state. A gateway may answer no calls about an unlinked instance, but show it in its listing.

        ``find`` returns what the listing shows of it.

        :raises FleetError: if neither tells the state.
        """
        try:
            reading = self.gateway.read_state(self.target.credentials, RequestBudget())
        except FleetError:
            instance = find() if self.listed and self.listed.reading else None
            if instance is None or instance.reading is None:
                raise
            reading = instance.reading
        self.state = reading.state


def make_plan(deletions: Sequence[Deletion], policy: DeletionPolicy, memory: Memory, *, concurrency: int) -> None:
    """Let the guards decide. If one of them says no, or something can't be read, nothing is ended at all."""
    for deletion in deletions:
        found = memory.entries_for(deletion.key)
        deletion.entries = tuple(e for e in found if is_same_id(e.instance_id, deletion.target.credentials.id))
    take_listed(deletions, _end_gone, lambda deletion, error: deletion.end("refused", error))
    for deletion in deletions:
        if not deletion.is_over and (error := _guard(deletion, policy)):
            deletion.end("refused", error)
    poll([one for one in deletions if not one.is_over], _read, workers=concurrency)
    for deletion in deletions:
        if not deletion.is_over and deletion.is_linked and not policy.allow_authorized:
            deletion.end("refused", refusal(_linked(deletion), "authorized"))
    within([one for one in deletions if not one.is_over], policy.max_changes, len(deletions), refused="refused")
    if any(deletion.error for deletion in deletions):
        stop = refusal("nothing was deleted, because another instance of the task can't be", "stopped")
        for deletion in deletions:
            if not deletion.is_over:
                deletion.end("failed", stop)


def _end_gone(deletion: Deletion) -> None:
    deletion.is_gone = True
    deletion.end("unchanged")


def _guard(deletion: Deletion, policy: DeletionPolicy) -> FleetError | None:
    """Why an instance must not be ended, as far as its state doesn't matter."""
    instance_id, name, listed = deletion.target.credentials.id, deletion.target.name, deletion.listed
    if any(is_same_id(word, instance_id) or word == name for word in policy.protected):
        return refusal("it is protected", "protected")
    if policy.only_journalled and not deletion.entries:
        return refusal(
            "the journal doesn't say that this collection made or adopted it; if it is yours to end, adopt it with "
            "instance_create, or set only_journalled: false",
            "not journalled",
        )
    if not deletion.target.credentials.token:
        return refusal("its token isn't known: the listing doesn't show it; give the item its token", "no token")
    if listed and deletion.gateway.has_subscriptions and payment_in(listed.payment_status) is None:
        return unknown_payment(listed.payment_status)
    return None


def _read(deletion: Deletion) -> bool:
    try:
        deletion.read_state(lambda: deletion.listed)
    except FleetError as error:
        deletion.end("failed", error)
    deletion.before = deletion.state
    return True


def _linked(deletion: Deletion) -> str:
    return (
        f"it is {deletion.state}, so a phone is or may be linked to it; allow_authorized: true (in the role: "
        "decommission_allow_authorized) ends it all the same"
    )
