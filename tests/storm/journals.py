# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals that can be replaced by an older copy, as after a disaster."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import ClassVar, Protocol

from ansible_collections.msgops.fleet.tests.storm.postgres import PostgresServer


class StormJournal(Protocol):
    """``location`` is for the option ``journal``. No run uses it while it is copied or replaced.

    ``knows_its_age``: whether an older copy of it can be told from the newest state.
    """

    location: str
    knows_its_age: ClassVar[bool]

    def copy(self) -> str:
        """A copy of what it is now, for ``put_back``."""

    def put_back(self, copy: str) -> None:
        """Be what it was then."""

    def empty(self) -> None:
        """Hold nothing."""


class FileJournal:
    """A SQLite file in a folder of its own."""

    knows_its_age = True

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self._path = folder / "journal.sqlite3"
        self._numbers = itertools.count()
        self.location = str(self._path)

    def copy(self) -> str:
        return str(shutil.copy2(self._path, self._path.with_name(f"copy-{next(self._numbers)}")))

    def put_back(self, copy: str) -> None:
        shutil.copyfile(copy, self._path)

    def empty(self) -> None:
        self._path.write_bytes(b"")


class PostgresJournal:
    """A database of its own."""

    knows_its_age = False

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.location = server.new_database()

    def copy(self) -> str:
        return self._server.new_database(like=self.location)

    def put_back(self, copy: str) -> None:
        self._server.replace_database(self.location, like=copy)

    def empty(self) -> None:
        self._server.replace_database(self.location)
