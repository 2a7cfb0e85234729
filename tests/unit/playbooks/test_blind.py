# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check that can't see the fleet fails, says why, and writes its report."""

from __future__ import annotations

import json
import os
from xml.etree import ElementTree

import pytest
import yaml
from ansible_collections.msgops.fleet.tests.support.playbooks import Playbooks, failed_hosts, shown

NO_HOST = "the pattern msgops_instances matches no host"


@pytest.mark.parametrize(
    ("environment", "cause"),
    [
        ({"GREEN_API_PARTNER_TOKEN": "gac.wrong-partner-token"}, "code 401"),
        ({"GREEN_API_URL": "http://127.0.0.1:1"}, "refuses the connection"),
        ({"GREEN_API_PARTNER_TOKEN": ""}, "needs partner_token or the variable GREEN_API_PARTNER_TOKEN"),
    ],
    ids=["wrong token", "unreachable gateway", "no token"],
)
def test_a_source_that_fails_is_the_reason(playbooks: Playbooks, environment: dict[str, str], cause: str) -> None:
    source = playbooks.source("fleet", provider="green_api")
    done = playbooks.run("msgops.fleet.check_fleet", "-i", source, environment=environment, fleet_report_dir="reports")
    assert done.returncode != 0, done.stdout
    verdict, reason, *_more = shown(done)
    assert verdict == "failed: 0 of 0 healthy, 0 failing"
    assert reason.startswith(f"the inventory source {source} failed: ")
    assert cause in reason
    report = playbooks.report()
    assert (report["passed"], report["violations"]) == (False, [reason, NO_HOST])
    assert reason.partition(" failed")[0] in (playbooks.folder / "reports" / "fleet.html").read_text()
    junit = ElementTree.parse(playbooks.folder / "reports" / "fleet.xml").getroot()
    assert (junit.get("tests"), junit.get("errors")) == ("2", "2")
    assert [case.get("message") for case in junit.iter("error")] == [reason, NO_HOST]
    assert "gac.wrong-partner-token" not in done.stdout + done.stderr + json.dumps(report)


def test_an_empty_account_fails_unless_that_is_allowed(playbooks: Playbooks) -> None:
    arguments = ["msgops.fleet.check_fleet", "-i", playbooks.source("fleet")]
    done = playbooks.run(*arguments, fleet_report_dir="reports")
    assert (done.returncode, shown(done)[1:]) == (2, [NO_HOST]), done.stdout
    assert playbooks.report()["violations"] == [NO_HOST]

    allowed = playbooks.run(*arguments, fleet_report_dir="reports", fleet_allow_empty=True)
    note = f"{NO_HOST} (fleet_allow_empty allows that)"
    assert (allowed.returncode, shown(allowed)) == (0, ["passed: 0 of 0 healthy, 0 failing", note]), allowed.stdout
    assert (playbooks.report()["passed"], playbooks.report()["notes"]) == (True, [note])
    assert note in (playbooks.folder / "reports" / "fleet.html").read_text()

    for variables in ({"fleet_min_total": 3}, {"fleet_min_total": 3, "fleet_allow_empty": True}):
        few = playbooks.run(*arguments, fleet_report_dir="reports", **variables)
        assert few.returncode == 2, few.stdout
        assert playbooks.report()["violations"][-1] == "there are 0, at least 3 are expected"


@pytest.mark.parametrize("playbook", ["check_fleet", "check_phones"])
def test_without_an_inventory_a_check_fails(playbooks: Playbooks, playbook: str) -> None:
    done = playbooks.run(f"msgops.fleet.{playbook}", fleet_report_dir="reports")
    assert (done.returncode, "matches no host" in playbooks.report()["violations"][0]) == (2, True), done.stdout


