# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose instance it is: renewed tokens, spellings of addresses, and two accounts at one gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import LISTING_POLICY
from ansible_collections.msgops.fleet.tests.storm.runs import in_parallel
from ansible_collections.msgops.fleet.tests.support.creation import (
    NO_LISTING,
    SPELLINGS,
    Fleet,
    actions,
    renew,
    second_account,
    spelled,
    tasks_in,
)

from msgops_emulator import Emulator


@pytest.fixture
def blind(emulator: Emulator, tmp_path: Path, options: dict[str, Any]) -> Fleet:
    """An empty account at a PlugzAPI without a listing."""
    emulator.config({"plugzapi.listing": "http404"})
    return Fleet(emulator, "plugzapi", tmp_path, options)


# A renewed token


def test_a_renewed_token_makes_no_second_instance(blind: Fleet) -> None:
    assert actions(blind.create("one", "two")) == {"one": "created", "two": "created"}
    renew(blind)
    result = blind.create("one", "two", "three")
    assert actions(result) == {"one": "unchanged", "two": "unchanged", "three": "created"}
    (warning,) = result["warnings"]
    assert "taken for a renewed token" in warning
    assert "account" in warning
    assert blind.create("one", "two", "three")["warnings"] == [], "it warns once"
    blind.assert_delivered("one", "two", "three")


def test_nor_does_one_where_the_account_has_a_listing(fleet: Fleet) -> None:
    fleet.create("shop")
    renew(fleet)
    result = fleet.create("shop")
    assert actions(result) == {"shop": "unchanged"}
    assert ["taken for a renewed token" in warning for warning in result["warnings"]] == [True]
    assert fleet.create("shop")["warnings"] == []
    assert fleet.posts() == ["shop"]


def test_nor_does_one_that_is_renewed_while_an_outcome_is_unknown(blind: Fleet) -> None:
    blind.arm("create", "reset", when="after")
    assert actions(blind.create("shop")) == {"shop": "unknown"}
    renew(blind)
    result = blind.create("shop")
    assert actions(result) == {"shop": "unknown"}
    adopt, discard = tasks_in(result["msg"])
    (instance,) = blind.existing("shop")
    assert blind.journal_task(**{**adopt, "instance_id": instance["id"]})["changed"]
    assert actions(blind.create("shop")) == {"shop": "unchanged"}
    assert blind.posts() == ["shop"]
    assert blind.journal_task(**discard)["failed"], "it isn't open any more"


def test_a_renewed_token_and_another_address_after_one_another_make_none(blind: Fleet) -> None:
    """Each step has one of the two in common with the one before, not with the first."""
    blind.create("shop")
    elsewhere = spelled("http://localhost:{port}", blind)
    assert actions(blind.create("shop", api_url=elsewhere)) == {"shop": "unchanged"}
    renew(blind)
    assert actions(blind.create("shop", api_url=elsewhere)) == {"shop": "unchanged"}
    assert actions(blind.create("shop")) == {"shop": "unchanged"}
    assert blind.posts() == ["shop"]


def test_one_that_is_seen_in_check_mode_is_warned_of_and_not_recorded(blind: Fleet) -> None:
    blind.create("shop")
    renew(blind)
    for _run in range(2):
        result = blind.create("shop", check_mode=True)
        assert actions(result) == {"shop": "unchanged"}
        assert len(result["warnings"]) == 1


