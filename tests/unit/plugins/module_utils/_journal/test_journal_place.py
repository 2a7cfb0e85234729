# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal is opened as what it is: what is no journal is refused, and left as it was."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.storm.runs import PLUGINS, Child, Result, in_parallel
from ansible_collections.msgops.fleet.tests.support.creation import NOBODY, Fleet, Unprivileged, actions
from ansible_collections.msgops.fleet.tests.unit.plugins.module_utils._journal.test_journal import Limited

from msgops_emulator import Emulator

SECRET = "Kq7mWz3nXp8vYc4tBd"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of a file")

# Each way in which the journal is opened: to write, to predict, to list.
USES: dict[str, Callable[..., Result]] = {
    "create": lambda fleet, **options: fleet.create("shop", **options),
    "predict": lambda fleet, **options: fleet.create("shop", check_mode=True, **options),
    "list": lambda fleet, **options: fleet.journal_task(**options),
}


@pytest.fixture(params=USES)
def use(request: pytest.FixtureRequest) -> Callable[..., Result]:
    """One of the ways."""
    return USES[request.param]


def assert_refused(fleet: Fleet, result: Result, reason: str) -> None:
    assert result["failed"]
    assert reason in result["msg"], result["msg"]
    assert "\n" not in result["msg"]
    assert fleet.posts() == []


# Which kind of place it is


@pytest.mark.parametrize(
    "journal",
    [
        f"mysql://fleet:{SECRET}@db.example.com/fleet",
        f"postgresql+psycopg://fleet:{SECRET}@db.example.com/fleet",
        f"  sqlite:///{SECRET}/journal.sqlite3",
        f"postgresql:/fleet:{SECRET}@db.example.com/fleet",
        f"host=db.example.com user=fleet password={SECRET} dbname=fleet",
        f" password = ' {SECRET}' host = db.example.com",
        f"://fleet:{SECRET}@db.example.com",
    ],
)
def test_an_address_that_is_not_understood_is_no_path(
    green: Fleet, monkeypatch: pytest.MonkeyPatch, use: Callable[..., Result], journal: str
) -> None:
    monkeypatch.chdir(green.folder)
    result = use(green, journal=journal)
    assert_refused(green, result, "journal is neither a path nor a URL of PostgreSQL")
    assert list(green.folder.iterdir()) == []
    if "password" in journal or "@" in journal:
        assert SECRET not in json.dumps(result)
    else:
        assert SECRET not in result["msg"]


@pytest.mark.parametrize("scheme", ["postgresql", "PostgreSQL", "postgres", "POSTGRES"])
def test_a_url_of_postgresql_is_one_in_any_case(
    green: Fleet, monkeypatch: pytest.MonkeyPatch, use: Callable[..., Result], scheme: str
) -> None:
    monkeypatch.chdir(green.folder)
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as where it isn't installed
    result = use(green, journal=f" {scheme}://fleet:{SECRET}@127.0.0.1:1/fleet\n")
    assert_refused(green, result, "needs the Python library psycopg 3")
    assert SECRET not in json.dumps(result)
    assert list(green.folder.iterdir()) == []


def test_a_path_may_look_like_a_keyword_behind_a_dot(green: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(green.folder)
    assert actions(green.create("shop", journal="./stage=test.sqlite3")) == {"shop": "created"}
    assert (green.folder / "stage=test.sqlite3").is_file()


# What is there


def make_certificate(path: Path) -> None:
    path.write_text("-----BEGIN CERTIFICATE-----\n" + 20 * "MIIB" + "\n-----END CERTIFICATE-----\n")
    path.chmod(0o644)


def make_database(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE creation (mine TEXT)")
    path.chmod(0o644)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_certificate, "it is no journal, and was left as it is"),
        (lambda path: path.write_bytes(b"-"), "it is no journal, and was left as it is"),
        (make_database, "it is another application's database, and was left as it is"),
        (Path.mkdir, "it is a folder"),
        (os.mkfifo, "it is a named pipe"),
        (make_socket, "it is a socket"),
        (lambda path: path.symlink_to("/dev/null"), "it is a device"),
    ],
    ids=["certificate", "one byte", "database", "folder", "pipe", "socket", "device"],
)
def test_what_is_no_journal_is_left_as_it_was(
    green: Fleet, use: Callable[..., Result], make: Callable[[Path], Any], reason: str
) -> None:
    green.journal_file.parent.mkdir()
    make(green.journal_file)
    before = snapshot(green.journal_file.parent)
    result = use(green)
    assert_refused(green, result, reason)
    assert result["msg"].endswith("name another file as journal")
    assert snapshot(green.journal_file.parent) == before


def snapshot(folder: Path) -> dict[str, Any]:
    """All of the files but when they were read."""
    found = {path.name: (path.lstat(), path) for path in folder.iterdir()}
    return {
        name: (info.st_mode, info.st_ino, info.st_mtime_ns, path.read_bytes() if stat.S_ISREG(info.st_mode) else None)
        for name, (info, path) in found.items()
    }


@as_root
def test_an_empty_file_of_somebody_else_is_left_as_it_was(green: Fleet, use: Callable[..., Result]) -> None:
    green.journal_file.parent.mkdir()
    green.journal_file.touch(mode=0o644)
    os.chown(green.journal_file, NOBODY, NOBODY)
    before = snapshot(green.journal_file.parent)
    assert_refused(green, use(green), "it is empty, and belongs to another user")
    assert snapshot(green.journal_file.parent) == before


# Links, and folders that others may write to


