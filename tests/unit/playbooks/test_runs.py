# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several checks in one run, over some of the hosts, and under the settings of others."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible_collections.msgops.fleet.tests.support.playbooks import Playbooks, failed_hosts

NOBODY_FAILING = {"fleet_max_failing": "100%"}


def site(playbooks: Playbooks, *imports: tuple[str, dict[str, Any]], more: list[dict[str, Any]] | None = None) -> str:
    """A playbook that imports playbooks of the collection, each with variables of its own."""
    plays = [{"import_playbook": f"msgops.fleet.{name}", "vars": variables} for name, variables in imports]
    (playbooks.folder / "site.yml").write_text(yaml.safe_dump([*plays, *(more or [])]))
    return "site.yml"


def total(playbooks: Playbooks, name: str) -> tuple[int, int]:
    """How many members a report has, and how many of them are failing."""
    summary = playbooks.report(name)["summary"]
    return summary["total"], summary["failing"]


def test_instances_and_phones_are_checked_in_one_run(fleet: Playbooks) -> None:
    fleet.emulator.seed(phones=[{"id": "a44uhlf7", "status": 2}])
    fleet.hosts["msgops_cloudphones"] = {"a44uhlf7": {"msgops_id": "a44uhlf7", "msgops_provider": "koophone"}}
    playbook = site(
        fleet,
        ("check_fleet", {"fleet_report_name": "instances"}),
        ("check_phones", {"fleet_report_name": "phones"}),
    )
    done = fleet.run(playbook, fleet_report_dir="reports")
    # The first check fails two hosts, and the second one still runs.
    assert (done.returncode, failed_hosts(done)) == (2, {"support", "zoo"}), done.stdout
    assert (total(fleet, "instances"), total(fleet, "phones")) == ((5, 2), (1, 0))


def test_a_check_without_a_host_to_blame_fails_localhost_and_the_next_one_runs(fleet: Playbooks) -> None:
    first = {"fleet_report_name": "first", "fleet_min_total": 9, **NOBODY_FAILING}
    second = {"fleet_report_name": "second", **NOBODY_FAILING}
    done = fleet.run(site(fleet, ("check_fleet", first), ("check_fleet", second)), fleet_report_dir="reports")
    assert (done.returncode, failed_hosts(done)) == (2, {"localhost"}), done.stdout
    assert (total(fleet, "first"), total(fleet, "second")) == ((5, 2), (5, 2))
    assert done.stdout.count("fatal: [localhost]") == 1, done.stdout
    # Without localhost in the play, the first host says it.
    done = fleet.run("msgops.fleet.check_fleet", "--limit", "shop,loja", fleet_min_total=3)
    assert (done.returncode, failed_hosts(done)) == (2, {"loja"}), done.stdout
    assert "there are 2, at least 3 are expected" in done.stdout


def test_each_check_evaluates_its_own_hosts(fleet: Playbooks) -> None:
    first = {"fleet_hosts": "shop:loja:vendas", "fleet_report_name": "first"}
    second = {"fleet_hosts": "support:zoo", "fleet_report_name": "second", "fleet_max_failing": "50%"}
    done = fleet.run(site(fleet, ("check_fleet", first), ("check_fleet", second)), fleet_report_dir="reports")
    assert (done.returncode, failed_hosts(done)) == (2, {"support", "zoo"}), done.stdout
    assert (total(fleet, "first"), total(fleet, "second")) == ((3, 0), (2, 2))


def test_a_host_that_one_check_fails_is_out_of_the_next_one(fleet: Playbooks) -> None:
    second = {"fleet_report_name": "second", **NOBODY_FAILING}
    done = fleet.run(
        site(fleet, ("check_fleet", {"fleet_hosts": "shop:zoo"}), ("check_fleet", second)), fleet_report_dir="reports"
    )
    assert (done.returncode, failed_hosts(done)) == (2, {"zoo"}), done.stdout
    assert total(fleet, "second") == (4, 1)


def test_a_host_that_a_play_takes_back_is_not_failed_by_the_check_before(fleet: Playbooks) -> None:
    clear = {"hosts": "all", "gather_facts": False, "tasks": [{"meta": "clear_host_errors"}]}
    site(fleet, ("check_fleet", {"fleet_hosts": "shop:zoo"}))
    plays = yaml.safe_load((fleet.folder / "site.yml").read_text())
    again = {"import_playbook": "msgops.fleet.check_fleet", "vars": {"fleet_report_name": "second", **NOBODY_FAILING}}
    (fleet.folder / "site.yml").write_text(yaml.safe_dump([*plays, clear, again]))
    done = fleet.run("site.yml", fleet_report_dir="reports")
    assert total(fleet, "second")[1] == 2, done.stdout
    assert done.stdout.count("fatal: [zoo]") == 1, done.stdout


