# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storm of creations, each with a fault, re-run until settled; then the gateway is asked what it really has.

``python -m ansible_collections.msgops.fleet.tests.storm.storm --help``, or ``make storm``. Everything random comes from
the seed. The runs are processes of their own that run instance_create's core, one name or several in each.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import itertools
import random
import re
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten
from typing import Any, ClassVar
from urllib.parse import urlsplit

import trustme
from ansible_collections.msgops.fleet.tests.storm import faults, record
from ansible_collections.msgops.fleet.tests.storm.circumstances import Circumstances, Disk, Quota, Tmpfs, can_mount
from ansible_collections.msgops.fleet.tests.storm.creations import KILLED, Creation, Ground
from ansible_collections.msgops.fleet.tests.storm.journals import FileJournal, PostgresJournal, StormJournal
from ansible_collections.msgops.fleet.tests.storm.postgres import PASSWORD, PostgresServer
from ansible_collections.msgops.fleet.tests.storm.runs import Child, Run
from ansible_collections.msgops.fleet.tests.support.proxy import Proxy

from msgops_emulator import EmulatorProcess

# The core's own times in seconds, in a hurry: how long a listing is asked again, and how long a dead process keeps its
# names.
CONSTANTS = {
    "_listing.SETTLE": 2.0,
    "_listing._FIRST_PAUSE": 0.1,
    "_journal._LEASE": 3.0,
    "_journal._HEARTBEAT": 0.75,
}
ROUNDS = 6
# How many names a run has: those that processes and machines happen to, and those of which each has a fault of its own.
_SIZES, _MIXED_SIZES = (1, 3, 10, 20), (1, 10, 30, 60)
# Seconds that a run waits for an answer.
_TIMEOUT = 2.0
# What the API is called where it is behind a proxy.
_HOST = "api.gateway.test"


@dataclass(frozen=True)
class Held:
    """Listings that hang."""

    emulator: EmulatorProcess
    id: int
    number: int

    def wait(self, *children: Child) -> None:
        """Wait until they hang, for less than whoever asks for them waits; a run may have ended before it asked."""
        give_up_at = time.monotonic() + 0.75 * _TIMEOUT
        while time.monotonic() < give_up_at and not any(child.ends_within(0.0) for child in children):
            (fault,) = (fault for fault in self.emulator.faults() if fault["id"] == self.id)
            if fault["hanging"] >= self.number:
                return
            time.sleep(0.02)


