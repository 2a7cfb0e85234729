# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deletions: guarded, in order, each request once, proved by the listing, and finished by the next run."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._ending.listed import RecentListings
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import TransportOptions, transport_to
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.plugzapi import Plugzapi
from ansible_collections.msgops.fleet.tests.support.creation import NO_LISTING, Fleet, actions
from ansible_collections.msgops.fleet.tests.support.ending import UNLINK_ROUTES, delete, items, make, writes
from ansible_collections.msgops.fleet.tests.support.linking import errors


def test_a_linked_instance_is_unlinked_deleted_and_forgotten(fleet: Fleet) -> None:
    shop, _kept = make(fleet, "shop", "kept", linked=True)
    result = delete(fleet, [shop], allow_authorized=True, diff=True)
    assert result["instances"] == [{**shop, "provider": fleet.provider, "action": "deleted", "error": None}]
    assert (result["changed"], result["summary"]) == (True, {"total": 1, "by_action": {"deleted": 1}})
    assert writes(fleet) == [UNLINK_ROUTES[fleet.provider], "delete"]
    assert [instance["name"] for instance in fleet.existing()] == ["kept"]
    assert (fleet.entry("shop"), fleet.status("kept")) == (None, "delivered")
    assert fleet.credentials().keys() == {"kept"}
    assert ("authorized" in result["diff"]["before"], "gone" in result["diff"]["after"]) == (True, True)
    again = delete(fleet, [shop], allow_authorized=True)
    assert (again["changed"], actions(again)) == (False, {"shop": "unchanged"})
    assert len(writes(fleet)) == 2


def test_what_is_paid_for_is_cancelled_before(plugz: Fleet) -> None:
    (shop,) = make(plugz, "shop", linked=True)
    plugz.emulator.request("POST", f"instances/plugzapi/{shop['id']}", {"subscribed": True})
    assert actions(delete(plugz, [shop], allow_authorized=True)) == {"shop": "deleted"}
    assert writes(plugz) == ["disconnect", "cancel", "delete"]


def test_check_mode_decides_and_leaves_everything(fleet: Fleet) -> None:
    (shop,) = make(fleet, "shop", linked=True)
    refused = delete(fleet, [shop], check_mode=True)
    assert (refused["failed"], actions(refused)) == (True, {"shop": "refused"})
    result = delete(fleet, [shop], allow_authorized=True, check_mode=True)
    assert (result["changed"], actions(result), writes(fleet)) == (True, {"shop": "would_delete"}, [])
    assert fleet.status("shop") == "delivered"


# Guards


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"protected": ["old", "shop"]}, "it is protected"),
        ({"allow_authorized": False}, "it is authorized, so a phone"),
        ({"instances": "other"}, "the journal doesn't say"),
        ({"instances": "renamed"}, "calls it shop, not Shop"),
        ({"instances": "mistyped"}, " there"),
    ],
)
def test_one_refused_item_stops_all(fleet: Fleet, given: dict[str, Any], says: str) -> None:
    shop, fine = make(fleet, "shop", "fine", linked=True)
    fleet.seed("other")
    (other,) = items(fleet, "other")
    replaced = {"other": other, "renamed": {**shop, "name": "Shop"}, "mistyped": {**shop, "id": "1" * 9}}
    first = replaced[given["instances"]] if "instances" in given else shop
    options = {"allow_authorized": True, "max_changes": 2, **given}
    options.pop("instances", None)
    result = delete(fleet, [first, fine], **options)
    assert (result["failed"], writes(fleet), len(fleet.existing())) == (True, [], 3)
    assert says in errors(result)[first["name"]]
    if "allow_authorized" not in given:
        assert actions(result) == {first["name"]: "refused", "fine": "failed"}
        assert "another instance of the task" in errors(result)["fine"]


def test_protected_takes_ids_in_any_case_and_names(fleet: Fleet) -> None:
    (shop,) = make(fleet, "shop")
    for word in (shop["id"].swapcase(), "shop"):
        assert actions(delete(fleet, [shop], protected=[word])) == {"shop": "refused"}
    assert len(fleet.existing()) == 1


def test_more_than_max_changes_deletes_nothing(fleet: Fleet) -> None:
    made = make(fleet, "a", "b")
    result = delete(fleet, made)
    assert (actions(result), len(fleet.existing())) == ({"a": "refused", "b": "refused"}, 2)
    assert "max_changes is 1" in result["msg"]


