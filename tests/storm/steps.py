# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the storms of deletions and of settings have in common: faults in one step of a run, and the table of both."""

from __future__ import annotations

import argparse
import collections
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from msgops_emulator import Emulator

KILL = "kill -9"
# What the emulator does to a request: the kind of its fault, and the options.
KINDS: dict[str, tuple[str, Mapping[str, Any]]] = {
    **{
        f"{kind} {when}": (kind, {"when": when})
        for kind in ("reset", "close", "bad_gateway", "client_closed")
        for when in ("before", "after")
    },
    "truncate": ("truncate", {}),
    "garbage": ("garbage", {}),
    "throttle": ("throttle", {}),
    "400": ("status", {"status": 400}),
}

# How often the first runs said what, by fault, and the sums of the storm.
Table = dict[str, collections.Counter[str]]


def new_table() -> Table:
    """An empty table."""
    return collections.defaultdict(collections.Counter)


def as_markdown(table: Table, kind: str, sums: Sequence[str]) -> str:
    """The table; its last columns are ``sums``, and the others what was said of so many of ``kind``."""
    said = sorted({word for row in table.values() for word in row} - set(sums))
    columns = [*said, *sums]
    lines = [f"| fault | {kind} | {' | '.join(columns)} |", "| --- |" + " ---: |" * (len(columns) + 1)]
    for fault, row in table.items():
        total = sum(row[word] for word in said)
        lines.append(f"| {fault} | {total} | {' | '.join(str(row[column]) for column in columns)} |")
    return "\n".join(lines)


# Raises a storm of so many at a gateway, and returns its table and its violations.
Rage = Callable[[Emulator, str, Path, Random, int], tuple[str, list[str]]]


def measure(rage: Rage, number: int, description: str | None) -> None:
    """Raise a storm at each gateway, as the command line's options say, and print what came of it."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--number", type=int, default=number)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for provider in ("green_api", "plugzapi"):
        with tempfile.TemporaryDirectory() as folder, Emulator() as emulator:
            table, violations = rage(emulator, provider, Path(folder), Random(arguments.seed), arguments.number)
            print(f"## {provider}\n\n{table}\n\nviolations: {violations}\n", flush=True)
