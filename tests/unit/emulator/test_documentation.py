# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

reference: Any = pytest.importorskip("msgops_emulator.reference")

if TYPE_CHECKING:
    from msgops_emulator import Control

PAGE = Path(__file__).parents[3] / "docs" / "emulator.md"


def test_the_tables_are_generated_from_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert reference.updated(page) == page


def test_the_credentials_are_those_of_the_default_accounts(emulator: Control) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for account in emulator.accounts():
        for key in set(account) - {"provider", "name", "options", "old_partner_tokens"}:
            assert account[key] in page


def test_every_endpoint_of_the_control_api_is_described() -> None:
    page = PAGE.read_text(encoding="utf-8")
    client: Any = pytest.importorskip("msgops_emulator.client")
    methods = {name for name in vars(client.Control) if not name.startswith("_")} - {"request"}
    assert {name for name in methods if f"`{name}`" not in page} == set()
