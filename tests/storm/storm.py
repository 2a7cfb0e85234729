# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storm of creations, each with a fault, re-run until settled; then the gateway is asked what it really has.

``python -m ansible_collections.msgops.fleet.tests.storm.storm --help``, or ``make storm``. Everything random comes from
the seed. The runs are processes of their own that run instance_create's core, one name or several in each.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.msgops.fleet.tests.storm.postgres import PostgresServer
from ansible_collections.msgops.fleet.tests.storm.runs import Child, Result, Run

from msgops_emulator import EmulatorProcess

# What happens to a creation, and how the emulator is told to make it happen. The last three happen to the process.
HTTP_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "hang before commit": ("hang", {"when": "before"}),
    "hang after commit": ("hang", {"when": "after"}),
    "reset before commit": ("reset", {"when": "before"}),
    "reset after commit": ("reset", {"when": "after"}),
    "closed before commit": ("close", {"when": "before"}),
    "closed after commit": ("close", {"when": "after"}),
    "502 before commit": ("bad_gateway", {"when": "before"}),
    "502 after commit": ("bad_gateway", {"when": "after"}),
    "499 before commit": ("client_closed", {"when": "before"}),
    "499 after commit": ("client_closed", {"when": "after"}),
    "truncated body": ("truncate", {}),
    "unreadable body": ("garbage", {}),
    "429": ("throttle", {"retry_after": "seconds", "seconds": 1.0}),
    "refused with 400": ("status", {"status": 400}),
    "answer lost, listing lags": ("close", {"when": "after"}),
    "answer lost, listing lags longer than it is asked": ("close", {"when": "after"}),
}
# Seconds until the listing shows what these creations made.
LAGS = {"answer lost, listing lags": 1.0, "answer lost, listing lags longer than it is asked": 10.0}
NO_FAULT, KILLED, TWO_RUNS = "none", "kill -9", "two runs at once"
FAULTS = (NO_FAULT, *HTTP_FAULTS, KILLED, TWO_RUNS)

# The core's own times in seconds, in a hurry: how long a listing is asked again, and how long a dead process keeps its
# names.
CONSTANTS = {
    "_listing.SETTLE": 3.0,
    "_listing._FIRST_PAUSE": 0.1,
    "_journal._LEASE": 3.0,
    "_journal._HEARTBEAT": 0.75,
}
FULFILLED = ("created", "adopted", "unchanged")
ROUNDS = 8


@dataclass
class Creation:
    """One name, what happens to it, and what the runs said of it."""

    name: str
    fault: str
    said: list[str] = field(default_factory=list)
    lies: list[str] = field(default_factory=list)
    warned: bool = False

    @property
    def is_fulfilled(self) -> bool:
        """Whether the last run that said anything found the instance."""
        return bool(self.said) and self.said[-1] in FULFILLED