def test_ones_own_link_is_followed(green: Fleet) -> None:
    green.journal_file.parent.mkdir()
    target = green.folder / "elsewhere" / "fleet.sqlite3"
    target.parent.mkdir()
    green.journal_file.symlink_to(target)
    assert actions(green.create("shop")) == {"shop": "created"}
    assert green.journal_file.is_symlink()
    assert {path.name for path in green.journal_file.parent.iterdir()} == {green.journal_file.name}
    assert actions(green.create("shop", journal=str(target))) == {"shop": "unchanged"}


@pytest.mark.parametrize("content", [None, b"", b"precious"])
def test_a_link_in_a_folder_that_others_may_write_to_is_refused(
    green: Fleet, shared_folder: Path, use: Callable[..., Result], content: bytes | None
) -> None:
    target = green.folder / "target"
    if content is not None:
        target.write_bytes(content)
    green.journal_file = shared_folder / "fleet.sqlite3"
    green.journal_file.symlink_to(target)
    before = snapshot(green.folder)
    assert_refused(green, use(green), "in a folder that others may write to")
    assert snapshot(green.folder) == before


@as_root
@pytest.mark.parametrize("what", ["link", "folder's link"])
def test_a_link_of_another_user_is_refused(green: Fleet, use: Callable[..., Result], what: str) -> None:
    folder, target = green.folder / "his", green.folder / "target"
    folder.mkdir()
    target.mkdir()
    link = folder / "link"
    link.symlink_to(target if what == "folder's link" else target / "fleet.sqlite3")
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    green.journal_file = link / "fleet.sqlite3" if what == "folder's link" else link
    assert_refused(green, use(green), f"which belongs to user ID {NOBODY}")
    assert list(target.iterdir()) == []


@as_root
def test_somebody_elses_journal_in_such_a_folder_is_refused(
    green: Fleet, shared_folder: Path, use: Callable[..., Result]
) -> None:
    green.create("another", journal=str(shared_folder / "fleet.sqlite3"))
    green.emulator.reset()
    green.journal_file = shared_folder / "fleet.sqlite3"
    os.chown(green.journal_file, NOBODY, NOBODY)
    before = snapshot(shared_folder)
    assert_refused(green, use(green), "in a folder that everybody may write to")
    assert snapshot(shared_folder) == before


@as_root
def test_the_owner_of_the_journal_owns_what_root_makes_beside_it(emulator: Emulator, shared_folder: Path) -> None:
    folder = shared_folder / "own"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    green = Fleet(emulator, "green_api", folder)
    assert actions(Child(Unprivileged(green.task("shop"))).result()) == {"shop": "created"}
    os.unlink(f"{green.journal_file}.serial")
    assert actions(green.create("shop", credentials_file=None)) == {"shop": "unchanged"}
    assert {path.stat().st_uid for path in green.journal_file.parent.iterdir()} == {NOBODY}
    assert actions(Child(Unprivileged(green.task("another"))).result()) == {"another": "created"}


# While others make it, or take it away


def test_runs_that_make_it_at_the_same_time_make_one(green: Fleet) -> None:
    names = [f"shop-{number}" for number in range(6)]
    results = in_parallel(*[green.task(name, timeout=30) for name in names])
    assert [actions(result) for result in results] == [{name: "created"} for name in names]
    assert {green.status(name) for name in names} == {"delivered"}


@pytest.mark.parametrize("limit", [0, 512, 4096])
def test_a_run_that_cannot_fill_it_leaves_no_empty_file(green: Fleet, limit: int) -> None:
    result = Child(Limited(green.task("shop", credentials_file=None), limit)).result()
    assert_refused(green, result, "can't be used")
    assert not green.journal_file.exists()


def test_one_that_is_replaced_while_it_is_in_use_creates_nothing(green: Fleet) -> None:
    green.create("another")
    green.arm("list", "hang")
    run = Child(green.task("shop", timeout=30))
    green.wait_for("list", 2)
    copy = green.folder / "copy.sqlite3"
    shutil.copy(green.journal_file, copy)
    copy.replace(green.journal_file)
    green.emulator.release()
    result = run.result()
    assert result["failed"]
    assert "its file was replaced while it was in use" in result["msg"]
    assert green.posts() == ["another"]


# A Python without sqlite3


WITHOUT_LIBRARIES = """
import importlib, pkgutil, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("_sqlite3", "psycopg"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""


def run_without_libraries(code: str) -> str:
    tree = Path(sys.modules[PLUGINS].__path__[0]).parents[3]
    command = [sys.executable, "-c", WITHOUT_LIBRARIES + code]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree), *sys.path])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_needs_no_journal_works_without_the_libraries_of_one() -> None:
    """All modules can be imported, and so can all that a controller loads."""
    code = f"""
for kind in ("modules", "action", "inventory", "plugin_utils"):
    package = importlib.import_module("{PLUGINS}." + kind)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{{package.__name__}}.{{module.name}}")
        print(module.name)
"""
    imported = run_without_libraries(code).split()
    assert {"instance_state", "instance_create", "instances"} <= set(imported)


def test_without_sqlite3_nothing_is_created_and_its_name_is_told(green: Fleet) -> None:
    options = green.task("shop").options
    code = f"""
import json
from ansible_collections.msgops.fleet.tests.storm.runs import Run
print(json.dumps(Run("instance_create", json.loads({json.dumps(json.dumps(options))}))()))
"""
    result = json.loads(run_without_libraries(code))
    assert_refused(green, result, "needs Python's module sqlite3")
    assert sys.executable in result["msg"]
