# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule by which a fleet is evaluated. The states come from the table of states."""

from __future__ import annotations

from typing import ClassVar

from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import ALL_STATES, ALLOWED_STATES


class ModuleDocFragment:
    """When a fleet passes."""

    DOCUMENTATION: ClassVar[str] = f"""
options:
  rule:
    description:
      - When the fleet passes. A dictionary, or its JSON as text.
      - If not set, O(reports) are evaluated by their own rule, which must be the same in all of them.
    type: dict
    suboptions:
      allowed_states:
        description:
          - The states of healthy instances and phones. One in another state, or that could not be read, is failing.
        type: list
        elements: str
        choices: {list(ALL_STATES)}
        default: {list(ALLOWED_STATES)}
      max_failing:
        description:
          - How many may be failing, as a number such as V(3), or as a share of all such as V(5%), rounded down.
        type: str
        default: "0"
      min_due_days:
        description:
          - An instance or phone that is paid for fewer days than this is failing, whatever its state.
          - One whose due date isn't known is not failing because of it. If not set, due dates don't matter.
        type: float
      min_total:
        description:
          - How many instances and phones there must be at least.
        type: int
        default: 0
"""