@dataclass
class Storm:
    """Accounts at the emulator, and the creations that the storm is about."""

    ROUND: ClassVar[float] = faults.ROUND

    emulator: EmulatorProcess
    provider: str
    folder: Path
    has_listing: bool
    ground: Ground
    new_journal: Callable[[], StormJournal]
    constants: dict[str, Any]
    seed: int
    tls: ssl.SSLContext | None
    faults: Mapping[str, faults.Fault]
    stack: contextlib.ExitStack
    creations: list[Creation] = field(default_factory=list)
    runs: int = 0
    # The faults that have struck, of those that might miss.
    struck: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.record = record.Record(self.emulator, self.provider, {PASSWORD})
        self.output = self.folder / "output"
        self._numbers = itertools.count()
        self._can_mount = can_mount()
        self._secrets()

    # What the happenings need

    @property
    def is_proxied(self) -> bool:
        """Whether the way to the gateway is a tunnel through a proxy."""
        return self.tls is not None

    @property
    def lease(self) -> float:
        """Seconds for which a process that stands still keeps its names."""
        return float(self.constants["_journal._LEASE"])

    @property
    def spellings(self) -> list[str]:
        """Other ways to spell the address of the API."""
        if self.is_proxied:
            other = _HOST.replace("api", "other")
            return [f"HTTPS://{_HOST.title()}", f"https://{_HOST}:443/", f" https://{_HOST}// ", f"https://{other}"]
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
        # Tokens that may not be in the result are told from those that are there by mistake.
        run = Run("instance_create", given, diff=True, no_log=False, constants=self.constants)
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

        :raises AssertionError: if one died that nobody has killed; the file ``output`` may say why.
        """
        for child in children:
            result = child.result()
            if result is None and not child.was_killed:
                raise AssertionError(f"a run died: {self.output.read_text()[-2000:]}")
            self.record.hear(batch, result, since=since)

    def arm(self, creation: Creation, kind: str, **options: Any) -> None:
        """Have the gateway do something to a creation."""
        self.emulator.arm(f"{self.provider}.create", kind, match=f'"{creation.name}"', **options)

    @contextlib.contextmanager
    def held_listings(self, number: int) -> Iterator[Held]:
        """The next listings hang until that many of them do, or until nobody waits for that any more."""
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
        self._secrets()

    def new_proxy(self, *, gateway: bool) -> Proxy:
        """A proxy of one's own to the gateway, or with ``gateway`` one that stands in its place."""
        return self.stack.enter_context(Proxy(self._port, tls=self.tls, gateway=gateway))

    def ground_through(self, proxy: Proxy) -> Ground:
        """The usual ground, but for the way, which is through this proxy or gateway."""
        if self.is_proxied:
            return dataclasses.replace(self.ground, environment={"https_proxy": proxy.url})
        return dataclasses.replace(self.ground, api_url=proxy.url)

    def new_disk(self) -> Disk:
        """A small disk of one's own."""
        disk = (Tmpfs if self._can_mount else Quota)(self.folder / f"disk-{next(self._numbers)}")
        self.stack.callback(disk.close)
        return disk

    # The storm

    def brew(self, number: int) -> None:
        """Plan that many creations, each fault as often as every other one."""
        grounds = {"default": self.ground}
        names = list(self.faults)
        for place in range(number):
            fault = names[place % len(names)]
            turn = place // len(names)
            account, name = self.faults[fault].account, f"storm-{place:05d}"
            if fault == "equal names in two accounts":
                account, name = ("default", "second")[turn % 2], f"storm-twin-{turn // 2:05d}"
            if account not in grounds:
                options = {**self.ground.options, **({"account": account} if account == "second" else {})}
                grounds[account] = dataclasses.replace(self.ground, account=account, options=options)
            self.creations.append(Creation(name, fault, grounds[account]))

    def blow(self, workers: int) -> int:
        """Run until everything is settled; the number of rounds that it took."""
        for number in range(1, ROUNDS + 1):
            open_creations = [creation for creation in self.creations if not creation.is_fulfilled]
            if not open_creations:
                return number - 1
            # The faults are those of the first round; afterwards the weather is fine.
            batches = list(self._rough_batches() if number == 1 else self._batches(open_creations))
            happen = self._happen if number == 1 else self.run
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(happen, batches))
            if number == 1:
                self._see_what_struck()
                self.emulator.disarm()
                self._list_one_without_a_name()
            self._settle_as_a_person_would()
            self.emulator.advance(self.ROUND)
        return ROUNDS

    def _rough_batches(self) -> Iterator[list[Creation]]:
        """Single runs and bulk runs; what happens to a process happens to one of its own."""
        dice = random.Random(self.seed)
        by_kind: dict[str, list[Creation]] = collections.defaultdict(list)
        for creation in self.creations:
            by_kind["" if self.faults[creation.fault].may_be_mixed else creation.fault].append(creation)
        batches = []
        for kind, alike in by_kind.items():
            # Of two that have the same name, both are in the same one.
            if kind != "equal names in two accounts":
                dice.shuffle(alike)
            while alike:
                size = dice.choice(_SIZES if kind else _MIXED_SIZES)
                size += size % 2 if kind == "equal names in two accounts" else 0
                batches.append(alike[:size])
                del alike[:size]
        dice.shuffle(batches)
        self._list_one_without_a_name()
        yield from batches

    def _batches(self, creations: Sequence[Creation]) -> Iterator[list[Creation]]:
        by_ground: dict[Ground, list[Creation]] = collections.defaultdict(list)
        for creation in creations:
            by_ground[creation.ground].append(creation)
        for alike in by_ground.values():
            for start in range(0, len(alike), max(_MIXED_SIZES)):
                yield alike[start : start + max(_MIXED_SIZES)]

    def _see_what_struck(self) -> None:
        by_name = self.record.posts(0)
        for creation in self.creations:
            kinds = {entry["fault"] for entry in by_name.get(creation.name, ())}
            if kinds & dict(self.faults[creation.fault].armed).keys() or KILLED in creation.said:
                self.struck.add(creation.fault)
        if self.emulator.log(route=f"{self.provider}.list", fault="nulls"):
            self.struck |= {name for name, fault in self.faults.items() if fault.account == "nameless"}

    def _happen(self, batch: list[Creation]) -> None:
        for creation in batch:
            for kind, options in self.faults[creation.fault].armed:
                self.arm(creation, kind, **options)
        dice = random.Random(f"{self.seed} {batch[0].name}")
        self.faults[batch[0].fault].happens(self, batch, dice)

    def _settle_as_a_person_would(self) -> None:
        """Look into the gateway's console, and do what the message says."""
        there = self.record.instances()
        for creation in self.creations:
            if creation.said[-1] == "unknown":
                found = there.get(creation.key)
                wanted = {"action": "adopt", "instance_id": str(found[0]["id"])} if found else {"action": "discard"}
                task = printed_task(creation.message, wanted["action"])
                result = Run("creation_journal", {**task, "journal": creation.ground.journal, **wanted})()
                if result.get("failed"):
                    creation.lies.append(f"the way out of {creation.name} doesn't work: {result['msg']}")

    def _list_one_without_a_name(self) -> None:
        """Have the listing of one account show an instance without a name, always."""
        account = next((fault.account for fault in self.faults.values() if fault.account == "nameless"), None)
        if account:
            token = self.emulator.account(self.provider, account)["partner_token"]
            self.emulator.arm(f"{self.provider}.list", "nulls", match=token, count=None, key="name")

    def _secrets(self) -> None:
        accounts = (account for account in self.emulator.accounts() if account["provider"] == self.provider)
        self.record.secrets |= {account["partner_token"] for account in accounts}

    @property
    def _port(self) -> int:
        port = urlsplit(self.emulator.url).port
        assert port is not None
        return port


