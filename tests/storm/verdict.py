# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a storm must not leave behind, and its table."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.msgops.fleet.tests.storm import record
from ansible_collections.msgops.fleet.tests.storm.weather import Storm


def violations(storm: Storm) -> list[str]:
    """What must not be, one line each; nothing after a storm that was weathered."""
    scene, there = storm.scene, storm.scene.record.instances()
    missed = [name for name, fault in storm.faults.items() if fault.may_miss and name not in scene.struck]
    found = [f"{name}: it never struck, so nothing was tested" for name in missed]
    found += [f"{creation.fault}: {lie}" for creation in storm.creations for lie in creation.lies]
    found += [
        f"{count} too many of {name} in the account {account}"
        for (account, name), count in record.duplicates(storm.creations, there).items()
    ]
    found += [
        f"{c.fault}: {c.name} isn't resolved: {', '.join(c.said)}: {c.message}"
        for c in storm.creations
        if not c.is_fulfilled
    ]
    for creation in record.lost(storm.creations, scene.provider, there):
        # A gateway without a listing never shows the token of a lost response again; but a run must warn of that.
        may_lose = creation.is_excused or (storm.faults[creation.fault].may_lose and creation.warned)
        if scene.has_listing or not may_lose:
            word = "although it was told" if creation.warned else "without a word"
            found.append(f"{creation.fault}: the token of {creation.name} was lost, {word} ({creation.said})")
    for path in (scene.output, Path(scene.ground.journal)):
        if path.is_file():
            text = path.read_bytes().decode(errors="replace")
            places = scene.record.places_of_secrets(text, storm.creations, there)
            found += [f"{path.name} holds {place}" for place in places]
    return found
