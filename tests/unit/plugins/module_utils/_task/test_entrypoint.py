# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main function of the modules: whatever fails, no secret is in the output."""

from __future__ import annotations

import importlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.msgops.fleet.plugins.module_utils._common import masking
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._task import entrypoint
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import ArgumentSpec
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import Run, TaskContext, execute, guard
from ansible_collections.msgops.fleet.plugins.module_utils._task.normalization import NormalizedOptions
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT
from ansible_collections.msgops.fleet.tests.support.wire import TOKEN

ARGUMENTS = ArgumentSpec({"name": {"type": "str"}, "token": {"type": "str", "no_log": True}})


def task(*, diff: bool = False, no_log: bool = False, **params: Any) -> TaskContext:
    return TaskContext(params, check_mode=False, diff=diff, no_log=no_log)


def raising(error: BaseException) -> Run:
    def run(_task: TaskContext) -> dict[str, Any]:
        raise error

    return run


def test_a_result_is_passed_on() -> None:
    assert guard(lambda _task: {"changed": False}, task()) == {"changed": False}


def test_a_failure_has_its_message_and_its_error() -> None:
    error = FleetError("timeout", "Reading the thing failed: no answer", http_status=504, retryable=True)
    assert guard(raising(error), task()) == {
        "failed": True,
        "changed": False,
        "msg": "Reading the thing failed: no answer",
        "error": error.as_error(),
    }


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(f"https://api.example.com/{TOKEN}"),
        KeyError(TOKEN),
        AssertionError(TOKEN),
        UnicodeDecodeError("utf-8", TOKEN.encode(), 0, 1, TOKEN),
        requests.ConnectionError(f"Max retries exceeded with url: /{TOKEN}"),
        RecursionError(TOKEN),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_unexpected_exception_shows_its_type_and_place_only(error: Exception) -> None:
    result = guard(raising(error), task())
    name = type(error).__name__
    assert result["msg"].startswith(f"unexpected {name} at test_entrypoint.py:")
    assert "please report it" in result["msg"]
    assert "s3cret" not in json.dumps(result)
    assert "t0ken" not in json.dumps(result)
    assert (result["failed"], result["changed"]) == (True, False)


def test_a_chain_of_exceptions_shows_nothing_of_any_of_them() -> None:
    def run(_task: TaskContext) -> dict[str, Any]:
        try:
            raise ValueError(TOKEN)
        except ValueError as exc:
            raise RuntimeError(f"https://api.example.com/{TOKEN}") from exc

    assert "s3cret" not in json.dumps(guard(run, task()))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_what_ends_the_process_is_not_held_up(error: BaseException) -> None:
    with pytest.raises(type(error)):
        guard(raising(error), task())


def test_the_invocation_is_shown_without_its_secrets() -> None:
    result = execute(ARGUMENTS, lambda _task: {"changed": False}, task(name="shop", token=TOKEN))
    assert result["invocation"]["module_args"]["name"] == "shop"
    assert "s3cret" not in repr(result)


def test_a_password_in_a_url_is_masked_whatever_comes_first() -> None:
    failing = task(journal="postgresql://fleet:s%2Fcret@db/fleet")
    result = execute(ARGUMENTS, raising(FleetError("usage", "another option is wrong")), failing)
    assert failing.secrets == {"s%2Fcret", "s/cret"}
    assert result["invocation"]["module_args"] == {"journal": "postgresql://fleet:***@db/fleet"}


def test_a_diff_is_shown_only_where_the_task_wants_one() -> None:
    def run(_task: TaskContext) -> dict[str, Any]:
        return {"changed": True, "diff": {"before": "", "after": "x\n"}}

    assert "diff" not in execute(ARGUMENTS, run, task())
    assert "diff" in execute(ARGUMENTS, run, task(diff=True))


