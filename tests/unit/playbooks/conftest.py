# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder to run playbooks in, and a fleet to run them on."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.support.playbooks import Playbooks

from msgops_emulator import Control


@pytest.fixture
def playbooks(tmp_path: Path, ansible_commands: Path, emulator: Control) -> Playbooks:
    return Playbooks(tmp_path, ansible_commands, emulator)


@pytest.fixture
def fleet(playbooks: Playbooks) -> Playbooks:
    """Five instances, two of them failing."""
    playbooks.seed(
        "msgops_instances",
        {"provider": "green_api", "name": "shop", "state": "authorized"},
        {"provider": "green_api", "name": "support", "state": "notAuthorized"},
        {"provider": "green_api", "name": "zoo", "state": "blocked"},
        {"provider": "plugzapi", "name": "loja", "state": "connected"},
        {"provider": "plugzapi", "name": "vendas", "state": "connected"},
    )
    playbooks.hosts["msgops_instances"]["shop"]["msgops_account"] = "retail"
    return playbooks
