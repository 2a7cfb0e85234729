# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions: planned by the listing, sent once, read back."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.storm.runs import Result
from ansible_collections.msgops.fleet.tests.support.creation import NO_LISTING, Fleet, actions
from ansible_collections.msgops.fleet.tests.support.ending import items, subscription, writes
from ansible_collections.msgops.fleet.tests.support.linking import errors


@pytest.fixture
def sales(plugz: Fleet) -> list[dict[str, Any]]:
    """An instance in trial, as an item."""
    plugz.seed("sales")
    return items(plugz, "sales")


def subscribe(
    fleet: Fleet, instances: list[dict[str, Any]] | None, state: str = "subscribed", **options: Any
) -> Result:
    return subscription(fleet, instances, state, **options)()


def test_a_trial_day_by_day(plugz: Fleet) -> None:
    plugz.emulator.freeze()
    plugz.seed("kept", "left")
    assert subscribe(plugz, items(plugz, "kept"))["changed"] is True
    for _day in range(2):
        assert len(plugz.existing()) == 2
        plugz.emulator.advance(86400)
    assert [instance["name"] for instance in plugz.existing()] == ["kept"]
    plugz.emulator.advance(86400)
    assert [instance["name"] for instance in plugz.existing()] == ["kept"]


def test_it_is_sent_once_and_read_back_and_then_nothing_is_sent(plugz: Fleet, sales: list[dict[str, Any]]) -> None:
    result = subscribe(plugz, sales, diff=True)
    (instance,) = result["instances"]
    due = instance.pop("due")
    assert due.endswith("Z")
    assert instance == {
        **sales[0],
        "provider": "plugzapi",
        "action": "subscribed",
        "payment_status": "paid",
        "vendor_status": "PAID",
        "error": None,
    }
    assert (result["changed"], result["summary"]) == (True, {"total": 1, "by_action": {"subscribed": 1}})
    assert ("TRIAL" in result["diff"]["before"], "PAID" in result["diff"]["after"]) == (True, True)
    again = subscribe(plugz, sales)
    assert (again["changed"], actions(again)) == (False, {"sales": "unchanged"})
    cancelled = subscribe(plugz, sales, "cancelled")
    assert (cancelled["changed"], actions(cancelled)) == (True, {"sales": "cancelled"})
    assert subscribe(plugz, sales, "cancelled")["changed"] is False
    assert writes(plugz) == ["subscribe", "cancel"]


def test_a_trial_needs_no_cancelling(plugz: Fleet, sales: list[dict[str, Any]]) -> None:
    assert actions(subscribe(plugz, sales, "cancelled")) == {"sales": "unchanged"}
    assert writes(plugz) == []


def test_a_single_instance_by_its_options(plugz: Fleet, sales: list[dict[str, Any]]) -> None:
    single = {"instance_id": sales[0]["id"], "name": "sales"}
    assert actions(subscribe(plugz, None, **single)) == {"sales": "subscribed"}
    assert "name" in subscribe(plugz, None, instance_id=sales[0]["id"])["msg"]
    assert "needs instances or instance_id" in subscribe(plugz, None)["msg"]


def test_check_mode_reads_and_predicts(plugz: Fleet, sales: list[dict[str, Any]]) -> None:
    result = subscribe(plugz, sales, check_mode=True)
    assert (result["changed"], actions(result)) == (True, {"sales": "would_subscribe"})
    assert result["instances"][0]["payment_status"] == "trial"
    plugz.emulator.set_payment(sales[0]["id"], "ACTIVE")
    assert actions(subscribe(plugz, sales, "cancelled", check_mode=True)) == {"sales": "would_cancel"}
    assert writes(plugz) == []


@pytest.mark.parametrize(
    ("word", "payment", "subscribed", "cancelled"),
    [
        ("trial", "trial", True, False),
        ("Paid", "paid", False, True),
        ("ACTIVE", "paid", False, True),
        ("PENDING", "pending", False, True),
        ("Pending bank slip", "pending_bank_slip", False, True),
        ("PAYMENT-RETRY", "payment_retry", False, True),
        ("IN_CANCELLATION", "in_cancellation", True, False),
        ("CANCELED", "canceled", True, False),
        ("cancelled", "canceled", True, False),
    ],
)
def test_words_are_compared_without_case(
    plugz: Fleet, sales: list[dict[str, Any]], word: str, payment: str, subscribed: bool, cancelled: bool
) -> None:
    plugz.emulator.set_payment(sales[0]["id"], word)
    for state, would in (("subscribed", subscribed), ("cancelled", cancelled)):
        result = subscribe(plugz, sales, state, check_mode=True)
        assert result["changed"] is would
        assert (result["instances"][0]["payment_status"], result["instances"][0]["vendor_status"]) == (payment, word)


