# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a fleet is in order."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.phone_states import PHONE_STATUSES
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import Rule, common_rule
from ansible_collections.msgops.fleet.tests.support.reports import report_of


def out(**rule: Any) -> dict[str, tuple[str, ...]]:
    return {finding.member.id: finding.out for finding in report_of(**rule).out}


def test_only_authorized_instances_and_running_phones_are_in_order_by_default() -> None:
    assert out() == {"2": ("state",), "4": ("state",), "5": ("unreadable",), "efjy72gs": ("state",)}


def test_other_states_can_be_allowed() -> None:
    assert out(allowed_states=("authorized", "notAuthorized", "running", "stopped")).keys() == {"4", "5"}


def test_an_instance_that_could_not_be_read_is_in_no_state() -> None:
    assert "5" in out(allowed_states=tuple(PHONE_STATUSES))


def test_due_dates_count_only_if_the_rule_says_so() -> None:
    assert out(min_due_days=0)["3"] == ("due",)
    assert out(min_due_days=1)["2"] == ("state", "due")
    assert "1" not in out(min_due_days=120)
    assert out(min_due_days=121)["1"] == ("due",)


def test_an_unknown_due_date_is_not_due() -> None:
    assert "6" not in out(min_due_days=10_000)


@pytest.mark.parametrize(
    ("max_out", "total", "allowed"),
    [
        ("0", 200, 0),
        ("3", 200, 3),
        (" 3 ", 200, 3),
        ("5%", 200, 10),
        ("5 %", 199, 9),
        ("0.5%", 10_000, 50),
        ("0.5%", 199, 0),
        ("100%", 7, 7),
        ("0%", 7, 0),
    ],
)
def test_how_many_may_be_out_is_a_number_or_a_share_rounded_down(max_out: str, total: int, allowed: int) -> None:
    assert Rule(max_out=max_out).may_be_out(total) == allowed


@pytest.mark.parametrize("max_out", ["", "-1", "1.5", "five", "101%", "5%%", "٣", "1e3", "nan%"])
def test_anything_else_is_refused(max_out: str) -> None:
    with pytest.raises(UsageError, match="max_out must be a number such as 3 or a share such as 5%"):
        Rule(max_out=max_out)


@pytest.mark.parametrize("rule", [{"min_due_days": -1}, {"min_due_days": float("inf")}, {"min_total": -1}])
def test_numbers_that_make_no_sense_are_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(rule))):
        Rule(**rule)


def test_a_rule_that_is_kept_complains_of_nothing() -> None:
    report = report_of(max_out="50%")
    assert (len(report.out), report.broken()) == (4, [])


def test_a_broken_rule_says_by_how_much() -> None:
    assert report_of(max_out="3").broken() == ["4 of 8 are out of order, 3 may be"]


def test_a_fleet_that_has_lost_members_is_not_in_order() -> None:
    assert report_of(max_out="100%", min_total=9).broken() == ["there are 8, 9 are expected at least"]
    assert report_of([], min_total=1).broken() == ["there are 0, 1 are expected at least"]


def test_nothing_is_in_order() -> None:
    assert report_of([]).broken() == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(), "each is authorized or running"),
        (
            Rule(("authorized",), "5%", 1.0, 100),
            "each is authorized and paid for 1 day at least; up to 5% may be out of order; there are 100 at least",
        ),
    ],
)
def test_a_rule_can_be_said_in_words(rule: Rule, words: str) -> None:
    assert rule.words() == words


def test_slices_that_were_evaluated_by_different_rules_need_to_be_told_which_one_holds() -> None:
    assert common_rule([]) == Rule()
    with pytest.raises(UsageError, match="different rules"):
        common_rule([Rule(), Rule(max_out="1")])
