# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rebooting instances whose state a reboot cures: each at most once in a run, and within a budget."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .._common import states
from .._common.errors import Delivery, FleetError, failed, failure_result
from .._common.polling import poll
from .._http.transport import RequestBudget
from .observation import Observation, Target, observe, read
from .reboot_budget import RebootBudget

Action = Literal["unchanged", "rebooted", "would_reboot", "failed", "unknown"]


@dataclass(frozen=True)
class Policy:
    """When to reboot, and how long to wait for what; in seconds.

    An instance that is starting must have been seen so for ``starting_timeout``.
    """

    states: Collection[str]
    starting_timeout: float
    wait_timeout: float
    wait_interval: float


@dataclass
class RebootProgress:
    """One instance; the times are those of ``time.monotonic()``.

    ``before`` is its state when it was read first, ``is_fresh`` until it is read again. ``doubt`` is why it isn't known
    whether its reboot happened.
    """

    target: Target
    observation: Observation
    before: str | None
    budget: RequestBudget
    is_fresh: bool = True
    action: Action = "unchanged"
    error: FleetError | None = None
    is_over: bool = False
    starting_since: float | None = None
    sent_at: float | None = None
    doubt: FleetError | None = None
    has_changed: bool = False
    last_state: str | None = None

    @property
    def state(self) -> str | None:
        """Its state, ``None`` if it can't be read."""
        return self.observation.state

    def end(self, action: Action, error: FleetError | None = None) -> None:
        """It won't change any more."""
        self.action, self.error, self.is_over = action, error, True


