# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task does with one instance until its action is known, and the result of a task that does so with many."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .._common import states
from .._common.errors import FleetError, failed, failure_result
from .._http.transport import RequestBudget
from .observation import Observation, Target, read

Action = TypeVar("Action", bound=str)


@dataclass(kw_only=True)
class Progress(Generic[Action]):
    """One instance on its way to an action; ``before`` is its state at the beginning."""

    target: Target
    observation: Observation
    before: str | None
    budget: RequestBudget
    action: Action
    error: FleetError | None = None
    is_over: bool = False

    @property
    def state(self) -> str | None:
        """Its last state, ``None`` if it could not be read."""
        return self.observation.state

    def end(self, action: Action, error: FleetError | None = None) -> None:
        """Set the action for good."""
        self.action, self.error, self.is_over = action, error, True

    def read(self) -> bool:
        """Read its state again; false if the deadline cut that short, and the last observation stays."""
        observation = read(self.target, self.budget)
        if observation.error and not self.budget.remaining():
            return False
        self.observation = observation
        return True

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        return {
            "id": self.target.credentials.id or None,
            "name": self.target.name,
            "provider": self.target.gateway.provider,
            "state": self.state,
            "authorized": self.state == states.AUTHORIZED,
            "action": self.action,
            "error": self.error.as_item_error() if self.error else None,
        }


def report(
    progress: Sequence[Progress[Any]],
    instances: Sequence[dict[str, Any]],
    *,
    changed: bool,
    after: Iterable[str | None],
    done: str,
    verdict: str = "",
) -> dict[str, Any]:
    """The module's result: ``instances`` as they are returned, and a failure where one has an error.

    ``after`` are the states for the diff. Messages say that several could not be ``done``, and of a single one its
    label, the ``verdict`` and the reason.
    """
    result: dict[str, Any] = {
        "changed": changed,
        "instances": instances,
        "summary": {
            "total": len(progress),
            "authorized": sum(one.state == states.AUTHORIZED for one in progress),
            "by_action": dict(sorted(collections.Counter(one.action for one in progress).items())),
        },
        "diff": {
            "before": _lines(progress, [one.before for one in progress]),
            "after": _lines(progress, after),
            "before_header": "instances",
            "after_header": "instances",
        },
    }
    failures = [(one.target.name_or_id, one.error) for one in progress if one.error]
    if len(progress) == 1 and failures:
        error = failures[0][1]
        return result | failed(f"{progress[0].target.label}{verdict}: {error.message}", error)
    return result | (failure_result("instances", done, failures, len(progress)) if failures else {})


def _lines(progress: Sequence[Progress[Any]], states: Iterable[str | None]) -> str:
    pairs = zip(progress, states, strict=True)
    return "".join(f"{one.target.gateway.provider} {one.target.label}: {state}\n" for one, state in pairs)
