# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a storm takes place: the gateway, its accounts, and what the happenings do with them."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.msgops.fleet.tests.storm.circumstances import Circumstances, Disk, Quota, Tmpfs
from ansible_collections.msgops.fleet.tests.storm.creations import Creation, Ground
from ansible_collections.msgops.fleet.tests.storm.journals import StormJournal
from ansible_collections.msgops.fleet.tests.storm.postgres import PASSWORD
from ansible_collections.msgops.fleet.tests.storm.record import Record
from ansible_collections.msgops.fleet.tests.storm.runs import PATIENCE, Child, Run
from ansible_collections.msgops.fleet.tests.support.proxy import Proxy

from msgops_emulator import EmulatorProcess

# Seconds that a run waits for an answer.
_TIMEOUT = 2.0
# What the API is called where it is behind a proxy.
HOST = "api.gateway.test"
OTHER_HOST = "other.gateway.test"
# Seconds of the emulator's clock, which stands still in a round, until listings show what lags.
ROUND = 3600.0


@dataclass(frozen=True)
class Held:
    """Listings that hang."""

    emulator: EmulatorProcess
    id: int
    number: int

    def wait(self, *children: Child) -> None:
        """Wait until they hang, or a run ends; after the first one, for less time than the runs' timeout."""
        give_up_at = time.monotonic() + PATIENCE
        hanging = 0
        while hanging < self.number and time.monotonic() < give_up_at:
            (fault,) = (fault for fault in self.emulator.faults() if fault["id"] == self.id)
            if fault["hanging"] > hanging == 0:
                give_up_at = time.monotonic() + 0.75 * _TIMEOUT
            hanging = fault["hanging"]
            if any(child.ends_within(0.02) for child in children):
                return


