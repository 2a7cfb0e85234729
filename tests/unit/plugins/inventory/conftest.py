# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory sources, with the emulator behind them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.support.inventories import Source

from msgops_emulator import Control


@pytest.fixture
def credentials(emulator: Control) -> dict[str, str]:
    """The addresses and the default accounts of the emulator, as environment variables."""
    accounts = {account["provider"]: account for account in emulator.accounts() if account["name"] == "default"}
    return {
        "GREEN_API_URL": emulator.url,
        "GREEN_API_PARTNER_TOKEN": accounts["green_api"]["partner_token"],
        "PLUGZAPI_URL": emulator.url,
        "PLUGZAPI_PARTNER_TOKEN": accounts["plugzapi"]["partner_token"],
        "KOOPHONE_ENDPOINT": emulator.url,
        "KOOPHONE_AUTH_TOKEN": accounts["koophone"]["auth_token"],
    }


@pytest.fixture
def bare(tmp_path: Path, ansible_commands: Path) -> Source:
    """A folder for sources, and nothing in the environment."""
    return Source(tmp_path, ansible_commands)


@pytest.fixture
def source(bare: Source, credentials: dict[str, str]) -> Source:
    """A folder for sources, and the emulator in the environment."""
    bare.environment.update(credentials)
    return bare
