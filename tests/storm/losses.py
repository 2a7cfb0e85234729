# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the files of some creations: there is no room for them, or a journal is lost."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from random import Random

from ansible_collections.msgops.fleet.tests.storm.circumstances import Disk
from ansible_collections.msgops.fleet.tests.storm.creations import Batch, Creation, move
from ansible_collections.msgops.fleet.tests.storm.journals import StormJournal
from ansible_collections.msgops.fleet.tests.storm.scene import Scene


def full_disk_of_credentials(scene: Scene, batch: Batch, dice: Random) -> None:
    """There is no room where the tokens are to be written."""
    disk = _credentials_on_a_disk(scene, batch)
    disk.fill(disk.LARGE)
    scene.run(batch)
    disk.make_room()


def filling_disk_of_credentials(scene: Scene, batch: Batch, dice: Random) -> None:
    """There is none any more from when the creations are at the gateway."""
    disk = _credentials_on_a_disk(scene, batch)
    _run_and_fill(scene, batch, disk, disk.LARGE)
    disk.make_room()


def full_disk_of_journal(scene: Scene, batch: Batch, dice: Random) -> None:
    """There is no room where the journal lies, and then there is again."""
    disk = _journal_on_a_disk(scene, batch)
    disk.fill(disk.SMALL)
    scene.run(batch)
    disk.make_room()
    scene.run(batch)


def filling_disk_of_journal(scene: Scene, batch: Batch, dice: Random) -> None:
    """There is no room for it any more from when the creations are at the gateway."""
    disk = _journal_on_a_disk(scene, batch)
    _run_and_fill(scene, batch, disk, disk.SMALL)
    disk.make_room()
    scene.run(batch)


def restore_journal(scene: Scene, batch: Batch, dice: Random) -> None:
    """The journal is lost after a run, and an older copy is put in its place."""
    journal = _own_journal(scene, batch)
    # Some of the names are in the copy; of the others, some are open.
    known = max(1, len(batch) // 3)
    scene.run(batch[:known])
    older = journal.copy()
    _lose_answers_and_journal(scene, batch[known::2], journal)
    scene.run(batch)
    newest = journal.copy()
    journal.put_back(older)
    _run_without(scene, batch, journal, newest)


def empty_journal(scene: Scene, batch: Batch, dice: Random) -> None:
    """The journal is lost after a run, and nothing is left of it."""
    journal = _own_journal(scene, batch)
    _lose_answers_and_journal(scene, batch[::2], journal)
    scene.run(batch)
    newest = journal.copy()
    journal.empty()
    _run_without(scene, batch, journal, newest)


def _credentials_on_a_disk(scene: Scene, batch: Batch) -> Disk:
    disk = scene.new_disk()
    file = disk.folder / "credentials.json"
    others = {f"other-{number}": {"id": str(number), "token": "x" * 50} for number in range(disk.LARGE // 64)}
    file.write_text(json.dumps({"other": others}))
    journal = scene.new_journal().location
    move(batch, dataclasses.replace(batch[0].ground, disk=disk, credentials_file=file, journal=journal))
    return disk


def _journal_on_a_disk(scene: Scene, batch: Batch) -> Disk:
    disk = scene.new_disk()
    move(batch, dataclasses.replace(batch[0].ground, disk=disk, journal=str(disk.folder / "journal.sqlite3")))
    return disk


def _own_journal(scene: Scene, batch: Batch) -> StormJournal:
    journal = scene.new_journal()
    move(batch, dataclasses.replace(batch[0].ground, journal=journal.location))
    return journal


def _lose_answers_and_journal(scene: Scene, creations: Sequence[Creation], journal: StormJournal) -> None:
    """Lose the answers, where the journal notices what it has lost, or the listing knows what it has forgotten."""
    if journal.knows_its_age or scene.has_listing:
        scene.lose_answers(creations, shown=not journal.knows_its_age)


def _run_without(scene: Scene, batch: Batch, journal: StormJournal, newest: str) -> None:
    """A run with what is left of the journal; if it is refused, the newest copy is put back."""
    scene.run(batch)
    if not all(creation.is_fulfilled for creation in batch):
        journal.put_back(newest)


def _run_and_fill(scene: Scene, batch: Batch, disk: Disk, largest_file: int) -> None:
    """One run, and no room on the disk from when the gateway has the first of the creations."""
    for creation in batch:
        scene.arm(creation, "slow", seconds=0.4)
    mark = scene.record.now()
    child = scene.start(batch)
    scene.wait_for_posts(batch, child, mark, 1)
    disk.fill(largest_file, child)
    scene.hear(batch, child, since=mark)
