# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running programs, and measuring their time and memory."""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """A program that has ended.

    ``seconds`` of wall time, ``cpu``: of CPU time, with its children; ``peak``: memory of the largest process, in MiB.
    """

    seconds: float
    cpu: float
    peak: float
    output: str


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Ended:
    """Run a program; raise RuntimeError with its output if it fails."""
    with tempfile.TemporaryFile("w+", dir=folder) as output:
        started = time.perf_counter()
        process = _start(command, folder, environment, output.fileno())
        _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        return Ended(seconds, cpu, usage.ru_maxrss / 1024, _read_output(process, output))


@dataclass(frozen=True)
class Peaks:
    """The largest resident memory of a program and of its largest child, in MiB.

    Ansible's workers are forks: memory that they share with the program counts for both.
    """

    main: float
    child: float


def watch(command: Sequence[str], folder: Path, environment: Mapping[str, str], *, interval: float = 0.005) -> Peaks:
    """Run a program, and sample its memory each ``interval`` seconds, which slows the program down.

    Raises RuntimeError with its output if it fails.
    """
    peaks: dict[int, float] = {}
    with tempfile.TemporaryFile("w+", dir=folder) as output:
        process = _start(command, folder, environment, output.fileno())
        while process.poll() is None:
            for pid in (process.pid, *children(process.pid)):
                peaks[pid] = max(peaks.get(pid, 0.0), _high_water_mark(pid))
            time.sleep(interval)
        _read_output(process, output)
    return Peaks(peaks.pop(process.pid), max(peaks.values(), default=0.0))


def _start(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], output: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
    )


def _read_output(process: subprocess.Popen[bytes], output: tempfile._TemporaryFileWrapper[str]) -> str:
    output.seek(0)
    text = output.read()
    if process.returncode:
        raise RuntimeError(f"{process.args} ended with {process.returncode}:\n{text}")
    return text


def children(pid: int) -> list[int]:
    """Return the ids of a process's running children."""
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _high_water_mark(pid: int) -> float:
    with contextlib.suppress(OSError):
        match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(match.group(1)) / 1024 if match else 0.0
    return 0.0


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has taken so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Samples:
    """The measurements of one contender: seconds of wall time, and of CPU time."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median_cpu(self) -> float:
        return statistics.median(self.cpu)

    def add(self, ended: Ended) -> None:
        """Add the times of a program."""
        self.seconds.append(ended.seconds)
        self.cpu.append(ended.cpu)

    def __bool__(self) -> bool:
        return bool(self.seconds)


def interleave(
    contenders: Mapping[str, Callable[[], Ended]],
    *,
    repetitions: int,
    budget: float,
    at_most: Mapping[str, int] | None = None,
) -> dict[str, Samples]:
    """Measure the contenders alternately, so that other load on the machine affects all of them.

    No repetition is started that would probably end after ``budget`` seconds. ``at_most`` limits the repetitions of
    single contenders.
    """
    samples = {name: Samples() for name in contenders}
    started = time.monotonic()
    for repetition in range(repetitions):
        begun = time.monotonic()
        for name, contender in contenders.items():
            if repetition < (at_most or {}).get(name, repetitions):
                samples[name].add(contender())
        now = time.monotonic()
        if now - started + (now - begun) > budget:
            break
    return samples
