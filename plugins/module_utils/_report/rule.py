# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's rule: which members are healthy, and how many may fail."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._common.errors import UsageError
from .._common.phone_states import PHONE_STATUSES, RUNNING
from .._common.states import AUTHORIZED, STATES

# One list serves instances and phones: "running" is no state of an instance, and "authorized" no status of a phone.
ALLOWED_STATES = (AUTHORIZED, RUNNING)
ALL_STATES = tuple(dict.fromkeys((*STATES, *PHONE_STATUSES)))

# The definition of the modules' option that is a rule.
RULE_OPTION: dict[str, Any] = {
    "type": "dict",
    "options": {
        "allowed_states": {
            "type": "list",
            "elements": "str",
            "choices": list(ALL_STATES),
            "default": list(ALLOWED_STATES),
        },
        "max_failing": {"type": "str", "default": "0"},
        "min_due_days": {"type": "float"},
        "min_total": {"type": "int", "default": 0},
    },
}


@dataclass(frozen=True)
class Rule:
    """When a fleet passes.

    ``allowed_states``: a member in another state, or that could not be read, is failing.
    ``max_failing``: how many members may be failing, a number such as ``3`` or a share of the fleet such as ``5%``.
    ``min_due_days``: a member whose paid time ends within so many days is failing, whatever its state.
    ``min_total``: how many members the fleet has at least.

    :raises UsageError: for values that make no rule.
    """

    allowed_states: Sequence[str] = ALLOWED_STATES
    max_failing: str = "0"
    min_due_days: float | None = None
    min_total: int = 0

    def __post_init__(self) -> None:
        self.failing_limit(0)
        if self.min_due_days is not None and not 0 <= self.min_due_days < float("inf"):
            raise UsageError("min_due_days must be a number of days, 0 or above")
        if self.min_total < 0:
            raise UsageError("min_total must be 0 or above")

    @classmethod
    def from_option(cls, values: Mapping[str, Any]) -> Rule:
        """The rule in the module's option, or in a report's JSON."""
        return cls(**{**values, "allowed_states": tuple(values["allowed_states"])})

    def failing_limit(self, total: int) -> int:
        """How many of ``total`` members may be failing; a share is rounded down.

        :raises UsageError: if ``max_failing`` is neither a number nor a share.
        """
        match = re.fullmatch(r"\s*(\d+)\s*|\s*(\d+(?:\.\d+)?)\s*%\s*", self.max_failing, re.ASCII)
        if match is None or (match[2] and float(match[2]) > 100):
            raise UsageError(f"max_failing must be a number such as 3 or a share such as 5%, not {self.max_failing!r}")
        return int(match[1]) if match[1] else math.floor(total * float(match[2]) / 100)

    def words(self) -> str:
        """The rule in a sentence."""
        clauses = [f"each is {' or '.join(self.allowed_states)}"]
        if self.min_due_days is not None:
            days = "day" if self.min_due_days == 1 else "days"
            clauses.append(f"paid for at least {self.min_due_days:g} {days}")
        sentence = " and ".join(clauses)
        if self.max_failing.strip() != "0":
            sentence += f"; up to {self.max_failing.strip()} may be failing"
        return sentence + (f"; there are at least {self.min_total}" if self.min_total else "")


def common_rule(rules: Sequence[Rule]) -> Rule:
    """The rule that all of several reports were evaluated by; the default rule if there are no reports.

    :raises UsageError: if the reports were evaluated by different rules.
    """
    if any(rule != rules[0] for rule in rules):
        raise UsageError(
            "the reports were evaluated by different rules; set the option rule to evaluate all of them by one"
        )
    return rules[0] if rules else Rule()
