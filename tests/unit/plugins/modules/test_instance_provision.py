# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of provisioning, over sockets: each result belongs to its instance, and no failure hides another one."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.masking import can_register_secrets
from ansible_collections.msgops.fleet.tests.storm.runs import Result
from ansible_collections.msgops.fleet.tests.support.creation import QUICK_LISTING, wait_until
from ansible_collections.msgops.fleet.tests.support.linking import QUICK, Sitting

from msgops_emulator import Emulator

Items = list[dict[str, Any]]

SHOP = {"name": "shop", "provider": "green_api"}
SALES = {"name": "sales", "provider": "plugzapi"}
# The options as the user of the role or of the playbook knows them.
INSTANCES = "instances (in the role: provision_instances; in the playbook: fleet_instances)"
NAMES = "names (in the role: provision_names; in the playbook: fleet_names)"


@pytest.fixture
def sitting(emulator: Emulator, tmp_path: Path) -> Sitting:
    emulator.config({"green_api.creating_seconds": 0})
    return Sitting(emulator, tmp_path)


def provision(sitting: Sitting, instances: Items | None, **options: Any) -> Result:
    """The result of the task, which neither waits nor asserts unless told so."""
    accounts = {provider: sitting.emulator.account(provider) for provider in ("green_api", "plugzapi")}
    given = {
        "partner_tokens": {provider: account["partner_token"] for provider, account in accounts.items()},
        "journal": str(sitting.journal),
        "assert_authorized": False,
        "no_log": True,
        "times": {"listing_policy": QUICK_LISTING, "timing": QUICK},
        **options,
    }
    return sitting.run("instance_provision", instances, **given)()


def column(result: Result, key: str) -> list[Any]:
    return [instance[key] for instance in result["instances"]]


def messages(result: Result) -> list[str | None]:
    return [error and error["message"] for error in column(result, "error")]


# Items


def test_an_item_takes_what_it_leaves_out_from_its_gateways_dictionaries(sitting: Sitting) -> None:
    urls = {"green_api": sitting.emulator.url, "plugzapi": sitting.emulator.url}
    items: Items = [
        {"name": "shop", "api_url": None},
        {"name": "own", "api_url": "", "account": "own"},
        {**SALES, "api_url": None},
    ]
    accounts = {"green_api": "shared", "plugzapi": ""}
    result = provision(sitting, items, provider="green_api", api_urls=urls, accounts=accounts)
    assert column(result, "action") == ["created"] * 3
    assert column(result, "provider") == ["green_api", "green_api", "plugzapi"]
    assert column(result, "account") == ["shared", "own", None]
    assert column(result, "api_url") == [sitting.emulator.url] * 3


def test_an_item_wins_over_the_dictionaries(sitting: Sitting) -> None:
    nobody = {"green_api": "http://127.0.0.1:1", "plugzapi": "http://127.0.0.1:1"}
    token = sitting.emulator.account("green_api")["partner_token"]
    item = {**SHOP, "partner_token": token}
    result = provision(sitting, [item], api_urls=nobody, partner_tokens={"green_api": "wrong"})
    assert column(result, "action") == ["created"]


@pytest.mark.parametrize("item", [{"id": "", "token": ""}, {"id": ""}, {"id": None}, {"token": ""}])
def test_a_blank_identity_is_never_created(sitting: Sitting, item: dict[str, str]) -> None:
    result = provision(sitting, [{**SHOP, **item}, SALES])
    assert f"instances[0].{next(iter(item))} is " in result["msg"]
    assert sitting.emulator.log() == []


def test_in_check_mode_a_blank_identity_is_that_of_an_instance_that_would_be_created(sitting: Sitting) -> None:
    result = provision(sitting, [{**SHOP, "id": None, "token": None}], check_mode=True, assert_authorized=True)
    assert not result.get("failed")
    assert column(result, "action") == ["would_create"]


@pytest.mark.parametrize("item", [{"token": "some-token"}, {"id": "1"}, {"name": None}])
def test_half_an_identity_is_never_created_and_hides_no_other(sitting: Sitting, item: dict[str, str]) -> None:
    result = provision(sitting, [{**SHOP, **item}, SALES])
    assert result["failed"]
    assert column(result, "action") == ["failed", "created"]
    assert column(result, "state") == [None, "notAuthorized"]
    assert "instances[0]" in (messages(result)[0] or "")
    assert [instance["name"] for instance in sitting.emulator.instances()] == ["sales"]


