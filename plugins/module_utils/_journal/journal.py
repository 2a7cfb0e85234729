# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The write-ahead journal of creations: which ones were begun, and with which outcome.

A run writes an entry durably before it posts the creation, so that after a crash or a lost response no later run
creates the same instance again. An entry never holds a token.

Runs that share a journal take turns at a name: ``locked`` gives a run a lease on names. A thread of the run renews the
lease by a heartbeat; when the process dies, the lease lapses. A run that waits for the lease finds that out by watching
the heartbeat. It compares no clocks, neither with those of other machines nor with its own, which may be set back. The
lease only keeps runs from waiting for each other's failures. A second creation is impossible because an entry is
changed in one transaction, and only by the owner of its lease.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import select
import threading
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._common.paths import journal_kind
from .._common.timestamps import utc_now
from .._vendors.accounts import Access, Account, dump_accesses, load_accesses
from .entries import Entry, Key, Memory, Use
from .location import storage_at
from .schema import Transaction, creations
from .storage import JournalError, Storage


@dataclass(frozen=True)
class LeasePolicy:
    """The times of leases, all in seconds.

    A waiting run takes over a lease that got no heartbeat for its ``duration``. The owner sends one every
    ``heartbeat``. A waiting run looks at the lease every ``poll_interval``, and fails after ``wait_timeout``.
    """

    duration: float = 10.0
    heartbeat: float = 2.5
    poll_interval: float = 0.1
    wait_timeout: float = 600.0


LEASE_POLICY = LeasePolicy()


class Journal:
    """The journal in a SQLite file or in PostgreSQL, safe to use from several threads and processes."""

    def __init__(self, location: str, policy: LeasePolicy = LEASE_POLICY) -> None:
        self._storage = storage_at(location)
        self._policy = policy
        # For commands in messages: absolute, because a person may run them in another folder.
        self.location = self._storage.name if journal_kind(location) == "file" else location

    @property
    def name(self) -> str:
        """The path, or the URL without its password."""
        return self._storage.name

    def read(self, keys: Collection[Key] | None = None) -> Memory:
        """Return the entries of ``keys``, by default all, and the accesses. It writes nothing.

        :raises JournalError: if it can't be read.
        """
        with self._storage.reading() as db:
            return _memory(db, keys) if db else Memory()

    @contextlib.contextmanager
    def locked(self, keys: Collection[Key]) -> Iterator[Lease]:
        """Wait until no other run has a lease on any of ``keys``, and hold one until the block ends.

        :raises JournalError: if the journal can't be written, or another run doesn't end in time.
        """
        lease = Lease(self._storage, uuid.uuid4().hex, frozenset(keys), self._policy)
        lease.acquire()
        try:
            yield lease
        finally:
            lease.release()