@dataclass
class Storm:
    """An account at the emulator, and the creations that the storm is about."""

    emulator: EmulatorProcess
    provider: str
    folder: Path
    journal: str
    has_listing: bool
    constants: dict[str, Any]
    dice: random.Random
    creations: list[Creation]
    runs: int = 0

    def blow(self, workers: int) -> int:
        """Run until everything is settled; the number of rounds that it took."""
        for number in range(1, ROUNDS + 1):
            open_creations = [creation for creation in self.creations if not creation.is_fulfilled]
            if not open_creations:
                return number - 1
            with ThreadPoolExecutor(workers) as pool:
                # The faults are those of the first round; afterwards the weather is fine.
                run = functools.partial(self._run, rough=number == 1)
                list(pool.map(run, self._batches(open_creations)))
            self._settle_as_a_person_would()
            # A listing that still lags shows in a while what a person has seen already.
            time.sleep(2.0 if any(creation.said[-1] == "failed" for creation in self.creations) else 0.0)
        return ROUNDS

    def duplicates(self) -> dict[str, int]:
        """Instances more than one, by name."""
        counts = collections.Counter(instance["name"] for instance in self._instances())
        return {name: count - 1 for name, count in counts.items() if count > 1}

    def lost(self) -> list[Creation]:
        """Creations whose instance or token isn't in the credentials file as the gateway has it."""
        file = self.folder / "credentials.json"
        known = json.loads(file.read_text()).get(self.provider, {}) if file.exists() else {}
        truth = {instance["name"]: (str(instance["id"]), instance["token"]) for instance in self._instances()}
        return [
            creation
            for creation in self.creations
            if truth.get(creation.name, ("", ""))
            != (known.get(creation.name, {}).get("id"), known.get(creation.name, {}).get("token"))
        ]

    def _batches(self, creations: Sequence[Creation]) -> Iterator[list[Creation]]:
        """Single runs and bulk runs; what happens to a process happens to one of its own."""
        by_kind: dict[str, list[Creation]] = collections.defaultdict(list)
        for creation in creations:
            by_kind[creation.fault if creation.fault in (KILLED, TWO_RUNS) else ""].append(creation)
        batches = []
        for alike in by_kind.values():
            rest = list(alike)
            while rest:
                size = self.dice.choice((1, 1, 2, 5, 10))
                batches.append(rest[:size])
                del rest[:size]
        self.dice.shuffle(batches)
        yield from batches

    def _run(self, batch: list[Creation], *, rough: bool) -> None:
        if rough:
            for creation in batch:
                self._arm(creation)
        started = self._task([creation.name for creation in batch])
        twice = rough and batch[0].fault == TWO_RUNS
        children = [Child(started) for _number in range(2 if twice else 1)]
        if rough and batch[0].fault == KILLED:
            time.sleep(self.dice.uniform(0.0, 0.4))
            children[0].kill()
        self.runs += len(children)
        for result in [child.result() for child in children]:
            self._hear(batch, result)

    def _arm(self, creation: Creation) -> None:
        if creation.fault in HTTP_FAULTS:
            kind, options = HTTP_FAULTS[creation.fault]
            self.emulator.arm(f"{self.provider}.create", kind, match=f'"{creation.name}"', **options)
        if creation.fault in LAGS:
            lag = LAGS[creation.fault]
            self.emulator.arm(f"{self.provider}.create", "lag", match=f'"{creation.name}"', seconds=lag)

    def _task(self, names: Sequence[str]) -> Run:
        wanted = {"name": names[0]} if len(names) == 1 else {"instances": [{"name": name} for name in names]}
        options = {
            "provider": self.provider,
            "api_url": self.emulator.url,
            "partner_token": self.emulator.account(self.provider)["partner_token"],
            "journal": self.journal,
            "credentials_file": str(self.folder / "credentials.json"),
            "timeout": 2.0,
            "retry_timeout": 6.0,
            **wanted,
        }
        return Run("instance_create", options, constants=self.constants)

    def _hear(self, batch: Sequence[Creation], result: Result | None) -> None:
        """Note what a run said of each name, and whether it was a lie."""
        if result is None:
            for creation in batch:
                creation.said.append("(killed)")
            return
        if "instances" not in result:
            raise AssertionError(f"a run failed as a whole: {result.get('msg')}")
        there = collections.Counter(instance["name"] for instance in self._instances())
        for creation, outcome in zip(batch, result["instances"], strict=True):
            creation.said.append(outcome["action"])
            creation.warned |= any(f" {creation.name} " in warning for warning in result["warnings"])
            if outcome["action"] in FULFILLED and not there[creation.name]:
                creation.lies.append(f"{outcome['action']}, but the gateway has no {creation.name}")
            message = outcome["error"]["message"] if outcome["error"] else ""
            if outcome["action"] == "failed" and there[creation.name] and not _knows_better(message):
                creation.lies.append(f"failed, but the gateway has {creation.name}: {message}")

    def _settle_as_a_person_would(self) -> None:
        """Look into the gateway's console, and tell the journal what is there."""
        ids = {instance["name"]: str(instance["id"]) for instance in self._instances()}
        for creation in self.creations:
            if creation.said[-1] == "unknown":
                found = (
                    {"action": "adopt", "instance_id": ids[creation.name]}
                    if creation.name in ids
                    else {"action": "discard"}
                )
                options = {"journal": self.journal, "provider": self.provider, "name": creation.name, **found}
                result = Run("creation_journal", options)()
                if result.get("failed"):
                    raise AssertionError(result["msg"])

    def _instances(self) -> list[dict[str, Any]]:
        return [i for i in self.emulator.instances(provider=self.provider) if i["state"] != "deleted"]


