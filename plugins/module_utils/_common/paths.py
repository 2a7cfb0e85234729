# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths in options: absolute, so that a task means the same file wherever its process runs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Literal

from .errors import UsageError

JournalKind = Literal["file", "postgresql", "unusable"]

# A URL, even a mistyped one, or PostgreSQL's KEYWORD=VALUE. The group matches what the collection can open.
_NO_PATH = re.compile(r"\s*(postgres(?:ql)?://)|.*://|[^/]*:/|\s*\w+\s*=", re.DOTALL | re.IGNORECASE)


def start_folder() -> str | None:
    """Return this process's working directory, ``None`` if that was removed."""
    try:
        return os.getcwd()
    except OSError:
        return None


def journal_kind(location: str) -> JournalKind:
    """What the value of the option ``journal`` names: a file, or a database of PostgreSQL."""
    match = _NO_PATH.match(location)
    if match is None:
        return "file"
    return "postgresql" if match[1] else "unusable"


def absolute(path: str, option: str, folder: str | None) -> str:
    """Return ``path`` as an absolute one; ``folder``, where ``ansible-playbook`` was started, is the base.

    A path with ``..`` isn't shortened, because ``..`` after a symbolic link depends on the link's target.

    :raises UsageError: for ``~`` without a home folder, and a relative path without ``folder``; it names ``option``.
    """
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        user = expanded[1:].split("/", 1)[0]
        nobody = f"HOME isn't set, and user ID {os.geteuid()} has no entry in passwd"
        why = f"there is no user {user}" if user else nobody
        raise UsageError(f"{option} {path} needs a home folder, and there is none: {why}; give an absolute path")
    if os.path.isabs(expanded):
        return expanded
    if folder is None:
        raise UsageError(
            f"{option} {path} is relative to the folder where ansible-playbook was started, which isn't there any "
            f"more; give an absolute path"
        )
    joined = os.path.join(folder, expanded)
    return joined if ".." in joined.split("/") else os.path.normpath(joined)


def with_absolute_paths(
    params: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]], folder: str | None
) -> dict[str, Any]:
    """Return ``params`` with absolute paths in all options of the type ``path``; no value is blank.

    :raises UsageError: as ``absolute`` does.
    """
    paths = {option: params.get(option) for option, spec in options.items() if spec.get("type") == "path"}
    return {
        **params,
        **{
            option: absolute(path, option, folder)
            for option, path in paths.items()
            if path is not None and not (option == "journal" and journal_kind(path) != "file")
        },
    }