@pytest.mark.parametrize(
    ("items", "options", "where"),
    [
        ([SHOP, SHOP], {}, INSTANCES),
        ([SHOP, {**SHOP, "id": "1101", "token": "some-token"}], {}, INSTANCES),
        ([{"name": "shop"}], {"names": ["shop"], "provider": "green_api"}, f"{INSTANCES} and {NAMES}"),
        (None, {"names": "shop, shop", "provider": "green_api"}, NAMES),
        # One token at one address is one account, whatever the items call it.
        ([{**SHOP, "account": "a"}, {**SHOP, "account": "b"}], {}, INSTANCES),
    ],
)
def test_a_name_that_occurs_twice_fails_before_the_first_request(
    sitting: Sitting, items: Items | None, options: dict[str, Any], where: str
) -> None:
    (known,) = sitting.seed("green_api", "known", state="authorized")
    # An item that is only checked, and one with another mistake, must not keep it from being noticed.
    result = provision(sitting, items and [known, {**SALES, "settings": {}}, *items], **options)
    assert f"shop stands 2 times for green_api in {where}; " in result["msg"]
    assert sitting.emulator.log() == []


def test_names_are_instances_of_the_tasks_provider(sitting: Sitting) -> None:
    urls = {"green_api": sitting.emulator.url}
    result = provision(sitting, [SALES], names="corner\r\n Main street \n", provider="green_api", api_urls=urls)
    assert column(result, "name") == ["sales", "corner", "Main street"]
    assert column(result, "provider") == ["plugzapi", "green_api", "green_api"]
    assert column(result, "action") == ["created"] * 3


def test_neither_instances_nor_names_is_an_error_that_says_where_to_put_them(sitting: Sitting) -> None:
    result = provision(sitting, None)
    assert "provision_instances" in result["msg"]
    assert "fleet_names" in result["msg"]


def test_what_exists_keeps_its_place_among_what_is_created(sitting: Sitting) -> None:
    (known,) = sitting.seed("green_api", "known", state="authorized")
    sitting.seed("plugzapi", "sales", state="connected")
    result = provision(sitting, [SHOP, known, SALES])
    assert column(result, "name") == ["shop", "known", "sales"]
    assert column(result, "action") == ["created", "checked", "adopted"]
    assert column(result, "state") == ["notAuthorized", "authorized", "authorized"]
    assert result["news"] == ["created shop at green_api", "adopted sales at plugzapi"]


def test_plugzapi_is_read_with_the_account_security_token(sitting: Sitting) -> None:
    sitting.emulator.config({"plugzapi.client_token_active": True})
    client_token = sitting.emulator.account("plugzapi")["client_token"]
    result = provision(sitting, [SALES, {**SALES, "name": "own", "client_token": "wrong"}], client_token=client_token)
    assert column(result, "action") == ["created", "created"]
    assert column(result, "state") == ["notAuthorized", None]
    assert provision(sitting, [{**SALES, "client_token": client_token}])["instances"][0]["state"] == "notAuthorized"


def test_an_instance_in_two_items_is_read_once_and_a_wrong_token_shows_its_own_error(sitting: Sitting) -> None:
    (known,) = sitting.seed("green_api", "known", state="authorized")
    result = provision(sitting, [{**known, "name": "wrong", "token": "wrong"}, known, {**known, "name": "again"}])
    assert column(result, "state") == [None, "authorized", "authorized"]
    assert [bool(message) for message in messages(result)] == [True, False, False]
    assert len(sitting.emulator.log(route="green_api.get_state")) == 2


# Where a value that can't be used came from


@pytest.mark.parametrize(
    ("item", "options", "says"),
    [
        (SHOP, {}, "api_url isn't a valid URL (api_url comes from the variable GREEN_API_URL)"),
        ({**SHOP, "api_url": "nowhere"}, {}, "shop: api_url must be a URL"),
        (SHOP, {"api_urls": {"green_api": "nowhere"}}, "api_urls.green_api must be a URL"),
        (SHOP, {"accounts": {"green_api": "a/b"}}, "accounts.green_api must be printable and without a slash"),
        ({**SHOP, "account": "a/b"}, {}, "shop: account must be printable"),
        (
            {**SHOP, "id": "1", "token": "a-token", "api_url": "nowhere"},
            {},
            "instances[0] (shop): api_url must be a URL",
        ),
    ],
)
def test_a_wrong_address_or_account_is_named_with_its_place(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch, item: dict[str, Any], options: dict[str, Any], says: str
) -> None:
    monkeypatch.setenv("GREEN_API_URL", "https://[")
    if "account" in says:
        item = {**item, "api_url": sitting.emulator.url}
    result = provision(sitting, [{"api_url": None, **item}], **options)
    assert says in result["msg"]
    assert ("GREEN_API_URL" in result["msg"]) is ("GREEN_API_URL" in says)
    assert sitting.emulator.log() == []


