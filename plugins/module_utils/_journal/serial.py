# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many changes a journal has seen, kept beside it, so that an older copy in its place is noticed.

A change is counted in the journal first and here afterwards, without being flushed to disk: after a crash this count is
behind the journal's, which is no reason for an alarm, and never ahead of it.
"""

from __future__ import annotations

import errno
import os
import re
import zlib
from dataclasses import dataclass

from .._common.files import UnfitFile, open_regular

# Of one length, so that it is written over in place: that needs no room on a full disk.
_RECORD = re.compile(rb"([0-9a-f]{32}) ([0-9]{20}) ([0-9a-f]{8})\n")
_LENGTH = 63
# Who reads while somebody else writes may get a part of each.
_READS = 100


@dataclass(frozen=True)
class Serial:
    """Which journal it is, by an ID that it got when it was made, and how many changes it has seen."""

    journal_id: str
    changes: int

    def record(self) -> bytes:
        """As it is written."""
        text = f"{self.journal_id} {self.changes:020d}".encode()
        return text + b" %08x\n" % zlib.crc32(text)


class SerialFile:
    """The file ``<journal>.serial`` of mode 0600."""

    def __init__(self, journal: str) -> None:
        self.path = f"{journal}.serial"

    def read(self) -> Serial | None:
        """What is known; ``None`` where nothing is.

        :raises OSError: if it can't be read; ``UnfitFile`` if it isn't such a file.
        """
        try:
            descriptor = self._open(os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            for _read in range(_READS):
                record = os.pread(descriptor, 2 * _LENGTH, 0)
                if not record:  # made by a process that died before it could write
                    return None
                found = _RECORD.fullmatch(record)
                if found and int(found[3], 16) == zlib.crc32(record[: found.end(2)]):
                    return Serial(found[1].decode(), int(found[2]))
        finally:
            os.close(descriptor)
        raise UnfitFile("it doesn't hold what was written to it")

    def write(self, serial: Serial, journal: os.stat_result) -> None:
        """Write what is known by now. Whose file ``journal`` is, his is this one, even if root is the first to write.

        :raises OSError: if it can't be written; ``UnfitFile`` if it isn't such a file.
        """
        try:
            descriptor = self._open(os.O_WRONLY)
        except FileNotFoundError:
            descriptor = self._open(os.O_WRONLY | os.O_CREAT)
            if os.geteuid() == 0:
                os.fchown(descriptor, journal.st_uid, journal.st_gid)
        try:
            if os.pwrite(descriptor, serial.record(), 0) < _LENGTH:
                os.ftruncate(descriptor, 0)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)

    def _open(self, flags: int) -> int:
        try:
            return open_regular(self.path, flags)
        except OSError as exc:
            if exc.errno in (errno.ELOOP, errno.EMLINK):
                raise UnfitFile("it is a symbolic link") from None
            raise
