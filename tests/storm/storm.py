# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storm of creations, each with a fault, re-run until resolved; then the gateway is asked what it really has.

``python -m ansible_collections.msgops.fleet.tests.storm.storm --help``, or ``make storm``. Everything random comes from
the seed. The runs are processes of their own that run instance_create's core, one name or several in each.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import random
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

import trustme
from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import ListingPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import LeasePolicy
from ansible_collections.msgops.fleet.tests.storm import record
from ansible_collections.msgops.fleet.tests.storm.circumstances import can_mount
from ansible_collections.msgops.fleet.tests.storm.creations import Ground
from ansible_collections.msgops.fleet.tests.storm.faults import FAULTS, faults_for
from ansible_collections.msgops.fleet.tests.storm.journals import FileJournal, PostgresJournal, StormJournal
from ansible_collections.msgops.fleet.tests.storm.postgres import PostgresServer
from ansible_collections.msgops.fleet.tests.storm.scene import HOST, OTHER_HOST, Scene
from ansible_collections.msgops.fleet.tests.storm.verdict import violations
from ansible_collections.msgops.fleet.tests.storm.weather import Storm

from msgops_emulator import EmulatorProcess

# Shorter times than the core's own: how long a listing is asked again, and how long a dead process keeps its names.
TIMES = {
    "listing_policy": ListingPolicy(timeout=2.0, first_pause=0.1, second_look=0.1),
    "lease_policy": LeasePolicy(duration=3.0, heartbeat=0.75),
}


def storm_over(
    folder: Path,
    *,
    creations: int,
    seed: int,
    has_listing: bool,
    workers: int = 4,
    is_proxied: bool = False,
    postgres: PostgresServer | None = None,
    times: Mapping[str, Any] | None = None,
    constants: Mapping[str, Any] | None = None,
    only: Sequence[str] = (),
    may_mount: bool = True,
    tell: Callable[[str], None] = print,
) -> list[str]:
    """Raise a storm, print its table, and return its violations.

    ``only`` names the faults that it is to have. If it ``may_mount``, and this process can, disks are really full.
    """
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
    chosen = {name: fault for name, fault in faults_for(*properties).items() if not only or name in only}
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
            authority.issue_cert(HOST, OTHER_HOST).configure_cert(tls)
            options = {"ca_path": str(folder / "ca.pem")}
            ground = dataclasses.replace(ground, api_url=f"https://{HOST}", options=options)
        scene = Scene(
            emulator=emulator,
            provider=provider,
            folder=folder,
            has_listing=has_listing,
            ground=ground,
            new_journal=new_journal,
            times=TIMES if times is None else times,
            constants=constants or {},
            tls=tls,
            can_mount=may_mount and can_mount(),
            stack=stack,
        )
        storm = Storm(scene, seed, chosen)
        storm.brew(creations)
        started = time.monotonic()
        rounds = storm.blow(workers)
        seconds = time.monotonic() - started
        found = violations(storm)
        there = scene.record.instances()
        rows = record.table(
            list(chosen),
            storm.creations,
            record.duplicates(storm.creations, there),
            record.lost(storm.creations, provider, there),
        )
        tell(
            f"{provider} {'with' if has_listing else 'without'} a listing, "
            f"{'through a proxy' if is_proxied else 'direct'}, journal in {'PostgreSQL' if postgres else 'SQLite'}, "
            f"seed {seed}: {creations} creations in {scene.runs} runs and {rounds} rounds, {seconds:.0f} s, "
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
    parser.add_argument("--only", action="append", default=[], choices=list(FAULTS), metavar="FAULT")
    parser.add_argument("--without-mounts", action="store_true", help="limit files where a disk is to be full")
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
            may_mount=not options.without_mounts,
        )
    for line in found:
        print(shorten(line, 400), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
