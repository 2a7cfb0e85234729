# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reboots: in the states that they repair, once in a task, and within the budget of all tasks."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.observation import Target
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.reboot import Rebooter, RebootPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.reboot_budget import RebootBudget
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import WaitPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import TransportOptions
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Credentials
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache
from ansible_collections.msgops.fleet.tests.storm.runs import Result, Run, in_parallel
from ansible_collections.msgops.fleet.tests.support.creation import GATEWAYS, actions
from ansible_collections.msgops.fleet.tests.support.linking import Person, Sitting, errors

ROUTES = {"green_api": "green_api.reboot", "plugzapi": "plugzapi.restart"}


@pytest.fixture(autouse=True)
def _quick_reboots(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.restart_seconds": 0.3, "plugzapi.restart_seconds": 0.3})


def task(sitting: Sitting, instances: list[dict[str, Any]] | None, **options: Any) -> Run:
    given: dict[str, Any] = {
        "journal": str(sitting.journal),
        "wait_timeout": 20,
        "reboot_on": ["yellowCard", "notAuthorized"],
    }
    given["times"] = {"spacing": 0.0}
    return sitting.run("instance_reboot", instances, **{**given, **options})


def reboot(sitting: Sitting, instances: list[dict[str, Any]] | None, **options: Any) -> Result:
    return task(sitting, instances, **options)()


def broken(sitting: Sitting, provider: str, *names: str) -> list[dict[str, Any]]:
    """Instances with a phone, in the state that a reboot repairs."""
    linked, ill = ("authorized", "yellowCard") if provider == "green_api" else ("connected", "disconnected")
    items = sitting.seed(provider, *names, state=linked)
    for item in items:
        sitting.emulator.set_state(provider, item["id"], ill)
    return items


def sent(sitting: Sitting) -> int:
    """How many reboots reached the gateways."""
    return sum(len(sitting.emulator.log(route=route)) for route in ROUTES.values())


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_reboot_repairs_an_instance(sitting: Sitting, provider: str) -> None:
    (shop,) = broken(sitting, provider, "shop")
    result = reboot(sitting, [shop])
    assert not result.get("failed"), result["msg"]
    assert result["changed"] is True
    (instance,) = result["instances"]
    before = "yellowCard" if provider == "green_api" else "notAuthorized"
    assert (instance["action"], instance["before"], instance["state"]) == ("rebooted", before, "authorized")
    assert result["summary"] == {"total": 1, "authorized": 1, "by_action": {"rebooted": 1}}
    assert sent(sitting) == 1


def test_the_new_word_for_a_yellow_card_on_request(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop", state="authorized")
    sitting.emulator.set_state("green_api", shop["id"], "suspended")
    result = reboot(sitting, [shop], reboot_on=["suspended"])
    assert not result.get("failed"), result["msg"]
    (instance,) = result["instances"]
    assert (instance["action"], instance["before"], instance["state"]) == ("rebooted", "suspended", "authorized")


@pytest.mark.parametrize("state", ["authorized", "notAuthorized", "blocked", "starting", "suspended", "wonderful"])
def test_any_other_state_is_left_alone(sitting: Sitting, state: str) -> None:
    result = reboot(sitting, sitting.seed("green_api", "shop", state=state))
    assert not result.get("failed")
    assert (result["changed"], actions(result)) == (False, {"shop": "unchanged"})
    assert sent(sitting) == 0
    assert not sitting.journal.exists()


def test_a_second_run_changes_nothing(sitting: Sitting) -> None:
    (shop,) = broken(sitting, "green_api", "shop")
    assert reboot(sitting, [shop])["changed"] is True
    result = reboot(sitting, [shop])
    assert (result["changed"], actions(result)) == (False, {"shop": "unchanged"})
    assert sent(sitting) == 1


def test_by_default_yellow_cards_alone(sitting: Sitting) -> None:
    fleet = broken(sitting, "green_api", "shop") + broken(sitting, "plugzapi", "sales")
    result = reboot(sitting, fleet, reboot_on=None)
    assert actions(result) == {"shop": "rebooted", "sales": "unchanged"}


def test_check_mode_sends_nothing_and_leaves_no_trace(sitting: Sitting) -> None:
    fleet = broken(sitting, "green_api", "shop") + broken(sitting, "plugzapi", "sales")
    fleet += sitting.seed("green_api", "fine", state="authorized")
    result = reboot(sitting, fleet, check_mode=True, diff=True)
    assert actions(result) == {"shop": "would_reboot", "sales": "would_reboot", "fine": "unchanged"}
    assert result["changed"] is True
    assert "yellowCard" in result["diff"]["before"]
    assert "rebooting" in result["diff"]["after"]
    assert sitting.emulator.log(writes=True) == []
    assert not sitting.journal.exists()


def test_check_mode_knows_the_budget(sitting: Sitting) -> None:
    (shop,) = broken(sitting, "green_api", "shop")
    reboot(sitting, [shop], max_reboots_per_hour=1)
    sitting.emulator.set_state("green_api", shop["id"], "yellowCard")
    result = reboot(sitting, [shop], max_reboots_per_hour=1, check_mode=True)
    assert actions(result) == {"shop": "failed"}
    assert "as often as max_reboots_per_hour allows" in result["msg"]


# Starting for too long


def test_starting_is_rebooted_when_it_lasts(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop", state="authorized")
    sitting.emulator.set_state("green_api", shop["id"], "starting")
    started = time.monotonic()
    result = reboot(sitting, [shop], reboot_on=["starting"], starting_timeout=0.5)
    assert time.monotonic() - started >= 0.5
    assert actions(result) == {"shop": "rebooted"}
    assert result["instances"][0]["state"] == "authorized"


def test_starting_is_left_alone_when_it_ends(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    sitting.emulator.set_state("green_api", shop["id"], "starting", [(0.3, "authorized")])
    result = reboot(sitting, [shop], reboot_on=["starting"], starting_timeout=10)
    assert actions(result) == {"shop": "unchanged"}
    assert result["instances"][0]["state"] == "authorized"
    assert sent(sitting) == 0


def test_starting_that_ends_in_a_yellow_card(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop", state="authorized")
    sitting.emulator.set_state("green_api", shop["id"], "starting", [(0.3, "yellowCard")])
    result = reboot(sitting, [shop], reboot_on=["starting", "yellowCard"], starting_timeout=10)
    assert (actions(result), sent(sitting)) == ({"shop": "rebooted"}, 1)
    assert result["instances"][0]["before"] == "yellowCard"


# What a reboot doesn't cure


def test_an_instance_that_relapses_is_not_rebooted_again(sitting: Sitting) -> None:
    (shop,) = broken(sitting, "green_api", "shop")
    sitting.emulator.config({"green_api.restart_seconds": 60})
    relapses: list[str] = []

    def fall_ill_again() -> None:
        if not relapses and sitting.state(shop) == "starting":
            sitting.emulator.set_state("green_api", shop["id"], "starting", [(0.3, "yellowCard")])
            relapses.append("shop")

    with Person(fall_ill_again):
        result = reboot(sitting, [shop])
    assert (result["failed"], result["changed"], sent(sitting)) == (True, True, 1)
    assert result["msg"] == (
        f"shop ({shop['id']}): it is yellowCard again after its reboot; it returns while WhatsApp's "
        "restriction lasts: stop what recipients complain about, and wait"
    )


def test_an_instance_that_does_not_come_back(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.restart_seconds": 600})
    (shop,) = broken(sitting, "green_api", "shop")
    result = reboot(sitting, [shop], wait_timeout=0.5)
    assert (result["failed"], result["changed"]) == (True, True)
    assert "it is still starting 0.5 s after its reboot" in result["msg"]


def test_plugzapi_without_a_session(sitting: Sitting) -> None:
    (sales,) = sitting.seed("plugzapi", "sales")
    result = reboot(sitting, [sales], wait_timeout=0.3)
    assert "it is still notAuthorized 0.3 s after its reboot" in result["msg"]
    assert sent(sitting) == 1


def test_without_time_to_wait(sitting: Sitting) -> None:
    (shop,) = broken(sitting, "green_api", "shop")
    result = reboot(sitting, [shop], wait_timeout=0)
    assert not result.get("failed")
    assert actions(result) == {"shop": "rebooted"}
    assert len(sitting.emulator.log(route="green_api.get_state")) == 1


# Lost answers


LOST = [
    ("reset", {"when": "after"}),
    ("close", {"when": "after"}),
    ("bad_gateway", {"when": "after"}),
    ("client_closed", {"when": "after"}),
    ("truncate", {}),
    ("garbage", {"kind": "not_json"}),
    ("hang", {"when": "after"}),
]


@pytest.mark.parametrize("provider", GATEWAYS)
@pytest.mark.parametrize(("fault", "options"), LOST)
def test_after_a_lost_answer_the_state_tells(
    sitting: Sitting, provider: str, fault: str, options: dict[str, Any]
) -> None:
    sitting.emulator.arm(ROUTES[provider], fault, count=None, **options)
    (shop,) = broken(sitting, provider, "shop")
    result = reboot(sitting, [shop], retry_timeout=5, timeout=1)
    assert sent(sitting) == 1
    assert not result.get("failed"), result["msg"]
    assert actions(result) == {"shop": "rebooted"}


@pytest.mark.parametrize("provider", GATEWAYS)
@pytest.mark.parametrize(
    ("fault", "options"), [("reset", {}), ("bad_gateway", {}), ("hang", {}), ("status", {"status": 500})]
)
def test_a_reboot_that_never_arrived_is_not_sent_again(
    sitting: Sitting, provider: str, fault: str, options: dict[str, Any]
) -> None:
    sitting.emulator.arm(ROUTES[provider], fault, count=1, **options)
    (shop,) = broken(sitting, provider, "shop")
    result = reboot(sitting, [shop], retry_timeout=5, timeout=0.5, wait_timeout=1)
    assert sent(sitting) == 1
    assert actions(result) == {"shop": "unknown"}
    assert "it is not known whether it was rebooted" in result["msg"]
    assert result["error"]["code"] == "outcome_unknown"


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_lost_answer_without_time_to_wait(sitting: Sitting, provider: str) -> None:
    sitting.emulator.arm(ROUTES[provider], "reset", when="after")
    result = reboot(sitting, broken(sitting, provider, "shop"), wait_timeout=0)
    assert actions(result) == {"shop": "unknown"}
    assert result["changed"] is True


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_throttled_reboot_is_sent_again(sitting: Sitting, provider: str) -> None:
    sitting.emulator.arm(ROUTES[provider], "throttle", retry_after="seconds", seconds=0)
    result = reboot(sitting, broken(sitting, provider, "shop"), retry_timeout=5)
    assert actions(result) == {"shop": "rebooted"}
    assert sent(sitting) == 2


# The budget


def relapse(sitting: Sitting, item: dict[str, Any]) -> None:
    ill = "yellowCard" if item["provider"] == "green_api" else "disconnected"
    sitting.emulator.set_state(item["provider"], item["id"], ill)


@pytest.mark.parametrize("provider", GATEWAYS)
def test_the_budget_holds_over_runs(sitting: Sitting, provider: str) -> None:
    (shop,) = broken(sitting, provider, "shop")
    for expected in ("rebooted", "rebooted", "failed", "failed"):
        result = reboot(sitting, [shop])
        assert actions(result) == {"shop": expected}
        relapse(sitting, shop)
    assert sent(sitting) == 2
    assert re.search(r"it was rebooted 2 times within an hour, .* the next one may be in 60 minutes", result["msg"])
    assert result["error"]["code"] == "throttled"
    assert result["error"]["retryable"] is True


def test_each_instance_has_a_budget_of_its_own(sitting: Sitting) -> None:
    fleet = broken(sitting, "green_api", "shop", "support")
    reboot(sitting, fleet[:1], max_reboots_per_hour=1)
    relapse(sitting, fleet[0])
    result = reboot(sitting, fleet, max_reboots_per_hour=1)
    assert actions(result) == {"shop": "failed", "support": "rebooted"}
    assert list(errors(result)) == ["shop"]


def test_after_an_hour_there_is_room_again(sitting: Sitting) -> None:
    (shop,) = broken(sitting, "green_api", "shop")
    reboot(sitting, [shop], max_reboots_per_hour=1)
    relapse(sitting, shop)
    with contextlib.closing(sqlite3.connect(sitting.journal)) as journal:
        journal.execute("UPDATE reboot SET requested_at = requested_at - 3601")
        journal.commit()
    assert actions(reboot(sitting, [shop], max_reboots_per_hour=1)) == {"shop": "rebooted"}
    with contextlib.closing(sqlite3.connect(sitting.journal)) as journal:
        assert journal.execute("SELECT count(*) FROM reboot").fetchone() == (1,)


def test_after_the_clock_was_set_back_reboots_are_allowed(sitting: Sitting) -> None:
    (shop,) = broken(sitting, "green_api", "shop")
    reboot(sitting, [shop], max_reboots_per_hour=1)
    relapse(sitting, shop)
    with contextlib.closing(sqlite3.connect(sitting.journal)) as journal:
        journal.execute("UPDATE reboot SET requested_at = requested_at + 86400")
        journal.commit()
    assert actions(reboot(sitting, [shop], max_reboots_per_hour=1)) == {"shop": "rebooted"}


def test_no_budget_at_all(sitting: Sitting) -> None:
    result = reboot(sitting, broken(sitting, "green_api", "shop"), max_reboots_per_hour=0)
    assert actions(result) == {"shop": "failed"}
    assert sent(sitting) == 0


def test_two_reboots_are_two_minutes_apart(sitting: Sitting) -> None:
    (shop,) = broken(sitting, "green_api", "shop")
    reboot(sitting, [shop])
    relapse(sitting, shop)
    result = reboot(sitting, [shop], times={})
    assert actions(result) == {"shop": "failed"}
    assert re.search(r"it was rebooted \d+ s ago; give that reboot 2 minutes to show", result["msg"])
    assert sent(sitting) == 1


def test_a_reboot_that_was_refused_costs_nothing(sitting: Sitting) -> None:
    sitting.emulator.arm("green_api.reboot", "status", status=403, count=3)
    (shop,) = broken(sitting, "green_api", "shop")
    for _attempt in range(3):
        assert actions(reboot(sitting, [shop], max_reboots_per_hour=1)) == {"shop": "failed"}
    assert actions(reboot(sitting, [shop], max_reboots_per_hour=1)) == {"shop": "rebooted"}


def test_a_reboot_that_may_have_arrived_costs(sitting: Sitting) -> None:
    sitting.emulator.arm("green_api.reboot", "reset", count=1)
    (shop,) = broken(sitting, "green_api", "shop")
    reboot(sitting, [shop], max_reboots_per_hour=1, wait_timeout=0)
    assert actions(reboot(sitting, [shop], max_reboots_per_hour=1)) == {"shop": "failed"}
    assert sent(sitting) == 1


@pytest.mark.parametrize("provider", GATEWAYS)
@pytest.mark.parametrize("budget", [1, 3])
def test_the_budget_holds_over_parallel_runs(sitting: Sitting, provider: str, budget: int) -> None:
    fleet = broken(sitting, provider, "shop", "support")
    sitting.emulator.config({f"{provider}.restart_seconds": 600})
    jobs = [task(sitting, fleet, max_reboots_per_hour=budget, wait_timeout=0)] * 6
    results = in_parallel(*jobs)
    for item in fleet:
        reboots = [e for e in sitting.emulator.log(route=ROUTES[provider]) if str(item["id"]) in e["path"]]
        assert 1 <= len(reboots) <= budget
        outcomes = [actions(result)[item["name"]] for result in results]
        assert outcomes.count("rebooted") == len(reboots)


def test_two_parallel_runs_send_one_reboot(sitting: Sitting) -> None:
    (shop,) = broken(sitting, "green_api", "shop")
    results = in_parallel(*[task(sitting, [shop], wait_timeout=5, times={})] * 2)
    assert sent(sitting) == 1
    assert sorted(actions(result)["shop"] for result in results) in (["failed", "rebooted"], ["rebooted", "unchanged"])


# The journal


def test_a_journal_without_the_table_gets_it(sitting: Sitting) -> None:
    (shop,) = broken(sitting, "green_api", "shop")
    reboot(sitting, [shop])
    with contextlib.closing(sqlite3.connect(sitting.journal)) as journal:
        journal.execute("DROP TABLE reboot")
        journal.commit()
    relapse(sitting, shop)
    assert actions(reboot(sitting, [shop], check_mode=True)) == {"shop": "would_reboot"}
    assert actions(reboot(sitting, [shop])) == {"shop": "rebooted"}


def test_without_a_journal_nothing_is_rebooted(sitting: Sitting) -> None:
    (sitting.folder / "file").write_text("")
    result = reboot(sitting, broken(sitting, "green_api", "shop"), journal=str(sitting.folder / "file" / "journal"))
    assert actions(result) == {"shop": "failed"}
    assert "nothing is begun without it" in result["msg"]
    assert sent(sitting) == 0


# Failures


@pytest.mark.parametrize("provider", GATEWAYS)
def test_one_that_cant_be_read_doesnt_keep_the_others(sitting: Sitting, provider: str) -> None:
    fleet = broken(sitting, provider, "shop", "support")
    fleet[0]["token"] = "wrong"
    result = reboot(sitting, fleet)
    assert actions(result) == {"shop": "failed", "support": "rebooted"}
    assert result["instances"][0]["state"] is None


def test_a_gateway_that_says_it_did_not(sitting: Sitting) -> None:
    sitting.emulator.arm("green_api.reboot", "status", status=200, body={"isReboot": False})
    result = reboot(sitting, broken(sitting, "green_api", "shop"))
    assert actions(result) == {"shop": "failed"}
    assert "the gateway says that it did not" in result["msg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"starting_timeout": -1}, "starting_timeout must be"),
        ({"max_reboots_per_hour": 61}, "max_reboots_per_hour must be"),
        ({"wait_timeout": -1}, "wait_timeout must be"),
    ],
)
def test_wrong_options(sitting: Sitting, options: dict[str, Any], message: str) -> None:
    result = reboot(sitting, broken(sitting, "green_api", "shop"), **options)
    assert message in result["msg"]
    assert sitting.emulator.log() == []


def test_the_same_instance_twice(sitting: Sitting) -> None:
    (shop,) = broken(sitting, "green_api", "shop")
    assert "2 times" in reboot(sitting, [shop, shop])["msg"]
    assert sitting.emulator.log() == []


def test_many_at_once(sitting: Sitting) -> None:
    fleet = broken(sitting, "green_api", *(f"shop-{n:02d}" for n in range(30)))
    result = reboot(sitting, fleet)
    assert set(actions(result).values()) == {"rebooted"}
    assert sent(sitting) == 30


def test_progress_counts_reboots_and_names_the_states_that_it_waits_for(sitting: Sitting) -> None:
    (shop,) = broken(sitting, "green_api", "shop")
    sitting.emulator.config({"green_api.restart_seconds": 3600})
    lines: list[str] = []

    def show(line: str) -> None:
        lines.append(line)
        if "starting (1)" in line:
            sitting.emulator.set_state("green_api", shop["id"], "authorized")

    gateway = GatewayCache(TransportOptions(timeout=5, retry_timeout=0)).get("green_api", sitting.emulator.url)
    policy = RebootPolicy(["yellowCard"], 0.0, WaitPolicy(60, 0.05))
    budget = RebootBudget(str(sitting.journal), 2)
    rebooter = Rebooter(policy, budget, concurrency=1, progress=show, progress_interval=0.02)
    rebooter.reboot([Target(gateway, Credentials(shop["id"], shop["token"]), "shop")])
    pattern = r"1 instances rebooted, waiting for 1: starting \(1\): shop \(\d+\) \(\d+ s elapsed, \d+ s left\)"
    assert any(re.fullmatch(pattern, line) for line in lines), lines