def printed_task(message: str, action: str) -> dict[str, str]:
    """The options of the command that a message prints for an action; none if it prints no such command."""
    for arguments in re.findall(r"ansible localhost -m msgops\.fleet\.creation_journal -a '([^']*)'", message):
        options = dict(word.split("=", 1) for word in arguments.split())
        if options["action"] == action:
            return options
    return {}


def violations(storm: Storm) -> list[str]:
    """What must not be, one line each; nothing after a storm that was weathered."""
    there = storm.record.instances()
    missed = [name for name, fault in storm.faults.items() if fault.may_miss and name not in storm.struck]
    found = [f"{name}: it has struck nobody, so nothing was tried" for name in missed]
    found += [f"{creation.fault}: {lie}" for creation in storm.creations for lie in creation.lies]
    found += [
        f"{count} too many of {name} in the account {account}"
        for (account, name), count in record.duplicates(storm.creations, there).items()
    ]
    found += [
        f"{c.fault}: {c.name} isn't settled: {', '.join(c.said)}: {c.message}"
        for c in storm.creations
        if not c.is_fulfilled
    ]
    for creation in record.lost(storm.creations, storm.provider, there):
        # Without a listing nobody can tell a token again that was in a lost answer; but the user must be told so.
        may_lose = creation.is_excused or (storm.faults[creation.fault].may_lose and creation.warned)
        if storm.has_listing or not may_lose:
            word = "although it was told" if creation.warned else "without a word"
            found.append(f"{creation.fault}: the token of {creation.name} was lost, {word} ({creation.said})")
    for path in (storm.output, Path(storm.ground.journal)):
        if path.is_file():
            text = path.read_bytes().decode(errors="replace")
            places = storm.record.places_of_secrets(text, storm.creations, there)
            found += [f"{path.name} holds {place}" for place in places]
    return found


