# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task does with one instance until its state is what the task waits for, and the result for many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .._common import states
from .._http.transport import RequestBudget
from .observation import Observation, read
from .outcome import Action, Outcome
from .outcome import report as report_outcomes


@dataclass(kw_only=True)
class Progress(Outcome[Action]):
    """One instance on its way to an action; ``before`` is its state at the beginning."""

    observation: Observation
    before: str | None
    budget: RequestBudget

    @property
    def state(self) -> str | None:
        """Its last state, ``None`` if it could not be read."""
        return self.observation.state

    def read(self) -> bool:
        """Read its state again; false if the deadline cut that short, and the last observation stays."""
        observation = read(self.target, self.budget)
        if observation.error and not self.budget.remaining():
            return False
        self.observation = observation
        return True

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        return super().as_result() | {"state": self.state, "authorized": self.state == states.AUTHORIZED}


def report(
    progress: Sequence[Progress[Any]], *, changed: bool, after: Iterable[str | None], done: str, verdict: str = ""
) -> dict[str, Any]:
    """The module's result as ``outcome.report`` makes it; ``after`` are the states for the diff."""
    result = report_outcomes(
        progress,
        changed=changed,
        before="".join(one.line(one.before) for one in progress),
        after="".join(one.line(state) for one, state in zip(progress, after, strict=True)),
        done=done,
        verdict=verdict,
    )
    result["summary"]["authorized"] = sum(one.state == states.AUTHORIZED for one in progress)
    return result
