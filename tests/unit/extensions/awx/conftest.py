# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs, and a fleet at the emulator that they are about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.support.awx_jobs import Job


@pytest.fixture
def new_job(tmp_path: Path, ansible_commands: Path) -> Callable[[str], Job]:
    """Make a private data directory of this name."""
    return lambda name: Job(tmp_path / name, ansible_commands)


@pytest.fixture
def job(new_job: Callable[[str], Job]) -> Job:
    """A private data directory."""
    return new_job("job")
