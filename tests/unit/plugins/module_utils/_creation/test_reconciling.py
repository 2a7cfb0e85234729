# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account's listing decides before a creation, and about one without a clear response."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._creation import provisioner
from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import LISTING_POLICY
from ansible_collections.msgops.fleet.plugins.module_utils._journal import entries
from ansible_collections.msgops.fleet.tests.storm.runs import PATIENCE, Child
from ansible_collections.msgops.fleet.tests.support.creation import Fleet, actions

from msgops_emulator import Emulator

# Answers to a listing that are no whole, well-formed list.
NO_LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "hang": ("hang", {}),
    "reset": ("reset", {}),
    "close": ("close", {}),
    "401": ("status", {"status": 401}),
    "403": ("status", {"status": 403}),
    "429": ("throttle", {}),
    "500": ("status", {"status": 500}),
    "502": ("bad_gateway", {}),
    "499": ("client_closed", {}),
    "truncated": ("truncate", {}),
    "redirect": ("redirect", {}),
    "not JSON": ("garbage", {"kind": "not_json"}),
    "a log-in page": ("garbage", {"kind": "html"}),
    "binary": ("garbage", {"kind": "binary"}),
    "empty": ("garbage", {"kind": "empty"}),
    "huge": ("garbage", {"kind": "huge", "megabytes": 8}),
    "deep": ("garbage", {"kind": "deep"}),
    "wrong type": ("garbage", {"kind": "wrong_type"}),
    "null": ("status", {"status": 200, "body": None}),
    "an item that is no object": ("status", {"status": 200, "body": {"content": [1], "totalPage": 1, "total": 1}}),
    "an item without an ID": ("status", {"status": 200, "body": {"content": [{"name": "x"}], "totalPage": 1}}),
}


# Before a creation


def test_what_the_account_has_is_adopted_then_unchanged(fleet: Fleet) -> None:
    (instance,) = fleet.seed("shop")
    first, second = fleet.create("shop"), fleet.create("shop")
    assert (actions(first), actions(second)) == ({"shop": "adopted"}, {"shop": "unchanged"})
    assert first["instance"]["id"] == second["instance"]["id"] == str(instance["id"])
    assert not first["changed"]
    assert not second["changed"]
    assert fleet.posts() == []
    fleet.assert_delivered("shop")


@pytest.mark.parametrize("other", ["Shop", "shop ", "shop-2", "a shop", "\uff53hop"])
def test_names_are_compared_exactly(fleet: Fleet, other: str) -> None:
    fleet.seed(other)
    assert actions(fleet.create("shop")) == {"shop": "created"}


@pytest.mark.parametrize("no_list", NO_LISTS)
def test_nothing_is_created_unless_the_listing_is_whole(fleet: Fleet, no_list: str) -> None:
    fault, options = NO_LISTS[no_list]
    fleet.arm("list", fault, count=None, **options)
    result = fleet.create("shop", "sales")
    assert actions(result) == {"shop": "failed", "sales": "failed"}
    assert not result["changed"]
    assert fleet.posts() == []
    assert fleet.status("shop") is None


def test_a_listing_that_fails_for_a_moment_is_asked_again(fleet: Fleet) -> None:
    fleet.arm("list", "bad_gateway")
    assert actions(fleet.create("shop", retry_timeout=30)) == {"shop": "created"}


def test_a_failing_second_page_creates_nothing(plugz: Fleet) -> None:
    plugz.emulator.config({"plugzapi.max_page_size": 2})
    plugz.seed("one", "two", "three")
    plugz.arm("list", "status", status=500, skip=1, count=None)
    assert actions(plugz.create("four")) == {"four": "failed"}
    assert plugz.posts() == []


@pytest.mark.parametrize("status", [404, 405])
def test_a_missing_second_page_is_no_missing_listing(plugz: Fleet, status: int) -> None:
    plugz.emulator.config({"plugzapi.max_page_size": 2})
    plugz.seed("one", "two", "three")
    plugz.arm("list", "status", status=status, skip=1, count=None)
    assert actions(plugz.create("three")) == {"three": "failed"}
    assert plugz.posts() == []


def test_a_listing_shorter_than_its_total_creates_nothing(plugz: Fleet) -> None:
    body = {"content": [], "totalPage": 1, "total": 3, "page": 1, "pageSize": 100}
    plugz.arm("list", "status", status=200, body=body, count=None)
    assert actions(plugz.create("shop")) == {"shop": "failed"}
    assert plugz.posts() == []


def test_an_instance_on_the_last_page_is_found(plugz: Fleet) -> None:
    plugz.emulator.config({"plugzapi.max_page_size": 2})
    plugz.seed("one", "two", "three", "four", "five")
    assert actions(plugz.create("five")) == {"five": "adopted"}


