# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of the journal's storages, and the error for a journal that can't be used."""

from __future__ import annotations

import contextlib
import errno
from typing import Protocol

from .._common.errors import UsageError
from .._common.resources import run_out
from .schema import SCHEMA_VERSION, Transaction

# Seconds to wait for other transactions, each of which takes milliseconds.
BUSY_TIMEOUT = 30.0


class JournalError(UsageError):
    """The journal can't be used; no creation and no reboot begins without it.

    ``consequence`` says what follows. What was begun before is no part of it.
    """

    def __init__(
        self,
        name: str,
        reason: str,
        remedy: str = "repair it or name another one as journal",
        consequence: str = "nothing is begun without it",
    ) -> None:
        super().__init__(f"the journal {name} can't be used, and {consequence}: {reason}; {remedy}")
        self._parts = (name, reason, remedy)

    def with_consequence(self, consequence: str) -> JournalError:
        """The same with another consequence."""
        return JournalError(*self._parts, consequence)


def journal_error(name: str, exc: Exception, reason: str) -> JournalError:
    """The error for an exception: what has run out on this machine, else ``reason``."""
    number = errno.ENOMEM if isinstance(exc, MemoryError) else getattr(exc, "errno", None)
    if ran_out := run_out(number):
        what, remedy = ran_out
        return JournalError(name, f"this machine has run out of {what}", remedy)
    return JournalError(name, reason)


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
