# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which partner accounts are the same.

A partner token opens an account, but tokens are renewed, and an address has many spellings. So the user's own name for
the account (the option ``account``) is its identity. Without a name, accounts with the same token or the same address
are the same. If only the address is the same, that is an assumption, until a use of the token or a listing proves it.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._common.errors import UsageError
from .._http.address import canonical_address


def hash_secret(secret: str) -> str:
    """A fingerprint of a secret, such as a partner token. The secret can't be computed from it."""
    return hashlib.sha256(b"msgops.fleet\0" + secret.encode()).hexdigest()[:32]


class Standing(enum.Enum):
    """Why an access counts as one to the account of a journal's entry."""

    PROVEN = "proven"  # it created the instance, or its listing showed the instance
    ASSUMED = "assumed"  # a new token at the entry's address, taken for the renewed one
    DOUBTED = "doubted"  # an assumed one, after which the proven token was used again: it was not replaced


@dataclass(frozen=True)
class Access:
    """An address and a partner token that open an account: the canonical address, and the token's fingerprint."""

    address: str
    token: str
    standing: Standing = Standing.PROVEN


@dataclass(frozen=True)
class Account:
    """A task's account. ``name`` is the option ``account``, ``token`` the fingerprint of the partner token.

    ``former`` are the fingerprints that schema 1 of the journal may have for it.
    """

    provider: str
    name: str | None
    address: str
    token: str
    former: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    def __str__(self) -> str:
        return f"account {self.name}" if self.name else f"the account at {self.address}"

    @property
    def access(self) -> Access:
        """The task's access."""
        return Access(self.address, self.token)

    @property
    def fingerprint(self) -> str:
        """The key of a cached listing.

        Stricter than ``kinship``: at worst, an account is listed once more. A shared key for two accounts would show
        the instances of one as the other's.
        """
        return hash_secret("\0".join((self.provider, self.address, self.name or self.token)))


def resolve_account(provider: str, name: str | None, api_url: str, partner_token: str) -> Account:
    """The account of a task's options.

    :raises UsageError: if the address isn't a URL, or the name isn't valid.
    """
    address = canonical_address(api_url)
    spellings = {api_url.rstrip("/"), api_url.strip().rstrip("/"), address}
    former = frozenset(
        hashlib.sha256("\0".join((provider, spelling, partner_token)).encode()).hexdigest()[:16]
        for spelling in spellings
    )
    return Account(provider, checked_name(name), address, hash_secret(partner_token), former)


def checked_name(name: str | None, option: str = "account") -> str | None:
    """The name of an account, the value of ``option``. It must fit into one line, and into the keys ``ACCOUNT/NAME``
    of a credentials file.

    :raises UsageError: if it doesn't.
    """
    if name is not None and ("/" in name or not name.isprintable()):
        raise UsageError(f"{option} must be printable and without a slash: {name!r}")
    return name


class Owned(Protocol):
    """The account of a journal's entry. An entry of schema 1 has only ``fingerprint``, until its instance is seen."""

    @property
    def account(self) -> str | None:
        """The user's name for the account."""

    @property
    def accesses(self) -> tuple[Access, ...]:
        """The accesses that have used the entry."""

    @property
    def fingerprint(self) -> str | None:
        """Schema 1's fingerprint of the account."""


class Kinship(enum.IntEnum):
    """Whether a journal's entry belongs to a task's account; of several entries, the lowest value counts."""

    SAME = 0
    RENEWED = 1  # the same address, no names, another token: assumed to be the renewed one
    UNCLEAR = 2  # possibly the same account, but nothing proves it
    RENAMED = 3  # the same token at the same address, but another name
    OTHER = 4


def kinship(account: Account, entry: Owned) -> Kinship:
    """Whether ``entry``, of the same provider, belongs to ``account``."""
    standings = {access.standing for access in entry.accesses if access.token == account.token}
    is_proven = Standing.PROVEN in standings or entry.fingerprint in account.former
    is_near = any(access.address == account.address for access in entry.accesses)
    if account.name and entry.account:
        if account.name == entry.account:
            return Kinship.SAME
        return Kinship.RENAMED if is_proven and is_near else Kinship.OTHER
    if is_proven:
        return Kinship.SAME
    # An entry of schema 1 has no accesses: its token and its address are unknown, so it may belong to any account.
    if not (is_near or standings or not entry.accesses):
        return Kinship.OTHER
    if account.name or entry.account or Standing.DOUBTED in standings:
        return Kinship.UNCLEAR
    return Kinship.RENEWED


def seen_with(accesses: Sequence[Access], account: Account, standing: Standing) -> tuple[Access, ...]:
    """``accesses`` plus that of ``account``, which has used the entry with ``standing``. The latest is the last."""
    now = Access(account.address, account.token, standing)
    mine = [access for access in accesses if access.token == account.token]
    others = [access for access in accesses if access.token != account.token]
    if standing is Standing.PROVEN:
        # The proven token is still in use, so an assumed one isn't its replacement.
        others = [Access(a.address, a.token, Standing.DOUBTED) if a.standing is Standing.ASSUMED else a for a in others]
        mine = [Access(a.address, a.token) for a in mine]
    elif mine:
        now = Access(account.address, account.token, mine[0].standing)
    return (*(access for access in (*others, *mine) if access != now), now)


def dump_accesses(accesses: Iterable[Access]) -> str:
    """``accesses`` as JSON, for the journal."""
    return json.dumps([[access.address, access.token, access.standing.value] for access in accesses])


def load_accesses(text: str) -> tuple[Access, ...]:
    """The accesses in JSON from ``dump_accesses``."""
    rows: list[list[Any]] = json.loads(text)
    return tuple(Access(address, token, Standing(standing)) for address, token, standing in rows)
