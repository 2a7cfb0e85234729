# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rebooting instances in states that a reboot repairs: each at most once in a task, and within a budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .._common import states
from .._common.errors import Delivery, FleetError, UsageError, outcome_unknown
from .._common.polling import PROGRESS_INTERVAL, ProgressLog, poll
from .._http.transport import RequestBudget
from .observation import Target, observe
from .progress import Progress, report
from .reboot_budget import RebootBudget
from .watching import WaitPolicy, by_state

# The choices of the option reboot_on.
REBOOT_STATES = (states.YELLOW_CARD, states.SUSPENDED, states.STARTING, states.NOT_AUTHORIZED)

Action = Literal["unchanged", "rebooted", "would_reboot", "failed", "unknown"]


@dataclass(frozen=True)
class RebootPolicy:
    """The states to reboot for, and how long to wait after a reboot.

    An instance that is starting must have been seen so for ``starting_timeout`` seconds.

    :raises UsageError: if ``starting_timeout`` isn't a usable number of seconds.
    """

    states: Collection[str]
    starting_timeout: float
    waiting: WaitPolicy

    def __post_init__(self) -> None:
        if not 0 <= self.starting_timeout < float("inf"):
            raise UsageError("starting_timeout must be 0 or a number of seconds above it")


@dataclass(kw_only=True)
class RebootProgress(Progress[Action]):
    """One instance; the times are those of ``time.monotonic()``.

    ``before`` becomes the state that it is rebooted for. ``is_fresh`` holds until the first step, which needs no new
    reading. ``doubt`` is the error that leaves open whether the gateway carried the reboot out.
    """

    action: Action = "unchanged"
    is_fresh: bool = True
    starting_since: float | None = None
    sent_at: float | None = None
    doubt: FleetError | None = None
    has_changed: bool = False
    last_state: str | None = None

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        return super().as_result() | {"before": self.before}


