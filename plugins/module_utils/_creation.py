# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating instances exactly once: lock the names, list the account, plan, journal, post, settle, hand over.

The gateways know neither unique names nor idempotency keys. So a creation is begun only where the listing and the
journal agree that there is nothing of that name, and its outcome is believed only if the gateway said it, or shows it.
"""

from __future__ import annotations

import collections
import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ._credentials import CredentialsFile, Slot, key_of
from ._errors import Delivery, FleetError, UsageError, failure_of
from ._gateway import Gateway, Instance, seconds_since
from ._journal import OPEN, Entry, Journal, Key, Lease, Status, hash_payload
from ._journal_storage import JournalError
from ._polling import poll

Action = Literal["created", "adopted", "unchanged", "would_create", "failed", "unknown"]
OnUnknown = Literal["fail", "create"]

# What a wish may become whose token, if it is told, goes into the file.
_HANDED_OVER: tuple[Action, ...] = ("created", "adopted", "unchanged", "would_create", "unknown")

# Seconds after a creation for which a listing that doesn't show it is asked again.
SETTLE = 15.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 4.0


@dataclass(frozen=True)
class Wish:
    """An instance that shall exist: its name, the account that it belongs to, and what a creation would send."""

    name: str
    gateway: Gateway
    api_url: str
    account: str
    payload: Mapping[str, Any] = field(repr=False)

    @property
    def key(self) -> Key:
        """Its entry in the journal."""
        return Key(self.gateway.provider, self.account, self.name)


@dataclass(frozen=True)
class Outcome:
    """What became of a wish. ``posted`` tells whether this run sent its creation."""

    wish: Wish
    action: Action
    instance: Instance | None = None
    error: FleetError | None = None
    posted: bool = False

    @property
    def changed(self) -> bool:
        """Whether the account has (or would have) an instance more."""
        return self.action == "would_create" or (self.posted and self.instance is not None)

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        found = self.instance
        return {
            "name": self.wish.name,
            "id": found.id if found else None,
            "provider": self.wish.gateway.provider,
            "token": found.token if found else None,
            "due": found.due if found else None,
            "due_raw": found.due_raw if found else None,
            "api_url": self.wish.api_url,
            "action": self.action,
            "error": self.error.as_item_error() if self.error else None,
        }


@dataclass(frozen=True)
class Handover:
    """How the tokens of instances leave the module.

    ``can_show`` tells whether a token may stand in the result, ``show`` that this one may, after which Ansible won't
    print it. ``file`` is the other way.
    """

    can_show: bool
    show: Callable[[str], bool]
    file: CredentialsFile | None = None

    def check(self) -> None:
        """:raises UsageError: if the file can't be used."""
        if self.file:
            self.file.check()

    @property
    def is_safe(self) -> bool:
        """Whether the token of a new instance reaches the user without being printed."""
        return self.can_show or self.file is not None


class _Listing:
    """An account's instances by name; those that were deleted only count as that."""

    def __init__(self, instances: Sequence[Instance]) -> None:
        self._by_name: dict[str, list[Instance]] = collections.defaultdict(list)
        self._names: dict[str, str] = {}
        self._deleted: set[str] = set()
        for instance in instances:
            if instance.deleted:
                self._deleted.add(instance.id)
            else:
                self._by_name[instance.name].append(instance)
                self._names[instance.id] = instance.name

    def named(self, name: str) -> list[Instance]:
        """The instances of exactly this name."""
        return self._by_name.get(name, [])

    def name_of(self, instance_id: str | None) -> str | None:
        """What the instance of this ID is named now."""
        return self._names.get(instance_id or "")

    @property
    def deleted(self) -> frozenset[str]:
        """The IDs of the instances that were deleted, as far as the vendor still says so."""
        return frozenset(self._deleted)


