# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal in PostgreSQL, for runs on several machines."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .._common.errors import UsageError
from .._common.masking import passwords_in, redact
from .schema import SCHEMA_VERSION, Row, Transaction, upgrade
from .storage import BUSY_TIMEOUT, JournalError, check_version, journal_error

if TYPE_CHECKING:
    import psycopg


# libpq takes text up to the first @, which must be before a slash, for user and password:
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
_UNAMBIGUOUS = re.compile(r"(?:[^@/]*@)?[^@]*")


class PostgresStorage:
    """The tables whose names begin with ``msgops_fleet_``, in the first schema of the URL's user."""

    def __init__(self, url: str) -> None:
        try:
            import psycopg  # an optional requirement
        except ImportError:
            raise UsageError("a journal in PostgreSQL needs the Python library psycopg 3 where the task runs") from None
        self._psycopg = psycopg
        self._url = _checked(url, psycopg)
        self.name = "postgresql://" + self._url.partition("://")[2].rpartition("@")[2].partition("?")[0]
        self._mutex = threading.RLock()
        self._connection: psycopg.Connection[Row] | None = None
        self._pid = 0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._mutex, self._explained():
            connection = self._opened()
            with connection.transaction():
                # One writer at a time, as in SQLite. The lock ends with the transaction or the connection.
                connection.execute("LOCK TABLE msgops_fleet_lease IN SHARE ROW EXCLUSIVE MODE")
                yield _PostgresTransaction(connection)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Transaction | None]:
        with self._explained(), self._connect() as connection:
            connection.read_only = True
            yield _PostgresTransaction(connection) if self._version(connection) else None

    def _opened(self) -> psycopg.Connection[Row]:
        # A forked process needs its own connection.
        if self._connection is None or self._pid != os.getpid() or self._connection.closed or self._connection.broken:
            connection = self._connect()
            connection.execute("SET synchronous_commit TO on")
            with connection.transaction():
                # An arbitrary constant: one run makes the tables, and others wait for its lock.
                connection.execute("SELECT pg_advisory_xact_lock(7883955)")
                version = self._version(connection)
                upgrade(_PostgresTransaction(connection), version)
                if version < SCHEMA_VERSION:
                    comment = f"msgops.fleet schema {SCHEMA_VERSION}"
                    connection.execute(f"COMMENT ON TABLE msgops_fleet_creation IS '{comment}'")
            self._connection, self._pid = connection, os.getpid()
        return self._connection

    def _connect(self) -> psycopg.Connection[Row]:
        return self._psycopg.connect(self._url, connect_timeout=int(BUSY_TIMEOUT), autocommit=True)

    def _version(self, connection: psycopg.Connection[Row]) -> int:
        """The schema version of the tables, 0 if there are none.

        :raises JournalError: if the tables aren't a journal's, or of a newer version.
        """
        found = connection.execute(
            "SELECT obj_description(oid, 'pg_class') FROM pg_class WHERE oid = to_regclass('msgops_fleet_creation')"
        ).fetchone()
        if found is None:
            return 0
        version = str(found[0]).rpartition(" ")[2]
        if not version.isdecimal():
            raise JournalError(self.name, "its table msgops_fleet_creation is another application's")
        return check_version(self.name, int(version))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except MemoryError as exc:
            failure = journal_error(self.name, exc, "")
        except self._psycopg.Error as exc:
            # A failed connection has no diagnostics but its text, which may quote the URL.
            text = " ".join(str(exc).split()) or type(exc).__name__
            reason = exc.diag.message_primary or redact(text, passwords_in(self._url))
            failure = journal_error(self.name, exc, reason)
        else:
            return
        raise failure


def _checked(url: str, psycopg: ModuleType) -> str:
    """Return the URL if libpq can parse it.

    :raises UsageError: if it can't, or if a part of the password could be taken for the host, which messages show. The
        error shows nothing of the URL.
    """
    rest = url.partition("://")[2]
    try:
        if _UNAMBIGUOUS.fullmatch(rest):
            psycopg.conninfo.conninfo_to_dict(f"postgresql://{rest}")
            return f"postgresql://{rest}"
    except psycopg.ProgrammingError:  # its text quotes a part of the URL
        pass
    raise UsageError(
        "journal is no URL of PostgreSQL: percent-encode special characters in its user name and password (@ is %40, "
        "/ is %2F, # is %23, ? is %3F, % is %25), or give the password in PGPASSWORD or PGPASSFILE"
    )


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
