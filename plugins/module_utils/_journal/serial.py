# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The number of changes to a journal file, kept in a file beside it, so that an older copy of the journal is noticed.

A transaction counts its change in the journal first, and in the serial file afterwards, without a flush to disk. So a
crash can leave the serial file behind the journal, which is no error, but never ahead of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shlex
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from .._common.files import UnfitFile, open_regular
from .._common.resources import RUN_OUT
from .schema import Transaction
from .storage import JournalError, journal_error

# The changes that are counted. Leases aren't: losing one does no harm.
_COUNTED = {"creation": ("INSERT", "UPDATE", "DELETE"), "reboot": ("INSERT",)}

# A record of fixed length is overwritten in place, which needs no room on a full disk.
_RECORD = re.compile(rb"([0-9a-f]{32}) ([0-9]{20}) ([0-9a-f]{8})\n")
_LENGTH = 63
# Read again this many times: a record that is read while another run overwrites it may be a mixture of both.
_READS = 100


@dataclass(frozen=True)
class Serial:
    """The journal's ID, which is drawn when its tables are made, and the number of changes to it."""

    journal_id: str
    changes: int

    def record(self) -> bytes:
        """The line that the serial file holds."""
        text = f"{self.journal_id} {self.changes:020d}".encode()
        return text + b" %08x\n" % zlib.crc32(text)


class SerialFile:
    """The file ``<journal>.serial`` of mode 0600."""

    def __init__(self, journal: str) -> None:
        self.path = f"{journal}.serial"

    def read(self) -> Serial | None:
        """The serial in the file; ``None`` if there is no such file.

        :raises OSError: if it can't be read; ``UnfitFile`` if it isn't such a file.
        """
        try:
            descriptor = self._open(os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            for _read in range(_READS):
                record = os.pread(descriptor, 2 * _LENGTH, 0)
                if not record:  # the process that made the file died before it wrote
                    return None
                found = _RECORD.fullmatch(record)
                if found and int(found[3], 16) == zlib.crc32(record[: found.end(2)]):
                    return Serial(found[1].decode(), int(found[2]))
        finally:
            os.close(descriptor)
        raise UnfitFile("it doesn't hold what was written to it")

    def write(self, serial: Serial, journal: os.stat_result) -> None:
        """Write ``serial``. A new file gets the owner of the ``journal``, also if root writes it.

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


class SerialGuard:
    """Refuses a journal that has fewer changes than its serial file says. ``name`` is the journal's in messages."""

    def __init__(self, name: str, path: str) -> None:
        self._name = name
        self._file = SerialFile(path)

    def read(self) -> Serial | None:
        """The serial in the file.

        :raises JournalError: if it can't be read.
        """
        with self._explained():
            return self._file.read()

    def write(self, serial: Serial, journal: os.stat_result) -> None:
        """Write the serial.

        :raises JournalError: if it can't be written.
        """
        with self._explained():
            self._file.write(serial, journal)

    def try_to_write(self, serial: Serial, journal: os.stat_result) -> None:
        """Write the serial if that is possible now; otherwise ``check`` writes it before the next change."""
        with contextlib.suppress(OSError):
            self._file.write(serial, journal)

    def check(self, serial: Serial, journal: os.stat_result) -> Serial:
        """Return the journal's ``serial``, and write it to the file if a killed run had no time to.

        :raises JournalError: if the file says that the journal had more changes.
        """
        known = self.read()
        self.compare(known, serial)
        if known != serial:
            self.try_to_write(serial, journal)
        return serial

    def compare(self, known: Serial | None, serial: Serial | None) -> None:
        """Compare the serial that is ``known`` from the file with that in the journal.

        :raises JournalError: if the journal isn't the one that the file was written for, or an older copy of it.
        """
        if known is None or known.changes == 0:
            return
        if serial is None:
            state = "it is gone, or is a copy from before changes were counted"
        elif serial.journal_id != known.journal_id:
            state = "it is another journal"
        elif serial.changes < known.changes:
            state = f"it is an older copy with {serial.changes}"
        else:
            return
        raise JournalError(
            self._name,
            f"{self._file.path} says that {known.changes} changes were written to it, but now {state}",
            "put the newest copy back; if there is none, check in the gateways' consoles that each instance that was "
            f"created since can be found by its name, and run: {self._command()}",
        )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            if exc.errno in RUN_OUT:
                raise journal_error(self._name, exc, "") from None
            raise JournalError(
                self._name,
                f"the number of its changes is kept in {self._file.path}, which can't be used ({exc.strerror})",
                f"make sure that the journal is the newest copy, and run: {self._command()}",
            ) from None

    def _command(self) -> str:
        """The shell command that moves the serial file away."""
        return f"mv {shlex.quote(self._file.path)} {shlex.quote(self._file.path + '.old')}"


def serial_in(db: Transaction) -> Serial | None:
    """The serial in a journal; ``None`` if an earlier version wrote it, which counted no changes."""
    return counted_in(db) if db.has("serial") else None


def counted_in(db: Transaction) -> Serial:
    """The serial in a journal that counts its changes."""
    return Serial(*db.execute("SELECT journal_id, changes FROM serial")[0])


def count_changes(db: Transaction) -> Serial:
    """Make the triggers that count each change, and return the count so far."""
    if not db.has("serial"):
        db.execute("CREATE TABLE serial (journal_id TEXT NOT NULL, changes INTEGER NOT NULL)")
        # An earlier version of the collection wrote the entries that are there.
        db.execute("INSERT INTO serial SELECT ?, count(*) FROM creation", (uuid.uuid4().hex,))
    for table, events in _COUNTED.items():
        for event in events:
            db.execute(
                f"CREATE TRIGGER IF NOT EXISTS {table}_{event.lower()} AFTER {event} ON {table} "
                "BEGIN UPDATE serial SET changes = changes + 1; END"
            )
    return counted_in(db)
