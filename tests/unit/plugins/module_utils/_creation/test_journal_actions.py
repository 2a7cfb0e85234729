# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module creation_journal, and the tasks that a message proposes to a person."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._journal import journal
from ansible_collections.msgops.fleet.tests.support.creation import Fleet, actions, tasks_in


@pytest.fixture
def mixed(fleet: Fleet) -> Fleet:
    """A journal with an entry of each status that a run leaves behind."""
    fleet.seed("adopted")
    fleet.arm("create", "status", status=422, match='"rejected"')
    fleet.arm("create", "reset", when="before", match='"unknown"')
    fleet.create("adopted", "delivered", "rejected", "unknown")
    return fleet


def test_it_lists_what_was_begun_and_what_became_of_it(mixed: Fleet) -> None:
    result = mixed.journal_task()
    assert not result["changed"]
    by_name = {entry["name"]: entry for entry in result["entries"]}
    assert {name: entry["status"] for name, entry in by_name.items()} == {
        "adopted": "delivered",
        "delivered": "delivered",
        "rejected": "rejected",
        "unknown": "unknown",
    }
    assert list(by_name) == sorted(by_name)
    ids = {instance["name"]: str(instance["id"]) for instance in mixed.existing()}
    assert {name: entry["id"] for name, entry in by_name.items() if entry["id"]} == ids
    for entry in result["entries"]:
        assert entry["provider"] == mixed.provider
        assert (entry["account"], entry["address"]) == (None, mixed.emulator.url)
        assert re.fullmatch(r"[0-9a-f]{32}", entry["operation_id"])
        assert re.fullmatch(r"([0-9a-f]{64})?", entry["payload_hash"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["created_at"])
    assert by_name["adopted"]["payload_hash"] == ""


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ({"status": ["unknown"]}, ["unknown"]),
        ({"status": ["unknown", "pending", "rejected"]}, ["rejected", "unknown"]),
        ({"name": "delivered"}, ["delivered"]),
        ({"name": "nobody"}, []),
        ({"account": "another"}, []),
        ({"operation_id": "0" * 32}, []),
    ],
)
def test_its_list_can_be_limited(mixed: Fleet, limits: dict[str, Any], names: list[str]) -> None:
    assert [entry["name"] for entry in mixed.journal_task(**limits)["entries"]] == names


def test_a_new_creation_of_a_name_is_another_operation(fleet: Fleet) -> None:
    fleet.arm("create", "status", status=422)
    fleet.create("shop")
    first = fleet.entry("shop")
    fleet.create("shop")
    second = fleet.entry("shop")
    assert first
    assert second
    assert first["operation_id"] != second["operation_id"]


@pytest.mark.parametrize("action", ["adopt", "discard"])
def test_check_mode_shows_what_would_be_resolved(mixed: Fleet, action: str) -> None:
    option = {"instance_id": "7" * 32} if action == "adopt" else {}
    status, shown = ("created", "created " + "7" * 32) if action == "adopt" else ("rejected", "rejected")
    before = mixed.journal_file.read_bytes()
    task = {"action": action, "provider": mixed.provider, "name": "unknown", **option}
    would = mixed.journal_task(**task, check_mode=True, diff=True)
    assert mixed.journal_file.read_bytes() == before
    did = mixed.journal_task(**task, diff=True)
    assert would["changed"]
    assert did["changed"]
    assert would["diff"] == did["diff"]
    assert did["diff"] == {
        "before": f"{mixed.provider} unknown: unknown\n",
        "after": f"{mixed.provider} unknown: {shown}\n",
        "before_header": "journal",
        "after_header": "journal",
    }
    assert [entry["status"] for entry in did["entries"]] == [status]
    assert [entry["status"] for entry in would["entries"]] == [status]
    again = mixed.journal_task(**task, diff=True)
    assert not again["changed"]
    assert again["diff"]["before"] == again["diff"]["after"]
    assert mixed.log("create") == mixed.log("create"), "it sends no request"


