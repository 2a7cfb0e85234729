# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals that an earlier version has made; ``journals`` holds them, a folder for each schema."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._journal.entries import Key, Memory
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal
from ansible_collections.msgops.fleet.plugins.module_utils._journal.serial import SerialFile
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.accounts import resolve_account
from ansible_collections.msgops.fleet.tests.storm.runs import in_parallel
from ansible_collections.msgops.fleet.tests.support.creation import Fleet, actions

JOURNALS = Path(__file__).with_name("journals")
# What the accounts of that time were called: by provider, address and token.
FORMER = {
    "green_api": "1da40e765dc4eca5",
    "another": "922d774808f2ecb0",
    "plugzapi": "2a3bf40fb5ebc10c",
}
STATUSES = {"adopted": "created"} | {s: s for s in ("created", "delivered", "pending", "rejected", "unknown")}


@pytest.fixture
def old(tmp_path: Path) -> str:
    """A journal of schema 1 with an entry of each status, in three accounts."""
    path = tmp_path / "old" / "journal.sqlite3"
    path.parent.mkdir(mode=0o700)
    with sqlite3.connect(path) as db:
        db.executescript((JOURNALS / "1" / "sqlite.sql").read_text(encoding="utf-8"))
    db.close()
    path.chmod(0o600)
    return str(path)


def statuses(memory: Memory, provider: str, former: str) -> dict[str, str]:
    return {e.name: e.status for e in memory.entries if (e.provider, e.fingerprint) == (provider, former)}


def assert_is_all_there(memory: Memory) -> None:
    assert statuses(memory, "green_api", FORMER["green_api"]) == STATUSES
    assert statuses(memory, "green_api", FORMER["another"]) == {"delivered": "delivered"}
    name = 'Лавка "№ 5" {{ x }}'
    assert statuses(memory, "plugzapi", FORMER["plugzapi"]) == {
        "delivered": "delivered",
        "unknown": "unknown",
        name: "created",
    }
    ids = {e.instance_id for e in memory.entries if e.instance_id}
    assert len(ids) == 6
    assert len({e.operation_id for e in memory.entries}) == len(memory.entries) == 10


def test_it_can_be_read_as_it_is(old: str) -> None:
    before = Path(old).read_bytes()
    assert_is_all_there(Journal(old).read())
    assert Path(old).read_bytes() == before


def test_it_is_carried_over_by_the_first_run_that_writes(old: str) -> None:
    with Journal(old).locked([Key("green_api", "new")]):
        pass
    assert_is_all_there(Journal(old).read())
    assert SerialFile(old).read().changes == 10  # what there is to lose
    with sqlite3.connect(old) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables == {"access", "change", "creation", "lease", "reboot", "serial"}
        assert db.execute("SELECT ticket FROM reboot").fetchall() == [("ticket",)]
    db.close()


@dataclass(frozen=True)
class Upgrading:
    """Take the name over, and leave it to the next."""

    location: str
    name: str

    def __call__(self) -> int:
        with Journal(self.location).locked([Key("green_api", self.name)]) as lease:
            return len(lease.memory.entries)


def test_several_runs_at_once_carry_it_over_once(old: str) -> None:
    """A name of schema 1 is of two accounts."""
    assert in_parallel(*[Upgrading(old, "delivered") for _run in range(3)]) == [2, 2, 2]
    assert_is_all_there(Journal(old).read())


@pytest.fixture
def carried(old: str, plugz: Fleet) -> Fleet:
    """The account that made the journal of schema 1, without a listing, at its address of today."""
    plugz.options["journal"] = old
    plugz.emulator.config({"plugzapi.listing": "http404"})
    partner_token = plugz.emulator.account("plugzapi")["partner_token"]
    (former,) = resolve_account("plugzapi", None, plugz.emulator.url, partner_token).former
    with sqlite3.connect(old) as db:
        db.execute("UPDATE creation SET account = ? WHERE account = ?", (former, FORMER["plugzapi"]))
    db.close()
    return plugz


def test_its_account_is_known_by_what_it_was_called(carried: Fleet) -> None:
    result = carried.create("delivered", "unknown", credentials_file=None)
    assert actions(result) == {"delivered": "unchanged", "unknown": "unknown"}
    assert result["instances"][0]["id"] == "0" * 31 + "A"
    assert result["warnings"] == []
    assert carried.posts() == []
    addresses = {e["name"]: e["address"] for e in carried.journal_task(provider="plugzapi")["entries"]}
    assert addresses == dict.fromkeys(addresses, carried.emulator.url), "one name tells it of all"
    assert len(addresses) == 3


@pytest.mark.parametrize("change", ["token", "address", "both"])
def test_nothing_of_it_is_created_again_whatever_has_changed_since(carried: Fleet, change: str) -> None:
    options: dict[str, Any] = {}
    if change != "address":
        options["partner_token"] = "another-token"
        carried.emulator.seed(accounts=[{"provider": "plugzapi", "name": "default", "partner_token": "another-token"}])
    if change != "token":
        options["api_url"] = carried.emulator.url.replace("127.0.0.1", "localhost")
    result = carried.create("delivered", "unknown", credentials_file=None, **options)
    assert actions(result) == {"delivered": "unchanged", "unknown": "unknown"}
    assert any("taken for a renewed token" in warning for warning in result["warnings"])
    assert carried.posts() == []
    assert carried.create("delivered", credentials_file=None, **options)["warnings"] == []
