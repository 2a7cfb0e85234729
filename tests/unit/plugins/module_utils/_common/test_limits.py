# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits, as a number or as a share, and the guard that keeps a plan within one."""

from __future__ import annotations

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery, UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.limits import Limit


@pytest.mark.parametrize(
    ("text", "total", "most"),
    [
        ("0", 100, 0),
        ("7", 5, 7),
        ("10%", 100, 10),
        ("10%", 30, 3),
        ("10 %", 9, 0),
        ("0.1%", 1000, 1),
        ("33.3%", 10, 3),
        ("100%", 3, 3),
        (" 5 ", 1, 5),
    ],
)
def test_a_limit_is_a_number_or_a_share(text: str, total: int, most: int) -> None:
    assert Limit("max_changes", text).of(total) == most


@pytest.mark.parametrize("text", ["", "-1", "1.5", "101%", "10%%", "ten", "%", "\u0661", "1e3"])
def test_anything_else_is_refused_with_the_options_name(text: str) -> None:
    with pytest.raises(UsageError, match=r"^max_changes must be a whole number, 0 or more, or a share such as 10%$"):
        Limit("max_changes", text)


def test_a_plan_within_the_limit_passes() -> None:
    assert Limit("max_changes", "2").guard(["a", "b"], 10) is None
    assert Limit("max_changes", "10%").guard(["a"], 10) is None


def test_a_plan_beyond_it_is_refused_with_its_changes_and_the_way_out() -> None:
    refusal = Limit("max_changes", "10%").guard(["a", "b"], 10)
    assert refusal is not None
    assert refusal.message == (
        "the plan changes 2 of 10 instances, and max_changes is 10%; nothing was sent: check the plan in check mode, "
        "and raise max_changes if it is meant; it changes a, b"
    )
    assert (refusal.code, refusal.delivery, refusal.retryable) == ("bad_request", Delivery.NOT_SENT, False)
