# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each possible end of the one POST leads to, in this run and in the next."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.support.creation import Fleet, actions, wait_until

# Faults that tell nothing about whether the creation was carried out.
UNCLEAR: dict[str, tuple[str, dict[str, Any]]] = {
    "hang": ("hang", {}),
    "reset": ("reset", {}),
    "close": ("close", {}),
    "502": ("bad_gateway", {}),
    "499": ("client_closed", {}),
    "500": ("status", {"status": 500}),
    "503": ("status", {"status": 503}),
    "504": ("status", {"status": 504}),
    "408": ("status", {"status": 408}),
    "redirect": ("redirect", {}),
    "not JSON": ("garbage", {"kind": "not_json"}),
    "a log-in page": ("garbage", {"kind": "html"}),
    "binary": ("garbage", {"kind": "binary"}),
    "empty": ("garbage", {"kind": "empty"}),
    "huge": ("garbage", {"kind": "huge", "megabytes": 8}),
    "deep": ("garbage", {"kind": "deep"}),
    "wrong type": ("garbage", {"kind": "wrong_type"}),
    "no id": ("status", {"status": 200, "body": {"apiTokenInstance": "t", "token": "t"}}),
    "no token": ("status", {"status": 200, "body": {"idInstance": 1, "id": "1"}}),
}

REFUSALS: dict[str, dict[str, Any]] = {
    "400": {"status": 400, "body": {"error": "Bad Request"}},
    "401": {"status": 401, "body": {"error": "Unauthorized"}},
    "402": {"status": 402},
    "403 with the token": {"status": 403, "body": {"error": "{secret} not allowed"}, "echo_secret": True},
    "404": {"status": 404},
    "405": {"status": 405},
    "409": {"status": 409},
    "415": {"status": 415},
    "422": {"status": 422},
    "466": {"status": 466},
}


def test_an_answered_creation_is_created_and_delivered(fleet: Fleet) -> None:
    result = fleet.create("shop")
    (instance,) = fleet.existing("shop")
    assert result["changed"]
    assert result["instance"] == result["instances"][0]
    assert result["instance"] == {
        "name": "shop",
        "id": str(instance["id"]),
        "provider": fleet.provider,
        "token": instance["token"],
        "due": result["instance"]["due"],
        "due_raw": result["instance"]["due_raw"],
        "api_url": fleet.emulator.url,
        "action": "created",
        "error": None,
    }
    assert fleet.status("shop") == "delivered"
    fleet.assert_delivered("shop")


def test_plugzapi_may_answer_a_creation_with_201(plugz: Fleet) -> None:
    plugz.emulator.config({"plugzapi.create_status": 201})
    assert actions(plugz.create("shop")) == {"shop": "created"}


@pytest.mark.parametrize("unclear", UNCLEAR)
def test_an_unclear_end_of_a_creation_that_happened_is_reconciled_by_the_listing(fleet: Fleet, unclear: str) -> None:
    fault, options = UNCLEAR[unclear]
    fleet.arm("create", fault, **options, when="after")
    result = fleet.create("shop")
    assert actions(result) == {"shop": "adopted"}
    assert result["changed"], "this task made it"
    assert fleet.status("shop") == "delivered"
    assert actions(fleet.create("shop")) == {"shop": "unchanged"}
    assert fleet.posts() == ["shop"]
    fleet.assert_delivered("shop")


@pytest.mark.parametrize("cut", [{}, {"keep": 0}, {"keep": 1}], ids=["half", "none", "one byte"])
def test_a_truncated_answer_is_reconciled_by_the_listing(fleet: Fleet, cut: dict[str, int]) -> None:
    fleet.arm("create", "truncate", **cut)
    assert actions(fleet.create("shop")) == {"shop": "adopted"}
    assert fleet.posts() == ["shop"]
    fleet.assert_delivered("shop")


@pytest.mark.parametrize("unclear", UNCLEAR)
def test_an_unclear_end_of_a_creation_that_did_not_happen_stays_unknown(fleet: Fleet, unclear: str) -> None:
    fault, options = UNCLEAR[unclear]
    fleet.arm("create", fault, **options, when="before")
    for run in ("first", "second"):
        result = fleet.create("shop")
        assert actions(result) == {"shop": "unknown"}, run
        assert result["failed"]
        assert not result["changed"]
        assert result["error"]["code"] == "outcome_unknown"
        assert "on_unknown: create" in result["msg"]
        assert "\n" not in result["msg"]
        assert fleet.status("shop") == "unknown"
    assert fleet.posts() == ["shop"]
    assert not fleet.existing("shop")


