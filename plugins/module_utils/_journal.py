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
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ._gateway import utc_now
from ._journal_storage import JournalError, Storage, Transaction, storage_at

Status = Literal["pending", "created", "rejected", "unknown", "delivered"]

STATUSES: tuple[Status, ...] = get_args(Status)

# What was begun, and may or may not have happened.
OPEN: tuple[Status, ...] = ("pending", "unknown")

_COLUMNS = (
    "provider",
    "account",
    "name",
    "operation_id",
    "payload_hash",
    "status",
    "instance_id",
    "created_at",
    "updated_at",
)

# Seconds. A process that was killed keeps its names for the length of a lease.
_LEASE = 10.0
_HEARTBEAT = 2.5
_LONGEST_WAIT = 600.0


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


def fingerprint(provider: str, api_url: str, partner_token: str) -> str:
    """A name for an account that doesn't give its token away."""
    return hashlib.sha256("\0".join((provider, api_url, partner_token)).encode()).hexdigest()[:16]


def hash_payload(payload: Mapping[str, Any]) -> str:
    """What a creation sends, in short."""
    return hashlib.sha256(json.dumps(dict(payload), sort_keys=True).encode()).hexdigest()


class Journal:
    """The journal in a SQLite file or in PostgreSQL, safe to use from several threads and processes."""

    def __init__(self, location: str) -> None:
        self._storage = storage_at(location)

    @property
    def name(self) -> str:
        """Where it lies, without a password."""
        return self._storage.name

    def peek(self, keys: Collection[Key]) -> dict[Key, Entry]:
        """The entries of ``keys``, without leaving a trace; none if there is no journal yet.

        :raises JournalError: if it can't be read.
        """
        with self._storage.reading() as db:
            return _entries(db, keys) if db else {}

    def entries(self) -> list[Entry]:
        """All entries, by provider, account and name.

        :raises JournalError: if it can't be read.
        """
        with self._storage.reading() as db:
            return sorted(_entries(db, None).values(), key=lambda entry: entry.key) if db else []

    @contextlib.contextmanager
    def locked(self, keys: Collection[Key]) -> Iterator[Lease]:
        """Wait until no other run works on any of ``keys``, and keep them until the block ends.

        :raises JournalError: if the journal can't be written, or another run doesn't come to an end.
        """
        lease = Lease(self._storage, uuid.uuid4().hex, frozenset(keys))
        lease.acquire()
        try:
            yield lease
        finally:
            lease.release()


class Lease:
    """The right to change some entries, until it is released or its process dies."""

    def __init__(self, storage: Storage, owner: str, keys: frozenset[Key]) -> None:
        self._storage = storage
        self._owner = owner
        self._keys = keys
        self._ended = threading.Event()
        self.entries: dict[Key, Entry] = {}

    def acquire(self) -> None:
        """Take all keys at once or none, so that two runs can't wait for each other."""
        give_up_at = time.monotonic() + _LONGEST_WAIT
        while (busy := self._try_to_acquire()) is not None:
            if time.monotonic() > give_up_at:
                raise JournalError(self._storage.name, f"another run keeps working on {busy.name}", "try again later")
            time.sleep(0.1)
        threading.Thread(target=self._keep_alive, daemon=True).start()

    def release(self) -> None:
        """Let other runs have the keys."""
        self._ended.set()
        # A lease that can't be given back lapses.
        with contextlib.suppress(JournalError), self._storage.transaction() as db:
            db.execute(f"DELETE FROM {db.prefix}lease WHERE owner = ?", (self._owner,))

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
        with self._storage.transaction() as db:
            now = db.now()
            # A lease that ends later than any can was given by a clock that has since been put back.
            held = db.execute(
                f"SELECT provider, account, name FROM {db.prefix}lease WHERE expires > ? AND expires <= ?",
                (now, now + _LEASE),
            )
            for row in held:
                if Key(*row) in self._keys:
                    return Key(*row)
            for key in sorted(self._keys):
                db.execute(
                    f"INSERT INTO {db.prefix}lease (provider, account, name, owner, expires) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (provider, account, name) DO UPDATE "
                    "SET owner = excluded.owner, expires = excluded.expires",
                    (*_row(key), self._owner, now + _LEASE),
                )
            self.entries = _entries(db, self._keys)
        return None

    def _keep_alive(self) -> None:
        while not self._ended.wait(_HEARTBEAT):
            # What can't be renewed lapses; whoever takes over is kept from harm by the check in _write.
            with contextlib.suppress(JournalError), self._storage.transaction() as db:
                db.execute(f"UPDATE {db.prefix}lease SET expires = ? WHERE owner = ?", (db.now() + _LEASE, self._owner))

    def _write(self, entries: Collection[Entry]) -> None:
        with self._storage.transaction() as db:
            rows = db.execute(f"SELECT provider, account, name FROM {db.prefix}lease WHERE owner = ?", (self._owner,))
            owned = {Key(*row) for row in rows}
            for entry in entries:
                if entry.key not in owned:
                    raise JournalError(
                        self._storage.name, f"another run has taken {entry.key.name} over", "run the task again"
                    )
                db.execute(
                    f"INSERT INTO {db.prefix}creation ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (provider, account, name) DO UPDATE SET "
                    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[3:]),
                    (*_row(entry.key), *dataclasses.astuple(entry)[1:]),
                )
        self.entries.update((entry.key, entry) for entry in entries)


def _entries(db: Transaction, keys: Collection[Key] | None) -> dict[Key, Entry]:
    rows = db.execute(f"SELECT {', '.join(_COLUMNS)} FROM {db.prefix}creation")
    found = (Entry(Key(*row[:3]), *row[3:]) for row in rows)
    return {entry.key: entry for entry in found if keys is None or entry.key in keys}


def _row(key: Key) -> tuple[str, str, str]:
    return (key.provider, key.account, key.name)