@pytest.mark.parametrize("journal", ["mysql://somewhere", "/"])
def test_a_journal_that_cannot_be_used_is_named_with_its_variable(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch, journal: str
) -> None:
    monkeypatch.setenv("MSGOPS_JOURNAL", journal)
    result = provision(sitting, [SHOP], journal=None)
    assert "(journal comes from the variable MSGOPS_JOURNAL)" in result["msg"]
    assert sitting.emulator.instances() == []


def test_lines_for_a_person_are_printable_and_results_keep_the_raw_name(sitting: Sitting) -> None:
    name = "sh\u202eop\x1b[2J\nall is well"
    would = provision(sitting, [{**SHOP, "name": name}], check_mode=True, diff=True)
    made = provision(sitting, [{**SHOP, "name": name}], assert_authorized=True, wait=False, diff=True)
    assert column(made, "name") == [name]
    lines = [*would["news"], *made["news"], *made["verdict"], made["msg"]]
    diffs = "".join(diff["after"] for result in (would, made) for diff in result["diff"])
    assert all(line.isprintable() for line in [*lines, *diffs.splitlines()])
    assert len(diffs.splitlines()) == 2
    assert would["news"] == ["would create sh op [2J all is well at green_api"]


# Secrets


def test_neither_result_nor_report_holds_a_token(sitting: Sitting) -> None:
    report_file = sitting.folder / "report.json"
    result = provision(sitting, [SHOP, SALES], report_file=str(report_file))
    secrets = [instance["token"] for instance in sitting.emulator.instances()]
    assert len(secrets) == 2
    shown = json.dumps(result) + report_file.read_text()
    assert [secret for secret in secrets if secret in shown] == []


@pytest.mark.skipif(can_register_secrets(), reason="this ansible-core masks what is registered")
def test_a_token_that_would_be_printed_is_only_in_the_file_and_the_state_is_read(sitting: Sitting) -> None:
    refused = provision(sitting, [SHOP], no_log=False)
    assert "provision_no_log, provision_credentials_file" in refused["verdict"][1]
    assert sitting.emulator.instances() == []
    credentials_file = sitting.folder / "credentials.json"
    result = provision(sitting, [SHOP], no_log=False, credentials_file=str(credentials_file))
    assert column(result, "state") == ["notAuthorized"]
    assert json.loads(credentials_file.read_text())["green_api"]["shop"]["id"] == result["instances"][0]["id"]


def test_an_instance_whose_token_is_not_known_says_what_to_set(sitting: Sitting) -> None:
    sitting.emulator.config({"plugzapi.listing": "http405"})
    provision(sitting, [SALES], credentials_file=str(sitting.folder / "credentials.json"))
    result = provision(sitting, [SALES])
    assert column(result, "action") == ["unchanged"]
    assert "provision_credentials_file" in (messages(result)[0] or "")
    assert result["summary"] == {"total": 1, "authorized": 0, "unreadable": 1, "by_state": {}}


@pytest.mark.parametrize("check_mode", [False, True])
def test_no_token_is_asked_for_that_would_be_lost(sitting: Sitting, check_mode: bool) -> None:
    sitting.emulator.config({"plugzapi.listing": "http405"})
    result = provision(sitting, [SALES, SHOP], check_mode=check_mode)
    said = result["news"] if check_mode else result["verdict"]
    assert len([line for line in said if "would be lost" in line and "provision_credentials_file" in line]) == 1
    # The listing of the other gateway shows tokens again.
    assert [row["name"] for row in sitting.emulator.instances()] == ([] if check_mode else ["shop"])
    credentials_file = sitting.folder / "credentials.json"
    for action in ("created", "unchanged"):
        result = provision(sitting, [SALES], credentials_file=str(credentials_file))
        assert (column(result, "action"), column(result, "state")) == ([action], ["notAuthorized"])


def test_an_account_whose_listing_is_not_used_loses_tokens_too(sitting: Sitting) -> None:
    result = provision(sitting, [SHOP], listing="none")
    assert column(result, "action") == ["failed"]
    assert "provision_credentials_file" in (messages(result)[0] or "")
    assert sitting.emulator.instances() == []


