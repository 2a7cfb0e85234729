# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks against the emulator, run by ansible-playbook under their names."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT
from ansible_collections.msgops.fleet.tests.support.playbooks import Playbooks, failed_hosts, shown
from ansible_collections.msgops.fleet.tests.support.reports import FLEET, make_report


def test_a_fleet_that_violates_the_rule_fails_on_its_failing_hosts_the_worst_first(fleet: Playbooks) -> None:
    done = fleet.run("msgops.fleet.check_fleet", fleet_max_failing=1, fleet_report_dir="reports")
    assert (done.returncode, failed_hosts(done)) == (2, {"support", "zoo"}), done.stdout + done.stderr
    verdict, violation, causes, *lines = shown(done)
    assert verdict == "failed: 3 of 5 healthy, 2 failing"
    assert violation == "2 of 5 are failing, 1 may be"
    assert causes == "1 blocked, 1 notAuthorized"
    assert [line.split()[0] for line in lines] == ["zoo", "support"]
    report = fleet.report()
    assert (report["passed"], report["violations"]) == (False, [violation])
    assert {row["name"]: row["account"] for row in report["members"]} == {
        "shop": "retail", "support": None, "zoo": None, "loja": None, "vendas": None,
    }  # fmt: skip
    assert {path.name for path in (fleet.folder / "reports").iterdir()} == {"fleet.json", "fleet.xml", "fleet.html"}
    counts = fleet.emulator.log_page()["counts"]
    assert counts == {"green_api.list": 1, "green_api.get_state": 3, "plugzapi.list": 1, "plugzapi.status": 2}


def test_a_fleet_that_passes_leaves_facts_to_later_plays(fleet: Playbooks) -> None:
    (fleet.folder / "play.yml").write_text(
        "- import_playbook: msgops.fleet.check_fleet\n"
        "- hosts: msgops_instances\n"
        "  gather_facts: false\n"
        "  connection: local\n"
        "  tasks:\n"
        "    - ansible.builtin.debug: {msg: '{{ inventory_hostname }} is {{ msgops_state }}, {{ msgops_health }}'}\n"
    )
    done = fleet.run("play.yml", fleet_rule='{"max_failing": "20%"}', fleet_max_failing="40%", fleet_shown=1)
    assert (done.returncode, failed_hosts(done)) == (0, set()), done.stdout + done.stderr
    verdict, causes, line, rest = shown(done)
    assert (verdict, causes, rest) == ("passed: 3 of 5 healthy, 2 failing", "1 blocked, 1 notAuthorized", "and 1 more")
    assert line.startswith("zoo (")
    assert "zoo is blocked, failed" in done.stdout
    assert "shop is authorized, ready" in done.stdout


def test_too_few_instances_fail_the_playbook_although_none_is_failing(fleet: Playbooks) -> None:
    done = fleet.run("msgops.fleet.check_fleet", fleet_hosts="loja:vendas", fleet_min_total=3)
    assert (done.returncode, "there are 2, at least 3 are expected" in done.stdout) == (2, True), done.stdout
    assert shown(done)[0] == "failed: 2 of 2 healthy, 0 failing"


