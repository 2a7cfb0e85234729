# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's failures say what to do, and what they say works as printed; settings of others change nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.support.creation import commands_in

from msgops_emulator import Emulator

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  roles:
    - msgops.fleet.provision
"""
DAY = 24 * 60 * 60
FLEET = [{"name": "shop", "provider": "green_api"}, {"name": "sales", "provider": "plugzapi"}]


@dataclass
class Operator:
    """A person who runs the role in a folder, and pastes what it prints into a shell."""

    commands: Path
    folder: Path
    emulator: Emulator
    environment: dict[str, str] = field(default_factory=dict)

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a line of a shell."""
        given = {"MSGOPS_JOURNAL": str(self.folder / "journal.sqlite3")}
        for provider, prefix in (("green_api", "GREEN_API"), ("plugzapi", "PLUGZAPI")):
            given[f"{prefix}_URL"] = self.emulator.url
            given[f"{prefix}_PARTNER_TOKEN"] = str(self.emulator.account(provider)["partner_token"])
        path = os.pathsep.join([str(self.commands), str(Path(sys.executable).parent), os.environ["PATH"]])
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**os.environ, "PATH": path, **given, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def provision(self, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run the role; ``variables`` go without their prefix."""
        given = {
            "instances": FLEET,
            "credentials_file": "credentials.json",
            "assert_authorized": False,
            "wait": False,
            **variables,
        }
        (self.folder / "play.yml").write_text(PLAYBOOK, encoding="utf-8")
        (self.folder / "given.json").write_text(json.dumps({f"provision_{key}": value for key, value in given.items()}))
        return self.shell(" ".join(["ansible-playbook", "-e", "@given.json", *arguments, "play.yml"]))

    def ids(self) -> dict[str, str]:
        """The instances that exist, by name."""
        there = [instance for instance in self.emulator.instances() if instance["state"] != "deleted"]
        return {instance["name"]: str(instance["id"]) for instance in there}

    def stored(self) -> dict[str, str]:
        """The IDs in the credentials file, by name."""
        content = json.loads((self.folder / "credentials.json").read_text())
        return {name: entry["id"] for entries in content.values() for name, entry in entries.items()}


@pytest.fixture
def operator(ansible_commands: Path, tmp_path: Path, emulator: Emulator) -> Operator:
    return Operator(ansible_commands, tmp_path, emulator)


def lapse(operator: Operator) -> None:
    """Nobody pays for PlugzAPI's instance, so the gateway deletes it after its trial."""
    operator.emulator.advance(3 * DAY)


def restart(operator: Operator) -> None:
    """A new emulator is empty."""
    operator.emulator.reset()


@pytest.mark.parametrize(("lose", "lost"), [(lapse, {"sales"}), (restart, {"shop", "sales"})])
def test_an_instance_that_is_gone_is_created_after_the_printed_commands(
    operator: Operator, lose: Callable[[Operator], None], lost: set[str]
) -> None:
    first = operator.provision()
    assert first.returncode == 0, first.stdout
    lose(operator)
    refused = operator.provision()
    assert refused.returncode == 2
    assert "provision_on_unknown" in refused.stdout
    commands = dict.fromkeys(commands_in(refused.stdout))
    assert len(commands) == len(lost)
    for command in commands:
        done = operator.shell(command)
        assert done.returncode == 0, done.stdout
    again = operator.provision()
    assert again.returncode == 0, again.stdout
    assert operator.ids().keys() == {"shop", "sales"}
    assert operator.stored() == operator.ids()


def test_an_instance_that_is_gone_is_created_by_the_roles_variable(operator: Operator) -> None:
    assert operator.provision().returncode == 0
    lapse(operator)
    again = operator.provision(on_unknown="create")
    assert again.returncode == 0, again.stdout
    assert operator.stored() == operator.ids()


def test_the_command_for_an_unknown_outcome_adopts_nothing_as_it_is(operator: Operator) -> None:
    operator.emulator.arm("green_api.create", "reset", when="before")
    refused = operator.provision(instances=FLEET[:1])
    assert refused.returncode == 2
    adopt, discard = list(dict.fromkeys(commands_in(refused.stdout)))
    pasted = operator.shell(adopt)
    assert pasted.returncode != 0
    assert "its IDs are digits" in " ".join(pasted.stdout.split())
    assert operator.shell(discard).returncode == 0
    assert operator.provision(instances=FLEET[:1]).returncode == 0
    assert operator.ids().keys() == {"shop"}


def test_a_wrong_journal_is_named_once_for_all_instances(operator: Operator) -> None:
    (operator.folder / "journal").write_text("not a journal")
    failed = operator.provision(journal="journal")
    assert failed.returncode == 2
    lines = failed.stdout.replace("\\n", "\n").splitlines()
    said = [line for line in lines if "journal" in line and "isn't" in line]
    assert len(said) <= 2, "Ansible's error, and the task's result"


@pytest.mark.parametrize(
    "environment",
    [
        {"ANSIBLE_STRATEGY": "free"},
        {"ANSIBLE_BECOME": "1", "ANSIBLE_BECOME_EXE": "/nonexistent/sudo"},
        {"ANSIBLE_JINJA2_NATIVE": "1"},
        {"ANSIBLE_FORKS": "1", "MSGOPS_EXECUTION": "module"},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_the_settings_of_others_change_nothing(operator: Operator, environment: dict[str, str]) -> None:
    operator.environment = environment
    done = operator.provision(report_file="report.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert operator.ids().keys() == operator.stored().keys() == {"shop", "sales"}
    assert json.loads((operator.folder / "report.json").read_text())["summary"]["total"] == 2
