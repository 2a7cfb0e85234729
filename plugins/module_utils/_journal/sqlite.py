# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal in a SQLite file, which is opened as what it is: nothing is written before that is known."""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
import stat
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .._common.atomic_file import AtomicFile
from .._common.files import UnfitFile
from .schema import SCHEMA_VERSION, Row, Transaction, upgrade
from .serial import Serial, SerialFile
from .storage import BUSY_TIMEOUT, JournalError, check_version

# The file's header: https://www.sqlite.org/fileformat2.html#the_database_header
_HEADER = 100
_MAGIC = b"SQLite format 3\0"
_APPLICATION_ID = 0x6D736F70
_APPLICATION_ID_AT = slice(68, 72)

# The changes that a serial counts. Leases come and go, and nobody misses them.
_COUNTED = {"creation": ("INSERT", "UPDATE", "DELETE"), "reboot": ("INSERT",)}

# How often the file may be taken away, by a run that couldn't fill it, before this one does the same.
_OPENINGS = 100

# Device and inode of the files that this process has looked into. It does so once, because closing a file ends the
# locks that SQLite holds on it for another thread: https://www.sqlite.org/howtocorrupt.html
_recognized: set[tuple[int, int]] = set()
_recognizing = threading.Lock()


@dataclass(frozen=True)
class _Found:
    """What is at the journal's real path, and what is known of it."""

    path: str
    file: os.stat_result | None
    serial: Serial | None


class SqliteStorage:
    """One file of mode 0600 in a folder of mode 0700, and its serial beside it."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._mutex = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._mutex, self._explained():
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                if not _is_same(self._file, self._path):
                    self._connection = None
                    raise JournalError(self.name, "its file was replaced while it was in use", "run the task again")
                before = self._check_serial(connection)
                yield _SqliteTransaction(connection)
                after = _counted_in(connection)
                connection.execute("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise
            if after != before:
                # What can't be written now is written before the next change.
                with contextlib.suppress(OSError):
                    self._serial_file.write(after, self._file)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Transaction | None]:
        with self._explained():
            try:
                found = self._find()
            except FileNotFoundError:
                yield None
                return
            if not (found.file and found.file.st_size):
                yield None
                return
            with contextlib.closing(_connect(found.path)) as connection:
                connection.execute("PRAGMA query_only = ON")
                connection.execute("BEGIN")
                version = self._version(connection)
                self._compare(found.serial, _serial_in(connection), found.path)
                yield _SqliteTransaction(connection) if version else None

    # Opening

    def _opened(self) -> sqlite3.Connection:
        # SQLite's connections must not be carried over a fork.
        if self._connection is None or self._pid != os.getpid():
            self._connection = None
            self._connection, self._pid = self._open(), os.getpid()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        os.makedirs(os.path.dirname(self.name), mode=0o700, exist_ok=True)
        for _opening in range(_OPENINGS):
            found = self._find()
            self._path, self._serial_file = found.path, SerialFile(found.path)
            made = None if found.file else self._make_file()
            if not (file := found.file or made):
                continue
            # SQLite gives its own temporary files the mode of the database.
            if stat.S_IMODE(file.st_mode) != 0o600:
                os.chmod(self._path, 0o600)
            connection = _connect(self._path)
            try:
                if self._prepare(connection, file):
                    self._file = file
                    return connection
            except BaseException:
                connection.close()
                if made:
                    self._take_away(made)
                raise
            connection.close()
        raise JournalError(self.name, "its file is replaced again and again", "see who does that")

    def _make_file(self) -> os.stat_result | None:
        """The new file; ``None`` if another run has just made one."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return None
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def _prepare(self, connection: sqlite3.Connection, file: os.stat_result) -> bool:
        """Bring the tables up to date; false if ``file`` isn't in place any more."""
        # TRUNCATE instead of WAL: home directories may lie on network file systems, which WAL can't use.
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not _is_same(file, self._path):
                return False
            version = self._version(connection)
            known = self._read_serial(self._path)
            self._compare(known, _serial_in(connection), self._path)
            upgrade(_SqliteTransaction(connection), version)
            if version < SCHEMA_VERSION:
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            serial = _count_changes(connection)
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise
        if known != serial:
            # Made before anything depends on it; later it is only written over, for which there is always room.
            with self._blaming_serial(self._path):
                self._serial_file.write(serial, file)
        return True

    def _take_away(self, file: os.stat_result) -> None:
        """Leave no empty file behind; a run that has opened it meanwhile sees that before its first change."""
        with contextlib.suppress(OSError):
            if _is_same(file, self._path) and os.stat(self._path).st_size == 0:
                os.unlink(self._path)

    # What is there

    def _find(self) -> _Found:
        """What is there: a journal, an empty file of this user, or nothing, if that is no less than it has been.

        :raises FileNotFoundError: if there is no such folder.
        :raises UnfitFile: if anything else is there.
        :raises JournalError: if there is nothing any more.
        """
        with contextlib.closing(AtomicFile(self.name)) as target:
            path = os.path.join(target.folder, target.name)
            # Read before the journal, in which a change is counted first.
            serial = self._read_serial(path)
            file = target.stat()
            if not (file and file.st_size):
                self._compare(serial, None, path)
            if file and not file.st_size and file.st_uid != os.geteuid():
                raise UnfitFile("it is empty, and belongs to another user")
            if file:
                with _recognizing:
                    if file.st_size and (file.st_dev, file.st_ino) not in _recognized:
                        self._recognize(target)
                    _recognized.add((file.st_dev, file.st_ino))
        return _Found(path, file, serial)

    @staticmethod
    def _recognize(target: AtomicFile) -> None:
        with open(target.open(os.O_RDONLY), "rb", buffering=0) as content:
            header = content.read(_HEADER)
        if not header.startswith(_MAGIC):
            raise UnfitFile("it is no journal, and was left as it is")
        if header[_APPLICATION_ID_AT] != _APPLICATION_ID.to_bytes(4, "big"):
            raise UnfitFile("it is a database of something else, and was left as it is")

    def _version(self, connection: sqlite3.Connection) -> int:
        """The schema of the tables, 0 in an empty file.

        :raises JournalError: for a database that isn't a journal, or of a newer version.
        """
        if _is_empty(connection):
            return 0
        if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
            raise UnfitFile("it is a database of something else")
        return check_version(self.name, connection.execute("PRAGMA user_version").fetchone()[0])

    # The serial

    def _check_serial(self, connection: sqlite3.Connection) -> Serial:
        """What the journal has seen, which is written beside it if a run had no time to.

        :raises JournalError: if it has seen less than it had.
        """
        known, serial = self._read_serial(self._path), _counted_in(connection)
        self._compare(known, serial, self._path)
        if known != serial:
            with contextlib.suppress(OSError):
                self._serial_file.write(serial, self._file)
        return serial

    def _read_serial(self, path: str) -> Serial | None:
        with self._blaming_serial(path):
            return SerialFile(path).read()

    @contextlib.contextmanager
    def _blaming_serial(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            serial_file = SerialFile(path).path
            raise JournalError(
                self.name,
                f"how many changes it has seen is kept in {serial_file}, which can't be used ({exc.strerror})",
                f"make sure that the journal is the newest there is, and run: {_moving_away(serial_file)}",
            ) from None

    def _compare(self, known: Serial | None, serial: Serial | None, path: str) -> None:
        """:raises JournalError: if the journal is none that has seen what is ``known``."""
        if known is None or known.changes == 0:
            return
        if serial is None:
            state = "it is gone, or is a copy from before they were counted"
        elif serial.journal_id != known.journal_id:
            state = "it is another journal"
        elif serial.changes < known.changes:
            state = f"it is an older copy, which has seen {serial.changes}"
        else:
            return
        serial_file = SerialFile(path).path
        raise JournalError(
            self.name,
            f"{known.changes} changes were written to it, as {serial_file} says, but now {state}",
            "put the newest copy back; if there is none, see in the gateways' consoles whether each instance that was "
            f"created since can be found by its name, and run: {_moving_away(serial_file)}",
        )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UnfitFile as exc:
            raise JournalError(self.name, str(exc.strerror), "name another file as journal") from None
        except sqlite3.Error as exc:
            raise JournalError(self.name, str(exc)) from None
        except OSError as exc:
            raise JournalError(self.name, exc.strerror or type(exc).__name__) from None


class _SqliteTransaction:
    prefix = ""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()

    def now(self) -> float:
        return time.time()

    def has(self, table: str) -> bool:
        return bool(self.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)))


