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

from . import _states
from ._errors import Delivery, FleetError, failed, failure_of
from ._http import RequestBudget
from ._observation import Observation, Target, observe, read
from ._polling import poll
from ._reboot_budget import RebootBudget

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
class Case:
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
        self._cases: list[Case] = []

    def predict(self, targets: Sequence[Target]) -> dict[str, Any]:
        """The module's result in check mode. An instance that is starting now counts as one that would be rebooted."""
        self._begin(targets)
        for case in self._cases:
            if self._is_due(case):
                try:
                    self._budget.check(case.target.gateway.provider, case.target.credentials.id)
                except FleetError as error:
                    case.end("failed", error)
                else:
                    case.end("would_reboot")
        return self._report()

    def reboot(self, targets: Sequence[Target]) -> dict[str, Any]:
        """The module's result, with what became of each. The failure of one doesn't keep the others from a reboot."""
        self._begin(targets)
        poll(
            [case for case in self._cases if self._is_due(case)],
            self._step,
            workers=self._concurrency,
            interval=self._policy.wait_interval,
            progress=self._tell,
        )
        return self._report()

    def _begin(self, targets: Sequence[Target]) -> None:
        for observation in observe(targets, concurrency=self._concurrency):
            case = Case(observation.target, observation, observation.state, RequestBudget())
            if observation.error:
                case.end("failed", observation.error)
            self._cases.append(case)

    def _is_due(self, case: Case) -> bool:
        return case.state in self._policy.states and case.state in case.target.gateway.reboot_cures

    def _step(self, case: Case) -> bool:
        if not case.is_fresh:
            observation = read(case.target, case.budget)
            if observation.reading or case.budget.remaining():
                case.observation = observation  # one that was cut short by the end of the waiting says nothing
        case.is_fresh = False
        if case.sent_at is None:
            self._decide(case)
        else:
            self._watch(case, case.sent_at)
        return case.is_over

    def _decide(self, case: Case) -> None:
        now = time.monotonic()
        if case.observation.error:
            case.end("failed", case.observation.error)
        elif not self._is_due(case):
            case.end("unchanged")
        elif case.state == _states.STARTING:
            case.starting_since = case.starting_since or now
            if now - case.starting_since >= self._policy.starting_timeout:
                self._send(case)
        else:
            self._send(case)

    def _send(self, case: Case) -> None:
        """Reboot it, once: what happens to the answer is no reason for another one."""
        gateway, credentials = case.target.gateway, case.target.credentials
        try:
            ticket = self._budget.reserve(gateway.provider, credentials.id)
        except FleetError as error:
            case.end("failed", error)
            return
        try:
            gateway.reboot(credentials)
        except FleetError as error:
            if error.delivery is not Delivery.UNKNOWN:
                self._budget.release(ticket)
                case.end("failed", error)
                return
            case.doubt = error
        case.before = case.state
        case.sent_at = time.monotonic()
        case.budget = RequestBudget(case.sent_at + self._policy.wait_timeout)
        if not self._policy.wait_timeout:
            case.end("unknown" if case.doubt else "rebooted", case.doubt and _unknown(case.doubt))

    def _watch(self, case: Case, sent_at: float) -> None:
        """Wait until its state has changed, and stays what it is now."""
        state, last, case.last_state = case.state, case.last_state, case.state
        if state is not None:
            case.has_changed = case.has_changed or state != case.before
            if case.has_changed and state == last and _states.health_of(state) != "transient":
                case.end("rebooted", _relapse(state) if self._is_due(case) else None)
                return
        if time.monotonic() >= sent_at + self._policy.wait_timeout:
            if case.doubt and not case.has_changed:
                case.end("unknown", _unknown(case.doubt))
            else:
                case.end("rebooted", self._overdue(case))

    def _overdue(self, case: Case) -> FleetError:
        waited = f"{self._policy.wait_timeout:g} s after its reboot"
        if case.observation.error:
            return FleetError("timeout", f"it can't be read {waited}: {case.observation.error.message}")
        return FleetError("timeout", f"it is still {case.state} {waited}; ask the gateway's support")

    # Telling

    def _tell(self) -> None:
        if self._progress:
            waiting = [case for case in self._cases if self._is_due(case) or case.sent_at]
            left = [f"{case.target.label} is {case.state}" for case in waiting if not case.is_over]
            more = f" and {len(left) - 5} more" if len(left) > 5 else ""
            self._progress(
                f"waiting after {sum(bool(c.sent_at) for c in waiting)} reboots: {', '.join(left[:5])}{more}"
            )

    def _report(self) -> dict[str, Any]:
        cases = self._cases
        result: dict[str, Any] = {
            "changed": any(case.sent_at or case.action == "would_reboot" for case in cases),
            "instances": [_as_result(case) for case in cases],
            "summary": {
                "total": len(cases),
                "authorized": sum(case.state == _states.AUTHORIZED for case in cases),
                "by_action": dict(sorted(collections.Counter(case.action for case in cases).items())),
            },
            "diff": _diff(cases),
        }
        failures = [(case.target.label, case.error) for case in cases if case.error]
        if len(failures) == 1:
            label, error = failures[0]
            return result | failed(f"{label}: {error.message}", error)
        return result | (failure_of("instances", "rebooted", failures) if failures else {})


def _unknown(doubt: FleetError) -> FleetError:
    return FleetError(
        "outcome_unknown",
        f"it is not known whether it was rebooted: {doubt.message}; a later task may reboot it again",
        http_status=doubt.http_status,
        delivery=Delivery.UNKNOWN,
    )


def _relapse(state: str | None) -> FleetError:
    return FleetError("vendor", f"it is {state} again after its reboot; ask the gateway's support")


def _as_result(case: Case) -> dict[str, Any]:
    return {
        "id": case.target.credentials.id,
        "name": case.target.name,
        "provider": case.target.gateway.provider,
        "before": case.before,
        "state": case.state,
        "authorized": case.state == _states.AUTHORIZED,
        "action": case.action,
        "error": case.error.as_item_error() if case.error else None,
    }


def _diff(cases: Sequence[Case]) -> dict[str, str]:
    def lines(states: Iterable[str | None]) -> str:
        pairs = zip(cases, states, strict=True)
        return "".join(f"{case.target.gateway.provider} {case.target.label}: {state}\n" for case, state in pairs)

    after = lines("rebooting" if case.action == "would_reboot" else case.state for case in cases)
    before = lines(case.before for case in cases)
    return {"before": before, "after": after, "before_header": "instances", "after_header": "instances"}
