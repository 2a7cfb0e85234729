# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role's tasks hand to each other."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.filter.provisioning import provisioning

TOKENS = {"green_api": "partner-of-green-api", "plugzapi": "partner-of-plugzapi"}
KNOWN: dict[str, Any] = {"id": 1101000009, "token": "known-token", "name": "known", "provider": "green_api"}
ABSENT: dict[str, Any] = {"state": None, "vendor_state": None, "authorized": False, "health": "unknown"}


def created(name: str, provider: str, **others: Any) -> dict[str, Any]:
    result = {"name": name, "provider": provider, "id": f"id-of-{name}", "token": f"token-of-{name}", "error": None}
    result |= {"api_url": "https://api.example.com", "due": None, "due_raw": None, "action": "created"}
    return result | others


def observed(state: str | None, **others: Any) -> dict[str, Any]:
    health = {"authorized": "ready", "notAuthorized": "action_required"}.get(state or "", "unknown")
    result = {"state": state, "vendor_state": state, "authorized": state == "authorized", "health": health}
    return result | {"error": None, "attempts": 1, "observed_at": "2026-01-31T12:00:00Z"} | others


def test_items_are_completed_by_provider() -> None:
    stages = provisioning(
        [{"name": "a"}, {"name": "b", "provider": "plugzapi"}],
        provider="green_api",
        api_urls={"plugzapi": "https://b.example.com"},
        partner_tokens=TOKENS,
    )
    assert stages["desired"] == [
        {"name": "a", "provider": "green_api", "partner_token": TOKENS["green_api"]},
        {
            "name": "b",
            "provider": "plugzapi",
            "partner_token": TOKENS["plugzapi"],
            "api_url": "https://b.example.com",
        },
    ]
    assert stages["targets"] == []


def test_an_account_has_the_name_that_it_was_given() -> None:
    items = [{"name": "a"}, {"name": "b", "account": "own"}, {"name": "c", "provider": "plugzapi"}]
    stages = provisioning(items, provider="green_api", accounts={"green_api": "shared", "plugzapi": ""})
    assert [item.get("account") for item in stages["desired"]] == ["shared", "own", None]
    made = [created("a", "green_api", account="shared"), created("b", "green_api", account="own")]
    instances = provisioning(items[:2], provider="green_api", creation={"instances": made})["result"]["instances"]
    assert [instance["account"] for instance in instances] == ["shared", "own"]


def test_an_item_wins_over_what_holds_for_all() -> None:
    own = {"name": "a", "provider": "plugzapi", "partner_token": "own", "api_url": "https://own.example.com"}
    shared = {"plugzapi": "https://shared.example.com"}
    assert provisioning([own], provider="green_api", api_urls=shared, partner_tokens=TOKENS)["desired"] == [own]


def test_null_and_blank_are_the_same_as_left_out() -> None:
    item = {"name": "a", "id": None, "token": None, "api_url": "", "settings": None}
    assert provisioning([item], provider="green_api")["desired"] == [{"name": "a", "provider": "green_api"}]


@pytest.mark.parametrize("item", [{"id": "", "token": ""}, {"id": ""}, {"token": "t"}, {"id": "1"}])
def test_half_an_identity_is_never_created(item: dict[str, str]) -> None:
    stages = provisioning([{"name": "a", "provider": "green_api", **item}])
    assert stages["desired"] == []
    assert stages["targets"] == [{"name": "a", "provider": "green_api", **item}]


