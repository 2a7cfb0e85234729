# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

from ansible_collections.msgops.fleet.plugins.modules import instance_token
from ansible_collections.msgops.fleet.plugins.plugin_utils._action_module import ControllerAction


class ActionModule(ControllerAction):
    """The module, in the controller's own process where that makes no difference."""

    module: ClassVar[ModuleType] = instance_token
