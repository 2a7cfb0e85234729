# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many jobs at once, each repeated until it is done or time is up."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.polling import ProgressLog, poll
from ansible_collections.msgops.fleet.tests.support.wire import PATIENCE, Crowd, join_workers


def test_each_job_is_done_once_where_once_is_enough() -> None:
    done: list[int] = []

    def step(job: int) -> bool:
        done.append(job)
        return True

    poll(range(100), step, workers=7)
    assert sorted(done) == list(range(100))


def test_a_job_is_repeated_until_it_is_done() -> None:
    steps: Counter[int] = Counter()

    def step(job: int) -> bool:
        steps[job] += 1
        return steps[job] == job

    poll([1, 2, 3], step, workers=2, interval=0.001)
    assert steps == {1: 1, 2: 2, 3: 3}


def test_no_job_is_no_work() -> None:
    poll([], lambda _job: False, workers=4)


def test_as_many_jobs_are_under_way_as_there_are_workers_and_no_more() -> None:
    crowd = Crowd(4)

    def step(_job: int) -> bool:
        with crowd:
            return True

    poll(range(12), step, workers=4)
    assert (crowd.most, crowd.total) == (4, 12)


def test_there_are_no_more_workers_than_jobs() -> None:
    before = threading.active_count()
    seen: list[int] = []

    def step(_job: int) -> bool:
        seen.append(threading.active_count())
        return True

    poll(range(2), step, workers=256)
    assert max(seen) <= before + 2


def test_a_job_that_pauses_holds_no_worker() -> None:
    meeting = threading.Event()
    steps: list[str] = []

    def step(job: str) -> bool:
        steps.append(job)
        if job == "slow":
            return meeting.is_set()
        meeting.set()
        return True

    poll(["slow", "quick"], step, workers=1, interval=0.01)
    assert steps == ["slow", "quick", "slow"]


def test_two_steps_of_a_job_are_an_interval_apart_however_long_each_takes() -> None:
    ends: list[float] = []
    gaps: list[float] = []

    def step(_job: int) -> bool:
        if ends:
            gaps.append(time.monotonic() - ends[-1])
        time.sleep(0.15)
        ends.append(time.monotonic())
        return len(ends) == 3

    poll([1], step, workers=1, interval=0.1)
    assert min(gaps) >= 0.1


def test_steps_end_at_the_deadline() -> None:
    started = time.monotonic()
    poll([1], lambda _job: False, workers=1, interval=0.01, deadline=started + 0.1)
    assert time.monotonic() - started >= 0.1


def test_a_step_that_is_under_way_at_the_deadline_is_not_waited_for() -> None:
    gate = threading.Event()
    started = time.monotonic()
    poll([1], lambda _job: gate.wait(PATIENCE), workers=1, deadline=started + 0.05)
    assert not gate.is_set()
    assert time.monotonic() - started < PATIENCE
    gate.set()


def test_nothing_begins_after_the_deadline() -> None:
    begun: list[int] = []

    def step(job: int) -> bool:
        begun.append(job)
        gate.wait(PATIENCE)
        return True

    gate = threading.Event()
    poll([1, 2], step, workers=1, deadline=time.monotonic() + 0.05)
    gate.set()
    join_workers()
    assert 2 not in begun


def test_stop_ends_it_after_a_step() -> None:
    done: list[int] = []

    def step(job: int) -> bool:
        done.append(job)
        return False

    poll(range(3), step, workers=1, interval=PATIENCE, stop=lambda: len(done) >= 3)
    assert done == [0, 1, 2]


@pytest.mark.parametrize("kind", [ValueError, AssertionError, KeyboardInterrupt])
def test_what_a_step_raises_is_raised_to_the_caller(kind: type[BaseException]) -> None:
    def step(job: int) -> bool:
        if job == 1:
            raise kind("broken")
        return False

    with pytest.raises(kind, match="broken"):
        poll(range(3), step, workers=2, interval=PATIENCE)


def test_what_is_under_way_when_a_step_fails_ends_before_that_is_raised() -> None:
    begun, ended = threading.Event(), []

    def step(job: str) -> bool:
        if job == "slow":
            begun.set()
            time.sleep(0.2)
            ended.append(job)
            return True
        assert begun.wait(PATIENCE)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        poll(["slow", "broken", "never begun"], step, workers=2)
    assert ended == ["slow"]


# In a process of its own, under a limit on the memory of which each thread takes its share.
FEW_THREADS = """
import os, resource, sys, threading, time
from ansible_collections.msgops.fleet.plugins.module_utils._common.polling import ProgressLog, poll

def work(job):
    names.add(threading.current_thread().name)
    steps.append(job)
    time.sleep(0.01)
    return steps.count(job) == 2

names, steps = set(), []
threading.stack_size(64 * 2**20)
with open("/proc/self/statm") as statm:
    used = int(statm.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]) * 2**20,) * 2)
poll(range(20), work, workers=20, interval=0.01)
print(len(steps), len(names), "MainThread" in names)
"""


@pytest.mark.parametrize(("megabytes", "threads"), [(8, (1, 1)), (300, (1, 5))], ids=["none", "a few"])
def test_a_limit_on_threads_is_made_do_with(collections_path: Path, megabytes: int, threads: tuple[int, int]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FEW_THREADS, str(megabytes)],
        env={**os.environ, "PYTHONPATH": str(collections_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.stderr == ""
    steps, names, is_callers = ran.stdout.split()
    assert int(steps) == 40
    assert threads[0] <= int(names) <= threads[1]
    assert is_callers == str(megabytes == 8)


def test_progress_is_logged_while_nothing_happens() -> None:
    gate, lines = threading.Event(), []

    def show(line: str) -> None:
        lines.append(line)
        if len(lines) == 3:
            gate.set()

    log = ProgressLog(show, lambda: f"line {len(lines)}", interval=0.01)
    poll([1], lambda _job: gate.wait(PATIENCE), workers=1, progress=log)
    assert [line.partition(" (")[0] for line in lines[:3]] == ["line 0", "line 1", "line 2"]


def test_a_line_is_repeated_when_it_has_changed_or_after_a_while() -> None:
    words = iter(["a", "a", "a", "b", "b", "b"])
    lines: list[str] = []
    log = ProgressLog(lines.append, lambda: next(words), started=100, reminder=30, deadline=lambda: 150)
    for now in (105, 110, 135, 140, 145, 170):
        log.update(now)
    assert lines == [
        "a (5 s elapsed, 45 s left)",
        "a (35 s elapsed, 15 s left)",
        "b (40 s elapsed, 10 s left)",
        "b (70 s elapsed, 0 s left)",
    ]


def test_without_a_deadline_only_the_elapsed_time_is_logged() -> None:
    lines: list[str] = []
    ProgressLog(lines.append, lambda: "a", started=100).update(105)
    assert lines == ["a (5 s elapsed)"]
