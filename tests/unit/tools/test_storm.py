# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small storm of creations, and cores that must not weather one; ``make storm`` raises the large one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import ListingPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import LeasePolicy
from ansible_collections.msgops.fleet.tests.storm import careless
from ansible_collections.msgops.fleet.tests.storm.faults import FAULTS, faults_for
from ansible_collections.msgops.fleet.tests.storm.storm import storm_over

TIMES = {
    "listing_policy": ListingPolicy(timeout=0.7, first_pause=0.1, second_look=0.1),
    "lease_policy": LeasePolicy(duration=1.5, heartbeat=0.4),
}


@pytest.mark.parametrize("is_proxied", [False, True], ids=["direct", "through a proxy"])
@pytest.mark.parametrize("has_listing", [True, False], ids=["with a listing", "without a listing"])
def test_a_storm_is_weathered(tmp_path: Path, has_listing: bool, is_proxied: bool) -> None:
    told: list[str] = []
    properties = {"listing"} if has_listing else set()
    faults = faults_for("file", "proxy" if is_proxied else "direct", *properties)
    found = storm_over(
        tmp_path,
        creations=2 * len(faults),
        seed=7,
        has_listing=has_listing,
        workers=8,
        is_proxied=is_proxied,
        times=TIMES,
        tell=told.append,
    )
    assert found == []
    assert all(f"| {fault} | 2 |" in told[0] for fault in faults)


def test_every_fault_is_in_some_storm() -> None:
    assert faults_for("file", "listing", "direct", "proxy").keys() == FAULTS.keys()


def test_who_may_not_mount_limits_files_instead(tmp_path: Path) -> None:
    rooms = [name for name in FAULTS if "room for" in name]
    found = storm_over(
        tmp_path,
        creations=len(rooms),
        seed=7,
        has_listing=True,
        only=rooms,
        may_mount=False,
        times=TIMES,
        tell=lambda _text: None,
    )
    assert found == []


@dataclass(frozen=True)
class Careless:
    """A core that is careless, the fault that shows it, and what the storm says then."""

    constants: dict[str, Any]
    fault: str
    found: str
    has_listing: bool = True
    is_proxied: bool = False
    creations: int = 6


CARELESS = {
    "posts again after a 502": Careless(careless.POSTS_AFTER_502, "502 after commit", "too many of"),
    "calls an open outcome refused": Careless(
        careless.OPEN_IS_REFUSED, "499 after commit", "failed, but the gateway has"
    ),
    "calls what never happened refused, too": Careless(
        careless.OPEN_IS_REFUSED, "499 before commit", "failed, though the outcome of"
    ),
    "doesn't notice that it has sent": Careless(
        careless.EVERYTHING_SENT_IS_KNOWN, "connection breaks after the server has answered", "too many of"
    ),
    "doesn't notice what it has sent through a tunnel": Careless(
        careless.EVERYTHING_SENT_IS_KNOWN,
        "connection breaks after the server has answered",
        "too many of",
        is_proxied=True,
    ),
    "takes an informational answer for the answer": Careless(
        careless.INFORMATIONAL_IS_FINAL, "informational answers", "of the account is that", creations=20
    ),
    "asks a proxy for a loopback address": Careless(
        careless.PROXIES_FOR_LOOPBACK, "a proxy for a loopback address", "went through a proxy in clear"
    ),
    "knows one charset": Careless(
        careless.ONE_CHARSET, "answer in ISO-8859-1", "the gateway has told of", has_listing=False
    ),
    "wants a name of every instance": Careless(
        careless.EVERY_INSTANCE_HAS_A_NAME, "an instance without a name is listed", "isn't resolved"
    ),
    "knows an account by its token": Careless(
        careless.TOKENS_ARE_FOR_EVER, "token renewed", "too many of", has_listing=False
    ),
    "forgets what is open with the token": Careless(
        careless.TOKENS_ARE_FOR_EVER, "token renewed while the outcome is open", "too many of"
    ),
    "takes two accounts for one": Careless(
        careless.ONE_ACCOUNT_FOR_ALL, "equal names in two accounts", "of the account is that", has_listing=False
    ),
    "takes two accounts that have names for one": Careless(
        careless.ONE_ACCOUNT_FOR_ALL,
        "equal names in two accounts that have names",
        "of the account is that",
        has_listing=False,
    ),
    "takes another account's token for a renewed one, without a word": Careless(
        careless.NOBODY_IS_WARNED, "equal names in two accounts", "of the account is that", has_listing=False
    ),
    "keeps no room for tokens": Careless(
        careless.NO_ROOM_IS_KEPT, "no room for the credentials", "was lost, although it was told", has_listing=False
    ),
    "goes on without a journal": Careless(
        careless.NO_JOURNAL, "no room for the journal", "too many of", has_listing=False
    ),
    "acts on a lease that has lapsed": Careless(careless.NO_OWNER, "stopped before it creates", "too many of"),
    "trusts every clock": Careless(
        careless.LEASES_END_BY_THE_CLOCK, "two runs at once whose clocks are wrong", "too many of"
    ),
}


@pytest.mark.parametrize("variant", CARELESS.values(), ids=CARELESS)
def test_a_careless_core_is_caught(tmp_path: Path, variant: Careless) -> None:
    found = storm_over(
        tmp_path,
        creations=variant.creations,
        seed=7,
        has_listing=variant.has_listing,
        is_proxied=variant.is_proxied,
        only=[variant.fault],
        times=TIMES,
        constants=variant.constants,
        workers=1,
        tell=lambda _text: None,
    )
    assert any(variant.found in line for line in found)


def test_a_fault_that_never_strikes_is_noticed(tmp_path: Path) -> None:
    """A storm in which nothing happens proves nothing."""
    found = storm_over(
        tmp_path,
        creations=1,
        seed=7,
        has_listing=False,
        only=["429"],
        constants={"_creation.creator.Creator._create": careless.no_step},
        tell=lambda _text: None,
    )
    assert "429: it never struck, so nothing was tested" in found