@pytest.mark.parametrize("denied", ["none", "POST batch-query-status", "GET batch-query"])
def test_phones(playbooks: Playbooks, denied: str) -> None:
    """By the listing, which needs a permission to read only, and by the status only if the listing is refused."""
    playbooks.emulator.config({"koophone.denied": denied})
    playbooks.emulator.seed(phones=[{"id": "a44uhlf7", "status": 2}, {"id": "efjy72gs", "status": 1}])
    playbooks.hosts["msgops_cloudphones"] = {
        id: {"msgops_id": id, "msgops_provider": "koophone"} for id in ("a44uhlf7", "efjy72gs")
    }
    done = playbooks.run(
        "msgops.fleet.check_phones", fleet_report_dir="reports", fleet_report_name="phones", fleet_serial=1
    )
    assert (done.returncode, failed_hosts(done)) == (2, {"efjy72gs"}), done.stdout + done.stderr
    assert shown(done)[:3] == ["failed: 1 of 2 healthy, 1 failing", "1 of 2 is failing, 0 may be", "1 stopped"]
    states = {row["id"]: (row["state"], row["failing"]) for row in playbooks.report("phones")["members"]}
    assert states == {"a44uhlf7": ("running", []), "efjy72gs": ("stopped", ["state"])}
    # The listing has all phones, and a request for statuses those of a batch.
    routes = ("koophone.batch_query", "koophone.batch_query_status")
    requests = [len(playbooks.emulator.log(route=route)) for route in routes]
    assert requests == [1, 2 if denied == "GET batch-query" else 0]


def test_the_reports_of_slices_are_evaluated_as_a_whole(playbooks: Playbooks) -> None:
    for number in range(2):
        text = json.dumps(make_report(FLEET[number::2], max_failing="3").as_json())
        (playbooks.folder / f"slice-{number}.json").write_text(text)
    # No host of the inventory is to blame.
    playbooks.hosts["msgops_instances"] = {str(member.host): {} for member in FLEET}
    done = playbooks.run("msgops.fleet.merge_reports", fleet_reports="slice-*.json", fleet_report_dir="reports")
    assert (done.returncode, failed_hosts(done)) == (2, {"localhost"}), done.stdout + done.stderr
    assert playbooks.report()["violations"] == ["4 of 8 are failing, 3 may be"]
    done = playbooks.run("msgops.fleet.merge_reports", fleet_reports=["slice-0.json"], fleet_min_total="")
    assert done.returncode == 0, done.stdout + done.stderr
    done = playbooks.run("msgops.fleet.merge_reports", fleet_reports=["slice-0.json", "nothing-*.json"])
    assert (done.returncode, "matches no file" in done.stdout) == (2, True), done.stdout


@pytest.mark.parametrize(
    "survey",
    [
        {"fleet_names": "corner\r\n market \r\n\r\n"},
        {"fleet_names": "corner, market,"},
        {"fleet_names": ["corner", "market"]},
        {"fleet_names": "['corner', 'market']"},
        {"fleet_names": "- corner\n- market\n", "fleet_instances": ""},
        {"fleet_instances": '[{"name": "corner"}, {"name": "market"}]', "fleet_names": ""},
        {"fleet_instances": [{"name": "corner"}], "fleet_names": "market"},
    ],
    ids=str,
)
def test_a_survey_names_the_instances_to_provision(playbooks: Playbooks, survey: dict[str, Any]) -> None:
    options = {"provision_provider": "green_api", "provision_wait": False, "provision_assert_authorized": False}
    done = playbooks.run("msgops.fleet.provision", **options, **survey)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(instance["name"] for instance in playbooks.emulator.instances()) == ["corner", "market"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fleet_names": {"a": 1}}, "fleet_names) must be a list"),
        ({"fleet_names": '{"a": 1}'}, "fleet_names) must be a list"),
        ({"fleet_names": True}, "fleet_names) must be a list"),
        ({"fleet_names": [0.5]}, "must be text, not 0.5: quote it"),
        ({"fleet_instances": "corner"}, "fleet_instances) must be a list"),
        ({"fleet_names": "shop,shop"}, "2 times for green_api in names (in"),
        ({"fleet_names": "shop", "fleet_instances": [{"name": "shop"}]}, "fleet_instances) and names (in"),
    ],
    ids=str,
)
def test_wrong_answers_of_a_survey_are_refused(playbooks: Playbooks, wrong: dict[str, Any], said: str) -> None:
    done = playbooks.run("msgops.fleet.provision", provision_provider="green_api", **wrong)
    assert (done.returncode, said in " ".join(done.stdout.split())) == (2, True), done.stdout + done.stderr
    assert playbooks.emulator.log() == []


