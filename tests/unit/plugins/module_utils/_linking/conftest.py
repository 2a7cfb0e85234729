# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sittings; nothing of the caller's environment reaches them."""

from __future__ import annotations

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._linking import code_folder, linker
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import CodePolicy
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.green_api import GreenApi
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.plugzapi import Plugzapi


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds instead of half minutes."""
    monkeypatch.setattr(GreenApi, "qr_policy", CodePolicy(interval=0.05, life=1.0))
    monkeypatch.setattr(GreenApi, "pairing_policy", CodePolicy(interval=1.0, life=1.0))
    monkeypatch.setattr(Plugzapi, "qr_policy", CodePolicy(interval=0.5, life=1.0, limit=3))
    monkeypatch.setattr(Plugzapi, "pairing_policy", CodePolicy(interval=1.0, life=1.0, limit=3))
    monkeypatch.setattr(linker, "_NO_CODE_TIMEOUT", 0.5)
    monkeypatch.setattr(linker, "_TICK", 0.02)
    monkeypatch.setattr(code_folder, "_PAUSE", 0.02)
