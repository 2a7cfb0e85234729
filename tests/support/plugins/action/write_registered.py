# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes registered results to a file as JSON; templates that do so take Ansible seconds for forty results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """``names`` are the variables, ``dest`` is the file."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write the file."""
        result = super().run(tmp, task_vars)
        registered = {name: (task_vars or {})[name] for name in self._task.args["names"]}
        Path(self._task.args["dest"]).write_text(json.dumps(registered), encoding="utf-8")
        return dict(result)
