# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal that has seen less than it had is noticed, by the serial that is kept beside it."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.reboot_budget import RebootBudget
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal
from ansible_collections.msgops.fleet.plugins.module_utils._journal.location import storage_at
from ansible_collections.msgops.fleet.plugins.module_utils._journal.serial import SerialFile
from ansible_collections.msgops.fleet.tests.storm.runs import Child
from ansible_collections.msgops.fleet.tests.support.creation import Fleet, actions
from ansible_collections.msgops.fleet.tests.unit.plugins.module_utils._journal.test_journal_place import USES, snapshot


def serial_path(fleet: Fleet) -> Path:
    return Path(f"{fleet.journal_file}.serial")


def remove(fleet: Fleet, _older: Path) -> None:
    fleet.journal_file.unlink()


def empty(fleet: Fleet, _older: Path) -> None:
    os.truncate(fleet.journal_file, 0)


def restore(fleet: Fleet, older: Path) -> None:
    shutil.copy2(older, fleet.journal_file)


def replace(fleet: Fleet, older: Path) -> None:
    """Replace it by another journal with more changes."""
    fleet.journal_file.unlink()
    serial_path(fleet).rename(older.with_name("kept"))
    budget = RebootBudget(str(fleet.journal_file), 100)
    for number in range(20):
        budget.reserve("green_api", str(number))
    older.with_name("kept").rename(serial_path(fleet))


LOSSES: dict[str, tuple[Callable[[Fleet, Path], None], str]] = {
    "removed": (remove, "it is gone"),
    "emptied": (empty, "it is gone"),
    "restored": (restore, "it is an older copy"),
    "replaced": (replace, "it is another journal"),
}


@pytest.fixture(params=LOSSES)
def reason(request: pytest.FixtureRequest, green: Fleet) -> str:
    """What is said after two creations, of which the journal has lost the second."""
    lose, says = LOSSES[request.param]
    green.create("first")
    older = green.folder / "older.sqlite3"
    shutil.copy2(green.journal_file, older)
    green.create("second")
    lose(green, older)
    return says


@pytest.mark.parametrize("use", USES)
def test_one_that_has_seen_less_than_it_had_is_refused_and_left_as_it_is(green: Fleet, reason: str, use: str) -> None:
    before = snapshot(green.journal_file.parent)
    result = USES[use](green)
    assert result["failed"]
    assert reason in result["msg"]
    assert "\n" not in result["msg"]
    assert green.posts() == ["first", "second"]
    assert snapshot(green.journal_file.parent) == before


def test_the_way_out_works_as_it_is_printed(green: Fleet, reason: str) -> None:
    message = green.create("second")["msg"]
    command = re.search(r"and run: (mv .+)$", message)
    assert command
    subprocess.run(["sh", "-c", command[1]], check=True)
    assert actions(green.create("first", "second"))["second"] == "adopted", reason
    assert green.posts() == ["first", "second"]
    assert actions(green.create("first", "second")) == {"first": "unchanged", "second": "unchanged"}


def test_the_newest_copy_may_be_put_back(green: Fleet) -> None:
    green.create("shop")
    newest = green.folder / "newest.sqlite3"
    shutil.copy2(green.journal_file, newest)
    green.journal_file.unlink()
    assert green.create("shop")["failed"]
    shutil.copy2(newest, green.journal_file)
    assert actions(green.create("shop")) == {"shop": "unchanged"}


def test_a_command_for_a_path_with_a_space_is_one_for_a_shell(green: Fleet) -> None:
    green.journal_file = green.folder / "my 'own' state" / "journal.sqlite3"
    green.create("shop")
    green.journal_file.unlink()
    subprocess.run(["sh", "-c", green.create("shop")["msg"].partition("and run: ")[2]], check=True)
    assert actions(green.create("shop")) == {"shop": "adopted"}


