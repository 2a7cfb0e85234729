# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modes of files in the guide are those of the files that are made with umask 0, in folders that aren't there."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials import CredentialsFile
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials_content import Slot
from ansible_collections.msgops.fleet.plugins.module_utils._report.files import update_file
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Instance
from ansible_collections.msgops.fleet.tests.support.creation import Fleet
from ansible_collections.msgops.fleet.tests.support.linking import Person, Sitting
from ansible_collections.msgops.fleet.tests.support.wire import ROOT

from msgops_emulator import Emulator


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Nothing is taken away from a mode."""
    before = os.umask(0)
    yield
    os.umask(before)


def documented() -> dict[str, int]:
    """The mode of each row of the table, by the row's text."""
    section = (ROOT / "docs" / "tokens.md").read_text().partition("## Modes of files")[2].partition("\n## ")[0]
    return {text: int(mode, 8) for text, mode in re.findall(r"^\| (.+) \| (0\d{3}) \|$", section, re.MULTILINE)}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes(*paths: Path) -> set[int]:
    assert paths
    return {mode(path) for path in paths}


def modes_while_linking(sitting: Sitting, folder: Path) -> set[int]:
    """The modes of the files in the folder of the codes while an instance waits for its phone."""
    seen: dict[str, int] = {}

    def look_and_link() -> None:
        for path in folder.glob("[!.]*"):
            with contextlib.suppress(FileNotFoundError):
                seen[path.suffix] = seen.get(path.suffix, 0) | mode(path)
        if len(seen) == 2:
            sitting.emulator.link("green_api", name="phone")

    with Person(look_and_link):
        result = sitting.link(sitting.seed("green_api", "phone"), dest=str(folder))
    assert not result.get("failed"), result
    assert seen.keys() == {".png", ".html"}
    return set(seen.values())


def test_each_file_has_the_mode_of_its_row(emulator: Emulator, tmp_path: Path) -> None:
    created = Fleet(emulator, "green_api", tmp_path / "created", {"journal": str(tmp_path / "a" / "b" / "journal")})
    created.folder.mkdir()
    created.create("shop")
    journal = tmp_path / "a" / "b"

    linked = tmp_path / "link" / "codes"
    seen = modes_while_linking(Sitting(emulator, tmp_path), linked)

    beside = tmp_path / "beside"
    beside.mkdir()
    broken = CredentialsFile(str(beside / "credentials.json"))
    slot = Slot("green_api", "shop", "https://api.example.com", frozenset())
    with broken.reserved([(slot, None)]):
        reserved = modes(*beside.glob(".credentials.json.*"))
        (beside / "credentials.json").write_bytes(b"{")
        with contextlib.suppress(UsageError):
            broken.deliver([(slot, Instance("1", "shop", "token"))])
    rescued = modes(*beside.glob(".credentials.json.*"))

    report = tmp_path / "reports" / "today" / "report.json"
    update_file(str(report), b"{}", "json_file", check_mode=False)

    found = {
        "`credentials_file`": modes(created.credentials_file, beside / "credentials.json"),
        "`.credentials.json.*`": reserved | rescued,
        "`journal`": modes(*journal.iterdir()),
        "the folder of `journal`": modes(journal, journal.parent),
        "`dest`": modes(linked, linked.parent),
        "the page": seen,
        "`json_file`": modes(report),
        "folders for these": modes(report.parent, report.parent.parent),
    }
    assert {path.name for path in journal.iterdir()} == {"journal", "journal.serial", "journal-journal"}
    table = documented()
    rows = {start: [mode for text, mode in table.items() if text.startswith(start)] for start in found}
    assert rows == {start: sorted(modes) for start, modes in found.items()}
    assert len(table) == len(found), "a row that nothing is compared with"
