# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud phones: the tenant's listing, and reboots in batches, within the budget, until they run again."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.storm.runs import Result, Run
from ansible_collections.msgops.fleet.tests.support.linking import Sitting

ROUTE = "koophone.reboot"
RUNNING, STOPPED = 2, 1


@pytest.fixture(autouse=True)
def _quick_reboots(sitting: Sitting) -> None:
    # Each reading is a second later, so that none of a reboot's statuses is missed.
    sitting.emulator.config({"koophone.reboot_seconds": 3, "server.step_seconds": 1})


def seed(sitting: Sitting, *statuses: int) -> list[str]:
    return [sitting.emulator.seed(phones=[{"status": status}])["phones"][0]["id"] for status in statuses]


def run(sitting: Sitting, module: str, **options: Any) -> Result:
    keywords = {key: options.pop(key) for key in ("check_mode", "times") if key in options}
    given = {
        "endpoint": sitting.emulator.url,
        "auth_token": sitting.emulator.account("koophone")["auth_token"],
        "timeout": 5,
        "retry_timeout": 0,
        **options,
    }
    return Run(module, given, no_log=False, diff=True, **keywords)()


def reboot(sitting: Sitting, ids: list[str], **options: Any) -> Result:
    given = {"journal": str(sitting.journal), "wait_interval": 0.01, "wait_timeout": 20, "times": {"spacing": 0.0}}
    return run(sitting, "cloudphone_reboot", instance_ids=ids, **{**given, **options})


def actions(result: Result) -> list[str]:
    return [phone["action"] for phone in result["phones"]]


