# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal as a file: its mode, its content at each time, and the errors if it can't be used."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal
from ansible_collections.msgops.fleet.plugins.module_utils._journal.location import storage_at
from ansible_collections.msgops.fleet.plugins.module_utils._journal.schema import SCHEMA_VERSION
from ansible_collections.msgops.fleet.tests.storm.runs import Child
from ansible_collections.msgops.fleet.tests.support.creation import (
    SHORT_LEASE,
    Fleet,
    Unprivileged,
    actions,
    tasks_in,
)

from msgops_emulator import Emulator


def file_mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# File modes


def test_its_folder_is_0700_and_it_is_0600(green: Fleet) -> None:
    before = os.umask(0)
    try:
        green.create("shop")
    finally:
        os.umask(before)
    assert file_mode(green.journal_file.parent) == 0o700
    files = {path.name: file_mode(path) for path in green.journal_file.parent.iterdir()}
    assert files == {f"journal.sqlite3{end}": 0o600 for end in ("", "-journal", ".serial")}


def test_a_folder_that_is_there_keeps_its_mode_and_the_file_becomes_0600(green: Fleet) -> None:
    green.journal_file.parent.mkdir(mode=0o755)
    green.journal_file.touch(mode=0o666)
    green.journal_file.chmod(0o666)
    assert actions(green.create("shop")) == {"shop": "created"}
    assert file_mode(green.journal_file.parent) == 0o755
    assert file_mode(green.journal_file) == 0o600


def test_its_path_may_hold_what_a_uri_spells_in_another_way(green: Fleet) -> None:
    green.journal_file = green.folder / "a b%20c?d#e&f" / "журнал.sqlite3"
    assert actions(green.create("shop")) == {"shop": "created"}
    assert green.journal_file.is_file()
    assert green.status("shop") == "delivered"


def test_a_tilde_is_the_home_folder(green: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(green.folder))
    assert actions(green.create("shop", journal=None)) == {"shop": "created"}
    assert (green.folder / ".local" / "state" / "msgops" / "fleet.sqlite3").is_file()


# What is in it, and when


def test_a_creation_is_pending_on_the_disk_before_it_is_posted(fleet: Fleet) -> None:
    """Look at the file's bytes from the gateway's side, while the creation has arrived and isn't answered."""
    run = fleet.start_hanging("shop", fault={"when": "before"})
    copy = fleet.folder / "copy.sqlite3"
    shutil.copy(fleet.journal_file, copy)  # and not its "-journal": the entry isn't part of an open transaction
    (entry,) = Journal(str(copy)).read().entries
    body = json.loads(fleet.log("create")[0]["body"])
    assert (entry.provider, entry.name, entry.status) == (fleet.provider, "shop", "pending")
    assert entry.payload_hash == hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    fleet.emulator.release()
    assert actions(run.result()) == {"shop": "created"}
    assert fleet.status("shop") == "delivered"


def test_each_of_many_is_pending_before_it_is_posted(fleet: Fleet) -> None:
    names = [f"shop-{number}" for number in range(8)]
    run = fleet.start_hanging(*names, fault={"when": "before", "count": None}, requests=4, concurrency=4)
    assert {entry["name"] for entry in fleet.journal_task(status=["pending"])["entries"]} == set(fleet.posts())
    fleet.emulator.disarm()
    fleet.emulator.release()
    assert set(actions(run.result()).values()) == {"created"}


def test_commits_are_synced_to_the_disk(green: Fleet) -> None:
    """SQLite's FULL (2): a commit returns when the disk has it. TRUNCATE, because WAL needs shared memory."""
    with storage_at(str(green.journal_file)).transaction() as transaction:
        assert transaction.execute("PRAGMA synchronous") == [(2,)]
        assert transaction.execute("PRAGMA journal_mode") == [("truncate",)]


def test_it_never_holds_a_token(fleet: Fleet) -> None:
    fleet.emulator.config({f"{fleet.provider}.token_style": "awkward"})
    fleet.arm(
        "create", "status", status=403, body="{secret} {encoded_secret} {path}", echo_secret=True, match="refused"
    )
    fleet.arm("create", "reset", when="before", match="unclear")
    fleet.seed("listed", token_style="awkward")
    fleet.create("shop", "refused", "unclear", "listed")
    tokens = [fleet.emulator.account(fleet.provider)["partner_token"]]
    tokens += [instance["token"] for instance in fleet.existing()]
    assert len(tokens) == 3
    for path in fleet.journal_file.parent.iterdir():
        content = path.read_bytes()
        for token in tokens:
            for spelling in (token, quote(token, safe=""), quote_plus(token), json.dumps(token)[1:-1]):
                assert spelling.encode() not in content
                assert spelling.encode("utf-16-le") not in content


