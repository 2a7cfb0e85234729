# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX as far as it runs without AWX: its way to inject credentials and to slice inventories, and ansible-runner."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT

from msgops_emulator import Control

KIT = ROOT / "extensions" / "awx"
COMMANDS = Path(sys.executable).parent


class _Loader(yaml.SafeLoader):
    """YAML as Ansible reads it, as far as the kit needs that."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def kit(name: str) -> Any:
    """The data of one of the kit's files."""
    return yaml.load((KIT / name).read_text(), _Loader)


CREDENTIAL_TYPES: dict[str, Any] = {
    kind["name"]: kind for kind in kit("credential_types.yml")["controller_credential_types"]
}


def environment(commands: Path) -> dict[str, str]:
    """The tests' environment, with the commands of this folder first, and then this Python's."""
    return os.environ | {
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "PATH": os.pathsep.join([str(commands), str(COMMANDS), os.environ["PATH"]]),
    }


def run(*command: str | Path, env: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command's result; stdout and stderr apart."""
    return subprocess.run([*map(str, command)], env=env, cwd=cwd, capture_output=True, text=True, check=False)


def credential_inputs(control: Control, name: str = "default") -> dict[str, dict[str, str]]:
    """For each credential type of an account, what a person would type in to reach the emulator."""
    green, plugz, phones = (control.account(provider, name) for provider in ("green_api", "plugzapi", "koophone"))
    return {
        "GREEN-API partner": {"partner_token": green["partner_token"], "api_url": control.url},
        "PlugzAPI partner": {
            "partner_token": plugz["partner_token"],
            "client_token": plugz["client_token"],
            "api_url": control.url,
        },
        "KooPhone access key": {
            "access_key": phones["access_key"],
            "secret_key": phones["secret_key"],
            "endpoint": control.url,
        },
        "KooPhone IAM user": {
            "iam_user": phones["iam_user"],
            "iam_password": phones["iam_password"],
            "iam_domain": phones["iam_domain"],
            "project_name": phones["project_name"],
            "iam_endpoint": control.url,
            "endpoint": control.url,
        },
        "KooPhone token": {"auth_token": phones["auth_token"], "endpoint": control.url},
    }


@dataclass
class Job:
    """A private data directory as AWX makes one: the kit's project, the inventory, and injected credentials.

    ``commands`` is the folder of the Ansible that runs in it.
    """

    folder: Path
    commands: Path
    env: dict[str, str] = field(default_factory=dict)
    safe_env: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "env").mkdir(parents=True)
        (self.folder / "inventory").mkdir()
        shutil.copytree(KIT / "project", self.folder / "project")

    def inject(self, name: str, inputs: Mapping[str, str]) -> None:
        """Give the job a credential of this type, by AWX's own code."""
        from awx_plugins.interfaces._temporary_private_api import ManagedCredentialType
        from awx_plugins.interfaces._temporary_private_credential_api import Credential
        from awx_plugins.interfaces._temporary_private_inject_api import inject_credential

        kind = CREDENTIAL_TYPES[name]
        inject_credential(
            ManagedCredentialType(name, name, kind["kind"], kind["inputs"], kind["injectors"]),
            Credential(dict(inputs)),
            self.env,
            self.safe_env,
            self.arguments,
            str(self.folder),
            container_root=str(self.folder),
        )

    def sync(self, source: str) -> dict[str, Any]:
        """The inventory that a source of the project gives, as AWX keeps it: what ansible-inventory exports."""
        path = self.folder / "project" / "inventories" / source
        command = [self.commands / "ansible-inventory", "--list", "--export", "-i", path]
        result = run(*command, env=environment(self.commands) | self.env, cwd=self.folder / "project")
        assert result.returncode == 0, result.stderr
        exported: dict[str, Any] = json.loads(result.stdout)
        return exported

    def give(self, inventory: Mapping[str, Any], number: int = 1, count: int = 1) -> None:
        """Write the inventory, or one of its slices, as the script that AWX writes."""
        script = self.folder / "inventory" / "hosts"
        script.write_text(f"#!{sys.executable}\nprint({json.dumps(sliced(inventory, number, count))!r})\n")
        script.chmod(0o700)

    def prepare(self, extra_vars: Mapping[str, Any]) -> list[str]:
        """Write what ansible-runner reads, and return the arguments that name it."""
        (self.folder / "env" / "envvars").write_text(json.dumps(self.env))
        (self.folder / "env" / "extravars").write_text(json.dumps(dict(extra_vars)))
        (self.folder / "env" / "cmdline").write_text(" ".join(self.arguments))
        return [str(self.folder), "--ident", "job"]

    def play(self, playbook: str, **extra_vars: Any) -> Played:
        """Run a playbook of the project by ``ansible-runner run``."""
        arguments = self.prepare(extra_vars)
        result = run(
            sys.executable,
            "-m",
            "ansible_runner",
            "run",
            *arguments,
            "-p",
            playbook,
            env=environment(self.commands),
            cwd=self.folder,
        )
        return Played(result.returncode, result.stdout + result.stderr, self.folder / "artifacts" / "job")


@dataclass(frozen=True)
class Played:
    """What came of a job."""

    status: int
    output: str
    artifacts: Path

    @property
    def events(self) -> list[dict[str, Any]]:
        """The job's events, in order."""
        files = sorted((self.artifacts / "job_events").glob("*.json"), key=lambda path: int(path.name.split("-")[0]))
        return [json.loads(path.read_text()) for path in files if "partial" not in path.name]

    @property
    def stats(self) -> dict[str, Any]:
        """The event data of the end of the playbook: the recap, and the artifacts for AWX."""
        (data,) = [event["event_data"] for event in self.events if event["event"] == "playbook_on_stats"]
        return dict(data)

    def failed_hosts(self) -> set[str]:
        """The hosts that AWX shows as failed."""
        return {host for host, count in self.stats["failures"].items() if count}

    def files(self) -> Iterator[Path]:
        """All that the runner has written."""
        return (path for path in self.artifacts.rglob("*") if path.is_file())


def sliced(inventory: Mapping[str, Any], number: int, count: int) -> dict[str, Any]:
    """Slice ``number`` of ``count`` as AWX cuts it: every ``count``-th host in the order of their names.

    Of a group without hosts only the name is left, among the children of ``all``.
    """
    variables = inventory["_meta"]["hostvars"]
    hosts = set(sorted(variables)[number - 1 :: count])
    groups = {
        name: {
            key: [host for host in those if host in hosts] if key == "hosts" else those for key, those in group.items()
        }
        for name, group in inventory.items()
        if name != "_meta"
    }
    cut = {name: group for name, group in groups.items() if any(group.values())}
    cut["all"] = {"children": sorted(set(groups) - {"all"}), **groups.get("all", {})}
    return cut | {"_meta": {"hostvars": {host: variables[host] for host in hosts}}}
