# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storm of settings: a fault in one step of a task, a gateway that lags or lies, or SIGKILL anywhere; then more runs.

The first run has the fault. A second one follows at once, and a third one, which must finish, minutes later.
``python tests/storm/settings.py --number 150`` measures one; the unit tests run a small one.
"""

from __future__ import annotations

import collections
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from ansible_collections.msgops.fleet.tests.storm.runs import Child, Result, Run, count_lines
from ansible_collections.msgops.fleet.tests.storm.steps import KILL, KINDS, Table, as_markdown, measure, new_table
from ansible_collections.msgops.fleet.tests.support.linking import Sitting

from msgops_emulator import Emulator

SUMS = ("(more runs)", "(done)", "(writes)")
DONE = ("applied", "unchanged")
# Seconds: more than a gateway takes to show a change; and for how long a run waits for that.
MINUTES, PATIENT, HASTY = 301, 20.0, 0.25
OLD = "https://old.example/in"
# What instances have, in the vendor's words. The tasks declare the first two, and must leave the others.
BEFORE: dict[str, dict[str, Any]] = {
    "green_api": {
        "webhookUrl": OLD,
        "stateWebhook": "no",
        "webhookUrlToken": "Bearer kept",
        "delaySendMessagesMilliseconds": 700,
    },
    "plugzapi": {
        "disconnectedCallbackUrl": OLD,
        "autoReadMessage": False,
        "receivedCallbackUrl": f"{OLD}/kept",
        "callRejectAuto": True,
    },
}
READS = {"green_api": "green_api.get_settings", "plugzapi": "plugzapi.me"}
WRITES = {
    "green_api": ["green_api.set_settings"],
    "plugzapi": ["plugzapi.update_webhook_disconnected", "plugzapi.update_auto_read_message"],
}
_KEYS = dict(zip(WRITES["plugzapi"], BEFORE["plugzapi"], strict=False))
# Answers that prove that a request had no effect.
REFUSALS = (400, 429)
# What the gateway does to all requests of a run, as its configuration; "starting" is a state of the instance.
CALM: dict[str, Any] = {"settings_effect": "applied", "settings_lag_seconds": 0, "server.step_seconds": 0}
LATE = {"settings_lag_seconds": 200}
WEATHER: dict[str, dict[str, Any]] = {
    "never shown": {"settings_effect": "lost"},
    "shown late": LATE,
    "shown in time": LATE | {"server.step_seconds": 50},
    "moves another": {"settings_effect": "moves_another"},
    "starting": {},
}


@dataclass
class Storm:
    """Settings at one gateway. ``table`` counts what the first runs said, ``violations`` tells what is wrong."""

    emulator: Emulator
    provider: str
    folder: Path
    dice: Random
    table: Table = field(default_factory=new_table)
    violations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._is_green = self.provider == "green_api"
        self._sitting = Sitting(self.emulator, self.folder)
        self.emulator.freeze()
        self.emulator.config({"green_api.restart_seconds": 0, "plugzapi.trial_seconds": 1e9})
        # The first run imports the core, whose lines don't count.
        self._task(self._make("rehearsal"), PATIENT)()
        self._lines = count_lines(self._task(self._make("measured"), PATIENT))

    def weather(self, number: int, faults: Sequence[str] = ()) -> None:
        """Change ``number`` instances, one after the other, with these faults in turn.

        By default half of the runs are killed, and the others have all faults in a random order.
        """
        if not faults:
            shuffled = list(self._faults())
            self.dice.shuffle(shuffled)
            faults = [one for fault in shuffled for one in (fault, KILL)]
        for index in range(number):
            self._case(self._make(f"shop-{index}"), faults[index % len(faults)])

    def _faults(self) -> Iterator[str]:
        yield from (f"write: {kind}" for kind in (*KINDS, "hang before", "hang after"))
        yield from (f"read: {kind}" for kind in KINDS if not kind.endswith("after"))
        # PlugzAPI restarts nothing, moves nothing, and documents no lag.
        yield from WEATHER if self._is_green else ["never shown"]

    def _make(self, name: str) -> dict[str, Any]:
        state = "authorized" if self._is_green else "connected"
        (made,) = self._sitting.seed(self.provider, name, state=state, settings=BEFORE[self.provider])
        return made

    def _configure(self, values: Mapping[str, Any]) -> None:
        self.emulator.config({key if "." in key else f"{self.provider}.{key}": values[key] for key in values})

    def _declared(self, shop: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of the task, by option."""
        url = f"https://new.example/{shop['name']}"
        if self._is_green:
            return {"webhookUrl": url, "stateWebhook": True}
        return {"disconnected_callback_url": url, "auto_read_message": True}

    def _wanted(self, shop: Mapping[str, Any]) -> dict[str, Any]:
        """The same in the vendor's words."""
        url, _flag = self._declared(shop).values()
        return dict(zip(BEFORE[self.provider], (url, "yes" if self._is_green else True), strict=False))

    def _task(self, shop: dict[str, Any], patience: float, timeout: float = 2.0) -> Run:
        return self._sitting.run(
            "instance_settings",
            [shop],
            settings=self._declared(shop),
            journal=str(self._sitting.journal),
            verify_timeout=patience,
            verify_interval=0.02,
            timeout=timeout,
            wait_interval=None,
        )

    # One instance

    def _case(self, shop: dict[str, Any], fault: str) -> None:
        before = self._shown(shop)
        self.emulator.clear_log()
        said = self._first_run(shop, fault)
        self.table[fault][said] += 1
        lost = len(self._writes(shop)) if fault == "never shown" else 0
        runs, begin = 0, 0
        for is_later in (False, True):
            if said in DONE:
                break
            if is_later:
                self._let_minutes_pass()
            if is_later or not self._is_green:
                # By now the gateway shows what it has got, so what it doesn't show may be sent again.
                begin = len(self._writes(shop))
            said = self._said(shop, self._task(shop, PATIENT if is_later else HASTY)())
            if twice := _repeated(self._writes(shop)[begin:]):
                self._accuse(shop, fault, f"{twice} may have arrived, and was sent again")
            runs += 1
        self._check(shop, fault, said, before)
        if twice := _repeated([write for write in self._writes(shop)[lost:] if write["committed"]]):
            self._accuse(shop, fault, f"{twice} had arrived, and was sent again")
        self.table[fault]["(more runs)"] += runs
        self.table[fault]["(done)"] += said in DONE
        self.table[fault]["(writes)"] += len(self._writes(shop))

    def _first_run(self, shop: dict[str, Any], fault: str) -> str:
        """What the run says that has the fault."""
        step, _colon, kind = fault.partition(": ")
        run = self._task(shop, HASTY, timeout=0.5 if kind.startswith("hang") else 2.0)
        if fault == KILL:
            self._configure(self.dice.choice((CALM, LATE)) if self._is_green else CALM)
            # Nothing is sent in the first half of the lines, so later ones are more likely.
            line = max(self.dice.randrange(self._lines) for _throw in range(2))
            result = Child(self._task(shop, HASTY), die_after=line).result()
        elif kind:
            name, options = KINDS.get(kind) or ("hang", {"when": kind.partition(" ")[2]})
            route = READS[self.provider] if step == "read" else self.dice.choice(WRITES[self.provider])
            # Before the change, or after it.
            reading = self.dice.randrange(2) if step == "read" else 0
            self.emulator.arm(route, name, skip=reading, **options)
            result = run()
        else:
            self._configure(WEATHER[fault])
            self.emulator.set_state(self.provider, shop["id"], "starting" if fault == "starting" else None)
            result = run()
            self.emulator.set_state(self.provider, shop["id"], "authorized" if fault == "starting" else None)
        self.emulator.disarm()
        self._configure(CALM)
        return "(killed)" if result is None else self._said(shop, result)

    def _said(self, shop: Mapping[str, Any], result: Result) -> str:
        """What a run said of the instance; a success must be true, and everything else must be a failure."""
        action = str(result["instances"][0]["action"]) if "instances" in result else "(refused)"
        shown = self._shown(shop)
        if (action in DONE) is result.get("failed", False):
            self._accuse(shop, action, f"failed is {result.get('failed')}: {result.get('msg')}")
        if action in DONE and not self._wanted(shop).items() <= shown.items():
            self._accuse(shop, action, f"the gateway shows {shown}")
        if shop["token"] in json.dumps(result):
            self._accuse(shop, action, "its token is in a result")
        return action

    def _check(self, shop: Mapping[str, Any], fault: str, said: str, before: Mapping[str, Any]) -> None:
        """Whether its settings are those of the task and of nobody else, and the requests, too."""
        if said not in DONE:
            self._accuse(shop, fault, f"it is still {said}")
        shown = self._shown(shop)
        moved = {key: shown[key] for key in shown.keys() - before.keys()} if fault == "moves another" else {}
        if shown != {**before, **self._wanted(shop), **moved}:
            self._accuse(shop, fault, f"the gateway shows {shown}")
        if len(self.emulator.log(writes=True)) != len(self.emulator.log(writes=True, match=shop["id"])):
            self._accuse(shop, fault, "another instance was written to")
        for write in self._writes(shop):
            body = json.loads(write["body"])
            declared = self._wanted(shop)
            values = set(body.items()) if self._is_green else {(_KEYS[write["route"]], body["value"])}
            if not values <= set(declared.items()):
                self._accuse(shop, fault, f"nobody declared {values}")

    def _accuse(self, shop: Mapping[str, Any], where: str, what: str) -> None:
        self.violations.append(f"{shop['name']} ({where}): {what}")

    # The gateway's side

    def _shown(self, shop: Mapping[str, Any]) -> dict[str, Any]:
        instance = self.emulator.instance(self.provider, shop["id"])
        return dict(instance["settings" if self._is_green else "attributes"])

    def _writes(self, shop: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The requests that changed the instance, or may have."""
        writes = self.emulator.log(writes=True, match=shop["id"])
        return [write for write in writes if write["status"] not in REFUSALS]

    def _let_minutes_pass(self) -> None:
        self.emulator.advance(MINUTES)
        if self._sitting.journal.exists():
            with sqlite3.connect(self._sitting.journal) as db:
                db.execute("UPDATE change SET requested_at = requested_at - ?", (MINUTES,))
            db.close()


def _repeated(writes: Sequence[Mapping[str, Any]]) -> list[str]:
    """The settings that were sent more than once."""
    counts = collections.Counter(
        f"{write['route']} {key}: {value}" for write in writes for key, value in json.loads(write["body"]).items()
    )
    return [setting for setting, count in counts.items() if count > 1]


def as_table(storm: Storm) -> str:
    """The counts as Markdown."""
    return as_markdown(storm.table, "instances", SUMS)


def main() -> None:
    """Measure a storm at each gateway."""

    def rage(emulator: Emulator, provider: str, folder: Path, dice: Random, number: int) -> tuple[str, list[str]]:
        storm = Storm(emulator, provider, folder, dice)
        storm.weather(number)
        return as_table(storm), storm.violations

    measure(rage, 150, __doc__)


if __name__ == "__main__":
    main()