def test_an_expired_token_of_phones_is_the_reason(playbooks: Playbooks) -> None:
    source = playbooks.folder / "phones.msgops.yml"
    source.write_text(yaml.safe_dump({"plugin": "msgops.fleet.cloudphones", "retry_timeout": 0}))
    playbooks.emulator.seed(phones=[{"id": "a44uhlf7", "status": 2}])
    expired = {"KOOPHONE_AUTH_TOKEN": "MIIExpiredTokenOfYesterday"}
    playbook = "msgops.fleet.check_phones"
    done = playbooks.run(playbook, "-i", str(source), environment=expired, fleet_report_dir="reports")
    assert done.returncode == 2, done.stdout
    reason, no_host = playbooks.report()["violations"]
    assert reason.startswith(f"the inventory source {source} failed: ")
    assert "401" in reason
    assert no_host == "the pattern msgops_cloudphones matches no host"
    assert reason in shown(done)

    playbooks.hosts["msgops_cloudphones"] = {"a44uhlf7": {"msgops_id": "a44uhlf7", "msgops_provider": "koophone"}}
    done = playbooks.run(playbook, environment=expired, fleet_report_dir="reports")
    assert (done.returncode, failed_hosts(done)) == (2, {"a44uhlf7"}), done.stdout
    assert "401" in playbooks.report()["members"][0]["error"]["message"]

    done = playbooks.run(playbook, environment={"KOOPHONE_AUTH_TOKEN": ""}, fleet_report_dir="reports")
    assert (done.returncode, failed_hosts(done)) == (2, {"a44uhlf7"}), done.stdout
    assert "KOOPHONE_AUTH_TOKEN" in playbooks.report()["members"][0]["error"]["message"]


def test_a_source_that_fails_while_others_have_hosts_fails_the_check_unless_that_is_allowed(fleet: Playbooks) -> None:
    broken = fleet.source("broken", provider="green_api", partner_token="gac.wrong-partner-token")
    missing = str(fleet.folder / "missing.yml")
    folder = fleet.folder / "folder"
    (folder / "group_vars").mkdir(parents=True)
    (folder / "hosts.ini").write_text("[others]\nelsewhere\n")
    (folder / "README.yml").write_text("plugin: no.such.plugin\n")
    arguments = ["-i", broken, "-i", missing, "-i", str(folder)]
    done = fleet.run("msgops.fleet.check_fleet", *arguments, fleet_max_failing=2, fleet_report_dir="reports")
    assert (done.returncode, failed_hosts(done)) == (2, {"localhost"}), done.stdout
    violations = fleet.report()["violations"]
    assert [text.split(" failed: ")[0] for text in violations] == [
        f"the inventory source {source}" for source in (broken, missing, folder / "README.yml")
    ]
    assert "code 401" in violations[0]
    assert "doesn't exist" in violations[1]
    assert "no inventory plugin could parse it" in violations[2]

    allowed = {"fleet_max_failing": 2, "fleet_allow_partial": True, "fleet_report_dir": "reports"}
    done = fleet.run("msgops.fleet.check_fleet", *arguments, **allowed)
    assert done.returncode == 0, done.stdout
    assert fleet.report()["notes"] == [f"{text} (fleet_allow_partial allows that)" for text in violations]


def test_an_account_that_a_source_leaves_out_fails_the_check(fleet: Playbooks) -> None:
    accounts = [
        {"name": "good", "provider": "green_api"},
        {"name": "bad", "provider": "green_api", "partner_token": "gac.wrong-partner-token", "account": "bad"},
    ]
    source = fleet.source("two", accounts=accounts, on_error="warn")
    fleet.hosts.clear()
    done = fleet.run("msgops.fleet.check_fleet", "-i", source, fleet_max_failing=2, fleet_report_dir="reports")
    assert done.returncode == 2, done.stdout
    (violation,) = fleet.report()["violations"]
    assert violation.startswith(f"the inventory source {source} failed: account bad: ")
    assert fleet.report()["summary"]["total"] == 3


