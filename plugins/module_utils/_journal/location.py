# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening the journal that the option ``journal`` names: a file, or a database of PostgreSQL."""

from __future__ import annotations

import sys

from .._common.errors import UsageError
from .._common.paths import absolute, journal_kind, start_folder
from .storage import Storage


def storage_at(location: str) -> Storage:
    """Return the storage for a path, or for a URL of PostgreSQL.

    :raises UsageError: if ``location`` is neither (the message doesn't show it, because it may hold a password), or if
        the Python library that it needs is missing.
    """
    location = location.strip()
    kind = journal_kind(location)
    # Each library is imported only if such a journal is used, because it may be missing.
    if kind == "postgresql":
        from .postgres import PostgresStorage

        return PostgresStorage(location)
    if kind == "unusable":
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
