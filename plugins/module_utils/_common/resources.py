# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this process may still open and allocate.

A token that a gateway shows once must reach a file, whatever else runs out. So connections leave some descriptors to
the files of this process, and a creating task holds memory that it gives back when its last answer is there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
from collections.abc import Iterator

# The numbers of errors that mean that this machine has run out of something: of what, and what to do.
RUN_OUT = {
    errno.EMFILE: ("open files", "raise the limit of open files (ulimit -n), or lower concurrency"),
    errno.ENFILE: ("open files", "close what else is open on this machine, or lower concurrency"),
    errno.EADDRNOTAVAIL: ("ports", "wait until earlier connections have ended, or lower concurrency"),
    errno.ENOBUFS: ("memory for connections", "lower concurrency"),
    errno.ENOMEM: ("memory", "give this process more memory, or lower concurrency"),
}
OUT_OF_MEMORY = "this machine has run out of {}; {}".format(*RUN_OUT[errno.ENOMEM])

# Descriptors that connections leave to files: the journal, its serial and SQLite's own journal, the credentials file
# and the two reserved beside it, a folder, and the files that a resolver opens for a moment.
_FOR_FILES = 16
# A worker's connection, and what opening it takes for a moment: a resolver's socket, or the file of the authorities.
_PER_WORKER = 2
# Bytes that a creating task holds for what comes after its last answer.
_HELD = 8 * 2**20


def run_out(number: int | None) -> tuple[str, str] | None:
    """What this machine has run out of, and what to do, by the number of an error; else whether no file can be opened.

    Some libraries report a resource that has run out as another error, without its number.
    """
    if number in RUN_OUT:
        return RUN_OUT[number]
    if number is None:
        try:
            os.close(os.dup(2))
        except OSError as exc:
            return RUN_OUT.get(exc.errno or 0)
    return None


def workers_for(wanted: int) -> int:
    """How many of ``wanted`` workers the limit of open files allows, at least one."""
    limit = _limit()
    if limit is None:
        return wanted
    try:
        used = len(os.listdir("/dev/fd"))
    except OSError:  # there is no such folder, or no descriptor left to read it
        used = limit // 2
    return max(1, min(wanted, (limit - used - _for_files(limit)) // _PER_WORKER))


def is_for_files(descriptor: int) -> bool:
    """Whether a connection has got one of the last descriptors: a process always gets the lowest that is free."""
    limit = _limit()
    return limit is not None and descriptor >= limit - _for_files(limit)


def is_scarce(descriptor: int) -> bool:
    """Whether a connection that idles should give its descriptor back."""
    limit = _limit()
    return limit is not None and descriptor >= limit // 2


@contextlib.contextmanager
def memory_held() -> Iterator[None]:
    """Hold memory during the block, which is free after it.

    :raises MemoryError: if there isn't as much.
    """
    held = bytearray(_HELD)
    try:
        yield
    finally:
        del held


def _for_files(limit: int) -> int:
    return min(_FOR_FILES, limit // 4)


def _limit() -> int | None:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
