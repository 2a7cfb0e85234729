# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account at an emulated gateway, and the tasks that create instances there."""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import ListingPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import LeasePolicy
from ansible_collections.msgops.fleet.tests.storm.runs import PATIENCE, Child, Result, Run

from msgops_emulator import Emulator

GATEWAYS = ("green_api", "plugzapi")

# The three ways in which PlugzAPI may say that it has no listing.
NO_LISTING = ("http404", "http405", "not_found_200")

# Wait for a lagging listing for a quarter of a second instead of 15, and a moment between two looks.
QUICK_LISTING = ListingPolicy(timeout=0.25, first_pause=0.05, second_look=0.05)

# Take over the lease of a dead process after a second instead of ten.
SHORT_LEASE = LeasePolicy(duration=1.0, heartbeat=0.25)

NOBODY = 65534


@dataclass
class Fleet:
    """One account's instances, with a journal (a file unless ``options`` names another) and a credentials file."""

    emulator: Emulator
    provider: str
    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    listing_policy: ListingPolicy = QUICK_LISTING

    def __post_init__(self) -> None:
        self.journal_file = self.folder / "state" / "journal.sqlite3"
        self.credentials_file = self.folder / "credentials.json"

    @property
    def journal(self) -> str:
        """Where the journal lies."""
        return str(self.options.get("journal", self.journal_file))

    def task(self, *names: str, **options: Any) -> Run:
        """The task that makes sure of instances, for a process of its own as well."""
        run = {key: options.pop(key) for key in ("check_mode", "diff", "no_log", "progress") if key in options}
        times = {key: options.pop(key) for key in ("lease_policy", "lock_timeout") if key in options}
        if len(names) == 1:
            wanted: dict[str, Any] = {"name": names[0]}
        else:
            wanted = {"instances": [{"name": name} for name in names]}
        given = {
            "provider": self.provider,
            "api_url": self.emulator.url,
            "partner_token": self.emulator.account(self.provider)["partner_token"],
            "journal": self.journal,
            "credentials_file": str(self.credentials_file),
            "timeout": 2.0,
            "retry_timeout": 0,
            **wanted,
            **self.options,
            **options,
        }
        return Run(
            "instance_create",
            {key: value for key, value in given.items() if value is not None},
            times={"listing_policy": self.listing_policy, **times},
            **run,
        )

    def create(self, *names: str, **options: Any) -> Result:
        """The result of that task, run here."""
        return self.task(*names, **options)()

    def journal_task(self, **options: Any) -> Result:
        """The result of the module creation_journal."""
        run = {key: options.pop(key) for key in ("check_mode", "diff") if key in options}
        times = {key: options.pop(key) for key in ("lease_policy",) if key in options}
        return Run("creation_journal", {"journal": self.journal, **options}, times=times, **run)()

    def entry(self, name: str) -> dict[str, Any] | None:
        """What the journal says about a name."""
        found = [entry for entry in self.journal_task()["entries"] if entry["name"] == name]
        assert len(found) <= 1
        return found[0] if found else None

    def status(self, name: str) -> str | None:
        """The status of the name's entry in the journal."""
        entry = self.entry(name)
        return entry and entry["status"]

    # The gateway's side

    def arm(self, call: str, fault: str, **options: Any) -> None:
        """Arm a fault of the emulator for ``create`` or ``list``."""
        self.emulator.arm(f"{self.provider}.{call}", fault, **options)

    def seed(self, *names: str, **options: Any) -> list[dict[str, Any]]:
        """Instances that the modules didn't create."""
        instances = [{"provider": self.provider, "name": name, **options} for name in names]
        return self.emulator.seed(instances=instances)["instances"]

    def existing(self, name: str | None = None) -> list[dict[str, Any]]:
        """The account's instances without deleted ones."""
        filters = {"provider": self.provider} | ({} if name is None else {"name": name})
        return [instance for instance in self.emulator.instances(**filters) if instance["state"] != "deleted"]

    def posts(self) -> list[str]:
        """The names in the creations that reached the gateway, whatever became of them."""
        return [json.loads(entry["body"])["name"] for entry in self.log("create")]

    def log(self, call: str) -> list[dict[str, Any]]:
        """The gateway's log of ``create`` or ``list``."""
        return self.emulator.log(route=f"{self.provider}.{call}")

    def wait_for(self, call: str, number: int = 1) -> None:
        """Wait until the gateway has got that many of ``create`` or ``list``."""
        wait_until(lambda: len(self.log(call)) >= number, f"{number} {call}")

    def start_hanging(
        self, *names: str, fault: Mapping[str, Any] | None = None, requests: int = 1, **options: Any
    ) -> Child:
        """A run in a process of its own, once the gateway has got its creations, which hang until they are released.

        ``fault`` are the fault's options, ``requests`` is the number of creations to wait for.
        """
        self.arm("create", "hang", **fault or {})
        run = Child(self.task(*names, timeout=30, **options))
        self.wait_for("create", requests)
        return run

    # The credentials file

    def credentials(self) -> dict[str, dict[str, str]]:
        """The credentials file's part for this gateway."""
        content = json.loads(self.credentials_file.read_text(encoding="utf-8"))
        return dict(content.get(self.provider, {}))

    def assert_delivered(self, *names: str) -> None:
        """Each name is there exactly once, and its ID and token are in the credentials file."""
        credentials = self.credentials()
        for name in names:
            (instance,) = self.existing(name)
            expected = {"id": str(instance["id"]), "token": instance["token"], "api_url": self.emulator.url}
            assert credentials[name] == expected


@dataclass(frozen=True)
class Unprivileged:
    """A run in a process that file modes mean something to."""

    run: Run

    def __call__(self) -> dict[str, Any]:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        return self.run()


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """What ``condition`` gives once it is true: it waits for another process or thread."""
    give_up_at = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < give_up_at, f"never came: {what}"
        time.sleep(0.01)
    return found


def second_account(fleet: Fleet) -> str:
    """The partner token of another account at the same address."""
    accounts = [{"provider": fleet.provider, "name": "second"}]
    return str(fleet.emulator.seed(accounts=accounts)["accounts"][0]["partner_token"])


def renew(fleet: Fleet) -> None:
    """The vendor gives the account another partner token; the old one is of no use any more."""
    token = fleet.emulator.account(fleet.provider)["partner_token"] + "+renewed"
    fleet.emulator.seed(accounts=[{"provider": fleet.provider, "name": "default", "partner_token": token}])


# Other spellings of an emulator's address.
SPELLINGS = ("{url}/", "HTTP{rest}", " {url}//\n", "http://localhost:{port}", "http://LocalHost:{port}/")


def spelled(spelling: str, fleet: Fleet) -> str:
    """The emulator's address in one of ``SPELLINGS``."""
    url = fleet.emulator.url
    return spelling.format(url=url, rest=url.removeprefix("http"), port=url.rpartition(":")[2])


def actions(result: Mapping[str, Any]) -> dict[str, str]:
    """What became of each name."""
    return {instance["name"]: instance["action"] for instance in result["instances"]}


def commands_in(message: str) -> Iterator[str]:
    """The commands that a message proposes, as a person would copy them."""
    yield from re.findall(r"(?:MSGOPS_JOURNAL='[^']+' )?ansible localhost -m [\w.]+ -a '[^']+'", message)


def tasks_in(message: str) -> Iterator[dict[str, Any]]:
    """The options in those commands."""
    for command in commands_in(message):
        yield dict(option.split("=", 1) for option in shlex.split(command)[-1].split())
