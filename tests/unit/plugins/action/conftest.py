# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage to play on, with the emulator behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.support.playbooks import account_environment
from ansible_collections.msgops.fleet.tests.support.stage import Stage

from msgops_emulator import Control


@pytest.fixture
def stage(tmp_path: Path, ansible_commands: Path, emulator: Control) -> Stage:
    """A new folder; the environment names the emulator and its default accounts."""
    return Stage(tmp_path, ansible_commands, account_environment(emulator))
