# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the option ``journal`` names: a file, or a database of PostgreSQL for runs on several machines."""

from __future__ import annotations

import re
import sys

from .._common.errors import UsageError
from .._common.paths import absolute, is_address, start_folder
from .storage import Storage

_POSTGRESQL = re.compile("postgres(ql)?://", re.IGNORECASE)


def storage_at(location: str) -> Storage:
    """The storage of a path, or of a URL of PostgreSQL.

    :raises UsageError: if it is neither (the message doesn't show it, for it may hold a password), or what it needs is
        missing.
    """
    location = location.strip()
    # Each brings a library with it that only those need who have such a journal.
    if _POSTGRESQL.match(location):
        from .postgres import PostgresStorage

        return PostgresStorage(location)
    if is_address(location):
        raise UsageError(
            "journal is neither a path nor a URL of PostgreSQL (postgresql://USER@HOST/DATABASE); "
            "a path that looks like NAME=VALUE begins with ./"
        )
    try:
        from .sqlite import SqliteStorage
    except ImportError as exc:
        raise UsageError(
            f"a journal in a file needs Python's module sqlite3, which {sys.executable} can't import ({exc}): install "
            "it, run the task with another Python (ansible_python_interpreter), or name a journal in PostgreSQL"
        ) from None
    return SqliteStorage(absolute(location, "journal", start_folder()))
