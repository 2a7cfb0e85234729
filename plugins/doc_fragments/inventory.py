# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of inventory plugins."""

from __future__ import annotations


class ModuleDocFragment:
    """Names, groups and errors."""

    DOCUMENTATION = r"""
options:
  hostnames:
    description:
      - How to name hosts. The first of these whose parts are all known is used, else the ID.
      - Letters, digits, underscores, dots and hyphens are kept; any other character becomes an underscore.
      - Hosts that would have the same name, or the name of a group or of Ansible itself, get their ID appended.
    type: list
    elements: str
    choices: [name, id, name_id, account_name, account_id]
    default: [name, id]
  group_prefix:
    description: A prefix for the names of the groups of O(group_by).
    type: str
    default: ''
  on_error:
    description:
      - What to do if an account can't be listed. With V(fail), the source fails. With V(warn), the account is left out
        with a warning, and nothing is cached.
    type: str
    choices: [fail, warn]
    default: fail
notes:
  - The name of the source file must be C(msgops.yml), or end in C(.msgops.yml), or the same with C(.yaml), such as
    C(fleet.msgops.yml).
  - It changes nothing at the vendor.
  - With O(cache), a cached source needs neither the network nor the credentials. If credentials are set, a cache that
    was filled with other credentials is not used.
  - Every option except O(compose), O(groups) and O(keyed_groups) may be a template, and may be vaulted. Templates can
    use extra variables only.
  - The hosts are not machines. Plays over them need C(connection) set to V(local), or delegated tasks, and
    C(gather_facts) set to V(false).
  - The groups of O(group_by) take nearly no time. O(keyed_groups) take as little if the key is the name of a variable;
    any other expression takes about a millisecond for each host.
"""
