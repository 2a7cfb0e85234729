# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark runs and writes its report; these tests check no times, which depend on the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT

BENCHMARK = ROOT / "tests" / "benchmark"


@pytest.mark.parametrize(
    ("sections", "headings"),
    [
        (("server", "tasks", "imports"), ("## The server is not the bottleneck", "## Single tasks", "## Imports")),
        (
            ("instances", "phones", "memory"),
            ("## Instances in one task", "## Phones in one task", "## Memory"),
        ),
        (("role", "journal"), ("## The journal", "| the role over 2 existing instances", "## The role `provision`")),
    ],
)
def test_it_measures_and_reports(sections: tuple[str, ...], headings: tuple[str, ...], tmp_path: Path) -> None:
    only = [argument for section in sections for argument in ("--only", section)]
    ended = subprocess.run(
        [sys.executable, str(BENCHMARK / "bench.py"), "--quick", *only, "--output", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = (tmp_path / "results.md").read_text()
    for heading in ("## Machine", *headings):
        assert heading in report
    for line in ended.stdout.splitlines():
        if line.startswith(str(tmp_path)):
            assert Path(line).stat().st_size
