# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names for hosts that somebody else has named: safe to use, and each for one host only."""

from __future__ import annotations

import collections
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

# How a host's name can be made, from its variables.
STYLES: dict[str, tuple[str, ...]] = {
    "name": ("name",),
    "id": ("id",),
    "name_id": ("name", "id"),
    "account_name": ("account", "name"),
    "account_id": ("account", "id"),
}

# What is appended to a name that isn't free.
_LONGER = (("id",), ("account", "id"))

# Ansible and its plugins make file names of host names.
_LONGEST_PART = 64


def safe(text: str) -> str:
    """``text`` as (part of) a host's name, empty if nothing of it can be.

    Whatever means something in a host pattern, in a path or in a template becomes an underscore. Letters of all
    scripts stay.
    """
    line = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", text))
    return line.strip("._-")[:_LONGEST_PART].rstrip("._-")


def host_names(hosts: Sequence[Mapping[str, Any]], styles: Sequence[str], taken: Collection[str]) -> list[str]:
    """A name for each of ``hosts``, in the first of ``styles`` that all of it is known for.

    Where several hosts would have the same name, or one that is ``taken`` (whatever the case), all of them get their
    id appended, so that a host doesn't take over the name of another that goes. If that doesn't do, the account's name
    comes in, too.
    """
    reserved = {name.casefold() for name in taken}
    bases = [
        next(filter(None, (_joined(host, STYLES[style]) for style in (*styles, "id"))), "unnamed") for host in hosts
    ]
    names = list(bases)
    steps = [0] * len(names)
    while True:
        counts = collections.Counter(names)
        clashing = [index for index, name in enumerate(names) if counts[name] > 1 or name.casefold() in reserved]
        if not clashing:
            return names
        for index in clashing:
            suffix = _joined(hosts[index], _LONGER[steps[index]]) if steps[index] < len(_LONGER) else ""
            names[index] = f"{bases[index]}_{suffix}" if suffix else f"{names[index]}_{index}"
            steps[index] += 1


def _joined(host: Mapping[str, Any], variables: Sequence[str]) -> str:
    parts = [safe(str(host[variable] or "")) for variable in variables]
    return "_".join(parts) if all(parts) else ""
