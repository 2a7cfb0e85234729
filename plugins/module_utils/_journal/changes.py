# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of changes to instances that exist: what was requested, when, and whether it is known to be done."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .location import storage_at
from .schema import Transaction

# SQLite takes 999 values before version 3.32: https://www.sqlite.org/limits.html
_CHUNK = 500

Status = Literal["pending", "done"]


@dataclass(frozen=True)
class Change:
    """The last change of one part of an instance; ``age`` is the seconds since it was requested.

    It is ``pending`` until its effect is known: an answer was lost, or the run was killed.
    """

    fingerprint: str
    status: Status
    age: float


def fingerprint(value: str, key: str) -> str:
    """A fingerprint of ``value``, which may be a secret. Without ``key``, a secret, values can't be tried out."""
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()


class ChangeJournal:
    """The changes that all runs with the same journal have requested.

    :raises UsageError: if ``location`` is neither a path nor a URL of PostgreSQL.
    """

    def __init__(self, location: str) -> None:
        self._storage = storage_at(location)

    def read(self, instances: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Change]]:
        """The changes of ``instances``, pairs of provider and ID, by part. Writes nothing.

        :raises JournalError: if the journal can't be read.
        """
        changes: dict[tuple[str, str], dict[str, Change]] = {}
        with self._storage.reading() as db:
            if db and db.has("change"):
                now = db.now()
                for provider, ids in _chunks(instances):
                    rows = db.execute(
                        f"SELECT instance_id, part, fingerprint, status, requested_at FROM {db.prefix}change "
                        f"WHERE provider = ? AND instance_id IN ({', '.join('?' * len(ids))})",
                        (provider, *ids),
                    )
                    for instance_id, part, value, status, at in rows:
                        # A time ahead was written before the clock was set back.
                        change = Change(value, status, max(0.0, now - at))
                        changes.setdefault((provider, instance_id), {})[part] = change
        return changes

    def request(self, provider: str, instance_id: str, fingerprints: Mapping[str, str]) -> None:
        """Write the changes to the journal before they are sent: each part, and the fingerprint of its new value.

        :raises JournalError: if the journal can't be written.
        """
        with self._storage.transaction() as db:
            for part, value in fingerprints.items():
                _delete(db, provider, instance_id, part)
                db.execute(
                    f"INSERT INTO {db.prefix}change (provider, instance_id, part, fingerprint, status, requested_at) "
                    "VALUES (?, ?, ?, ?, 'pending', ?)",
                    (provider, instance_id, part, value, db.now()),
                )

    def record(self, provider: str, instance_id: str, parts: Sequence[str], *, done: bool) -> None:
        """Write that the changes of ``parts`` are done, or remove those that provably were not made.

        :raises JournalError: if the journal can't be written.
        """
        with self._storage.transaction() as db:
            for part in parts:
                if done:
                    db.execute(
                        f"UPDATE {db.prefix}change SET status = 'done' "
                        "WHERE provider = ? AND instance_id = ? AND part = ?",
                        (provider, instance_id, part),
                    )
                else:
                    _delete(db, provider, instance_id, part)

    def forget(self, provider: str, instance_id: str) -> None:
        """Remove all changes of an instance that is gone.

        :raises JournalError: if the journal can't be written.
        """
        with self._storage.transaction() as db:
            db.execute(f"DELETE FROM {db.prefix}change WHERE provider = ? AND instance_id = ?", (provider, instance_id))


def _chunks(instances: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Each provider with its IDs, as many at once as a query of SQLite takes."""
    for provider, own in itertools.groupby(sorted(set(instances)), key=lambda instance: instance[0]):
        ids = [instance_id for _provider, instance_id in own]
        for start in range(0, len(ids), _CHUNK):
            yield provider, ids[start : start + _CHUNK]


def _delete(db: Transaction, provider: str, instance_id: str, part: str) -> None:
    db.execute(
        f"DELETE FROM {db.prefix}change WHERE provider = ? AND instance_id = ? AND part = ?",
        (provider, instance_id, part),
    )