@pytest.mark.parametrize("state", ["yellowCard", "suspended", "sleepMode", "starting", "wonderful"])
def test_a_state_that_may_have_a_phone_is_refused(green: Fleet, state: str) -> None:
    (shop,) = make(green, "shop")
    green.emulator.set_state("green_api", shop["id"], state)
    assert actions(delete(green, [shop])) == {"shop": "refused"}


@pytest.mark.parametrize("state", ["blocked", "notAuthorized"])
def test_a_state_without_a_phone_needs_no_unlinking(green: Fleet, state: str) -> None:
    (shop,) = make(green, "shop")
    green.emulator.set_state("green_api", shop["id"], state)
    assert actions(delete(green, [shop])) == {"shop": "deleted"}
    assert writes(green) == ["delete"]


def test_an_instance_that_cannot_be_read_stops_all(green: Fleet) -> None:
    shop, fine = make(green, "shop", "fine")
    green.emulator.set_state("green_api", shop["id"], "expired")
    result = delete(green, [shop, fine], max_changes=2)
    assert (actions(result), writes(green)) == ({"shop": "failed", "fine": "failed"}, [])


def test_an_unknown_payment_stops_all(plugz: Fleet) -> None:
    (shop,) = make(plugz, "shop")
    plugz.emulator.set_payment(shop["id"], "SUSPENSE")
    result = delete(plugz, [shop])
    assert (actions(result), writes(plugz)) == ({"shop": "refused"}, [])
    assert "SUSPENSE is no known word" in result["msg"]


@pytest.mark.parametrize("absence", NO_LISTING)
def test_without_a_listing_nothing_is_deleted(plugz: Fleet, absence: str) -> None:
    (shop,) = make(plugz, "shop")
    plugz.emulator.config({"plugzapi.listing": absence})
    result = delete(plugz, [shop])
    assert (actions(result), writes(plugz)) == ({"shop": "failed"}, [])
    assert "can't be listed" in result["msg"]


def test_without_a_journal_nothing_is_sent(fleet: Fleet) -> None:
    (shop,) = make(fleet, "shop")
    blocked = fleet.folder / "file"
    blocked.write_text("")
    result = delete(fleet, [shop], journal=str(blocked / "journal.sqlite3"))
    assert (result["failed"], writes(fleet)) == (True, [])


def test_a_foreign_instance_needs_a_word(fleet: Fleet) -> None:
    fleet.seed("foreign")
    assert actions(delete(fleet, items(fleet, "foreign"), only_journalled=False)) == {"foreign": "deleted"}


@pytest.mark.parametrize(
    ("given", "says"),
    [({"instances": [{"id": "1"}]}, "name"), ({"max_changes": "many"}, "max_changes"), ({"wait_timeout": 0}, "wait_")],
)
def test_wrong_options(green: Fleet, given: dict[str, Any], says: str) -> None:
    assert says in delete(green, **{"instances": [{"id": "1", "name": "a"}], **given})["msg"]
    assert green.emulator.log() == []


# Unlinking that lies


def test_a_logout_that_leaves_the_session_deletes_nothing_and_the_next_run_does(fleet: Fleet) -> None:
    key = "green_api.logout_effect" if fleet.provider == "green_api" else "plugzapi.disconnect_effect"
    fleet.emulator.config({key: "kept_once"})
    (shop,) = make(fleet, "shop", linked=True)
    result = delete(fleet, [shop], allow_authorized=True, wait_timeout=0.1)
    assert (result["failed"], result["changed"], actions(result)) == (True, True, {"shop": "failed"})
    assert "it is still authorized" in result["msg"]
    assert writes(fleet) == [UNLINK_ROUTES[fleet.provider]]
    assert actions(delete(fleet, [shop], allow_authorized=True)) == {"shop": "deleted"}


def test_it_waits_until_the_phone_is_unlinked(fleet: Fleet) -> None:
    key = "green_api.logout_seconds" if fleet.provider == "green_api" else "plugzapi.disconnect_seconds"
    fleet.emulator.freeze()
    fleet.emulator.config({key: 3, "server.step_seconds": 1})
    (shop,) = make(fleet, "shop", linked=True)
    assert actions(delete(fleet, [shop], allow_authorized=True)) == {"shop": "deleted"}
    assert writes(fleet) == [UNLINK_ROUTES[fleet.provider], "delete"]


