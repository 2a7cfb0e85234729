# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of docs/emulator.md, generated from the tables of the code.

``python -m msgops_emulator.reference docs/emulator.md`` updates the page.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from .application import Application
from .config import OPTIONS, Option
from .fault_kinds import KINDS


def config_table() -> str:
    """Return the config keys as a Markdown table."""
    return _table(("key", "default", "values", "meaning"), (_option(key, option) for key, option in OPTIONS.items()))


def routes_table() -> str:
    """Return the routes as a Markdown table."""
    return _table(
        ("route", "changes something"),
        ((f"`{route.name}`", "yes" if route.writes else "") for route in Application().routes),
    )


def faults_table() -> str:
    """Return the faults and their options as a Markdown table."""
    rows: list[tuple[str, ...]] = []
    for name, kind in KINDS.items():
        rows.append((f"`{name}`", "", "", "", kind.help))
        rows += [("", *_option(key, option)) for key, option in kind.options.items()]
    return _table(("fault", "option", "default", "values", "meaning"), rows)


TABLES = {"config": config_table, "routes": routes_table, "faults": faults_table}


def updated(page: str) -> str:
    """Return a page with up-to-date tables between its ``<!-- name -->`` and ``<!-- /name -->`` lines."""
    for name, table in TABLES.items():
        match = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", page, re.DOTALL)
        if not match:
            raise ValueError(f"the page has no lines <!-- {name} --> and <!-- /{name} -->")
        page = page[: match.start(1)] + table() + page[match.end(1) :]
    return page


def _option(key: str, option: Option) -> tuple[str, ...]:
    values = ", ".join(f"`{json.dumps(choice)}`" for choice in option.choices) or option.kind
    meaning = option.help + (" For the whole server." if option.whole_server else "")
    return f"`{key}`", f"`{json.dumps(option.default)}`", values, meaning


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join("|" + "".join(f" {cell} |" if cell else " |" for cell in line) + "\n" for line in lines)


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