# Report


def test_the_report_stays_the_same_until_a_state_changes(sitting: Sitting) -> None:
    report_file = sitting.folder / "report.json"
    assert provision(sitting, [SALES, SHOP], report_file=str(report_file))["changed"]
    first = report_file.read_bytes()
    assert json.loads(first)["summary"]["by_state"] == {"notAuthorized": 2}
    again = provision(sitting, [SALES, SHOP], report_file=str(report_file))
    assert column(again, "action") == ["unchanged", "unchanged"]
    assert not again["changed"]
    assert report_file.read_bytes() == first
    sitting.emulator.set_state("green_api", again["instances"][1]["id"], "authorized")
    assert provision(sitting, [SALES, SHOP], report_file=str(report_file))["changed"]


def test_a_report_that_cant_be_written_fails_the_task_which_returns_the_instances(sitting: Sitting) -> None:
    (sitting.folder / "file").write_text("")
    result = provision(sitting, [SHOP], report_file=str(sitting.folder / "file" / "report.json"))
    assert result["failed"]
    assert "report_file" in result["verdict"][1]
    assert column(result, "action") == ["created"]


def test_no_items_are_no_error(sitting: Sitting) -> None:
    result = provision(sitting, [], assert_authorized=True)
    assert result["passed"]
    assert result["summary"] == {"total": 0, "authorized": 0, "unreadable": 0, "by_state": {}}
    assert sitting.emulator.log() == []


# Failures


def test_what_was_not_created_has_its_error_and_the_others_their_state(sitting: Sitting) -> None:
    (known,) = sitting.seed("green_api", "known", state="authorized")
    result = provision(sitting, [{**SHOP, "partner_token": "wrong"}, known, {**SHOP, "name": "new"}])
    assert result["failed"]
    assert column(result, "action") == ["failed", "checked", "created"]
    assert column(result, "state") == [None, "authorized", "notAuthorized"]
    assert "check partner_token" in (messages(result)[0] or "")
    assert len(result["verdict"]) == 2
    assert result["verdict"][1].startswith("shop at green_api: ")


def test_an_instance_whose_token_cant_be_delivered_is_not_read(sitting: Sitting) -> None:
    sitting.seed("green_api", "shop", state="authorized")
    credentials = {"green_api": {"shop": {"id": "9", "token": "other", "api_url": sitting.emulator.url}}}
    file = sitting.folder / "credentials.json"
    file.write_text(json.dumps(credentials))
    result = provision(sitting, [SHOP], credentials_file=str(file))
    assert column(result, "action") == ["failed"]
    assert column(result, "state") == [None]
    assert "never overwritten" in result["verdict"][1]


def test_a_stage_that_failed_as_a_whole_is_printed_once_and_the_others_are_read(sitting: Sitting) -> None:
    (known,) = sitting.seed("green_api", "known", state="authorized")
    result = provision(sitting, [{**SHOP, "session_name": "Shop"}, SALES, known])
    assert column(result, "action") == ["failed", "failed", "checked"]
    assert result["verdict"][0] == "1 of 3 instances are authorized"
    assert len(result["verdict"]) == 2
    assert "session_name is an option of plugzapi" in result["verdict"][1]
    assert sitting.emulator.log(writes=True) == []


def test_a_text_that_several_instances_share_is_printed_once(sitting: Sitting) -> None:
    items = [{**SHOP, "name": name, "partner_token": "wrong"} for name in ("a", "b", "c")]
    verdict = provision(sitting, items)["verdict"]
    assert "check partner_token" in verdict[1]
    assert verdict[2:] == ["b at green_api: the same as a at green_api", "c at green_api: the same as a at green_api"]


def test_each_line_of_the_verdict_says_what_to_do(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "strange", state="hibernating") + sitting.seed("plugzapi", "sales")
    result = provision(sitting, fleet, assert_authorized=True, wait=False)
    assert result["failed"]
    assert result["verdict"][0] == "0 of 2 instances are authorized"
    assert result["verdict"][1].startswith("strange at green_api is unknown (hibernating); ")
    assert result["verdict"][2].startswith("sales at plugzapi is notAuthorized; link a phone")


# Waiting


