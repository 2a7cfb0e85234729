# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guarded main of every module: what goes in, what comes out, and nothing secret in either failure."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._common.errors import FleetError
from .._common.masking import SecretOutput, masked
from .._common.paths import start_folder, with_absolute_paths
from .._http.session import REQUESTS_IMPORT_ERROR
from .arguments import ArgumentSpec


@dataclass
class TaskContext:
    """What the core learns of the task that it runs for.

    ``progress`` takes a line about long work that is under way. ``draw`` shows text on the terminal of somebody who
    watches, and nowhere else; ``None`` where nobody does. ``folder`` is where relative paths begin. ``secrets`` are
    values that must not be in the result; ``warnings`` go to the user.
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

    @property
    def output(self) -> SecretOutput:
        """Which secrets may be in the result."""
        return SecretOutput(self.no_log)


Run = Callable[[TaskContext], dict[str, Any]]

# Options that no documentation names: the action plugin hands over in them the secrets of the task's ``environment``,
# and the folder where ansible-playbook was started, from which a module's own differs by how it is run.
SECRET_ENVIRONMENT = "_msgops_environment"
START_FOLDER = "_msgops_folder"


class _Module(AnsibleModule):  # type: ignore[misc]  # ansible-core has no type information
    def __init__(self, arguments: ArgumentSpec) -> None:
        self._arguments = arguments
        super().__init__(supports_check_mode=True, **arguments.for_validation())

    def _load_params(self) -> None:
        super()._load_params()
        os.environ.update(self.params.pop(SECRET_ENVIRONMENT, {}))
        self.start_folder = self.params.pop(START_FOLDER, None) or start_folder()

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        # Ansible repeats the options of a task that are wrong: secrets in the wrong place, which it doesn't recognize.
        msg = masked(msg, self._arguments.secrets_in(self.params))
        super().fail_json(msg, **{"invocation": {"module_args": {}}, **kwargs})


def run_module(arguments: ArgumentSpec, run: Run) -> None:
    """Run ``run`` as an Ansible module and leave the process with its result."""
    module = _Module(arguments)
    if REQUESTS_IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    task = TaskContext(module.params, module.check_mode, module._diff, module.no_log, folder=module.start_folder)
    result = execute(arguments, run, task)
    # Ansible would look for each of them in each string of the result: minutes for a fleet's tokens. Since 2.22 it
    # looks for them in what it prints, but not in what is registered.
    module.no_log_values = set()
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


def execute(arguments: ArgumentSpec, run: Run, task: TaskContext) -> dict[str, Any]:
    """The result of ``run(task)`` as Ansible gets it: with the invocation and the warnings, without a secret."""
    task.secrets |= arguments.secrets_in(task.params)
    invocation = {"module_args": arguments.without_secrets(task.params)}

    def run_with_paths(task: TaskContext) -> dict[str, Any]:
        task.params = with_absolute_paths(task.params, arguments.options, task.folder)
        return run(task)

    result = guard(run_with_paths, task)
    if not task.diff:
        result.pop("diff", None)
    if task.warnings:
        result["warnings"] = task.warnings
    return dict(masked(result | {"invocation": invocation}, task.secrets))


def guard(run: Run, task: TaskContext) -> dict[str, Any]:
    """The result of ``run(task)``, whatever it raises.

    An unexpected exception's own text isn't shown, because it may quote a URL or a header.
    """
    try:
        return run(task)
    except FleetError as error:
        return {"failed": True, "msg": error.message, "changed": False, "error": error.as_error()}
    except Exception as exc:
        return {"failed": True, "changed": False, "msg": unexpected(exc)}


def unexpected(exc: Exception) -> str:
    """What the user is told of an exception that nobody has foreseen; its own text isn't safe to show."""
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    where = f"{type(exc).__name__} at {os.path.basename(frame.filename)}:{frame.lineno}"
    return f"unexpected {where}; this is a bug in msgops.fleet: please report it with this line"