def test_what_exists_keeps_its_place_among_what_is_created() -> None:
    items = [{"name": "a", "provider": "green_api"}, KNOWN, {"name": "b", "provider": "plugzapi"}]
    creation = {"instances": [created("a", "green_api"), created("b", "plugzapi", action="unchanged")]}
    stages = provisioning(items, creation=creation)
    assert [target["id"] for target in stages["targets"]] == ["id-of-a", 1101000009, "id-of-b"]
    reading = {"instances": [observed("authorized"), observed("notAuthorized"), observed("authorized")]}
    instances = provisioning(items, creation=creation, reading=reading)["result"]["instances"]
    assert [(one["name"], one["id"], one["action"], one["state"]) for one in instances] == [
        ("a", "id-of-a", "created", "authorized"),
        ("known", "1101000009", "checked", "notAuthorized"),
        ("b", "id-of-b", "unchanged", "authorized"),
    ]


def test_plugzapi_is_read_with_the_account_security_token() -> None:
    items = [{"name": "a", "provider": "plugzapi"}, {"name": "b", "provider": "plugzapi", "client_token": "own"}, KNOWN]
    creation = {"instances": [created("a", "plugzapi"), created("b", "plugzapi")]}
    stages = provisioning(items, client_token="shared", creation=creation)
    assert [target.get("client_token") for target in stages["targets"]] == ["shared", "own", None]
    assert all("client_token" not in item for item in stages["desired"])


def test_neither_result_nor_report_holds_a_secret() -> None:
    items = [{"name": "a", "provider": "plugzapi", "client_token": "secret", "partner_token": "secret"}]
    creation = {"instances": [created("a", "plugzapi", token="secret")]}
    stages = provisioning(items, creation=creation, reading={"instances": [observed("authorized")]})
    assert "secret" in str(stages["targets"])
    assert "secret" not in str([stages["result"], stages["report"]])


def test_the_report_is_the_same_for_a_second_run() -> None:
    items = [{"name": "a", "provider": "plugzapi"}]
    first = created("a", "plugzapi", due="2026-01-31T12:00:00Z")
    second = created("a", "plugzapi", action="unchanged")
    reading = {"instances": [observed("authorized")]}
    later = {"instances": [observed("authorized", attempts=7, observed_at="2026-02-01T12:00:00Z")]}
    assert (
        provisioning(items, creation={"instances": [first]}, reading=reading)["report"]
        == provisioning(items, creation={"instances": [second]}, reading=later)["report"]
    )


def test_the_summary_counts_those_that_were_read() -> None:
    items = [KNOWN, KNOWN, KNOWN, {"name": "a", "provider": "green_api"}]
    creation = {"instances": [created("a", "green_api", id=None, token=None, action="would_create")]}
    reading = {"instances": [observed("authorized"), observed("notAuthorized"), observed(None)]}
    assert provisioning(items, creation=creation, reading=reading)["result"]["summary"] == {
        "total": 4,
        "authorized": 1,
        "unreadable": 1,
        "by_state": {"authorized": 1, "notAuthorized": 1},
    }


def test_what_was_not_created_has_its_error_and_no_state() -> None:
    error = {"code": "unauthorized", "message": "check partner_token", "retryable": False}
    failed = created("a", "green_api", id=None, token=None, action="failed", error=error)
    items = [{"name": "a", "provider": "green_api"}, KNOWN]
    stages = provisioning(items, creation={"instances": [failed]}, reading={"instances": [observed("authorized")]})
    refused, known = stages["result"]["instances"]
    assert refused == ABSENT | {"id": None, "error": error, "action": "failed", "due": None, "account": None} | {
        key: failed[key] for key in ("name", "provider", "api_url")
    }
    assert known["authorized"]


def test_an_instance_whose_task_is_not_done_is_not_read() -> None:
    error = {"code": "bad_request", "message": "credentials_file can't be written", "retryable": False}
    items = [{"name": "a", "provider": "green_api"}, KNOWN]
    creation = {"instances": [created("a", "green_api", action="failed", error=error)]}
    stages = provisioning(items, creation=creation, reading={"instances": [observed("authorized")]})
    assert [target["id"] for target in stages["targets"]] == [KNOWN["id"]]
    unfinished, known = stages["result"]["instances"]
    assert (unfinished["id"], unfinished["state"], unfinished["error"]) == ("id-of-a", None, error)
    assert known["authorized"]