def test_a_banned_number_does_not_end_the_waiting_for_the_others(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "banned", state="blocked") + sitting.seed("green_api", "shop")

    def link_once_both_were_read() -> None:
        reads = sitting.emulator.log
        wait_until(lambda: len(reads(route="green_api.get_state")) > 3, "several readings of shop")
        sitting.emulator.set_state("green_api", fleet[1]["id"], "authorized")

    person = threading.Thread(target=link_once_both_were_read, daemon=True)
    person.start()
    result = provision(sitting, fleet, assert_authorized=True, wait_timeout=60)
    person.join()
    assert result["failed"]
    assert column(result, "state") == ["blocked", "authorized"]
    assert result["verdict"][1].startswith("banned at green_api is blocked; ")
    banned = [row for row in sitting.emulator.log(route="green_api.get_state") if fleet[0]["id"] in row["path"]]
    assert len(banned) == 1


def test_a_failed_creation_ends_the_waiting(sitting: Sitting) -> None:
    result = provision(sitting, [{**SHOP, "partner_token": "wrong"}, SALES], assert_authorized=True, wait_timeout=3600)
    assert column(result, "action") == ["failed", "created"]


def test_in_check_mode_what_would_be_created_is_not_waited_for(sitting: Sitting) -> None:
    sitting.seed("plugzapi", "sales", state="connected")
    result = provision(sitting, [SHOP, SALES], check_mode=True, assert_authorized=True, wait_timeout=3600)
    assert not result.get("failed")
    assert column(result, "action") == ["would_create", "adopted"]
    assert column(result, "state") == [None, "authorized"]
    assert result["changed"]
    assert sitting.emulator.log(writes=True) == []


# Reboots and links


def test_an_instance_that_is_not_authorized_has_the_error_of_the_stage_that_failed(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "linked", state="authorized") + sitting.seed("green_api", "pending", "hopeless")
    sitting.emulator.set_state("green_api", fleet[2]["id"], "blocked")
    result = provision(
        sitting, [*fleet, {**fleet[0], "token": "wrong"}], link="qr", link_dest=str(sitting.codes), wait_timeout=0.5
    )
    linked, pending, hopeless, unreadable = messages(result)
    assert linked is None
    assert "no phone within 0.5 s" in (pending or "")
    assert "it is blocked" in (hopeless or "")
    assert "401" in (unreadable or "")


