# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storm of deletions: a fault in one step of each, or SIGKILL anywhere, and then runs until the instance is gone.

``python tests/storm/deletions.py --number 200`` measures one; the unit tests run a small one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from ansible_collections.msgops.fleet.tests.storm.runs import Child, Result, count_lines
from ansible_collections.msgops.fleet.tests.storm.steps import KILL, KINDS, Table, as_markdown, measure, new_table
from ansible_collections.msgops.fleet.tests.support.creation import Fleet
from ansible_collections.msgops.fleet.tests.support.ending import UNLINK_ROUTES, deletion, items, make

from msgops_emulator import Emulator

GUARD = "guard"
SUMS = ("(more runs)", "(gone)")
# Runs after the first one in which an instance must be gone.
_MORE_RUNS = 3


@dataclass
class Storm:
    """Deletions at one gateway. ``table`` counts what the first runs said, ``violations`` tells what is wrong."""

    fleet: Fleet
    dice: Random
    table: Table = field(default_factory=new_table)
    violations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        make(self.fleet, GUARD, "rehearsal", "measured", linked=True)
        self._pay("measured")
        # The first run imports the core, whose lines don't count.
        deletion(self.fleet, items(self.fleet, "rehearsal"), **self._options())()
        self._lines = count_lines(deletion(self.fleet, items(self.fleet, "measured"), **self._options()))

    def weather(self, number: int, faults: Sequence[str] = ()) -> None:
        """Delete ``number`` instances, one after the other; half of the runs are killed."""
        faults = faults or list(self._faults())
        for index in range(number):
            self._case(f"shop-{index}", KILL if index % 2 else faults[index // 2 % len(faults)])
        if [one["name"] for one in self.fleet.existing()] != [GUARD]:
            self.violations.append(f"left: {[one['name'] for one in self.fleet.existing()]}")

    def _faults(self) -> Iterator[str]:
        paid = ["cancel"] if self.fleet.provider == "plugzapi" else []
        steps = (UNLINK_ROUTES[self.fleet.provider], *paid, "delete", "list")
        for step in steps:
            yield from (f"{step}: {kind}" for kind in KINDS if step != "list" or not kind.endswith("after"))

    def _options(self) -> dict[str, Any]:
        return {"allow_authorized": True, "protected": [GUARD], "wait_timeout": 2}

    def _pay(self, name: str) -> None:
        if self.fleet.provider == "plugzapi":
            (one,) = items(self.fleet, name)
            self.fleet.emulator.request("POST", f"instances/plugzapi/{one['id']}", {"subscribed": True})

    def _case(self, name: str, fault: str) -> None:
        (shop,) = make(self.fleet, name, linked=True)
        self._pay(name)
        self.fleet.emulator.clear_log()
        run = deletion(self.fleet, [shop], **self._options())
        if fault == KILL:
            said = self._said(Child(run, die_after=self.dice.randrange(self._lines)).result(), name, shop)
        else:
            step, kind = fault.split(": ")
            self.fleet.arm(step, KINDS[kind][0], **KINDS[kind][1])
            said = self._said(run(), name, shop)
        self.table[fault][said] += 1
        runs = 0
        while said not in ("deleted", "unchanged") and runs < _MORE_RUNS:
            runs += 1
            said = self._said(run(), name, shop)
        self.table[fault]["(more runs)"] += runs
        self.table[fault]["(gone)"] += said in ("deleted", "unchanged")
        self._check(name, shop, said)

    def _said(self, result: Result | None, name: str, shop: Mapping[str, Any]) -> str:
        """What a run said of the instance; a success must be true, and everything else must be a failure."""
        if result is None:
            return "(killed)"
        action = str(result["instances"][0]["action"]) if "instances" in result else "(refused)"
        is_gone = self.fleet.emulator.instance(self.fleet.provider, shop["id"])["state"] == "deleted"
        if (action in ("deleted", "unchanged")) is not (not result.get("failed", False)):
            self.violations.append(f"{name}: {action}, but failed is {result.get('failed')}: {result.get('msg')}")
        if action in ("deleted", "unchanged") and not is_gone:
            self.violations.append(f"{name}: said to be {action}, and is there")
        if self.fleet.emulator.instance(self.fleet.provider, shop["id"])["token"] in json.dumps(result):
            self.violations.append(f"{name}: its token is in a result")
        return action

    def _check(self, name: str, shop: Mapping[str, Any], said: str) -> None:
        if said not in ("deleted", "unchanged"):
            self.violations.append(f"{name}: still {said}")
        if self.fleet.entry(name) or name in self.fleet.credentials():
            self.violations.append(f"{name}: not forgotten")
        deleted = [entry for entry in self.fleet.log("delete") if entry["status"] in (200, 204)]
        if len(deleted) > 1 or any(entry["status"] == 404 for entry in self.fleet.log("delete")):
            self.violations.append(f"{name}: deleted {len(self.fleet.log('delete'))} times")
        if self.fleet.provider == "plugzapi" and sum(e["status"] == 201 for e in self.fleet.log("cancel")) > 1:
            self.violations.append(f"{name}: cancelled more than once")


def as_table(storm: Storm) -> str:
    """The counts as Markdown."""
    return as_markdown(storm.table, "deletions", SUMS)


def main() -> None:
    """Measure a storm at each gateway."""

    def rage(emulator: Emulator, provider: str, folder: Path, dice: Random, number: int) -> tuple[str, list[str]]:
        storm = Storm(Fleet(emulator, provider, folder), dice)
        storm.weather(number)
        return as_table(storm), storm.violations

    measure(rage, 200, __doc__)


if __name__ == "__main__":
    main()
