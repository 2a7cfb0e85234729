# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an account has a listing: what the gateway answers, what the journal remembers, and what the user says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.support.creation import (
    NO_LISTING,
    SPELLINGS,
    Fleet,
    actions,
    renew,
    second_account,
    spelled,
)

from msgops_emulator import Emulator

# An answer of the emulator that says that there is no such call, once.
MISSING: list[dict[str, Any]] = [
    {"fault": "status", "status": 404},
    {"fault": "status", "status": 405},
    {"fault": "status", "status": 200, "body": json.dumps({"error": "NOT_FOUND"})},
]


@pytest.fixture
def blind(emulator: Emulator, tmp_path: Path, options: dict[str, Any]) -> Fleet:
    """An empty account at a PlugzAPI without a listing."""
    emulator.config({"plugzapi.listing": "http404"})
    return Fleet(emulator, "plugzapi", tmp_path, options)


# An account that was listed before


@pytest.mark.parametrize("listing", NO_LISTING)
def test_an_account_that_was_listed_once_has_a_listing(plugz: Fleet, listing: str) -> None:
    assert actions(plugz.create("shop")) == {"shop": "created"}
    plugz.emulator.config({"plugzapi.listing": listing})
    result = plugz.create("shop", "sales")
    assert actions(result) == {"shop": "failed", "sales": "failed"}
    assert "listing: none" in result["msg"]
    renew(plugz)
    assert actions(plugz.create("sales")) == {"sales": "failed"}
    assert plugz.posts() == ["shop"]
    assert actions(plugz.create("shop", "sales", listing="none")) == {"shop": "unchanged", "sales": "created"}


def nothing(_fleet: Fleet) -> dict[str, Any]:
    """The account is used as before."""
    return {}


def renewed(fleet: Fleet) -> dict[str, Any]:
    """The account gets another token."""
    renew(fleet)
    return {}


def moved(fleet: Fleet) -> dict[str, Any]:
    """The account is used at another host name."""
    return {"api_url": spelled("http://localhost:{port}", fleet)}


def moved_and_renewed(fleet: Fleet) -> dict[str, Any]:
    """The account is used at another host name without asking for the listing, and then gets another token."""
    assert actions(fleet.create("other", listing="none", **moved(fleet))) == {"other": "created"}
    renew(fleet)
    return moved(fleet)


def named(_fleet: Fleet) -> dict[str, Any]:
    """The account gets a name."""
    return {"account": "mine"}


@pytest.mark.parametrize("change", [nothing, renewed, moved, moved_and_renewed, named])
@pytest.mark.parametrize("answer", MISSING, ids=["404", "405", "NOT_FOUND"])
@pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check mode"])
def test_what_it_has_is_not_created_again_where_its_listing_is_missing_for_a_moment(
    plugz: Fleet, change: Callable[[Fleet], dict[str, Any]], answer: dict[str, Any], check_mode: bool
) -> None:
    plugz.seed("shop")
    assert actions(plugz.create("sales")) == {"sales": "created"}
    options = change(plugz)
    before = plugz.posts()
    plugz.emulator.arm("plugzapi.list", **answer)
    result = plugz.create("shop", check_mode=check_mode, **options)
    assert actions(result) == {"shop": "failed"}
    assert "it was listed on 20" in result["msg"]
    assert plugz.posts() == before
    assert actions(plugz.create("shop", check_mode=check_mode, **options)) == {"shop": "adopted"}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_another_spelling_of_the_address_is_the_same_account(plugz: Fleet, spelling: str) -> None:
    at_first = {"api_url": spelled(SPELLINGS[3], plugz)} if "localhost" in spelling.lower() else {}
    plugz.create("shop", **at_first)
    plugz.emulator.config({"plugzapi.listing": "http404"})
    renew(plugz)
    assert actions(plugz.create("sales", api_url=spelled(spelling, plugz))) == {"sales": "failed"}


def test_a_listing_that_is_missing_for_a_moment_does_not_hide_what_was_just_created(plugz: Fleet) -> None:
    plugz.listing_policy = replace(plugz.listing_policy, timeout=30.0)
    plugz.arm("create", "reset", when="after")
    plugz.arm("list", "status", status=404, skip=1)
    assert actions(plugz.create("shop")) == {"shop": "adopted"}
    plugz.assert_delivered("shop")


def test_a_listing_that_is_there_only_after_the_creation_is_remembered(blind: Fleet) -> None:
    blind.emulator.config({"plugzapi.listing": "present"})
    blind.arm("list", "status", status=404, count=2)
    blind.arm("create", "reset", when="after")
    assert actions(blind.create("shop")) == {"shop": "adopted"}
    (account,) = blind.journal_task()["accounts"]
    assert account["listed_at"]


# The first contact


@pytest.mark.parametrize("answer", MISSING, ids=["404", "405", "NOT_FOUND"])
def test_a_first_contact_without_a_listing_is_asked_twice(plugz: Fleet, answer: dict[str, Any]) -> None:
    plugz.seed("shop")
    plugz.emulator.arm("plugzapi.list", **answer)
    assert actions(plugz.create("shop")) == {"shop": "adopted"}
    assert plugz.posts() == []


def test_the_two_looks_are_seconds_apart(blind: Fleet) -> None:
    pause = 1.5
    blind.listing_policy = replace(blind.listing_policy, second_look=pause)
    assert actions(blind.create("shop")) == {"shop": "created"}
    first, second = blind.log("list")
    assert second["monotonic_ms"] - first["monotonic_ms"] >= 1000 * pause


def test_an_account_that_is_known_to_have_none_is_asked_once(blind: Fleet) -> None:
    blind.create("shop")
    assert actions(blind.create("shop", "sales")) == {"shop": "unchanged", "sales": "created"}
    assert len(blind.log("list")) == 3


def test_another_journal_is_a_first_contact_again(blind: Fleet) -> None:
    blind.create("shop")
    shutil.rmtree(blind.journal_file.parent)
    blind.emulator.config({"plugzapi.listing": "present"})
    blind.arm("list", "status", status=404)
    assert actions(blind.create("shop")) == {"shop": "adopted"}
    assert blind.posts() == ["shop"]


def test_a_failure_at_the_second_look_creates_nothing(plugz: Fleet) -> None:
    plugz.arm("list", "status", status=404)
    plugz.arm("list", "status", status=500)
    assert actions(plugz.create("shop")) == {"shop": "failed"}
    assert plugz.posts() == []


def test_another_account_at_a_gateway_without_a_listing_is_asked_once(blind: Fleet) -> None:
    blind.create("shop")
    options = {"partner_token": second_account(blind), "account": "second"}
    assert actions(blind.create("sales", **options)) == {"sales": "created"}
    assert len(blind.log("list")) == 3


# What the user says


def test_a_listing_may_be_required(blind: Fleet) -> None:
    result = blind.create("shop", listing="required")
    assert actions(result) == {"shop": "failed"}
    assert "listing is required" in result["msg"]
    assert blind.posts() == []


def test_without_listing_the_gateway_is_not_asked(fleet: Fleet) -> None:
    assert actions(fleet.create("shop", listing="none")) == {"shop": "created"}
    assert actions(fleet.create("shop", listing="none")) == {"shop": "unchanged"}
    assert fleet.log("list") == []
