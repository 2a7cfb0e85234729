# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the action plugins, which run a module's core in the controller's own process.

A module takes a third of a second to start a Python process, to unpack and to import. The core only calls APIs over the
network, so if a task would run on the controller anyway, its action plugin calls the core directly.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, ClassVar, Literal

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import merge_hash
from ansible_collections.msgops.fleet.plugins.module_utils._common.environment import read_variable
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.masking import SecretOutput, masked
from ansible_collections.msgops.fleet.plugins.module_utils._common.paths import start_folder
from ansible_collections.msgops.fleet.plugins.module_utils._common.texts import one_line
from ansible_collections.msgops.fleet.plugins.module_utils._http.session import REQUESTS_IMPORT_ERROR
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import SECRET_VARIABLES, ArgumentSpec
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import (
    SECRET_ENVIRONMENT,
    START_FOLDER,
    TaskContext,
    execute,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.normalization import is_blank

EXECUTION_VARIABLE = "msgops_execution"
EXECUTION_ENVIRONMENT = "MSGOPS_EXECUTION"

Executor = Literal["controller", "module"]

# Evaluated when Ansible's main process imports the plugin, because its worker processes have no terminal.
_STDOUT_IS_A_TTY = sys.stdout.isatty()


class ControllerAction(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """The action plugin of a module: the same options, the same core, the same result."""

    _supports_check_mode = True
    _supports_diff = True
    _supports_async = True

    module: ClassVar[ModuleType]
    # Whether the result may hold tokens, if Ansible doesn't print it.
    returns_tokens: ClassVar[bool] = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the core here if the task would run on the controller, else run the module."""
        result = super().run(None, task_vars)
        if self._executor(task_vars or {}) == "module":
            wrap_async = self._task.async_val and not self._connection.has_native_async
            if wrap_async and self.returns_tokens and SecretOutput(bool(self._task.no_log)).is_safe:
                self._warn_of_job_file()
            args = {**self._task.args, START_FOLDER: start_folder(), **self._secret_environment()}
            result = merge_hash(
                result, self._execute_module(module_args=args, task_vars=task_vars, wrap_async=wrap_async)
            )
            if not wrap_async:
                self._remove_tmp_path(self._connection._shell.tmpdir)
            return dict(result)
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        with _environment(environment):
            result = merge_hash(result, self._run_core())
        if not _wants_invocation(task_vars or {}):
            result.pop("invocation", None)
        return dict(result)

    def _warn_of_job_file(self) -> None:
        Display().warning(
            f"{self._task.action}: with async, Ansible keeps the result, with the tokens in it, in a file that every "
            "user of the machine can read, in ansible_async_dir (by default ~/.ansible_async). Run this task without "
            "async, or set ansible_async_dir to a folder that only this user can read"
        )

    def _compute_environment_string(self, raw_environment_out: dict[str, Any] | None = None) -> str:
        """Return the task's ``environment`` as the prefix of a command, without secrets: Ansible prints it at -vvv."""
        environment: dict[str, Any] = {}
        super()._compute_environment_string(environment)
        if raw_environment_out is not None:
            raw_environment_out.update(environment)
        shown = {name: value for name, value in environment.items() if name not in SECRET_VARIABLES}
        return str(self._connection._shell.env_prefix(**shown))

    def _secret_environment(self) -> dict[str, dict[str, str]]:
        environment: dict[str, Any] = {}
        super()._compute_environment_string(environment)
        hidden = {name: str(value) for name, value in environment.items() if name in SECRET_VARIABLES}
        return {SECRET_ENVIRONMENT: hidden} if hidden else {}

    @property
    def _arguments(self) -> ArgumentSpec:
        arguments: ArgumentSpec = self.module.ARGUMENTS
        return arguments

    def _executor(self, task_vars: Mapping[str, Any]) -> Executor:
        """Decide whether this process or a module runs the core.

        :raises AnsibleActionFail: if msgops_execution is ``controller`` and this process can't run it, or is no choice.
        """
        execution = self._templar.template(task_vars.get(EXECUTION_VARIABLE))
        if is_blank(execution):
            execution = read_variable(EXECUTION_ENVIRONMENT)
        if execution not in (None, "auto", "controller", "module"):
            raise AnsibleActionFail(f"{EXECUTION_VARIABLE} must be auto, controller or module, not {execution}")
        impossible = [
            *(["async"] if self._task.async_val else []),
            *(["a Python without requests"] if REQUESTS_IMPORT_ERROR is not None else []),
        ]
        if execution == "controller":
            if impossible:
                raise AnsibleActionFail(f"{EXECUTION_VARIABLE} is controller, which {impossible[0]} makes impossible")
            return "controller"
        elsewhere = self._connection.transport != "local" or self._connection.become is not None
        return "module" if execution == "module" or impossible or elsewhere else "controller"

    def _run_core(self) -> dict[str, Any]:
        given = self._given()
        secrets = self._arguments.secrets_in(given)
        check_mode = bool(self._task.check_mode)
        try:
            options = self._arguments.validate(given, action=self._task.action, check_mode=check_mode)
        except UsageError as error:
            return {"failed": True, "msg": masked(error.message, secrets)}
        task = TaskContext(
            _plain(options.params),
            check_mode=check_mode,
            diff=bool(self._task.diff),
            no_log=bool(self._task.no_log),
            progress=self._progress,
            draw=self._draw if _STDOUT_IS_A_TTY else None,
            secrets=secrets,
            warnings=options.warnings,
            variables=options.variables,
            numbers=options.numbers,
        )
        return execute(self._arguments, self._core, task)

    def _given(self) -> dict[str, Any]:
        """The options of the task, before they are validated."""
        return dict(_plain(self._task.args))

    def _core(self, task: TaskContext) -> dict[str, Any]:
        """Run the module's core."""
        result: dict[str, Any] = self.module.run(task)
        return result

    def _progress(self, line: str) -> None:
        """Print a line about the progress of a long task, if somebody is likely to watch."""
        display = Display()
        if _STDOUT_IS_A_TTY or display.verbosity:
            display.display(one_line(f"{self._task.action}: {line}"))

    def _draw(self, text: str) -> None:
        """Print text, such as a QR code, to the terminal, but not to Ansible's log file."""
        Display().display(text, screen_only=True)


def _plain(value: Any) -> Any:
    """Return ``value`` as a module would get it: in JSON's own types, without Ansible's tags and wrappers."""
    return json.loads(json.dumps(value, default=str))


def _wants_invocation(task_vars: Mapping[str, Any]) -> bool:
    try:
        return bool(constants.config.get_config_value("INJECT_INVOCATION", variables=task_vars))
    except AnsibleError:
        return True  # ansible-core before 2.20 has no such setting


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set the variables of the task's ``environment`` in the block; a worker process runs one task at a time."""
    before = dict(os.environ)
    os.environ.update({name: str(value) for name, value in variables.items()})
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]
