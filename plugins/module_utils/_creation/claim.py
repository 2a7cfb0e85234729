# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the journal's entries belongs to a desired instance."""

from __future__ import annotations

import collections
from dataclasses import dataclass

from .._journal.entries import Entry, Memory
from .._vendors.accounts import Kinship, kinship
from .desired import DesiredInstance


@dataclass(frozen=True)
class Claim:
    """The entry of a desired instance; or its ``rivals``, if it isn't known which of them is the instance's, if any."""

    kinship: Kinship
    entry: Entry | None = None
    rivals: tuple[Entry, ...] = ()


def find_claim(desired: DesiredInstance, memory: Memory) -> Claim:
    """Find the entry of a desired instance by name and account."""
    related: dict[Kinship, list[Entry]] = collections.defaultdict(list)
    for entry in memory.entries_for(desired.key):
        related[kinship(desired.account, entry)].append(entry)
    if same := _closest(desired, related[Kinship.SAME]):
        return Claim(Kinship.SAME, same[0]) if len(same) == 1 else Claim(Kinship.UNCLEAR, rivals=tuple(same))
    renewed = related[Kinship.RENEWED]
    # A rejected creation made no instance.
    rivals = [
        entry
        for kin in (Kinship.RENAMED, Kinship.UNCLEAR, Kinship.RENEWED)
        for entry in related[kin]
        if entry.status != "rejected"
    ]
    if renewed and not rivals:
        return Claim(Kinship.RENEWED, renewed[0])
    if len(rivals) == 1 and rivals[0] in renewed:
        return Claim(Kinship.RENEWED, rivals[0])
    if rivals:
        return Claim(kinship(desired.account, rivals[0]), rivals=tuple(rivals))
    return Claim(Kinship.OTHER)


def _closest(desired: DesiredInstance, same: list[Entry]) -> list[Entry]:
    """Of entries of the same account, those with its name, and of these, those with its address, if there are any."""
    account = desired.account
    same = [entry for entry in same if entry.account == account.name] or same
    return [entry for entry in same if any(a.address == account.address for a in entry.accesses)] or same
