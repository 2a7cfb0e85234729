# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of the leak matrix, and a line about how much was searched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.support.flaws import CRASHES, flawed_collection
from ansible_collections.msgops.fleet.tests.support.leaks import Servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """An address for each outcome."""
    started = Servers(tmp_path_factory.mktemp("servers"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection whose core crashes with secrets in the exception's text."""
    return flawed_collection(tmp_path_factory.mktemp("crashing"), CRASHES)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: dict[str, int] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if report.when == "call":
            for name, value in report.user_properties:
                if name.startswith("leak matrix"):
                    counts[name] = counts.get(name, 0) + int(value)
    for name, count in counts.items():
        terminalreporter.write_line(f"{name}: {count}")