class Rebooter:
    """One task's reboots."""

    def __init__(
        self,
        policy: Policy,
        budget: RebootBudget,
        *,
        concurrency: int,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self._policy = policy
        self._budget = budget
        self._concurrency = concurrency
        self._progress = progress
        self._cases: list[RebootProgress] = []

    def predict(self, targets: Sequence[Target]) -> dict[str, Any]:
        """The module's result in check mode. An instance that is starting now counts as one that would be rebooted."""
        self._begin(targets)
        for item in self._cases:
            if self._is_due(item):
                try:
                    self._budget.check(item.target.gateway.provider, item.target.credentials.id)
                except FleetError as error:
                    item.end("failed", error)
                else:
                    item.end("would_reboot")
        return self._report()

    def reboot(self, targets: Sequence[Target]) -> dict[str, Any]:
        """The module's result, with what became of each. The failure of one doesn't keep the others from a reboot."""
        self._begin(targets)
        poll(
            [item for item in self._cases if self._is_due(item)],
            self._step,
            workers=self._concurrency,
            interval=self._policy.wait_interval,
            progress=self._tell,
        )
        return self._report()

    def _begin(self, targets: Sequence[Target]) -> None:
        for observation in observe(targets, concurrency=self._concurrency):
            item = RebootProgress(observation.target, observation, observation.state, RequestBudget())
            if observation.error:
                item.end("failed", observation.error)
            self._cases.append(item)

    def _is_due(self, item: RebootProgress) -> bool:
        return item.state in self._policy.states and item.state in item.target.gateway.reboot_cures

    def _step(self, item: RebootProgress) -> bool:
        if not item.is_fresh:
            observation = read(item.target, item.budget)
            if observation.reading or item.budget.remaining():
                item.observation = observation  # one that was cut short by the end of the waiting says nothing
        item.is_fresh = False
        if item.sent_at is None:
            self._decide(item)
        else:
            self._watch(item, item.sent_at)
        return item.is_over

    def _decide(self, item: RebootProgress) -> None:
        now = time.monotonic()
        if item.observation.error:
            item.end("failed", item.observation.error)
        elif not self._is_due(item):
            item.end("unchanged")
        elif item.state == states.STARTING:
            item.starting_since = item.starting_since or now
            if now - item.starting_since >= self._policy.starting_timeout:
                self._send(item)
        else:
            self._send(item)

    def _send(self, item: RebootProgress) -> None:
        """Reboot it, once: what happens to the answer is no reason for another one."""
        gateway, credentials = item.target.gateway, item.target.credentials
        try:
            ticket = self._budget.reserve(gateway.provider, credentials.id)
        except FleetError as error:
            item.end("failed", error)
            return
        try:
            gateway.reboot(credentials)
        except FleetError as error:
            if error.delivery is not Delivery.UNKNOWN:
                self._budget.release(ticket)
                item.end("failed", error)
                return
            item.doubt = error
        item.before = item.state
        item.sent_at = time.monotonic()
        item.budget = RequestBudget(item.sent_at + self._policy.wait_timeout)
        if not self._policy.wait_timeout:
            item.end("unknown" if item.doubt else "rebooted", item.doubt and _unknown(item.doubt))

    def _watch(self, item: RebootProgress, sent_at: float) -> None:
        """Wait until its state has changed, and stays what it is now."""
        state, last, item.last_state = item.state, item.last_state, item.state
        if state is not None:
            item.has_changed = item.has_changed or state != item.before
            if item.has_changed and state == last and states.health_for(state) != "transient":
                item.end("rebooted", _relapse(state) if self._is_due(item) else None)
                return
        if time.monotonic() >= sent_at + self._policy.wait_timeout:
            if item.doubt and not item.has_changed:
                item.end("unknown", _unknown(item.doubt))
            else:
                item.end("rebooted", self._overdue(item))

    def _overdue(self, item: RebootProgress) -> FleetError:
        waited = f"{self._policy.wait_timeout:g} s after its reboot"
        if item.observation.error:
            return FleetError("timeout", f"it can't be read {waited}: {item.observation.error.message}")
        return FleetError("timeout", f"it is still {item.state} {waited}; ask the gateway's support")

    # Telling

    def _tell(self) -> None:
        if self._progress:
            waiting = [item for item in self._cases if self._is_due(item) or item.sent_at]
            left = [f"{item.target.label} is {item.state}" for item in waiting if not item.is_over]
            more = f" and {len(left) - 5} more" if len(left) > 5 else ""
            self._progress(
                f"waiting after {sum(bool(c.sent_at) for c in waiting)} reboots: {', '.join(left[:5])}{more}"
            )

    def _report(self) -> dict[str, Any]:
        cases = self._cases
        result: dict[str, Any] = {
            "changed": any(item.sent_at or item.action == "would_reboot" for item in cases),
            "instances": [_as_result(item) for item in cases],
            "summary": {
                "total": len(cases),
                "authorized": sum(item.state == states.AUTHORIZED for item in cases),
                "by_action": dict(sorted(collections.Counter(item.action for item in cases).items())),
            },
            "diff": _diff(cases),
        }
        failures = [(item.target.label, item.error) for item in cases if item.error]
        if len(failures) == 1:
            label, error = failures[0]
            return result | failed(f"{label}: {error.message}", error)
        return result | (failure_result("instances", "rebooted", failures) if failures else {})


def _unknown(doubt: FleetError) -> FleetError:
    return FleetError(
        "outcome_unknown",
        f"it is not known whether it was rebooted: {doubt.message}; a later task may reboot it again",
        http_status=doubt.http_status,
        delivery=Delivery.UNKNOWN,
    )


def _relapse(state: str | None) -> FleetError:
    return FleetError("vendor", f"it is {state} again after its reboot; ask the gateway's support")


def _as_result(item: RebootProgress) -> dict[str, Any]:
    return {
        "id": item.target.credentials.id,
        "name": item.target.name,
        "provider": item.target.gateway.provider,
        "before": item.before,
        "state": item.state,
        "authorized": item.state == states.AUTHORIZED,
        "action": item.action,
        "error": item.error.as_item_error() if item.error else None,
    }


def _diff(cases: Sequence[RebootProgress]) -> dict[str, str]:
    def lines(states: Iterable[str | None]) -> str:
        pairs = zip(cases, states, strict=True)
        return "".join(f"{item.target.gateway.provider} {item.target.label}: {state}\n" for item, state in pairs)

    after = lines("rebooting" if item.action == "would_reboot" else item.state for item in cases)
    before = lines(item.before for item in cases)
    return {"before": before, "after": after, "before_header": "instances", "after_header": "instances"}