class Rebooter:
    """Reboots the instances of one task."""

    def __init__(
        self,
        policy: RebootPolicy,
        budget: RebootBudget,
        *,
        concurrency: int,
        progress: Callable[[str], None] | None = None,
        progress_interval: float = PROGRESS_INTERVAL,
    ) -> None:
        self._policy = policy
        self._budget = budget
        self._concurrency = concurrency
        self._log = (
            ProgressLog(progress, self._describe, deadline=self._deadline, interval=progress_interval)
            if progress
            else None
        )
        self._instances: list[RebootProgress] = []

    def predict(self, targets: Sequence[Target]) -> dict[str, Any]:
        """The module's result in check mode. An instance that is starting now counts as one that would be rebooted."""
        self._begin(targets)
        for instance in self._instances:
            if self._is_due(instance):
                try:
                    self._budget.check(instance.target.gateway.provider, instance.target.credentials.id)
                except FleetError as error:
                    instance.end("failed", error)
                else:
                    instance.end("would_reboot")
        return self._report()

    def reboot(self, targets: Sequence[Target]) -> dict[str, Any]:
        """The module's result. The failure of one instance doesn't keep the others from a reboot."""
        self._begin(targets)
        poll(
            [instance for instance in self._instances if self._is_due(instance)],
            self._step,
            workers=self._concurrency,
            interval=self._policy.waiting.interval,
            progress=self._log,
        )
        return self._report()

    def _begin(self, targets: Sequence[Target]) -> None:
        for observation in observe(targets, concurrency=self._concurrency):
            instance = RebootProgress(
                target=observation.target, observation=observation, before=observation.state, budget=RequestBudget()
            )
            if observation.error:
                instance.end("failed", observation.error)
            self._instances.append(instance)

    def _is_due(self, instance: RebootProgress) -> bool:
        return instance.state in self._policy.states and instance.state in instance.target.gateway.reboot_cures

    def _step(self, instance: RebootProgress) -> bool:
        if not instance.is_fresh:
            instance.read()
        instance.is_fresh = False
        if instance.sent_at is None:
            self._decide(instance)
        else:
            self._watch(instance, instance.sent_at)
        return instance.is_over

    def _decide(self, instance: RebootProgress) -> None:
        now = time.monotonic()
        if instance.observation.error:
            instance.end("failed", instance.observation.error)
        elif not self._is_due(instance):
            instance.end("unchanged")
        elif instance.state == states.STARTING:
            instance.starting_since = instance.starting_since or now
            if now - instance.starting_since >= self._policy.starting_timeout:
                self._send(instance)
        else:
            self._send(instance)

    def _send(self, instance: RebootProgress) -> None:
        """Send its reboot, once: after a lost answer its state shows whether the reboot arrived."""
        gateway, credentials = instance.target.gateway, instance.target.credentials
        try:
            ticket = self._budget.reserve(gateway.provider, credentials.id)
        except FleetError as error:
            instance.end("failed", error)
            return
        try:
            gateway.reboot(credentials)
        except FleetError as error:
            if error.delivery is not Delivery.UNKNOWN:
                self._budget.release(ticket)
                instance.end("failed", error)
                return
            instance.doubt = error
        instance.before = instance.state
        instance.sent_at = time.monotonic()
        instance.budget = RequestBudget(self._policy.waiting.deadline())
        if not self._policy.waiting.timeout:
            instance.end("unknown" if instance.doubt else "rebooted", instance.doubt and unknown_reboot(instance.doubt))

    def _watch(self, instance: RebootProgress, sent_at: float) -> None:
        """End it when its state has changed and was the same in two readings, or when the time is up."""
        state, last, instance.last_state = instance.state, instance.last_state, instance.state
        if state is not None:
            instance.has_changed = instance.has_changed or state != instance.before
            if instance.has_changed and state == last and states.health_for(state) != "transient":
                instance.end("rebooted", _relapse(state) if self._is_due(instance) else None)
                return
        if time.monotonic() >= sent_at + self._policy.waiting.timeout:
            if instance.doubt and not instance.has_changed:
                instance.end("unknown", unknown_reboot(instance.doubt))
            else:
                instance.end("rebooted", self._overdue(instance))

    def _overdue(self, instance: RebootProgress) -> FleetError:
        waited = f"{self._policy.waiting.timeout:g} s after its reboot"
        if instance.observation.error:
            return FleetError("timeout", f"it can't be read {waited}: {instance.observation.error.message}")
        return FleetError(
            "timeout", f"it is still {instance.state} {waited}; ask the gateway's support", cause=instance.state
        )

    def _describe(self) -> str:
        sent = sum(bool(instance.sent_at) for instance in self._instances)
        left = [(i.target.label, i.observation) for i in self._waiting()]
        return f"{sent:,} instances rebooted, waiting for {len(left):,}: {by_state(left, shown=3)}"

    def _deadline(self) -> float:
        """The time of ``time.monotonic()`` at which the waiting ends, if no other instance is rebooted before."""
        ends = (instance.sent_at or time.monotonic() for instance in self._waiting())
        return max(ends, default=time.monotonic()) + self._policy.waiting.timeout

    def _waiting(self) -> list[RebootProgress]:
        return [i for i in self._instances if not i.is_over and (self._is_due(i) or i.sent_at)]

    def _report(self) -> dict[str, Any]:
        instances = self._instances
        return report(
            instances,
            changed=any(instance.sent_at or instance.action == "would_reboot" for instance in instances),
            after=["rebooting" if instance.action == "would_reboot" else instance.state for instance in instances],
            done="rebooted",
        )


def unknown_reboot(doubt: FleetError) -> FleetError:
    """The error of a reboot whose answer was lost, and whose effect was not seen."""
    message = f"it is not known whether it was rebooted: {doubt.message}; a later task may reboot it again"
    return outcome_unknown(message, doubt)


def _relapse(state: str | None) -> FleetError:
    remedy = "ask the gateway's support"
    if state in (states.YELLOW_CARD, states.SUSPENDED):
        remedy = "it returns while WhatsApp's restriction lasts: stop what recipients complain about, and wait"
    return FleetError("vendor", f"it is {state} again after its reboot; {remedy}", cause=state)
