# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each desired instance, and the module's result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from .._common.errors import FleetError, failure_result
from .._common.texts import one_line
from .._journal.entries import Entry
from .._vendors.gateway import Instance
from .desired import DesiredInstance
from .plan import Plan

Action = Literal["created", "adopted", "unchanged", "would_create", "failed", "unknown"]


@dataclass(frozen=True)
class Result:
    """What became of a plan. ``posted`` tells whether this run sent the creation, ``entry`` is the journal's of it."""

    plan: Plan
    action: Action
    instance: Instance | None = None
    error: FleetError | None = None
    posted: bool = False
    entry: Entry | None = None

    @property
    def desired(self) -> DesiredInstance:
        """The desired instance."""
        return self.plan.desired

    @property
    def has_token(self) -> bool:
        """Whether the instance's token is known."""
        return self.instance is not None and self.instance.token is not None

    @property
    def changed(self) -> bool:
        """Whether this run created (or would create) the instance."""
        return self.action == "would_create" or (self.posted and self.instance is not None)

    def with_token(self, token: str | None) -> Result:
        """The same with another token."""
        return replace(self, instance=replace(self.instance, token=token)) if self.instance else self

    def failed(self, error: FleetError) -> Result:
        """The same after an error."""
        return replace(self, action="failed", error=error)

    def after(self, plan: Plan) -> Result:
        """The result once the listing was asked again, by the new plan."""
        return replace(self, action=plan.action, instance=plan.instance, error=plan.error, entry=plan.entry)

    def as_item(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        instance, account = self.instance, self.desired.account.name
        return {
            **({"account": account} if account else {}),
            "name": self.desired.name,
            "id": instance.id if instance else None,
            "provider": self.desired.gateway.provider,
            "token": instance.token if instance else None,
            "due": instance.due if instance else None,
            "due_raw": instance.due_raw if instance else None,
            "api_url": self.desired.api_url,
            "action": self.action,
            "error": self.error.as_item_error() if self.error else None,
        }


def result_from_plan(plan: Plan) -> Result:
    """The result of a plan that needs no creation, or whose creation hasn't begun."""
    return Result(plan, plan.action, plan.instance, plan.error, entry=plan.entry)


def report(results: Sequence[Result]) -> dict[str, Any]:
    """The module's result, which fails if any of the instances doesn't exist afterwards."""
    result: dict[str, Any] = {
        "changed": any(one.changed for one in results),
        "instances": [one.as_item() for one in results],
        "diff": _diff(results),
    }
    if len(results) == 1:
        result["instance"] = result["instances"][0]
    failures = [(one.desired.label, one.error) for one in results if one.error]
    if failures:
        result |= failure_result("instances", "provisioned", failures, len(results))
    return result


def _diff(results: Sequence[Result]) -> dict[str, Any]:
    def lines(chosen: Iterable[Result]) -> str:
        return "".join(
            one_line(
                f"{one.desired.gateway.provider} {one.desired.label} {one.instance.id if one.instance else '(new)'}"
            )
            + "\n"
            for one in chosen
        )

    before = lines(one for one in results if one.instance and not one.changed)
    after = lines(one for one in results if one.instance or one.action == "would_create")
    return {"before": before, "after": after, "before_header": "instances", "after_header": "instances"}
