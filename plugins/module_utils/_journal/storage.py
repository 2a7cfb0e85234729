# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of the journal's storages, and the error for a journal that can't be used."""

from __future__ import annotations

import contextlib
from typing import Protocol

from .._common.errors import UsageError
from .schema import SCHEMA_VERSION, Transaction

# Seconds to wait for other transactions, each of which takes milliseconds.
BUSY_TIMEOUT = 30.0


class JournalError(UsageError):
    """The journal can't be used; nothing is created or rebooted without it."""

    def __init__(self, name: str, reason: str, remedy: str = "repair it or name another one as journal") -> None:
        super().__init__(f"the journal {name} can't be used, and nothing is done without it: {reason}; {remedy}")


class Storage(Protocol):
    """A file or a database. ``name`` is for messages: the path, or the URL without its password."""

    name: str

    def transaction(self) -> contextlib.AbstractContextManager[Transaction]:
        """Change the journal, which is made if it doesn't exist. The changes are durable after the block.

        :raises JournalError: if the journal can't be written.
        """

    def reading(self) -> contextlib.AbstractContextManager[Transaction | None]:
        """Read the journal, and write nothing. ``None`` if it doesn't exist.

        :raises JournalError: if the journal can't be read.
        """


def check_version(name: str, version: int) -> int:
    """Return the schema ``version``.

    :raises JournalError: if a newer version of the collection wrote the journal.
    """
    if version > SCHEMA_VERSION:
        raise JournalError(name, f"a newer msgops.fleet wrote it (schema {version})", "upgrade the collection")
    return version
