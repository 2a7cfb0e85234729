# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a path in a task means: the same file, whoever runs the task from where."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from .errors import UsageError

# What a journal's place may be instead of a path: a URL (even if it was mistyped), or PostgreSQL's KEYWORD=VALUE.
_ADDRESS = re.compile(r".*://|[^/]*:/|\s*\w+\s*=", re.DOTALL)


def start_folder() -> str | None:
    """The folder in which this process works, or ``None`` if it isn't there any more."""
    try:
        return os.getcwd()
    except OSError:
        return None


def is_address(location: str) -> bool:
    """Whether a journal's place is no path, but may be a URL."""
    return _ADDRESS.match(location) is not None


def absolute(path: str, option: str, folder: str | None) -> str:
    """``path`` as an absolute one: a relative one begins in ``folder``, where ``ansible-playbook`` was started.

    What follows a link by ``..`` is left for the system to find.

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
    """``params`` in which each option of the type ``path`` is absolute; a blank one is as if it weren't given.

    :raises UsageError: as ``absolute`` does.
    """
    resolved = dict(params)
    for option, spec in options.items():
        value = params.get(option)
        if spec.get("type") == "path" and value is not None:
            value = value if value.strip() else _unless_given(spec)
            if value is not None and not (option == "journal" and is_address(value)):
                value = absolute(value, option, folder)
            resolved[option] = value
    return resolved


def _unless_given(spec: Mapping[str, Any]) -> str | None:
    """What an option is that nobody gives: the value of its environment variable, else its default."""
    _function, variables = spec.get("fallback", (None, ()))
    values = [value for variable in variables if (value := os.environ.get(variable, "")).strip()]
    return values[0] if values else spec.get("default")
