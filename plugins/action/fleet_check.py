# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar, Literal

from ansible import context
from ansible.errors import AnsibleActionFail
from ansible.module_utils.basic import missing_required_lib
from ansible_collections.msgops.fleet.plugins.module_utils._http.session import REQUESTS_IMPORT_ERROR
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext
from ansible_collections.msgops.fleet.plugins.module_utils._task.normalization import is_blank
from ansible_collections.msgops.fleet.plugins.module_utils._task.text_values import parse_dictionary, where_unreadable
from ansible_collections.msgops.fleet.plugins.modules import fleet_check
from ansible_collections.msgops.fleet.plugins.plugin_utils._action_module import ControllerAction
from ansible_collections.msgops.fleet.plugins.plugin_utils._fleet_check import Play, check


class ActionModule(ControllerAction):
    """The check of a fleet. It has no module: only the controller knows the play's hosts and its inventory."""

    module: ClassVar[ModuleType] = fleet_check

    _requires_connection = False
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the hosts of the play."""
        self._play = Play.from_task_vars(task_vars or {})
        return super().run(tmp, task_vars)

    def _executor(self, task_vars: Mapping[str, Any]) -> Literal["controller"]:
        if REQUESTS_IMPORT_ERROR is not None:
            raise AnsibleActionFail(missing_required_lib("requests"))
        return "controller"

    def _given(self) -> dict[str, Any]:
        given = {name: value for name, value in super()._given().items() if not is_blank(value)}
        rule = _parsed(given["rule"]) if "rule" in given else {}
        overrides = {name: given.pop(name) for name in fleet_check.RULE_OVERRIDES if name in given}
        return {**given, "rule": {**rule, **overrides}} if rule or overrides else given

    def _core(self, task: TaskContext) -> dict[str, Any]:
        set_facts = task.params["set_facts"]
        return check(task, self._play, set_facts=_has_playbooks_of_others() if set_facts is None else set_facts)


def _parsed(rule: Any) -> Mapping[str, Any]:
    """The rule, which may be text in JSON or YAML.

    :raises AnsibleActionFail: if it is neither a dictionary nor the text of one.
    """
    parsed = parse_dictionary(rule) if isinstance(rule, str) else rule
    if not isinstance(parsed, Mapping):
        place = where_unreadable(rule) if isinstance(rule, str) else ""
        raise AnsibleActionFail(f"fleet_rule must be a dictionary, or its JSON or YAML{place}")
    return parsed


def _has_playbooks_of_others() -> bool:
    """Whether a playbook was started that isn't one of this collection, and so may have plays after the check."""
    return any(not str(name).startswith("msgops.fleet.") for name in context.CLIARGS.get("args") or ())
