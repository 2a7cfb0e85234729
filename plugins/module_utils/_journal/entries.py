# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of the journal: the entries of creations, and the accesses by which runs used accounts."""

from __future__ import annotations

import collections
import dataclasses
import functools
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from .._common.timestamps import utc_now
from .._vendors.accounts import Access, Account, Standing, seen_with

# The default of the option journal.
DEFAULT_JOURNAL = "~/.local/state/msgops/fleet.sqlite3"

Status = Literal["pending", "created", "rejected", "unknown", "delivered"]

STATUSES: tuple[Status, ...] = get_args(Status)

# Statuses of creations that may or may not have happened.
OPEN: tuple[Status, ...] = ("pending", "unknown")


@dataclass(frozen=True, order=True)
class Key:
    """What runs take turns at: a name at a provider, in all its accounts, because an account may have several names."""

    provider: str
    name: str


@dataclass(frozen=True)
class Entry:
    """One creation. Times are ISO 8601 in UTC.

    ``account`` is the account's name from the user, and ``accesses`` are the addresses and tokens that runs used for
    it. ``fingerprint`` is all that schema 1 recorded of the account.
    """

    operation_id: str
    provider: str
    name: str
    account: str | None
    accesses: tuple[Access, ...]
    fingerprint: str | None
    payload_hash: str
    status: Status
    instance_id: str | None
    created_at: str
    updated_at: str

    @property
    def key(self) -> Key:
        """What a run must have a lease on to change it."""
        return Key(self.provider, self.name)

    @property
    def address(self) -> str | None:
        """The address at which its account was used last, if that is known."""
        return self.accesses[-1].address if self.accesses else None

    def used_by(self, account: Account, standing: Standing) -> Entry:
        """The entry after a run of ``account`` has found that it is its own."""
        return dataclasses.replace(
            self,
            account=account.name or self.account,
            accesses=seen_with(self.accesses, account, standing),
            fingerprint=None if standing is Standing.PROVEN else self.fingerprint,
        )


def new_entry(account: Account, name: str, status: Status, payload_hash: str = "") -> Entry:
    """An entry for a name without one."""
    now = utc_now()
    accesses = (account.access,)
    return Entry(
        uuid.uuid4().hex, account.provider, name, account.name, accesses, None, payload_hash, status, None, now, now
    )


def begun_entry(account: Account, name: str, payload_hash: str, before: Entry | None) -> Entry:
    """The entry of a creation that is about to be posted, with what ``before``, which it replaces, has of the
    account.
    """
    entry = new_entry(account, name, "pending", payload_hash)
    if before is None:
        return entry
    known = before.used_by(account, Standing.PROVEN)
    return dataclasses.replace(entry, account=known.account, accesses=known.accesses)


@dataclass(frozen=True)
class Use:
    """An access that runs have used, with the times of its first and last use and of its last listing."""

    provider: str
    account: str | None
    access: Access
    first_seen: str
    last_seen: str
    listed_at: str | None

    @property
    def marks(self) -> set[tuple[str, str]]:
        """What uses of one account have in common: the name, the token or the address."""
        return _marks(self.account, self.access)


def related_uses(accounts: Iterable[Account], uses: Iterable[Use]) -> list[Use]:
    """The uses that may be of one of ``accounts``, which have one provider, by a name, a token or an address.

    A use also counts if it has one of these in common with another that counts: an account may have got a new token
    and, later, another address.
    """
    accounts = list(accounts)
    marks = {mark for account in accounts for mark in _marks(account.name, account.access)}
    found: list[Use] = []
    rest = [use for use in uses if use.provider in {account.provider for account in accounts}]
    while near := [use for use in rest if not marks.isdisjoint(use.marks)]:
        found += near
        rest = [use for use in rest if marks.isdisjoint(use.marks)]
        marks.update(*(use.marks for use in near))
    return found


def _marks(name: str | None, access: Access) -> set[tuple[str, str]]:
    return {("address", access.address), ("token", access.token)} | ({("name", name)} if name else set())


def is_new_token(account: Account, uses: Iterable[Use]) -> bool:
    """Whether an account without a name uses an address that is known, with a token that isn't."""
    own = [use for use in uses if use.provider == account.provider]
    return (
        account.name is None
        and any(use.access.address == account.address and use.account is None for use in own)
        and all(use.access.token != account.token for use in own)
    )


@dataclass(frozen=True)
class Memory:
    """The journal's content: entries, and the accesses that runs have used."""

    entries: tuple[Entry, ...] = ()
    uses: tuple[Use, ...] = ()

    def entries_for(self, key: Key) -> list[Entry]:
        """The entries of a name in all accounts."""
        return self._by_key.get(key, [])

    @functools.cached_property
    def _by_key(self) -> dict[Key, list[Entry]]:
        by_key: dict[Key, list[Entry]] = collections.defaultdict(list)
        for entry in self.entries:
            by_key[entry.key].append(entry)
        return by_key


def hash_payload(payload: Mapping[str, Any]) -> str:
    """The SHA-256 of a creation's request."""
    return hashlib.sha256(json.dumps(dict(payload), sort_keys=True).encode()).hexdigest()


def normal_id(instance_id: str | None) -> str:
    """The ID in lower case, for comparing: a person may type PlugzAPI's hexadecimal digits in any case."""
    return str(instance_id or "").lower()


def is_same_id(one: str | None, other: str | None) -> bool:
    """Whether both are the ID of one instance; false if there is none."""
    return normal_id(one) == normal_id(other) != ""
