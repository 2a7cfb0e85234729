# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which inventory sources of this run failed, and why.

Ansible only warns of them, and runs the playbook over the hosts of the other sources. It keeps the paths of the sources
that it could parse, but no reasons: the collection's inventory plugins keep theirs here, in Ansible's main process. An
action plugin runs in a fork of that process, so it sees them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ansible.inventory.manager import IGNORED
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.utils.path import unfrackpath

# The path of each source of this collection that failed, or left out accounts, and the reasons, without secrets.
source_failures: dict[str, list[str]] = {}

# Ansible reads it if no other source is given, and it need not exist.
_DEFAULT_SOURCE = "/etc/ansible/hosts"


def failed_sources(inventory: Any) -> list[str]:
    """One sentence for each failure of a source of ``inventory``, an ``InventoryManager``.

    A source failed if it doesn't exist, if no inventory plugin could parse it, or if it left out an account.
    """
    parsed = {to_text(path) for path in inventory._inventory.processed_sources if path}
    failures = []
    for source in _files(inventory._sources):
        reasons = source_failures.get(source)
        if not reasons and source not in parsed:
            exists = "," in source or os.path.exists(source)
            reasons = [
                "no inventory plugin could parse it; Ansible's warnings say why" if exists else "it doesn't exist"
            ]
        failures += [f"the inventory source {source} failed: {reason}" for reason in reasons or ()]
    return failures


def _files(sources: Any) -> Iterator[str]:
    """The sources as Ansible parses them: each file of a folder is one."""
    for source in sources:
        path = source if not source or "," in source else to_text(unfrackpath(source, follow=False))
        if path and os.path.isdir(path):
            names = (name for name in sorted(os.listdir(path)) if not IGNORED.search(to_bytes(name)))
            yield from _files([os.path.join(path, name) for name in names])
        elif path and not (path == _DEFAULT_SOURCE and not os.path.exists(path)):
            yield path
