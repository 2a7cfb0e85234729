# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal is made of: the entries of creations, and the accesses by which runs entered accounts."""

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

# Where it lies unless the user says otherwise.
DEFAULT_JOURNAL = "~/.local/state/msgops/fleet.sqlite3"

Status = Literal["pending", "created", "rejected", "unknown", "delivered"]

STATUSES: tuple[Status, ...] = get_args(Status)

# What was begun, and may or may not have happened.
OPEN: tuple[Status, ...] = ("pending", "unknown")


@dataclass(frozen=True, order=True)
class Key:
    """What runs take turns at: a name at a provider, whoever's it is, because accounts can be called in many ways."""

    provider: str
    name: str


@dataclass(frozen=True)
class Entry:
    """One creation: times are ISO 8601 in UTC.

    ``account`` is the name that the user gave the account, ``accesses`` how it was entered; ``fingerprint`` is what
    schema 1 knew of it.
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
        """What a run that changes it must hold."""
        return Key(self.provider, self.name)

    @property
    def address(self) -> str | None:
        """Where its account was entered last, if that is known."""
        return self.accesses[-1].address if self.accesses else None

    def used_by(self, account: Account, standing: Standing) -> Entry:
        """The entry after a run of ``account`` has found it to be its own."""
        return dataclasses.replace(
            self,
            account=account.name or self.account,
            accesses=seen_with(self.accesses, account, standing),
            fingerprint=None if standing is Standing.PROVEN else self.fingerprint,
        )


def new_entry(account: Account, name: str, status: Status, payload_hash: str = "") -> Entry:
    """An entry of a name that the journal doesn't know yet."""
    now = utc_now()
    accesses = (account.access,)
    return Entry(
        uuid.uuid4().hex, account.provider, name, account.name, accesses, None, payload_hash, status, None, now, now
    )


def begun_entry(account: Account, name: str, payload_hash: str, before: Entry | None) -> Entry:
    """The entry of a creation that is about to be posted, in the place of the one ``before``."""
    entry = new_entry(account, name, "pending", payload_hash)
    if before is None:
        return entry
    known = before.used_by(account, Standing.PROVEN)
    return dataclasses.replace(entry, account=known.account, accesses=known.accesses)


@dataclass(frozen=True)
class Use:
    """An access that runs have used: when first, when last, and when its listing was last seen."""

    provider: str
    account: str | None
    access: Access
    first_seen: str
    last_seen: str
    listed_at: str | None

    def may_belong_to(self, account: Account) -> bool:
        """Whether it was the same account's, or at least at its address."""
        is_named_so = account.name is not None and self.account == account.name
        is_near = self.access.address == account.address or self.access.token == account.token
        return self.provider == account.provider and (is_named_so or is_near)


def is_new_token(account: Account, uses: Iterable[Use]) -> bool:
    """Whether an account that has no name is entered by a token that was never used, at an address that was."""
    own = [use for use in uses if use.provider == account.provider]
    return (
        account.name is None
        and any(use.access.address == account.address and use.account is None for use in own)
        and all(use.access.token != account.token for use in own)
    )


@dataclass(frozen=True)
class Memory:
    """What the journal knows: entries, and the accesses that were used."""

    entries: tuple[Entry, ...] = ()
    uses: tuple[Use, ...] = ()

    def of(self, key: Key) -> list[Entry]:
        """The entries of a name, whoever's they are."""
        return self._by_key.get(key, [])

    @functools.cached_property
    def _by_key(self) -> dict[Key, list[Entry]]:
        by_key: dict[Key, list[Entry]] = collections.defaultdict(list)
        for entry in self.entries:
            by_key[entry.key].append(entry)
        return by_key


def hash_payload(payload: Mapping[str, Any]) -> str:
    """What a creation sends, in short."""
    return hashlib.sha256(json.dumps(dict(payload), sort_keys=True).encode()).hexdigest()
