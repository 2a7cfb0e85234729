# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's rule: when a fleet is in order."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._common.errors import UsageError
from .._common.phone_states import PHONE_STATUSES, RUNNING
from .._common.states import AUTHORIZED, STATES

# No instance is ever running, and no phone authorized, so that one list serves both.
ALLOWED_STATES = (AUTHORIZED, RUNNING)
ALL_STATES = tuple(dict.fromkeys((*STATES, *PHONE_STATUSES)))


@dataclass(frozen=True)
class Rule:
    """When a fleet is in order.

    ``max_out`` is how many members may be out of order, a number or a share of the fleet such as ``5%``.
    ``min_due_days``: a member whose paid time ends within so many days is out of order, whatever its state.
    ``min_total``: a fleet of fewer members has lost some.
    """

    allowed_states: Sequence[str] = ALLOWED_STATES
    max_out: str = "0"
    min_due_days: float | None = None
    min_total: int = 0

    def __post_init__(self) -> None:
        self.may_be_out(0)
        if self.min_due_days is not None and not 0 <= self.min_due_days < float("inf"):
            raise UsageError("min_due_days must be a number of days, 0 or above")
        if self.min_total < 0:
            raise UsageError("min_total must be 0 or above")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Rule:
        """The rule that the module's option, or a report, gives."""
        return cls(**{**values, "allowed_states": tuple(values["allowed_states"])})

    def may_be_out(self, total: int) -> int:
        """How many of ``total`` members may be out of order.

        :raises UsageError: if ``max_out`` is neither a number nor a share.
        """
        match = re.fullmatch(r"\s*(\d+)\s*|\s*(\d+(?:\.\d+)?)\s*%\s*", self.max_out, re.ASCII)
        if match is None or (match[2] and float(match[2]) > 100):
            raise UsageError(f"max_out must be a number such as 3 or a share such as 5%, not {self.max_out!r}")
        return int(match[1]) if match[1] else math.floor(total * float(match[2]) / 100)

    def words(self) -> str:
        """The rule in a sentence."""
        clauses = [f"each is {' or '.join(self.allowed_states)}"]
        if self.min_due_days is not None:
            clauses.append(f"paid for {self.min_due_days:g} {'day' if self.min_due_days == 1 else 'days'} at least")
        sentence = " and ".join(clauses)
        if self.max_out.strip() != "0":
            sentence += f"; up to {self.max_out.strip()} may be out of order"
        return sentence + (f"; there are {self.min_total} at least" if self.min_total else "")


def common_rule(rules: Sequence[Rule]) -> Rule:
    """The rule by which all parts were evaluated, the usual one if there are none.

    :raises UsageError: if they were evaluated by different rules.
    """
    if any(rule != rules[0] for rule in rules):
        raise UsageError("the reports were evaluated by different rules; say by rule which one holds for the whole")
    return rules[0] if rules else Rule()
