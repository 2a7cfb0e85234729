# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task that creates instances returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .._common.errors import failure_result
from .credentials import credentials_key
from .plan import Outcome


def report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The module's result; it fails where an instance isn't there afterwards."""
    result: dict[str, Any] = {
        "changed": any(outcome.changed for outcome in outcomes),
        "instances": [outcome.as_result() for outcome in outcomes],
        "diff": _diff(outcomes),
    }
    if len(outcomes) == 1:
        result["instance"] = result["instances"][0]
    unfulfilled = [(_label(outcome), outcome.error) for outcome in outcomes if outcome.error]
    if unfulfilled:
        result |= failure_result("instances", "provisioned", unfulfilled)
    return result


def _diff(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    def lines(chosen: Iterable[Outcome]) -> str:
        return "".join(
            f"{o.desired.gateway.provider} {_label(o)} {o.instance.id if o.instance else '(new)'}\n" for o in chosen
        )

    before = lines(o for o in outcomes if o.instance and not o.changed)
    after = lines(o for o in outcomes if o.instance or o.action == "would_create")
    return {"before": before, "after": after, "before_header": "instances", "after_header": "instances"}


def _label(outcome: Outcome) -> str:
    return credentials_key(outcome.desired.name, outcome.desired.account.name)
