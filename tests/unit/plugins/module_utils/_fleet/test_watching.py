# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that one can wait for; test_observation and test_phones show the waiting itself."""

from __future__ import annotations

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import WaitPolicy


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf")])
def test_a_timeout_that_is_no_number_of_seconds_is_an_error_that_names_it(timeout: float) -> None:
    with pytest.raises(UsageError, match="wait_timeout"):
        WaitPolicy(timeout, 5)


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf")])
def test_an_interval_must_be_above_zero(interval: float) -> None:
    with pytest.raises(UsageError, match="wait_interval"):
        WaitPolicy(300, interval)


def test_not_to_wait_is_allowed() -> None:
    WaitPolicy(0, 0.001)