def test_each_import_provisions_its_own_instances(playbooks: Playbooks) -> None:
    common = {"provision_provider": "green_api", "provision_wait": False, "provision_assert_authorized": False}
    plays = [
        {"import_playbook": "msgops.fleet.provision", "vars": {**common, **names}}
        for names in ({"fleet_names": "first"}, {"fleet_names": "second"}, {"fleet_instances": '[{"name": "third"}]'})
    ]
    (playbooks.folder / "site.yml").write_text(yaml.safe_dump(plays))
    done = playbooks.run("site.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(row["name"] for row in playbooks.emulator.instances()) == ["first", "second", "third"]


def test_blank_answers_of_a_survey_count_as_not_given(playbooks: Playbooks) -> None:
    options = yaml.safe_load((ROOT / "roles" / "provision" / "meta" / "argument_specs.yml").read_text())
    variables = options["argument_specs"]["main"]["options"].keys() - {"provision_instances"}
    # Without a phone, an instance that is waited for would fail the role after provision_wait_timeout.
    playbooks.seed("fleet", {"provider": "green_api", "name": "corner", "state": "authorized"})
    for blank in ("", None):
        done = playbooks.run(
            "msgops.fleet.provision",
            fleet_instances='[{"name": "corner", "provider": "green_api"}]',
            **dict.fromkeys(variables, blank),
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(playbooks.emulator.instances()) == 1


OLD = {"webhookUrl": "https://old.example/in?key=c4n4ry-told", "webhookUrlToken": "c4n4ry-told-token"}
NEW = {"webhookUrl": "https://new.example/in?key=c4n4ry-query", "stateWebhook": True}


def test_settings_drift_is_found_in_check_mode_and_then_repaired(playbooks: Playbooks) -> None:
    emulator = playbooks.emulator
    emulator.config({"green_api.restart_seconds": 0})
    emulator.seed(instances=[{"provider": "green_api", "name": name, "settings": OLD} for name in ("shop", "other")])
    asked = {"fleet_settings": yaml.safe_dump(NEW), "fleet_names": "shop\n", "fleet_report_dir": "reports"}
    found = playbooks.run("msgops.fleet.apply_settings", "--check", **asked)
    assert found.returncode == 2, found.stdout + found.stderr
    assert "shop (" in found.stdout
    assert "has drifted in stateWebhook, webhookUrl" in found.stdout
    assert emulator.log(writes=True) == []
    assert playbooks.report("settings")["summary"]["by_cause"] == {"drifted": 1}
    applied = playbooks.run("msgops.fleet.apply_settings", **asked)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert playbooks.report("settings")["passed"] is True
    settings = {item["name"]: item["settings"]["webhookUrl"] for item in emulator.instances()}
    assert settings == {"shop": NEW["webhookUrl"], "other": OLD["webhookUrl"]}
    again = playbooks.run("msgops.fleet.apply_settings", "--check", **asked)
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(emulator.log(writes=True)) == 1
    for done in (found, applied, again):
        assert "c4n4ry" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "fleet_settings must be a dictionary"),
        ({"fleet_settings": ""}, "fleet_settings must be a dictionary"),
        ({"fleet_settings": "[1]"}, "fleet_settings) must be a dictionary"),
        ({"fleet_settings": "webhookUrl: [s3cret"}, "column 20 of the text"),
        ({"fleet_settings": {"webhookUrl": ""}, "fleet_names": "[shop"}, "fleet_names) must be a list"),
        ({"fleet_settings": {"webhookUrl": ""}, "fleet_names": "shop\nnobody"}, "has nobody"),
        ({"fleet_settings": {"webhookUrl": ""}, "fleet_provider": "plugzapi"}, "the account has no instances"),
        ({"fleet_settings": {"webhookUrl": ""}, "fleet_names": []}, "fleet_names is empty"),
    ],
)
def test_settings_without_a_meaning_change_nothing(playbooks: Playbooks, variables: dict[str, Any], says: str) -> None:
    playbooks.emulator.seed(instances=[{"provider": "green_api", "name": "shop", "state": "authorized"}])
    done = playbooks.run("msgops.fleet.apply_settings", fleet_report_dir="reports", **variables)
    assert (done.returncode, says in done.stdout + done.stderr) == (2, True), done.stdout + done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert playbooks.emulator.log(writes=True) == []
    assert not (playbooks.folder / "reports").exists(), "nothing was compared"


