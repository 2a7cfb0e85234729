# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose instance it is: the one place that says which partner accounts are the same.

An account is what a partner token opens, but tokens are renewed and addresses are spelled in many ways. So the name
that the user gives it (the option ``account``) is its identity. Where no name is given, the same token or the same
address make the same account, and what only the address tells is assumed until the token or a listing proves it.
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
    """What a secret, such as a partner token, is known by, which doesn't give it away."""
    return hashlib.sha256(b"msgops.fleet\0" + secret.encode()).hexdigest()[:32]


class Standing(enum.Enum):
    """What makes an access one to the account of a journal's entry."""

    PROVEN = "proven"  # it made the instance, or its listing showed it
    ASSUMED = "assumed"  # a token that was first seen at the entry's address, taken for a renewed one
    DOUBTED = "doubted"  # the same, and then the proven token was used again: both are valid


@dataclass(frozen=True)
class Access:
    """A way into an account: the canonical address, and the fingerprint of the partner token."""

    address: str
    token: str
    standing: Standing = Standing.PROVEN


@dataclass(frozen=True)
class Account:
    """The account that a task works in. ``name`` is the option ``account``; ``token`` is a fingerprint.

    ``former`` are the fingerprints that schema 1 of the journal may know it by.
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
        """How it is entered now."""
        return Access(self.address, self.token)

    @property
    def fingerprint(self) -> str:
        """What a cache of the account's instances is kept by.

        Stricter than ``kinship``: listing an account once more harms nobody, showing another one's instances does.
        """
        return hash_secret("\0".join((self.provider, self.address, self.name or self.token)))


def resolve_account(provider: str, name: str | None, api_url: str, partner_token: str) -> Account:
    """The account of a task's options.

    :raises UsageError: for an address that isn't a URL, or a name that can't stand in a key of the credentials file.
    """
    address = canonical_address(api_url)
    spellings = {api_url.rstrip("/"), api_url.strip().rstrip("/"), address}
    former = frozenset(
        hashlib.sha256("\0".join((provider, spelling, partner_token)).encode()).hexdigest()[:16]
        for spelling in spellings
    )
    return Account(provider, checked_name(name), address, hash_secret(partner_token), former)


def checked_name(name: str | None) -> str | None:
    """The name of an account.

    :raises UsageError: for one that can't stand in a line, or in a key of the credentials file.
    """
    if name is not None and ("/" in name or not name.isprintable()):
        raise UsageError(f"account must be printable and without a slash: {name!r}")
    return name


class Owned(Protocol):
    """What the journal knows of an entry's account; ``fingerprint`` is schema 1's, until more is known."""

    @property
    def account(self) -> str | None:
        """The name that the user has given the account."""

    @property
    def accesses(self) -> tuple[Access, ...]:
        """How it was entered."""

    @property
    def fingerprint(self) -> str | None:
        """What schema 1 knew it by."""


class Kinship(enum.IntEnum):
    """How an entry of a journal is related to a task's account; what comes first goes before the others."""

    SAME = 0
    RENEWED = 1  # only the address is the same, and neither has a name: the token is taken for a renewed one
    UNCLEAR = 2  # it may be of the same account, and nothing proves it
    RENAMED = 3  # the same token at the same address, and two names
    OTHER = 4


def kinship(account: Account, entry: Owned) -> Kinship:
    """Whether ``entry``, of the same provider, is of ``account``."""
    standings = {access.standing for access in entry.accesses if access.token == account.token}
    is_proven = Standing.PROVEN in standings or entry.fingerprint in account.former
    is_near = any(access.address == account.address for access in entry.accesses)
    if account.name and entry.account:
        if account.name == entry.account:
            return Kinship.SAME
        return Kinship.RENAMED if is_proven and is_near else Kinship.OTHER
    if is_proven:
        return Kinship.SAME
    # Of an entry that schema 1 left, neither token nor address is known.
    if not (is_near or standings or not entry.accesses):
        return Kinship.OTHER
    if account.name or entry.account or Standing.DOUBTED in standings:
        return Kinship.UNCLEAR
    return Kinship.RENEWED


def seen_with(accesses: Sequence[Access], account: Account, standing: Standing) -> tuple[Access, ...]:
    """``accesses`` after ``account`` has used the entry, with ``standing``; the last one is the latest."""
    now = Access(account.address, account.token, standing)
    mine = [access for access in accesses if access.token == account.token]
    others = [access for access in accesses if access.token != account.token]
    if standing is Standing.PROVEN:
        # A proven token that is used beside an assumed one: neither has replaced the other.
        others = [Access(a.address, a.token, Standing.DOUBTED) if a.standing is Standing.ASSUMED else a for a in others]
        mine = [Access(a.address, a.token) for a in mine]
    elif mine:
        now = Access(account.address, account.token, mine[0].standing)
    return (*(access for access in (*others, *mine) if access != now), now)


def dump_accesses(accesses: Iterable[Access]) -> str:
    """As the journal keeps them."""
    return json.dumps([[access.address, access.token, access.standing.value] for access in accesses])


def load_accesses(text: str) -> tuple[Access, ...]:
    """What ``dump_accesses`` gave."""
    rows: list[list[Any]] = json.loads(text)
    return tuple(Access(address, token, Standing(standing)) for address, token, standing in rows)
