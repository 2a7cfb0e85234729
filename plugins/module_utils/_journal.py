# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The write-ahead journal of creations: what was begun, and what is known of its outcome.

An entry is durable before its creation is posted, so neither a crash nor a lost answer makes a later run create the
same instance again. It never holds a token.

Runs that share a journal take turns at a name: ``locked`` gives a lease on names, which a heartbeat renews and which
lapses when its process dies. The lease only keeps runs from getting in each other's way. What makes a second creation
impossible is that an entry is changed in one transaction, by the holder of its lease alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import sqlite3
import stat
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ._errors import UsageError
from ._gateway import utc_now

Status = Literal["pending", "created", "rejected", "unknown", "delivered"]

STATUSES: tuple[Status, ...] = get_args(Status)

# What was begun, and may or may not have happened.
OPEN: tuple[Status, ...] = ("pending", "unknown")

_APPLICATION_ID = 0x6D736F70
_SCHEMA_VERSION = 1
_SCHEMA = f"""
CREATE TABLE creation (
    provider TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'created', 'rejected', 'unknown', 'delivered')),
    instance_id TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (provider, account, name)
);
CREATE TABLE lease (
    provider TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY (provider, account, name)
);
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_SCHEMA_VERSION};
"""

# Seconds. A process that was killed keeps its names for the length of a lease.
_LEASE = 10.0
_HEARTBEAT = 2.5
_LONGEST_WAIT = 600.0
_BUSY_TIMEOUT = 30.0


@dataclass(frozen=True, order=True)
class Key:
    """What an entry stands for: a name in an account, which is known by its fingerprint."""

    provider: str
    account: str
    name: str


