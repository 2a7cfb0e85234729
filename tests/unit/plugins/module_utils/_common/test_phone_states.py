# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statuses of cloud phones."""

from __future__ import annotations

import re

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.phone_states import (
    MISSING,
    OTHER,
    PHONE_STATUSES,
    status_name,
)
from ansible_collections.msgops.fleet.tests.support.wire import ROOT

NAMES = ["unknown", "stopped", "running", "offline", "starting", "shut_down"]


def test_the_documented_integers_have_names() -> None:
    assert [status_name(status) for status in range(6)] == NAMES


@pytest.mark.parametrize("status", [-1, 6, 7, 10**9])
def test_any_other_integer_is_other(status: int) -> None:
    assert status_name(status) == OTHER


def test_each_status_has_a_meaning() -> None:
    assert list(PHONE_STATUSES) == [*NAMES, OTHER, MISSING]
    assert all(meaning.health and meaning.remedy for meaning in PHONE_STATUSES.values())


def test_the_documentation_has_the_table() -> None:
    page = (ROOT / "docs" / "states.md").read_text().partition("## Cloud phones")[2]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [(name, meaning.health, meaning.remedy) for name, meaning in PHONE_STATUSES.items()]
