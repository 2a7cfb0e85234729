# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal in a SQLite file. Nothing is written to a file before it is recognized as empty or as a journal."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .._common.atomic_file import AtomicFile
from .._common.files import UnfitFile, make_folder
from .schema import SCHEMA_VERSION, Row, Transaction, upgrade
from .serial import Serial, SerialGuard, count_changes, counted_in, serial_in
from .storage import BUSY_TIMEOUT, JournalError, check_version, journal_error

# The file's header: https://www.sqlite.org/fileformat2.html#the_database_header
_HEADER = 100
_MAGIC = b"SQLite format 3\0"
_APPLICATION_ID = 0x6D736F70
_APPLICATION_ID_AT = slice(68, 72)

# Give up after the file was removed this many times between making and opening it: another run removes the file that
# it has made if it can't create the tables in it.
_OPENINGS = 100

# Device and inode of the files whose header this process has read. It reads each header only once, because closing a
# file ends the locks that SQLite holds on it in another thread: https://www.sqlite.org/howtocorrupt.html
_recognized: set[tuple[int, int]] = set()
_recognizing = threading.Lock()


@dataclass(frozen=True)
class _Found:
    """The file at the journal's real path, and the serial beside it; ``None`` for what isn't there."""

    path: str
    file: os.stat_result | None
    serial: Serial | None


class SqliteStorage:
    """A file of mode 0600 in a folder of mode 0700, with its serial file beside it."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._mutex = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._mutex, self._explained():
            connection = self._opened()
            db = _SqliteTransaction(connection)
            connection.execute("BEGIN IMMEDIATE")
            try:
                if not _is_same(self._file, self._path):
                    self._connection = None
                    raise JournalError(self.name, "its file was replaced while it was in use", "run the task again")
                before = self._guard.check(counted_in(db), self._file)
                yield db
                after = counted_in(db)
                connection.execute("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise
            if after != before:
                self._guard.try_to_write(after, self._file)

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
                db = _SqliteTransaction(connection)
                SerialGuard(self.name, found.path).compare(found.serial, serial_in(db))
                yield db if version else None

    # Opening

    def _opened(self) -> sqlite3.Connection:
        # A forked process needs its own connection: https://www.sqlite.org/howtocorrupt.html
        if self._connection is None or self._pid != os.getpid():
            self._connection = None
            self._connection, self._pid = self._open(), os.getpid()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        make_folder(os.path.dirname(self.name), 0o700)
        for _opening in range(_OPENINGS):
            found = self._find()
            self._path, self._guard = found.path, SerialGuard(self.name, found.path)
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
                    self._remove_empty(made)
                raise
            connection.close()
        raise JournalError(self.name, "its file is replaced again and again", "find the process that replaces it")

    def _make_file(self) -> os.stat_result | None:
        """Make an empty file; ``None`` if another run has just made one."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return None
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def _prepare(self, connection: sqlite3.Connection, file: os.stat_result) -> bool:
        """Make or upgrade the tables; false if ``file`` was replaced."""
        # TRUNCATE and not WAL, because WAL doesn't work on network file systems, where home directories may be.
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not _is_same(file, self._path):
                return False
            version = self._version(connection)
            db = _SqliteTransaction(connection)
            known = self._guard.read()
            self._guard.compare(known, serial_in(db))
            upgrade(db, version)
            if version < SCHEMA_VERSION:
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            serial = count_changes(db)
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise
        if known != serial:
            # Make the file before anything depends on it: overwriting it later needs no room on the disk.
            self._guard.write(serial, file)
        return True

    def _remove_empty(self, file: os.stat_result) -> None:
        """Remove a file that has no tables. A run that has opened it notices that before its first change."""
        with contextlib.suppress(OSError):
            if _is_same(file, self._path) and os.stat(self._path).st_size == 0:
                os.unlink(self._path)

    # Recognizing

    def _find(self) -> _Found:
        """Look for a journal, an empty file of this user, or no file.

        :raises FileNotFoundError: if the folder doesn't exist.
        :raises UnfitFile: if anything else is there.
        :raises JournalError: if the serial file says that there was a journal.
        """
        with contextlib.closing(AtomicFile(self.name)) as target:
            path = os.path.join(target.folder, target.name)
            guard = SerialGuard(self.name, path)
            # Read it before the journal: a transaction counts its change there first.
            serial = guard.read()
            file = target.stat()
            if not (file and file.st_size):
                guard.compare(serial, None)
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
            raise UnfitFile("it is another application's database, and was left as it is")

    def _version(self, connection: sqlite3.Connection) -> int:
        """The schema version of the tables, 0 in an empty file.

        :raises UnfitFile: if the database isn't a journal.
        :raises JournalError: if a newer version of the collection wrote it.
        """
        if _is_empty(connection):
            return 0
        if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
            raise UnfitFile("it is another application's database")
        return check_version(self.name, connection.execute("PRAGMA user_version").fetchone()[0])

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UnfitFile as exc:
            raise JournalError(self.name, str(exc.strerror), "name another file as journal") from None
        except (sqlite3.Error, MemoryError) as exc:
            raise journal_error(self.name, exc, str(exc)) from None
        except OSError as exc:
            raise journal_error(self.name, exc, exc.strerror or type(exc).__name__) from None


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
    # Also for reading, mode=rw: SQLite must roll back the transaction of a process that died within it.
    uri = "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23") + "?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)


def _roll_back(connection: sqlite3.Connection) -> None:
    # A failed COMMIT (on a full disk) may have rolled back already.
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def _is_same(file: os.stat_result, path: str) -> bool:
    try:
        return os.path.samestat(file, os.lstat(path))
    except FileNotFoundError:
        return False
