# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task makes of each of its instances or phones, and the result of a task that changes many."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .._common.errors import FleetError, failed, failure_result
from .._common.limits import Limit
from .._vendors.gateway import Gateway
from .observation import Target
from .watching import Returned

Action = TypeVar("Action", bound=str)


@dataclass(kw_only=True)
class ItemOutcome(Generic[Action]):
    """What becomes of one instance or phone; ``error`` is why that isn't what the task asks for."""

    action: Action
    error: FleetError | None = None
    is_over: bool = False

    @property
    def label(self) -> str:
        """What a message about it alone calls it."""
        raise NotImplementedError

    @property
    def short_label(self) -> str:
        """What a message about many calls it."""
        return self.label

    def end(self, action: Action, error: FleetError | None = None) -> None:
        """Set the action for good."""
        self.action, self.error, self.is_over = action, error, True

    def line(self, text: str | None) -> str:
        """A line of the diff, which says of it that it is ``text``."""
        return f"{self.label}: {text}\n"

    def as_result(self) -> dict[str, Any]:
        """What the module returns of it."""
        return {"action": self.action, "error": self.error.as_item_error() if self.error else None}


@dataclass(kw_only=True)
class Outcome(ItemOutcome[Action]):
    """What becomes of one instance."""

    target: Target

    @property
    def gateway(self) -> Gateway:
        """The client of its account."""
        return self.target.gateway

    @property
    def identity(self) -> tuple[str, str]:
        """Its provider and its ID, which the journal of changes knows it by."""
        return self.gateway.provider, self.target.credentials.id

    @property
    def label(self) -> str:
        return self.target.label

    @property
    def short_label(self) -> str:
        return self.target.name_or_id

    def line(self, text: str | None) -> str:
        return f"{self.gateway.provider} {super().line(text)}"

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        identity = {"id": self.target.credentials.id or None, "name": self.target.name}
        return {**identity, "provider": self.gateway.provider, **super().as_result()}


AnyOutcome = TypeVar("AnyOutcome", bound=Outcome[Any])
AnyItem = TypeVar("AnyItem", bound=ItemOutcome[Any])


def by_gateway(outcomes: Iterable[AnyOutcome]) -> dict[Gateway, list[AnyOutcome]]:
    """The outcomes by account."""
    found: dict[Gateway, list[AnyOutcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.gateway, []).append(outcome)
    return found


def within(planned: Sequence[AnyItem], limit: Limit | None, total: int, refused: str = "failed") -> Sequence[AnyItem]:
    """Those of ``total`` outcomes that are ``planned``, if the limit allows as many; else none, and they all end."""
    refusal = limit.guard([outcome.short_label for outcome in planned], total) if limit else None
    if refusal is None:
        return planned
    for outcome in planned:
        outcome.end(refused, refusal)
    return []


def report(
    outcomes: Sequence[ItemOutcome[Any]],
    *,
    kind: str = "instances",
    changed: bool,
    before: str,
    after: str,
    done: str,
    verdict: str = "",
    returned: Returned = "all",
) -> dict[str, Any]:
    """The module's result, and a failure where an instance, or what ``kind`` names, has an error.

    ``before`` and ``after`` are the lines of the diff. Messages say that several could not be ``done``, and of a single
    one its label, the ``verdict`` and the reason. The summary counts all instances, whichever are ``returned``.
    """
    shown = [one for one in outcomes if returned == "all" or (returned == "failed" and one.error)]
    by_action = collections.Counter(one.action for one in outcomes)
    result: dict[str, Any] = {
        "changed": changed,
        kind: [one.as_result() for one in shown],
        "summary": {"total": len(outcomes), "by_action": dict(sorted(by_action.items()))},
        "diff": {"before": before, "after": after, "before_header": kind, "after_header": kind},
    }
    failures = [(one.short_label, one.error) for one in outcomes if one.error]
    if len(outcomes) == 1 and failures:
        error = failures[0][1]
        return result | failed(f"{outcomes[0].label}{verdict}: {error.message}", error)
    return result | (failure_result(kind, done, failures, len(outcomes)) if failures else {})
