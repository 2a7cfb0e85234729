# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that get in each other's way, and runs that are killed."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import sqlite3
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._journal.entries import Key, new_entry
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.accounts import resolve_account
from ansible_collections.msgops.fleet.tests.storm.runs import Child, Run, count_lines, in_parallel
from ansible_collections.msgops.fleet.tests.support.creation import (
    NO_LISTING,
    SHORT_LEASE,
    Fleet,
    actions,
)

ACCOUNT = resolve_account("green_api", "mine", "https://api.green-api.com", "token")
KEY = Key("green_api", "shop")


# Several runs at once


def test_one_of_several_runs_creates_and_the_others_find_it(fleet: Fleet) -> None:
    fleet.arm("create", "slow", seconds=0.3, count=None)
    results = in_parallel(*[fleet.task("shop", timeout=30) for _run in range(4)])
    assert sorted(actions(result)["shop"] for result in results) == ["created", "unchanged", "unchanged", "unchanged"]
    assert sum(result["changed"] for result in results) == 1
    assert len({result["instance"]["token"] for result in results}) == 1
    assert fleet.posts() == ["shop"]
    fleet.assert_delivered("shop")


@pytest.mark.parametrize("listing", NO_LISTING)
def test_so_it_is_without_a_listing(plugz: Fleet, listing: str) -> None:
    plugz.emulator.config({"plugzapi.listing": listing})
    plugz.arm("create", "slow", seconds=0.3, count=None)
    results = in_parallel(*[plugz.task("shop", timeout=30) for _run in range(4)])
    assert sorted(actions(result)["shop"] for result in results) == ["created", "unchanged", "unchanged", "unchanged"]
    assert len({result["instance"]["token"] for result in results}) == 1
    assert plugz.posts() == ["shop"]


def test_several_threads_take_turns_as_well(fleet: Fleet) -> None:
    fleet.arm("create", "slow", seconds=0.1, count=None)
    results: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: results.append(fleet.create("shop", timeout=30))) for _run in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(actions(result)["shop"] for result in results) == ["created", "unchanged", "unchanged", "unchanged"]
    assert fleet.posts() == ["shop"]


@dataclass(frozen=True)
class Forking:
    """Use the journal, fork, and let both processes go on with the same object."""

    path: str

    def __call__(self) -> list[str]:
        journal = Journal(self.path)
        with journal.locked([KEY]) as lease:
            lease.record([new_entry(ACCOUNT, "shop", "created")])
        receiver, sender = os.pipe()
        child = os.fork()
        with journal.locked([KEY]) as lease:
            held_by = "child" if child == 0 else "parent"
            with contextlib.suppress(BrokenPipeError):
                os.write(sender, f"{held_by} in,".encode())
            time.sleep(0.2)
            lease.record([new_entry(ACCOUNT, "shop", "created")])
            os.write(sender, f"{held_by} out,".encode())
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return os.read(receiver, 1000).decode().strip(",").split(",")


def test_a_forked_process_waits_for_its_turn(tmp_path: Path) -> None:
    turns = Child(Forking(str(tmp_path / "journal.sqlite3"))).result()
    first, second = (["child in", "child out"], ["parent in", "parent out"])
    assert turns in (first + second, second + first)


def test_bulk_lists_that_overlap_create_each_name_once(fleet: Fleet) -> None:
    """In each order, which would be a deadlock if names were locked one by one."""
    fleet.arm("create", "slow", seconds=0.1, count=None)
    names = ["one", "two", "three", "four", "five"]
    lists = [names[:4], names[:0:-1], ["three", "one", "five"], ["five", "three"]]
    results = in_parallel(*[fleet.task(*wanted, timeout=30) for wanted in lists])
    assert sorted(fleet.posts()) == sorted(names)
    assert sum(action == "created" for result in results for action in actions(result).values()) == 5
    assert not any(result.get("failed") for result in results)
    fleet.assert_delivered(*names)


def test_runs_that_share_no_name_do_not_wait_for_each_other(fleet: Fleet) -> None:
    slow = fleet.start_hanging("slow", fault={"match": '"slow"'})
    assert actions(fleet.create("quick")) == {"quick": "created"}
    fleet.emulator.release()
    assert actions(slow.result()) == {"slow": "created"}


# Leases


def test_a_run_keeps_its_names_for_longer_than_a_lease_lasts(fleet: Fleet) -> None:
    fleet.arm("create", "slow", seconds=3)
    first = Child(fleet.task("shop", timeout=30, lease_policy=SHORT_LEASE))
    fleet.wait_for("create")
    second = Child(fleet.task("shop", timeout=30, lease_policy=SHORT_LEASE))
    assert actions(first.result()) == {"shop": "created"}
    assert actions(second.result()) == {"shop": "unchanged"}
    assert fleet.posts() == ["shop"]


