# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of inventory plugins."""

from __future__ import annotations


class ModuleDocFragment:
    """How hosts are shown."""

    DOCUMENTATION = r"""
options:
  hostnames:
    description:
      - How to name hosts. The first of these that all is known for is taken, and the ID if there is none.
      - Letters, digits, underscores, dots and hyphens are kept, anything else becomes an underscore.
      - Where several hosts would have the same name, or one that Ansible or a group has, all of them get their ID
        appended.
    type: list
    elements: str
    choices: [name, id, name_id, account_name, account_id]
    default: [name, id]
  group_prefix:
    description: What the names of the groups of O(group_by) begin with.
    type: str
    default: ''
  on_error:
    description:
      - What to do about an account that can't be listed. With V(warn) it is left out, and nothing is cached.
    type: str
    choices: [fail, warn]
    default: fail
notes:
  - The name of the source file must be C(msgops.yml), or end in C(.msgops.yml), or the same with C(.yaml), such as
    C(fleet.msgops.yml).
  - It only reads.
  - With O(cache), a cached source needs neither the network nor the credentials. Where the credentials are there, what
    was listed with others is not taken from the cache.
  - Every option but O(compose), O(groups) and O(keyed_groups) may be a template, and may be vaulted. Templates see
    extra variables only.
  - Hosts are no machines. Plays over them need C(connection) set to V(local), or tasks that are delegated, and
    C(gather_facts) set to V(false).
  - The groups of O(group_by) cost nearly nothing. O(keyed_groups) are as cheap where a key is just the name of a
    variable, while any other expression costs about a millisecond for each host.
"""
