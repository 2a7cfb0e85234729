# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kit for AWX is what AWX takes, and fits together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import ALL_STATES
from ansible_collections.msgops.fleet.tests.support.awx_jobs import CREDENTIAL_TYPES, KIT, ROOT, kit
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

DATA = kit("credential_types.yml") | kit("controller.yml")
TASKS = kit("tasks/setup.yml")
MODULES = {task["loop"].strip("{} "): next(key for key in task if key.startswith("awx.awx.")) for task in TASKS}
PLAYBOOKS = ROOT / "playbooks"


def items(name: str) -> list[dict[str, Any]]:
    return list(DATA[f"controller_{name}"])


def names(name: str) -> set[str]:
    return {item["name"] for item in items(name)}


def surveys() -> Iterator[tuple[str, dict[str, Any]]]:
    for template in items("templates") + items("workflows"):
        if "survey_spec" in template:
            yield template["name"], template["survey_spec"]


def test_setup_creates_everything_that_the_data_has() -> None:
    assert set(MODULES) == set(DATA)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["name"])
def test_setup_passes_on_each_key_of_the_data_and_omits_what_an_item_leaves_out(task: dict[str, Any]) -> None:
    name = task["loop"].strip("{} ")
    arguments = task[MODULES[name]]
    assert set(arguments) == {key for item in DATA[name] for key in item}
    for key, template in arguments.items():
        optional = any(key not in item for item in DATA[name])
        assert template == f"{{{{ item.{key}{' | default(omit)' if optional else ''} }}}}"


def test_only_credentials_are_kept_out_of_the_output() -> None:
    assert [task["name"] for task in TASKS if task.get("no_log")] == ["Credentials"]


# What AWX checks when a credential type is created


@pytest.mark.parametrize("name", CREDENTIAL_TYPES)
def test_a_credential_type_has_the_form_that_awx_takes(name: str) -> None:
    kind = CREDENTIAL_TYPES[name]
    assert kind["kind"] in ("cloud", "net")
    assert set(kind["inputs"]) <= {"fields", "required"}
    assert set(kind["injectors"]) <= {"env", "file", "extra_vars"}
    fields = kind["inputs"]["fields"]
    ids = [field["id"] for field in fields]
    assert len(ids) == len(set(ids))
    assert set(kind["inputs"]["required"]) <= set(ids)
    for field in fields:
        assert {"id", "label"} <= set(field) <= {"id", "label", "type", "help_text", "secret", "multiline"}
        assert re.fullmatch(r"[a-zA-Z_]\w*", field["id"])
        assert field["id"] != "tower"
        assert field["type"] == "string"


@pytest.mark.parametrize("name", CREDENTIAL_TYPES)
def test_injectors_use_defined_inputs_and_all_of_them(name: str) -> None:
    kind = CREDENTIAL_TYPES[name]
    fields = [field["id"] for field in kind["inputs"]["fields"]]
    values = {field: f"value of {field}" for field in fields} | {"tower": {"filename": "/runner/env/file"}}
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    rendered = [
        sandbox.from_string(template).render(values)
        for injector in kind["injectors"].values()
        for template in injector.values()
    ]
    assert {value for field, value in values.items() if field != "tower"} <= set(rendered)


@pytest.mark.parametrize("name", CREDENTIAL_TYPES)
def test_awx_allows_the_variables(name: str) -> None:
    for variable, template in CREDENTIAL_TYPES[name]["injectors"].get("env", {}).items():
        assert re.fullmatch(r"[A-Z_]+", variable)
        assert not variable.startswith("ANSIBLE_")
        assert template.isascii()


@pytest.mark.parametrize("name", CREDENTIAL_TYPES)
def test_secrets_are_inputs_that_awx_encrypts(name: str) -> None:
    for field in CREDENTIAL_TYPES[name]["inputs"]["fields"]:
        is_secret = bool(re.search("token|password|secret|credentials", field["id"]))
        assert field.get("secret", False) is is_secret, field["id"]


