# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the runs of some creations, beside what the gateway does to each of them."""

from __future__ import annotations

import dataclasses
import json
import signal
import time
from collections.abc import Sequence
from random import Random

from ansible_collections.msgops.fleet.tests.storm.circumstances import Disk
from ansible_collections.msgops.fleet.tests.storm.creations import MISTAKEN, Creation, Ground
from ansible_collections.msgops.fleet.tests.storm.journals import StormJournal
from ansible_collections.msgops.fleet.tests.storm.runs import Child
from ansible_collections.msgops.fleet.tests.storm.scene import Scene
from ansible_collections.msgops.fleet.tests.support.proxy import Fault as ProxyFault
from ansible_collections.msgops.fleet.tests.support.proxy import Place

Batch = list[Creation]

# Seconds by which the clocks of machines are wrong.
_CLOCK_ERRORS = (-86400.0, -3600.0, -60.0, 60.0, 3600.0, 86400.0)
# Seconds after which whoever stands still goes on, even if the others still wait for it.
_LONGEST_STOP = 8.0


def one_run(scene: Scene, batch: Batch, dice: Random) -> None:
    """Nothing but what the gateway does."""
    scene.run(batch)


def kill(scene: Scene, batch: Batch, dice: Random) -> None:
    """The run is killed: nothing of it goes on."""
    child = _start_and_wait(scene, batch, dice)
    child.kill()
    scene.hear(batch, child)


def two_runs(scene: Scene, batch: Batch, dice: Random) -> None:
    """Two runs at once, of the same names."""
    scene.hear(batch, *[scene.start(batch) for _run in range(2)])


def stop(scene: Scene, batch: Batch, dice: Random) -> None:
    """The run stands still for longer than its lease lasts, while another one works on its names."""
    first = _start_and_wait(scene, batch, dice)
    first.signal(signal.SIGSTOP)
    _go_on_later(scene, batch, first)


def stop_before_creating(scene: Scene, batch: Batch, dice: Random) -> None:
    """The same, where it knows already what there is, and has not begun anything yet."""
    with scene.held_listings(1) as held:
        first = scene.start(batch)
        held.wait(first)
        first.signal(signal.SIGSTOP)
    _go_on_later(scene, batch, first)


def wrong_clock(scene: Scene, batch: Batch, dice: Random) -> None:
    """A run on a machine whose clock is wrong and is set while it works, then one on another such machine."""
    before, after, other = (dice.choice(_CLOCK_ERRORS) for _n in range(3))
    scene.lose_answers(batch[::2], shown=True)
    scene.run(batch, clock=((0.0, before), (dice.uniform(0.05, 0.5), after)))
    scene.run(batch, clock=((0.0, other),))


def two_wrong_clocks(scene: Scene, batch: Batch, dice: Random) -> None:
    """Two runs at once on machines whose clocks are wrong by unlike times."""
    with scene.held_listings(2) as held:
        children = [scene.start(batch, clock=((0.0, error),)) for error in dice.sample(_CLOCK_ERRORS, 2)]
        held.wait(*children)
    scene.hear(batch, *children)


def renew(scene: Scene, batch: Batch, dice: Random) -> None:
    """The account's partner token is renewed after the run, and the next one has the new token."""
    scene.run(batch)
    scene.renew(batch[0].ground.account)
    scene.run(batch)


def renew_while_open(scene: Scene, batch: Batch, dice: Random) -> None:
    """The same, while it is open what became of the creations."""
    scene.lose_answers(batch, shown=False)
    renew(scene, batch, dice)


def respell(scene: Scene, batch: Batch, dice: Random) -> None:
    """While it is open what became of the creations, the address is spelled in another way."""
    scene.lose_answers(batch, shown=False)
    scene.run(batch)
    scene.run(batch, api_url=dice.choice(scene.spellings))


def respell_at_once(scene: Scene, batch: Batch, dice: Random) -> None:
    """Two runs at once that spell the address in two ways."""
    addresses = dice.sample([batch[0].ground.api_url, *scene.spellings], 2)
    scene.hear(batch, *[scene.start(batch, api_url=address) for address in addresses])


def equal_names(scene: Scene, batch: Batch, dice: Random) -> None:
    """The names of one account are created in another one, too, without a word about which account it is.

    Where a run took one for the other, the accounts get names, as its warning says, and the first uses its own first.
    """
    for account in ("default", "second"):
        if part := _of_account(batch, account):
            scene.run(part, account=None)
    if any(creation.said[-1] == MISTAKEN for creation in batch):
        _name_first(scene, batch)


def equal_names_apart(scene: Scene, batch: Batch, dice: Random) -> None:
    """The same, and both accounts have names from the beginning."""
    _name_first(scene, batch)
    if second := _of_account(batch, "second"):
        scene.run(second)


