# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Safe and unique names of hosts, made of the names that others have given the instances."""

from __future__ import annotations

import collections
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

# The variables that a host's name is made of, by the value of the option hostnames.
STYLES: dict[str, tuple[str, ...]] = {
    "name": ("name",),
    "id": ("id",),
    "name_id": ("name", "id"),
    "account_name": ("account", "name"),
    "account_id": ("account", "id"),
}

# The variables that are appended to a name that isn't unique.
_LONGER = (("id",), ("account", "id"))

# Characters of one part of a name. Ansible and its plugins use host names as file names.
_LONGEST_PART = 64


def safe(text: str) -> str:
    """``text`` as a part of a host's name; empty if no character of it is allowed there.

    Characters with a meaning in host patterns, paths or templates become underscores. Letters of all scripts stay.
    """
    line = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", text))
    return line.strip("._-")[:_LONGEST_PART].rstrip("._-")


def host_names(hosts: Sequence[Mapping[str, Any]], styles: Sequence[str], taken: Collection[str]) -> list[str]:
    """A name for each of ``hosts``, in the first of ``styles`` whose variables are all known.

    If several hosts would have the same name, or a name in ``taken`` (in any case), the ID is appended to the names of
    all of them, so that no host gets the name of another one after that was deleted. If names still aren't unique,
    the account's name is appended, too.
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