# What AWX checks when a survey is created


@pytest.mark.parametrize(("name", "survey"), list(surveys()))
def test_a_survey_has_the_form_that_awx_takes(name: str, survey: dict[str, Any]) -> None:
    defaults = {"text": str, "textarea": str, "multiplechoice": str, "multiselect": str, "integer": int, "float": float}
    assert {"name", "description", "spec"} == set(survey)
    assert len({question["variable"] for question in survey["spec"]}) == len(survey["spec"])
    for question in survey["spec"]:
        assert {"question_name", "variable", "type", "required"} <= set(question)
        assert isinstance(question["required"], bool)
        assert all(isinstance(question.get(key, 0), int) for key in ("min", "max"))
        if "default" in question:
            assert isinstance(question["default"], defaults[question["type"]])
        if question["type"] in ("multiplechoice", "multiselect"):
            assert question["default"] in question["choices"]


@pytest.mark.parametrize(("name", "survey"), list(surveys()))
def test_a_survey_asks_for_variables_that_the_playbook_documents(name: str, survey: dict[str, Any]) -> None:
    asked = name if name in names("templates") else WORKFLOWS[name]
    (template,) = [t for t in items("templates") if t["name"] == asked]
    interface = (PLAYBOOKS / template["playbook"]).read_text().split("\n- name:")[0]
    if "check_fleet" in interface:
        interface += (PLAYBOOKS / "check_fleet.yml").read_text()
    for question in survey["spec"]:
        assert re.search(rf"\b{question['variable']}\b", interface)


# A template of each workflow that is asked the same questions.
WORKFLOWS = {
    "Check the whole fleet": "Check the fleet",
    "Change settings": "Apply settings",
    "Retire with an approval": "Retire instances",
}


def test_the_choices_of_states_are_states() -> None:
    for _name, survey in surveys():
        for question in survey["spec"]:
            if question["variable"] == "fleet_allowed_states":
                assert set(question["choices"]) <= set(ALL_STATES)


def test_everything_that_is_named_is_there() -> None:
    for credential in items("credentials"):
        kind = CREDENTIAL_TYPES[credential["credential_type"]]
        assert set(credential["inputs"]) == {field["id"] for field in kind["inputs"]["fields"]}
    for source in items("inventory_sources"):
        assert source["inventory"] in names("inventories")
        assert source["credential"] in names("credentials")
        assert (KIT / "project" / source["source_path"]).exists()
    for template in items("templates"):
        assert template["inventory"] in names("inventories")
        assert set(template.get("credentials", ())) <= names("credentials")
        assert set(template.get("notification_templates_error", ())) <= names("notifications")
        assert (KIT / "project" / template["playbook"]).exists()
    for workflow in items("workflows"):
        identifiers = {node["identifier"] for node in workflow["workflow_nodes"]}
        for node in workflow["workflow_nodes"]:
            job = node["unified_job_template"]
            assert job["type"] == "workflow_approval" or job["name"] in names("templates")
            for kind, nodes in node.get("related", {}).items():
                assert kind in ("always_nodes", "failure_nodes", "success_nodes")
                assert {n["identifier"] for n in nodes} <= identifiers
    for schedule in items("schedules"):
        assert schedule["unified_job_template"] in names("templates") | names("workflows")
        assert re.fullmatch(r"DTSTART:\d{8}T\d{6}Z RRULE:FREQ=\w+;INTERVAL=\d+", schedule["rrule"])


def test_each_playbook_of_the_project_is_one_of_the_collection() -> None:
    for path in (KIT / "project").glob("*.yml"):
        (play,) = kit(f"project/{path.name}")
        assert play["ansible.builtin.import_playbook"] == f"msgops.fleet.{path.stem}"
        assert (PLAYBOOKS / path.name).exists()
