# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a fleet passes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.phone_states import PHONE_STATUSES
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import Rule, common_rule
from ansible_collections.msgops.fleet.tests.support.reports import make_report


def failing(**rule: Any) -> dict[str, tuple[str, ...]]:
    return {finding.member.id: finding.failing for finding in make_report(**rule).failing}


def test_only_authorized_instances_and_running_phones_are_healthy_by_default() -> None:
    assert failing() == {"2": ("state",), "4": ("state",), "5": ("unreadable",), "efjy72gs": ("state",)}


def test_other_states_can_be_allowed() -> None:
    assert failing(allowed_states=("authorized", "notAuthorized", "running", "stopped")).keys() == {"4", "5"}


def test_an_instance_that_could_not_be_read_is_in_no_state() -> None:
    assert "5" in failing(allowed_states=tuple(PHONE_STATUSES))


def test_due_dates_count_only_if_the_rule_says_so() -> None:
    assert failing(min_due_days=0)["3"] == ("due",)
    assert failing(min_due_days=1)["2"] == ("state", "due")
    assert "1" not in failing(min_due_days=120)
    assert failing(min_due_days=121)["1"] == ("due",)


def test_an_unknown_due_date_is_not_due() -> None:
    assert "6" not in failing(min_due_days=10_000)


@pytest.mark.parametrize(
    ("max_failing", "total", "allowed"),
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
def test_how_many_may_be_failing_is_a_number_or_a_share_rounded_down(
    max_failing: str, total: int, allowed: int
) -> None:
    assert Rule(max_failing=max_failing).failing_limit(total) == allowed


@pytest.mark.parametrize("max_failing", ["", "-1", "1.5", "five", "101%", "5%%", "٣", "1e3", "nan%"])
def test_anything_else_is_refused(max_failing: str) -> None:
    with pytest.raises(UsageError, match="max_failing must be a number such as 3 or a share such as 5%"):
        Rule(max_failing=max_failing)


@pytest.mark.parametrize("rule", [{"min_due_days": -1}, {"min_due_days": float("inf")}, {"min_total": -1}])
def test_numbers_that_make_no_sense_are_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(rule))):
        Rule(**rule)


def test_a_fleet_that_passes_has_no_violations() -> None:
    report = make_report(max_failing="50%")
    assert (len(report.failing), report.violations()) == (4, [])


def test_a_violation_says_by_how_much() -> None:
    assert make_report(max_failing="3").violations() == ["4 of 8 are failing, 3 may be"]


def test_a_fleet_that_has_lost_members_fails() -> None:
    assert make_report(max_failing="100%", min_total=9).violations() == ["there are 8, at least 9 are expected"]
    assert make_report([], min_total=1).violations() == ["there are 0, at least 1 are expected"]


def test_an_empty_fleet_passes() -> None:
    assert make_report([]).violations() == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(), "each is authorized or running"),
        (
            Rule(("authorized",), "5%", 1.0, 100),
            "each is authorized and paid for at least 1 day; up to 5% may be failing; there are at least 100",
        ),
    ],
)
def test_a_rule_can_be_said_in_words(rule: Rule, words: str) -> None:
    assert rule.words() == words


def test_reports_by_different_rules_have_no_rule_in_common() -> None:
    assert common_rule([]) == Rule()
    with pytest.raises(UsageError, match="different rules"):
        common_rule([Rule(), Rule(max_failing="1")])
