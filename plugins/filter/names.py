# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: names
short_description: Make a list of names given in any form
version_added: 0.1.0
description:
  - A survey of AWX gives a text with a name on each line, C(--extra-vars) may give a list, a template JSON or YAML text
    of one. This filter takes all of these, as the options of this collection's modules do.
author:
  - msgops.fleet contributors (@msgops)
positional: _input, option
options:
  _input:
    description:
      - A list, text with a name on each line or commas between them, or JSON or YAML text of a list. Null and blank
        text are an empty list.
    type: raw
    required: true
  option:
    description: What error messages call the names.
    type: str
    default: the names
"""

EXAMPLES = r"""
- name: Take the answer of a survey
  ansible.builtin.debug:
    msg: "{{ 'corner\n market \n' | msgops.fleet.names }}"
    # => ["corner", "market"]

- name: Take a list as it is
  ansible.builtin.debug:
    msg: "{{ ['corner', 'market'] | msgops.fleet.names }}"
"""

RETURN = r"""
_value:
  description: The names.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.msgops.fleet.plugins.module_utils._common.texts import stripped
from ansible_collections.msgops.fleet.plugins.module_utils._task.normalization import is_blank
from ansible_collections.msgops.fleet.plugins.module_utils._task.text_values import parse_list


def names(value: Any, option: str = "the names") -> list[str]:
    """The names that ``value`` lists.

    :raises AnsibleFilterError: if it lists none, or something that is no name.
    """
    if is_blank(value):
        return []
    listed = parse_list(stripped(value), "str") if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(_is_name(name) for name in listed):
        raise AnsibleFilterError(
            f"{option} must be a list of names, or text with a name on each line or commas between them, or JSON or "
            "YAML text of a list; quote names such as true, 010 and 1.5"
        )
    return [stripped(name) for name in listed]


def _is_name(value: Any) -> bool:
    # A number isn't known as it was written: YAML reads 010 as 8, which may be another instance's name.
    return isinstance(value, str) and not is_blank(value)


class FilterModule:
    """Ansible's entry to the filter."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"names": names}