class Lease:
    """The right to change the entries of some keys, until it is released or its process dies."""

    def __init__(self, storage: Storage, owner: str, keys: frozenset[Key], policy: LeasePolicy) -> None:
        self._storage = storage
        self._policy = policy
        self._owner = owner
        self._keys = keys
        self._end: int | None = None
        self.memory = Memory()
        self._written: dict[str, Entry] = {}

    def acquire(self) -> None:
        """Lease all keys in one transaction or none, so that two runs can't wait for each other.

        :raises JournalError: if the journal can't be written, or another run doesn't end in time.
        """
        give_up_at = time.monotonic() + self._policy.wait_timeout
        watch = _Watch(self._policy.poll_interval)
        while (busy := self._try_to_acquire(watch)) is not None:
            if time.monotonic() > give_up_at:
                raise JournalError(self._storage.name, f"another run keeps working on {busy.name}", "try again later")
            time.sleep(self._policy.poll_interval)
        try:
            ended, self._end = os.pipe()
            threading.Thread(target=self._keep_alive, args=(ended,), daemon=True).start()
        except (OSError, RuntimeError):
            self.release()
            reason = "this process can't start one more thread, or open one more pipe, to renew its lease"
            raise JournalError(self._storage.name, reason, "raise this user's limits") from None

    def release(self) -> None:
        """End the heartbeat, and give the keys back."""
        end, self._end = self._end, None
        if end is not None:
            os.close(end)
        # If the journal can't be written now, the lease lapses.
        with contextlib.suppress(JournalError), self._storage.transaction() as db:
            db.execute(f"DELETE FROM {db.prefix}lease WHERE owner = ?", (self._owner,))

    def begin(self, entry: Entry, instead_of: Entry | None = None) -> None:
        """Write ``entry``, which is ``pending``, durably. The creation may be posted only after this.

        ``instead_of`` is the name's former entry, which is removed.

        :raises JournalError: if it can't be written, or another run has taken the lease over.
        """
        self._write([entry], [instead_of] if instead_of else [])

    def record(self, entries: Collection[Entry]) -> None:
        """Write those of ``entries`` that differ from what the journal holds.

        :raises JournalError: if they can't be written, or another run has taken the lease over.
        """
        if changed := [entry for entry in entries if self._written.get(entry.operation_id) != entry]:
            self._write(changed, [])

    def forget(self, entry: Entry) -> None:
        """Remove ``entry``.

        :raises JournalError: if the journal can't be written, or another run has taken the lease over.
        """
        self._write([], [entry])

    def note_uses(self, listed: Mapping[Account, bool]) -> None:
        """Record by which accesses this run uses accounts, and which of them gave a listing.

        :raises JournalError: if it can't be written.
        """
        now = utc_now()
        with self._storage.transaction() as db:
            for account, was_listed in listed.items():
                access = (account.address, account.token)
                db.execute(
                    f"INSERT INTO {db.prefix}access (provider, account, address, token, first_seen, last_seen, "
                    "listed_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (provider, account, address, token) "
                    "DO UPDATE SET last_seen = excluded.last_seen, "
                    f"listed_at = COALESCE(excluded.listed_at, {db.prefix}access.listed_at)",
                    (account.provider, account.name or "", *access, now, now, now if was_listed else None),
                )
                # Replace the account's fingerprint of schema 1 by this access, in all of its entries.
                for former in account.former:
                    db.execute(
                        f"UPDATE {db.prefix}creation SET accesses = ?, fingerprint = NULL "
                        "WHERE provider = ? AND fingerprint = ? AND accesses = '[]'",
                        (dump_accesses([account.access]), account.provider, former),
                    )

    def _try_to_acquire(self, watch: _Watch) -> Key | None:
        with self._storage.transaction() as db:
            held = db.execute(f"SELECT provider, name, owner, beat, lasts FROM {db.prefix}lease")
            busy = [
                key
                for *row, owner, beat, lasts in held
                if (key := Key(*row)) in self._keys and not watch.has_lapsed(key, (owner, beat), lasts)
            ]
            if busy:
                return busy[0]
            for key in sorted(self._keys):
                db.execute(
                    f"INSERT INTO {db.prefix}lease (provider, account, name, owner, lasts) VALUES (?, '', ?, ?, ?) "
                    "ON CONFLICT (provider, account, name) DO UPDATE "
                    "SET owner = excluded.owner, lasts = excluded.lasts, beat = 0",
                    (key.provider, key.name, self._owner, self._policy.duration),
                )
            self.memory = _memory(db, self._keys)
        self._written = {entry.operation_id: entry for entry in self.memory.entries}
        return None

    def _keep_alive(self, ended: int) -> None:
        # A pipe and no threading.Event: up to Python 3.10 a timed wait uses the wall clock, which may be set back.
        poll = select.poll()
        poll.register(ended)
        while not poll.poll(1000 * self._policy.heartbeat):
            # A lease that can't be renewed lapses. _write then refuses to change entries that another run has leased.
            with contextlib.suppress(JournalError), self._storage.transaction() as db:
                db.execute(f"UPDATE {db.prefix}lease SET beat = beat + 1 WHERE owner = ?", (self._owner,))
        os.close(ended)

    def _write(self, entries: Collection[Entry], gone: Collection[Entry]) -> None:
        with self._storage.transaction() as db:
            rows = db.execute(f"SELECT provider, name FROM {db.prefix}lease WHERE owner = ?", (self._owner,))
            owned = {Key(*row) for row in rows}
            for entry in (*entries, *gone):
                if entry.key not in owned:
                    reason = f"another run has taken {entry.name} over"
                    raise JournalError(self._storage.name, reason, "run the task again")
            for entry in gone:
                db.execute(f"DELETE FROM {db.prefix}creation WHERE operation_id = ?", (entry.operation_id,))
            for entry in entries:
                row = _row(entry)
                values = ", ".join("?" for _value in row)
                changes = ", ".join(f"{column} = excluded.{column}" for column in list(row)[1:])
                db.execute(
                    f"INSERT INTO {db.prefix}creation ({', '.join(row)}) VALUES ({values}) "
                    f"ON CONFLICT (operation_id) DO UPDATE SET {changes}",
                    tuple(row.values()),
                )
        self._written |= {entry.operation_id: entry for entry in entries}


class _Watch:
    """The heartbeats of other runs' leases, as a waiting run has seen them every ``poll_interval`` seconds."""

    def __init__(self, poll_interval: float) -> None:
        self._poll_interval = poll_interval
        self._seen: dict[Key, tuple[tuple[str, int], int]] = {}

    def has_lapsed(self, key: Key, beat: tuple[str, int], lasts: float) -> bool:
        """Whether the lease's ``beat`` has stayed the same for ``lasts`` seconds, the duration of its owner's leases.

        Looks are counted and no time is measured: while a machine is suspended, time passes but no heartbeat can.
        """
        before, looks = self._seen.get(key, (beat, -1))
        looks = looks + 1 if beat == before else 0
        self._seen[key] = (beat, looks)
        return looks * self._poll_interval >= lasts


def _memory(db: Transaction, keys: Collection[Key] | None) -> Memory:
    entries = (
        Entry(operation_id, provider, name, account, load_accesses(accesses), *rest)
        for operation_id, provider, name, account, accesses, *rest in db.execute(creations(db))
        if keys is None or Key(provider, name) in keys
    )
    return Memory(tuple(sorted(entries, key=_order)), tuple(_uses(db)))


def _uses(db: Transaction) -> Iterable[Use]:
    if db.has("access"):
        columns = "provider, account, address, token, first_seen, last_seen, listed_at"
        for provider, account, address, token, *times in db.execute(f"SELECT {columns} FROM {db.prefix}access"):
            yield Use(provider, account or None, Access(address, token), *times)


def _order(entry: Entry) -> tuple[str, ...]:
    return (entry.provider, entry.account or "", entry.address or "", entry.name, entry.operation_id)


def _row(entry: Entry) -> dict[str, Any]:
    row = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
    return row | {"accesses": dump_accesses(entry.accesses)}