def _knows_better(message: str) -> bool:
    """Whether a failure doesn't say that there is no instance: another run has the name, or the listing still lags."""
    return "another run" in message or "It is not created again" in message


def table(storm: Storm) -> str:
    """What each fault led to, as Markdown."""
    duplicates, lost = storm.duplicates(), {creation.name for creation in storm.lost()}
    words = ("created", "adopted", "unchanged", "failed", "unknown", "(killed)")
    lines = [
        f"| fault | creations | first said: {' | '.join(words)} | settled | duplicates | tokens lost |",
        "| --- |" + " ---: |" * (len(words) + 4),
    ]
    for fault in (*FAULTS, ""):
        chosen = [creation for creation in storm.creations if fault in ("", creation.fault)]
        first = collections.Counter(creation.said[0] for creation in chosen)
        cells = [
            fault or "**all**",
            len(chosen),
            *(first[word] for word in words),
            sum(creation.is_fulfilled for creation in chosen),
            sum(duplicates.get(creation.name, 0) for creation in chosen),
            sum(creation.name in lost for creation in chosen),
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def violations(storm: Storm) -> list[str]:
    """What must not be, one line each; nothing after a storm that was weathered."""
    found = [lie for creation in storm.creations for lie in creation.lies]
    found += [f"{count} too many of {name}" for name, count in storm.duplicates().items()]
    found += [f"{c.name} isn't settled: {', '.join(c.said)}" for c in storm.creations if not c.is_fulfilled]
    for creation in storm.lost():
        # Without a listing nobody can tell a token again that was in a lost answer; but the user must be told so.
        if storm.has_listing or not creation.warned:
            found.append(f"the token of {creation.name} was lost without a word ({creation.fault}: {creation.said})")
    return found


def storm_over(
    folder: Path,
    *,
    creations: int,
    seed: int,
    has_listing: bool,
    workers: int = 4,
    journal: str | None = None,
    constants: dict[str, Any] | None = None,
    tell: Callable[[str], None] = print,
) -> list[str]:
    """Raise a storm, print its table, and return its violations."""
    dice = random.Random(seed)
    # GREEN-API always has a listing; PlugzAPI has one in Z-API's documentation only.
    provider = "green_api" if has_listing else "plugzapi"
    config = {} if has_listing else {"plugzapi.listing": dice.choice(("http404", "http405", "not_found_200"))}
    # Every fault as often as every other one, in an order that nobody chose.
    faults = [FAULTS[number % len(FAULTS)] for number in range(creations)]
    dice.shuffle(faults)
    with EmulatorProcess(config) as emulator:
        storm = Storm(
            emulator,
            provider,
            folder,
            journal or str(folder / "journal.sqlite3"),
            has_listing,
            CONSTANTS | (constants or {}),
            dice,
            [Creation(f"storm-{number:05d}", fault) for number, fault in enumerate(faults)],
        )
        started = time.monotonic()
        rounds = storm.blow(workers)
        found = violations(storm)
        listing = "with a listing" if has_listing else "without a listing"
        tell(
            f"{provider} {listing}, seed {seed}: {creations} creations in {storm.runs} runs and {rounds} rounds, "
            f"{time.monotonic() - started:.0f} s, {len(found)} violations\n\n{table(storm)}\n"
        )
        return found


def main() -> int:
    """The command; it ends with 1 if anything was violated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--creations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4, help="runs at once")
    parser.add_argument("--without-listing", action="store_true", help="a gateway that can't list its instances")
    parser.add_argument("--postgres", action="store_true", help="the journal in a PostgreSQL server, not in a file")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="msgops-storm-"))
        journal = stack.enter_context(PostgresServer()).new_database() if options.postgres else None
        found = storm_over(
            Path(folder),
            creations=options.creations,
            seed=options.seed,
            has_listing=not options.without_listing,
            workers=options.workers,
            journal=journal,
        )
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
