# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which partner accounts are the same."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.accounts import (
    Access,
    Kinship,
    Standing,
    canonical_address,
    dump_accesses,
    hash_secret,
    kinship,
    load_accesses,
    resolve_account,
    seen_with,
)
from ansible_collections.msgops.fleet.tests.support.wire import TOKEN

HERE, THERE = "https://api.example.com", "https://other.example.com"


@dataclass(frozen=True)
class Entry:
    account: str | None = None
    accesses: tuple[Access, ...] = ()
    fingerprint: str | None = None


def access(token: str, address: str = HERE, standing: Standing = Standing.PROVEN) -> Access:
    return Access(address, hash_secret(token), standing)


@pytest.mark.parametrize(
    "spelling",
    [
        "https://api.example.com",
        "https://api.example.com/",
        "https://api.example.com//",
        "HTTPS://API.Example.com",
        "https://api.example.com:443",
        "https://api.example.com.:443/",
        " https://api.example.com\n",
    ],
)
def test_an_address_has_one_spelling(spelling: str) -> None:
    assert canonical_address(spelling) == HERE


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8080",
        "https://api.example.com:80",
        "https://api.example.com/V3",
        "https://[2001:db8::1]:8443/x",
        "http://api.example.com",
    ],
)
def test_what_leads_elsewhere_is_another_address(address: str) -> None:
    assert canonical_address(address) == address


def test_what_is_no_address_is_an_error_that_does_not_show_it() -> None:
    with pytest.raises(UsageError, match=r"^api_url isn't a valid URL$"):
        canonical_address("https://user:s3cret@host:port")


N, S = None, Standing


@pytest.mark.parametrize(
    ("name", "token", "address", "entry", "expected"),
    [
        # The name alone is the identity, where both have one.
        ("a", "new", THERE, Entry("a", (access("old"),)), Kinship.SAME),
        ("a", "new", HERE, Entry("b", (access("old"),)), Kinship.OTHER),
        ("a", "old", THERE, Entry("b", (access("old"),)), Kinship.OTHER),
        ("a", "old", HERE, Entry("b", (access("old"),)), Kinship.RENAMED),
        # Without names, the token or the address is.
        (N, "old", HERE, Entry(N, (access("old"),)), Kinship.SAME),
        (N, "old", THERE, Entry(N, (access("old"),)), Kinship.SAME),
        (N, "new", HERE, Entry(N, (access("old"),)), Kinship.RENEWED),
        (N, "new", THERE, Entry(N, (access("old"),)), Kinship.OTHER),
        (N, "new", THERE, Entry(N, (access("old"), access("old", THERE))), Kinship.RENEWED),
        (N, "new", HERE, Entry(N, (access("old"), access("new", standing=S.ASSUMED))), Kinship.RENEWED),
        (N, "new", HERE, Entry(N, (access("old"), access("new", standing=S.DOUBTED))), Kinship.UNCLEAR),
        # Where one of them has a name, the token proves it and the address doesn't.
        ("a", "old", HERE, Entry(N, (access("old"),)), Kinship.SAME),
        (N, "old", THERE, Entry("a", (access("old"),)), Kinship.SAME),
        ("a", "new", HERE, Entry(N, (access("old"),)), Kinship.UNCLEAR),
        ("a", "new", HERE, Entry(N, (access("old"), access("new", standing=S.ASSUMED))), Kinship.UNCLEAR),
        (N, "new", HERE, Entry("a", (access("old"),)), Kinship.UNCLEAR),
        ("a", "new", THERE, Entry(N, (access("old"),)), Kinship.OTHER),
        # What schema 1 left: one fingerprint of token and address.
        (N, "old", HERE, Entry(fingerprint="old"), Kinship.SAME),
        ("a", "old", HERE, Entry(fingerprint="old"), Kinship.SAME),
        (N, "new", HERE, Entry(fingerprint="old"), Kinship.RENEWED),
        (N, "new", THERE, Entry(fingerprint="old"), Kinship.RENEWED),
        ("a", "new", THERE, Entry(fingerprint="old"), Kinship.UNCLEAR),
        (N, "old", HERE, Entry(N, (access("new", standing=S.ASSUMED),), "old"), Kinship.SAME),
    ],
)
def test_how_an_entry_is_related(name: str | None, token: str, address: str, entry: Entry, expected: Kinship) -> None:
    if entry.fingerprint:
        (former,) = resolve_account("green_api", None, HERE, "old").former
        entry = Entry(entry.account, entry.accesses, former)
    assert kinship(resolve_account("green_api", name, address, token), entry) is expected


def test_schema_1_knew_an_account_by_its_address_as_it_was_spelled() -> None:
    spelled = resolve_account("green_api", None, "HTTPS://API.example.com/", "token")
    assert spelled.former > resolve_account("green_api", None, HERE, "token").former


def test_a_proven_token_that_is_used_beside_an_assumed_one_puts_that_in_doubt() -> None:
    old, new = (resolve_account("green_api", None, HERE, token) for token in ("old", "new"))
    accesses = seen_with((access("old"),), new, S.ASSUMED)
    assert accesses == (access("old"), access("new", standing=S.ASSUMED))
    assert seen_with(accesses, new, S.ASSUMED) == accesses
    doubted = seen_with(accesses, old, S.PROVEN)
    assert doubted == (access("new", standing=S.DOUBTED), access("old"))
    assert seen_with(doubted, new, S.ASSUMED)[-1] == access("new", standing=S.DOUBTED), "an assumption proves nothing"
    assert access("new") in seen_with(doubted, new, S.PROVEN)


def test_accesses_are_kept_as_text() -> None:
    accesses = (access("old"), access("new", THERE, S.DOUBTED))
    assert load_accesses(dump_accesses(accesses)) == accesses


def test_no_token_is_in_what_an_account_is_known_by() -> None:
    account = resolve_account("green_api", "a", HERE, TOKEN)
    shown = repr(account) + str(account) + account.fingerprint + dump_accesses([account.access])
    assert "s3cret" not in shown
    assert "t0ken" not in shown


@pytest.mark.parametrize("name", ["a/b", "a\nb", "a\u202eb"])
def test_a_name_stands_in_one_line_and_in_a_key(name: str) -> None:
    with pytest.raises(UsageError, match="account must be printable and without a slash"):
        resolve_account("green_api", name, HERE, "token")


def test_a_cache_is_kept_by_address_and_name_or_token() -> None:
    same = {resolve_account("green_api", "a", HERE, token).fingerprint for token in ("old", "new")}
    assert len(same) == 1
    others = [("green_api", None, HERE, "old"), ("green_api", None, HERE, "new"), ("green_api", None, THERE, "old")]
    assert len(same | {resolve_account(*other).fingerprint for other in others}) == 4