@pytest.mark.parametrize("name", ["delivered", "adopted", "rejected"])
@pytest.mark.parametrize("action", ["adopt", "discard"])
def test_only_what_is_open_can_be_resolved(mixed: Fleet, name: str, action: str) -> None:
    option = {"instance_id": "7" * 32} if action == "adopt" else {}
    before = mixed.entry(name)
    result = mixed.journal_task(action=action, provider=mixed.provider, name=name, **option)
    if (name, action) == ("rejected", "adopt"):
        assert result["changed"], "a person may have discarded it by mistake"
        return
    if (name, action) == ("rejected", "discard"):
        assert not result["changed"]
    else:
        assert result["failed"]
        assert "isn't open" in result["msg"]
        (forget,) = tasks_in(result["msg"])
        assert forget["action"] == "forget"
    assert mixed.entry(name) == before


def test_what_was_never_begun_can_be_discarded_but_not_adopted(fleet: Fleet) -> None:
    assert fleet.journal_task(action="discard", provider=fleet.provider, name="nobody")["changed"] is False
    assert fleet.journal_task(action="adopt", provider=fleet.provider, name="nobody", instance_id="1")["failed"]
    assert not fleet.journal_file.exists()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"action": "adopt", "provider": "green_api", "name": "shop"}, "instance_id"),
        ({"action": "adopt", "provider": "green_api", "instance_id": "1"}, "name"),
        ({"action": "discard", "name": "shop"}, "provider"),
        ({"action": "forget", "provider": "green_api"}, "name"),
        ({"action": "forget", "operation_id": " "}, "operation_id"),
        ({"action": "discard", "provider": "green_api", "name": ""}, "name is blank"),
        ({"action": "adopt", "operation_id": "x", "instance_id": "\n"}, "instance_id is blank"),
        ({"name": " "}, "name is blank"),
        ({"account": "a/b"}, "account must be printable"),
    ],
)
def test_resolving_needs_to_know_what(green: Fleet, given: dict[str, Any], missing: str) -> None:
    result = green.journal_task(**given)
    assert result["failed"]
    assert missing in result["msg"]


def test_two_accounts_with_that_name_are_told_apart(green: Fleet) -> None:
    other = green.emulator.seed(accounts=[{"provider": "green_api", "name": "other"}])["accounts"][0]
    green.arm("create", "reset", when="before", count=2)
    green.create("shop", account="one")
    green.create("shop", account="two", partner_token=other["partner_token"])
    result = green.journal_task(action="discard", provider="green_api", name="shop")
    assert result["failed"]
    ids = {entry["operation_id"] for entry in green.journal_task()["entries"]}
    tasks = list(tasks_in(result["msg"]))
    assert {task["operation_id"] for task in tasks} == ids
    assert green.journal_task(**tasks[0])["changed"]
    assert green.journal_task(action="discard", provider="green_api", name="shop", account="one")["entries"]
    assert sorted(entry["status"] for entry in green.journal_task()["entries"]) == ["rejected", "unknown"]


# Naming the creation


@pytest.mark.parametrize("action", ["adopt", "discard", "forget"])
def test_an_operation_that_is_not_there_is_a_failure_that_says_so(mixed: Fleet, action: str) -> None:
    option = {"instance_id": "7" * 32} if action == "adopt" else {}
    result = mixed.journal_task(action=action, operation_id="0" * 32, **option)
    assert result["failed"]
    assert f"no creation {'0' * 32}" in result["msg"]


def test_an_operation_that_was_begun_anew_is_not_there_any_more(fleet: Fleet) -> None:
    fleet.arm("create", "reset", when="before", count=2)
    _adopt, discard = tasks_in(fleet.create("shop")["msg"])
    fleet.create("shop", on_unknown="create")
    assert fleet.journal_task(**discard)["failed"]
    assert fleet.status("shop") == "unknown"