def proxied_loopback(scene: Scene, batch: Batch, dice: Random) -> None:
    """The environment names a proxy, and the address is a loopback one, to which http is allowed."""
    proxy = scene.new_proxy(gateway=False)
    variables = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"), proxy.url)
    scene.run(batch, environment=variables)
    if proxy.requests:
        batch[0].lies.append(f"the partner token went through a proxy in clear, {len(proxy.requests)} times")


@dataclasses.dataclass(frozen=True)
class Breaking:
    """Connections break at one place on their way through a proxy, or through a gateway in the API's place."""

    place: Place

    def __call__(self, scene: Scene, batch: Batch, dice: Random) -> None:
        proxy = scene.new_proxy(gateway=not scene.is_proxied)
        _move(batch, scene.ground_through(proxy))
        early = self.place in (Place.CONNECT, Place.HANDSHAKE)
        # Of what breaks before there is a request nobody can tell what it was to be.
        match = "" if early else scene.path_of_creation
        count = dice.randint(1, 3) if early else len(batch)
        fault = proxy.arm(ProxyFault(self.place, reset=dice.random() < 0.5, match=match, count=count))
        scene.run(batch)
        if fault.hits:
            scene.struck.add(batch[0].fault)


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


def _move(batch: Batch, ground: Ground) -> None:
    for creation in batch:
        creation.ground = ground


def _of_account(batch: Batch, account: str) -> Batch:
    return [creation for creation in batch if creation.ground.account == account]


def _name_first(scene: Scene, batch: Batch) -> None:
    """Give the first of two accounts a name, and run its names; the second one has its name already."""
    first = _of_account(batch, "default")
    ground = first[0].ground
    _move(first, dataclasses.replace(ground, options={**ground.options, "account": "first"}))
    scene.run(first)


def _credentials_on_a_disk(scene: Scene, batch: Batch) -> Disk:
    disk = scene.new_disk()
    file = disk.folder / "credentials.json"
    others = {f"other-{number}": {"id": str(number), "token": "x" * 50} for number in range(disk.LARGE // 64)}
    file.write_text(json.dumps({"other": others}))
    journal = scene.new_journal().location
    _move(batch, dataclasses.replace(batch[0].ground, disk=disk, credentials_file=file, journal=journal))
    return disk


def _journal_on_a_disk(scene: Scene, batch: Batch) -> Disk:
    disk = scene.new_disk()
    _move(batch, dataclasses.replace(batch[0].ground, disk=disk, journal=str(disk.folder / "journal.sqlite3")))
    return disk


def _own_journal(scene: Scene, batch: Batch) -> StormJournal:
    journal = scene.new_journal()
    _move(batch, dataclasses.replace(batch[0].ground, journal=journal.location))
    return journal


def _lose_answers_and_journal(scene: Scene, creations: Sequence[Creation], journal: StormJournal) -> None:
    """Lose the answers, where the journal notices what it has lost, or the listing knows what it has forgotten."""
    if journal.knows_its_age or scene.has_listing:
        scene.lose_answers(creations, shown=not journal.knows_its_age)


def _run_without(scene: Scene, batch: Batch, journal: StormJournal, newest: str) -> None:
    """A run with what is left of the journal; who is refused finds the newest state again."""
    scene.run(batch)
    if not all(creation.is_fulfilled for creation in batch):
        journal.put_back(newest)


def _go_on_later(scene: Scene, batch: Batch, first: Child) -> None:
    """Let a run that stands still go on once another one has had its names."""
    time.sleep(scene.lease + 0.2)
    second = scene.start(batch)
    # The one that stands still may have a lock in its hand.
    second.ends_within(_LONGEST_STOP)
    first.signal(signal.SIGCONT)
    scene.hear(batch, first, second)


def _start_and_wait(scene: Scene, batch: Batch, dice: Random) -> Child:
    """A run that is at its beginning, or waits for the answers to some creations and has had those to others."""
    number = dice.choice((0, 1, len(batch), dice.randint(1, len(batch))))
    if not number:
        child = scene.start(batch)
        time.sleep(dice.uniform(0.0, 0.2))
        return child
    for creation in batch[dice.randrange(number) :]:
        scene.arm(creation, "slow", seconds=1.0)
    mark = scene.record.now()
    child = scene.start(batch)
    _wait_for_posts(scene, batch, child, mark, number)
    return child


def _wait_for_posts(scene: Scene, batch: Batch, child: Child, mark: int, number: int) -> None:
    """Wait until the gateway has that many of the creations, or the run ends."""
    names = {creation.name for creation in batch}
    while not child.ends_within(0.02) and len(scene.record.posts(mark).keys() & names) < number:
        pass


def _run_and_fill(scene: Scene, batch: Batch, disk: Disk, largest_file: int) -> None:
    """One run, and no room on the disk from when the gateway has the first of the creations."""
    for creation in batch:
        scene.arm(creation, "slow", seconds=0.4)
    mark = scene.record.now()
    child = scene.start(batch)
    _wait_for_posts(scene, batch, child, mark, 1)
    disk.fill(largest_file, child)
    scene.hear(batch, child, since=mark)
