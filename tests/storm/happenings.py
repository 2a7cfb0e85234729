# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the runs of some creations, beside what the gateway does to each of them."""

from __future__ import annotations

import dataclasses
import signal
import time
from random import Random

from ansible_collections.msgops.fleet.tests.storm.creations import MISTAKEN, Batch, move
from ansible_collections.msgops.fleet.tests.storm.runs import Child
from ansible_collections.msgops.fleet.tests.storm.scene import Scene
from ansible_collections.msgops.fleet.tests.support.proxy import Fault as ProxyFault
from ansible_collections.msgops.fleet.tests.support.proxy import Place

# Seconds by which the clocks of machines are wrong.
_CLOCK_ERRORS = (-86400.0, -3600.0, -60.0, 60.0, 3600.0, 86400.0)
# Seconds after which a stopped run goes on, even if others still wait for it.
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
        move(batch, scene.ground_through(proxy))
        early = self.place in (Place.CONNECT, Place.HANDSHAKE)
        # A connection that breaks before a request can't be matched by its request.
        match = "" if early else scene.path_of_creation
        count = dice.randint(1, 3) if early else len(batch)
        fault = proxy.arm(ProxyFault(self.place, reset=dice.random() < 0.5, match=match, count=count))
        scene.run(batch)
        if fault.hits:
            scene.struck.add(batch[0].fault)


def _of_account(batch: Batch, account: str) -> Batch:
    return [creation for creation in batch if creation.ground.account == account]


def _name_first(scene: Scene, batch: Batch) -> None:
    """Give the first of two accounts a name, and run its names; the second one has its name already."""
    first = _of_account(batch, "default")
    ground = first[0].ground
    move(first, dataclasses.replace(ground, options={**ground.options, "account": "first"}))
    scene.run(first)


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
    scene.wait_for_posts(batch, child, mark, number)
    return child