@pytest.mark.parametrize(
    ("provider", "wrong", "right"),
    [
        ("green_api", ["77a", "-77", "７７", "ID"], ["77", " 1101000001\n"]),
        ("plugzapi", ["77", "g" * 32, "a" * 33, "ID"], ["3C" * 16, "3c" * 16]),
    ],
)
def test_the_form_of_an_id_is_the_gateways(
    green: Fleet, plugz: Fleet, provider: str, wrong: list[str], right: list[str]
) -> None:
    fleet = green if provider == "green_api" else plugz
    fleet.arm("create", "reset", when="before")
    fleet.create("shop")
    task = {"action": "adopt", "provider": provider, "name": "shop"}
    for instance_id in wrong:
        assert "its IDs are" in fleet.journal_task(**task, instance_id=instance_id)["msg"]
        assert fleet.status("shop") == "unknown"
    for instance_id in right:  # the second one corrects the first
        assert fleet.journal_task(**task, instance_id=instance_id)["changed"]
        assert fleet.entry("shop")["id"] == instance_id.strip()  # type: ignore[index]


def test_an_id_is_the_same_in_any_case_and_gets_the_spelling_of_the_listing(plugz: Fleet) -> None:
    plugz.arm("create", "lag", seconds=60)
    plugz.arm("create", "reset", when="after")
    plugz.create("shop")
    (instance,) = plugz.existing("shop")
    task = {"action": "adopt", "provider": "plugzapi", "name": "shop"}
    lower = instance["id"].lower()
    assert lower != instance["id"]
    assert plugz.journal_task(**task, instance_id=lower)["changed"]
    assert plugz.entry("shop")["id"] == lower  # type: ignore[index]
    plugz.emulator.advance(60)
    for _run in range(2):
        assert actions(plugz.create("shop")) == {"shop": "unchanged"}
        assert plugz.entry("shop")["id"] == instance["id"]  # type: ignore[index]
    plugz.assert_delivered("shop")
    assert not plugz.journal_task(**task, instance_id=lower)["changed"]
    assert plugz.journal_task(**{**task, "action": "forget"}, instance_id=lower)["changed"]


def test_an_instance_that_was_adopted_in_lower_case_and_renamed_is_not_another_ones(plugz: Fleet) -> None:
    (instance,) = plugz.seed("renamed")
    plugz.arm("create", "reset", when="before")
    plugz.create("shop")
    plugz.journal_task(action="adopt", provider="plugzapi", name="shop", instance_id=instance["id"].lower())
    assert "is named renamed now" in plugz.create("shop")["msg"]


def test_a_message_about_many_accounts_shows_the_first_commands(green: Fleet) -> None:
    green.arm("create", "reset", when="before", count=None)
    for number in range(5):
        account = {"provider": "green_api", "name": f"account-{number}"}
        token = green.emulator.seed(accounts=[account])["accounts"][0]["partner_token"]
        green.create("shop", account=f"account-{number}", partner_token=token)
    message = green.journal_task(action="discard", provider="green_api", name="shop")["msg"]
    entries = green.journal_task()["entries"]
    assert [t["operation_id"] for t in tasks_in(message)] == [entry["operation_id"] for entry in entries[:3]]
    assert "and 2 more" in message


# Forgetting


def test_what_is_forgotten_is_created_by_the_next_run(plugz: Fleet) -> None:
    plugz.emulator.config({"plugzapi.listing": "http404"})
    instance_id = plugz.create("shop", credentials_file=None)["instance"]["id"]
    task = {"action": "forget", "provider": "plugzapi", "name": "shop"}
    for wrong in ({}, {"instance_id": "7" * 32}):
        result = plugz.journal_task(**task, **wrong)
        assert result["failed"]
        assert instance_id in result["msg"]
    would = plugz.journal_task(**task, instance_id=instance_id, check_mode=True, diff=True)
    assert plugz.status("shop") == "delivered"
    did = plugz.journal_task(**task, instance_id=instance_id, diff=True)
    assert did["changed"]
    assert would["diff"] == did["diff"]
    assert did["diff"]["after"] == ""
    assert did["entries"] == []
    assert plugz.entry("shop") is None
    assert plugz.journal_task(**task, instance_id=instance_id)["changed"] is False
    assert actions(plugz.create("shop", credentials_file=None)) == {"shop": "created"}