@pytest.mark.parametrize(
    ("word", "says"), [("SUSPENSE", "SUSPENSE is no known word"), (None, "tells no payment"), ("", "tells no")]
)
@pytest.mark.parametrize("state", ["subscribed", "cancelled"])
def test_an_unknown_word_fails_with_the_word_and_sends_nothing(
    plugz: Fleet, sales: list[dict[str, Any]], word: str | None, says: str, state: str
) -> None:
    plugz.emulator.set_payment(sales[0]["id"], word)
    plugz.seed("paid")
    plugz.emulator.set_payment(items(plugz, "paid")[0]["id"], "TRIAL" if state == "subscribed" else "PAID")
    result = subscribe(plugz, [*sales, *items(plugz, "paid")], state)
    assert (result["failed"], actions(result)) == (True, {"sales": "failed", "paid": state})
    assert says in errors(result)["sales"]
    assert len(writes(plugz)) == 1


def test_a_payment_that_is_awaited_is_told(plugz: Fleet, sales: list[dict[str, Any]]) -> None:
    plugz.emulator.config({"plugzapi.subscribed_word": "PENDING"})
    result = subscribe(plugz, sales)
    assert actions(result) == {"sales": "subscribed"}
    assert "the gateway says PENDING, and deletes what isn't paid" in result["warnings"][0]


@pytest.mark.parametrize(("when", "action"), [("after", "subscribed"), ("before", "unknown")])
@pytest.mark.parametrize("fault", ["reset", "bad_gateway", "client_closed"])
def test_a_lost_answer_is_reconciled_by_the_listing(
    plugz: Fleet, sales: list[dict[str, Any]], fault: str, when: str, action: str
) -> None:
    plugz.arm("subscribe", fault, when=when)
    result = subscribe(plugz, sales)
    assert (actions(result), result.get("failed", False)) == ({"sales": action}, action == "unknown")
    assert writes(plugz) == ["subscribe"]
    if action == "unknown":
        assert "the gateway still says TRIAL" in result["msg"]
        assert actions(subscribe(plugz, sales)) == {"sales": "subscribed"}


def test_what_is_paid_already_and_listed_late_is_no_failure(plugz: Fleet, sales: list[dict[str, Any]]) -> None:
    plugz.emulator.freeze()
    plugz.emulator.config({"plugzapi.payment_lag_seconds": 30})
    assert actions(subscribe(plugz, sales)) == {"sales": "unknown"}
    plugz.emulator.config({"server.step_seconds": 15})
    assert actions(subscribe(plugz, sales)) == {"sales": "subscribed"}


def test_a_refusal_fails(plugz: Fleet, sales: list[dict[str, Any]]) -> None:
    plugz.arm("subscribe", "status", status=400, body={"error": "no more instances"})
    result = subscribe(plugz, sales)
    assert (result["failed"], result["changed"], actions(result)) == (True, False, {"sales": "failed"})
    assert "no more instances" in result["msg"]


@pytest.mark.parametrize("body", ["text", "empty"])
def test_both_forms_of_the_answer(plugz: Fleet, sales: list[dict[str, Any]], body: str) -> None:
    plugz.emulator.config({"plugzapi.subscription_body": body})
    assert actions(subscribe(plugz, sales)) == {"sales": "subscribed"}
    assert actions(subscribe(plugz, sales, "cancelled")) == {"sales": "cancelled"}


@pytest.mark.parametrize("absence", NO_LISTING)
def test_without_a_listing_nothing_is_sent(plugz: Fleet, sales: list[dict[str, Any]], absence: str) -> None:
    plugz.emulator.config({"plugzapi.listing": absence})
    result = subscribe(plugz, sales)
    assert (result["failed"], actions(result), writes(plugz)) == (True, {"sales": "failed"}, [])
    assert "can't be listed" in result["msg"]


def test_the_name_and_the_id_must_match(plugz: Fleet, sales: list[dict[str, Any]]) -> None:
    other = subscribe(plugz, [{**sales[0], "name": "Sales"}])
    assert "the account's listing calls it sales, not Sales" in other["msg"]
    wrong = subscribe(plugz, [{**sales[0], "id": "0" * 32}])
    assert f"sales is {sales[0]['id']} there" in wrong["msg"]
    gone = subscribe(plugz, [{"id": "0" * 32, "name": "gone"}])
    assert gone["error"]["code"] == "not_found"
    assert writes(plugz) == []


def test_a_plan_beyond_max_changes_sends_nothing(plugz: Fleet) -> None:
    plugz.seed(*(f"shop-{number}" for number in range(11)))
    fleet = items(plugz, *(f"shop-{number}" for number in range(11)))
    result = subscribe(plugz, fleet)
    assert (result["failed"], writes(plugz)) == (True, [])
    assert "max_changes is 10" in result["msg"]
    assert subscribe(plugz, fleet, max_changes="100%")["summary"]["by_action"] == {"subscribed": 11}


def test_a_green_api_instance_renews_by_itself(green: Fleet) -> None:
    green.seed("shop")
    result = subscribe(green, items(green, "shop"), provider="green_api")
    assert "they renew by themselves" in result["msg"]
    assert green.emulator.log() == []
