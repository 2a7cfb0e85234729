# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage to play on, with the emulator behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.support.stage import Stage

from msgops_emulator import Control


@pytest.fixture
def stage(tmp_path: Path, ansible_commands: Path, emulator: Control) -> Stage:
    """A new folder; the environment names the emulator and its default accounts."""
    accounts = {account["provider"]: account for account in emulator.accounts() if account["name"] == "default"}
    return Stage(
        tmp_path,
        ansible_commands,
        {
            "GREEN_API_URL": emulator.url,
            "GREEN_API_PARTNER_TOKEN": accounts["green_api"]["partner_token"],
            "PLUGZAPI_URL": emulator.url,
            "PLUGZAPI_PARTNER_TOKEN": accounts["plugzapi"]["partner_token"],
            "PLUGZAPI_CLIENT_TOKEN": accounts["plugzapi"]["client_token"],
            "KOOPHONE_ENDPOINT": emulator.url,
            "KOOPHONE_AUTH_TOKEN": accounts["koophone"]["auth_token"],
        },
    )