def test_a_creation_that_happens_late_is_adopted_by_a_later_run(fleet: Fleet) -> None:
    fleet.arm("create", "slow", seconds=6, when="before")
    assert actions(fleet.create("shop", timeout=1)) == {"shop": "unknown"}
    wait_until(lambda: fleet.existing("shop"), "the creation")
    result = fleet.create("shop")
    assert actions(result) == {"shop": "adopted"}
    assert not result["changed"], "an earlier task made it"
    assert fleet.posts() == ["shop"]
    fleet.assert_delivered("shop")


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refused_creation_failed_and_the_next_run_creates(fleet: Fleet, refusal: str) -> None:
    fleet.arm("create", "status", **REFUSALS[refusal])
    result = fleet.create("shop", retry_timeout=60)
    assert actions(result) == {"shop": "failed"}
    assert not result["changed"]
    assert result["error"]["http_status"] == REFUSALS[refusal]["status"]
    assert fleet.status("shop") == "rejected"
    assert fleet.posts() == ["shop"], "a refusal is not repeated"
    assert actions(fleet.create("shop")) == {"shop": "created"}
    fleet.assert_delivered("shop")


def test_a_refusal_in_a_successful_answer_is_a_refusal(green: Fleet) -> None:
    green.arm("create", "status", status=200, body={"code": 401, "description": "Unauthorized"})
    result = green.create("shop")
    assert actions(result) == {"shop": "failed"}
    assert result["error"]["code"] == "unauthorized"
    assert green.status("shop") == "rejected"


def test_an_error_in_a_successful_answer_is_a_refusal(plugz: Fleet) -> None:
    plugz.arm("create", "status", status=200, body={"error": "invalid name"})
    assert actions(plugz.create("shop")) == {"shop": "failed"}
    assert plugz.status("shop") == "rejected"


def test_an_exhausted_quota_is_a_refusal(green: Fleet) -> None:
    green.arm("create", "quota")
    result = green.create("shop", retry_timeout=60)
    assert actions(result) == {"shop": "failed"}
    assert result["error"]["code"] == "quota"
    assert green.posts() == ["shop"]


@pytest.mark.parametrize("form", ["none", "seconds", "date", "nonsense"])
def test_a_throttled_creation_is_repeated_whatever_form_retry_after_has(fleet: Fleet, form: str) -> None:
    fleet.arm("create", "throttle", retry_after=form, seconds=1)
    assert actions(fleet.create("shop", retry_timeout=30)) == {"shop": "created"}
    assert fleet.posts() == ["shop", "shop"]
    fleet.assert_delivered("shop")


@pytest.mark.parametrize("form", ["none", "seconds", "date", "nonsense"])
def test_a_creation_throttled_for_too_long_failed_and_the_next_run_creates(fleet: Fleet, form: str) -> None:
    fleet.arm("create", "throttle", count=None, retry_after=form, seconds=86400)
    result = fleet.create("shop", retry_timeout=0.2)
    assert actions(result) == {"shop": "failed"}
    assert result["error"]["code"] == "throttled"
    assert fleet.status("shop") == "rejected"
    assert not fleet.existing("shop")
    fleet.emulator.disarm()
    assert actions(fleet.create("shop")) == {"shop": "created"}


def test_a_throttled_creation_may_end_unclear(fleet: Fleet) -> None:
    fleet.arm("create", "throttle", retry_after="seconds", seconds=0)
    fleet.arm("create", "reset", when="after")
    assert actions(fleet.create("shop", retry_timeout=30)) == {"shop": "adopted"}
    assert fleet.posts() == ["shop", "shop"]
    fleet.assert_delivered("shop")


def test_no_unclear_creation_is_repeated_however_long_one_may_retry(fleet: Fleet) -> None:
    fleet.arm("create", "bad_gateway", count=None)
    assert actions(fleet.create("shop", retry_timeout=60)) == {"shop": "unknown"}
    assert fleet.posts() == ["shop"]


def test_each_name_of_a_list_has_an_end_of_its_own(fleet: Fleet) -> None:
    fleet.arm("create", "status", status=422, match='"refused"')
    fleet.arm("create", "reset", when="before", match='"unclear"')
    fleet.arm("create", "reset", when="after", match='"reconciled"')
    result = fleet.create("plain", "refused", "unclear", "reconciled")
    assert actions(result) == {"plain": "created", "refused": "failed", "unclear": "unknown", "reconciled": "adopted"}
    assert result["changed"]
    assert result["failed"]
    assert [instance["error"] is None for instance in result["instances"]] == [True, False, False, True]
    assert "refused" in result["msg"]
    assert "unclear" in result["msg"]
    fleet.assert_delivered("plain", "reconciled")