def test_a_slash_at_the_end_of_the_address_makes_no_other_account(green: Fleet) -> None:
    green.create("shop")
    assert actions(green.create("shop", api_url=green.emulator.url + "/")) == {"shop": "unchanged"}


def test_reading_it_leaves_no_trace(green: Fleet) -> None:
    assert green.journal_task() == {
        "changed": False,
        "entries": [],
        "accounts": [],
        "invocation": green.journal_task()["invocation"],
        "warnings": [],
    }
    assert actions(green.create("shop", check_mode=True)) == {"shop": "would_create"}
    assert list(green.folder.iterdir()) == []
    green.create("shop")
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in green.journal_file.parent.iterdir()}
    green.journal_task()
    green.create("shop", check_mode=True)
    after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in green.journal_file.parent.iterdir()}
    assert before == after


# If it can't be used, nothing is created


def test_a_damaged_one_creates_nothing_and_stays_as_it_is(green: Fleet) -> None:
    green.create("shop")
    content = bytearray(green.journal_file.read_bytes())
    content[100:] = os.urandom(len(content) - 100)
    green.journal_file.write_bytes(content)
    assert_nothing_is_created(green, "can't be used")
    assert green.journal_file.read_bytes() == content


def test_a_truncated_one_creates_nothing(green: Fleet) -> None:
    green.create("shop")
    os.truncate(green.journal_file, 5000)
    assert_nothing_is_created(green, "can't be used")


@pytest.mark.parametrize("content", [b"not a database, but long enough to be one" * 100, b"\x00" * 4096])
def test_a_file_that_is_no_database_creates_nothing_and_stays_as_it_is(green: Fleet, content: bytes) -> None:
    green.journal_file.parent.mkdir()
    green.journal_file.write_bytes(content)
    assert_nothing_is_created(green, str(green.journal_file))
    assert green.journal_file.read_bytes() == content


def test_somebody_elses_database_creates_nothing_and_stays_as_it_is(green: Fleet) -> None:
    green.journal_file.parent.mkdir()
    with sqlite3.connect(green.journal_file) as connection:
        connection.execute("CREATE TABLE creation (mine TEXT)")
    connection.close()
    content = green.journal_file.read_bytes()
    assert_nothing_is_created(green, "another application's database")
    assert green.journal_file.read_bytes() == content


def test_one_of_a_newer_schema_creates_nothing(green: Fleet) -> None:
    green.create("shop")
    connection = sqlite3.connect(green.journal_file)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    assert_nothing_is_created(green, "upgrade the collection")
    assert "upgrade the collection" in green.journal_task()["msg"]
    assert "upgrade the collection" in green.create("shop", check_mode=True)["msg"]


@pytest.mark.parametrize("journal", ["{folder}", "{folder}/file/journal.sqlite3", "/dev/full", "/proc/journal.sqlite3"])
def test_a_path_where_no_file_can_be_creates_nothing(green: Fleet, journal: str) -> None:
    (green.folder / "file").touch()
    green.journal_file = Path(journal.format(folder=green.folder))
    assert_nothing_is_created(green, "can't be used")


@pytest.mark.parametrize("what", ["folder", "file"])
def test_one_that_may_not_be_written_creates_nothing(emulator: Emulator, open_folder: Path, what: str) -> None:
    green = Fleet(emulator, "green_api", open_folder)
    green.journal_file.parent.mkdir()
    if what == "file":
        green.create("shop")
        green.journal_file.chmod(0o400)
        green.journal_file.parent.chmod(0o777)
    else:
        green.journal_file.parent.chmod(0o555)
    posts = green.posts()
    result = Child(Unprivileged(green.task("another", credentials_file=None))).result()
    assert result["failed"]
    assert "can't be used" in result["msg"]
    assert green.posts() == posts


def assert_nothing_is_created(fleet: Fleet, reason: str) -> None:
    posts = fleet.posts()
    result = fleet.create("another")
    assert result["failed"]
    assert not result["changed"]
    assert reason in result["msg"]
    assert "\n" not in result["msg"]
    assert fleet.posts() == posts


