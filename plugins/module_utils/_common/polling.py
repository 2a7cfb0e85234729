# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many jobs at once with a bounded number of workers, each repeated until it is done or time is up; their progress."""

from __future__ import annotations

import heapq
import itertools
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

Job = TypeVar("Job")

# Seconds between two looks at what has changed.
PROGRESS_INTERVAL = 5.0


class ProgressLog:
    """Prints how far a task is: each ``interval`` seconds if something has changed, else each ``reminder`` seconds.

    ``describe`` returns what the task has reached and why it waits; the line ends with the elapsed and the remaining
    seconds. ``deadline`` returns the time of ``time.monotonic()`` at which the task stops waiting, if there is one.
    """

    def __init__(
        self,
        show: Callable[[str], None],
        describe: Callable[[], str],
        *,
        deadline: Callable[[], float | None] = lambda: None,
        started: float | None = None,
        interval: float = PROGRESS_INTERVAL,
        reminder: float = 30.0,
    ) -> None:
        self.interval = interval
        self._show = show
        self._describe = describe
        self._deadline = deadline
        self._started = time.monotonic() if started is None else started
        self._reminder = reminder
        self._last = ""
        self._last_at = 0.0

    def update(self, now: float) -> None:
        """Print the line of ``now`` (a time of ``time.monotonic()``) if it is due."""
        line = self._describe()
        if line == self._last and now - self._last_at < self._reminder:
            return
        self._last, self._last_at = line, now
        deadline = self._deadline()
        left = "" if deadline is None else f", {max(0.0, deadline - now):.0f} s left"
        self._show(f"{line} ({now - self._started:.0f} s elapsed{left})")


def poll(
    jobs: Iterable[Job],
    step: Callable[[Job], bool],
    *,
    workers: int,
    interval: float = 0.0,
    deadline: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    progress: ProgressLog | None = None,
) -> None:
    """Call ``step(job)`` for each job until it returns true, ``interval`` seconds (and a little jitter) apart.

    A job that pauses holds no worker. Returns when all are done, when ``stop()`` says so after a step, or at
    ``deadline`` (of ``time.monotonic()``): steps that are under way then are left alone, and no other begins. What
    ``step`` raises is raised here, once the steps under way have ended.
    Where the system limits threads, as many workers run as it allows. Without any, the caller's own thread takes the
    steps, and notices the deadline only between two of them.
    """
    ready: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
    finished: queue.SimpleQueue[tuple[Job, bool, BaseException | None]] = queue.SimpleQueue()
    stopping = threading.Event()

    def is_over() -> bool:
        return stopping.is_set() or (deadline is not None and time.monotonic() >= deadline)

    def take(job: Job) -> None:
        try:
            finished.put((job, step(job), None))
        except BaseException as exc:  # poll() raises it in the caller's thread
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
    update_at = time.monotonic() + progress.interval if progress else None
    try:
        while under_way or pausing:
            now = time.monotonic()
            while pausing and pausing[0][0] <= now:
                ready.put(heapq.heappop(pausing)[2])
                under_way += 1
            if deadline is not None and now >= deadline:
                return
            if progress and update_at is not None and now >= update_at:
                progress.update(now)
                update_at = now + progress.interval
            if not threads and under_way and (next_job := ready.get()) is not None:
                take(next_job)
            wake_at = [at for at in (deadline, update_at, pausing[0][0] if pausing else None) if at is not None]
            try:
                wait = max(0.0, min(wake_at) - time.monotonic()) if wake_at else None
                job, done, failure = finished.get(timeout=wait)
            except queue.Empty:
                continue
            under_way -= 1
            if failure is not None:
                # Wait for the steps under way, so that each records the outcome of what it has sent.
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
    """Start ``wanted`` threads, or as many as the system allows."""
    threads: list[threading.Thread] = []
    for _number in range(wanted):
        thread = threading.Thread(target=work, daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError):  # a container's limit on threads or memory
            break
        threads.append(thread)
    return threads
