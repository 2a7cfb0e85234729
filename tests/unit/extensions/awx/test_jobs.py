# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them: credentials injected, inventory synced, runner, playbook, report; and no token anywhere."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.support.awx_jobs import (
    COMMANDS,
    Job,
    Played,
    credential_inputs,
    environment,
    run,
)
from ansible_collections.msgops.fleet.tests.support.awx_options import PAGE
from ansible_collections.msgops.fleet.tests.support.leaks import find_leaks

from msgops_emulator import Control, Emulator

for needed in ("ansible_runner", "awx_plugins.interfaces"):
    pytest.importorskip(needed, reason="needs ansible-runner and awx-plugins-core: make awx")

# The name of an instance may be any text.
NASTY = "{{ 7*7 }} <script>alert('1')</script>"
# With characters that URLs, JSON and shells spell in another way, and long runs of those that stay as they are.
ACCOUNTS = [
    {"provider": "green_api", "name": "default", "partner_token": 'gac.Ue7rTq2WzX/+="%&Lk9pMn4BvC'},
    {
        "provider": "plugzapi",
        "name": "default",
        "partner_token": 'Hy6gFd3SaQ/+="%&Zx8cVb1NmK',
        "client_token": "Tr5eWq9UiO/+=%&Gh2jKl7DfS",
    },
    {"provider": "koophone", "name": "default", "secret_key": "Qw3eRt5YuI/+=%&Op7aSd9FgH"},
]


def seeded(control: Control) -> list[dict[str, Any]]:
    """Ten instances, three of them failing; each time with the same ids."""
    control.seed(accounts=ACCOUNTS)
    made = control.seed(
        instances=[
            *({"provider": "green_api", "id": 1100 + n, "name": f"shop-{n}", "state": "authorized"} for n in range(5)),
            {"provider": "green_api", "id": 1105, "name": NASTY, "state": "authorized"},
            {"provider": "green_api", "id": 1106, "name": "support", "state": "notAuthorized"},
            {"provider": "green_api", "id": 1107, "name": "banned", "state": "blocked"},
            {"provider": "plugzapi", "id": "LOJA", "name": "loja", "state": "connected"},
            {"provider": "plugzapi", "id": "VENDAS", "name": "vendas", "state": "disconnected"},
        ],
        phones=[{"id": "a44uhlf7", "status": 2}, {"id": "efjy72gs", "status": 1}],
    )
    return list(made["instances"])


@pytest.fixture
def fleet(emulator: Control) -> list[dict[str, Any]]:
    """The fleet at the emulator."""
    return seeded(emulator)


def secrets(control: Control, instances: list[dict[str, Any]]) -> dict[str, str]:
    """Every token that the emulator knows, by what it is."""
    known = {f"token of {instance['name']}": str(instance["token"]) for instance in instances}
    for account in control.accounts():
        for option in ("partner_token", "client_token", "auth_token", "secret_key", "iam_password"):
            if option in account:
                known[f"{option} of {account['provider']}"] = account[option]
    return known


def assert_holds_no_secret(played: Played, known: Mapping[str, str], *more: Path) -> None:
    """No file that the job has left, and nothing that it printed, betrays a secret."""
    files = [*played.files(), *more]
    assert len(files) > 10
    for file in files:
        text = file.read_text(errors="replace")
        if file == played.artifacts / "command":
            # ansible-runner's own note of the environment that it was given; AWX deletes it with the folder.
            command = json.loads(text)
            assert find_leaks(json.dumps(command.pop("env")), file.name, known) != []
            text = json.dumps(command)
        assert find_leaks(text, file.name, known) == []
    assert find_leaks(played.output, "output", known) == []


def synced(new_job: Callable[[str], Job], control: Control, *sources: str) -> dict[str, Any]:
    """The inventory of these sources, each with the one credential that AWX gives it."""
    kinds = {"green_api": "GREEN-API partner", "plugzapi": "PlugzAPI partner", "phones": "KooPhone access key"}
    inventory: dict[str, Any] = {"_meta": {"hostvars": {}}}
    for source in sources:
        update = new_job(source)
        update.inject(kinds[source], credential_inputs(control)[kinds[source]])
        for name, group in update.sync(f"{source}.msgops.yml").items():
            if name == "_meta":
                inventory["_meta"]["hostvars"] |= group["hostvars"]
            else:
                known = inventory.setdefault(name, {})
                for key, values in group.items():
                    known[key] = [*known.get(key, []), *(value for value in values if value not in known.get(key, []))]
    return inventory


@pytest.fixture(scope="module")
def inventory(
    tmp_path_factory: pytest.TempPathFactory, ansible_commands: Path, emulator_server: Emulator
) -> dict[str, Any]:
    """The inventory of the whole fleet, which tells of no token, and so is the same for every test."""
    emulator_server.reset()
    members = seeded(emulator_server)
    folder = tmp_path_factory.mktemp("sync")
    found = synced(lambda name: Job(folder / name, ansible_commands), emulator_server, "green_api", "plugzapi")
    assert len(found["_meta"]["hostvars"]) == len(members)
    return found


