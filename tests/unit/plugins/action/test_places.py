# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task runs: in the controller's own process if it would run on this machine anyway, else as a module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT
from ansible_collections.msgops.fleet.tests.support.stage import Played, Stage, TaskContext

from msgops_emulator import Control


@dataclass(frozen=True)
class Case:
    """A task with these keywords and variables on a host, and where it runs.

    ``refused`` is part of the message if it runs nowhere.
    """

    runs: Literal["controller", "module", "nowhere"]
    keywords: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    host: Literal["near", "faraway"] = "near"
    refused: str = ""


FARAWAY = {"ansible_connection": "faraway"}
BECOME = {"become": True, "become_method": "itself"}
CONTROLLER = {"msgops_execution": "controller"}
ASYNC = {"async": 60, "poll": 1}

CASES = {
    "here": Case("controller"),
    "here by its full name": Case("controller", variables={"ansible_connection": "ansible.builtin.local"}),
    "become": Case("module", BECOME),
    "elsewhere": Case("module", variables=FARAWAY),
    "delegated elsewhere": Case("module", {"delegate_to": "faraway"}),
    "delegated here": Case("controller", {"delegate_to": "near"}, host="faraway"),
    "in the background": Case("module", ASYNC),
    "set to auto": Case("controller", variables={"msgops_execution": "auto"}),
    "set to an empty text": Case("controller", variables={"msgops_execution": ""}),
    "set to a blank text": Case("controller", variables={"msgops_execution": " \r\n"}),
    "set to null": Case("controller", variables={"msgops_execution": None}),
    "set to module": Case("module", variables={"msgops_execution": "module"}),
    "set by a template": Case("module", variables={"msgops_execution": "{{ 'mod' ~ 'ule' }}"}),
    "set to auto elsewhere": Case("module", variables={"msgops_execution": "auto", **FARAWAY}),
    "set to controller": Case("controller", variables=CONTROLLER),
    "set to controller elsewhere": Case("controller", variables={**CONTROLLER, **FARAWAY}),
    "set to controller and become": Case("controller", BECOME, CONTROLLER),
    "set to controller in the background": Case("nowhere", ASYNC, CONTROLLER, refused="which async makes impossible"),
    "set to another word": Case(
        "nowhere", variables={"msgops_execution": "fast"}, refused="must be auto, controller or module, not fast"
    ),
    "set with a capital": Case("nowhere", variables={"msgops_execution": "Controller"}, refused="not Controller"),
    "set to a number": Case("nowhere", variables={"msgops_execution": 1}, refused="must be auto, controller or module"),
    "set to a list": Case("nowhere", variables={"msgops_execution": ["module"]}, refused="must be auto, controller or"),
}


def play(stage: Stage, cases: Mapping[str, Case], **options: Any) -> Played:
    """Play the cases: ``near`` is this machine, ``faraway`` another one as far as Ansible knows.

    The name of a module's interpreter is that of its case.
    """
    hosts = {
        "near": {"ansible_connection": "local"},
        "faraway": {**FARAWAY, "ansible_python_interpreter": stage.python("delegated_elsewhere")},
    }
    inventory = stage.folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    plays = [
        {
            "hosts": host,
            "gather_facts": False,
            "tasks": [_task(stage, name, case) for name, case in cases.items() if case.host == host],
        }
        for host in hosts
    ]
    return stage.play(plays, "-i", str(inventory), **options)


def _task(stage: Stage, name: str, case: Case) -> TaskContext:
    return {
        "name": name,
        "msgops.fleet.creation_journal": {},
        **case.keywords,
        "vars": {"ansible_python_interpreter": stage.python(_word(name)), **case.variables},
        "ignore_errors": True,
    }


def _word(name: str) -> str:
    return name.replace(" ", "_")


def check(stage: Stage, played: Played, name: str, case: Case) -> None:
    result = played.result(name)
    assert bool(result.get("failed")) == (case.runs == "nowhere"), result
    assert case.refused in result.get("msg", "")
    assert (_word(name) in stage.ran) == (case.runs == "module")


def test_the_task_runs_on_the_controller_where_that_makes_no_difference(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    played = play(stage, CASES)
    for name, case in CASES.items():
        with subtests.test(name):
            check(stage, played, name, case)


def test_the_variable_wins_over_the_environment(stage: Stage, subtests: pytest.Subtests) -> None:
    cases = {
        "not set": Case("module"),
        "set to auto": Case("controller", variables={"msgops_execution": "auto"}),
        "set to controller": Case("controller", variables=CONTROLLER),
    }
    played = play(stage, cases, environment={"MSGOPS_EXECUTION": "module"})
    for name, case in cases.items():
        with subtests.test(name):
            check(stage, played, name, case)


def test_a_controller_without_requests_leaves_the_work_to_modules(stage: Stage, subtests: pytest.Subtests) -> None:
    cases = {
        "here": Case("module"),
        "set to controller": Case(
            "nowhere", variables=CONTROLLER, refused="a Python without requests makes impossible"
        ),
    }
    played = play(stage, cases, without_requests=True)
    for name, case in cases.items():
        with subtests.test(name):
            check(stage, played, name, case)


def test_a_wrong_word_in_the_environment_is_refused(stage: Stage) -> None:
    case = Case("nowhere", refused="must be auto, controller or module, not slow")
    played = play(stage, {"here": case}, environment={"MSGOPS_EXECUTION": "slow"})
    check(stage, played, "here", case)


def test_a_task_without_polling_is_waited_for_with_async_status(stage: Stage, emulator: Control) -> None:
    seeded = emulator.seed(instances=[{"provider": "green_api", "state": "authorized"}])["instances"][0]
    start = {
        "name": "start",
        "msgops.fleet.instance_state": {
            "provider": "green_api",
            "instance_id": str(seeded["id"]),
            "instance_token": seeded["token"],
        },
        "async": 60,
        "poll": 0,
        "register": "job",
    }
    wait = {
        "name": "wait",
        "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
        "register": "status",
        "until": "status is finished",
        "retries": 50,
        "delay": 0.2,
    }
    played = stage.play([{"hosts": "localhost", "gather_facts": False, "tasks": [start, wait]}])
    assert played.result("start")["started"] in (1, True)
    assert played.result("wait")["state"] == "authorized"


def test_async_warns_of_tokens_in_a_file_that_others_can_read(stage: Stage, emulator: Control) -> None:
    def create(name: str, **keywords: Any) -> dict[str, Any]:
        options = {"provider": "green_api", "name": name, "credentials_file": str(stage.folder / "credentials.json")}
        return {"name": name, "msgops.fleet.instance_create": options, "register": "made", **keywords}

    def warned(*tasks: dict[str, Any]) -> bool:
        played = stage.play([{"hosts": "localhost", "gather_facts": False, "tasks": [*tasks]}])
        return "in ansible_async_dir" in " ".join(played.output.split())

    assert warned(create("background", no_log=True, **ASYNC))
    assert not warned(create("foreground", no_log=True))


def test_every_module_has_its_action() -> None:
    modules = {path.name for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert {path.name for path in (ROOT / "plugins" / "action").glob("*.py")} == modules
