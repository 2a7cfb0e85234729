# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rounds of a storm: runs with faults, then what a person would do, and runs until everything is resolved."""

from __future__ import annotations

import collections
import dataclasses
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.msgops.fleet.tests.storm.creations import KILLED, Creation, Ground
from ansible_collections.msgops.fleet.tests.storm.faults import Fault
from ansible_collections.msgops.fleet.tests.storm.runs import Run
from ansible_collections.msgops.fleet.tests.storm.scene import ROUND, Scene

_ROUNDS = 6
# Names in a run: of faults that strike the whole run, and of faults that strike single creations.
_SIZES, _MIXED_SIZES = (1, 3, 10, 20), (1, 10, 30, 60)


@dataclass
class Storm:
    """Creations, each with a fault."""

    scene: Scene
    seed: int
    faults: Mapping[str, Fault]
    creations: list[Creation] = field(default_factory=list)

    def brew(self, number: int) -> None:
        """Plan that many creations, each fault as often as every other one."""
        grounds = {"default": self.scene.ground}
        for place in range(number):
            turn, column = divmod(place, len(self.faults))
            fault, kind = list(self.faults.items())[column]
            # Each name is in all of the accounts that the fault is about.
            account = kind.accounts[turn % len(kind.accounts)]
            first = (turn - turn % len(kind.accounts)) * len(self.faults) + column
            if account not in grounds:
                options = {**self.scene.ground.options, **({"account": account} if account == "second" else {})}
                grounds[account] = dataclasses.replace(self.scene.ground, account=account, options=options)
            self.creations.append(Creation(f"storm-{first:05d}", fault, grounds[account]))

    def blow(self, workers: int) -> int:
        """Run until everything is resolved; the number of rounds that it took."""
        for number in range(1, _ROUNDS + 1):
            open_creations = [creation for creation in self.creations if not creation.is_fulfilled]
            if not open_creations:
                return number - 1
            # The faults are those of the first round; afterwards the weather is fine.
            batches = list(self._rough_batches() if number == 1 else self._batches(open_creations))
            happen = self._happen if number == 1 else self.scene.run
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(happen, batches))
            if number == 1:
                self._see_what_struck()
                self.scene.emulator.disarm()
                self._list_one_without_a_name()
            self._resolve_as_a_person_would()
            self.scene.emulator.advance(ROUND)
        return _ROUNDS

    def _rough_batches(self) -> Iterator[list[Creation]]:
        """Single runs and bulk runs; what happens to a process happens to one of its own."""
        dice = random.Random(self.seed)
        by_kind: dict[str, list[Creation]] = collections.defaultdict(list)
        # Namesakes, which are some turns apart, come one after the other.
        for creation in sorted(self.creations, key=lambda creation: creation.name):
            by_kind["" if self.faults[creation.fault].may_be_mixed else creation.fault].append(creation)
        batches = []
        for kind, alike in by_kind.items():
            # Creations of the same name are in the same run.
            accounts = len(self.faults[alike[0].fault].accounts)
            by_name = [alike[start : start + accounts] for start in range(0, len(alike), accounts)]
            dice.shuffle(by_name)
            while by_name:
                size = dice.choice(_SIZES if kind else _MIXED_SIZES)
                batches.append([creation for namesakes in by_name[:size] for creation in namesakes])
                del by_name[:size]
        dice.shuffle(batches)
        self._list_one_without_a_name()
        yield from batches

    def _batches(self, creations: Sequence[Creation]) -> Iterator[list[Creation]]:
        by_ground: dict[Ground, list[Creation]] = collections.defaultdict(list)
        for creation in creations:
            by_ground[creation.ground].append(creation)
        for alike in by_ground.values():
            for start in range(0, len(alike), max(_MIXED_SIZES)):
                yield alike[start : start + max(_MIXED_SIZES)]

    def _see_what_struck(self) -> None:
        by_name = self.scene.record.posts(0)
        for creation in self.creations:
            kinds = {entry["fault"] for entry in by_name.get(creation.name, ())}
            if kinds & dict(self.faults[creation.fault].armed).keys() or KILLED in creation.said:
                self.scene.struck.add(creation.fault)
        if self.scene.emulator.log(route=f"{self.scene.provider}.list", fault="nulls"):
            self.scene.struck |= {name for name, fault in self.faults.items() if "nameless" in fault.accounts}

    def _happen(self, batch: list[Creation]) -> None:
        for creation in batch:
            for kind, options in self.faults[creation.fault].armed:
                self.scene.arm(creation, kind, **options)
        dice = random.Random(f"{self.seed} {batch[0].name}")
        self.faults[batch[0].fault].happens(self.scene, batch, dice)

    def _resolve_as_a_person_would(self) -> None:
        """Look into the gateway's console, and do what the message says."""
        there = self.scene.record.instances()
        resolved: set[str | None] = set()
        for creation in self.creations:
            if creation.said[-1] == "unknown":
                found = there.get(creation.key)
                wanted = {"action": "adopt", "instance_id": str(found[0]["id"])} if found else {"action": "discard"}
                task = printed_task(creation.message, wanted["action"])
                # Of namesakes in accounts without names, both messages are about the same entry of the journal.
                entry = task.get("operation_id")
                if entry in resolved:
                    continue
                resolved |= {entry} - {None}
                result = Run("creation_journal", {**task, "journal": creation.ground.journal, **wanted})()
                if result.get("failed"):
                    creation.lies.append(
                        f"the command in the message about {creation.name} doesn't work: {result['msg']}"
                    )

    def _list_one_without_a_name(self) -> None:
        """Have the listing of one account show an instance without a name, always."""
        if any("nameless" in fault.accounts for fault in self.faults.values()):
            token = self.scene.emulator.account(self.scene.provider, "nameless")["partner_token"]
            self.scene.emulator.arm(f"{self.scene.provider}.list", "nulls", match=token, count=None, key="name")


def printed_task(message: str, action: str) -> dict[str, str]:
    """The options of the command that a message prints for an action; none if it prints no such command."""
    for arguments in re.findall(r"ansible localhost -m msgops\.fleet\.creation_journal -a '([^']*)'", message):
        options = dict(word.split("=", 1) for word in arguments.split())
        if options["action"] == action:
            return options
    return {}
