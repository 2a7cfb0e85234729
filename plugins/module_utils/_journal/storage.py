# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journal can do wherever it lies, and what is said if it can't."""

from __future__ import annotations

import contextlib
from typing import Protocol

from .._common.errors import UsageError
from .schema import SCHEMA_VERSION, Transaction

# Seconds to wait for another transaction, each of which takes milliseconds.
BUSY_TIMEOUT = 30.0


class JournalError(UsageError):
    """The journal can't be used; nothing is created or rebooted without it."""

    def __init__(self, name: str, reason: str, remedy: str = "repair it or name another one as journal") -> None:
        super().__init__(f"the journal {name} can't be used, and nothing is done without it: {reason}; {remedy}")


class Storage(Protocol):
    """``name`` is what messages call it; there is no password in it."""

    name: str

    def transaction(self) -> contextlib.AbstractContextManager[Transaction]:
        """Change the journal, which is made if it isn't there; durable when the block has ended.

        :raises JournalError: if that can't be.
        """

    def reading(self) -> contextlib.AbstractContextManager[Transaction | None]:
        """Look into the journal and leave no trace; ``None`` if it isn't there."""


def check_version(name: str, version: int) -> int:
    """The schema ``version``.

    :raises JournalError: for a journal of a newer version of the collection.
    """
    if version > SCHEMA_VERSION:
        raise JournalError(name, f"a newer msgops.fleet wrote it (schema {version})", "upgrade the collection")
    return version
