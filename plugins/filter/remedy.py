# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: remedy
short_description: What to do about an instance's state
version_added: 0.1.0
description:
  - Turns a state that M(msgops.fleet.instance_state) returns into a sentence that says what to do about it.
author:
  - msgops.fleet contributors (@msgops)
positional: _input
options:
  _input:
    description:
      - A state, or null for an instance that could not be read. Any other word is treated like V(unknown).
    type: str
    required: true
seealso:
  - plugin: msgops.fleet.instance_state
    plugin_type: module
"""

EXAMPLES = r"""
- name: Say what to do about an instance
  ansible.builtin.debug:
    msg: "{{ 'notAuthorized' | msgops.fleet.remedy }}"
    # => link a phone: instance_link, provision_link and the gateway's console show its code
"""

RETURN = r"""
_value:
  description: What to do.
  type: str
"""

from collections.abc import Callable

from ansible_collections.msgops.fleet.plugins.module_utils._common.states import normalize, remedy_for


def remedy(state: str | None) -> str:
    """What to do about ``state``."""
    return remedy_for(normalize(state) if state else None)


class FilterModule:
    """Ansible's entry to the filter."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"remedy": remedy}
