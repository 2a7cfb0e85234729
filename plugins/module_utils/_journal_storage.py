# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the journal lies: in a SQLite file, or in PostgreSQL for runs on several machines."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import urlsplit

from ._errors import UsageError
from ._journal_schema import SCHEMA_VERSION, Row, Transaction, upgrade
from ._secrets import passwords_in, redact

if TYPE_CHECKING:
    import psycopg

# Seconds to wait for another transaction, each of which takes milliseconds.
_BUSY_TIMEOUT = 30.0


class JournalError(UsageError):
    """The journal can't be used; nothing is created or rebooted without it."""

    def __init__(self, name: str, reason: str, remedy: str = "repair it or name another one as journal") -> None:
        super().__init__(f"the journal {name} can't be used, and nothing is done without it: {reason}; {remedy}")


class Storage(Protocol):
    """``name`` is what messages call it; there is no password in it."""

    name: str

    def transaction(self) -> contextlib.AbstractContextManager[Transaction]:
        """Change the journal, which is made if it isn't there; durable when the block has ended.

        :raises JournalError: if that can't be.
        """

    def reading(self) -> contextlib.AbstractContextManager[Transaction | None]:
        """Look into the journal and leave no trace; ``None`` if it isn't there."""


def storage_at(location: str) -> Storage:
    """The storage of a path, or of a URL of PostgreSQL.

    :raises UsageError: if a library for it is missing.
    """
    if location.startswith(("postgresql://", "postgres://")):
        return PostgresStorage(location)
    return SqliteStorage(location)


