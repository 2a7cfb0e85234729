# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory sources that a real ansible-inventory loads, and what comes of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.msgops.fleet.tests.support.ansible_commands import run_on_terminal


@dataclass(frozen=True)
class Inventory:
    """What ansible-inventory shows of a source; ``output`` is all that it printed, warnings too."""

    hosts: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, set[str]]
    output: str

    def of(self, group: str) -> set[str]:
        """The hosts in a group, none if there is no such group."""
        return self.groups.get(group, set())

    def values(self, variable: str) -> dict[str, Any]:
        """A variable's value for each host."""
        return {host: variables[f"msgops_{variable}"] for host, variables in self.hosts.items()}


@dataclass
class Source:
    """A folder with source files, and the environment of the commands that load them; ``commands`` is their folder."""

    folder: Path
    commands: Path
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, options: Mapping[str, Any] | str, name: str = "fleet.msgops.yml") -> Path:
        """A source file with these options, or with this text."""
        path = self.folder / name
        text = options if isinstance(options, str) else yaml.safe_dump(dict(options), sort_keys=False)
        path.write_text(text)
        return path

    def command(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """The exit status and the output of a command in this folder."""
        settings = {
            "ANSIBLE_HOME": str(self.folder),
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
            "ANSIBLE_NOCOLOR": "true",
            "HOME": str(self.folder),
            **self.environment,
            **environment,
        }
        name, *more = arguments
        done = run_on_terminal([self.commands / name, *more], cwd=self.folder, env=os.environ | settings)
        return done.returncode, done.stdout

    def load(self, options: Mapping[str, Any] | str, *arguments: str, **environment: str) -> Inventory:
        """What becomes of a source; fails the test if it can't be loaded."""
        status, output = self.listing(options, *arguments, **environment)
        assert status == 0, output
        # Warnings come first.
        shown = json.loads(output[re.search(r"^\{$", output, re.MULTILINE).start() :], object_hook=_plain)  # type: ignore[union-attr]
        hosts = shown.pop("_meta")["hostvars"]
        groups = {name: _members(shown, name) for name in shown}
        return Inventory({name: hosts.get(name, {}) for name in groups["all"]}, groups, output)

    def refused(self, options: Mapping[str, Any] | str, *arguments: str, **environment: str) -> str:
        """What ansible-inventory says of a source that can't be loaded, on one line."""
        status, output = self.listing(options, *arguments, **environment)
        assert status != 0, output
        return " ".join(output.split())

    def listing(self, options: Mapping[str, Any] | str, *arguments: str, **environment: str) -> tuple[int, str]:
        path = self.write(options)
        return self.command("ansible-inventory", "-i", str(path), "--list", *arguments, **environment)


def _plain(value: dict[str, Any]) -> Any:
    return value.get("__ansible_unsafe", value)


def _members(shown: Mapping[str, Any], name: str) -> set[str]:
    group = shown.get(name, {})
    return set(group.get("hosts", ())).union(*(_members(shown, child) for child in group.get("children", ())))