def test_a_silent_instance_is_seen_in_the_listing(plugz: Fleet) -> None:
    plugz.emulator.config({"plugzapi.after_disconnect": "unavailable"})
    (shop,) = make(plugz, "shop", linked=True)
    assert actions(delete(plugz, [shop], allow_authorized=True)) == {"shop": "deleted"}


def test_the_states_of_silent_instances_are_in_one_listing(plugz: Fleet) -> None:
    plugz.emulator.config({"plugzapi.after_disconnect": "unavailable", "plugzapi.delete": "http404"})
    made = make(plugz, "a", "b", "c", linked=True)
    options = {"allow_authorized": True, "max_changes": 3}
    assert set(actions(delete(plugz, made, **options)).values()) == {"draining"}
    plugz.emulator.clear_log()
    assert set(actions(delete(plugz, made, **options, check_mode=True)).values()) == {"would_delete"}
    assert len(plugz.log("list")) == 1


@pytest.mark.parametrize(("lasts", "requests"), [(3600.0, 1), (0.0, 2)])
def test_a_recent_listing_is_of_use_to_all(plugz: Fleet, lasts: float, requests: int) -> None:
    (shop,) = make(plugz, "shop")
    transport = transport_to(plugz.emulator.url, TransportOptions(), url_option="api_url")
    gateway = Plugzapi(transport, plugz.emulator.account("plugzapi")["partner_token"])
    plugz.emulator.clear_log()
    listings = RecentListings(lasts)
    assert all(listings.of(gateway).with_id(shop["id"]) for _look in range(2))
    assert len(plugz.log("list")) == requests


def test_a_failed_listing_is_one_for_all_too(plugz: Fleet) -> None:
    transport = transport_to(plugz.emulator.url, TransportOptions(retry_timeout=0.0), url_option="api_url")
    gateway = Plugzapi(transport, "wrong-partner-token")
    listings = RecentListings(3600.0)
    for _look in range(2):
        with pytest.raises(FleetError, match="partner_token"):
            listings.of(gateway)
    assert len(plugz.log("list")) == 1


# Deletions that lie


@pytest.mark.parametrize("fault", ["reset", "bad_gateway", "client_closed"])
@pytest.mark.parametrize(("when", "action"), [("after", "deleted"), ("before", "unknown")])
def test_a_lost_answer_is_reconciled_by_the_listing(fleet: Fleet, fault: str, when: str, action: str) -> None:
    fleet.arm("delete", fault, when=when)
    (shop,) = make(fleet, "shop")
    result = delete(fleet, [shop])
    assert (actions(result), result.get("failed", False)) == ({"shop": action}, action == "unknown")
    assert writes(fleet) == ["delete"]
    if action == "unknown":
        assert "the gateway still lists it" in result["msg"]
        assert actions(delete(fleet, [shop])) == {"shop": "deleted"}
    assert fleet.entry("shop") is None


def test_a_deletion_that_only_says_so_is_unknown(fleet: Fleet) -> None:
    fleet.emulator.config({f"{fleet.provider}.delete_effect": "lost"})
    (shop,) = make(fleet, "shop")
    result = delete(fleet, [shop])
    assert actions(result) == {"shop": "unknown"}
    assert "its listing doesn't show it" in result["msg"]
    assert fleet.status("shop") == "delivered"


def test_the_listing_may_show_a_deletion_late(fleet: Fleet) -> None:
    fleet.emulator.freeze()
    fleet.emulator.config({f"{fleet.provider}.delete_seconds": 2, "server.step_seconds": 1})
    (shop,) = make(fleet, "shop")
    assert actions(delete(fleet, [shop])) == {"shop": "deleted"}
    assert writes(fleet) == ["delete"]


def test_a_404_with_http_200_is_gone_and_a_401_is_not(green: Fleet) -> None:
    shop, other = make(green, "shop", "other")
    green.arm("delete", "status", status=200, body={"code": 401, "description": "Unauthorized"})
    result = delete(green, [shop])
    assert (actions(result), result["error"]["code"]) == ({"shop": "failed"}, "unauthorized")
    assert green.status("shop") == "delivered"
    green.arm("delete", "status", status=200, body={"code": 404, "description": "Not found"})
    # It says that it is gone, and lists it.
    assert actions(delete(green, [other])) == {"other": "unknown"}


