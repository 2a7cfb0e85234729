# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The write-ahead journal of creations: what was begun, and what is known of its outcome.

An entry is durable before its creation is posted, so neither a crash nor a lost answer makes a later run create the
same instance again. It never holds a token.

Runs that share a journal take turns at a name: ``locked`` gives a lease on names, which a heartbeat renews and which
lapses when its process dies. Whoever waits sees that by watching the heartbeat; no clock is compared with another
machine's, or with itself after it was put back. The lease only keeps runs from getting in each other's way. What makes
a second creation impossible is that an entry is changed in one transaction, by the holder of its lease alone.
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
from typing import Any

from .._common.timestamps import utc_now
from .._vendors.accounts import Access, Account, dump_accesses, load_accesses
from .entries import Entry, Key, Memory, Use
from .location import storage_at
from .schema import Transaction, creations
from .storage import JournalError, Storage

# Seconds. A process that was killed keeps its names until another one has watched for the length of a lease.
_LEASE = 10.0
_HEARTBEAT = 2.5
_PAUSE = 0.1
_LONGEST_WAIT = 600.0


class Journal:
    """The journal in a SQLite file or in PostgreSQL, safe to use from several threads and processes."""

    def __init__(self, location: str) -> None:
        self._storage = storage_at(location)
        # As a command can name it, from whichever folder it is run.
        self.location = location if "://" in location else self._storage.name

    @property
    def name(self) -> str:
        """Where it lies, without a password."""
        return self._storage.name

    def read(self, keys: Collection[Key] | None = None) -> Memory:
        """What it knows of ``keys`` (of all, if there are none given), without leaving a trace.

        :raises JournalError: if it can't be read.
        """
        with self._storage.reading() as db:
            return _memory(db, keys) if db else Memory()

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
        self._end: int | None = None
        self.memory = Memory()
        self._written: dict[str, Entry] = {}

    def acquire(self) -> None:
        """Take all keys at once or none, so that two runs can't wait for each other."""
        give_up_at = time.monotonic() + _LONGEST_WAIT
        watch = _Watch()
        while (busy := self._try_to_acquire(watch)) is not None:
            if time.monotonic() > give_up_at:
                raise JournalError(self._storage.name, f"another run keeps working on {busy.name}", "try again later")
            time.sleep(_PAUSE)
        try:
            ended, self._end = os.pipe()
            threading.Thread(target=self._keep_alive, args=(ended,), daemon=True).start()
        except (OSError, RuntimeError):
            self.release()
            reason = "there can't be one more thread, or pipe, to hold its names with"
            raise JournalError(self._storage.name, reason, "raise this user's limits") from None

    def release(self) -> None:
        """Let other runs have the keys."""
        end, self._end = self._end, None
        if end is not None:
            os.close(end)
        # A lease that can't be given back lapses.
        with contextlib.suppress(JournalError), self._storage.transaction() as db:
            db.execute(f"DELETE FROM {db.prefix}lease WHERE owner = ?", (self._owner,))

    def begin(self, entry: Entry, instead_of: Entry | None = None) -> None:
        """Write ``entry``, which is ``pending``, durably: only after this may the creation be posted.

        :raises JournalError: if that can't be, or another run has taken the name over.
        """
        self._write([entry], [instead_of] if instead_of else [])

    def record(self, entries: Collection[Entry]) -> None:
        """Write what became of creations, or of instances that were there before.

        :raises JournalError: if it can't be written, or another run has taken a name over.
        """
        if news := [entry for entry in entries if self._written.get(entry.operation_id) != entry]:
            self._write(news, [])

    def forget(self, entry: Entry) -> None:
        """Take ``entry`` out.

        :raises JournalError: if that can't be, or another run has taken the name over.
        """
        self._write([], [entry])

    def note_uses(self, listed: Mapping[Account, bool]) -> None:
        """Write down by which accesses accounts were entered now, and whether they were listed.

        :raises JournalError: if it can't be written.
        """
        now = utc_now()
        with self._storage.transaction() as db:
            for account, was_listed in listed.items():
                db.execute(
                    f"INSERT INTO {db.prefix}access (provider, account, address, token, first_seen, last_seen, "
                    "listed_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (provider, account, address, token) "
                    "DO UPDATE SET last_seen = excluded.last_seen, "
                    f"listed_at = COALESCE(excluded.listed_at, {db.prefix}access.listed_at)",
                    (
                        account.provider,
                        account.name or "",
                        account.address,
                        account.token,
                        now,
                        now,
                        now if was_listed else None,
                    ),
                )
                # What schema 1 knew the account by stands for one of its accesses in all of its entries.
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
                    (key.provider, key.name, self._owner, _LEASE),
                )
            self.memory = _memory(db, self._keys)
        self._written = {entry.operation_id: entry for entry in self.memory.entries}
        return None

    def _keep_alive(self, ended: int) -> None:
        # Not by a lock: up to Python 3.10 a wait for one ends by the clock, which may be put back.
        poll = select.poll()
        poll.register(ended)
        while not poll.poll(1000 * _HEARTBEAT):
            # What can't be renewed lapses; whoever takes over is kept from harm by the check in _write.
            with contextlib.suppress(JournalError), self._storage.transaction() as db:
                db.execute(f"UPDATE {db.prefix}lease SET beat = beat + 1 WHERE owner = ?", (self._owner,))
        os.close(ended)

    def _write(self, entries: Collection[Entry], gone: Collection[Entry]) -> None:
        with self._storage.transaction() as db:
            rows = db.execute(f"SELECT provider, name FROM {db.prefix}lease WHERE owner = ?", (self._owner,))
            owned = {Key(*row) for row in rows}
            remedy = "run the task again"
            for entry in (*entries, *gone):
                if entry.key not in owned:
                    raise JournalError(self._storage.name, f"another run has taken {entry.name} over", remedy)
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
    """What one who waits has seen of the leases of others."""

    def __init__(self) -> None:
        self._seen: dict[Key, tuple[tuple[str, int], int]] = {}

    def has_lapsed(self, key: Key, beat: tuple[str, int], lasts: float) -> bool:
        """Whether the lease's ``beat`` has stayed the same for the ``lasts`` seconds that its owner promised.

        Looks are counted, one in each pause, because time that passes while both processes stand still proves nothing.
        """
        before, looks = self._seen.get(key, (beat, -1))
        looks = looks + 1 if beat == before else 0
        self._seen[key] = (beat, looks)
        return looks * _PAUSE >= lasts


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
