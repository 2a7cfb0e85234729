# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's tables, and the steps that bring those of an earlier version up to date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

SCHEMA_VERSION = 3

Row = tuple[Any, ...]


class Transaction(Protocol):
    """The only writing transaction at a time. Placeholders are question marks, table names begin with ``prefix``."""

    prefix: str

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return its rows."""

    def now(self) -> float:
        """Seconds since 1970, by the clock of the machine that has the journal."""

    def has(self, table: str) -> bool:
        """Whether the table exists. A journal of an earlier version may lack it."""


# ``accesses`` is JSON of _vendors/accounts.py. ``fingerprint`` is all that schema 1 recorded of an account.
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
    # Each address and token by which runs have used an account. ``account`` is empty if the account has no name,
    # ``listed_at`` is null if its gateway never returned a listing.
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
    # ``account`` is always empty: schema 1 had it in the primary key, but runs take turns at a name in all accounts of
    # a provider. The owner increases ``beat`` while it is alive; a lease without a new beat for ``lasts`` seconds
    # lapses.
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
    # The last change of each part of an instance, such as one setting. ``fingerprint`` is that of its new value.
    "change": """
    CREATE TABLE {prefix}change (
        provider TEXT NOT NULL,
        instance_id TEXT NOT NULL,
        part TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('pending', 'done')),
        requested_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (provider, instance_id, part)
    )
    """,
}

# The table creation of schema 1 with the columns of this one.
_CREATION_1 = (
    "SELECT operation_id, provider, name, NULL AS account, '[]' AS accesses, account AS fingerprint, payload_hash, "
    "status, instance_id, created_at, updated_at FROM {prefix}creation"
)


def upgrade(db: Transaction, version: int) -> None:
    """Upgrade the tables from schema ``version`` (0: there are none) within the transaction."""
    if version == 1:
        # SQLite can't change a primary key.
        db.execute(f"ALTER TABLE {db.prefix}creation RENAME TO {db.prefix}creation_1")
        # A run that holds a lease of schema 1 can't write any more, so it begins no creation.
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
    """The query for all creations, in the order of the columns. It reads a journal of schema 1, too."""
    columns = "operation_id, provider, name, account, accesses, fingerprint, payload_hash, status, instance_id"
    now = f"SELECT {columns}, created_at, updated_at FROM {db.prefix}creation"
    return now if db.has("access") else _CREATION_1.format(prefix=db.prefix)