def storm_over(
    folder: Path,
    *,
    creations: int,
    seed: int,
    has_listing: bool,
    workers: int = 4,
    is_proxied: bool = False,
    postgres: PostgresServer | None = None,
    constants: dict[str, Any] | None = None,
    only: Sequence[str] = (),
    tell: Callable[[str], None] = print,
) -> list[str]:
    """Raise a storm, print its table, and return its violations; ``only`` names the faults that it is to have."""
    # GREEN-API always has a listing; PlugzAPI has one in Z-API's documentation only.
    provider = "green_api" if has_listing else "plugzapi"
    config: dict[str, Any] = {"server.log_entries": 200_000, f"{provider}.token_style": "awkward"}
    if not has_listing:
        config["plugzapi.listing"] = random.Random(seed).choice(("http404", "http405", "not_found_200"))
    accounts = [{"provider": provider, "name": name} for name in ("second", "renewing", "nameless")]
    instances = [{"provider": provider, "account": "nameless", "name": "nameless"}]
    properties = [
        *(["listing"] if has_listing else []),
        *([] if postgres else ["file"]),
        "proxy" if is_proxied else "direct",
    ]
    chosen = {name: fault for name, fault in faults.faults_for(*properties).items() if not only or name in only}
    with (
        EmulatorProcess(config, {"accounts": accounts, "instances": instances}) as emulator,
        contextlib.ExitStack() as stack,
    ):
        # A listing lags for as long as the storm wants it to.
        emulator.freeze()
        numbers = itertools.count()

        def new_journal() -> StormJournal:
            return PostgresJournal(postgres) if postgres else FileJournal(folder / f"journal-{next(numbers)}")

        ground = Ground(new_journal().location, folder / "credentials.json", emulator.url)
        tls = None
        if is_proxied:
            authority = trustme.CA()
            authority.cert_pem.write_to_path(str(folder / "ca.pem"))
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(_HOST, _HOST.replace("api", "other")).configure_cert(tls)
            options = {"ca_path": str(folder / "ca.pem")}
            ground = dataclasses.replace(ground, api_url=f"https://{_HOST}", options=options)
        storm = Storm(
            emulator=emulator,
            provider=provider,
            folder=folder,
            has_listing=has_listing,
            ground=ground,
            new_journal=new_journal,
            constants=CONSTANTS | (constants or {}),
            seed=seed,
            tls=tls,
            faults=chosen,
            stack=stack,
        )
        if is_proxied:
            storm.ground = storm.ground_through(storm.new_proxy(gateway=False))
        storm.brew(creations)
        started = time.monotonic()
        rounds = storm.blow(workers)
        seconds = time.monotonic() - started
        found = violations(storm)
        there = storm.record.instances()
        rows = record.table(
            list(chosen),
            storm.creations,
            record.duplicates(storm.creations, there),
            record.lost(storm.creations, provider, there),
        )
        tell(
            f"{provider} {'with' if has_listing else 'without'} a listing, "
            f"{'through a proxy' if is_proxied else 'direct'}, journal in {'PostgreSQL' if postgres else 'SQLite'}, "
            f"seed {seed}: {creations} creations in {storm.runs} runs and {rounds} rounds, {seconds:.0f} s, "
            f"{len(found)} violations\n\n{rows}\n"
        )
        return found


def main() -> int:
    """The command; it ends with 1 if anything was violated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--creations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4, help="runs at once")
    parser.add_argument("--without-listing", action="store_true", help="a gateway that can't list its instances")
    parser.add_argument("--proxy", action="store_true", help="https through a proxy, not directly to the gateway")
    parser.add_argument("--postgres", action="store_true", help="the journal in a PostgreSQL server, not in a file")
    parser.add_argument("--only", action="append", default=[], choices=list(faults.FAULTS), metavar="FAULT")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="msgops-storm-"))
        found = storm_over(
            Path(folder),
            creations=options.creations,
            seed=options.seed,
            has_listing=not options.without_listing,
            workers=options.workers,
            is_proxied=options.proxy,
            postgres=stack.enter_context(PostgresServer()) if options.postgres else None,
            only=options.only,
        )
    for line in found:
        print(shorten(line, 400), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
