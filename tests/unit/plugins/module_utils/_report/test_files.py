# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where reports are written: what is there stays what it is, but for its content."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import threading
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._report.files import FORMATS, write_report
from ansible_collections.msgops.fleet.plugins.module_utils._report.members import Member
from ansible_collections.msgops.fleet.plugins.module_utils._report.report import Report
from ansible_collections.msgops.fleet.tests.support.reports import FLEET, instance, make_report

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
NOBODY = 65534


def write(path: Path, report: Report | None = None, check_mode: bool = False) -> bool:
    paths = dict.fromkeys(FORMATS, None) | {"json_file": str(path)}
    return write_report(report or make_report(), paths, check_mode=check_mode)


def make_fleet(number: int) -> list[Member]:
    return [instance(str(id), "authorized") for id in range(number)]


def total(text: str | bytes) -> int:
    return int(json.loads(text)["summary"]["total"])


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_the_mode_stays_as_it_was(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "fleet.json"
    path.touch()
    path.chmod(mode)
    assert write(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert total(path.read_text()) == len(FLEET)


@needs_root
def test_the_owner_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.touch()
    os.chown(path, NOBODY, NOBODY)
    assert write(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY, NOBODY)


def test_a_report_that_says_the_same_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    assert write(path)
    before = path.stat()
    assert not write(path)
    assert path.stat() == before


def test_a_link_of_ones_own_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "today.json", tmp_path / "fleet.json"
    link.symlink_to(target)
    assert write(link)
    assert link.is_symlink()
    assert total(target.read_text()) == len(FLEET)
    assert {path.name for path in tmp_path.iterdir()} == {"today.json", "fleet.json"}


def test_a_link_that_somebody_may_have_planted_is_refused(tmp_path: Path) -> None:
    target, link = tmp_path / "precious", tmp_path / "shared" / "fleet.json"
    target.write_text("precious")
    link.parent.mkdir()
    link.parent.chmod(0o1777)
    link.symlink_to(target)
    with pytest.raises(UsageError, match="in a folder that others may write to"):
        write(link)
    assert target.read_text() == "precious"


def test_a_named_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    many = make_report(make_fleet(1000))  # more than a pipe holds
    written = False
    while not written:  # until the reader is there
        with contextlib.suppress(UsageError):
            written = write(path, many)
    reader.join()
    assert total(got[0]) == 1000
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_named_pipe_that_nobody_reads_is_an_error_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert write(path, check_mode=True)
    with pytest.raises(UsageError, match=r"json_file .*pipe can't be written"):
        write(path)


def test_what_a_process_has_opened_is_written_to() -> None:
    reading, writing = os.pipe()
    assert write(Path(f"/dev/fd/{writing}"))
    os.close(writing)
    with open(reading, "rb") as file:
        assert total(file.read()) == len(FLEET)


def test_a_log_that_a_process_has_opened_is_not_truncated(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.write(b"before\n")
        file.flush()
        assert write(Path(f"/dev/fd/{file.fileno()}"))
    first, _newline, rest = log.read_bytes().partition(b"\n")
    assert first == b"before"
    assert total(rest) == len(FLEET)


def test_a_device_is_written_to() -> None:
    assert write(Path("/dev/null"))
    with pytest.raises(UsageError, match="No space left on device"):
        write(Path("/dev/full"))
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_reader_never_sees_half_of_a_report(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    reports = [make_report(make_fleet(400)), make_report(make_fleet(800))]
    write(path, reports[0])
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(total(path.read_bytes()))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(20):
            write(path, reports[turn % 2])
    finally:
        done.set()
        reader.join()
    assert set(seen) <= {400, 800}
    assert seen