class SqliteStorage:
    """One file of mode 0600 in a folder of mode 0700."""

    _APPLICATION_ID: ClassVar[int] = 0x6D736F70

    def __init__(self, path: str) -> None:
        self.name = os.path.abspath(os.path.expanduser(path))
        self._mutex = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._mutex, self._explained():
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield _SqliteTransaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                # A COMMIT that failed (a full disk) may have rolled back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[Transaction | None]:
        if not os.path.exists(self.name):
            yield None
            return
        with self._explained(), contextlib.closing(self._connect()) as connection:
            connection.execute("PRAGMA query_only = ON")
            yield _SqliteTransaction(connection) if self._version(connection) else None

    def _opened(self) -> sqlite3.Connection:
        # SQLite's connections must not be carried over a fork.
        if self._connection is None or self._pid != os.getpid():
            self._prepare_file()
            connection = self._connect()
            # TRUNCATE instead of WAL: home directories may lie on network file systems, which WAL can't use.
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            version = self._version(connection)
            upgrade(_SqliteTransaction(connection), version)
            if version < SCHEMA_VERSION:
                connection.execute(f"PRAGMA application_id = {self._APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
            self._connection, self._pid = connection, os.getpid()
        return self._connection

    def _prepare_file(self) -> None:
        os.makedirs(os.path.dirname(self.name), mode=0o700, exist_ok=True)
        # SQLite gives its own temporary files the mode of the database.
        os.close(os.open(self.name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if stat.S_IMODE(os.stat(self.name).st_mode) != 0o600:
            os.chmod(self.name, 0o600)

    def _connect(self) -> sqlite3.Connection:
        # Who only reads must be able to write, too: it undoes the transaction of a process that died within it.
        uri = "file:" + self.name.replace("%", "%25").replace("?", "%3f").replace("#", "%23") + "?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)

    def _version(self, connection: sqlite3.Connection) -> int:
        """Its schema, 0 for an empty file.

        :raises JournalError: for anything that isn't a journal, or a newer version's.
        """
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            return 0
        if connection.execute("PRAGMA application_id").fetchone()[0] != self._APPLICATION_ID:
            raise JournalError(self.name, "it is a database of something else", "name another file as journal")
        return check_version(self.name, connection.execute("PRAGMA user_version").fetchone()[0])

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise JournalError(self.name, str(exc)) from None
        except OSError as exc:
            raise JournalError(self.name, exc.strerror or type(exc).__name__) from None


class PostgresStorage:
    """The tables ``msgops_fleet_creation``, ``_lease`` and ``_reboot``, in the schema that the URL's user sees."""

    def __init__(self, url: str) -> None:
        try:
            import psycopg  # only who has such a journal needs it
        except ImportError:
            raise UsageError("a journal in PostgreSQL needs the Python library psycopg 3 where the task runs") from None
        try:
            psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.ProgrammingError:  # its text quotes a part of the URL
            raise UsageError("journal is no URL of PostgreSQL: percent-encode its password") from None
        self._psycopg = psycopg
        parts = urlsplit(url)
        self.name = f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._url = url
        self._mutex = threading.RLock()
        self._connection: psycopg.Connection[Row] | None = None
        self._pid = 0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._mutex, self._explained():
            connection = self._opened()
            with connection.transaction():
                # One writer at a time, as SQLite has it; the lock ends with the transaction or the connection.
                connection.execute("LOCK TABLE msgops_fleet_lease IN SHARE ROW EXCLUSIVE MODE")
                yield _PostgresTransaction(connection)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Transaction | None]:
        with self._explained(), self._connect() as connection:
            connection.read_only = True
            yield _PostgresTransaction(connection) if self._version(connection) else None

    def _opened(self) -> psycopg.Connection[Row]:
        # A connection must not be carried over a fork, and one that broke is of no use.
        if self._connection is None or self._pid != os.getpid() or self._connection.closed or self._connection.broken:
            connection = self._connect()
            connection.execute("SET synchronous_commit TO on")
            with connection.transaction():
                # Any number will do, as long as it is always the same: one run makes the tables, others wait.
                connection.execute("SELECT pg_advisory_xact_lock(7883955)")
                version = self._version(connection)
                upgrade(_PostgresTransaction(connection), version)
                if version < SCHEMA_VERSION:
                    comment = f"msgops.fleet schema {SCHEMA_VERSION}"
                    connection.execute(f"COMMENT ON TABLE msgops_fleet_creation IS '{comment}'")
            self._connection, self._pid = connection, os.getpid()
        return self._connection

    def _connect(self) -> psycopg.Connection[Row]:
        return self._psycopg.connect(self._url, connect_timeout=int(_BUSY_TIMEOUT), autocommit=True)

    def _version(self, connection: psycopg.Connection[Row]) -> int:
        """Its schema, 0 where its tables aren't there.

        :raises JournalError: for tables of something else, or of a newer version.
        """
        found = connection.execute(
            "SELECT obj_description(oid, 'pg_class') FROM pg_class WHERE oid = to_regclass('msgops_fleet_creation')"
        ).fetchone()
        if found is None:
            return 0
        version = str(found[0]).rpartition(" ")[2]
        if not version.isdecimal():
            raise JournalError(self.name, "its table msgops_fleet_creation is of something else")
        return check_version(self.name, int(version))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except self._psycopg.Error as exc:
            # Of a connection that failed, only the text tells why; it may quote the URL.
            text = " ".join(str(exc).split()) or type(exc).__name__
            failure = JournalError(self.name, exc.diag.message_primary or redact(text, passwords_in(self._url)))
        else:
            return
        raise failure


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


class _PostgresTransaction:
    prefix = "msgops_fleet_"

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        cursor = self._connection.execute(statement.replace("?", "%s"), values)
        return cursor.fetchall() if cursor.description else []

    def now(self) -> float:
        return float(self.execute("SELECT extract(epoch FROM clock_timestamp())")[0][0])

    def has(self, table: str) -> bool:
        return bool(self.execute("SELECT to_regclass(?) IS NOT NULL", (self.prefix + table,))[0][0])


def check_version(name: str, version: int) -> int:
    """The ``version``.

    :raises JournalError: for a journal of a newer version of the collection.
    """
    if version > SCHEMA_VERSION:
        raise JournalError(name, f"a newer msgops.fleet wrote it (schema {version})", "upgrade the collection")
    return version