@pytest.mark.parametrize("names", [{}, {"fleet_names": ["shop"]}])
def test_settings_that_an_account_cannot_be_asked_for_fail_with_its_reason(
    playbooks: Playbooks, names: dict[str, Any]
) -> None:
    environment = {"GREEN_API_PARTNER_TOKEN": "wrong-partner-token", "ANSIBLE_DEPRECATION_WARNINGS": "true"}
    asked = {"fleet_settings": {"webhookUrl": "https://new.example"}, **names}
    done = playbooks.run("msgops.fleet.apply_settings", environment=environment, **asked)
    output = done.stdout + done.stderr
    assert (done.returncode, "check partner_token" in output) == (2, True), output
    assert "DEPRECATION" not in output


def test_instances_in_trial_are_paid_for(playbooks: Playbooks) -> None:
    emulator = playbooks.emulator
    emulator.seed(instances=[{"provider": "plugzapi", "name": name} for name in ("loja", "vendas")])
    for arguments, variables, subscribed in (
        (["--check"], {}, 0),
        ([], {"fleet_names": []}, 0),
        ([], {"fleet_names": "loja\n"}, 1),
        ([], {"fleet_names": " ", "fleet_max_changes": ""}, 2),
        ([], {}, 2),
    ):
        done = playbooks.run("msgops.fleet.subscribe", *arguments, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(emulator.log(writes=True)) == subscribed
    assert all(instance["subscribed"] for instance in emulator.instances())


@pytest.mark.parametrize(
    ("playbook", "provider", "variables"),
    [
        ("subscribe", "plugzapi", {}),
        ("apply_settings", "green_api", {"fleet_settings": {"stateWebhook": True}}),
    ],
)
def test_with_no_change_allowed_one_is_too_many(
    playbooks: Playbooks, playbook: str, provider: str, variables: dict[str, Any]
) -> None:
    playbooks.emulator.seed(instances=[{"provider": provider, "name": "shop"}])
    done = playbooks.run(f"msgops.fleet.{playbook}", fleet_max_changes=0, **variables)
    assert (done.returncode, "max_changes" in done.stdout) == (2, True), done.stdout
    assert playbooks.emulator.log(writes=True) == []


def test_what_a_survey_names_twice_is_retired(playbooks: Playbooks) -> None:
    emulator = playbooks.emulator
    emulator.config({"green_api.creating_seconds": 0})
    made = playbooks.run(
        "msgops.fleet.provision",
        fleet_names="shop, other",
        provision_provider="green_api",
        provision_wait=False,
        provision_assert_authorized=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    asked = {
        "fleet_names": "shop\r\n",
        "decommission_confirm": " shop\n",
        "decommission_provider": "green_api",
        "decommission_allow_authorized": "false",
    }
    refused = playbooks.run("msgops.fleet.decommission", **{**asked, "decommission_confirm": "shop, other"})
    assert (refused.returncode, "must name exactly" in refused.stdout) == (2, True), refused.stdout + refused.stderr
    for arguments, left in ((["--check"], {"shop", "other"}), ([], {"other"})):
        done = playbooks.run("msgops.fleet.decommission", *arguments, **asked)
        assert done.returncode == 0, done.stdout + done.stderr
        assert {one["name"] for one in emulator.instances() if one["state"] != "deleted"} == left
