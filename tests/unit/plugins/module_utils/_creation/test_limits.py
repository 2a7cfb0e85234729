# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that may open few files, start few threads or get little memory: no token is lost, and no word is false."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.storm.runs import Child, Run
from ansible_collections.msgops.fleet.tests.support.creation import Fleet, actions, wait_until

from msgops_emulator import Emulator

NAMES = [f"shop-{number:02}" for number in range(40)]
MEGABYTE = 2**20


@pytest.fixture(params=["green_api", "plugzapi"])
def fleet(request: pytest.FixtureRequest, emulator: Emulator, tmp_path: Path) -> Fleet:
    """An empty account at GREEN-API, and one at a PlugzAPI without a listing, which shows a token only once."""
    emulator.config({"plugzapi.listing": "http404"})
    return Fleet(emulator, request.param, tmp_path, {"timeout": 30.0, "retry_timeout": 30.0})


@dataclass(frozen=True)
class Limited:
    """A run under a limit of the system. ``user`` is the number of the user that runs it, for what root has no limit
    of.
    """

    run: Run
    limit: int
    value: int
    user: int | None = None

    def __call__(self) -> dict[str, Any]:
        if self.user and os.geteuid() == 0:
            os.setgroups([])
            os.setgid(self.user)
            os.setuid(self.user)
        resource.setrlimit(self.limit, (self.value, self.value))
        return self.run()


def in_flight(child: Child, fleet: Fleet) -> int:
    """Wait until no creation is on its way to the gateway, and return how many are there."""
    counts: list[int] = []

    def is_still() -> bool:
        counts.append(len(fleet.log("create")))
        return len(counts) > 50 and counts[-50] == counts[-1] > 0

    wait_until(is_still, "creations that are under way")
    assert child.process.is_alive()
    return counts[-1]


def assert_nothing_lost(fleet: Fleet, result: Mapping[str, Any]) -> None:
    """What exists was created or is called unknown, each once; the tokens of the former are in the file."""
    shown = actions(result)
    there = [instance["name"] for instance in fleet.existing()]
    assert len(there) == len(set(there))
    assert sorted(fleet.posts()) == sorted(name for name in shown if shown[name] in ("created", "adopted", "unknown"))
    done = [name for name in there if shown[name] in ("created", "adopted")]
    assert {name for name in there if name not in done} <= {name for name in shown if shown[name] == "unknown"}
    if done:
        fleet.assert_delivered(*done)
    for instance in result["instances"]:
        if instance["error"] and instance["action"] == "failed":
            assert "nothing is done" not in instance["error"]["message"]


# Open files


@pytest.mark.parametrize("limit", [64, 40])
def test_a_limit_of_open_files_bounds_how_many_are_created_at_once(fleet: Fleet, limit: int) -> None:
    fleet.arm("create", "hang", count=None)
    run = Child(Limited(fleet.task(*NAMES, concurrency=80), resource.RLIMIT_NOFILE, limit))
    assert 1 <= in_flight(run, fleet) < limit / 2
    fleet.emulator.release()
    fleet.emulator.disarm()
    result = run.result()
    assert set(actions(result).values()) == {"created"}
    assert result["warnings"] == []
    assert sorted(fleet.posts()) == NAMES
    fleet.assert_delivered(*NAMES)
    assert {fleet.status(name) for name in NAMES[:3]} == {"delivered"}


def test_a_limit_that_falls_after_the_posts_loses_no_token(fleet: Fleet) -> None:
    fleet.arm("create", "hang", count=None)
    run = Child(fleet.task(*NAMES, concurrency=16, timeout=30, retry_timeout=0.5))
    in_flight(run, fleet)
    highest = max(int(name) for name in os.listdir(f"/proc/{run.pid}/fd"))
    resource.prlimit(run.pid, resource.RLIMIT_NOFILE, (highest + 1, highest + 1))
    fleet.emulator.release()
    fleet.emulator.disarm()
    result = run.result()
    assert_nothing_lost(fleet, result)
    assert sum(action == "created" for action in actions(result).values()) >= 16
    assert "mv " not in str(result), "a limit is no reason to put the journal's serial away"


# Threads


def test_a_user_who_may_start_no_thread_creates_nothing(fleet: Fleet, open_folder: Path) -> None:
    fleet.folder = open_folder
    fleet.__post_init__()
    result = Child(Limited(fleet.task(*NAMES), resource.RLIMIT_NPROC, 1, user=61_000 + os.getpid() % 1000)).result()
    assert result["failed"]
    assert "can't start one more thread" in result["msg"]
    assert fleet.posts() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a user who has no other process")
@pytest.mark.parametrize("threads", [2, 5])
def test_a_limit_of_threads_bounds_how_many_are_created_at_once(fleet: Fleet, open_folder: Path, threads: int) -> None:
    fleet.folder = open_folder
    fleet.__post_init__()
    user = 61_000 + os.getpid() % 1000
    # The process has a thread of its own, and one for its lease.
    result = Child(Limited(fleet.task(*NAMES), resource.RLIMIT_NPROC, threads, user=user)).result()
    assert set(actions(result).values()) == {"created"}
    fleet.assert_delivered(*NAMES)


# Memory


@dataclass(frozen=True)
class ShortOfMemory:
    """A run that may get so many more megabytes."""

    run: Run
    megabytes: int

    def __call__(self) -> dict[str, Any]:
        threading.stack_size(256 * 1024)
        limit = used_memory(os.getpid()) + self.megabytes * MEGABYTE
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        return self.run()


def used_memory(pid: int) -> int:
    """The bytes of a process's address space."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


@pytest.mark.parametrize("megabytes", [1, 4, 24])
def test_a_process_without_memory_fails_and_loses_no_token(fleet: Fleet, megabytes: int) -> None:
    result = Child(ShortOfMemory(fleet.task(*NAMES, retry_timeout=0), megabytes)).result()
    if "instances" in result:
        assert_nothing_lost(fleet, result)
    else:
        assert fleet.posts() == []
    if megabytes < 8:  # less than a creating task holds
        assert result["failed"]


def test_memory_that_runs_out_after_the_posts_loses_no_token(fleet: Fleet) -> None:
    fleet.arm("create", "hang", count=None)
    run = Child(fleet.task(*NAMES, concurrency=8, retry_timeout=0))
    in_flight(run, fleet)
    limit = used_memory(run.pid)
    resource.prlimit(run.pid, resource.RLIMIT_AS, (limit, limit))
    fleet.emulator.release()
    fleet.emulator.disarm()
    result = run.result()
    assert_nothing_lost(fleet, result)
