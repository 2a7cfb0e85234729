# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many jobs at once with a bounded number of workers, each repeated until it is done or time is up."""

from __future__ import annotations

import heapq
import itertools
import queue
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

from .errors import UsageError

Job = TypeVar("Job")

# Seconds between two calls of ``progress``.
PROGRESS_INTERVAL = 5.0


def check_waiting(timeout: float, interval: float) -> None:
    """:raises UsageError: unless both are usable numbers of seconds."""
    if not 0 <= timeout < float("inf"):
        raise UsageError("wait_timeout must be 0 or a number of seconds above it")
    if not 0 < interval < float("inf"):
        raise UsageError("wait_interval must be a number of seconds above 0")


def progress_line(done: str, wanted: Collection[str], laggards: Sequence[str], total: int) -> str:
    """How far a task is: what is ``done``, and who of all keeps it waiting for the states that are ``wanted``."""
    if not wanted:
        return done
    line = f"{done}, {total - len(laggards)} are {' or '.join(wanted)}"
    line += f"; waiting for {', '.join(laggards[:5])}" if laggards else ""
    return line + (f" and {len(laggards) - 5} more" if len(laggards) > 5 else "")


def poll(
    jobs: Iterable[Job],
    step: Callable[[Job], bool],
    *,
    workers: int,
    interval: float = 0.0,
    deadline: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[], None] | None = None,
) -> None:
    """Call ``step(job)`` for each job until it returns true, ``interval`` seconds (and a little jitter) apart.

    A job that pauses holds no worker. Returns when all are done, when ``stop()`` says so after a step, or at
    ``deadline`` (of ``time.monotonic()``): steps that are under way then are left alone, and no other begins. What
    ``step`` raises is raised here, once the steps under way have ended. ``progress`` is called every few seconds.
    Where there is a limit on threads, there are as many workers as can be had, at least the caller itself, who then
    notices the deadline only between two steps.
    """
    ready: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
    finished: queue.SimpleQueue[tuple[Job, bool, BaseException | None]] = queue.SimpleQueue()
    stopping = threading.Event()

    def is_over() -> bool:
        return stopping.is_set() or (deadline is not None and time.monotonic() >= deadline)

    def take(job: Job) -> None:
        try:
            finished.put((job, step(job), None))
        except BaseException as exc:  # handed over to the caller's thread
            finished.put((job, False, exc))

    def work() -> None:
        while (job := ready.get()) is not None and not is_over():
            take(job)

    def end() -> None:
        stopping.set()
        for _thread in threads:
            ready.put(None)

    under_way = 0
    for job in jobs:
        ready.put(job)
        under_way += 1
    threads = _start(work, min(workers, under_way))

    pausing: list[tuple[float, int, Job]] = []
    tie_break = itertools.count()
    report_at = time.monotonic() + PROGRESS_INTERVAL if progress else None
    try:
        while under_way or pausing:
            now = time.monotonic()
            while pausing and pausing[0][0] <= now:
                ready.put(heapq.heappop(pausing)[2])
                under_way += 1
            if deadline is not None and now >= deadline:
                return
            if progress and report_at is not None and now >= report_at:
                progress()
                report_at = now + PROGRESS_INTERVAL
            if not threads and under_way and (next_job := ready.get()) is not None:
                take(next_job)
            wake_at = [at for at in (deadline, report_at, pausing[0][0] if pausing else None) if at is not None]
            try:
                wait = max(0.0, min(wake_at) - time.monotonic()) if wake_at else None
                job, done, failure = finished.get(timeout=wait)
            except queue.Empty:
                continue
            under_way -= 1
            if failure is not None:
                # What has been sent has an outcome, which its own step takes care of.
                end()
                for thread in threads:
                    thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
                raise failure
            if stop():
                return
            if not done:
                pause_ends = time.monotonic() + interval * random.uniform(1.0, 1.2)
                heapq.heappush(pausing, (pause_ends, next(tie_break), job))
    finally:
        end()


def _start(work: Callable[[], None], wanted: int) -> list[threading.Thread]:
    """As many threads as are wanted, or as there can be."""
    threads: list[threading.Thread] = []
    for _number in range(wanted):
        thread = threading.Thread(target=work, daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError):  # containers limit them
            break
        threads.append(thread)
    return threads