# A full disk


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = Path(tempfile.mkdtemp(prefix="msgops-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    if not mounted:
        folder.rmdir()
        pytest.skip("only root can mount a small file system, and not everywhere")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


def fill(disk: Path) -> Path:
    """Leave no byte free."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))
    return filler


def test_a_full_disk_creates_nothing(green: Fleet, small_disk: Path) -> None:
    green.journal_file = small_disk / "journal.sqlite3"
    filler = fill(small_disk)
    assert_nothing_is_created(green, "can't be used")
    filler.unlink()
    assert actions(green.create("shop")) == {"shop": "created"}


def test_a_disk_that_fills_up_before_a_creation_keeps_it_from_being_posted(green: Fleet, small_disk: Path) -> None:
    green.journal_file = small_disk / "journal.sqlite3"
    assert actions(green.create("shop")) == {"shop": "created"}
    green.arm("list", "hang")
    run = Child(green.task("another", timeout=30, lease_policy=SHORT_LEASE))
    green.wait_for("list", 2)
    filler = fill(small_disk)
    green.emulator.release()
    result = run.result()
    assert result["failed"]
    assert "can't be used" in result["msg"]
    assert green.posts() == ["shop"]
    filler.unlink()
    assert actions(green.create("another")) == {"another": "created"}


def test_a_disk_that_fills_up_during_a_creation_loses_nothing(fleet: Fleet, small_disk: Path) -> None:
    fleet.journal_file = small_disk / "journal.sqlite3"
    fleet.credentials_file = small_disk / "credentials.json"
    run = fleet.start_hanging("shop", fault={"when": "before"}, lease_policy=SHORT_LEASE)
    filler = fill(small_disk)
    fleet.emulator.release()
    result = run.result()
    assert actions(result) == {"shop": "created"}
    assert result["instance"]["id"] == str(fleet.existing("shop")[0]["id"])
    fleet.assert_delivered("shop")  # room for the token was kept
    filler.unlink()
    assert actions(fleet.create("shop"))["shop"] in ("adopted", "unchanged")
    assert fleet.posts() == ["shop"]
    fleet.assert_delivered("shop")


def test_without_a_listing_a_person_resolves_what_a_full_disk_kept_from_the_journal(
    plugz: Fleet, small_disk: Path
) -> None:
    plugz.emulator.config({"plugzapi.listing": "http404"})
    plugz.journal_file = small_disk / "journal.sqlite3"
    run = plugz.start_hanging("shop", fault={"when": "before"}, lease_policy=SHORT_LEASE)
    filler = fill(small_disk)
    plugz.emulator.release()
    assert actions(run.result()) == {"shop": "created"}
    filler.unlink()
    # The credentials file has an entry of that name, and the journal doesn't know whose.
    result = plugz.create("shop")
    assert actions(result) == {"shop": "unknown"}
    adopt, _discard = tasks_in(result["msg"])
    assert plugz.journal_task(**adopt | {"instance_id": plugz.existing("shop")[0]["id"]})["changed"]
    assert actions(plugz.create("shop")) == {"shop": "unchanged"}
    assert plugz.posts() == ["shop"]
    plugz.assert_delivered("shop")


@dataclass(frozen=True)
class Limited:
    """A run in a process with a limit on the size of files, which acts like a full disk."""

    run: Callable[[], Any]
    limit: int

    def __call__(self) -> Any:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, self.limit))
        return self.run()


@pytest.mark.parametrize("limit", [0, 512, 4096, 8192, 12288])
def test_a_file_that_cannot_grow_is_a_full_disk(green: Fleet, limit: int) -> None:
    result = Child(Limited(green.task("shop"), limit)).result()
    assert result["failed"]
    assert len(green.posts()) == len(green.existing("shop"))
    if not green.posts():
        assert "can't be used" in result["msg"]
    assert set(actions(green.create("shop")).values()) <= {"created", "adopted", "unchanged"}
    assert green.posts() == ["shop"]
    green.assert_delivered("shop")


# A process that died in the middle of a transaction


@dataclass(frozen=True)
class DieInTransaction:
    """Change the journal, let the disk have half of it, and die."""

    path: str

    def __call__(self) -> None:
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA cache_size = 1")  # so that changed pages are written before the commit
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE creation SET status = 'rejected'")
        for number in range(1000):
            connection.execute("INSERT INTO lease VALUES ('green_api', 'a', ?, 'o', 0, 0)", (f"{number}",))
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("reader", ["creation_journal", "check mode", "instance_create"])
def test_a_transaction_that_was_cut_off_is_undone_by_the_next_process(green: Fleet, reader: str) -> None:
    green.create("shop")
    assert Child(DieInTransaction(str(green.journal_file))).result() is None
    assert Path(f"{green.journal_file}-journal").stat().st_size > 0
    if reader == "creation_journal":
        assert green.status("shop") == "delivered"
    else:
        assert actions(green.create("shop", check_mode=reader == "check mode")) == {"shop": "unchanged"}
    assert green.status("shop") == "delivered"
