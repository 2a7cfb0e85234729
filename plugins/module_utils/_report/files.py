# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports on a fleet as files: earlier ones are read, and a new one is written in three formats."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._common.atomic_file import AtomicFile
from .._common.errors import UsageError
from .._common.files import file_kind, make_folder
from .._common.paths import absolute
from .junit import render_junit
from .page import render_page
from .report import Part, Report, parse

# Modes of a new file, and of a folder that is made for it. Reports hold no secrets, and are meant to be read by others.
_MODE = 0o644
_FOLDER_MODE = 0o755


def _render_json(report: Report) -> str:
    return json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[Report], str]] = {
    "json_file": _render_json,
    "junit_file": render_junit,
    "html_file": render_page,
}


def load_parts(reports: Sequence[Any], folder: str | None) -> list[Part]:
    """Earlier reports: each the path of a JSON file, or the content of one. ``folder`` is the base of relative paths.

    A path may be a pattern with ``*``, ``?`` and ``[]``.

    :raises UsageError: if a pattern matches no file, or one isn't a report.
    """
    parts = []
    for index, report in enumerate(reports):
        if isinstance(report, str):
            path = absolute(report, "reports", folder)
            is_pattern = glob.has_magic(path) and not os.path.exists(path)
            found = sorted(glob.glob(path)) if is_pattern else [path]
            if not found:
                raise UsageError(f"reports {report} matches no file: {path}")
            parts += [parse(_load_report(path), path) for path in found]
        else:
            parts.append(parse(report, f"reports[{index}]"))
    return parts


def _load_report(path: str) -> Any:
    """The JSON in a report's file; ``path`` is absolute.

    :raises UsageError: if the file can't be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as exc:
        raise UsageError(f"the report {path} can't be read ({exc.strerror})") from None
    except ValueError:
        raise UsageError(f"the report {path} isn't valid JSON") from None


def write_report(report: Report, paths: Mapping[str, str | None], *, check_mode: bool) -> bool:
    """Write the report to the files in ``paths``, whose keys are those of ``FORMATS``.

    :returns: whether a file's content changed, or would change in check mode.
    :raises UsageError: if a file can't be written.
    """
    changed = False
    for option, render in FORMATS.items():
        if path := paths[option]:
            content = render(report).encode("utf-8", "backslashreplace")
            changed = update_file(path, content, option, check_mode=check_mode) or changed
    return changed


def update_file(path: str, content: bytes, option: str, *, check_mode: bool) -> bool:
    """Write ``content`` to the file unless it holds it; ``option`` names the file in messages.

    :returns: whether the file changed, or would change in check mode.
    :raises UsageError: if it can't be written.
    """
    if _is_in(path, content):
        return False
    if not check_mode:
        _write(path, content, option)
    return True


def _is_in(path: str, content: bytes) -> bool:
    if file_kind(path):  # opening a pipe blocks until another process opens its other end
        return False
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read() == content
    return False


def _write(path: str, content: bytes, option: str) -> None:
    """Replace the file atomically, so that a reader sees the old content or the new one; owner and mode stay.

    A pipe or a device can't be replaced: the content is written to it.
    """
    try:
        kind = file_kind(path)
        if kind and kind != "a folder":
            _write_into(path, content)
            return
        make_folder(os.path.dirname(path), _FOLDER_MODE)
        with contextlib.closing(AtomicFile(path)) as target:
            before = target.stat()
            target.replace(content, before, stat.S_IMODE(before.st_mode) if before else _MODE)
    except OSError as exc:
        raise UsageError(f"{option} {path} can't be written ({exc.strerror}); name another file") from None


def _write_into(path: str, content: bytes) -> None:
    # O_NONBLOCK: opening a named pipe that no process reads fails at once, instead of blocking for ever.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    os.set_blocking(descriptor, True)
    with open(descriptor, "wb") as file:
        file.write(content)
