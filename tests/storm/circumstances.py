# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run's process finds around it: variables, a clock that is wrong, a limit, a disk that is full."""

from __future__ import annotations

import abc
import contextlib
import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.msgops.fleet.tests.storm.runs import Child

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True)
class Circumstances:
    """A job in a process of its own, which has these things.

    ``clock`` says by how many seconds its clock is wrong from when on: pairs of seconds after the start and seconds of
    error. What it prints goes to the end of the file ``output``.
    """

    job: Callable[[], Any]
    output: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    clock: Sequence[tuple[float, float]] = ()
    largest_file: int | None = None

    def __call__(self) -> Any:
        printed = os.open(self.output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for stream in (1, 2):
            os.dup2(printed, stream)
        for name in [name for name in os.environ if name.lower() in PROXY_VARIABLES]:
            del os.environ[name]
        os.environ.update(self.environment)
        if self.largest_file is not None:
            limit_files(os.getpid(), self.largest_file)
        with _wrong_clock(self.clock):
            return self.job()


@contextlib.contextmanager
def _wrong_clock(plan: Sequence[tuple[float, float]]) -> Iterator[None]:
    """Have Python's wall clock go wrong, for C code within Python too; it is right for SQLite and OpenSSL.

    The real clock can only be set for the whole machine: time namespaces exist for the clocks since its start alone.
    """
    if not plan:
        yield
        return
    import time_machine  # what doesn't travel needs no such library

    ended = threading.Event()
    (_now, first), *later = plan
    with time_machine.travel(time.time() + first, tick=True) as traveller:

        def travel() -> None:
            error, started = first, time.monotonic()
            for at, wanted in later:
                if ended.wait(max(0.0, started + at - time.monotonic())):
                    return
                traveller.shift(wanted - error)
                error = wanted

        thread = threading.Thread(target=travel)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def limit_files(pid: int, size: int) -> None:
    """Let a process write no file beyond ``size`` bytes."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, size))


class Disk(abc.ABC):
    """A disk that gets full, and has room again; ``folder`` is on it, or is as good as on it.

    A file of ``LARGE`` bytes is larger than the storm's journals, one of ``SMALL`` bytes is smaller than any of them.
    """

    LARGE: ClassVar[int] = 2**20
    SMALL: ClassVar[int] = 2**13

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700)
        self.largest_file: int | None = None

    @abc.abstractmethod
    def fill(self, largest_file: int, *children: Child) -> None:
        """Leave no room; without a disk that can be filled, limit the size of these and later processes' files."""

    @abc.abstractmethod
    def make_room(self) -> None:
        """Let everybody write again."""

    def close(self) -> None:
        """Leave no trace."""
        self.make_room()


class Tmpfs(Disk):
    """A file system of its own in memory, which goes when this process does, however it ends."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={8 * self.LARGE},mode=0700", "tmpfs", folder], check=True)
        # Its standard input ends with this process, too.
        script = 'read -r _; exec umount --lazy "$1"'
        self._keeper = subprocess.Popen(
            ["sh", "-c", script, "sh", folder], stdin=subprocess.PIPE, start_new_session=True, cwd="/"
        )

    def fill(self, largest_file: int, *children: Child) -> None:
        with (self.folder / "ballast").open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))

    def make_room(self) -> None:
        (self.folder / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        self._keeper.communicate()
        if self._keeper.returncode:
            raise OSError(f"umount {self.folder} ended with {self._keeper.returncode}")


class Quota(Disk):
    """A limit on the size of files, for users who may not mount a disk."""

    def fill(self, largest_file: int, *children: Child) -> None:
        self.largest_file = largest_file
        for child in children:
            if not child.ends_within(0.0):
                limit_files(child.pid, largest_file)

    def make_room(self) -> None:
        self.largest_file = None


def can_mount() -> bool:
    """Whether this process may mount a file system."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            disk = Tmpfs(Path(folder, "disk"))
        except (OSError, subprocess.CalledProcessError):
            return False
        disk.close()
    return True
