# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The become method ``itself``, which needs no rights and no programs."""

from __future__ import annotations

from typing import Any

from ansible.plugins.become import BecomeBase

DOCUMENTATION = r"""
name: itself
short_description: Stay the same user
description:
  - Runs the command as it is.
author:
  - msgops.fleet contributors (@msgops)
options:
  become_user:
    description: Whom to become.
    type: str
    vars:
      - name: ansible_become_user
  become_exe:
    description: The program.
    type: str
  become_flags:
    description: Its options.
    type: str
  become_pass:
    description: The password.
    type: str
"""


class BecomeModule(BecomeBase):  # type: ignore[misc]  # ansible-core has no type information
    """Stay the same user."""

    name = "itself"

    def build_become_command(self, cmd: str, shell: Any) -> Any:
        """Wrap the command as Ansible expects it of a become method."""
        super().build_become_command(cmd, shell)
        return self._build_success_command(cmd, shell) if cmd else cmd
