# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar, Literal

import yaml
from ansible import context
from ansible.errors import AnsibleActionFail
from ansible.module_utils.basic import missing_required_lib
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._http.session import REQUESTS_IMPORT_ERROR
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext
from ansible_collections.msgops.fleet.plugins.modules import fleet_check
from ansible_collections.msgops.fleet.plugins.plugin_utils._action_module import ControllerAction
from ansible_collections.msgops.fleet.plugins.plugin_utils._fleet_check import Play, check

# Options that may be given as JSON or YAML, as -e and AWX's surveys do.
_STRUCTURED = ("accounts", "rule")


class ActionModule(ControllerAction):
    """The check of a fleet. It has no module: only the controller knows the play's hosts and its inventory."""

    module: ClassVar[ModuleType] = fleet_check

    _requires_connection = False
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the hosts of the play."""
        self._play = Play.of(task_vars or {})
        return super().run(tmp, task_vars)

    def _executor(self, task_vars: Mapping[str, Any]) -> Literal["controller"]:
        if REQUESTS_IMPORT_ERROR is not None:
            raise AnsibleActionFail(missing_required_lib("requests"))
        return "controller"

    def _given(self) -> dict[str, Any]:
        given = {name: value for name, value in super()._given().items() if not _is_blank(value)}
        for name in _STRUCTURED:
            if isinstance(given.get(name), str):
                given[name] = _parsed(given[name], f"fleet_{name}")
        reports = given.get("reports")
        if isinstance(reports, str):
            given["reports"] = _parsed(reports, "fleet_reports") if reports.lstrip().startswith("[") else [reports]
        overrides = {name: given.pop(name) for name in fleet_check.RULE_OVERRIDES if name in given}
        if overrides:
            given["rule"] = {**(given.get("rule") or {}), **overrides}
        return given

    def _core(self, task: TaskContext) -> dict[str, Any]:
        set_facts = task.params["set_facts"]
        return check(task, self._play, set_facts=_has_playbooks_of_others() if set_facts is None else set_facts)


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _parsed(text: str, name: str) -> Any:
    """The value in JSON or YAML.

    :raises AnsibleActionFail: if the text is neither. The message doesn't quote the text, which may hold tokens.
    """
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        error = UsageError(f"{name} is neither JSON nor YAML")
    raise AnsibleActionFail(error.message)


def _has_playbooks_of_others() -> bool:
    """Whether a playbook was started that isn't one of this collection, and so may have plays after the check."""
    return any(not str(name).startswith("msgops.fleet.") for name in context.CLIARGS.get("args") or ())
