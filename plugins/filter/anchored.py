# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: anchored
short_description: A path that means the same file in every plugin
version_added: 1.0.0
description:
  - Lookups look for a relative path beside the playbook, M(ansible.builtin.copy) where it
    happens to run. The modules of this collection take it from the folder in which C(ansible-playbook) was started.
    This filter does that for all others.
  - A path that begins with C(~) or a variable stays as it is. If there is no home folder, C(~) is an error.
author:
  - msgops.fleet contributors (@msgops)
positional: _input, option
options:
  _input:
    description: A path, or a pattern of paths.
    type: str
    required: true
  option:
    description: What a message calls it.
    type: str
    default: the path
"""

EXAMPLES = r"""
- name: Read the file that instance_create has written
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', 'credentials.json' | msgops.fleet.anchored, errors='ignore') }}"

- name: Leave an absolute path as it is
  ansible.builtin.debug:
    msg: "{{ '/srv/fleet/credentials.json' | msgops.fleet.anchored }}"
    # => /srv/fleet/credentials.json
"""

RETURN = r"""
_value:
  description: The absolute path.
  type: str
"""

from collections.abc import Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.paths import absolute, start_folder


def anchored(path: str, option: str = "the path") -> str:
    """``path`` as an absolute one.

    :raises AnsibleFilterError: if it can't be told what it means.
    """
    try:
        found = absolute(path, option, start_folder())
    except UsageError as error:
        raise AnsibleFilterError(error.message) from None
    return path if path.startswith(("~", "$")) else found


class FilterModule:
    """Ansible's entry to the filter."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"anchored": anchored}
