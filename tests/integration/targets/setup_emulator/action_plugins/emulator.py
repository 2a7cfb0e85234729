# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's control API as a task.

Each option is a control and what is posted to it, or a list of what is posted to it one after the other; at the end
``get`` asks for something. The last answer is returned as ``json``. It runs in the worker process: a task of
ansible.builtin.uri takes a hundred times as long.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from msgops_emulator import Control, ControlError


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """Posts to the control API at ``emulator_url``, and asks there."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send the task's requests in their order."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        control = Control(str((task_vars or {})["emulator_url"]))
        posts = dict(self._task.args)
        asked = posts.pop("get", None)
        try:
            for name, bodies in posts.items():
                for body in bodies if isinstance(bodies, list) else [bodies]:
                    result["json"] = control.request("POST", name, body)
            if asked is not None:
                result["json"] = control.request("GET", asked)
        except ControlError as error:
            raise AnsibleActionFail(f"the emulator refuses: {error}") from error
        return result