def filled(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for each option, at any depth; each text is unique."""

    def value(name: str, option: Mapping[str, Any], kind: str) -> Any:
        if kind == "list":
            return [value(name, option, option.get("elements", "str"))]
        if kind == "dict":
            return filled(option.get("options") or {"token": None})
        text = f" {name} {secrets.token_hex(8)} "
        if "choices" in option:
            return option["choices"][0]
        return {"int": 12345678, "float": 1.5, "bool": True}.get(kind, text)

    return {name: value(name, option or {}, (option or {}).get("type", "str")) for name, option in options.items()}


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py")))
def test_execute_masks_each_no_log_value(name: str) -> None:
    arguments = importlib.import_module(f"ansible_collections.msgops.fleet.plugins.modules.{name}").ARGUMENTS
    validation = ArgumentSpecValidator(arguments.for_validation()["argument_spec"]).validate(filled(arguments.options))
    known_to_ansible = validation._no_log_values
    assert bool(known_to_ansible) is (name not in ("creation_journal", "fleet_report"))
    assert {value.strip() for value in known_to_ansible} <= arguments.secrets_in(validation.validated_parameters)

    def run(_task: TaskContext) -> dict[str, Any]:
        return {"changed": False, "leaked": sorted(known_to_ansible), "warnings": sorted(known_to_ansible)}

    shown = json.dumps(execute(arguments, run, task(**validation.validated_parameters)))
    assert not [value for value in known_to_ansible if value.strip() in shown]


# Returning a secret


@pytest.mark.parametrize(
    ("no_log", "can_register", "safe"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_a_secret_is_returned_only_where_ansible_will_not_print_it(
    monkeypatch: pytest.MonkeyPatch, no_log: bool, can_register: bool, safe: bool
) -> None:
    registered: list[str] = []
    monkeypatch.setattr(masking, "_register_secret", registered.append if can_register else None)
    asking = task(no_log=no_log)
    assert asking.output.is_safe is safe
    assert asking.output.may_return("a-long-secret") is safe
    assert registered == (["a-long-secret"] if can_register and not no_log else [])


def test_a_secret_too_short_to_be_masked_is_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_register_secret", lambda _value: None)
    assert not task().output.may_return("short")


# The module's process


class Exit(Exception):
    """Raised where a module's process would end."""


class FakeModule:
    """The module that run_module makes, without a process."""

    def __init__(self, _arguments: ArgumentSpec) -> None:
        self.params = {"name": "shop", "token": TOKEN}
        self.check_mode = False
        self._diff = False
        self.no_log = False
        self.no_log_values = {TOKEN}
        self.start_folder = "/"
        self.normalized = NormalizedOptions()
        self.warned: list[str] = []
        self.outcome: tuple[str, dict[str, Any]] | None = None
        FakeModule.last = self

    last: FakeModule

    def warn(self, text: str) -> None:
        self.warned.append(text)

    def exit_json(self, **result: Any) -> None:
        self.outcome = ("exit", result)
        raise Exit

    def fail_json(self, **result: Any) -> None:
        self.outcome = ("fail", result)
        raise Exit


def run_module(monkeypatch: pytest.MonkeyPatch, run: Run) -> FakeModule:
    monkeypatch.setattr(entrypoint, "_Module", FakeModule)
    with pytest.raises(Exit):
        entrypoint.run_module(ARGUMENTS, run)
    return FakeModule.last


def test_a_modules_warnings_reach_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(task: TaskContext) -> dict[str, Any]:
        task.warnings.append("mind the gap")
        return {"changed": True}

    module = run_module(monkeypatch, run)
    assert module.warned == ["mind the gap"]
    assert module.outcome
    assert module.outcome[0] == "exit"
    assert module.outcome[1]["changed"]


def test_a_failed_result_fails_the_module_with_all_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    module = run_module(monkeypatch, lambda _task: {"failed": True, "msg": "no", "instances": []})
    assert module.outcome
    assert module.outcome[0] == "fail"
    assert module.outcome[1]["instances"] == []


def test_no_secret_is_in_a_result_or_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(task: TaskContext) -> dict[str, Any]:
        task.secrets |= {"from-the-environment", "unseen", "changed", "deep"}
        task.warnings.append(f"no {TOKEN}")
        return {"changed": False, "deep": [{"text": f"<from-the-environment> {TOKEN}", "changed": 1}]}

    module = run_module(monkeypatch, run)
    assert module.outcome
    assert module.outcome[1]["deep"] == [{"text": "<***> ***", "changed": 1}]
    assert module.warned == ["no ***"]


def test_without_requests_the_module_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoint, "REQUESTS_IMPORT_ERROR", "Traceback ...")
    module = run_module(monkeypatch, raising(AssertionError("must not run")))
    assert module.outcome
    assert module.outcome[0] == "fail"
    assert "requests" in module.outcome[1]["msg"]
