# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about a state is said in one place."""

from __future__ import annotations

import pytest
from ansible_collections.msgops.fleet.plugins.filter.remedy import remedy
from ansible_collections.msgops.fleet.plugins.module_utils._common.states import STATES, UNKNOWN


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_the_remedy_of_the_table(state: str) -> None:
    assert remedy(state) == STATES[state].remedy


@pytest.mark.parametrize("state", [None, "", "hibernating"])
def test_anything_else_is_unknown(state: str | None) -> None:
    assert remedy(state) == STATES[UNKNOWN].remedy
