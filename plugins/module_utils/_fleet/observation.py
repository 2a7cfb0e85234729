# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the state of many instances at once, and waiting until they are where they should be."""

from __future__ import annotations

import collections
import dataclasses
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from .._common import states
from .._common.errors import FleetError, failed, failure_result
from .._common.polling import poll, progress_line
from .._common.texts import sentence
from .._common.timestamps import utc_now
from .._http.transport import RequestBudget
from .._vendors.gateway import Credentials, Gateway, Reading


@dataclass(frozen=True, slots=True)
class Target:
    """An instance to read, and the gateway that knows it."""

    gateway: Gateway
    credentials: Credentials
    name: str | None

    @property
    def label(self) -> str:
        """The instance as a message names it."""
        return f"{self.name} ({self.credentials.id})" if self.name else self.credentials.id


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of one instance: a reading, or an error, or (before the first answer) neither."""

    target: Target
    attempts: int = 0
    observed_at: str | None = None
    reading: Reading | None = None
    error: FleetError | None = None

    @property
    def state(self) -> str | None:
        """The state, ``None`` if the instance could not be read."""
        return self.reading.state if self.reading else None

    @property
    def is_final(self) -> bool:
        """Whether asking again has no prospect of an answer."""
        return self.error is not None and not (self.error.retryable or self.error.transient)

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        return {
            "id": self.target.credentials.id,
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


@dataclass(frozen=True)
class WaitPolicy:
    """How long to wait, how often to look, and for what; times in seconds."""

    timeout: float
    interval: float
    states: Collection[str] = ()
    fail_fast_on: Collection[str] = ()

    def is_over_for(self, observation: Observation) -> bool:
        """Whether the instance has arrived, or never will."""
        return self.is_met_by(observation) or self.is_hopeless_for(observation) or observation.is_final

    def is_met_by(self, observation: Observation) -> bool:
        """Whether the instance is where it should be."""
        return observation.state in self.states

    def is_hopeless_for(self, observation: Observation) -> bool:
        """Whether the instance is in a state that ends the waiting for all."""
        return not self.is_met_by(observation) and observation.state in self.fail_fast_on


def observe(
    targets: Sequence[Target],
    *,
    concurrency: int,
    waiting: WaitPolicy | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[Observation]:
    """The last observation of each target, in their order; an error of one doesn't keep the others from being read.

    Without ``waiting``, each is read once. With it, until it is over for each of them or time is up; one instance in
    a state of ``fail_fast_on`` ends it for all.
    """
    # Without time to wait, each is read once, and that decides.
    deadline = time.monotonic() + waiting.timeout if waiting and waiting.timeout else None
    observations = [Observation(target) for target in targets]
    budgets = [RequestBudget(deadline) for _target in targets]
    unseen = set(range(len(targets)))
    hopeless = threading.Event()

    def step(index: int) -> bool:
        observation = read(targets[index], budgets[index])
        if observation.reading is None and observations[index].reading is not None and budgets[index].remaining() == 0:
            # Cut short by the end of the waiting: the last state that was seen says more.
            observation = observations[index]
        observations[index] = observation
        unseen.discard(index)
        if waiting is not None and waiting.is_hopeless_for(observation):
            hopeless.set()
        return deadline is None or waiting is None or waiting.is_over_for(observation)

    def tell() -> None:
        if progress:
            progress(_progress_text(observations, waiting))

    poll(
        range(len(targets)),
        step,
        workers=concurrency,
        interval=waiting.interval if waiting else 0.0,
        deadline=deadline,
        stop=lambda: hopeless.is_set() and not unseen,
        progress=tell if progress else None,
    )
    # What is still under way when time is up was sent as well.
    return [
        dataclasses.replace(o if o.observed_at else _unseen(o), attempts=budget.requests)
        for o, budget in zip(observations, budgets, strict=True)
    ]


def _progress_text(observations: Sequence[Observation], waiting: WaitPolicy | None) -> str:
    done = f"{sum(o.observed_at is not None for o in observations)} of {len(observations)} instances read"
    laggards = [_describe_states([o]) for o in observations if waiting and not waiting.is_over_for(o)]
    return progress_line(done, waiting.states if waiting else (), laggards, len(observations))


def summarize(observations: Sequence[Observation]) -> dict[str, Any]:
    """How many are in which state."""
    by_state = collections.Counter(o.state for o in observations if o.state is not None)
    return {
        "total": len(observations),
        "authorized": by_state[states.AUTHORIZED],
        "unreadable": sum(o.state is None for o in observations),
        "by_state": dict(sorted(by_state.items())),
    }


def report(observations: Sequence[Observation], waiting: WaitPolicy | None, *, fail_on_error: bool) -> dict[str, Any]:
    """The module's result; it fails where an instance could not be read or isn't where the task waits for it."""
    result: dict[str, Any] = {
        "changed": False,
        "instances": [o.as_result() for o in observations],
        "summary": summarize(observations),
    }
    if len(observations) == 1:
        result["state"] = observations[0].state
        result["authorized"] = observations[0].state == states.AUTHORIZED
    unreadable = [o for o in observations if o.error]
    hopeless = [o for o in observations if waiting and waiting.is_hopeless_for(o)]
    laggards = [o for o in observations if waiting and not waiting.is_met_by(o) and (fail_on_error or not o.is_final)]
    if hopeless:
        return result | failed(f"gave up waiting: {_describe_states(hopeless)}; {_remedies(hopeless)}")
    if waiting and laggards and not all(o.is_final for o in laggards):
        wanted = " or ".join(waiting.states)
        msg = f"{len(laggards)} of {len(observations)} instances did not become {wanted} within {waiting.timeout:g} s"
        return result | failed("; ".join(filter(None, [f"{msg}: {_describe_states(laggards)}", _remedies(laggards)])))
    if unreadable and fail_on_error:
        return result | failure_result("instances", "read", [(o.target.label, o.error) for o in unreadable if o.error])
    return result


def _describe_states(observations: Sequence[Observation]) -> str:
    return ", ".join(f"{o.target.label} is {o.state or ('unreadable' if o.error else 'unread')}" for o in observations)


def _remedies(observations: Sequence[Observation]) -> str:
    remedies = {o.state: states.remedy_for(o.state) for o in observations if o.state}
    if len(remedies) == 1:
        return next(iter(remedies.values()))
    return "; ".join(f"{state}: {remedy}" for state, remedy in remedies.items())


def read(target: Target, budget: RequestBudget) -> Observation:
    """What is known of the instance now; a failure is part of that."""
    reading, error = None, None
    try:
        reading = target.gateway.read_state(target.credentials, budget)
    except FleetError as exc:
        error = exc
    return Observation(target, observed_at=utc_now(), reading=reading, error=error)


def _unseen(observation: Observation) -> Observation:
    what = f"reading the state of instance {observation.target.label}"
    error = FleetError("timeout", sentence(what, "no answer within wait_timeout", "raise it"), retryable=True)
    return dataclasses.replace(observation, observed_at=utc_now(), error=error)
