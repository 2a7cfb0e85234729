# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets to test creation with; nothing of the caller's environment reaches them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._creation import listing
from ansible_collections.msgops.fleet.tests.unit.creation.support import GATEWAYS, HURRY, Fleet

from msgops_emulator import Emulator


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't wait as long for a listing as in earnest."""
    for name, value in HURRY.items():
        monkeypatch.setattr(listing, name.rpartition(".")[2], value)


@pytest.fixture
def options() -> dict[str, Any]:
    """What the fleets' tasks are told, besides what all are told."""
    return {}


@pytest.fixture(params=GATEWAYS)
def fleet(
    request: pytest.FixtureRequest, emulator: Emulator, tmp_path: Path, options: dict[str, Any], hurry: None
) -> Fleet:
    """An empty account, at each gateway in turn."""
    return Fleet(emulator, request.param, tmp_path, options)


@pytest.fixture
def green(emulator: Emulator, tmp_path: Path, options: dict[str, Any], hurry: None) -> Fleet:
    """An empty account at GREEN-API."""
    return Fleet(emulator, "green_api", tmp_path, options)


@pytest.fixture
def plugz(emulator: Emulator, tmp_path: Path, options: dict[str, Any], hurry: None) -> Fleet:
    """An empty account at PlugzAPI, with a listing."""
    return Fleet(emulator, "plugzapi", tmp_path, options)
