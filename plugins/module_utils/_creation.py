# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating instances that don't exist yet: plan from the account's listing, then apply."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ._errors import Delivery, FleetError, failed
from ._gateway import Gateway, Instance
from ._polling import poll

Action = Literal["created", "adopted", "unchanged", "would_create", "failed", "unknown"]


@dataclass(frozen=True)
class Wish:
    """An instance that shall exist: its name, the account that it belongs to, and what a creation would send."""

    name: str
    gateway: Gateway
    api_url: str
    payload: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """What became of a wish."""

    wish: Wish
    action: Action
    instance: Instance | None = None
    error: FleetError | None = None

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        found = self.instance
        return {
            "name": self.wish.name,
            "id": found.id if found else None,
            "provider": self.wish.gateway.provider,
            "token": found.token if found else None,
            "due": found.due if found else None,
            "due_raw": found.due_raw if found else None,
            "api_url": self.wish.api_url,
            "action": self.action,
            "error": self.error.as_item_error() if self.error else None,
        }


def provision(wishes: Sequence[Wish], *, check_mode: bool, concurrency: int) -> list[Outcome]:
    """What became of each wish, in their order. Each account is listed once; in check mode nothing is created.

    The failure of one wish or account doesn't keep the others from being fulfilled.
    """
    accounts: dict[Gateway, list[int]] = collections.defaultdict(list)
    for index, wish in enumerate(wishes):
        accounts[wish.gateway].append(index)
    outcomes: dict[int, Outcome] = {}
    for gateway, indices in accounts.items():
        outcomes.update(zip(indices, _plan(gateway, [wishes[i] for i in indices]), strict=True))

    def create(index: int) -> bool:
        outcomes[index] = _create(wishes[index])
        return True

    if not check_mode:
        poll([i for i, outcome in outcomes.items() if outcome.action == "would_create"], create, workers=concurrency)
    return [outcomes[index] for index in range(len(wishes))]


def report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The module's result; it fails where a wish isn't fulfilled."""
    result: dict[str, Any] = {
        "changed": any(outcome.action in ("created", "would_create") for outcome in outcomes),
        "instances": [outcome.as_result() for outcome in outcomes],
        "diff": _diff(outcomes),
    }
    if len(outcomes) == 1:
        result["instance"] = result["instances"][0]
    unfulfilled = [outcome for outcome in outcomes if outcome.error]
    if len(unfulfilled) == 1 and unfulfilled[0].error:
        result |= failed(unfulfilled[0].error.message, unfulfilled[0].error)
    elif unfulfilled:
        named = "; ".join(f"{o.wish.name}: {o.error.message}" for o in unfulfilled[:10] if o.error)
        result |= failed(f"{len(unfulfilled)} of {len(outcomes)} instances could not be provisioned: {named}")
    return result


def _diff(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    def lines(chosen: Sequence[Outcome]) -> str:
        return "".join(
            f"{o.wish.gateway.provider} {o.wish.name} {o.instance.id if o.instance else '(new)'}\n" for o in chosen
        )

    before = [o for o in outcomes if o.instance and o.action != "created"]
    after = [o for o in outcomes if o.instance or o.action == "would_create"]
    return {"before": lines(before), "after": lines(after), "before_header": "instances", "after_header": "instances"}


def _plan(gateway: Gateway, wishes: Sequence[Wish]) -> list[Outcome]:
    try:
        listing = gateway.list_instances()
        if listing is None:
            raise FleetError(
                "not_found",
                f"listing the {gateway.provider} partner's instances failed: this gateway has no such call, so an "
                "instance of that name may exist already; nothing was created",
            )
    except FleetError as error:
        return [Outcome(wish, "failed", error=error) for wish in wishes]
    by_name: dict[str, list[Instance]] = collections.defaultdict(list)
    for instance in listing:
        if not instance.deleted:
            by_name[instance.name].append(instance)
    return [_plan_one(wish, by_name.get(wish.name, [])) for wish in wishes]


def _plan_one(wish: Wish, matches: Sequence[Instance]) -> Outcome:
    if not matches:
        return Outcome(wish, "would_create")
    if len(matches) > 1:
        ids = ", ".join(instance.id for instance in matches)
        reason = f"{len(matches)} instances of {wish.gateway.provider} are named {wish.name}: {ids}"
        return Outcome(wish, "failed", error=FleetError("vendor", f"{reason}; rename or delete all but one"))
    return Outcome(wish, "adopted", matches[0])


def _create(wish: Wish) -> Outcome:
    try:
        return Outcome(wish, "created", wish.gateway.create_instance(wish.payload))
    except FleetError as error:
        action: Action = "unknown" if error.delivery is Delivery.UNKNOWN else "failed"
        return Outcome(wish, action, error=error)
