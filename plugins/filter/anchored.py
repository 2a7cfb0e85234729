# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: anchored
short_description: Make a path absolute, from the folder where ansible-playbook was started
version_added: 0.1.0
description:
  - Lookups search a relative path beside the playbook, M(ansible.builtin.copy) in the folder in which it runs. The
    modules of this collection resolve it from the folder in which C(ansible-playbook) was started. With this filter,
    lookups and other modules use the same file.
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
    description: The name of the path in error messages.
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
    """``path`` as an absolute path.

    :raises AnsibleFilterError: if ``~`` or the starting folder can't be resolved.
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