@pytest.mark.parametrize("absence", NO_LISTING)
def test_without_a_call_it_drains_and_is_gone_after_its_trial(plugz: Fleet, absence: str) -> None:
    plugz.emulator.config({"plugzapi.delete": absence})
    (shop,) = make(plugz, "shop", linked=True)
    result = delete(plugz, [shop], allow_authorized=True)
    assert (result.get("failed", False), actions(result)) == (False, {"shop": "draining"})
    assert "no call that deletes" in result["warnings"][0]
    again = delete(plugz, [shop])
    assert actions(again) == {"shop": "draining"}
    plugz.emulator.advance(172800)
    assert actions(delete(plugz, [shop])) == {"shop": "unchanged"}
    assert plugz.entry("shop") is None


@pytest.mark.parametrize("word", ["CANCELED", "IN_CANCELLATION", "PAID"])
def test_what_is_paid_until_later_drains_and_is_not_cancelled_again(plugz: Fleet, word: str) -> None:
    plugz.emulator.freeze()
    plugz.emulator.config({"plugzapi.canceled_word": word, "plugzapi.delete_grace_seconds": 100})
    (shop,) = make(plugz, "shop")
    plugz.emulator.request("POST", f"instances/plugzapi/{shop['id']}", {"subscribed": True})
    for _run in range(2):
        assert actions(delete(plugz, [shop])) == {"shop": "draining"}
    assert writes(plugz) == ["cancel", "delete", "delete"]
    plugz.emulator.set_payment(shop["id"], "CANCELED")
    plugz.emulator.advance(100)
    assert actions(delete(plugz, [shop])) == {"shop": "deleted"}


@pytest.mark.parametrize("deletable", ["pending_trial_canceled", "canceled"])
def test_a_trial_is_deleted_or_drains_as_the_gateway_says(plugz: Fleet, deletable: str) -> None:
    plugz.emulator.config({"plugzapi.deletable": deletable})
    (shop,) = make(plugz, "shop")
    expected = "draining" if deletable == "canceled" else "deleted"
    assert actions(delete(plugz, [shop])) == {"shop": expected}


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("INSTANCE_STILL_CONNECTED", "failed"),
        ("INSTANCE_PAYMENT_STATUS_MISSING", "failed"),
        ("INSTANCE_NOT_ELIGIBLE", "draining"),
        ("INSTANCE_HAS_ACTIVE_SUBSCRIPTION", "draining"),
        ("SOMETHING_NEW", "failed"),
    ],
)
def test_the_type_of_a_refusal_decides(plugz: Fleet, kind: str, action: str) -> None:
    plugz.arm("delete", "status", status=403, body={"type": kind, "message": "no"})
    (shop,) = make(plugz, "shop")
    result = delete(plugz, [shop])
    assert actions(result) == {"shop": action}
    assert kind in (result["msg"] if action == "failed" else result["warnings"][0])
    assert plugz.status("shop") == "delivered"


def test_a_lost_cancellation_is_unknown_and_nothing_is_deleted(plugz: Fleet) -> None:
    plugz.arm("cancel", "reset", when="before")
    (shop,) = make(plugz, "shop")
    plugz.emulator.request("POST", f"instances/plugzapi/{shop['id']}", {"subscribed": True})
    assert actions(delete(plugz, [shop])) == {"shop": "unknown"}
    assert writes(plugz) == ["cancel"]
    assert actions(delete(plugz, [shop])) == {"shop": "deleted"}


def test_a_page_of_a_proxy_cancels_nothing(plugz: Fleet) -> None:
    plugz.arm("cancel", "garbage", kind="html", when="before")
    (shop,) = make(plugz, "shop")
    plugz.emulator.request("POST", f"instances/plugzapi/{shop['id']}", {"subscribed": True})
    assert actions(delete(plugz, [shop])) == {"shop": "unknown"}
    assert actions(delete(plugz, [shop])) == {"shop": "deleted"}
    assert writes(plugz) == ["cancel", "cancel", "delete"]


def test_the_failure_of_one_leaves_the_others_to_be_deleted(fleet: Fleet) -> None:
    made = make(fleet, "a", "b", "c")
    fleet.arm("delete", "status", status=400, body="no")
    result = delete(fleet, made, max_changes="100%", concurrency=1)
    assert result["summary"]["by_action"] == {"deleted": 2, "failed": 1}
    assert "1 of 3 instances could not be deleted" in result["msg"]
    assert len(fleet.existing()) == 1