def test_a_reboot_and_its_error_belong_to_their_instance(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.restart_seconds": 0.1})
    fleet = sitting.seed("green_api", "shop", "support", state="authorized")
    for item in fleet:
        sitting.emulator.set_state("green_api", item["id"], "yellowCard")
    first = provision(sitting, [fleet[0]], reboot_on=["yellowCard"])
    assert first["changed"]
    assert column(first, "state") == ["authorized"]
    sitting.emulator.set_state("green_api", fleet[0]["id"], "yellowCard")
    second = provision(sitting, fleet, reboot_on=["yellowCard"])
    assert column(second, "state") == ["yellowCard", "authorized"]
    assert "reboot" in (messages(second)[0] or "")
    assert messages(second)[1] is None


def test_a_pairing_code_needs_a_number_before_anything_is_created(sitting: Sitting) -> None:
    result = provision(sitting, [{**SHOP, "phone": "4915112345678"}, SALES], link="code", link_dest=str(sitting.codes))
    assert "instances[1] (sales) needs phone" in result["msg"]
    assert sitting.emulator.log() == []


# Settings of instances that exist

HOOKS: dict[str, dict[str, Any]] = {
    "green_api": {"settings": {"webhookUrl": "https://hooks.example/in?key=c4n4ry-query", "stateWebhook": True}},
    "plugzapi": {"disconnected_callback_url": "https://hooks.example/down", "session_name": "shop"},
}
BY_HAND = {"green_api": {"webhookUrl": "https://other.example"}, "plugzapi": {"disconnectedCallbackUrl": ""}}
DIFFERS = {"green_api": "webhookUrl", "plugzapi": "disconnected_callback_url"}


def held(sitting: Sitting, provider: str) -> dict[str, Any]:
    (instance,) = sitting.emulator.instances(provider=provider)
    return dict(instance["settings" if provider == "green_api" else "attributes"])


@pytest.mark.parametrize("provider", ["green_api", "plugzapi"])
def test_the_second_run_puts_right_what_was_changed_by_hand(sitting: Sitting, provider: str) -> None:
    sitting.emulator.config({"green_api.restart_seconds": 0})
    item = {"name": "shop", "provider": provider, **HOOKS[provider]}
    assert column(provision(sitting, [item]), "action") == ["created"]
    before = held(sitting, provider)
    again = provision(sitting, [item])
    assert (again["changed"], again["news"]) == (False, [])
    (instance,) = sitting.emulator.instances()
    sitting.emulator.set_settings(provider, instance["id"], **BY_HAND[provider])
    predicted = provision(sitting, [item], check_mode=True, diff=True)
    assert (predicted["changed"], predicted["passed"]) == (True, True)
    assert predicted["news"] == [f"would change {DIFFERS[provider]} of shop at {provider}"]
    assert "c4n4ry" not in json.dumps(predicted)
    assert held(sitting, provider) != before
    repaired = provision(sitting, [item], diff=True)
    assert (repaired["changed"], column(repaired, "action")) == (True, ["unchanged"])
    assert repaired["news"] == [f"changed {DIFFERS[provider]} of shop at {provider}"]
    assert held(sitting, provider) == before
    assert provision(sitting, [item])["changed"] is False


@pytest.mark.parametrize("provider", ["green_api", "plugzapi"])
def test_settings_can_be_left_alone(sitting: Sitting, provider: str) -> None:
    (shop,) = sitting.seed(provider, "shop", settings=BY_HAND[provider])
    result = provision(sitting, [{**shop, **HOOKS[provider]}], settings=False)
    assert (result["changed"], result["news"]) == (False, [])
    assert held(sitting, provider) == BY_HAND[provider]
    assert sitting.emulator.log(writes=True) == []


def test_an_adopted_instance_gets_the_settings_of_its_item(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.restart_seconds": 0})
    sitting.seed("green_api", "shop")
    result = provision(sitting, [{**SHOP, **HOOKS["green_api"]}])
    assert (result["changed"], column(result, "action")) == (True, ["adopted"])
    assert held(sitting, "green_api")["stateWebhook"] == "yes"


def test_settings_that_do_not_show_fail_the_task_and_name_the_instance(sitting: Sitting) -> None:
    sitting.emulator.arm("green_api.set_settings", "status", status=400, body="bad request data")
    items = [*sitting.seed("green_api", "shop", "fine"), SALES]
    items[0] |= {"settings": {"stateWebhook": True}}
    result = provision(sitting, items)
    assert (result["failed"], result["passed"]) == (True, False)
    assert any("shop at green_api" in line and "bad request data" in line for line in result["verdict"])
    assert column(result, "state") == ["notAuthorized"] * 3


def test_callbacks_of_a_new_instance_are_not_sent_again_where_nothing_tells_them(sitting: Sitting) -> None:
    sitting.emulator.config({"plugzapi.me": "http404"})
    item = {**SALES, **HOOKS["plugzapi"]}
    assert column(provision(sitting, [item]), "action") == ["created"]
    again = provision(sitting, [item])
    assert (again["changed"], again["passed"]) == (False, True)
    assert "the gateway doesn't tell" in again["news"][0]
    assert len(sitting.emulator.log(writes=True)) == 1
    changed = provision(sitting, [{**item, "disconnected_callback_url": "https://hooks.example/2"}])
    assert changed["changed"] is True
    assert provision(sitting, [{**item, "disconnected_callback_url": "https://hooks.example/2"}])["changed"] is False


# Trials


def test_a_trial_is_told_with_its_end_until_somebody_subscribes(sitting: Sitting) -> None:
    for _run in range(2):
        result = provision(sitting, [SHOP, SALES])
        (line,) = result["trials"]
        assert f"sales at plugzapi is in trial: it is deleted at {result['instances'][1]['due']}" in line
    predicted = provision(sitting, [SHOP, SALES], subscribe=True, check_mode=True, diff=True)
    assert (predicted["changed"], predicted["trials"]) == (True, [])
    subscribed = provision(sitting, [SHOP, SALES], subscribe=True)
    assert (subscribed["changed"], subscribed["trials"], subscribed["passed"]) == (True, [], True)
    assert len(sitting.emulator.log(route="plugzapi.subscribe")) == 1
    again = provision(sitting, [SHOP, SALES], subscribe=True)
    assert (again["changed"], again["trials"]) == (False, [])
    sitting.emulator.advance(3 * 86400)
    assert len(sitting.emulator.instances(provider="plugzapi", state="disconnected")) == 1


def test_a_subscription_that_fails_is_told_and_fails_the_task(sitting: Sitting) -> None:
    sitting.emulator.arm("plugzapi.subscribe", "status", status=400, body={"error": "no more instances"})
    result = provision(sitting, [SHOP, SALES], subscribe=True)
    assert (result["failed"], result["passed"], len(result["trials"])) == (True, False, 1)
    assert any("no more instances" in line for line in result["verdict"])