def test_green_api_has_a_listing_so_a_missing_one_creates_nothing(green: Fleet) -> None:
    green.arm("list", "status", status=404, count=None)
    assert actions(green.create("shop")) == {"shop": "failed"}
    assert green.posts() == []


def test_several_of_a_name_are_an_error_that_names_their_ids(fleet: Fleet) -> None:
    ids = [str(instance["id"]) for instance in fleet.seed("shop", "shop")]
    result = fleet.create("shop", "sales")
    assert actions(result) == {"shop": "failed", "sales": "created"}
    assert all(instance_id in result["instances"][0]["error"]["message"] for instance_id in ids)
    assert fleet.posts() == ["sales"]


def test_one_account_that_cannot_be_listed_does_not_keep_the_other_from_being_served(green: Fleet) -> None:
    other = green.emulator.account("plugzapi")
    green.arm("list", "status", status=401, count=None)
    items = [
        {"name": "shop"},
        {"name": "sales", "provider": "plugzapi", "partner_token": other["partner_token"]},
    ]
    result = green.create("shop", name=None, instances=items)
    assert actions(result) == {"shop": "failed", "sales": "created"}


# An instance that was there


def test_a_deleted_instance_that_the_listing_shows_as_deleted_is_created_again(green: Fleet) -> None:
    first = green.create("shop")["instance"]
    green.emulator.set_state("green_api", first["id"], "deleted")
    again = green.create("shop")
    assert actions(again) == {"shop": "created"}
    assert again["instance"]["id"] != first["id"]
    green.assert_delivered("shop")


def test_a_deleted_instance_that_nobody_journalled_is_no_match(green: Fleet) -> None:
    green.seed("shop", state="deleted")
    assert actions(green.create("shop")) == {"shop": "created"}


@pytest.mark.parametrize("status", ["created", "delivered"])
def test_an_instance_that_the_listing_does_not_show_any_more_is_not_created_again(plugz: Fleet, status: str) -> None:
    if status == "delivered":
        instance_id = plugz.create("shop")["instance"]["id"]
    else:
        plugz.arm("create", "reset", when="before")
        plugz.create("shop")
        instance_id = "A" * 32
        plugz.journal_task(action="adopt", provider="plugzapi", name="shop", instance_id=instance_id)
    for instance in plugz.existing("shop"):
        plugz.emulator.set_state("plugzapi", instance["id"], "deleted")
    assert plugz.status("shop") == status
    result = plugz.create("shop")
    assert actions(result) == {"shop": "failed"}
    assert result["error"]["code"] == "not_found"
    assert instance_id in result["msg"]
    assert "on_unknown: create" in result["msg"]
    assert len(plugz.posts()) == 1
    assert actions(plugz.create("shop", on_unknown="create")) == {"shop": "created"}
    plugz.assert_delivered("shop")


def test_a_renamed_instance_is_not_created_again(fleet: Fleet) -> None:
    instance_id = fleet.create("shop")["instance"]["id"]
    fleet.emulator.set_state(fleet.provider, instance_id, name="Shop 24/7")
    result = fleet.create("shop")
    assert actions(result) == {"shop": "failed"}
    assert "is named Shop 24/7 now" in result["msg"]
    fleet.emulator.set_state(fleet.provider, instance_id, name="shop")
    assert actions(fleet.create("shop")) == {"shop": "unchanged"}
    assert fleet.posts() == ["shop"]


def test_an_instance_that_somebody_replaced_is_adopted(fleet: Fleet) -> None:
    first = fleet.create("shop")["instance"]["id"]
    fleet.emulator.set_state(fleet.provider, first, "deleted")
    (second,) = fleet.seed("shop")
    result = fleet.create("shop")
    assert actions(result) == {"shop": "adopted"}
    assert result["instance"]["id"] == str(second["id"]) != first
    fleet.assert_delivered("shop")


# A listing that lags


@pytest.fixture
def patient(fleet: Fleet) -> None:
    """Ask the listing until it shows the instance, also on a slow machine."""
    fleet.listing_policy = replace(fleet.listing_policy, timeout=PATIENCE)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("listings", [1, 2])
def test_a_lagging_listing_is_asked_again(fleet: Fleet, listings: int) -> None:
    fleet.arm("create", "lag", listings=listings)
    fleet.arm("create", "reset", when="after")
    assert actions(fleet.create("shop")) == {"shop": "adopted"}
    assert len(fleet.log("list")) == 1 + listings + 1
    fleet.assert_delivered("shop")


@pytest.mark.usefixtures("patient")
def test_a_listing_that_fails_while_a_run_reconciles_is_asked_again(fleet: Fleet) -> None:
    fleet.arm("create", "reset", when="after")
    fleet.arm("list", "bad_gateway", skip=1)
    assert actions(fleet.create("shop")) == {"shop": "adopted"}
    fleet.assert_delivered("shop")


