# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading many instances or phones at once, and waiting until each is in a state that the task waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, get_args

from .._common.errors import FleetError, UsageError
from .._common.polling import PROGRESS_INTERVAL, ProgressLog, poll
from .._common.texts import join_groups
from .._http.transport import RequestBudget

# Which readings a task returns: all of them, those that make it fail, or none, but their summary.
Returned = Literal["all", "failed", "summary"]
RETURNED: tuple[Returned, ...] = get_args(Returned)

Item = TypeVar("Item")
SomeReading = TypeVar("SomeReading", bound="Readable")


class Readable(Protocol):
    """What was read of an instance or a phone."""

    @property
    def state(self) -> str | None:
        """Its state, ``None`` if it could not be read."""

    @property
    def error(self) -> FleetError | None:
        """Why it could not be read."""

    @property
    def is_final(self) -> bool:
        """Whether it could not be read, and reading it again would fail in the same way."""


@dataclass(frozen=True)
class WaitPolicy:
    """For which states to wait, how long, and how often to read; times in seconds.

    With a ``timeout`` of 0, everything is read once, and that reading decides. A state of ``fail_fast_on`` that isn't
    in ``states`` ends the waiting for all; one of ``hopeless``, for what is in it.

    :raises UsageError: if a time isn't a usable number of seconds.
    """

    timeout: float = 0.0
    interval: float = 5.0
    states: Collection[str] = ()
    fail_fast_on: Collection[str] = ()
    hopeless: Collection[str] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.timeout < float("inf"):
            raise UsageError("wait_timeout must be 0 or a number of seconds above it")
        if not 0 < self.interval < float("inf"):
            raise UsageError("wait_interval must be a number of seconds above 0")

    def deadline(self) -> float | None:
        """The time of ``time.monotonic()`` at which a waiting that begins now ends; ``None`` for a single reading."""
        return time.monotonic() + self.timeout if self.timeout else None

    def is_met_by(self, reading: Readable) -> bool:
        """Whether it is in a state that the task waits for."""
        return not self.states or reading.state in self.states

    def is_hopeless_for(self, reading: Readable) -> bool:
        """Whether it is in a state that ends the waiting for all."""
        return not self.is_met_by(reading) and reading.state in self.fail_fast_on

    def is_over_for(self, reading: Readable) -> bool:
        """Whether reading it again would not change the outcome."""
        is_hopeless = self.is_hopeless_for(reading) or reading.state in self.hopeless
        return self.is_met_by(reading) or is_hopeless or reading.is_final

    def select(self, readings: Sequence[SomeReading], returned: Returned) -> Sequence[SomeReading]:
        """The readings that the task returns; those with an error, or in none of the states, failed."""
        if returned == "all":
            return readings
        return [r for r in readings if returned == "failed" and (r.error is not None or not self.is_met_by(r))]

    def timeout_message(self, kind: str, laggards: Sequence[tuple[str, Readable]], total: int) -> str:
        """The failure of a task at whose end ``laggards`` (label and reading) of ``total`` were in none of the
        states.
        """
        wanted = " or ".join(self.states)
        lead = f"{len(laggards):,} of {total:,} {kind} did not become {wanted} within {self.timeout:g} s"
        return f"{lead}: {by_state(laggards)}"


def by_state(readings: Iterable[tuple[str, Readable]], shown: int = 10) -> str:
    """The labels of ``readings`` by state, or by the cause for which there is none, and the first such error."""
    readings = list(readings)
    first_error = next((reading.error.message for _label, reading in readings if reading.error), "")
    groups = join_groups(((_state_or_cause(reading), label) for label, reading in readings), shown=shown)
    return ". ".join(filter(None, [groups, first_error]))


def _state_or_cause(reading: Readable) -> str:
    return reading.error.cause if reading.error else reading.state or "unread"


READ_ONCE = WaitPolicy()


@dataclass(frozen=True)
class _Failing:
    """An item whose request has failed, and is being repeated."""

    error: FleetError
    state: None = None
    is_final: bool = False


@dataclass
class _Batch:
    """Indices of items that one request asks for."""

    indices: list[int]
    budget: RequestBudget


def watch(
    items: Sequence[Item],
    read: Callable[[Sequence[Item], RequestBudget], Sequence[SomeReading]],
    waiting: WaitPolicy,
    *,
    kind: str,
    label: Callable[[Item], str],
    concurrency: int,
    batch_size: int = 1,
    progress: Callable[[str], None] | None = None,
    progress_interval: float = PROGRESS_INTERVAL,
) -> tuple[list[SomeReading | None], list[int]]:
    """The last reading of each item (``None`` if none ended in time), and how many requests each batch took.

    ``read`` gives the readings of a batch in its order, failures included. An item is read again until the waiting is
    over for it. All reading ends at the deadline, or when an item is in a state of ``fail_fast_on`` and each other item
    was read at least once. ``progress`` gets a line with ``kind``, the plural of the items, and with states and errors
    of the items that the task waits for.
    """
    deadline = waiting.deadline() if waiting.states else None
    readings: list[SomeReading | None] = [None] * len(items)
    batches = [
        _Batch(list(range(start, min(start + batch_size, len(items)))), RequestBudget(deadline))
        for start in range(0, len(items), batch_size)
    ]
    hopeless = threading.Event()

    def step(batch: _Batch) -> bool:
        left = []
        results = read([items[index] for index in batch.indices], batch.budget)
        for index, reading in zip(batch.indices, results, strict=True):
            # A failure after the deadline only means that time was up, so keep the reading before it.
            if reading.state is not None or readings[index] is None or batch.budget.remaining():
                readings[index] = reading
                if waiting.is_hopeless_for(reading):
                    hopeless.set()
            if not waiting.is_over_for(reading):
                left.append(index)
        batch.indices = left
        return deadline is None or not left

    def is_lost(reading: SomeReading) -> bool:
        return bool(waiting.states) and waiting.is_over_for(reading) and not waiting.is_met_by(reading)

    def describe() -> str:
        # A request that is being repeated has an error, but no reading yet.
        left = [(index, batch.budget.failure) for batch in batches for index in batch.indices]
        known = [(label(items[i]), _Failing(error) if error else readings[i]) for i, error in left]
        over = [(label(item), reading) for item, reading in zip(items, readings, strict=True) if reading]
        lost = [(name, reading) for name, reading in over if is_lost(reading)]
        reached = f"are {' or '.join(waiting.states)}" if waiting.states else "read"
        line = f"{len(items) - len(left) - len(lost):,} of {len(items):,} {kind} {reached}"
        line += f"; no longer waiting for {by_state(lost, shown=3)}" if lost else ""
        pending = by_state(((name, reading) for name, reading in known if reading), shown=3)
        return f"{line}; {pending}" if pending else line

    log = ProgressLog(progress, describe, deadline=lambda: deadline, interval=progress_interval) if progress else None
    poll(
        batches,
        step,
        workers=concurrency,
        interval=waiting.interval,
        deadline=deadline,
        stop=lambda: hopeless.is_set() and None not in readings,
        progress=log,
    )
    # The numbers include requests that were under way at the deadline.
    return readings, [batch.budget.requests for batch in batches]
