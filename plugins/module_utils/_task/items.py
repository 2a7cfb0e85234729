# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of the option ``instances`` that are results of modules or hosts of the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The keys of the items that the collection's modules return: an item may be passed on with all of them.
RESULT_KEYS = frozenset(
    {
        *("id", "name", "token", "provider", "account", "api_url", "due", "due_raw", "action", "error"),
        *("state", "vendor_state", "authorized", "health", "attempts", "observed_at", "before", "code", "file"),
        *("after", "changed_keys"),
        *("trial_ends_at", "payment_status", "vendor_status"),
    }
)

# The host variables of the inventory have this prefix. A host passes as an item by those that name the instance.
_HOST_PREFIX = "msgops_"
_HOST_KEYS = ("id", "name", "token", "provider", "api_url")
# What ``hostvars`` has for each host besides variables that begin with ``ansible_``: the magic variables, from
# ansible-core's ``VariableManager._get_magic_variables``.
_MAGIC_VARIABLES = frozenset(
    {
        *("inventory_hostname", "inventory_hostname_short", "inventory_dir", "inventory_file"),
        *("group_names", "groups", "omit", "playbook_dir"),
    }
)


def own_keys(item: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return ``item`` without what a result or a host has besides the ``options`` of an item.

    An item with the inventory's ``msgops_id`` is a host, which has Ansible's magic and connection variables, too.
    """
    known = {key for name, option in options.items() for key in (name, *option.get("aliases", ()))}
    is_host = f"{_HOST_PREFIX}id" in item
    kept = {key: value for key, value in item.items() if key in known or not _is_ignored(str(key), is_host=is_host)}
    for key in _HOST_KEYS:
        if key in known and f"{_HOST_PREFIX}{key}" in item:
            kept.setdefault(key, item[f"{_HOST_PREFIX}{key}"])
    return kept


def _is_ignored(key: str, *, is_host: bool) -> bool:
    """Whether an item may have ``key`` although it isn't an option."""
    if key in RESULT_KEYS or key.startswith(_HOST_PREFIX):
        return True
    return is_host and (key in _MAGIC_VARIABLES or key.startswith("ansible_"))
