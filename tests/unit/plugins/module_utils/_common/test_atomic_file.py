# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced atomically, and disk space that is reserved for that."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.atomic_file import AtomicFile
from ansible_collections.msgops.fleet.plugins.module_utils._common.files import UnfitFile
from ansible_collections.msgops.fleet.plugins.module_utils._common.reservation import Reservation


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture
def target(path: Path) -> Iterator[AtomicFile]:
    with contextlib.closing(AtomicFile(str(path))) as file:
        yield file


def test_a_file_is_created_once(target: AtomicFile, path: Path) -> None:
    target.create(b"first")
    target.create(b"second")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"first", 0o600)


def test_a_replaced_file_has_another_inode_and_leaves_nothing_behind(target: AtomicFile, path: Path) -> None:
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        assert target.is_at(reader.fileno())
        target.replace(b"new", path.stat(), 0o640)
        assert reader.read() == b"old"
        assert not target.is_at(reader.fileno())
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)
    assert os.listdir(path.parent) == ["file"]


def test_only_what_a_killed_process_left_long_ago_is_swept(target: AtomicFile, path: Path) -> None:
    names = {name: path.with_name(f".file.{name}") for name in ("old", "young", "full", "locked")}
    for name in ("old", "young", "full"):
        names[name].write_bytes(b"content" if name == "full" else b"")
    in_use = target.make_temporary()
    os.rename(path.with_name(in_use.name), names["locked"])
    for name in ("old", "full", "locked"):
        os.utime(names[name], (0, time.time() - 3600))
    target.sweep()
    os.close(in_use.descriptor)
    assert {name for name, file in names.items() if file.exists()} == {"young", "full", "locked"}


@pytest.mark.parametrize("name", ["folder", "pipe"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnfitFile, match=name):
        AtomicFile(str(tmp_path / name))


def test_reserved_space_is_used_for_each_write_and_freed(target: AtomicFile, path: Path) -> None:
    path.write_bytes(b"old")
    with Reservation.hold(target, 4096, path.stat(), 0o600) as reservation:
        assert sum(file.stat().st_size for file in path.parent.glob(".file.*")) == 2 * 4096
        reservation.write(b"first", last=False)
        reservation.write(b"second", last=True)
        assert reservation.failure is None
        rescued = reservation.rescue(b"third")
    assert path.read_bytes() == b"second"
    assert rescued
    assert Path(rescued).read_bytes() == b"third"
    assert sorted(os.listdir(path.parent)) == sorted(["file", Path(rescued).name])
