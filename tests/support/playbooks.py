# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's playbooks, run under their names against the emulator."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from msgops_emulator import Control


def account_environment(emulator: Control) -> dict[str, str]:
    """The variables that name the emulator and its default accounts."""
    green, plugz, koo = (emulator.account(provider) for provider in ("green_api", "plugzapi", "koophone"))
    return {
        "GREEN_API_URL": emulator.url,
        "GREEN_API_PARTNER_TOKEN": green["partner_token"],
        "PLUGZAPI_URL": emulator.url,
        "PLUGZAPI_PARTNER_TOKEN": plugz["partner_token"],
        "PLUGZAPI_CLIENT_TOKEN": plugz["client_token"],
        "KOOPHONE_ENDPOINT": emulator.url,
        "KOOPHONE_AUTH_TOKEN": koo["auth_token"],
    }


class Playbooks:
    """A folder in which playbooks run, and the environment with the emulator's accounts."""

    def __init__(self, folder: Path, commands: Path, emulator: Control) -> None:
        self.folder, self.emulator, self._commands = folder, emulator, commands
        self.hosts: dict[str, dict[str, Any]] = {}
        self.environment = {
            "ANSIBLE_HOME": str(folder / ".ansible"),
            "ANSIBLE_NOCOLOR": "true",
            **account_environment(emulator),
            "MSGOPS_JOURNAL": str(folder / "journal.sqlite3"),
        }

    def seed(self, group: str, *instances: dict[str, Any]) -> None:
        """Have the emulator make instances, which become hosts."""
        made = self.emulator.seed(instances=list(instances))["instances"]
        self.hosts[group] = {
            str(row["name"]): {
                "msgops_id": str(row["id"]),
                "msgops_provider": row["provider"],
                "msgops_name": row["name"],
            }
            for row in made
        }

    def source(self, name: str, **options: Any) -> str:
        """Write an inventory source, and return its path."""
        path = self.folder / f"{name}.msgops.yml"
        path.write_text(yaml.safe_dump({"plugin": "msgops.fleet.instances", "retry_timeout": 0, **options}))
        return str(path)

    def run(
        self, playbook: str, *arguments: str, environment: dict[str, str] | None = None, **variables: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook over ``hosts``, if there are any, and over the sources that ``arguments`` name."""
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({group: {"hosts": hosts} for group, hosts in self.hosts.items()}))
        sources = ["-i", inventory] if self.hosts else []
        return subprocess.run(
            [self._commands / "ansible-playbook", *sources, *arguments, playbook, "-e", json.dumps(variables)],
            cwd=self.folder,
            env=os.environ | self.environment | (environment or {}),
            capture_output=True,
            text=True,
            check=False,
        )

    def report(self, name: str = "fleet") -> dict[str, Any]:
        """The JSON report that a playbook has written."""
        report: dict[str, Any] = json.loads((self.folder / "reports" / f"{name}.json").read_text())
        return report


def failed_hosts(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(re.findall(r"^(\S+) +: .*failed=[1-9]", done.stdout, re.MULTILINE))


def shown(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of the log's account of the fleet."""
    (lines,) = re.findall(r'"msg": (\[\n.*?\n    \])', done.stdout, re.DOTALL)
    return list(json.loads(lines))
