# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role deletes what is confirmed, once more by name, and refuses everything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.msgops.fleet.tests.support.stage import Played, Stage

if TYPE_CHECKING:
    from msgops_emulator import Control

ITEMS = [
    {"name": "shop", "provider": "green_api", "settings": {"stateWebhook": True}},
    {"name": "sales", "provider": "plugzapi", "session_name": "Sales"},
]


@pytest.fixture
def stage(emulator: Control, tmp_path: Path, ansible_commands: Path) -> Stage:
    environment = {
        "GREEN_API_URL": emulator.url,
        "PLUGZAPI_URL": emulator.url,
        "MSGOPS_JOURNAL": str(tmp_path / "journal.sqlite3"),
    }
    return Stage(tmp_path, ansible_commands, environment)


def play(stage: Stage, emulator: Control, role: str, **variables: Any) -> Played:
    tokens = {name: emulator.account(name)["partner_token"] for name in ("green_api", "plugzapi")}
    given = {"partner_tokens": tokens, "credentials_file": "credentials.json", **variables}
    roles = [{"role": f"msgops.fleet.{role}", **{f"{role}_{name}": value for name, value in given.items()}}]
    return stage.play([{"hosts": "localhost", "gather_facts": False, "roles": roles}])


def test_it_takes_the_items_of_provision_and_deletes_what_is_confirmed(stage: Stage, emulator: Control) -> None:
    emulator.config({"green_api.creating_seconds": 0})
    made = play(stage, emulator, "provision", instances=ITEMS, wait=False, assert_authorized=False)
    assert made.status == 0, made.output
    assert "sales at plugzapi is in trial: it is deleted at" in made.output
    emulator.seed(instances=[{"provider": "green_api", "name": "foreign"}])
    for confirm in (["shop"], ["shop", "sales", "more"], ["shop", "shop"]):
        refused = play(stage, emulator, "decommission", instances=ITEMS, confirm=confirm)
        assert refused.status != 0
        assert "decommission_confirm must name exactly" in refused.output
    foreign = play(
        stage,
        emulator,
        "decommission",
        instances=[*ITEMS, {"name": "foreign", "provider": "green_api"}],
        confirm=["shop", "sales", "foreign"],
    )
    assert (foreign.status != 0, "the account has foreign" in foreign.output) == (True, True)
    unknown: dict[str, Any] = {"instances": [{"name": "gone", "provider": "green_api"}], "confirm": ["gone"]}
    wrong = play(stage, emulator, "decommission", partner_tokens={"green_api": "gac.wrong-token"}, **unknown)
    assert (wrong.status != 0, "Nothing was deleted: Listing the GREEN-API" in wrong.output) == (True, True)
    nothing = play(stage, emulator, "decommission", **unknown)
    assert (nothing.status, "gone: unchanged, neither the journal" in nothing.output) == (0, True)
    protected = play(stage, emulator, "decommission", instances=ITEMS, confirm=["sales", "shop"], protected=["sales"])
    assert (protected.status != 0, "it is protected" in protected.output) == (True, True)
    assert [item["state"] for item in emulator.instances()].count("deleted") == 0
    for _run in range(2):
        done = play(stage, emulator, "decommission", instances=ITEMS, confirm=["sales", "shop"])
        assert done.status == 0, done.output
    left = [item["name"] for item in emulator.instances() if item["state"] != "deleted"]
    assert left == ["foreign"]
    assert json.loads((stage.folder / "credentials.json").read_text()) == {"green_api": {}, "plugzapi": {}}
    for played in (made, foreign, protected, done):
        for item in emulator.instances():
            assert item["token"] not in played.output


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"instances": [], "confirm": []}, "decommission_instances or decommission_names"),
        ({"names": "[010]", "confirm": "[010]"}, "quote names"),
        ({"instances": [{"name": 101, "provider": "green_api"}], "confirm": ["101"]}, "quote names"),
    ],
)
def test_nothing_and_numbers_name_no_instance(
    stage: Stage, emulator: Control, variables: dict[str, Any], says: str
) -> None:
    refused = play(stage, emulator, "decommission", **variables)
    assert (refused.status != 0, says in refused.output) == (True, True), refused.output
    assert emulator.log() == []


def test_a_linked_phone_needs_a_word(stage: Stage, emulator: Control) -> None:
    emulator.config({"green_api.creating_seconds": 0})
    made = play(stage, emulator, "provision", instances=ITEMS[:1], wait=False, assert_authorized=False)
    assert made.status == 0, made.output
    emulator.set_state("green_api", emulator.instances()[0]["id"], "authorized")
    refused = play(stage, emulator, "decommission", instances=ITEMS[:1], confirm=["shop"])
    assert (refused.status != 0, "decommission_allow_authorized) ends it" in refused.output) == (True, True)
    done = play(stage, emulator, "decommission", instances=ITEMS[:1], confirm=["shop"], allow_authorized=True)
    assert done.status == 0, done.output
    assert emulator.instances()[0]["state"] == "deleted"
