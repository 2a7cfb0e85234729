# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's tables, and the steps that bring those of an earlier version up to date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

SCHEMA_VERSION = 2

Row = tuple[Any, ...]


class Transaction(Protocol):
    """A transaction that nobody else's runs beside. Placeholders are question marks, tables begin with ``prefix``."""

    prefix: str

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return its rows."""

    def now(self) -> float:
        """Seconds since 1970, by the one clock that all runs share."""

    def has(self, table: str) -> bool:
        """Whether there is such a table: an earlier version may have made the journal."""


# The one column that _accounts, not the journal, gives a meaning to is ``accesses``, JSON. ``fingerprint`` is all that
# schema 1 knew of an account.
_TABLES = {
    "creation": """
    CREATE TABLE {prefix}creation (
        operation_id TEXT PRIMARY KEY,
        provider TEXT NOT NULL,
        name TEXT NOT NULL,
        account TEXT,
        accesses TEXT NOT NULL,
        fingerprint TEXT,
        payload_hash TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('pending', 'created', 'rejected', 'unknown', 'delivered')),
        instance_id TEXT,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )
    """,
    # Each way into an account that runs have used. ``account`` is empty where none was given, ``listed_at`` is null
    # where no listing was ever seen.
    "access": """
    CREATE TABLE {prefix}access (
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        address TEXT NOT NULL,
        token TEXT NOT NULL,
        first_seen TEXT NOT NULL,
        last_seen TEXT NOT NULL,
        listed_at TEXT,
        PRIMARY KEY (provider, account, address, token)
    )
    """,
    # Runs take turns at a name of a provider, whatever they call its account: ``account`` is empty. The owner changes
    # ``beat`` as long as it is alive; if it doesn't for ``lasts`` seconds, the lease lapses.
    "lease": """
    CREATE TABLE {prefix}lease (
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        name TEXT NOT NULL,
        owner TEXT NOT NULL,
        lasts DOUBLE PRECISION NOT NULL,
        beat INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (provider, account, name)
    )
    """,
    "reboot": """
    CREATE TABLE {prefix}reboot (
        ticket TEXT PRIMARY KEY,
        provider TEXT NOT NULL,
        instance_id TEXT NOT NULL,
        requested_at DOUBLE PRECISION NOT NULL
    )
    """,
}

# What schema 1 has of the table creation, in the words of this one.
_CREATION_1 = (
    "SELECT operation_id, provider, name, NULL AS account, '[]' AS accesses, account AS fingerprint, payload_hash, "
    "status, instance_id, created_at, updated_at FROM {prefix}creation"
)


def upgrade(db: Transaction, version: int) -> None:
    """Bring the tables from schema ``version``, which is 0 where there are none, to this one, all or nothing."""
    if version == 1:
        # SQLite can't change a primary key.
        db.execute(f"ALTER TABLE {db.prefix}creation RENAME TO {db.prefix}creation_1")
        # Whoever still holds a lease can't write any more, so it begins nothing.
        db.execute(f"DELETE FROM {db.prefix}lease")
        db.execute(f"ALTER TABLE {db.prefix}lease RENAME COLUMN expires TO lasts")
        db.execute(f"ALTER TABLE {db.prefix}lease ADD COLUMN beat INTEGER NOT NULL DEFAULT 0")
    for table, definition in _TABLES.items():
        if not db.has(table):
            db.execute(definition.format(prefix=db.prefix))
    if version == 1:
        db.execute(f"INSERT INTO {db.prefix}creation {_CREATION_1.format(prefix=db.prefix)}_1")
        db.execute(f"DROP TABLE {db.prefix}creation_1")


def creations(db: Transaction) -> str:
    """The query for the table creation, in the order of its columns, which leaves a journal of schema 1 as it is."""
    columns = "operation_id, provider, name, account, accesses, fingerprint, payload_hash, status, instance_id"
    now = f"SELECT {columns}, created_at, updated_at FROM {db.prefix}creation"
    return now if db.has("access") else _CREATION_1.format(prefix=db.prefix)