@pytest.fixture
def checking(job: Job, inventory: dict[str, Any], emulator: Control, fleet: list[dict[str, Any]]) -> Job:
    """A job over the whole fleet, with the partners' credentials and the inventory that they give."""
    job.give(inventory)
    for name in ("GREEN-API partner", "PlugzAPI partner"):
        job.inject(name, credential_inputs(emulator)[name])
    emulator.clear_log()
    return job


def test_a_check_that_finds_the_fleet_in_order(checking: Job, emulator: Control, fleet: list[dict[str, Any]]) -> None:
    reports = checking.folder / "reports"
    # What a survey gives: strings, numbers and lists.
    played = checking.play(
        "check_fleet.yml",
        fleet_max_failing="30%",
        fleet_min_due_days="",
        fleet_min_total=10,
        fleet_allowed_states=["authorized"],
        fleet_report_dir=str(reports),
        fleet_artifact="true",
        awx_job_id=7,
    )
    assert played.status == 0, played.output
    assert played.failed_hosts() == set()
    assert emulator.log_page(vendor="green_api")["counts"] == {"green_api.list": 1, "green_api.get_state": 8}
    assert emulator.log_page(vendor="plugzapi")["counts"] == {"plugzapi.list": 1, "plugzapi.status": 2}

    report = json.loads((reports / "fleet-7.json").read_text())
    assert (report["passed"], report["summary"]["total"], report["summary"]["failing"]) == (True, 10, 3)
    assert {member["name"] for member in report["members"]} == {instance["name"] for instance in fleet}
    assert {path.name for path in reports.iterdir()} == {"fleet-7.json", "fleet-7.xml", "fleet-7.html"}
    assert played.stats["artifact_data"] == {"msgops_fleet_report_7": report}
    assert_holds_no_secret(played, secrets(emulator, fleet), *reports.iterdir())


def test_a_check_that_violates_the_rule_fails_on_the_failing_hosts(
    checking: Job, emulator: Control, fleet: list[dict[str, Any]]
) -> None:
    played = checking.play(
        "check_fleet.yml", fleet_rule='{"max_failing": "20%"}', fleet_serial=4, fleet_set_facts="false"
    )
    assert played.status == 2
    assert played.failed_hosts() == {"support", "banned", "vendas"}
    assert "3 of 10 are failing, 2 may be" in played.output
    assert "link a phone" in played.output
    assert len(emulator.log(route="green_api.get_state")) == 8
    assert_holds_no_secret(played, secrets(emulator, fleet))


def test_each_host_gets_what_was_read(checking: Job) -> None:
    (checking.folder / "project" / "facts.yml").write_text(
        "- import_playbook: msgops.fleet.check_fleet\n"
        "- hosts: msgops_instances\n"
        "  gather_facts: false\n"
        "  tasks:\n"
        "    - ansible.builtin.copy:\n"
        "        content: '{{ states | to_json }}'\n"
        f"        dest: {checking.folder}/states.json\n"
        "        mode: '0644'\n"
        "      delegate_to: localhost\n"
        "      run_once: true\n"
        "      vars:\n"
        "        names: '{{ ansible_play_hosts_all }}'\n"
        "        states: \"{{ dict(names | zip(names | map('extract', hostvars, 'msgops_state'))) }}\"\n"
    )
    played = checking.play("facts.yml", fleet_max_failing=3)
    assert played.status == 0, played.output
    states = json.loads((checking.folder / "states.json").read_text())
    assert sorted(states.values()) == ["authorized"] * 7 + ["blocked"] + ["notAuthorized"] * 2
    assert (states["support"], states["banned"]) == ("notAuthorized", "blocked")