@dataclass(frozen=True)
class Entry:
    """One creation: times are ISO 8601 in UTC."""

    key: Key
    operation_id: str
    payload_hash: str
    status: Status
    instance_id: str | None
    created_at: str
    updated_at: str

    def as_result(self) -> dict[str, Any]:
        """The entry as the module returns it."""
        return {
            "provider": self.key.provider,
            "account": self.key.account,
            "name": self.key.name,
            "status": self.status,
            "id": self.instance_id,
            "operation_id": self.operation_id,
            "payload_hash": self.payload_hash,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


class JournalError(UsageError):
    """The journal can't be used; nothing is created without it."""


def fingerprint(provider: str, api_url: str, partner_token: str) -> str:
    """A name for an account that doesn't give its token away."""
    return hashlib.sha256("\0".join((provider, api_url, partner_token)).encode()).hexdigest()[:16]


def hash_payload(payload: Mapping[str, Any]) -> str:
    """What a creation sends, in short."""
    return hashlib.sha256(json.dumps(dict(payload), sort_keys=True).encode()).hexdigest()


class Journal:
    """The journal in one SQLite file, safe to use from several threads and processes."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))
        self._mutex = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0

    def open(self) -> None:
        """Create the file if it isn't there, and check that it can be written.

        :raises JournalError: if it can't, or isn't a journal of this version.
        """
        with self._transaction():
            pass

    def peek(self, keys: Collection[Key]) -> dict[Key, Entry]:
        """The entries of ``keys``, without leaving a trace; none if there is no journal yet.

        :raises JournalError: if the file can't be read.
        """
        if not os.path.exists(self.path):
            return {}
        with self._explained(), contextlib.closing(self._connect("ro")) as connection:
            _check_schema(self.path, connection)
            return _entries(connection, keys)

    def entries(self) -> list[Entry]:
        """All entries, by provider, account and name."""
        if not os.path.exists(self.path):
            return []
        with self._explained(), contextlib.closing(self._connect("ro")) as connection:
            _check_schema(self.path, connection)
            return sorted(_entries(connection, None).values(), key=lambda entry: entry.key)

    @contextlib.contextmanager
    def locked(self, keys: Collection[Key]) -> Iterator[Lease]:
        """Wait until no other run works on any of ``keys``, and keep them until the block ends.

        :raises JournalError: if the journal can't be written, or another run doesn't come to an end.
        """
        lease = Lease(self, uuid.uuid4().hex, frozenset(keys))
        lease.acquire()
        try:
            yield lease
        finally:
            lease.release()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._mutex, self._explained():
            connection = self._open_connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A failed COMMIT (a full disk) may have rolled back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _open_connection(self) -> sqlite3.Connection:
        # SQLite's connections must not be carried over a fork.
        if self._connection is None or self._pid != os.getpid():
            _prepare_file(self.path)
            connection = self._connect("rw")
            # TRUNCATE instead of WAL: home directories may lie on network file systems, which WAL can't use.
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            if _is_empty(connection):
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
            connection.execute("COMMIT")
            _check_schema(self.path, connection)
            self._connection, self._pid = connection, os.getpid()
        return self._connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        uri = "file:" + self.path.replace("%", "%25").replace("?", "%3f").replace("#", "%23") + f"?mode={mode}"
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite and the file system say into one line that names the journal."""
        try:
            yield
        except (sqlite3.Error, OSError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else str(exc)
            raise JournalError(
                f"the journal {self.path} can't be used ({reason}), and nothing is created without it; "
                "repair it or name another file as journal"
            ) from None


class Lease:
    """The right to change some entries, until it is released or its process dies."""

    def __init__(self, journal: Journal, owner: str, keys: frozenset[Key]) -> None:
        self._journal = journal
        self._owner = owner
        self._keys = keys
        self._ended = threading.Event()
        self.entries: dict[Key, Entry] = {}

    def acquire(self) -> None:
        """Take all keys at once or none, so that two runs can't wait for each other."""
        give_up_at = time.monotonic() + _LONGEST_WAIT
        while (busy := self._try_to_acquire()) is not None:
            if time.monotonic() > give_up_at:
                raise JournalError(f"another run has been working on {busy.name} for too long; try again later")
            time.sleep(0.1)
        threading.Thread(target=self._keep_alive, daemon=True).start()

    def release(self) -> None:
        """Let other runs have the keys."""
        self._ended.set()
        # A lease that can't be given back lapses.
        with contextlib.suppress(JournalError), self._journal._transaction() as db:
            db.execute("DELETE FROM lease WHERE owner = ?", (self._owner,))

    def begin(self, key: Key, payload_hash: str) -> None:
        """Write ``pending``, durably: only after this may the creation be posted.

        :raises JournalError: if that can't be, or another run has taken the name over.
        """
        now = utc_now()
        self._write([Entry(key, uuid.uuid4().hex, payload_hash, "pending", None, now, now)])

    def settle(self, outcomes: Mapping[Key, tuple[Status, str | None]]) -> None:
        """Write status and instance ID: what became of creations, or of instances that were there before.

        :raises JournalError: if it can't be written, or another run has taken a name over.
        """
        now = utc_now()
        self._write(
            [
                dataclasses.replace(
                    self.entries.get(key) or Entry(key, uuid.uuid4().hex, "", status, None, now, now),
                    status=status,
                    instance_id=instance_id,
                    updated_at=now,
                )
                for key, (status, instance_id) in outcomes.items()
            ]
        )

    def _try_to_acquire(self) -> Key | None:
        now = time.time()
        with self._journal._transaction() as db:
            for key in sorted(self._keys):
                row = db.execute("SELECT expires FROM lease WHERE (provider, account, name) = (?, ?, ?)", _row(key))
                held = row.fetchone()
                if held is not None and now < held[0] <= now + _LEASE:
                    return key
            db.executemany(
                "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?)",
                [(*_row(key), self._owner, now + _LEASE) for key in self._keys],
            )
            self.entries = _entries(db, self._keys)
        return None

    def _keep_alive(self) -> None:
        while not self._ended.wait(_HEARTBEAT):
            # What can't be renewed lapses; whoever takes over is kept from harm by the check in _write.
            with contextlib.suppress(JournalError), self._journal._transaction() as db:
                db.execute("UPDATE lease SET expires = ? WHERE owner = ?", (time.time() + _LEASE, self._owner))

    def _write(self, entries: Collection[Entry]) -> None:
        with self._journal._transaction() as db:
            owned = {
                Key(*row)
                for row in db.execute("SELECT provider, account, name FROM lease WHERE owner = ?", (self._owner,))
            }
            for entry in entries:
                if entry.key not in owned:
                    raise JournalError(f"another run has taken {entry.key.name} over; run the task again")
            db.executemany(
                "INSERT OR REPLACE INTO creation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(*_row(entry.key), *dataclasses.astuple(entry)[1:]) for entry in entries],
            )
        self.entries.update((entry.key, entry) for entry in entries)


def _prepare_file(path: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    # SQLite gives its own temporary files the mode of the database.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if stat.S_IMODE(os.stat(path).st_mode) != 0o600:
        os.chmod(path, 0o600)


def _is_empty(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,))


def _check_schema(path: str, connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != _APPLICATION_ID and not _is_empty(connection):
        raise JournalError(f"{path} is a database, but not a journal of msgops.fleet; name another file as journal")
    if version > _SCHEMA_VERSION:
        raise JournalError(
            f"the journal {path} was written by a newer msgops.fleet (schema {version}); upgrade the collection"
        )


def _entries(connection: sqlite3.Connection, keys: Collection[Key] | None) -> dict[Key, Entry]:
    if _is_empty(connection):
        return {}
    rows = connection.execute("SELECT * FROM creation").fetchall()
    found = (Entry(Key(*row[:3]), *row[3:]) for row in rows)
    return {entry.key: entry for entry in found if keys is None or entry.key in keys}


def _row(key: Key) -> tuple[str, str, str]:
    return (key.provider, key.account, key.name)
