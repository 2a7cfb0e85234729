# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources and plays of docs/inventory.md work, and its tables are complete."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from ansible_collections.msgops.fleet.plugins.inventory import cloudphones, instances
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT
from ansible_collections.msgops.fleet.tests.support.inventories import Source

from msgops_emulator import Control

GUIDE = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
SOURCES = [block for block in BLOCKS if isinstance(yaml.safe_load(block), dict)]
PLAYS = [block for block in BLOCKS if isinstance(yaml.safe_load(block), list)]


@pytest.fixture
def fleet(emulator: Control, source: Source) -> Source:
    """What the guide speaks of."""
    emulator.seed(
        accounts=[
            {"provider": "green_api", "name": "retail", "partner_token": "retail-token"},
            {"provider": "plugzapi", "name": "support", "partner_token": "support-token"},
        ],
        instances=[
            {"provider": "green_api", "name": "shop"},
            {"provider": "plugzapi", "name": "loja", "state": "connected"},
            {"provider": "green_api", "account": "retail", "name": "till"},
            {"provider": "plugzapi", "account": "support", "name": "desk"},
        ],
        phones=[{"id": "kp1"}],
    )
    source.environment["RETAIL_TOKEN"] = "retail-token"
    return source


@pytest.mark.parametrize("text", SOURCES, ids=lambda text: text.count("\n"))
def test_the_sources_work(fleet: Source, text: str) -> None:
    inventory = fleet.load(text, "-e", json.dumps({"support_partner_token": "support-token"}))
    assert inventory.hosts
    assert "[WARNING]" not in inventory.output


@pytest.mark.parametrize("text", PLAYS, ids=lambda text: text.count("\n"))
def test_the_plays_work(fleet: Source, text: str) -> None:
    fleet.write(f"{SOURCES[0]}include_tokens: true\n")
    (fleet.folder / "play.yml").write_text(text)
    status, output = fleet.command("ansible-playbook", "-i", "fleet.msgops.yml", "play.yml")
    assert status == 0, output
    assert "loja" in output


def _column(header: str) -> set[str]:
    """What is marked as code in the first column of the table with this header."""
    table = GUIDE[GUIDE.index(header) :].partition("\n\n")[0]
    return {word for row in table.splitlines()[2:] for word in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_the_variables_are_those_of_the_plugins(fleet: Source) -> None:
    known: set[str] = set()
    for plugin in ("instances", "cloudphones"):
        options = {"include_tokens": True} if plugin == "instances" else {}
        hosts = fleet.load({"plugin": f"msgops.fleet.{plugin}", **options}).hosts
        known |= {variable for variables in hosts.values() for variable in variables}
    assert _column("| variable | |") == known


def test_the_groups_are_those_of_the_plugins() -> None:
    criteria = {*instances.InventoryModule.GROUP_BY, *cloudphones.InventoryModule.GROUP_BY}
    assert _column("| `group_by` | groups |") == criteria
