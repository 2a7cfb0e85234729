# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that sends requests to the emulator's control API.

Each option is a path of the control API with the body that is posted to it, or a list of bodies that are posted one
after the other. ``get`` is a path that is read at the end. The last response is returned as ``json``. The plugin runs
in Ansible's worker process, where a request takes a hundredth of the time of a task of ansible.builtin.uri.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from msgops_emulator import Control, ControlError


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """Sends requests to the emulator at ``emulator_url``."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send the requests in the order of the options."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        control = Control(str((task_vars or {})["emulator_url"]))
        posts = dict(self._task.args)
        path = posts.pop("get", None)
        try:
            for name, bodies in posts.items():
                for body in bodies if isinstance(bodies, list) else [bodies]:
                    result["json"] = control.request("POST", name, body)
            if path is not None:
                result["json"] = control.request("GET", path)
        except ControlError as error:
            raise AnsibleActionFail(f"the emulator refuses the request: {error}") from error
        return result
