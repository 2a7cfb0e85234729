# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the metadata says of the plugins is what the plugins say of themselves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT


def test_action_groups_are_those_that_the_modules_document() -> None:
    modules = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))
    documentation = subprocess.run(
        [Path(sys.executable).with_name("ansible-doc"), "--type", "module", "--json"]
        + [f"msgops.fleet.{module}" for module in modules],
        check=True,
        capture_output=True,
    ).stdout
    documented = {
        name.removeprefix("msgops.fleet."): set(answer["doc"]["attributes"]["action_group"]["membership"])
        for name, answer in json.loads(documentation).items()
    }
    declared: dict[str, set[str]] = {module: set() for module in modules}
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    for group, members in runtime["action_groups"].items():
        for member in members:
            declared.setdefault(member, set()).add(f"msgops.fleet.{group}")
    assert documented == declared


def test_execution_environments_install_what_the_collection_needs() -> None:
    environment = yaml.safe_load((ROOT / "meta" / "execution-environment.yml").read_text())
    assert list(lower_bounds(environment["dependencies"]["python"])) == ["requests", "urllib3"]


def test_the_oldest_libraries_that_are_supported_are_tested_and_told() -> None:
    bounds = lower_bounds("requirements.txt")
    pins = (ROOT / "tests" / "requirements" / "oldest.txt").read_text()
    pinned = dict(re.findall(r"^(requests|urllib3)==(\S+)", pins, re.MULTILINE))
    assert pinned == bounds
    transport = (ROOT / "plugins" / "doc_fragments" / "transport.py").read_text()
    assert dict(re.findall(r"^  - (\w+) >= ([\d.]+)$", transport, re.MULTILINE)) == bounds
    told = " ".join((ROOT / "README.md").read_text().split())
    for library, version in bounds.items():
        assert f"`{library}` {version} or newer" in told


def lower_bounds(name: str) -> dict[str, str]:
    lines = [line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")]
    return dict(line.split(">=") for line in lines)


def test_the_readme_names_the_versions_that_are_tested() -> None:
    tested = re.findall(r'^    "(\d\.\d+)": \(', (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    readme = (ROOT / "README.md").read_text()
    (sentence,) = re.findall(r"^`make test-all` tests it on ansible-core (.*)", readme, re.MULTILINE)
    assert re.findall(r"\b2\.\d+", sentence) == tested


def test_pages_and_files_install_the_collection_from_where_it_is() -> None:
    released = bool(yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text())["releases"])
    repository, galaxy = (
        r"git\+https://github\.com/msgops/fleet(?!#)|https://github\.com/msgops/fleet\.git",
        r"collection install msgops\.fleet|collections:\s+- name: msgops\.fleet",
    )
    sources = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("extensions/**/*.yml"), ROOT / "README.md"]
    texts = {source: source.read_text(encoding="utf-8") for source in sources}
    right, wrong = (galaxy, repository) if released else (repository, galaxy)
    assert [str(source.relative_to(ROOT)) for source, text in texts.items() if re.search(wrong, text)] == []
    assert len([source for source, text in texts.items() if re.search(right, text)]) >= 4
