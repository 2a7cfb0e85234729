# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the states of many instances, and waiting until each is in a state that the task waits for."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .._common import states
from .._common.errors import FleetError, failed, failure_result
from .._common.polling import PROGRESS_INTERVAL
from .._common.texts import one_line, sentence
from .._common.timestamps import utc_now
from .._http.transport import RequestBudget
from .._vendors.gateway import Credentials, Gateway, Reading
from .watching import READ_ONCE, Returned, WaitPolicy, by_state, watch


@dataclass(frozen=True, slots=True)
class Target:
    """An instance, its name in the task, and the client of its gateway."""

    gateway: Gateway
    credentials: Credentials
    name: str | None

    @property
    def name_or_id(self) -> str:
        """The instance as a message names it that names many."""
        return one_line(self.name or self.credentials.id)

    @property
    def label(self) -> str:
        """The instance as a message names it."""
        instance_id = self.credentials.id or "not created yet"
        return one_line(f"{self.name} ({instance_id})" if self.name else instance_id)

    @property
    def is_created(self) -> bool:
        """Whether there is an instance that can be read: in check mode, a creation hasn't made it."""
        return bool(self.credentials.id)


@dataclass(frozen=True, slots=True)
class Observation:
    """What was read of one instance, or the error; ``observed_at`` is ISO 8601 in UTC, ``attempts`` counts requests."""

    target: Target
    observed_at: str
    attempts: int = 0
    reading: Reading | None = None
    error: FleetError | None = None

    @property
    def state(self) -> str | None:
        """The state, ``None`` if the instance could not be read."""
        return self.reading.state if self.reading else None

    @property
    def is_final(self) -> bool:
        """Whether it could not be read, and reading it again would fail in the same way."""
        return self.error is not None and not (self.error.retryable or self.error.transient)

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        return {
            "id": self.target.credentials.id or None,
            "name": self.target.name,
            "provider": self.target.gateway.provider,
            "state": self.state,
            "vendor_state": self.reading.vendor_state if self.reading else None,
            "authorized": self.state == states.AUTHORIZED,
            "health": states.health_for(self.state),
            "attempts": self.attempts,
            "observed_at": self.observed_at,
            "error": self.error.as_item_error() if self.error else None,
        }


def observe(
    targets: Sequence[Target],
    *,
    concurrency: int,
    waiting: WaitPolicy = READ_ONCE,
    progress: Callable[[str], None] | None = None,
    progress_interval: float = PROGRESS_INTERVAL,
) -> list[Observation]:
    """The last observation of each target, in their order; an error of one doesn't keep the others from being read."""
    created = [target for target in targets if target.is_created]
    observations, requests = watch(
        created,
        lambda batch, budget: [read(target, budget) for target in batch],
        waiting,
        kind="instances",
        label=lambda target: target.label,
        concurrency=concurrency,
        progress=progress,
        progress_interval=progress_interval,
    )
    observed = (
        dataclasses.replace(observation or _unanswered(target), attempts=attempts)
        for target, observation, attempts in zip(created, observations, requests, strict=True)
    )
    return [next(observed) if target.is_created else Observation(target, utc_now()) for target in targets]


def summarize(observations: Sequence[Observation]) -> dict[str, Any]:
    """Return the number of instances, of authorized and unreadable ones, and of those in each state."""
    by_state = collections.Counter(o.state for o in observations if o.state is not None)
    return {
        "total": len(observations),
        "authorized": by_state[states.AUTHORIZED],
        "unreadable": sum(o.error is not None for o in observations),
        "by_state": dict(sorted(by_state.items())),
    }


def report(
    observations: Sequence[Observation], waiting: WaitPolicy, *, fail_on_error: bool, returned: Returned = "all"
) -> dict[str, Any]:
    """The module's result; it fails where an instance could not be read or isn't where the task waits for it."""
    result: dict[str, Any] = {
        "changed": False,
        "instances": [o.as_result() for o in waiting.select(observations, returned)],
        "summary": summarize(observations),
    }
    if len(observations) == 1:
        result["state"] = observations[0].state
        result["authorized"] = observations[0].state == states.AUTHORIZED
    unreadable = [o for o in observations if o.error]
    hopeless = [o for o in observations if waiting.is_hopeless_for(o)]
    laggards = [
        o
        for o in observations
        if o.target.is_created and not waiting.is_met_by(o) and (fail_on_error or not o.is_final)
    ]
    if hopeless:
        lead = f"gave up waiting for {len(observations):,} instances, as fail_fast_on says"
        return result | failed(f"{lead}: {by_state(_labelled(hopeless))}; {_remedies(hopeless)}")
    if not all(o.is_final for o in laggards):
        message = waiting.timeout_message("instances", _labelled(laggards), len(observations))
        return result | failed("; ".join(filter(None, [message, _remedies(laggards)])))
    if unreadable and fail_on_error:
        failures = [(o.target.name_or_id, o.error) for o in unreadable if o.error]
        return result | failure_result("instances", "read", failures, len(observations))
    return result


def _labelled(observations: Sequence[Observation]) -> list[tuple[str, Observation]]:
    return [(o.target.label, o) for o in observations]


def _remedies(observations: Sequence[Observation]) -> str:
    remedies = {o.state: states.remedy_for(o.state) for o in observations if o.state}
    if len(remedies) == 1:
        return next(iter(remedies.values()))
    return "; ".join(f"{state}: {remedy}" for state, remedy in remedies.items())


def read(target: Target, budget: RequestBudget) -> Observation:
    """Read the instance's state, and return it or the error."""
    reading, error = None, None
    try:
        reading = target.gateway.read_state(target.credentials, budget)
    except FleetError as exc:
        error = exc
    return Observation(target, utc_now(), reading=reading, error=error)


def _unanswered(target: Target) -> Observation:
    what = f"reading the state of instance {target.label}"
    error = FleetError("timeout", sentence(what, "no answer within wait_timeout", "raise it"), retryable=True)
    return Observation(target, utc_now(), error=error)