def test_an_instance_that_is_gone_can_be_forgotten_by_the_command_of_the_message(fleet: Fleet) -> None:
    instance_id = fleet.create("shop", credentials_file=None)["instance"]["id"]
    fleet.emulator.set_state(fleet.provider, instance_id, name="renamed")
    (forget,) = tasks_in(fleet.create("shop", credentials_file=None)["msg"])
    assert fleet.journal_task(**forget)["changed"]
    assert actions(fleet.create("shop", credentials_file=None)) == {"shop": "created"}


def test_it_does_not_resolve_what_a_run_is_working_on(fleet: Fleet) -> None:
    fleet.arm("create", "reset", when="before")
    fleet.create("shop")
    entry = journal.Journal(fleet.journal).read().entries[0]
    with journal.Journal(fleet.journal).locked([entry.key]):
        policy = journal.LeasePolicy(wait_timeout=0.3)
        result = fleet.journal_task(action="discard", provider=fleet.provider, name="shop", lease_policy=policy)
    assert result["failed"]
    assert fleet.status("shop") == "unknown"


# The message of an unknown outcome


@pytest.mark.parametrize("name", ["shop", 'with "quotes" and {braces}; and more', "Лавка № 5 \u2013 \U0001f600"])
@pytest.mark.parametrize("happened", [True, False])
def test_the_tasks_that_it_proposes_resolve_it(fleet: Fleet, name: str, happened: bool) -> None:
    fleet.arm("create", "lag", seconds=3600)
    fleet.arm("create", "reset", when="after" if happened else "before")
    result = fleet.create(name)
    assert actions(result) == {name: "unknown"}
    adopt, discard = tasks_in(result["msg"])
    assert (adopt["action"], discard["action"]) == ("adopt", "discard")
    if happened:
        (instance,) = fleet.existing(name)
        assert adopt["instance_id"] == "ID"
        assert "its IDs are" in fleet.journal_task(**adopt)["msg"], "it says what stands for the ID"
        assert fleet.journal_task(**{**adopt, "instance_id": str(instance["id"])})["changed"]
        fleet.emulator.advance(3600)
        assert actions(fleet.create(name)) == {name: "unchanged"}
    else:
        assert fleet.journal_task(**discard)["changed"]
        assert actions(fleet.create(name)) == {name: "created"}
    assert len(fleet.existing(name)) == 1
    fleet.assert_delivered(name)


def test_each_of_many_gets_its_own_proposal(fleet: Fleet) -> None:
    fleet.arm("create", "reset", when="before", count=None)
    names = [f"shop-{number}" for number in range(5)]
    fleet.create(*names)
    result = fleet.create(*names)
    for instance in result["instances"]:
        own = fleet.entry(instance["name"])
        assert own
        assert {task["operation_id"] for task in tasks_in(instance["error"]["message"])} == {own["operation_id"]}


def test_forget_removes_the_credentials_of_the_instance_and_no_others(green: Fleet) -> None:
    shop, stock = (green.create(name)["instance"]["id"] for name in ("shop", "stock"))
    file = str(green.credentials_file)
    forget = {
        "action": "forget",
        "provider": "green_api",
        "instance_id": shop,
        "credentials_file": file,
        "name": "shop",
    }
    assert green.journal_task(**forget, check_mode=True)["changed"]
    assert json.loads(green.credentials_file.read_text())["green_api"].keys() == {"shop", "stock"}
    assert green.journal_task(**forget)["changed"]
    assert json.loads(green.credentials_file.read_text())["green_api"].keys() == {"stock"}
    other = {"green_api": {"stock": {"id": "9", "token": "other's", "api_url": green.emulator.url}}}
    green.credentials_file.write_text(json.dumps(other))
    green.journal_task(**forget | {"name": "stock", "instance_id": stock})
    assert json.loads(green.credentials_file.read_text()) == other
    assert green.journal_task()["entries"] == []


def test_an_entry_stays_in_the_journal_where_its_credentials_cant_be_removed(green: Fleet) -> None:
    shop = green.create("shop")["instance"]["id"]
    green.credentials_file.write_text("encrypted")
    forget = {"action": "forget", "provider": "green_api", "name": "shop", "instance_id": shop}
    result = green.journal_task(**forget, credentials_file=str(green.credentials_file))
    assert "isn't valid JSON" in result["msg"]
    assert green.status("shop") == "delivered"