def test_the_fault_of_one_account_is_not_anothers(fleet: Playbooks) -> None:
    wrong = {"GREEN_API_PARTNER_TOKEN": "gac.wrong-partner-token"}
    done = fleet.run("msgops.fleet.check_fleet", environment=wrong, fleet_report_dir="reports")
    assert (done.returncode, failed_hosts(done)) == (2, {"shop", "support", "zoo"}), done.stdout
    members = {member["host"]: member for member in fleet.report()["members"]}
    assert {host: member["state"] for host, member in members.items()} == {
        "shop": None, "support": None, "zoo": None, "loja": "authorized", "vendas": "authorized",
    }  # fmt: skip
    message = members["shop"]["error"]["message"]
    assert message.startswith("its account could not be listed: ")
    assert ("code 401" in message, members["shop"]["error"]["code"]) == (True, "unauthorized")
    assert shown(done)[2] == "3 unreadable (unauthorized)"


def test_a_gateway_without_a_listing_keeps_nothing_from_the_other_gateways_instances(fleet: Playbooks) -> None:
    fleet.emulator.config({"plugzapi.listing": "http404"})
    fleet.emulator.clear_log()
    green = "msgops_instances:!loja:!vendas"
    done = fleet.run("msgops.fleet.check_fleet", fleet_hosts=green, fleet_max_failing=2)
    assert done.returncode == 0, done.stdout
    assert fleet.emulator.log_page()["counts"] == {"green_api.list": 1, "green_api.get_state": 3}

    fleet.hosts.clear()
    source = fleet.source("implied")
    done = fleet.run("msgops.fleet.check_fleet", "-i", source, fleet_max_failing=2, fleet_report_dir="reports")
    assert done.returncode == 0, done.stdout
    assert "leaves out account plugzapi: Listing the instances of the plugzapi account failed" in " ".join(
        (done.stdout + done.stderr).split()
    )
    assert fleet.report()["summary"]["total"] == 3
    named = fleet.source("named", accounts=[{"provider": "green_api"}, {"provider": "plugzapi"}])
    done = fleet.run("msgops.fleet.check_fleet", "-i", named, fleet_max_failing=2, fleet_report_dir="reports")
    assert done.returncode == 2, done.stdout
    assert "account plugzapi: " in fleet.report()["violations"][0]


def test_a_merge_of_nothing_fails(playbooks: Playbooks) -> None:
    done = playbooks.run("msgops.fleet.merge_reports", fleet_reports="reports/*.json")
    assert done.returncode == 2, done.stdout
    assert f"reports/*.json matches no file: {playbooks.folder}/reports/*.json" in done.stdout + done.stderr
    done = playbooks.run("msgops.fleet.merge_reports")
    assert (done.returncode, "there is no report to merge" in done.stdout) == (2, True), done.stdout


@pytest.mark.parametrize(
    ("variable", "message"),
    [("fleet_accounts", "fleet_accounts) must be a list of dictionaries"), ("fleet_rule", "fleet_rule must be a dict")],
)
def test_a_variable_that_is_no_yaml_is_named_without_its_content(fleet: Playbooks, variable: str, message: str) -> None:
    done = fleet.run("msgops.fleet.check_fleet", **{variable: "[{partner_token: s3cr3t-partner"})
    assert (done.returncode, message in done.stdout) == (2, True), done.stdout
    assert "the YAML parser stops at line 1, column 32 of the text" in done.stdout
    assert "s3cr3t" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "reason"), [("gone.json", "No such file"), ("pipe", "it is a named pipe"), ("list.json", "doesn't hold")]
)
def test_a_credentials_file_that_cannot_be_read_fails_the_check(fleet: Playbooks, name: str, reason: str) -> None:
    os.mkfifo(fleet.folder / "pipe")
    (fleet.folder / "list.json").write_text('["s3cr3t"]')
    done = fleet.run("msgops.fleet.check_fleet", fleet_credentials_file=name)
    assert (done.returncode, f"credentials_file {fleet.folder / name}" in done.stdout) == (2, True), done.stdout
    assert (reason in done.stdout, "s3cr3t" in done.stdout) == (True, False), done.stdout