# Spellings of an address


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_another_spelling_makes_no_second_instance(blind: Fleet, spelling: str) -> None:
    blind.create("shop")
    result = blind.create("shop", api_url=spelled(spelling, blind))
    assert actions(result) == {"shop": "unchanged"}
    assert result["warnings"] == []
    assert blind.posts() == ["shop"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_another_spelling_posts_nothing_after_an_unknown_outcome(blind: Fleet, spelling: str) -> None:
    blind.arm("create", "reset", when="after")
    blind.create("shop")
    assert actions(blind.create("shop", api_url=spelled(spelling, blind))) == {"shop": "unknown"}
    assert blind.posts() == ["shop"]


@pytest.mark.parametrize("listing", ["present", *NO_LISTING])
def test_runs_at_once_under_all_spellings_and_names_create_once(plugz: Fleet, listing: str) -> None:
    plugz.emulator.config({"plugzapi.listing": listing})
    plugz.arm("create", "slow", seconds=0.3, count=None)
    runs = [plugz.task("shop", timeout=30, api_url=spelled(spelling, plugz)) for spelling in SPELLINGS[:3]]
    runs.append(plugz.task("shop", timeout=30, account="mine"))
    results = in_parallel(*runs)
    assert sorted(actions(result)["shop"] for result in results) == ["created", "unchanged", "unchanged", "unchanged"]
    assert plugz.posts() == ["shop"]


# Two accounts at one address


def test_a_second_accounts_equal_name_creates_nothing_until_an_account_is_given(fleet: Fleet) -> None:
    other = second_account(fleet)
    fleet.create("shop")
    result = fleet.create("shop", partner_token=other)
    assert actions(result) == {"shop": "failed"}
    for word in ("account", "instances", "provision_accounts"):
        assert word in result["msg"]
    assert fleet.posts() == ["shop"]
    result = fleet.create("shop", partner_token=other, account="second")
    assert actions(result) == {"shop": "created"}
    assert result["instance"]["account"] == "second"
    assert fleet.posts() == ["shop", "shop"]
    for _run in range(2):
        assert actions(fleet.create("shop")) == {"shop": "unchanged"}
        assert actions(fleet.create("shop", partner_token=other, account="second")) == {"shop": "unchanged"}
    assert sorted(fleet.credentials()) == ["second/shop", "shop"]
    assert fleet.posts() == ["shop", "shop"]


def test_what_the_second_accounts_listing_shows_is_adopted_all_the_same(fleet: Fleet) -> None:
    other = second_account(fleet)
    fleet.create("shop")
    (seeded,) = fleet.seed("shop", account="second")
    result = fleet.create("shop", partner_token=other, credentials_file=None)
    assert actions(result) == {"shop": "adopted"}
    assert result["instance"]["id"] == str(seeded["id"])
    assert actions(fleet.create("shop")) == {"shop": "unchanged"}
    assert actions(fleet.create("shop", partner_token=other, credentials_file=None)) == {"shop": "unchanged"}


def test_without_a_listing_two_tokens_in_turns_are_found_out(blind: Fleet) -> None:
    other = second_account(blind)
    blind.create("shop")
    assert actions(blind.create("shop", partner_token=other)) == {"shop": "unchanged"}, "it may be a renewed one"
    assert actions(blind.create("shop")) == {"shop": "unchanged"}, "but it isn't"
    result = blind.create("shop", partner_token=other)
    assert actions(result) == {"shop": "failed"}
    assert "provision_accounts" in result["msg"]
    # As the message says: name each account, and run the first one's task first.
    assert actions(blind.create("shop", account="first")) == {"shop": "unchanged"}
    assert actions(blind.create("shop", partner_token=other, account="second")) == {"shop": "created"}
    assert sorted(blind.credentials()) == ["first/shop", "second/shop", "shop"]
    assert blind.posts() == ["shop", "shop"]


def test_the_command_of_the_message_names_the_account_whose_token_made_the_instance(blind: Fleet) -> None:
    other = second_account(blind)
    blind.create("shop")
    blind.create("shop", partner_token=other)
    blind.create("shop")
    (adopt,) = tasks_in(blind.create("shop", partner_token=other)["msg"])
    assert "/NAME/" in blind.journal_task(**adopt)["msg"], "pasted unread, it changes nothing"
    assert blind.journal_task(**adopt | {"account": "first"})["changed"]
    assert actions(blind.create("shop", account="first")) == {"shop": "unchanged"}
    assert actions(blind.create("shop", partner_token=other, account="second")) == {"shop": "created"}
    assert blind.posts() == ["shop", "shop"]


def test_the_message_tells_the_name_that_an_account_has(blind: Fleet) -> None:
    blind.create("shop", account="mine")
    renew(blind)
    message = blind.create("shop")["msg"]
    assert "set account: mine" in message
    assert not list(tasks_in(message)), "the journal knows the account already"


def test_equal_names_of_two_accounts_in_one_task_need_an_account_each(fleet: Fleet) -> None:
    other = second_account(fleet)
    items: list[dict[str, Any]] = [{"name": "shop"}, {"name": "shop", "partner_token": other}]
    result = fleet.create(instances=items)
    assert "give each its account" in result["msg"]
    assert fleet.log("create") == fleet.log("list") == []
    items[0]["account"], items[1]["account"] = "first", "second"
    result = fleet.create(instances=items)
    assert [(one["account"], one["action"]) for one in result["instances"]] == [
        ("first", "created"),
        ("second", "created"),
    ]
    ids = [one["id"] for one in result["instances"]]
    assert [fleet.credentials()[key]["id"] for key in ("first/shop", "second/shop")] == ids
    assert [one["action"] for one in fleet.create(instances=items)["instances"]] == ["unchanged", "unchanged"]


def test_an_account_from_the_environment_is_the_same(blind: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    blind.create("shop", account="mine")
    monkeypatch.setenv("PLUGZAPI_ACCOUNT", "mine")
    renew(blind)
    result = blind.create("shop")
    assert actions(result) == {"shop": "unchanged"}
    assert result["warnings"] == []
    assert result["instance"]["account"] == "mine"


# A name that comes late, goes or changes


def test_a_late_name_takes_over_what_the_same_token_made(blind: Fleet) -> None:
    blind.create("shop")
    assert actions(blind.create("shop", account="mine")) == {"shop": "unchanged"}
    assert blind.entry("shop")["account"] == "mine"  # type: ignore[index]
    renew(blind)
    assert actions(blind.create("shop", account="mine", api_url=spelled(SPELLINGS[3], blind))) == {"shop": "unchanged"}
    assert blind.posts() == ["shop"]


def test_a_late_name_takes_over_what_its_listing_shows(fleet: Fleet) -> None:
    fleet.create("shop")
    renew(fleet)
    assert actions(fleet.create("shop", account="mine", credentials_file=None)) == {"shop": "unchanged"}
    assert fleet.entry("shop")["account"] == "mine"  # type: ignore[index]


@pytest.mark.parametrize("is_same", [True, False])
def test_a_late_name_does_not_take_over_what_only_the_address_tells(blind: Fleet, is_same: bool) -> None:
    blind.create("shop")
    other = second_account(blind)
    result = blind.create("shop", partner_token=other, account="late")
    assert actions(result) == {"shop": "failed"}
    assert blind.posts() == ["shop"]
    if is_same:
        (adopt,) = tasks_in(result["msg"])
        assert blind.journal_task(**adopt)["changed"]
        assert actions(blind.create("shop", partner_token=other, account="late")) == {"shop": "unchanged"}
        assert blind.posts() == ["shop"]
    else:
        assert actions(blind.create("shop", account="early")) == {"shop": "unchanged"}
        assert actions(blind.create("shop", partner_token=other, account="late")) == {"shop": "created"}
        assert actions(blind.create("shop", account="early")) == {"shop": "unchanged"}
        assert blind.posts() == ["shop", "shop"]


def test_a_lagging_listing_is_waited_for_where_the_account_got_its_name_with_a_new_token(green: Fleet) -> None:
    green.listing_policy = LISTING_POLICY
    green.emulator.config({"green_api.listing_lag_listings": 2})
    green.create("shop")
    renew(green)
    assert actions(green.create("shop", account="mine")) == {"shop": "unchanged"}
    assert green.posts() == ["shop"]


@pytest.mark.parametrize("open_outcome", [False, True])
def test_a_command_that_is_pasted_unread_calls_no_account_by_the_name_of_its_gap(
    blind: Fleet, open_outcome: bool
) -> None:
    """Else the account would have another name than the task says, and the task would make a second instance."""
    if open_outcome:
        blind.arm("create", "reset", when="after")
    blind.create("shop")
    renew(blind)
    message = blind.create("shop", account="my shop")["msg"]
    assert "in the place of /NAME/" in message
    assert ("run this with its ID" in message) == open_outcome
    (adopt,) = tasks_in(message)
    (instance,) = blind.existing("shop")
    adopt["instance_id"] = instance["id"]
    assert "/NAME/" in blind.journal_task(**adopt)["msg"]
    assert actions(blind.create("shop", account="my shop")) == {"shop": "failed"}
    assert blind.journal_task(**adopt | {"account": "my shop"})["changed"]
    assert actions(blind.create("shop", account="my shop")) == {"shop": "unchanged"}
    assert blind.posts() == ["shop"]


def test_a_late_name_does_not_create_what_may_have_been_begun(fleet: Fleet) -> None:
    fleet.arm("create", "lag", seconds=3600)
    fleet.arm("create", "reset", when="after")
    fleet.create("shop")
    other = second_account(fleet)
    assert actions(fleet.create("shop", partner_token=other, account="late")) == {"shop": "failed"}
    assert fleet.posts() == ["shop"]


def test_a_name_that_is_left_out_again_changes_nothing(blind: Fleet) -> None:
    token = blind.create("shop", account="mine")["instance"]["token"]
    result = blind.create("shop")
    assert actions(result) == {"shop": "unchanged"}
    assert result["instance"]["token"] == token, "the credentials file knows it by its account"
    renew(blind)
    result = blind.create("shop")
    assert actions(result) == {"shop": "failed"}
    assert "account mine" in result["msg"]
    assert actions(blind.create("shop", account="mine")) == {"shop": "unchanged"}
    assert blind.posts() == ["shop"]


def test_one_account_has_one_name(blind: Fleet) -> None:
    blind.create("shop", account="old")
    result = blind.create("shop", account="new")
    assert actions(result) == {"shop": "failed"}
    assert "account old" in result["msg"]
    (adopt,) = tasks_in(result["msg"])
    assert blind.journal_task(**adopt)["changed"]
    assert actions(blind.create("shop", account="new")) == {"shop": "unchanged"}
    assert blind.posts() == ["shop"]


def test_accounts_of_two_addresses_may_share_a_token_if_they_have_names(blind: Fleet, tmp_path: Path) -> None:
    live = spelled("http://localhost:{port}", blind)
    assert actions(blind.create("shop", account="test")) == {"shop": "created"}
    assert actions(blind.create("shop", account="live", api_url=live)) == {"shop": "created"}


# Messages


def test_failures_of_equal_names_say_whose(blind: Fleet) -> None:
    items = [{"name": "shop", "account": account} for account in ("one", "two")]
    items[1]["partner_token"] = second_account(blind)
    assert [one["action"] for one in blind.create(instances=items, listing="required")["instances"]] == ["failed"] * 2
    would = blind.create(instances=items, check_mode=True, diff=True)
    assert would["diff"]["after"] == "plugzapi one/shop (new)\nplugzapi two/shop (new)\n"


def test_messages_and_the_credentials_file_call_an_instance_the_same(blind: Fleet) -> None:
    blind.arm("create", "reset", when="before")
    result = blind.create("shop", account="mine")
    assert "whether plugzapi instance mine/shop was created" in result["msg"]
    blind.create("shop", account="mine", on_unknown="create")
    assert list(blind.credentials()) == ["mine/shop"]


# What the journal shows


def test_the_journal_tells_account_address_and_when_and_no_token(blind: Fleet) -> None:
    tokens = [blind.emulator.account("plugzapi")["partner_token"]]
    blind.create("shop")
    renew(blind)
    tokens.append(blind.emulator.account("plugzapi")["partner_token"])
    blind.create("shop")
    blind.create("sales", account="mine")
    result = blind.journal_task()
    told = {entry["name"]: (entry["account"], entry["address"]) for entry in result["entries"]}
    assert told == {"sales": ("mine", blind.emulator.url), "shop": (None, blind.emulator.url)}
    assert all(entry["last_seen"] for entry in result["entries"])
    assert [(a["account"], a["address"], a["tokens"], a["listed_at"]) for a in result["accounts"]] == [
        (None, blind.emulator.url, 2, None),
        ("mine", blind.emulator.url, 1, None),
    ]
    assert not any(token in str(result) for token in tokens)
