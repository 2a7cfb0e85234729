# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task says it did, and how little it asks for that."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.support.creation import Fleet, actions


def test_a_run_over_200_names_that_exist_lists_once_and_does_nothing_else(fleet: Fleet) -> None:
    # PlugzAPI's listing has pages of 100.
    pages = 2 if fleet.provider == "plugzapi" else 1
    names = [f"shop-{number}" for number in range(200)]
    fleet.seed(*names)
    assert set(actions(fleet.create(*names)).values()) == {"adopted"}
    fleet.emulator.clear_log()
    result = fleet.create(*names)
    assert set(actions(result).values()) == {"unchanged"}
    assert not result["changed"]
    assert len(fleet.emulator.log()) == len(fleet.log("list")) == pages


def test_a_list_of_both_gateways_lists_each_once(green: Fleet) -> None:
    partner_token = green.emulator.account("plugzapi")["partner_token"]
    items = [
        {"name": name, **({"provider": "plugzapi", "partner_token": partner_token} if other else {})}
        for name in ("one", "two", "three")
        for other in (False, True)
    ]
    result = green.create(name=None, instances=items)
    assert {instance["action"] for instance in result["instances"]} == {"created"}
    assert [(i["name"], i["provider"]) for i in result["instances"]] == [
        (item["name"], item.get("provider", "green_api")) for item in items
    ]
    assert len(green.log("list")) == 1
    assert len(green.emulator.log(route="plugzapi.list")) == 1


def test_progress_counts_what_was_answered(green: Fleet) -> None:
    green.arm("create", "hang", skip=1)
    told: list[str] = []

    def progress(line: str) -> None:
        told.append(line)
        if line.startswith("1 of 3 creations answered ("):
            green.emulator.release()

    result = green.create("shop", "sales", "news", concurrency=1, timeout=10, progress=progress)
    assert set(actions(result).values()) == {"created"}
    assert re.fullmatch(r"1 of 3 creations answered \(\d+ s elapsed\)", told[0])


def test_the_same_name_twice_is_an_error_before_any_request(fleet: Fleet) -> None:
    result = fleet.create("shop", "sales", "shop")
    assert result["failed"]
    assert "shop" in result["msg"]
    assert fleet.emulator.log() == []


def test_an_empty_list_changes_nothing(fleet: Fleet) -> None:
    result = fleet.create(name=None, instances=[])
    assert result["changed"] is False
    assert result["instances"] == []
    assert fleet.emulator.log() == []


@pytest.mark.parametrize("action", ["created", "adopted", "unchanged", "failed", "unknown"])
def test_changed_tells_whether_this_task_made_something(fleet: Fleet, action: str) -> None:
    if action == "unchanged":
        fleet.create("shop")
    elif action == "adopted":
        fleet.seed("shop")
    elif action == "failed":
        fleet.arm("create", "status", status=422)
    elif action == "unknown":
        fleet.arm("create", "reset", when="before")
    result = fleet.create("shop")
    assert actions(result) == {"shop": action}
    assert result["changed"] is (action == "created")
    assert ("failed" in result) is (action in ("failed", "unknown"))


def test_check_mode_says_the_same_with_null_for_what_only_a_creation_can_know(fleet: Fleet) -> None:
    fleet.seed("old")
    would = fleet.create("old", "new", check_mode=True, diff=True)
    assert actions(would) == {"old": "adopted", "new": "would_create"}
    assert would["changed"]
    assert fleet.posts() == []
    assert list(fleet.folder.iterdir()) == []
    did = fleet.create("old", "new", diff=True)
    assert set(would) == set(did)
    assert [set(instance) for instance in would["instances"]] == [set(instance) for instance in did["instances"]]
    assert would["instances"][0] == did["instances"][0]
    new = would["instances"][1]
    assert [new[key] for key in ("id", "token", "due", "due_raw", "error")] == [None] * 5
    again = fleet.create("old", "new", check_mode=True)
    assert actions(again) == {"old": "unchanged", "new": "unchanged"}
    assert not again["changed"]


def test_the_diff_shows_what_there_is_more_and_no_secret(fleet: Fleet) -> None:
    (old,) = fleet.seed("old")
    result = fleet.create("old", "new", diff=True)
    (new,) = fleet.existing("new")
    line = f"{fleet.provider} {{}} {{}}\n"
    assert result["diff"]["before"] == line.format("old", old["id"])
    assert result["diff"]["after"] == line.format("old", old["id"]) + line.format("new", new["id"])
    for secret in (old["token"], new["token"], fleet.emulator.account(fleet.provider)["partner_token"]):
        assert secret not in json.dumps(result["diff"])


def test_the_diff_of_check_mode_shows_what_would_be_new(fleet: Fleet) -> None:
    result = fleet.create("new", diff=True, check_mode=True)
    assert result["diff"]["before"] == ""
    assert result["diff"]["after"] == f"{fleet.provider} new (new)\n"


def test_a_failure_names_each_name_and_keeps_the_results_of_the_others(fleet: Fleet) -> None:
    fleet.arm("create", "status", status=422, body={"error": "no"}, match="bad")
    fleet.arm("create", "status", status=422, body={"error": "no"}, match="bad")
    result: dict[str, Any] = fleet.create("bad-1", "good", "bad-2")
    assert actions(result) == {"bad-1": "failed", "good": "created", "bad-2": "failed"}
    assert result["changed"]
    for name in ("bad-1", "bad-2"):
        assert name in result["msg"]
    assert "\n" not in result["msg"]
    error = result["instances"][0]["error"]
    assert set(error) == {"code", "message", "retryable"}