def _connect(path: str) -> sqlite3.Connection:
    # Who only reads must be able to write, too: it undoes the transaction of a process that died within it.
    uri = "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23") + "?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)


def _roll_back(connection: sqlite3.Connection) -> None:
    # A COMMIT that failed (a full disk) may have rolled back by itself.
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def _is_same(file: os.stat_result, path: str) -> bool:
    try:
        return os.path.samestat(file, os.lstat(path))
    except FileNotFoundError:
        return False


def _serial_in(connection: sqlite3.Connection) -> Serial | None:
    """``None`` in a journal whose changes nobody has counted yet."""
    return _counted_in(connection) if _SqliteTransaction(connection).has("serial") else None


def _counted_in(connection: sqlite3.Connection) -> Serial:
    return Serial(*connection.execute("SELECT journal_id, changes FROM serial").fetchone())


def _count_changes(connection: sqlite3.Connection) -> Serial:
    """Count the changes from now on, whoever makes them; what was counted until now comes back."""
    if not _SqliteTransaction(connection).has("serial"):
        connection.execute("CREATE TABLE serial (journal_id TEXT NOT NULL, changes INTEGER NOT NULL)")
        # An earlier version has made the entries that are there.
        connection.execute("INSERT INTO serial SELECT ?, count(*) FROM creation", (uuid.uuid4().hex,))
    for table, events in _COUNTED.items():
        for event in events:
            connection.execute(
                f"CREATE TRIGGER IF NOT EXISTS {table}_{event.lower()} AFTER {event} ON {table} "
                "BEGIN UPDATE serial SET changes = changes + 1; END"
            )
    return _counted_in(connection)


def _moving_away(path: str) -> str:
    """A command for a shell."""
    return f"mv {shlex.quote(path)} {shlex.quote(path + '.old')}"
