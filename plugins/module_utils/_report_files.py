# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports on a fleet as files: earlier ones that are read, and the three forms of one that are written."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from ._errors import UsageError
from ._report import Report
from ._report_junit import junit_of
from ._report_page import page_of


def _json_of(report: Report) -> str:
    return json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[Report], str]] = {"json_file": _json_of, "junit_file": junit_of, "html_file": page_of}


def load_report(path: str) -> Any:
    """The JSON that a report's file holds.

    :raises UsageError: if it can't be read.
    """
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            return json.load(file)
    except OSError as exc:
        raise UsageError(f"the report {path} can't be read ({exc.strerror})") from None
    except ValueError:
        raise UsageError(f"the report {path} isn't valid JSON") from None


def write_report(report: Report, paths: Mapping[str, str | None], *, check_mode: bool) -> bool:
    """Write the files that ``paths`` names by ``FORMATS``; whether one of them is, or would be, another than before.

    :raises UsageError: if one can't be written.
    """
    changed = False
    for option, format_of in FORMATS.items():
        path = paths[option]
        if path:
            content = format_of(report).encode("utf-8", "backslashreplace")
            with contextlib.suppress(OSError), open(path, "rb") as file:
                if file.read() == content:
                    continue
            changed = True
            if not check_mode:
                _replace(path, content, option)
    return changed


def _replace(path: str, content: bytes, option: str) -> None:
    """A reader sees the old file or the new one, never a part."""
    folder, name = os.path.split(os.path.abspath(path))
    try:
        os.makedirs(folder, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as exc:
        raise UsageError(f"{option} {path} can't be written ({exc.strerror})") from None