def test_limit_is_the_fleet(fleet: Playbooks) -> None:
    done = fleet.run("msgops.fleet.check_fleet", "--limit", "zoo,vendas", fleet_report_dir="reports")
    assert (done.returncode, failed_hosts(done)) == (2, {"zoo"}), done.stdout
    assert total(fleet, "fleet") == (2, 1)
    fleet.hosts["others"] = {"elsewhere": {}}
    done = fleet.run("msgops.fleet.check_fleet", "--limit", "elsewhere", fleet_report_dir="reports")
    assert (done.returncode, total(fleet, "fleet")) == (2, (0, 0)), done.stdout


def test_hosts_are_read_in_batches(fleet: Playbooks) -> None:
    fleet.emulator.clear_log()
    done = fleet.run("msgops.fleet.check_fleet", fleet_serial=[1, "40%"], **NOBODY_FAILING)
    assert done.returncode == 0, done.stdout
    assert fleet.emulator.log_page()["counts"] == {
        "green_api.list": 1, "green_api.get_state": 3, "plugzapi.list": 1, "plugzapi.status": 2,
    }  # fmt: skip
    done = fleet.run("msgops.fleet.check_fleet", fleet_serial="some", **NOBODY_FAILING)
    assert (done.returncode, "fleet_serial must be a number" in done.stdout) == (2, True), done.stdout


def test_check_mode_reads_and_writes_no_report(fleet: Playbooks) -> None:
    done = fleet.run("msgops.fleet.check_fleet", "--check", fleet_report_dir="reports")
    assert (done.returncode, failed_hosts(done)) == (2, {"support", "zoo"}), done.stdout
    assert not (fleet.folder / "reports").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"ANSIBLE_STRATEGY": "free"},
        {"ANSIBLE_STRATEGY": "host_pinned", "ANSIBLE_FORKS": "1"},
        {"ANSIBLE_BECOME": "true", "ANSIBLE_BECOME_EXE": "/nonexistent/sudo"},
        {"ANSIBLE_JINJA2_NATIVE": "true"},
        {"ANSIBLE_GATHERING": "implicit"},
    ],
    ids=lambda settings: next(iter(settings.values())),
)
def test_the_result_is_the_same_under_any_settings(fleet: Playbooks, settings: dict[str, str]) -> None:
    fleet.hosts["msgops_instances"]["shop"] |= {"ansible_become": True, "ansible_connection": "ssh"}
    fleet.emulator.clear_log()
    done = fleet.run("msgops.fleet.check_fleet", environment=settings, fleet_report_dir="reports")
    assert (done.returncode, failed_hosts(done)) == (2, {"support", "zoo"}), done.stdout + done.stderr
    assert fleet.emulator.log_page()["counts"] == {
        "green_api.list": 1, "green_api.get_state": 3, "plugzapi.list": 1, "plugzapi.status": 2,
    }  # fmt: skip
    done = fleet.run("msgops.fleet.check_fleet", "--limit", "shop", environment=settings)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_failing_check_prints_one_line_for_each_failing_host_and_the_worst_first(playbooks: Playbooks) -> None:
    states = ["authorized"] * 30 + ["notAuthorized"] * 24 + ["blocked"] * 6
    playbooks.seed(
        "msgops_instances",
        *({"provider": "green_api", "name": f"shop-{n}", "state": state} for n, state in enumerate(states)),
    )
    done = playbooks.run("msgops.fleet.check_fleet", fleet_report_dir="reports")
    assert (done.returncode, len(failed_hosts(done))) == (2, 30), done.stdout
    lines = done.stdout.splitlines()
    assert "6 blocked, 24 notAuthorized" in done.stdout
    # Three lines for each failing host: it is grouped, it fails, and it is in the recap. The rest doesn't grow.
    assert len(lines) <= 3 * 30 + 60, done.stdout
    assert len([line for line in lines if line.startswith("fatal: ")]) == 30
    fatal = json.loads(next(line for line in lines if line.startswith("fatal: [shop-54]")).partition("=> ")[2])
    assert fatal["msg"].startswith("shop-54 (")
    assert "is blocked" in fatal["msg"]