def test_reboots_count_too(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    RebootBudget(str(path), 1).reserve("green_api", "1101")
    path.unlink()
    for spend in ("check", "reserve"):
        with pytest.raises(Exception, match="1 changes were written to it"):
            getattr(RebootBudget(str(path), 1), spend)("green_api", "1101")


def test_what_the_credentials_file_knows_is_not_created_again_without_journal_and_listing(plugz: Fleet) -> None:
    """Where a copy was put back with its serial, which nothing tells."""
    plugz.emulator.config({"plugzapi.listing": "http404"})
    plugz.create("shop")
    shutil.rmtree(plugz.journal_file.parent)
    assert plugz.create("shop")["failed"]
    assert plugz.posts() == ["shop"]


# What is no reason for an alarm


def test_one_that_nothing_was_written_to_may_be_removed(green: Fleet) -> None:
    green.arm("create", "status", status=400)
    with storage_at(str(green.journal_file)).transaction():
        pass
    green.journal_file.unlink()
    assert not green.journal_task().get("failed")


def test_one_that_was_moved_without_its_serial_goes_on(green: Fleet) -> None:
    green.create("shop")
    green.journal_file = green.journal_file.rename(green.folder / "moved.sqlite3")
    assert actions(green.create("shop")) == {"shop": "unchanged"}
    assert serial_path(green).is_file()


def test_a_serial_that_is_behind_is_brought_up_to_date(green: Fleet) -> None:
    """As after a run that was killed between the two, or a crash that the serial didn't survive."""
    green.create("first")
    behind = serial_path(green).read_bytes()
    green.create("second")
    newest = serial_path(green).read_bytes()
    assert behind != newest
    for content in (behind, b""):
        serial_path(green).write_bytes(content)
        assert not green.journal_task().get("failed")
        assert serial_path(green).read_bytes() == content
        assert actions(green.create("first")) == {"first": "unchanged"}
        assert serial_path(green).read_bytes() == newest


@dataclass(frozen=True)
class Changing:
    """Change the journal many times."""

    path: str
    owner: str

    def __call__(self) -> None:
        budget = RebootBudget(self.path, 1000)
        for number in range(100):
            budget.reserve("green_api", f"{self.owner}-{number}")


def test_reading_while_others_write_raises_no_alarm(tmp_path: Path) -> None:
    path = str(tmp_path / "journal.sqlite3")
    writers = [Child(Changing(path, owner)) for owner in ("a", "b")]
    while any(writer.process.is_alive() for writer in writers):
        Journal(path).read()
    for writer in writers:
        writer.result()
    serial = SerialFile(path).read()
    assert serial
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT changes FROM serial").fetchone() == (200,)
    connection.close()
    assert serial.changes <= 200


# The file itself


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"something else"),
        lambda path: path.write_bytes(path.read_bytes()[:33] + b"9" + path.read_bytes()[34:]),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), os.mkfifo(path)),
        lambda path: (path.unlink(), path.symlink_to("/dev/null")),
    ],
    ids=["damaged", "changed", "folder", "pipe", "link"],
)
def test_what_is_no_serial_is_named_with_a_way_out(green: Fleet, spoil: Callable[[Path], Any]) -> None:
    green.create("shop")
    spoil(serial_path(green))
    for use in USES.values():
        message = use(green)["msg"]
        assert str(serial_path(green)) in message
        assert "\n" not in message
    assert green.posts() == ["shop"]
    subprocess.run(["sh", "-c", message.partition("and run: ")[2]], check=True)
    assert actions(green.create("shop")) == {"shop": "unchanged"}


def test_a_serial_that_cannot_be_written_is_found_before_anything_is_created(green: Fleet) -> None:
    green.journal_file.parent.mkdir()
    serial_path(green).touch()
    if not made_immutable(serial_path(green)):
        pytest.skip("nothing here can't be written by root")
    try:
        result = green.create("shop")
    finally:
        subprocess.run(["chattr", "-i", str(serial_path(green))], check=False, capture_output=True)
    assert result["failed"]
    assert green.posts() == []


def made_immutable(path: Path) -> bool:
    if os.geteuid() != 0:
        path.chmod(0o400)
        return True
    return subprocess.run(["chattr", "+i", str(path)], check=False, capture_output=True).returncode == 0
