# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what callbacks get to see of each result, in full, to the file that ``FLEET_RECORD`` names."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: recorder
type: aggregate
short_description: Record each result
description:
  - Appends a line of JSON for each task's result to the file that the variable E(FLEET_RECORD) names.
author:
  - msgops.fleet contributors (@msgops)
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no type information
    """A line of JSON for each result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorder"

    def v2_runner_on_ok(self, result: Any) -> None:
        """Record a success."""
        self._record(result, failed=False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Record a failure."""
        self._record(result, failed=True)

    def _record(self, result: Any, *, failed: bool) -> None:
        # ansible-core 2.19 and later leave "failed" out of what callbacks get.
        line = {"task": result._task.name, "result": {**result._result, "failed": failed}}
        with open(os.environ["FLEET_RECORD"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