def batches(sitting: Sitting) -> list[int]:
    """How many phones each request named."""
    return [entry["body"].count('"') // 2 - 1 for entry in sitting.emulator.log(route=ROUTE)]


# The listing


def test_the_tenants_phones(sitting: Sitting) -> None:
    ids = seed(sitting, RUNNING, STOPPED, RUNNING)
    result = run(sitting, "cloudphone_info", page_size=2)
    assert [phone["instance_id"] for phone in result["phones"]] == ids
    assert result["phones"][1] == {
        "instance_id": ids[1],
        "name": ids[1],
        "status": 1,
        "status_name": "stopped",
        "health": "action_required",
        "frozen": False,
        "assigned": False,
        "region": "cn-south-1",
        "sku": "koophone.standard",
        "billing_mode": "1",
    }
    assert result["summary"] == {"total": 3, "by_status": {"running": 2, "stopped": 1}, "frozen": 0}
    assert len(sitting.emulator.log(route="koophone.batch_query")) == 2


def test_the_listing_needs_its_permission_only(sitting: Sitting) -> None:
    seed(sitting, RUNNING)
    sitting.emulator.config({"koophone.denied": "POST batch-query-status"})
    assert run(sitting, "cloudphone_info")["summary"]["total"] == 1
    sitting.emulator.config({"koophone.denied": "GET batch-query"})
    result = run(sitting, "cloudphone_info")
    assert (result["failed"], result["error"]["code"]) == (True, "forbidden")


def test_a_page_without_phones(sitting: Sitting) -> None:
    assert "page_size must be between 1 and 100" in run(sitting, "cloudphone_info", page_size=0)["msg"]


# Reboots


def test_running_phones_are_rebooted_and_run_again(sitting: Sitting) -> None:
    ids = seed(sitting, RUNNING, STOPPED)
    result = reboot(sitting, [*ids, ids[0]])
    assert not result.get("failed"), result["msg"]
    assert (result["changed"], actions(result)) == (True, ["rebooted", "skipped"])
    assert [phone["status_name"] for phone in result["phones"]] == ["running", "stopped"]
    assert result["summary"] == {"total": 2, "by_action": {"rebooted": 1, "skipped": 1}}
    assert batches(sitting) == [1]


def test_check_mode_sends_nothing(sitting: Sitting) -> None:
    ids = seed(sitting, RUNNING, STOPPED)
    result = reboot(sitting, ids, check_mode=True)
    assert (result["changed"], actions(result)) == (True, ["would_reboot", "skipped"])
    assert result["diff"]["before"] != result["diff"]["after"]
    assert sitting.emulator.log(writes=True) == []
    assert not sitting.journal.exists()


def test_batches_of_a_hundred(sitting: Sitting) -> None:
    ids = seed(sitting, *[RUNNING] * 150)
    result = reboot(sitting, ids, wait_timeout=0, concurrency=1)
    assert set(actions(result)) == {"rebooted"}
    assert batches(sitting) == [100, 50]


def test_one_phone_that_stops_meanwhile(sitting: Sitting) -> None:
    """The batch is refused as a whole, and halved until the phone is found."""
    ids = seed(sitting, *[RUNNING] * 4)
    sitting.emulator.arm(
        ROUTE,
        "status",
        match=ids[2],
        count=None,
        status=200,
        body={"error_code": "KOOPHONE.API.5005", "error_msg": "not all instances are running"},
    )
    result = reboot(sitting, ids)
    assert actions(result) == ["rebooted", "rebooted", "failed", "rebooted"]
    assert "it isn't running any more" in result["msg"]
    assert batches(sitting) == [4, 2, 2, 1, 1]
    # What wasn't rebooted took nothing from the budget.
    with contextlib.closing(sqlite3.connect(sitting.journal)) as journal:
        assert sorted(row[0] for row in journal.execute("SELECT instance_id FROM reboot")) == sorted(
            [ids[0], ids[1], ids[3]]
        )


def test_the_budget_holds_over_runs(sitting: Sitting) -> None:
    ids = seed(sitting, RUNNING)
    for expected in ("rebooted", "rebooted", "over_budget"):
        result = reboot(sitting, ids)
        assert actions(result) == [expected]
    assert result["phones"][0]["error"]["code"] == "throttled"
    assert actions(reboot(sitting, ids, check_mode=True)) == ["over_budget"]
    assert batches(sitting) == [1, 1]


def test_a_plan_beyond_the_limit(sitting: Sitting) -> None:
    ids = seed(sitting, RUNNING, RUNNING, STOPPED)
    result = reboot(sitting, ids, max_changes="50%")
    assert actions(result) == ["failed", "failed", "skipped"]
    assert "max_changes is 50%" in result["msg"]
    assert sitting.emulator.log(writes=True) == []


def test_a_phone_that_the_tenant_does_not_have(sitting: Sitting) -> None:
    ids = seed(sitting, RUNNING)
    result = reboot(sitting, [*ids, "nobody"])
    assert actions(result) == ["rebooted", "failed"]
    assert "the tenant's listing doesn't have it" in result["msg"]
    assert reboot(sitting, ["nobody"])["msg"].startswith("nobody: the tenant's listing doesn't have it")


def test_phones_that_cannot_be_listed_are_not_rebooted(sitting: Sitting) -> None:
    ids = seed(sitting, RUNNING)
    sitting.emulator.config({"koophone.denied": "GET batch-query"})
    result = reboot(sitting, ids)
    assert result["failed"]
    assert batches(sitting) == []


@pytest.mark.parametrize(("when", "action"), [("after", "rebooted"), ("before", "unknown")])
def test_a_lost_answer_is_reconciled_by_the_status(sitting: Sitting, when: str, action: str) -> None:
    ids = seed(sitting, RUNNING)
    sitting.emulator.arm(ROUTE, "reset", when=when)
    result = reboot(sitting, ids, retry_timeout=5, wait_timeout=20 if when == "after" else 0.5)
    assert actions(result) == [action]
    assert batches(sitting) == [1]


def test_a_phone_that_does_not_come_back(sitting: Sitting) -> None:
    sitting.emulator.config({"koophone.reboot_seconds": 10_000})
    result = reboot(sitting, seed(sitting, RUNNING), wait_timeout=0.3)
    assert actions(result) == ["rebooted"]
    assert "it is still starting 0.3 s after its reboot" in result["msg"]


def test_a_phone_that_is_not_seen_to_restart(sitting: Sitting) -> None:
    sitting.emulator.config({"koophone.reboot_lag_seconds": 10_000})
    result = reboot(sitting, seed(sitting, RUNNING), wait_timeout=0.3)
    assert actions(result) == ["rebooted"]
    assert "each reading of 0.3 s shows it running" in result["msg"]


def test_a_status_that_shows_late(sitting: Sitting) -> None:
    sitting.emulator.config({"koophone.reboot_lag_seconds": 5})
    result = reboot(sitting, seed(sitting, RUNNING))
    assert not result.get("failed"), result["msg"]
    assert actions(result) == ["rebooted"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ids": [" "]}, "instance_ids[0] is blank"),
        ({"max_reboots_per_hour": 61}, "max_reboots_per_hour must be between 0 and 60"),
        ({"max_changes": "many"}, "max_changes must be a whole number"),
    ],
)
def test_options_that_cannot_be_used(sitting: Sitting, options: dict[str, Any], says: str) -> None:
    result = reboot(sitting, **{"ids": ["a"], **options})
    assert says in result["msg"]
    assert sitting.emulator.log() == []