def test_a_killed_runs_names_are_free_once_its_lease_has_lapsed(fleet: Fleet) -> None:
    fleet.arm("list", "hang")
    killed = Child(fleet.task("shop", timeout=30, lease_policy=SHORT_LEASE))
    fleet.wait_for("list")
    killed.kill()
    assert actions(fleet.create("shop")) == {"shop": "created"}
    assert fleet.posts() == ["shop"]


@pytest.mark.parametrize("lasts", [0.0, 0.3])
def test_a_lease_that_nobody_renews_lapses_while_it_is_watched(green: Fleet, lasts: float) -> None:
    """It doesn't matter when its process died, because no run asks a clock."""
    green.create("shop")
    storage = Journal(str(green.journal_file))._storage
    with storage.transaction() as db:
        columns = "(provider, account, name, owner, lasts)"
        db.execute(f"INSERT INTO lease {columns} VALUES ('green_api', '', 'shop', 'somebody', ?)", (lasts,))
    assert actions(green.create("shop")) == {"shop": "unchanged"}


@dataclass(frozen=True)
class AnotherClock:
    """A run on a machine whose clock is wrong, and is put back and forward by as much while it runs."""

    run: Run
    seconds: float

    def __call__(self) -> Any:
        right, calls = time.time, itertools.count()
        time.time = lambda: right() + self.seconds * (-1) ** (next(calls) // 3)
        return self.run()


def test_runs_whose_clocks_differ_wait_for_each_other(fleet: Fleet) -> None:
    fleet.arm("create", "slow", seconds=1.5, count=None)
    runs = [fleet.task("shop", timeout=30, lease_policy=SHORT_LEASE) for _run in range(6)]
    skewed = [AnotherClock(run, seconds) for run, seconds in zip(runs, (-3600, -60, -1, 1, 60, 3600), strict=True)]
    results = in_parallel(*skewed)
    assert sorted(actions(result)["shop"] for result in results) == ["created", *5 * ["unchanged"]]
    assert fleet.posts() == ["shop"]


def test_who_waits_and_stood_still_as_long_as_the_holder_takes_nothing_over(fleet: Fleet) -> None:
    """As on a machine that was suspended: time has passed for neither."""
    holder = fleet.start_hanging("shop", lease_policy=SHORT_LEASE)
    waiter = Child(fleet.task("shop", timeout=30, lease_policy=SHORT_LEASE))
    time.sleep(0.5)  # for the waiter to have looked a few times, which makes no difference to what is right
    for process in (holder, waiter):
        process.signal(signal.SIGSTOP)
    time.sleep(2 * SHORT_LEASE.duration)
    for process in (waiter, holder):
        process.signal(signal.SIGCONT)
    fleet.emulator.release()
    assert actions(holder.result()) == {"shop": "created"}
    assert actions(waiter.result()) == {"shop": "unchanged"}
    assert fleet.posts() == ["shop"]


def test_a_lease_that_was_lost_cannot_write(tmp_path: Path) -> None:
    path = str(tmp_path / "journal.sqlite3")
    journal = Journal(path)
    with journal.locked([KEY]) as lost:
        with journal._storage.transaction() as db:
            db.execute("UPDATE lease SET lasts = 0")
        with Journal(path).locked([KEY]) as held:
            entry = new_entry(ACCOUNT, "shop", "pending")
            for change in (lost.begin, lost.forget, lambda lost_entry: lost.record([lost_entry])):
                with pytest.raises(FleetError, match="taken shop over"):
                    change(entry)
            held.begin(entry)
            lost.release()
            held.record([replace(entry, status="created", instance_id="2")])
    assert [(entry.status, entry.instance_id) for entry in journal.read().entries] == [("created", "2")]


def stop_between_heartbeats(run: Child, fleet: Fleet) -> None:
    """Stop a run while it writes nothing: a stopped process keeps its lock on the journal, for which others wait."""
    while True:
        run.signal(signal.SIGSTOP)
        while ") T " not in Path(f"/proc/{run.pid}/stat").read_text():
            time.sleep(0.01)
        if "://" in fleet.journal or is_unlocked(fleet.journal):
            return
        run.signal(signal.SIGCONT)


def is_unlocked(journal: str) -> bool:
    """Whether a SQLite file can be written at once."""
    with contextlib.closing(sqlite3.connect(journal, timeout=0, isolation_level=None)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
    return True


def test_a_run_that_was_stopped_for_too_long_creates_nothing(fleet: Fleet) -> None:
    """It has seen the account without the instance, sleeps while another run creates it, and goes on."""
    fleet.arm("list", "hang", when="after")
    # Without the credentials file, which would tell it of the other run's instance.
    stopped = Child(fleet.task("shop", timeout=30, lease_policy=SHORT_LEASE, credentials_file=None))
    fleet.wait_for("list")
    stop_between_heartbeats(stopped, fleet)
    assert actions(fleet.create("shop")) == {"shop": "created"}
    stopped.signal(signal.SIGCONT)
    fleet.emulator.release()
    result = stopped.result()
    assert actions(result) == {"shop": "failed"}
    assert "taken shop over" in result["msg"]
    assert fleet.posts() == ["shop"]
    fleet.assert_delivered("shop")


def test_a_run_that_was_stopped_while_it_posted_loses_nothing(fleet: Fleet) -> None:
    """The run that takes over finds the entry pending, and the instance in the listing."""
    stopped = fleet.start_hanging("shop", fault={"when": "after"}, lease_policy=SHORT_LEASE)
    stop_between_heartbeats(stopped, fleet)
    assert actions(fleet.create("shop")) == {"shop": "adopted"}
    stopped.signal(signal.SIGCONT)
    fleet.emulator.release()
    result = stopped.result()
    assert actions(result) == {"shop": "created"}
    assert any("taken shop over" in warning for warning in result["warnings"])
    assert fleet.posts() == ["shop"]
    assert fleet.status("shop") == "delivered"
    fleet.assert_delivered("shop")


# kill -9


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_is_killed_while_its_creation_hangs(fleet: Fleet, when: str) -> None:
    killed = fleet.start_hanging("shop", fault={"when": when}, lease_policy=SHORT_LEASE)
    assert fleet.status("shop") == "pending"
    killed.kill()
    result = fleet.create("shop")
    assert actions(result) == {"shop": "adopted" if when == "after" else "unknown"}
    assert fleet.posts() == ["shop"]
    if when == "after":
        fleet.assert_delivered("shop")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("listing", NO_LISTING)
def test_without_a_listing_such_a_creation_stays_unknown(plugz: Fleet, when: str, listing: str) -> None:
    plugz.emulator.config({"plugzapi.listing": listing})
    killed = plugz.start_hanging("shop", fault={"when": when}, lease_policy=SHORT_LEASE)
    killed.kill()
    for _run in range(2):
        assert actions(plugz.create("shop")) == {"shop": "unknown"}
    assert plugz.posts() == ["shop"]


@dataclass(frozen=True)
class Emulated:
    """Count the lines of a run, in a process of its own, so that only the run is traced."""

    run: Run

    def __call__(self) -> int:
        return count_lines(self.run)


@pytest.mark.parametrize("listing", ["present", "not_found_200"])
@pytest.mark.parametrize("seed", range(2))
def test_a_run_that_is_killed_at_any_line_leaves_nothing_twice_and_nothing_lost(
    plugz: Fleet, listing: str, seed: int
) -> None:
    """Kill runs after a number of lines of the core, let the next run go on, and resolve as a person would."""
    plugz.emulator.config({"plugzapi.listing": listing})
    lines = Child(Emulated(plugz.task("counted"))).result()
    chosen = sorted(random.Random(seed).sample(range(lines), 24))
    names = [f"shop-{line}" for line in chosen]
    for line, name in zip(chosen, names, strict=True):
        assert Child(plugz.task(name, lease_policy=SHORT_LEASE), die_after=line).result() is None
    posts_of_killed = plugz.posts()
    result = plugz.create(*names)
    for name, action in actions(result).items():
        there = plugz.existing(name)
        assert len(there) == plugz.posts().count(name) <= 1
        if action == "unknown":
            # The one doubt that is left: the process was gone before it knew, and no listing shows the name.
            assert listing != "present" or name not in posts_of_killed
            option = {"action": "adopt", "instance_id": there[0]["id"]} if there else {"action": "discard"}
            assert plugz.journal_task(provider="plugzapi", name=name, **option)["changed"]
        else:
            assert action in ("created", "adopted", "unchanged")
            assert there
    final = plugz.create(*names)
    assert not final.get("failed")
    for name in names:
        (instance,) = plugz.existing(name)
        assert plugz.posts().count(name) == 1
        told = plugz.credentials().get(name, {}).get("token")
        if told != instance["token"]:
            assert told is None
            assert any(name in warning for warning in final["warnings"]), "no warning says that this token is lost"


@pytest.mark.parametrize("seed", range(8))
def test_a_run_that_is_killed_after_any_time(fleet: Fleet, seed: int) -> None:
    """The same by the clock: a bulk run, killed while several of its creations are under way."""
    fleet.arm("create", "slow", seconds=0.03, count=None)
    names = [f"shop-{number}" for number in range(12)]
    killed = Child(fleet.task(*names, timeout=30, concurrency=3, lease_policy=SHORT_LEASE))
    fleet.wait_for("list")
    time.sleep(random.Random(seed).uniform(0, 0.3))
    killed.kill()
    fleet.emulator.disarm()
    unknown = [name for name, action in actions(fleet.create(*names)).items() if action == "unknown"]
    for name in unknown:
        assert not fleet.existing(name)
        fleet.journal_task(action="discard", provider=fleet.provider, name=name)
    assert not fleet.create(*names).get("failed")
    assert len(fleet.existing()) == len(names)
    fleet.assert_delivered(*names)
