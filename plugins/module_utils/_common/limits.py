# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits that a user gives as a number or as a share, and the guard that keeps a plan within one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from .errors import Delivery, FleetError, UsageError
from .texts import join_first

_LIMIT = re.compile(r"(?P<number>\d{1,9})|(?P<share>\d{1,3}(?:\.\d{1,9})?)\s*%", re.ASCII)


@dataclass(frozen=True)
class Limit:
    """The value of ``option``: a number such as ``5``, or a share such as ``10%``.

    :raises UsageError: if it is neither.
    """

    option: str
    text: str

    def __post_init__(self) -> None:
        match = _LIMIT.fullmatch(self.text.strip())
        if match is None or (match["share"] and Fraction(match["share"]) > 100):
            raise UsageError(f"{self.option} must be a whole number, 0 or more, or a share such as 10%")

    def of(self, total: int) -> int:
        """The largest number of ``total`` that is within the limit."""
        text = self.text.strip()
        return int(Fraction(text[:-1].strip()) * total / 100) if text.endswith("%") else int(text)

    def guard(self, planned: Sequence[str], total: int) -> FleetError | None:
        """The refusal of a plan that changes too many of ``total`` instances; ``planned`` are the labels of these.

        A task asks before its first write. ``None`` if the plan is within the limit.
        """
        if len(planned) <= self.of(total):
            return None
        return FleetError(
            "bad_request",
            f"the plan changes {len(planned):,} of {total:,} instances, and {self.option} is {self.text}; nothing was "
            f"sent: check the plan in check mode, and raise {self.option} if it is meant; it changes "
            f"{join_first(planned, 20)}",
            delivery=Delivery.NOT_SENT,
            cause=self.option,
        )
