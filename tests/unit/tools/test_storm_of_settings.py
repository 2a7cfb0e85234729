# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small storm of settings at each gateway, and cores that must not weather one."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._settings.progress import SettingsProgress
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.green_api import GreenApi
from ansible_collections.msgops.fleet.tests.storm.settings import Storm, as_table
from ansible_collections.msgops.fleet.tests.storm.steps import KILL
from ansible_collections.msgops.fleet.tests.support.creation import GATEWAYS

from msgops_emulator import Emulator


@pytest.mark.parametrize("provider", GATEWAYS)
def test_what_is_declared_is_sent_once_and_the_run_minutes_later_finishes(
    emulator: Emulator, tmp_path: Path, provider: str
) -> None:
    storm = Storm(emulator, provider, tmp_path, Random(7))
    storm.weather(24)
    assert storm.violations == []
    assert storm.table[KILL]["(done)"] == 12
    assert "| kill -9 | 12 |" in as_table(storm)


def test_a_core_that_forgets_what_it_has_sent_does_not_weather_it(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storm = Storm(emulator, "green_api", tmp_path, Random(7))
    monkeypatch.setattr(GreenApi, "settings_lag", 0.0)
    storm.weather(1, ["shown late"])
    assert any("may have arrived, and was sent again" in violation for violation in storm.violations)


def test_a_core_that_believes_what_the_gateway_says_does_not_weather_it(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storm = Storm(emulator, "green_api", tmp_path, Random(7))
    monkeypatch.setattr(SettingsProgress, "missing", [])
    storm.weather(1, ["never shown"])
    assert any("(applied): the gateway shows" in violation for violation in storm.violations)