@dataclass
class Provisioner:
    """One task's creations; ``warnings`` gathers what the user should know beside the outcomes."""

    journal: Journal
    handover: Handover
    on_unknown: OnUnknown
    concurrency: int
    progress: Callable[[str], None] | None = None
    warnings: list[str] = field(default_factory=list)
    _slots: dict[Key, Slot] = field(default_factory=dict)

    def predict(self, wishes: Sequence[Wish]) -> list[Outcome]:
        """What ``provision`` would do, without a trace at the gateways, in the journal or in the file."""
        outcomes = self._without_conflicts(self._plan(wishes, self.journal.peek([wish.key for wish in wishes])))
        if not self.handover.is_safe and any(o.action == "would_create" for o in outcomes):
            self.warnings.append(_no_safe_way().message)
        return [self._show(outcome) for outcome in self._recall(outcomes)]

    def provision(self, wishes: Sequence[Wish]) -> list[Outcome]:
        """What became of each wish, in their order.

        The failure of one wish or account doesn't keep the others from being fulfilled.

        :raises UsageError: if the journal or the credentials file can't be used; nothing was created.
        """
        if not wishes:
            return []
        self.handover.check()
        with self.journal.locked([wish.key for wish in wishes]) as lease:
            planned = self._without_conflicts(self._plan(wishes, lease.entries))
            with self._room_for(planned):
                settled = self._settle(self._create_all(planned, lease))
                with contextlib.suppress(UsageError):  # whoever writes to the file then says why
                    settled = self._recall(settled)
                outcomes = self._deliver([self._show(outcome) for outcome in settled], settled)
            self._remember(lease, {o.wish.key: self._status_of(o, s) for o, s in zip(outcomes, settled, strict=True)})
            self._warn_of_unknown_tokens(settled, lease)
        return outcomes

    # Planning: what the listings and the journal say

    def _plan(self, wishes: Sequence[Wish], entries: Mapping[Key, Entry]) -> list[Outcome]:
        planned: dict[Key, Outcome] = {}
        for gateway, wished in _by_account(wishes):
            # A listing may lag behind what an earlier run has begun a moment ago.
            until = {w.key: _settled_at(entries[w.key]) for w in wished if _awaits_listing(entries.get(w.key))}
            try:
                listing = _list_until_shown(gateway, [w for w in wished if w.key in until], until)
            except FleetError as error:
                planned |= {wish.key: Outcome(wish, "failed", error=error) for wish in wished}
            else:
                planned |= {wish.key: self._plan_one(wish, entries.get(wish.key), listing) for wish in wished}
                self._slots |= {wish.key: _slot_of(wish, entries.get(wish.key), listing) for wish in wished}
        return [planned[wish.key] for wish in wishes]

    def _plan_one(self, wish: Wish, entry: Entry | None, listing: _Listing | None) -> Outcome:
        matches = listing.named(wish.name) if listing else []
        if matches:
            return _found(wish, entry, matches)
        if entry is None or entry.status == "rejected" or self.on_unknown == "create":
            return Outcome(wish, "would_create")
        if entry.status in OPEN:
            reason = f"the outcome of its creation of {entry.updated_at} is still open"
            return Outcome(wish, "unknown", error=self._unknown(wish, reason))
        if listing is None:
            return Outcome(wish, "unchanged", Instance(entry.instance_id or "", wish.name, None))
        if entry.instance_id in listing.deleted:
            return Outcome(wish, "would_create")
        return Outcome(wish, "failed", error=_vanished(wish, entry, listing.name_of(entry.instance_id)))

    def _without_conflicts(self, planned: Sequence[Outcome]) -> list[Outcome]:
        """A wish whose entry in the file is another instance's can't be fulfilled.

        :raises UsageError: if the file can't be read.
        """
        if self.handover.file is None:
            return list(planned)
        content = self.handover.file.read()
        checked = []
        for outcome in planned:
            conflict = None
            if outcome.action in _HANDED_OVER:
                conflict = self.handover.file.conflict(content, self._slots[outcome.wish.key], outcome.instance)
            checked.append(replace(outcome, action="failed", error=conflict) if conflict else outcome)
        return checked

    @contextlib.contextmanager
    def _room_for(self, planned: Sequence[Outcome]) -> Iterator[None]:
        """:raises UsageError: if the file could not take what is to be created; nothing was created."""
        if self.handover.file is None or not any(outcome.action == "would_create" for outcome in planned):
            yield
            return
        wanted = [(self._slots[o.wish.key], o.instance) for o in planned if o.action in _HANDED_OVER]
        with self.handover.file.reserved(wanted):
            yield

    # Creating: each at most once

    def _create_all(self, planned: Sequence[Outcome], lease: Lease) -> list[Outcome]:
        outcomes = {outcome.wish.key: outcome for outcome in planned}
        wishes = [outcome.wish for outcome in planned if outcome.action == "would_create"]

        def create(wish: Wish) -> bool:
            outcomes[wish.key] = self._create(wish, lease)
            return True

        def tell() -> None:
            if self.progress:
                done = sum(outcomes[wish.key].action != "would_create" for wish in wishes)
                self.progress(f"{done} of {len(wishes)} creations answered")

        if self.handover.is_safe:
            poll(wishes, create, workers=self.concurrency, progress=tell if self.progress else None)
        else:
            outcomes |= {wish.key: Outcome(wish, "failed", error=_no_safe_way()) for wish in wishes}
        return list(outcomes.values())

    def _create(self, wish: Wish, lease: Lease) -> Outcome:
        if self.handover.file and (failure := self.handover.file.failure()):
            return Outcome(wish, "failed", error=failure)
        try:
            lease.begin(wish.key, hash_payload(wish.payload))
        except JournalError as error:
            return Outcome(wish, "failed", error=error)
        try:
            instance = wish.gateway.create_instance(wish.payload)
        except FleetError as error:
            return Outcome(
                wish, "unknown" if error.delivery is Delivery.UNKNOWN else "failed", error=error, posted=True
            )
        # At once, because this process may be killed, and the vendor may never show the token again.
        self._remember(lease, {wish.key: ("created", instance.id)})
        if self.handover.file:
            with contextlib.suppress(UsageError):  # tried once more for all, and reported then
                self.handover.file.merge([(self._slots[wish.key], instance)])
        return Outcome(wish, "created", instance, posted=True)

    # Settling: ask the listing about what got no clear answer

    def _settle(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        settled = {outcome.wish.key: outcome for outcome in outcomes}
        unclear = [outcome.wish for outcome in outcomes if outcome.action == "unknown" and outcome.posted]
        until = dict.fromkeys((wish.key for wish in unclear), time.monotonic() + SETTLE)
        for gateway, wishes in _by_account(unclear):
            listing = None
            with contextlib.suppress(FleetError):
                listing = _list_until_shown(gateway, wishes, until)
            for wish in wishes:
                settled[wish.key] = self._settle_one(settled[wish.key], listing)
        return list(settled.values())

    def _settle_one(self, outcome: Outcome, listing: _Listing | None) -> Outcome:
        matches = listing.named(outcome.wish.name) if listing else []
        if matches:
            return replace(_found(outcome.wish, None, matches), posted=True)
        cause = outcome.error
        reason = cause.message if cause else ""
        error = self._unknown(outcome.wish, reason, http_status=cause.http_status if cause else None)
        return replace(outcome, error=error)

    def _unknown(self, wish: Wish, reason: str, *, http_status: int | None = None) -> FleetError:
        entry = {
            "provider": wish.gateway.provider,
            "account": wish.account,
            "name": wish.name,
            "journal": self.journal.name,
        }
        adopt = json.dumps({"action": "adopt", **entry, "instance_id": "ITS ID"}, ensure_ascii=False)
        discard = json.dumps({"action": "discard", **entry}, ensure_ascii=False)
        return FleetError(
            "outcome_unknown",
            f"It is not known whether {wish.gateway.provider} instance {wish.name} was created: {reason}. Look for it "
            f"in the gateway's console. If it is there, run the task msgops.fleet.creation_journal: {adopt}; if it "
            f"isn't, run msgops.fleet.creation_journal: {discard}, or this task with on_unknown: create",
            http_status=http_status,
            delivery=Delivery.UNKNOWN,
        )

    # Handing over

    def _recall(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """A gateway without a listing doesn't tell a token again, but the file may still know it.

        :raises UsageError: if the file can't be read.
        """
        known = self.handover.file.read() if self.handover.file else {}

        def recall(outcome: Outcome) -> Outcome:
            instance = outcome.instance
            if instance is None or instance.token is not None:
                return outcome
            slot = self._slots[outcome.wish.key]
            credentials = known.get(slot.provider, {}).get(slot.key, {})
            if credentials.get("id") != instance.id:
                return outcome
            token = credentials.get("token")
            return replace(outcome, instance=replace(instance, token=token if isinstance(token, str) else None))

        return [recall(outcome) for outcome in outcomes]

    def _show(self, outcome: Outcome) -> Outcome:
        """The outcome without its token, unless that may stand in the result."""
        instance = outcome.instance
        if instance is None or instance.token is None or self.handover.show(instance.token):
            return outcome
        return replace(outcome, instance=replace(instance, token=None))

    def _deliver(self, shown: Sequence[Outcome], settled: Sequence[Outcome]) -> list[Outcome]:
        """Write the tokens into the file; where that fails the instance exists, but its task isn't done."""
        found = [
            (self._slots[outcome.wish.key], outcome.instance)
            for outcome in settled
            if outcome.instance and outcome.instance.token and outcome.action != "failed"
        ]
        if self.handover.file is None or not found:
            return list(shown)
        try:
            self.handover.file.deliver(found)
        except UsageError as error:
            return [replace(o, action="failed", error=error) if o.instance and not o.error else o for o in shown]
        return list(shown)

    # Remembering

    def _status_of(self, outcome: Outcome, settled: Outcome) -> tuple[Status, str | None] | None:
        if outcome.instance:
            in_file = self.handover.file is not None and _has_token(settled)
            handed_over = not outcome.error and (in_file or _has_token(outcome))
            return ("delivered" if handed_over else "created", outcome.instance.id)
        if outcome.posted:
            is_open = outcome.error is not None and outcome.error.delivery is Delivery.UNKNOWN
            return ("unknown" if is_open else "rejected", None)
        return None

    def _warn_of_unknown_tokens(self, outcomes: Sequence[Outcome], lease: Lease) -> None:
        place = " into credentials_file" if self.handover.file else ""
        for outcome in outcomes:
            entry = lease.entries.get(outcome.wish.key)
            if outcome.instance and not _has_token(outcome) and not (entry and entry.status == "delivered"):
                name = f"{outcome.wish.gateway.provider} instance {outcome.wish.name} ({outcome.instance.id})"
                self.warnings.append(
                    f"the token of {name} was never handed over, and the gateway doesn't tell it again; copy it from "
                    f"the gateway's console{place}"
                )

    def _remember(self, lease: Lease, statuses: Mapping[Key, tuple[Status, str | None] | None]) -> None:
        news = {
            key: status
            for key, status in statuses.items()
            if status and not _says_already(lease.entries.get(key), *status)
        }
        try:
            if news:
                lease.settle(news)
        except JournalError as error:
            # Nothing is lost: an entry that stays pending is settled by the next run's listing.
            self.warnings.append(error.message)


def _has_token(outcome: Outcome) -> bool:
    return outcome.instance is not None and outcome.instance.token is not None


def report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The module's result; it fails where a wish isn't fulfilled."""
    result: dict[str, Any] = {
        "changed": any(outcome.changed for outcome in outcomes),
        "instances": [outcome.as_result() for outcome in outcomes],
        "diff": _diff(outcomes),
    }
    if len(outcomes) == 1:
        result["instance"] = result["instances"][0]
    unfulfilled = [(outcome.wish.name, outcome.error) for outcome in outcomes if outcome.error]
    if unfulfilled:
        result |= failure_of("instances", "provisioned", unfulfilled)
    return result


def _diff(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    def lines(chosen: Iterable[Outcome]) -> str:
        return "".join(
            f"{o.wish.gateway.provider} {o.wish.name} {o.instance.id if o.instance else '(new)'}\n" for o in chosen
        )

    before = lines(o for o in outcomes if o.instance and not o.changed)
    after = lines(o for o in outcomes if o.instance or o.action == "would_create")
    return {"before": before, "after": after, "before_header": "instances", "after_header": "instances"}


def _found(wish: Wish, entry: Entry | None, matches: Sequence[Instance]) -> Outcome:
    if len(matches) > 1:
        ids = ", ".join(instance.id for instance in matches)
        reason = f"{len(matches)} instances of {wish.gateway.provider} are named {wish.name}: {ids}"
        message = f"{reason}; rename or delete all but one"
        # One of them may be what this run's own creation made.
        return Outcome(wish, "failed", error=FleetError("vendor", message, delivery=Delivery.UNKNOWN))
    is_known = entry is not None and entry.instance_id == matches[0].id
    return Outcome(wish, "unchanged" if is_known else "adopted", matches[0])


def _vanished(wish: Wish, entry: Entry, name_now: str | None) -> FleetError:
    reason = f"is named {name_now} now; rename it back" if name_now else "isn't in the listing any more"
    return FleetError(
        "not_found",
        f"{wish.gateway.provider} instance {wish.name} was created as {entry.instance_id} on {entry.created_at}, but "
        f"{reason}. It is not created again; if that is what you want, run this task with on_unknown: create",
    )


def _slot_of(wish: Wish, entry: Entry | None, listing: _Listing | None) -> Slot:
    former = frozenset([entry.instance_id]) if entry and entry.instance_id else frozenset()
    gone = former | (listing.deleted if listing else frozenset())
    return Slot(wish.gateway.provider, key_of(wish.name), wish.api_url, gone)


def _no_safe_way() -> UsageError:
    return UsageError(
        "there is no safe way to hand a new instance's token over, so none is created: set no_log: true on this "
        "task, or give credentials_file"
    )


def _by_account(wishes: Sequence[Wish]) -> Iterable[tuple[Gateway, list[Wish]]]:
    accounts: dict[Gateway, list[Wish]] = collections.defaultdict(list)
    for wish in wishes:
        accounts[wish.gateway].append(wish)
    return accounts.items()


def _awaits_listing(entry: Entry | None) -> bool:
    if entry is None or entry.status in ("rejected", "unknown"):
        return False  # nothing will come, or it was waited for already
    return seconds_since(entry.updated_at) < SETTLE


def _settled_at(entry: Entry) -> float:
    # At most from now on: a clock that was set back makes nobody wait longer.
    return time.monotonic() + min(SETTLE, SETTLE - seconds_since(entry.updated_at))


def _says_already(entry: Entry | None, status: Status, instance_id: str | None) -> bool:
    if entry is None or entry.instance_id != instance_id:
        return False
    # Once the token was handed over, it stays so, even if a later run can't show it again.
    return entry.status == status or (entry.status == "delivered" and status == "created")


def _list_until_shown(gateway: Gateway, wishes: Sequence[Wish], until: Mapping[Key, float]) -> _Listing | None:
    """The account's listing, asked again until it shows ``wishes`` or their time (of ``time.monotonic()``) is up.

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
            listing = _Listing(instances)
        left = max((until[w.key] for w in wishes if not (listing and listing.named(w.name))), default=0.0)
        left -= time.monotonic()
        if left <= 0 or (failure and not failure.retryable):
            if failure:
                raise failure
            return listing
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)
