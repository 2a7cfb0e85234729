# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main function of every module: it runs the core, and returns a result without secrets, whatever happens."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._common.errors import FleetError, UsageError, unexpected
from .._common.masking import SecretOutput, masked, redact
from .._common.paths import start_folder, with_absolute_paths
from .._common.resources import OUT_OF_MEMORY
from .._common.texts import one_line
from .._http.session import REQUESTS_IMPORT_ERROR
from .arguments import ArgumentSpec, OptionResolver
from .normalization import NormalizedOptions, name_variables, normalize


@dataclass
class TaskContext:
    """The task that the core runs for.

    ``variables`` and ``numbers`` are those of ``NormalizedOptions``. ``progress`` prints a line about the progress of a
    long task. ``draw`` prints to the terminal only, not to a log; it is ``None`` without a terminal. ``folder`` is the
    base of relative paths. ``execute`` masks ``secrets`` in the result, and adds ``warnings`` to it.
    """

    params: Mapping[str, Any]
    check_mode: bool
    diff: bool
    no_log: bool
    progress: Callable[[str], None] | None = None
    draw: Callable[[str], None] | None = None
    folder: str | None = field(default_factory=start_folder)
    secrets: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    variables: dict[str, set[str]] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)

    @property
    def resolver(self) -> OptionResolver:
        """Finds the values of the gateways' options."""
        return OptionResolver(self.params, self.secrets)

    def explain(self, error: FleetError) -> str:
        """The message of ``error``; that of a wrong option names the variable that the option comes from."""
        return name_variables(error.message, self.variables) if isinstance(error, UsageError) else error.message

    @property
    def output(self) -> SecretOutput:
        """Decides which secrets may be in the result."""
        return SecretOutput(self.no_log)


Run = Callable[[TaskContext], dict[str, Any]]

# Undocumented options by which the action plugin passes on the secret variables of the task's ``environment``, and the
# folder where ansible-playbook was started: a module's process may have another working directory.
SECRET_ENVIRONMENT = "_msgops_environment"
START_FOLDER = "_msgops_folder"


class _Module(AnsibleModule):  # type: ignore[misc]  # ansible-core has no type information
    params: dict[str, Any]

    def __init__(self, arguments: ArgumentSpec) -> None:
        self._arguments = arguments
        self._refusal = ""
        self.normalized = NormalizedOptions()
        super().__init__(supports_check_mode=True, **arguments.for_validation())
        if self._refusal:
            self.fail_json(self._refusal)

    def _load_params(self) -> None:
        super()._load_params()
        os.environ.update(self.params.pop(SECRET_ENVIRONMENT, {}))
        self.start_folder = self.params.pop(START_FOLDER, None) or start_folder()
        self._secrets = self._arguments.secrets_in(self.params)
        check_mode = bool(self.params.get("_ansible_check_mode"))
        try:
            self.normalized = normalize(self._arguments.options, self.params, check_mode=check_mode)
            self.params = self.normalized.params
            self._secrets |= self._arguments.secrets_in(self.params)
        except UsageError as error:
            # AnsibleModule fails only after it has validated the options. It must not see them: it would mask a blank
            # token wherever the message has a space.
            self._refusal = error.message
            self.params = {name: value for name, value in self.params.items() if name.startswith("_ansible_")}

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        # Ansible's message quotes wrong options. It doesn't mask a secret in an option that isn't no_log.
        msg = masked(name_variables(self._refusal or msg, self.normalized.variables), self._secrets)
        # Ansible would replace short ones within words.
        self.no_log_values: set[str] = set()
        super().fail_json(one_line(msg), **{"invocation": {"module_args": {}}, **kwargs})


def run_module(arguments: ArgumentSpec, run: Run) -> None:
    """Run ``run`` as an Ansible module, print its result, and exit."""
    module = _Module(arguments)
    if REQUESTS_IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    task = TaskContext(
        module.params,
        module.check_mode,
        module._diff,
        module.no_log,
        folder=module.start_folder,
        warnings=module.normalized.warnings,
        variables=module.normalized.variables,
        numbers=module.normalized.numbers,
    )
    result = execute(arguments, run, task)
    # This loses no masking. no_log_values are the values of the options with no_log, and Ansible has two uses left for
    # them: exit_json and fail_json replace them in the result (until ansible-core 2.21), which takes minutes for the
    # tokens of a large fleet. execute() has replaced them already, with all other secrets, in the result and in its
    # warnings: each no_log value is one of ArgumentSpec.secrets_in (test_execute_masks_each_no_log_value).
    module.no_log_values = set()
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


def execute(arguments: ArgumentSpec, run: Run, task: TaskContext) -> dict[str, Any]:
    """Return the result of ``run(task)`` with the invocation and the warnings, and with all secrets masked."""
    task.secrets |= arguments.secrets_in(task.params)
    invocation = {"module_args": arguments.without_secrets(task.params)}

    def run_with_paths(task: TaskContext) -> dict[str, Any]:
        task.params = with_absolute_paths(task.params, arguments.options, task.folder)
        return run(task)

    if task.progress:
        task.progress = _careful(task.progress, task.secrets)
    result = guard(run_with_paths, task)
    if not task.diff:
        result.pop("diff", None)
    if task.warnings:
        result["warnings"] = [one_line(warning) for warning in task.warnings]
    return dict(masked(result | {"invocation": invocation}, task.secrets))


def _careful(progress: Callable[[str], None], secrets: set[str]) -> Callable[[str], None]:
    """``progress`` for printable lines without ``secrets``, to which other threads may add some."""

    def careful(line: str) -> None:
        progress(one_line(redact(line, secrets.copy())))

    return careful


def guard(run: Run, task: TaskContext) -> dict[str, Any]:
    """Return the result of ``run(task)``, or the result of a failed task if it raises an exception."""
    try:
        return run(task)
    except FleetError as error:
        message = task.explain(error)
        return {"failed": True, "msg": message, "changed": False, "error": error.as_error() | {"message": message}}
    except MemoryError:
        return {"failed": True, "changed": False, "msg": OUT_OF_MEMORY}
    except Exception as exc:
        return {"failed": True, "changed": False, "msg": unexpected(exc)}
