# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of a storm: what the gateway does to a creation, and what happens to its runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from ansible_collections.msgops.fleet.tests.storm import happenings, losses
from ansible_collections.msgops.fleet.tests.storm.creations import Creation
from ansible_collections.msgops.fleet.tests.storm.scene import ROUND, Scene
from ansible_collections.msgops.fleet.tests.support.proxy import Place

Armed = tuple[str, dict[str, Any]]
# Listings that don't show a creation: fewer than are asked in the time that it has.
_FEW = 2


@dataclass(frozen=True)
class Fault:
    """``armed``: what the emulator does to the creation; ``happens``: what happens to its runs.

    ``may_lose``: no program can see to it that its tokens are written.
    ``accounts`` are those at the emulator that it is about; each name is in all of them.
    ``needs`` are the properties of a storm that it can't be had without: a
    ``listing``, a journal in a ``file``, a ``direct`` way to the gateway, or one through a ``proxy``.
    """

    armed: tuple[Armed, ...] = ()
    happens: Callable[[Scene, list[Creation], Random], None] = happenings.one_run
    may_lose: bool = False
    accounts: tuple[str, ...] = ("default",)
    needs: frozenset[str] = frozenset()

    @property
    def may_miss(self) -> bool:
        """Whether it strikes only those whom it meets."""
        is_aimed = self.happens is happenings.kill or isinstance(self.happens, happenings.Breaking)
        return is_aimed or bool(self.armed) or "nameless" in self.accounts

    @property
    def may_be_mixed(self) -> bool:
        """Whether its creations may be in one run with those of other faults."""
        # A client that takes an informational response for the final one gives each later response to the wrong
        # request.
        is_clean = "informational" not in dict(self.armed)
        return self.happens is happenings.one_run and self.accounts == ("default",) and is_clean


def _gateway(kind: str, *more: Armed, **options: Any) -> Fault:
    return Fault(((kind, options), *more))


FAULTS: dict[str, Fault] = {
    "none": Fault(),
    "hang before commit": _gateway("hang", when="before"),
    "hang after commit": _gateway("hang", when="after"),
    "reset before commit": _gateway("reset", when="before"),
    "reset after commit": _gateway("reset", when="after"),
    "closed before commit": _gateway("close", when="before"),
    "closed after commit": _gateway("close", when="after"),
    "closed in the answer's head": _gateway("close", at="answer_head"),
    "reset in the answer's body": _gateway("reset", at="answer_body"),
    "reset after the answer": _gateway("reset", at="answer_end"),
    "502 before commit": _gateway("bad_gateway", when="before"),
    "502 after commit": _gateway("bad_gateway", when="after"),
    "499 before commit": _gateway("client_closed", when="before"),
    "499 after commit": _gateway("client_closed", when="after"),
    "truncated body": _gateway("truncate"),
    "unreadable body": _gateway("garbage"),
    "answer in ISO-8859-1": _gateway("charset"),
    "informational answers": _gateway("informational", statuses=[100, 103, 103], pause=0.1),
    "429": _gateway("throttle", retry_after="seconds", seconds=1.0),
    "refused with 400": _gateway("status", status=400),
    "answer lost, listing lags": _gateway("close", ("lag", {"listings": _FEW}), when="after"),
    "answer lost, listing lags longer than it is asked": _gateway("close", ("lag", {"seconds": ROUND}), when="after"),
    "an instance without a name is listed": Fault(accounts=("nameless",), needs=frozenset({"listing"})),
    **{
        f"connection breaks {place.value}": Fault(happens=happenings.Breaking(place))
        for place in Place
        if place is not Place.HANDSHAKE
    },
    f"connection breaks {Place.HANDSHAKE.value}": Fault(
        happens=happenings.Breaking(Place.HANDSHAKE), needs=frozenset({"proxy"})
    ),
    "a proxy for a loopback address": Fault(happens=happenings.proxied_loopback, needs=frozenset({"direct"})),
    "kill -9": Fault(happens=happenings.kill),
    "two runs at once": Fault(happens=happenings.two_runs),
    "stopped for longer than its lease": Fault(happens=happenings.stop),
    "stopped before it creates": Fault(happens=happenings.stop_before_creating),
    "clocks that are wrong": Fault(happens=happenings.wrong_clock),
    "two runs at once whose clocks are wrong": Fault(happens=happenings.two_wrong_clocks),
    "token renewed": Fault(happens=happenings.renew, accounts=("renewing",)),
    "token renewed while the outcome is open": Fault(happens=happenings.renew_while_open, accounts=("renewing",)),
    "address spelled otherwise while the outcome is open": Fault(happens=happenings.respell),
    "two runs at once that spell the address differently": Fault(happens=happenings.respell_at_once),
    "equal names in two accounts": Fault(happens=happenings.equal_names, accounts=("default", "second")),
    "equal names in two accounts that have names": Fault(
        happens=happenings.equal_names_apart, accounts=("default", "second")
    ),
    "no room for the credentials": Fault(happens=losses.full_disk_of_credentials),
    "no more room for the credentials after the request": Fault(
        happens=losses.filling_disk_of_credentials, may_lose=True
    ),
    "no room for the journal": Fault(happens=losses.full_disk_of_journal, needs=frozenset({"file"})),
    "no more room for the journal after the request": Fault(
        happens=losses.filling_disk_of_journal, needs=frozenset({"file"})
    ),
    "journal replaced by an older copy": Fault(happens=losses.restore_journal),
    "journal emptied": Fault(happens=losses.empty_journal),
}


def faults_for(*properties: str) -> dict[str, Fault]:
    """The faults that a storm with these properties can have."""
    return {name: fault for name, fault in FAULTS.items() if fault.needs <= set(properties)}