def test_an_outcome_stays_unknown_while_the_listing_cannot_be_had(fleet: Fleet) -> None:
    fleet.arm("create", "reset", when="after")
    fleet.arm("list", "status", status=403, skip=1, count=2)
    result = fleet.create("shop")
    assert actions(result) == {"shop": "unknown"}
    assert actions(fleet.create("shop")) == {"shop": "failed"}, "the account can't be listed, so nothing is known"
    assert fleet.status("shop") == "unknown"
    assert actions(fleet.create("shop")) == {"shop": "adopted"}
    assert fleet.posts() == ["shop"]


def test_what_a_listing_shows_too_late_is_adopted_by_a_later_run(fleet: Fleet) -> None:
    fleet.arm("create", "lag", seconds=60)
    fleet.arm("create", "reset", when="after")
    assert actions(fleet.create("shop")) == {"shop": "unknown"}
    assert actions(fleet.create("shop")) == {"shop": "unknown"}
    fleet.emulator.advance(60)
    assert actions(fleet.create("shop")) == {"shop": "adopted"}
    assert fleet.posts() == ["shop"]
    fleet.assert_delivered("shop")


@pytest.mark.usefixtures("patient")
def test_a_run_right_after_a_creation_waits_for_a_listing_that_lags(fleet: Fleet) -> None:
    fleet.arm("create", "lag", listings=2)
    assert actions(fleet.create("shop")) == {"shop": "created"}
    assert actions(fleet.create("shop")) == {"shop": "unchanged"}
    assert fleet.posts() == ["shop"]


def test_a_clock_that_was_set_back_makes_no_run_wait_longer(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        for module in (provisioner, entries):
            patch.setattr(module, "utc_now", lambda: "2999-01-01T00:00:00Z")
        instance_id = fleet.create("shop")["instance"]["id"]
    fleet.emulator.set_state(fleet.provider, instance_id, name="renamed")
    assert actions(fleet.create("shop")) == {"shop": "failed"}, "this year"


def test_two_that_appeared_at_once_are_an_error_and_stay_unknown(fleet: Fleet) -> None:
    """Another program creates the same name without the journal, while the response is lost."""
    fleet.arm("create", "hang", when="after")
    run = Child(fleet.task("shop", timeout=2))
    fleet.wait_for("create")
    fleet.seed("shop")
    assert actions(run.result()) == {"shop": "failed"}
    assert fleet.status("shop") == "unknown"
    assert actions(fleet.create("shop")) == {"shop": "failed"}
    assert fleet.posts() == ["shop"]


def test_the_listing_is_asked_for_a_quarter_of_a_minute(emulator: Emulator, tmp_path: Path) -> None:
    """With the real times: an instance that shows after five seconds is adopted, and a lost one takes 15 s."""
    assert LISTING_POLICY.timeout == 15.0
    green = Fleet(emulator, "green_api", tmp_path, listing_policy=LISTING_POLICY)
    green.arm("create", "lag", seconds=5, match='"slow"')
    green.arm("create", "reset", when="after", match='"slow"')
    green.arm("create", "reset", when="before", match='"lost"')
    started = time.monotonic()
    assert actions(green.create("slow", "lost")) == {"slow": "adopted", "lost": "unknown"}
    assert time.monotonic() - started >= 15
    started = time.monotonic()
    assert actions(green.create("lost")) == {"lost": "unknown"}
    assert time.monotonic() - started < 15, "the wait is not repeated"


# on_unknown: create


def test_on_unknown_create_creates_what_no_listing_shows(fleet: Fleet) -> None:
    fleet.arm("create", "reset", when="before")
    assert actions(fleet.create("shop")) == {"shop": "unknown"}
    result = fleet.create("shop", on_unknown="create")
    assert actions(result) == {"shop": "created"}
    assert result["changed"]
    fleet.assert_delivered("shop")


def test_on_unknown_create_adopts_what_the_listing_shows(fleet: Fleet) -> None:
    fleet.arm("create", "lag", seconds=60)
    fleet.arm("create", "reset", when="after")
    assert actions(fleet.create("shop")) == {"shop": "unknown"}
    fleet.emulator.advance(60)
    assert actions(fleet.create("shop", on_unknown="create")) == {"shop": "adopted"}
    assert fleet.posts() == ["shop"]


def test_on_unknown_create_does_not_repeat_its_own_unclear_creation(fleet: Fleet) -> None:
    fleet.arm("create", "reset", when="before", count=None)
    assert actions(fleet.create("shop", on_unknown="create")) == {"shop": "unknown"}
    assert fleet.posts() == ["shop"]