@dataclass
class Scene:
    """Accounts at the emulator, and the ways to them.

    ``struck`` are the faults that have struck, among those that may miss. ``can_mount``: whether a disk can be really
    full.
    """

    emulator: EmulatorProcess
    provider: str
    folder: Path
    has_listing: bool
    ground: Ground
    new_journal: Callable[[], StormJournal]
    times: Mapping[str, Any]
    constants: Mapping[str, Any]
    tls: ssl.SSLContext | None
    can_mount: bool
    stack: contextlib.ExitStack
    runs: int = 0
    struck: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.record = Record(self.emulator, self.provider, {PASSWORD})
        self.output = self.folder / "output"
        self._numbers = itertools.count()
        self._note_secrets()
        if self.is_proxied:
            self.ground = self.ground_through(self.new_proxy(gateway=False))

    @property
    def is_proxied(self) -> bool:
        """Whether the way to the gateway is a tunnel through a proxy."""
        return self.tls is not None

    @property
    def lease(self) -> float:
        """Seconds for which a process that stands still keeps its names."""
        return float(self.times["lease_policy"].duration)

    @property
    def spellings(self) -> list[str]:
        """Other ways to spell the address of the API."""
        if self.is_proxied:
            same = [f"HTTPS://{HOST.title()}", f"https://{HOST}:443/", f" https://{HOST}// "]
            return [*same, f"https://{OTHER_HOST}"]
        hosts = ("HTTP://127.0.0.1", "http://LOCALHOST", "http://localhost")
        return [*(f"{host}:{self._port}" for host in hosts), f" {self.emulator.url}// "]

    @property
    def path_of_creation(self) -> str:
        """What the head of a creation's request holds, and no other one."""
        return "/createInstance/" if self.provider == "green_api" else "/integrator/on-demand "

    def start(
        self,
        batch: Sequence[Creation],
        *,
        clock: Sequence[tuple[float, float]] = (),
        environment: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Child:
        """Begin a run of these names; an option that is ``None`` isn't given."""
        ground = batch[0].ground
        names = [{"name": creation.name} for creation in batch]
        given = {
            "provider": self.provider,
            "api_url": ground.api_url,
            "partner_token": self.emulator.account(self.provider, ground.account)["partner_token"],
            "journal": ground.journal,
            "credentials_file": str(ground.credentials_file),
            "timeout": _TIMEOUT,
            "retry_timeout": 6.0,
            **(names[0] if len(names) == 1 else {"instances": names}),
            **ground.options,
            **options,
        }
        given = {key: value for key, value in given.items() if value is not None}
        # Without no_log, a token in the result is a defect.
        run = Run("instance_create", given, diff=True, no_log=False, times=self.times, constants=self.constants)
        self.runs += 1
        variables = {**ground.environment, **(environment or {})}
        limit = ground.disk.largest_file if ground.disk else None
        return Child(Circumstances(run, self.output, variables, clock, limit))

    def run(self, batch: Sequence[Creation], **circumstances: Any) -> None:
        """A run that is alone with these names, to its end."""
        mark = self.record.now()
        self.hear(batch, self.start(batch, **circumstances), since=mark)

    def hear(self, batch: Sequence[Creation], *children: Child, since: int | None = None) -> None:
        """Wait for what the runs say; ``since`` is a mark from before a run that was alone with its names.

        :raises AssertionError: if one died that wasn't killed; the file ``output`` may say why.
        """
        for child in children:
            result = child.result()
            if result is None and not child.was_killed:
                raise AssertionError(f"a run died: {self.output.read_text()[-2000:]}")
            self.record.hear(batch, result, since=since)

    def arm(self, creation: Creation, kind: str, **options: Any) -> None:
        """Have the gateway do something to a creation."""
        self.emulator.arm(f"{self.provider}.create", kind, match=f'"{creation.name}"', **options)

    def lose_answers(self, creations: Sequence[Creation], *, shown: bool) -> None:
        """Have the gateway carry creations out and not say so; the listing shows them at once, or not in this round."""
        for creation in creations:
            self.arm(creation, "close", when="after")
            if not shown:
                self.arm(creation, "lag", seconds=ROUND)

    def wait_for_posts(self, batch: Sequence[Creation], child: Child, since: int, number: int) -> None:
        """Wait until the gateway has that many of the creations, or the run ends."""
        names = {creation.name for creation in batch}
        while not child.ends_within(0.02) and len(self.record.posts(since).keys() & names) < number:
            pass

    @contextlib.contextmanager
    def held_listings(self, number: int) -> Iterator[Held]:
        """The next listings hang until that many of them do, or until the block ends."""
        fault = self.emulator.arm(f"{self.provider}.list", "hang", count=number)
        held = Held(self.emulator, fault["id"], number)
        try:
            yield held
        finally:
            self.emulator.disarm(held.id)
            self.emulator.release(held.id)

    def renew(self, account: str) -> None:
        """Renew the account's partner token: the one before it doesn't hold any more."""
        self.emulator.renew(self.provider, account)
        self._note_secrets()

    def new_proxy(self, *, gateway: bool) -> Proxy:
        """A new proxy to the gateway, or with ``gateway`` one in the gateway's place."""
        return self.stack.enter_context(Proxy(self._port, tls=self.tls, gateway=gateway))

    def ground_through(self, proxy: Proxy) -> Ground:
        """The usual ground, but for the way, which is through this proxy or gateway."""
        if self.is_proxied:
            return dataclasses.replace(self.ground, environment={"https_proxy": proxy.url})
        return dataclasses.replace(self.ground, api_url=proxy.url)

    def new_disk(self) -> Disk:
        """A new small disk."""
        disk = (Tmpfs if self.can_mount else Quota)(self.folder / f"disk-{next(self._numbers)}")
        self.stack.callback(disk.close)
        return disk

    def _note_secrets(self) -> None:
        accounts = (account for account in self.emulator.accounts() if account["provider"] == self.provider)
        self.record.secrets |= {account["partner_token"] for account in accounts}

    @property
    def _port(self) -> int:
        port = urlsplit(self.emulator.url).port
        assert port is not None
        return port
