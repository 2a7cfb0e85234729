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
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from .resources import workers_for

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


class _Workers(Generic[Job]):
    """Threads that take steps: ``wanted`` of them, or as many as the system allows."""

    def __init__(self, step: Callable[[Job], bool], wanted: int, deadline: float | None) -> None:
        self._step = step
        self._deadline = deadline
        self._ready: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[tuple[Job, bool, BaseException | None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        for _number in range(wanted):
            thread = threading.Thread(target=self.work, daemon=True)
            try:
                thread.start()
            except (RuntimeError, MemoryError):  # a container's limit on threads or memory
                break
            self._threads.append(thread)

    def work(self) -> None:
        """Take steps, in a thread, until the deadline or ``stop``."""
        while (job := self._ready.get()) is not None and not self._is_over():
            self._take(job)

    def add(self, job: Job) -> None:
        """Have the next step of ``job`` taken."""
        self._ready.put(job)

    def next_finished(self, timeout: float | None) -> tuple[Job, bool, BaseException | None]:
        """Return the job of a step that has ended, whether it is done, and what the step raised.

        Without threads, the caller's own takes the step.

        :raises queue.Empty: if no step ends within ``timeout`` seconds.
        """
        if not self._threads and not self._ready.empty() and (job := self._ready.get()) is not None:
            self._take(job)
        return self._finished.get(timeout=timeout)

    def stop(self) -> None:
        """Let no other step begin."""
        self._stopping.set()
        for _thread in self._threads:
            self._ready.put(None)

    def join(self) -> None:
        """Wait for the steps under way, until the deadline."""
        for thread in self._threads:
            thread.join(None if self._deadline is None else max(0.0, self._deadline - time.monotonic()))

    def _is_over(self) -> bool:
        return self._stopping.is_set() or (self._deadline is not None and time.monotonic() >= self._deadline)

    def _take(self, job: Job) -> None:
        try:
            self._finished.put((job, self._step(job), None))
        except BaseException as exc:  # poll() raises it in the caller's thread
            self._finished.put((job, False, exc))


def poll(
    jobs: Collection[Job],
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
    Where the system limits open files or threads, as many workers run as it allows. Without any, the caller's own
    thread takes the steps, and notices the deadline only between two of them.
    """
    crew = _Workers(step, workers_for(min(workers, len(jobs))), deadline)
    for job in jobs:
        crew.add(job)
    under_way = len(jobs)
    pausing: list[tuple[float, int, Job]] = []
    tie_break = itertools.count()
    update_at = time.monotonic() + progress.interval if progress else None
    try:
        while under_way or pausing:
            now = time.monotonic()
            while pausing and pausing[0][0] <= now:
                crew.add(heapq.heappop(pausing)[2])
                under_way += 1
            if deadline is not None and now >= deadline:
                return
            if progress and update_at is not None and now >= update_at:
                progress.update(now)
                update_at = now + progress.interval
            wake_at = [at for at in (deadline, update_at, pausing[0][0] if pausing else None) if at is not None]
            try:
                wait = max(0.0, min(wake_at) - time.monotonic()) if wake_at else None
                job, done, failure = crew.next_finished(wait)
            except queue.Empty:
                continue
            under_way -= 1
            if failure is not None:
                crew.stop()
                crew.join()  # so that each step under way records the outcome of what it has sent
                raise failure
            if stop():
                return
            if not done:
                pause_ends = time.monotonic() + interval * random.uniform(1.0, 1.2)
                heapq.heappush(pausing, (pause_ends, next(tie_break), job))
    except MemoryError:
        crew.stop()
        crew.join()
        raise
    finally:
        crew.stop()