def test_the_command_of_the_page_runs_a_job(checking: Job) -> None:
    (command,) = re.findall(r"^ansible-runner .*", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    checking.prepare({"fleet_max_failing": "30%"})
    checking.folder.rename(checking.folder.with_name("private_data_dir"))
    done = run(*shlex.split(command), env=environment(COMMANDS), cwd=checking.folder.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 of 10" in done.stdout


def test_a_host_that_is_none_of_the_fleet_is_named(checking: Job) -> None:
    checking.give({"_meta": {"hostvars": {"jump": {}}}, "all": {"hosts": ["jump"]}})
    played = checking.play("check_fleet.yml", fleet_hosts="all")
    assert played.status == 2
    assert "host jump needs the variables msgops_id and msgops_provider" in played.output


@pytest.mark.parametrize("is_allowed", [False, True])
def test_an_inventory_without_hosts_passes_only_if_that_is_allowed(
    checking: Job, emulator: Control, is_allowed: bool
) -> None:
    checking.give({"_meta": {"hostvars": {}}, "msgops_instances": {}})
    reports = checking.folder / "reports"
    played = checking.play("check_fleet.yml", fleet_allow_empty=is_allowed, fleet_report_dir=str(reports))
    assert (played.status, emulator.log()) == (0 if is_allowed else 2, []), played.output
    assert json.loads((reports / "fleet.json").read_text())["passed"] is is_allowed
    assert "the pattern msgops_instances matches no host" in played.output


def test_tokens_that_nobody_gives_are_asked_for_by_name(checking: Job) -> None:
    checking.env = {name: value for name, value in checking.env.items() if not name.endswith("TOKEN")}
    played = checking.play("check_fleet.yml")
    assert played.status == 2
    assert "its token isn't known; give the job the partner's token (GREEN_API_PARTNER_TOKEN)" in played.output


def test_phones(job: Job, new_job: Callable[[str], Job], emulator: Control, fleet: list[dict[str, Any]]) -> None:
    job.give(synced(new_job, emulator, "phones"))
    job.inject("KooPhone access key", credential_inputs(emulator)["KooPhone access key"])
    reports = job.folder / "reports"
    played = job.play("check_phones.yml", fleet_report_dir=str(reports))
    assert (played.status, played.failed_hosts()) == (2, {"efjy72gs"}), played.output
    report = json.loads((reports / "fleet.json").read_text())
    states = {member["id"]: (member["kind"], member["state"], member["failing"]) for member in report["members"]}
    assert states == {"a44uhlf7": ("phone", "running", []), "efjy72gs": ("phone", "stopped", ["state"])}
    assert_holds_no_secret(played, secrets(emulator, fleet), *reports.iterdir())


@pytest.mark.parametrize(
    "survey",
    [
        {"fleet_names": "corner\n market \n\n", "provision_provider": "green_api"},
        {"fleet_instances": '[{"name": "corner"}, {"name": "market"}]', "provision_provider": "green_api"},
        {"provision_instances": [{"name": "corner"}, {"name": "market"}], "provision_provider": "green_api"},
    ],
    ids=lambda survey: next(iter(survey)),
)
def test_instances_are_provisioned_from_a_survey(job: Job, emulator: Control, survey: dict[str, Any]) -> None:
    emulator.seed(accounts=ACCOUNTS)
    job.give({"_meta": {"hostvars": {}}})
    job.inject("GREEN-API partner", credential_inputs(emulator)["GREEN-API partner"])
    played = job.play(
        "provision.yml",
        **survey,
        provision_journal=str(job.folder / "journal.sqlite3"),
        provision_assert_authorized=False,
        provision_wait=False,
    )
    assert played.status == 0, played.output
    made = emulator.instances()
    assert sorted(instance["name"] for instance in made) == ["corner", "market"]
    assert_holds_no_secret(played, secrets(emulator, made))


def test_instances_are_retired_from_a_survey(new_job: Callable[[str], Job], emulator: Control) -> None:
    emulator.seed(accounts=ACCOUNTS)
    emulator.config({"green_api.creating_seconds": 0})
    journal = {}
    for playbook, survey in (
        ("provision.yml", {"provision_provider": "green_api", "provision_assert_authorized": False}),
        ("decommission.yml", {"decommission_provider": "green_api", "decommission_confirm": "corner\n"}),
    ):
        job = new_job(playbook.removesuffix(".yml"))
        job.give({"_meta": {"hostvars": {}}})
        job.inject("GREEN-API partner", credential_inputs(emulator)["GREEN-API partner"])
        job.env |= journal or (journal := {"MSGOPS_JOURNAL": str(job.folder / "journal.sqlite3")})
        played = job.play(playbook, fleet_names="corner\n", provision_wait=False, **survey)
        assert played.status == 0, played.output
        assert_holds_no_secret(played, secrets(emulator, emulator.instances()))
    assert [instance["state"] for instance in emulator.instances()] == ["deleted"]


def test_reports_of_slices_reach_the_next_node_of_a_workflow(
    new_job: Callable[[str], Job], emulator: Control, fleet: list[dict[str, Any]]
) -> None:
    inventory = synced(new_job, emulator, "green_api")
    artifacts: dict[str, Any] = {}
    for number in (1, 2):
        job = new_job(f"slice-{number}")
        job.give(inventory, number, 2)
        job.inject("GREEN-API partner", credential_inputs(emulator)["GREEN-API partner"])
        played = job.play("check_fleet.yml", fleet_max_failing="25%", fleet_artifact=True, awx_job_id=100 + number)
        artifacts |= played.stats["artifact_data"]
    whole = new_job("merge")
    whole.give({"_meta": {"hostvars": {}}})
    played = whole.play("merge_reports.yml", **artifacts, fleet_report_dir=str(whole.folder), fleet_min_total="9")
    assert (played.status, played.failed_hosts()) == (2, {"localhost"})
    assert "there are 8, at least 9 are expected" in played.output
    report = json.loads((whole.folder / "fleet.json").read_text())
    assert [source["name"] for source in report["sources"]] == ["101", "102"]
    assert (report["summary"]["total"], report["summary"]["failing"]) == (8, 2)
