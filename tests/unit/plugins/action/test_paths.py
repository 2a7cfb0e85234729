# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relative path starts in the folder that ansible-playbook was started in, on the controller and in a module."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.msgops.fleet.tests.support.stage import Stage

from msgops_emulator import Control

WAYS: dict[str, dict[str, Any]] = {
    "controller": {},
    "module": {"vars": {"msgops_execution": "module"}},
    "async": {"async": 60, "poll": 1},
    "delegated": {"delegate_to": "localhost"},
    "become": {"become": True, "become_method": "itself"},
}


def run(stage: Stage, plays: list[dict[str, Any]], **environment: str) -> dict[str, Any]:
    """The results of a playbook in a folder of its own, which is started from the folder above."""
    playbook = stage.folder / "playbooks" / "play.yml"
    playbook.parent.mkdir(exist_ok=True)
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False))
    stage.record.unlink(missing_ok=True)
    done = subprocess.run(
        [stage.commands / "ansible-playbook", "playbooks/play.yml", *_python(stage)],
        cwd=stage.folder,
        env=stage._environment(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    results = stage._results()
    assert results, done.stdout + done.stderr
    return results


def _python(stage: Stage) -> list[str]:
    return ["-e", f"ansible_python_interpreter={stage.commands}/python"]


def files(folder: Path, *names: str) -> set[str]:
    return {str(path.relative_to(folder)) for name in names for path in folder.rglob(name)}


@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_creation_happens_once_on_both_ways(stage: Stage, emulator: Control, by: str) -> None:
    options = {"provider": "green_api", "name": "shop", "credentials_file": "credentials.json"}
    given = {"journal": "state/journal.sqlite3"} if by == "option" else {}
    tasks = [{"name": way, "msgops.fleet.instance_create": options | given, **keys} for way, keys in WAYS.items()]
    environment = {} if by == "option" else {"MSGOPS_JOURNAL": "state/journal.sqlite3"}
    # Without a listing, the journal alone knows what was created.
    results = run(stage, [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], **environment)
    assert [results[way]["instance"]["action"] for way in WAYS] == ["created"] + ["unchanged"] * (len(WAYS) - 1)
    assert files(stage.folder, "journal.sqlite3", "credentials.json") == {"state/journal.sqlite3", "credentials.json"}


def test_reports_and_pages_lie_where_the_play_was_started(stage: Stage, emulator: Control) -> None:
    report = {"instances": [{"id": "1", "name": "shop", "provider": "green_api", "state": "authorized"}]}
    tasks = [
        {"name": way, "msgops.fleet.fleet_report": report | {"json_file": f"reports/{way}.json"}, **keys}
        for way, keys in WAYS.items()
    ]
    merge = {"reports": [f"reports/{way}.json" for way in WAYS], "html_file": "reports/all.html"}
    tasks += [{"name": f"merged by {way}", "msgops.fleet.fleet_report": merge, **keys} for way, keys in WAYS.items()]
    results = run(stage, [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])
    assert [name for name, result in results.items() if result.get("failed")] == []
    assert files(stage.folder, "*.json", "all.html") - {"record.jsonl"} == {
        *(f"reports/{way}.json" for way in WAYS),
        "reports/all.html",
    }


def test_the_playbooks_find_what_their_variables_name(stage: Stage, emulator: Control) -> None:
    """All from the folder above the playbook: the credentials file, the reports, the pattern of reports."""
    emulator.config({"plugzapi.listing": "http404"})
    create = {"provider": "plugzapi", "name": "shop", "credentials_file": "credentials.json", "journal": "j"}
    tasks = [{"name": "create", "msgops.fleet.instance_create": create}]
    results = run(stage, [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])
    (seeded,) = results["create"]["instances"]
    emulator.link("plugzapi", seeded["id"])
    host = {"msgops_id": seeded["id"], "msgops_provider": "plugzapi"}
    inventory = stage.folder / "inventory.json"
    inventory.write_text(json.dumps({"msgops_instances": {"hosts": {"shop": host}}}))
    command = [stage.commands / "ansible-playbook", *_python(stage), "-i", inventory]

    def play(name: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, f"msgops.fleet.{name}", "-e", json.dumps(variables)],
            cwd=stage.folder,
            env=stage._environment({}),
            capture_output=True,
            text=True,
            check=False,
        )

    checked = play("check_fleet", fleet_credentials_file="credentials.json", fleet_report_dir="reports")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert files(stage.folder, "fleet.json") == {"reports/fleet.json"}
    merged = play("merge_reports", fleet_reports="reports/*.json", fleet_report_dir="merged")
    assert merged.returncode == 0, merged.stdout + merged.stderr
    assert json.loads((stage.folder / "merged" / "fleet.json").read_text())["summary"]["total"] == 1
    missing = play("merge_reports", fleet_reports="reports/nothing-*.json", fleet_report_dir="merged")
    assert missing.returncode != 0
    assert f"{stage.folder}/reports/nothing-*.json" in missing.stdout


@pytest.mark.parametrize("mode", [None, 0o600])
def test_the_roles_report_lies_there_too_and_keeps_its_mode(stage: Stage, emulator: Control, mode: int | None) -> None:
    report = stage.folder / "report.json"
    if mode is not None:
        report.touch(mode)
    variables = {
        "provision_instances": [{"name": "shop", "provider": "green_api"}],
        "provision_report_file": "report.json",
        "provision_credentials_file": "credentials.json",
        "provision_assert_authorized": False,
    }
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "roles": ["msgops.fleet.provision"]}
    run(stage, [play])
    assert files(stage.folder, "report.json", "credentials.json") == {"report.json", "credentials.json"}
    assert report.stat().st_mode & 0o777 == (mode or 0o644)
    assert json.loads(report.read_text())["summary"]["total"] == 1