def test_an_instance_whose_token_is_not_known_can_not_be_read() -> None:
    items = [{"name": "a", "provider": "plugzapi"}]
    stages = provisioning(items, creation={"instances": [created("a", "plugzapi", token=None, action="unchanged")]})
    assert stages["targets"] == []
    (instance,) = stages["result"]["instances"]
    assert "provision_credentials_file" in instance["error"]["message"]
    assert stages["result"]["summary"]["unreadable"] == 1


def test_a_task_that_failed_as_a_whole_is_told_once() -> None:
    items = [{"name": "a", "provider": "green_api"}, {"name": "a", "provider": "green_api"}]
    stages = provisioning(items, creation={"msg": "instances names a 2 times", "failed": False})
    assert stages["errors"] == ["instances names a 2 times"]
    assert [instance["action"] for instance in stages["result"]["instances"]] == ["failed", "failed"]


def test_skipped_tasks_and_no_items_are_no_error() -> None:
    skipped = {"changed": False, "skipped": True, "skip_reason": "Conditional result was False"}
    stages = provisioning([], creation=skipped, reading=skipped)
    assert stages["errors"] == []
    assert stages["result"] == {
        "instances": [],
        "summary": {"total": 0, "authorized": 0, "unreadable": 0, "by_state": {}},
    }


def test_results_of_an_earlier_run_do_not_matter_to_what_is_desired() -> None:
    earlier = {"instances": [created("x", "green_api"), created("y", "green_api")]}
    items = [{"name": "a", "provider": "green_api"}]
    assert provisioning(items, creation=earlier)["desired"] == items
    more = {"instances": [observed("authorized"), observed("authorized")]}
    assert provisioning(items, creation=earlier, reading=more, attempts=[{}, more])["desired"] == items


def test_phones_are_for_linking_alone() -> None:
    items = [{"name": "a", "provider": "green_api", "phone": "4915112345678"}, {**KNOWN, "phone": "4915187654321"}]
    stages = provisioning(items, creation={"instances": [created("a", "green_api")]})
    assert [item["phone"] for item in stages["links"]] == ["4915112345678", "4915187654321"]
    assert not any("phone" in item for item in (*stages["desired"], *stages["targets"]))
    assert not any("phone" in instance for instance in stages["result"]["instances"])


def attempt(*messages: str | None) -> dict[str, Any]:
    errors = [message and {"code": "timeout", "message": message, "retryable": False} for message in messages]
    return {"instances": [{"error": error} for error in errors]}


def test_who_is_not_authorized_is_told_why_by_what_was_tried() -> None:
    items = [{**KNOWN, "name": name} for name in ("linked", "pending", "rebooted", "hopeless", "unreadable")]
    reading = {
        "instances": [
            observed("authorized"),
            *[observed("notAuthorized")] * 3,
            observed(None, error={"message": "unreadable"}),
        ]
    }
    stages = provisioning(
        items,
        attempts=[
            attempt(None, None, "no reboot", "no reboot", None),
            {},
            attempt("no phone", "no phone", None, "no phone", "no phone"),
        ],
        reading=reading,
    )
    errors = [(instance["error"] or {}).get("message") for instance in stages["result"]["instances"]]
    assert errors == [None, "no phone", "no reboot", "no reboot", "unreadable"]
    assert stages["errors"] == []


def test_before_anything_is_read_an_attempt_tells_nothing() -> None:
    stages = provisioning([KNOWN], attempts=[attempt("no phone")])
    assert len(stages["targets"]) == 1
    assert stages["result"]["instances"][0]["error"] is None


def test_an_attempt_that_failed_as_a_whole_is_told_once() -> None:
    stages = provisioning([KNOWN], attempts=[{"failed": True, "msg": "dest can't be written"}, {"skipped": True}])
    assert stages["errors"] == ["dest can't be written"]
