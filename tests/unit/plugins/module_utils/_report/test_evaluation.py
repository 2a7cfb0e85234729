# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a fleet is in order."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.phone_states import PHONE_STATUSES
from ansible_collections.msgops.fleet.plugins.module_utils._report.evaluation import (
    Rule,
    due_bucket,
    evaluate,
    instance_member,
    phone_member,
)
from ansible_collections.msgops.fleet.tests.support.reports import FLEET, NOW, READ, instance, report_of


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


def test_each_line_says_who_what_and_what_to_do() -> None:
    lines = {finding.member.id: finding.line for finding in report_of(min_due_days=1).out}
    assert lines["2"] == (
        "support (2) at green_api: is notAuthorized: link a phone: scan the instance's QR code in the gateway's "
        "console; is due 2026-02-01T00:00:00Z: extend it"
    )
    assert "is unknown (hibernating): look the vendor's word up" in lines["4"]
    assert lines["5"].endswith("HTTP 401; check instance_token")
    assert lines["efjy72gs"] == "phone-2 (efjy72gs) at koophone: is stopped: start the phone in the KooPhone console"
    assert all(line.isprintable() for line in lines.values())


def test_one_that_occurs_twice_counts_once_as_it_was_read_last() -> None:
    later = instance("2", "authorized", observed_at="2026-01-31T11:59:59Z")
    report = evaluate([later, *FLEET], Rule(), title="Fleet", generated_at=NOW, sources=[])
    assert [(f.member.state, f.out) for f in report.findings if f.member.id == "2"] == [("authorized", ())]
    assert len(report.findings) == len(FLEET)


def test_the_same_id_at_two_providers_is_two_instances() -> None:
    assert len(report_of([instance("1", "authorized"), instance("1", "authorized", provider="plugzapi")]).findings) == 2


@pytest.mark.parametrize(
    ("due", "bucket"),
    [
        (None, "unknown"),
        ("2026-01-31T12:00:00Z", "overdue"),
        ("2026-01-31T12:00:01Z", "within_24h"),
        ("2026-02-01T12:00:00Z", "within_24h"),
        ("2026-02-07T12:00:00Z", "within_7d"),
        ("2026-03-02T12:00:00Z", "within_30d"),
        ("2026-03-02T12:00:01Z", "later"),
        ("2026-02-01T12:00:00+03:00", "within_24h"),
        ("2026-02-01T12:00:00", "within_24h"),
        ("soon", "unknown"),
    ],
)
def test_due_dates_fall_into_buckets(due: str | None, bucket: str) -> None:
    assert due_bucket(instance("1", "authorized", due=due).due_at, report_of().now) == bucket


def test_members_come_from_what_the_modules_return() -> None:
    row = {"id": 7, "name": "shop", "provider": "plugzapi", "state": "authorized", "vendor_state": "connected"}
    row |= {"authorized": True, "health": "ready", "attempts": 1, "observed_at": READ, "error": None, "token": "s3cret"}
    assert instance_member(row, "instances[0]") == instance(
        "7", "authorized", name="shop", provider="plugzapi", vendor_state="connected"
    )
    phone = phone_member({"instance_id": "a44uhlf7", "status": 2, "status_name": "running", "error": None}, "phones[0]")
    assert (phone.kind, phone.provider, phone.id, phone.state, phone.vendor_state) == (
        "phone", "koophone", "a44uhlf7", "running", "2",
    )  # fmt: skip


@pytest.mark.parametrize("make", [instance_member, phone_member])
def test_a_row_without_an_id_is_refused(make: Any) -> None:
    with pytest.raises(UsageError, match=r"rows\[3\] has no \w*id"):
        make({"name": "shop"}, "rows[3]")


def test_the_health_of_a_word_that_is_no_state_is_unknown() -> None:
    for member in (instance("1", "hibernating"), phone_member({"instance_id": "1", "status_name": "flying"}, "")):
        assert (member.health, bool(member.remedy)) == ("unknown", True)
