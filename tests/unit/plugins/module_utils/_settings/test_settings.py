# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of existing instances: planned, guarded, sent once, and read back."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.storm.runs import Child, Result, Run, count_lines
from ansible_collections.msgops.fleet.tests.support.creation import GATEWAYS, actions, wait_until
from ansible_collections.msgops.fleet.tests.support.linking import Sitting, errors

OLD, NEW = "https://old.example/in", "https://new.example/in"
# One webhook, by the name of the option and of the vendor, and the route that changes it.
WEBHOOK = {
    "green_api": ("webhookUrl", "webhookUrl", "green_api.set_settings"),
    "plugzapi": ("disconnected_callback_url", "disconnectedCallbackUrl", "plugzapi.update_webhook_disconnected"),
}
READS = {"green_api": "green_api.get_settings", "plugzapi": "plugzapi.me"}


@pytest.fixture(autouse=True)
def _quick_restarts(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.restart_seconds": 0})


def task(sitting: Sitting, instances: list[dict[str, Any]] | None, **options: Any) -> Run:
    given: dict[str, Any] = {"journal": str(sitting.journal), "verify_interval": 0.02, "verify_timeout": 20}
    return sitting.run("instance_settings", instances, wait_interval=None, **{**given, **options})


def apply(sitting: Sitting, instances: list[dict[str, Any]] | None, **options: Any) -> Result:
    return task(sitting, instances, **options)()


def shops(sitting: Sitting, provider: str, *names: str, **settings: Any) -> list[dict[str, Any]]:
    state = "authorized" if provider == "green_api" else "connected"
    return sitting.seed(provider, *names, state=state, settings={WEBHOOK[provider][1]: OLD, **settings})


def wanted(provider: str, url: str = NEW) -> dict[str, Any]:
    return {WEBHOOK[provider][0]: url}


def writes(sitting: Sitting) -> list[tuple[str, Any]]:
    """Route and body of each request that wrote something."""
    return [(entry["route"], json.loads(entry["body"])) for entry in sitting.emulator.log(writes=True)]


def shown(sitting: Sitting, item: dict[str, Any]) -> dict[str, Any]:
    instance = sitting.emulator.instance(item["provider"], item["id"])
    return dict(instance["settings" if item["provider"] == "green_api" else "attributes"])


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_changed_webhook_is_written_once_and_read_back(sitting: Sitting, provider: str) -> None:
    (shop,) = shops(sitting, provider, "shop")
    result = apply(sitting, [shop], settings=wanted(provider), diff=True)
    assert not result.get("failed"), result["msg"]
    (instance,) = result["instances"]
    assert instance == {
        "id": shop["id"],
        "name": "shop",
        "provider": provider,
        "action": "applied",
        "changed_keys": [WEBHOOK[provider][0]],
        "before": wanted(provider, OLD),
        "after": wanted(provider),
        "error": None,
    }
    assert result["summary"] == {"total": 1, "by_action": {"applied": 1}}
    assert result["changed"] is True
    assert OLD in result["diff"]["before"]
    assert NEW in result["diff"]["after"]
    body = wanted(provider) if provider == "green_api" else {"value": NEW}
    assert writes(sitting) == [(WEBHOOK[provider][2], body)]


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_second_run_writes_nothing(sitting: Sitting, provider: str) -> None:
    items = shops(sitting, provider, "shop", "support")
    assert apply(sitting, items, settings=wanted(provider))["changed"] is True
    sent = len(writes(sitting))
    result = apply(sitting, items, settings=wanted(provider))
    assert (result["changed"], actions(result)) == (False, {"shop": "unchanged", "support": "unchanged"})
    assert len(writes(sitting)) == sent == 2


@pytest.mark.parametrize("provider", GATEWAYS)
def test_check_mode_reads_and_predicts_and_leaves_no_trace(sitting: Sitting, provider: str) -> None:
    (shop,) = shops(sitting, provider, "shop")
    result = apply(sitting, [shop], settings=wanted(provider), check_mode=True, diff=True)
    assert (result["changed"], actions(result)) == (True, {"shop": "would_apply"})
    (instance,) = result["instances"]
    assert (instance["before"], instance["after"]) == (wanted(provider, OLD), wanted(provider))
    assert NEW in result["diff"]["after"]
    assert writes(sitting) == []
    assert not sitting.journal.exists()


def test_only_what_differs_is_sent_and_only_what_is_named_is_managed(sitting: Sitting) -> None:
    (shop,) = shops(sitting, "green_api", "shop", stateWebhook="yes", delaySendMessagesMilliseconds=700)
    settings = {"stateWebhook": True, "incomingWebhook": True, "webhookUrl": "", "autoTyping": 3, "linkPreview": False}
    result = apply(sitting, [shop], settings=settings)
    assert actions(result) == {"shop": "applied"}
    sent = {"incomingWebhook": "yes", "webhookUrl": "", "autoTyping": 3}
    assert writes(sitting) == [("green_api.set_settings", sent)]
    assert result["instances"][0]["changed_keys"] == sorted(sent)
    assert shown(sitting, shop) == {"stateWebhook": "yes", "delaySendMessagesMilliseconds": 700, **sent}


def test_false_switches_a_text_off(sitting: Sitting) -> None:
    fleet = shops(sitting, "green_api", "shop") + shops(sitting, "plugzapi", "sales")
    for item in fleet:
        item["settings"] = {WEBHOOK[item["provider"]][0]: False}
    assert actions(apply(sitting, fleet)) == {"shop": "applied", "sales": "applied"}
    assert [shown(sitting, item)[WEBHOOK[item["provider"]][1]] for item in fleet] == ["", ""]


def test_an_items_settings_go_over_the_tasks(sitting: Sitting) -> None:
    shop, support = shops(sitting, "green_api", "shop", "support")
    support["settings"] = {"webhookUrl": f"{NEW}/support"}
    assert apply(sitting, [shop, support], settings={"webhookUrl": NEW, "stateWebhook": True})["changed"] is True
    assert shown(sitting, shop) == {"webhookUrl": NEW, "stateWebhook": "yes"}
    assert shown(sitting, support) == {"webhookUrl": f"{NEW}/support", "stateWebhook": "yes"}


@pytest.mark.parametrize(
    ("provider", "settings", "says"),
    [
        ("green_api", {}, "needs settings"),
        ("green_api", None, "needs settings"),
        ("green_api", {"webhookUrl": None}, "needs settings"),
        ("green_api", {"delivery_callback_url": NEW}, "delivery_callback_url is a setting of plugzapi; green_api has"),
        ("plugzapi", {"webhookUrl": NEW}, "webhookUrl is a setting of green_api; plugzapi has"),
        ("green_api", {"webhookUrl": "new.example"}, "webhookUrl must be an address"),
        ("green_api", {"webhookUrl": True}, "webhookUrl must be text, not true"),
        ("green_api", {"webhookUrl": ["a"]}, "webhookUrl must be text, not list"),
        ("green_api", {"autoTyping": 11}, "autoTyping must be between 0 and 10"),
        ("green_api", {"delaySendMessagesMilliseconds": 5}, "delaySendMessagesMilliseconds must be between 500"),
        ("plugzapi", {"name": ""}, "name can't be empty"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_any_request(
    sitting: Sitting, provider: str, settings: Any, says: str
) -> None:
    result = apply(sitting, shops(sitting, provider, "shop"), settings=settings)
    assert result["failed"] is True
    assert says in result["msg"]
    assert sitting.emulator.log() == []


# The journal, and answers that are lost


def test_what_the_gateway_shows_late_is_waited_for_and_sent_once(sitting: Sitting) -> None:
    sitting.emulator.freeze()
    sitting.emulator.config({"green_api.settings_lag_seconds": 300, "server.step_seconds": 60})
    (shop,) = shops(sitting, "green_api", "shop")
    assert actions(apply(sitting, [shop], settings=wanted("green_api"))) == {"shop": "applied"}
    assert len(writes(sitting)) == 1
    assert len(sitting.emulator.log(route="green_api.get_settings")) == 6


@pytest.mark.parametrize("provider", GATEWAYS)
def test_what_the_gateway_never_shows_is_unverified_and_not_sent_again(sitting: Sitting, provider: str) -> None:
    sitting.emulator.config({f"{provider}.settings_effect": "lost"})
    (shop,) = shops(sitting, provider, "shop")
    result = apply(sitting, [shop], settings=wanted(provider), verify_timeout=0.2)
    assert (result["failed"], result["changed"], actions(result)) == (True, True, {"shop": "unverified"})
    assert WEBHOOK[provider][0] in result["msg"]
    assert result["instances"][0]["after"] == wanted(provider, OLD)
    assert len(writes(sitting)) == 1


def test_a_task_soon_after_waits_instead_of_restarting_the_instance_again(sitting: Sitting) -> None:
    sitting.emulator.freeze()
    sitting.emulator.config({"green_api.settings_lag_seconds": 200})
    (shop,) = shops(sitting, "green_api", "shop")
    # Nothing is read back, so that no late request moves the clock.
    assert actions(apply(sitting, [shop], settings=wanted("green_api"), verify=False)) == {"shop": "unverified"}
    sitting.emulator.config({"server.step_seconds": 100})
    result = apply(sitting, [shop], settings=wanted("green_api"))
    assert actions(result) == {"shop": "applied"}
    assert len(writes(sitting)) == 1
    assert "an earlier task sent these settings" in result["warnings"][0]
    # Another value is another matter.
    other = wanted("green_api", f"{NEW}/2")
    assert actions(apply(sitting, [shop], settings=other)) == {"shop": "applied"}
    assert len(writes(sitting)) == 2


def test_long_after_a_change_that_never_showed_it_is_sent_again(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.settings_effect": "lost"})
    (shop,) = shops(sitting, "green_api", "shop")
    assert actions(apply(sitting, [shop], settings=wanted("green_api"), verify_timeout=0.1)) == {"shop": "unverified"}
    with sqlite3.connect(sitting.journal) as db:
        db.execute("UPDATE change SET requested_at = requested_at - 301")
    db.close()
    sitting.emulator.config({"green_api.settings_effect": "applied"})
    assert actions(apply(sitting, [shop], settings=wanted("green_api"))) == {"shop": "applied"}
    assert len(writes(sitting)) == 2


@pytest.mark.parametrize("provider", GATEWAYS)
@pytest.mark.parametrize(("when", "action"), [("after", "applied"), ("before", "unknown")])
def test_a_lost_answer_is_reconciled_by_reading(sitting: Sitting, provider: str, when: str, action: str) -> None:
    sitting.emulator.arm(WEBHOOK[provider][2], "reset", when=when)
    (shop,) = shops(sitting, provider, "shop")
    result = apply(sitting, [shop], settings=wanted(provider), verify_timeout=0.2)
    assert actions(result) == {"shop": action}
    assert result.get("failed", False) is (action == "unknown")
    assert len(writes(sitting)) == 1
    if action == "unknown":
        assert result["instances"][0]["error"]["code"] == "outcome_unknown"


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_refusal_fails_and_is_no_change(sitting: Sitting, provider: str) -> None:
    sitting.emulator.arm(WEBHOOK[provider][2], "status", status=400, body={"message": "no", "error": "no"})
    (shop, other) = shops(sitting, provider, "shop", "other")
    result = apply(sitting, [shop, other], settings=wanted(provider), concurrency=1)
    assert sorted(actions(result).values()) == ["applied", "failed"]
    assert result["msg"].startswith("1 of 2 instances could not be given their settings: HTTP 400 (1):")
    assert actions(apply(sitting, [shop, other], settings=wanted(provider))).keys() == {"shop", "other"}
    assert [shown(sitting, item)[WEBHOOK[provider][1]] for item in (shop, other)] == [NEW, NEW]


def test_an_instance_that_restarts_is_waited_for(sitting: Sitting) -> None:
    sitting.emulator.freeze()
    sitting.emulator.config({"green_api.restart_seconds": 30})
    (shop,) = shops(sitting, "green_api", "shop")
    assert actions(apply(sitting, [shop], settings=wanted("green_api"), verify=False)) == {"shop": "unverified"}
    sitting.emulator.config({"server.step_seconds": 10})
    result = apply(sitting, [shop], settings=wanted("green_api", f"{NEW}/2"))
    assert actions(result) == {"shop": "applied"}, result
    statuses = [entry["status"] for entry in sitting.emulator.log(route="green_api.set_settings")]
    assert statuses == [200, 400, 200]


def test_an_instance_that_never_starts_has_no_change(sitting: Sitting) -> None:
    (shop,) = shops(sitting, "green_api", "shop")
    sitting.emulator.set_state("green_api", shop["id"], "starting")
    result = apply(sitting, [shop], settings=wanted("green_api"), verify_timeout=0.1)
    assert (result["failed"], result["changed"], actions(result)) == (True, False, {"shop": "failed"})
    assert "in starting process" in result["msg"]
    assert len(writes(sitting)) > 1
    sitting.emulator.set_state("green_api", shop["id"], "authorized")
    assert actions(apply(sitting, [shop], settings=wanted("green_api"))) == {"shop": "applied"}


def test_instances_that_start_keep_no_other_from_its_settings(sitting: Sitting) -> None:
    """One instance at a time may restart; those that are starting make room for the last one."""
    fleet = shops(sitting, "green_api", "first", "second", "last")
    for item in fleet[:2]:
        sitting.emulator.set_state("green_api", item["id"], "starting")
    result = apply(sitting, fleet, settings=wanted("green_api"), max_restarting=1, verify_timeout=0.5)
    assert actions(result) == {"first": "failed", "second": "failed", "last": "applied"}
    log = sitting.emulator.log(route="green_api.set_settings")
    asked = [entry["path"].split("/")[1].removeprefix("waInstance") for entry in log]
    assert asked[:3] == [str(item["id"]) for item in fleet]


@pytest.mark.parametrize("provider", GATEWAYS)
def test_an_unreadable_instance_gets_no_write_and_the_others_do(sitting: Sitting, provider: str) -> None:
    shop, other = shops(sitting, provider, "shop", "other")
    result = apply(sitting, [{**shop, "token": "wrong-token"}, other], settings=wanted(provider))
    assert (result["failed"], actions(result)) == (True, {"shop": "failed", "other": "applied"})
    assert len(writes(sitting)) == 1
    assert result["instances"][0]["after"] == {WEBHOOK[provider][0]: None}


def test_without_a_journal_nothing_is_sent(sitting: Sitting) -> None:
    (shop,) = shops(sitting, "green_api", "shop")
    blocked = sitting.folder / "file"
    blocked.write_text("")
    result = apply(sitting, [shop], settings=wanted("green_api"), journal=str(blocked / "journal.sqlite3"))
    assert result["failed"] is True
    assert "journal" in result["msg"]
    assert writes(sitting) == []


def test_the_journal_holds_no_value(sitting: Sitting) -> None:
    (shop,) = shops(sitting, "green_api", "shop")
    settings = {"webhookUrl": f"{NEW}?key=c4n4ry-query", "webhookUrlToken": "Bearer c4n4ry-token"}
    assert apply(sitting, [shop], settings=settings)["changed"] is True
    content = b"".join(path.read_bytes() for path in sitting.folder.glob("journal*"))
    assert content
    assert b"c4n4ry" not in content
    assert shop["token"].encode() not in content
    assert b"new.example" not in content


# Guards


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(("limit", "refused"), [("1", True), ("50%", True), (2, False), ("70%", False)])
def test_a_plan_beyond_max_changes_changes_nothing(
    sitting: Sitting, limit: Any, refused: bool, check_mode: bool
) -> None:
    fleet = shops(sitting, "green_api", "shop", "support")
    fleet += sitting.seed("green_api", "fine", settings=wanted("green_api"))
    result = apply(sitting, fleet, settings=wanted("green_api"), max_changes=limit, check_mode=check_mode)
    assert result.get("failed", False) is refused
    if refused:
        assert actions(result) == {"shop": "failed", "support": "failed", "fine": "unchanged"}
        assert "shop, support" in result["msg"]
        assert f"max_changes is {limit}" in result["msg"]
        assert result["instances"][0]["changed_keys"] == ["webhookUrl"]
    assert len(writes(sitting)) == (0 if refused or check_mode else 2)


@pytest.mark.parametrize(("limit", "most"), [("0", 1), ("2", 2), ("50%", 3)])
def test_at_most_max_restarting_instances_restart_at_once(sitting: Sitting, limit: str, most: int) -> None:
    sitting.emulator.freeze()
    sitting.emulator.config({"green_api.restart_seconds": 10, "server.step_seconds": 1})
    fleet = shops(sitting, "green_api", *(f"shop-{number}" for number in range(6)))
    restarting: dict[str, float] = {}
    result = apply(sitting, fleet, settings=wanted("green_api"), max_restarting=limit)
    assert set(actions(result).values()) == {"applied"}
    largest = 0
    for entry in sitting.emulator.log(route="green_api.set_settings"):
        restarting = {path: at for path, at in restarting.items() if entry["time"] < at + 10}
        restarting[entry["path"]] = entry["time"]
        largest = max(largest, len(restarting))
    assert largest == most


def test_without_verification_nothing_is_read_back(sitting: Sitting) -> None:
    fleet = shops(sitting, "green_api", "shop") + shops(sitting, "plugzapi", "sales")
    for item in fleet:
        item["settings"] = wanted(item["provider"])
    result = apply(sitting, fleet, verify=False)
    assert not result.get("failed")
    assert (result["changed"], actions(result)) == (True, {"shop": "unverified", "sales": "unverified"})
    assert [len(sitting.emulator.log(route=READS[provider])) for provider in GATEWAYS] == [1, 1]
    assert actions(apply(sitting, fleet)) == {"shop": "unchanged", "sales": "unchanged"}


def test_other_settings_that_have_moved_are_told(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.settings_effect": "moves_another"})
    fleet = shops(sitting, "green_api", "shop", "support")
    result = apply(sitting, fleet, settings=wanted("green_api"))
    assert actions(result) == {"shop": "applied", "support": "applied"}
    assert result["warnings"] == [
        "settings that the task doesn't name have changed meanwhile: deletedMessageWebhook (2): shop, support"
    ]


def test_a_setting_of_the_task_that_has_moved_is_no_success(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.settings_effect": "moves_another"})
    settings = {**wanted("green_api"), "deletedMessageWebhook": False}
    # Long enough for an answer, and too short for a second look.
    result = apply(
        sitting, shops(sitting, "green_api", "shop"), settings=settings, verify_timeout=5, verify_interval=60
    )
    assert actions(result) == {"shop": "unverified"}
    assert "doesn't show deletedMessageWebhook" in result["msg"]


# PlugzAPI's own ways


def test_received_and_delivery_is_sent_first_and_own_messages_last(sitting: Sitting) -> None:
    (sales,) = shops(sitting, "plugzapi", "sales")
    settings = {
        "notify_sent_by_me": False,
        "name": "sales-2",
        "auto_read_message": True,
        "received_callback_url": f"{NEW}/r",
        "received_and_delivery_callback_url": f"{NEW}/rd",
    }
    result = apply(sitting, [sales], settings=settings)
    assert actions(result) == {"sales": "applied"}
    assert [route for route, _body in writes(sitting)] == [
        "plugzapi.update_webhook_received_delivery",
        "plugzapi.update_webhook_received",
        "plugzapi.update_auto_read_message",
        "plugzapi.update_name",
        "plugzapi.update_notify_sent_by_me",
    ]
    assert shown(sitting, sales)["receiveCallbackSentByMe"] is False
    assert sitting.emulator.instance("plugzapi", sales["id"])["name"] == "sales-2"


def test_what_the_first_switches_on_is_told_unless_the_task_names_it(sitting: Sitting) -> None:
    result = apply(sitting, shops(sitting, "plugzapi", "sales"), settings={"received_and_delivery_callback_url": NEW})
    assert actions(result) == {"sales": "applied"}
    assert "notify_sent_by_me (1): sales" in result["warnings"][0]


def test_a_refusal_after_a_change_tells_both(sitting: Sitting) -> None:
    sitting.emulator.arm("plugzapi.update_name", "status", status=400, body={"error": "no"})
    (sales,) = shops(sitting, "plugzapi", "sales")
    result = apply(sitting, [sales], settings={**wanted("plugzapi"), "name": "sales-2"})
    assert (result["failed"], result["changed"], actions(result)) == (True, True, {"sales": "failed"})
    assert "disconnected_callback_url changed before" in errors(result)["sales"]


@pytest.mark.parametrize("presence", ["http404", "http405", "not_found_200"])
def test_where_nothing_tells_the_settings_nothing_is_written_unless_asked(sitting: Sitting, presence: str) -> None:
    sitting.emulator.config({"plugzapi.me": presence})
    (sales,) = shops(sitting, "plugzapi", "sales")
    result = apply(sitting, [sales], settings=wanted("plugzapi"))
    assert (result["failed"], actions(result)) == (True, {"sales": "failed"})
    assert "on_unreadable: apply" in result["msg"]
    assert writes(sitting) == []


def test_unreadable_settings_are_written_once_per_value(sitting: Sitting) -> None:
    sitting.emulator.config({"plugzapi.me": "http404"})
    (sales,) = shops(sitting, "plugzapi", "sales")
    options = {"on_unreadable": "apply", "settings": wanted("plugzapi")}
    assert actions(apply(sitting, [sales], **options, check_mode=True)) == {"sales": "would_apply"}
    result = apply(sitting, [sales], **options)
    assert not result.get("failed")
    assert (result["changed"], actions(result)) == (True, {"sales": "unverified"})
    assert result["instances"][0]["before"] == {"disconnected_callback_url": None}
    result = apply(sitting, [sales], **options)
    assert (result["changed"], actions(result)) == (False, {"sales": "unchanged"})
    assert len(writes(sitting)) == 1
    options["settings"] = wanted("plugzapi", f"{NEW}/2")
    assert actions(apply(sitting, [sales], **options)) == {"sales": "unverified"}
    assert len(writes(sitting)) == 2


def test_an_unreadable_setting_whose_answer_was_lost_is_unknown_and_the_next_task_writes_it(sitting: Sitting) -> None:
    sitting.emulator.config({"plugzapi.me": "http404"})
    sitting.emulator.arm(WEBHOOK["plugzapi"][2], "reset", when="after")
    (sales,) = shops(sitting, "plugzapi", "sales")
    options = {"on_unreadable": "apply", "settings": wanted("plugzapi")}
    result = apply(sitting, [sales], **options)
    assert (result["failed"], actions(result)) == (True, {"sales": "unknown"})
    assert actions(apply(sitting, [sales], **options)) == {"sales": "unverified"}


def test_one_setting_may_be_unreadable_alone(sitting: Sitting) -> None:
    sitting.emulator.config({"plugzapi.me_received_and_delivery": False})
    (sales,) = shops(sitting, "plugzapi", "sales")
    settings = {**wanted("plugzapi"), "received_and_delivery_callback_url": NEW}
    result = apply(sitting, [sales], settings=settings)
    assert "doesn't tell received_and_delivery_callback_url" in result["msg"]
    assert writes(sitting) == []
    result = apply(sitting, [sales], settings=settings, on_unreadable="apply")
    assert not result.get("failed"), result["msg"]
    assert actions(result) == {"sales": "unverified"}
    assert result["instances"][0]["after"][WEBHOOK["plugzapi"][0]] == NEW
    assert actions(apply(sitting, [sales], settings=settings, on_unreadable="apply")) == {"sales": "unchanged"}


@pytest.mark.parametrize("answer", ["http404", "http403", "http400"])
def test_a_wrong_instance_is_not_taken_for_a_missing_call(sitting: Sitting, answer: str) -> None:
    sitting.emulator.config({"plugzapi.unknown_instance": answer})
    (sales,) = shops(sitting, "plugzapi", "sales")
    result = apply(sitting, [{**sales, "token": "wrong"}], settings=wanted("plugzapi"), on_unreadable="apply")
    assert (result["failed"], actions(result)) == (True, {"sales": "failed"})
    assert writes(sitting) == []


# Secrets


@pytest.mark.parametrize("check_mode", [False, True])
def test_secrets_are_not_in_the_result(sitting: Sitting, check_mode: bool) -> None:
    secret = {
        "webhookUrl": "https://c4n4ry-user:c4n4ry-pw@new.example/in/{id}?key=c4n4ry-query&x=1#c4n4ry-fragment",
        "webhookUrlToken": "Bearer c4n4ry-token",
    }
    told = {"webhookUrl": "https://old.example/in?key=c4n4ry-told", "webhookUrlToken": "c4n4ry-told-token"}
    (shop,) = shops(sitting, "green_api", "shop", **told)
    result = apply(sitting, [shop], settings=secret, check_mode=check_mode, diff=True)
    assert not result.get("failed"), result["msg"]
    (instance,) = result["instances"]
    assert instance["before"] == {"webhookUrl": "https://old.example/in?***", "webhookUrlToken": "***"}
    assert instance["after"] == {"webhookUrl": "https://new.example/in/{id}?***", "webhookUrlToken": "***"}
    assert "webhookUrlToken: *** (changed)" in result["diff"]["after"]
    assert "c4n4ry" not in json.dumps(result)


def test_a_vendor_that_quotes_a_secret_does_not_leak_it(sitting: Sitting) -> None:
    body = {"message": "Validation failed: https://new.example/in?key=c4n4ry-query and key c4n4ry-query"}
    sitting.emulator.arm("green_api.set_settings", "status", status=400, body=body)
    (shop,) = shops(sitting, "green_api", "shop")
    result = apply(sitting, [shop], settings={"webhookUrl": "https://new.example/in?key=c4n4ry-query"})
    assert actions(result) == {"shop": "failed"}
    assert "Validation failed" in result["msg"]
    assert "c4n4ry" not in json.dumps(result)


def test_returned_bounds_the_result(sitting: Sitting) -> None:
    shop, other = shops(sitting, "green_api", "shop", "other")
    fleet = [{**shop, "token": "wrong-token"}, other]
    settings = wanted("green_api")
    assert list(actions(apply(sitting, fleet, settings=settings, returned="failed"))) == ["shop"]
    result = apply(sitting, fleet, settings=settings, returned="summary")
    assert result["instances"] == []
    assert result["summary"] == {"total": 2, "by_action": {"failed": 1, "unchanged": 1}}


# Runs that are killed


def test_a_run_that_was_killed_after_the_request_is_finished_by_the_next(sitting: Sitting) -> None:
    sitting.emulator.freeze()
    sitting.emulator.config({"green_api.settings_lag_seconds": 200})
    (shop,) = shops(sitting, "green_api", "shop")
    child = Child(task(sitting, [shop], settings=wanted("green_api")))
    wait_until(lambda: len(sitting.emulator.log(route="green_api.get_settings")) > 2, "readings after the request")
    child.kill()
    assert child.result() is None
    sitting.emulator.advance(200)
    result = apply(sitting, [shop], settings=wanted("green_api"))
    assert actions(result) == {"shop": "unchanged"}
    assert len(writes(sitting)) == 1


def test_what_was_journalled_and_never_arrived_is_sent_once_the_gateway_had_time_to_show_it(sitting: Sitting) -> None:
    sitting.emulator.arm("green_api.set_settings", "reset", when="before")
    (shop,) = shops(sitting, "green_api", "shop")
    assert actions(apply(sitting, [shop], settings=wanted("green_api"), verify_timeout=0.1)) == {"shop": "unknown"}
    assert actions(apply(sitting, [shop], settings=wanted("green_api"), verify_timeout=0.1)) == {"shop": "unverified"}
    assert len(writes(sitting)) == 1
    with sqlite3.connect(sitting.journal) as db:
        db.execute("UPDATE change SET requested_at = requested_at - 299.5")
    db.close()
    result = apply(sitting, [shop], settings=wanted("green_api"))
    assert actions(result) == {"shop": "applied"}
    assert len(writes(sitting)) == 2


@pytest.mark.parametrize("provider", GATEWAYS)
@pytest.mark.parametrize("part", range(8))
def test_wherever_a_run_is_killed_the_next_one_finishes_it(sitting: Sitting, provider: str, part: int) -> None:
    lines = count_lines(task(sitting, shops(sitting, provider, "rehearsal"), settings=wanted(provider)))
    (shop,) = shops(sitting, provider, "shop")
    sent = len(writes(sitting))
    Child(task(sitting, [shop], settings=wanted(provider)), die_after=lines * (2 * part + 1) // 16).result()
    if sitting.journal.exists():
        with sqlite3.connect(sitting.journal) as db:
            db.execute("UPDATE change SET requested_at = requested_at - 299.5")
        db.close()
    result = apply(sitting, [shop], settings=wanted(provider))
    assert not result.get("failed"), result["msg"]
    assert actions(result)["shop"] in ("applied", "unchanged")
    assert len(writes(sitting)) == sent + 1
    assert shown(sitting, shop)[WEBHOOK[provider][1]] == NEW
