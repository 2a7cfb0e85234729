# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways whose codes hold for a second."""

from __future__ import annotations

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import CodePolicy
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.green_api import GreenApi
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.plugzapi import Plugzapi


@pytest.fixture(autouse=True)
def _short_lived_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes that hold for a second instead of 20 or 150."""
    monkeypatch.setattr(GreenApi, "qr_policy", CodePolicy(interval=0.05, life=1.0))
    monkeypatch.setattr(GreenApi, "pairing_policy", CodePolicy(interval=1.0, life=1.0))
    monkeypatch.setattr(Plugzapi, "qr_policy", CodePolicy(interval=0.5, life=1.0, limit=3))
    monkeypatch.setattr(Plugzapi, "pairing_policy", CodePolicy(interval=1.0, life=1.0, limit=3))
