# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: its lines, its summary and its JSON."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._report.evaluation import evaluate
from ansible_collections.msgops.fleet.plugins.module_utils._report.report import parse
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import common_rule
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT
from ansible_collections.msgops.fleet.tests.support.reports import (
    FLEET,
    NOW,
    REFUSED,
    REPORTS,
    instance,
    make_report,
)

SCHEMA = json.loads((ROOT / "docs" / "fleet-report-1.schema.json").read_text())


def test_each_line_says_who_what_and_what_to_do() -> None:
    lines = {finding.member.id: finding.line for finding in make_report(min_due_days=1).failing}
    assert lines["2"] == (
        "support (2) at green_api: is notAuthorized: link a phone: instance_link, provision_link and the gateway's "
        "console show its code; is due 2026-02-01T00:00:00Z: extend it"
    )
    assert "is unknown (hibernating): look the vendor's word up" in lines["4"]
    assert lines["5"].endswith("HTTP 401; check instance_token")
    assert lines["efjy72gs"] == "phone-2 (efjy72gs) at koophone: is stopped: start the phone in the KooPhone console"
    assert all(line.isprintable() for line in lines.values())


def test_the_worst_come_first_and_are_counted_by_cause() -> None:
    late = {"due": "2026-01-30T00:00:00Z"}
    members = [
        instance("1", "authorized", name="late", **late),
        instance("2", "starting", name="soon"),
        instance("3", None, name="lost", error=REFUSED),
        instance("4", "notAuthorized", name="a", **late),
        instance("5", "notAuthorized", name="z"),
        instance("6", "notAuthorized", name="b"),
        instance("7", "yellowCard", name="limited"),
        instance("8", "blocked", name="zoo", provider="plugzapi"),
        instance("9", "authorized", name="healthy"),
    ]
    report = make_report(members, min_due_days=0)
    assert [finding.member.name for finding in report.failing] == [
        "zoo", "limited", "b", "z", "a", "lost", "soon", "late",
    ]  # fmt: skip
    assert list(report.summary()["by_cause"].items()) == [
        ("blocked", 1),
        ("yellowCard", 1),
        ("notAuthorized", 2),
        ("notAuthorized and due", 1),
        ("unreadable (unauthorized)", 1),
        ("starting", 1),
        ("due", 1),
    ]


def strict(schema: Any) -> Any:
    """``schema`` without room for what it doesn't name."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    return closed if "properties" not in schema else {"additionalProperties": False, **closed}


@pytest.mark.parametrize("name", REPORTS)
def test_the_json_is_what_its_schema_says_and_nothing_else(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(json.dumps(REPORTS[name].as_json())), strict(SCHEMA))


def test_the_summary_counts_everything_once() -> None:
    assert REPORTS["failed"].summary() == {
        "total": 8,
        "failing": 4,
        "authorized": 3,
        "unreadable": 1,
        "by_state": {"authorized": 3, "notAuthorized": 1, "running": 1, "stopped": 1, "unknown": 1},
        "by_health": {"action_required": 2, "ready": 4, "unknown": 2},
        "by_provider": {"green_api": 5, "koophone": 2, "plugzapi": 1},
        "by_cause": {"notAuthorized": 1, "stopped": 1, "unreadable (unauthorized)": 1, "unknown": 1},
        "due": {"overdue": 1, "within_24h": 1, "within_7d": 0, "within_30d": 0, "later": 1, "unknown": 5},
    }


def test_a_report_that_is_read_back_is_the_same() -> None:
    before = REPORTS["passed"].as_json()
    part = parse(json.loads(json.dumps(before)), "fleet.json")
    after = evaluate(part.members, part.rule, title="Fleet", generated_at=NOW, sources=part.sources).as_json()
    assert after == before


def test_slices_merge_into_the_whole() -> None:
    slices = [make_report(FLEET[n::3], max_failing="3").as_json() for n in range(3)]
    parts = [parse(json.loads(json.dumps(slice)), f"{n}") for n, slice in enumerate(slices)]
    whole = evaluate(
        [member for part in parts for member in part.members],
        common_rule([part.rule for part in parts]),
        title="Fleet",
        generated_at=NOW,
        sources=[source for part in parts for source in part.sources],
    ).as_json()
    assert [slice["passed"] for slice in slices] == [True, True, True]
    assert whole["violations"] == ["4 of 8 are failing, 3 may be"]
    assert [source["total"] for source in whole.pop("sources")] == [3, 3, 2]
    expected = make_report(max_failing="3").as_json()
    expected.pop("sources")
    assert whole == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "isn't a fleet report of version 1"),
        ({"version": 2}, "isn't a fleet report of version 1"),
        ({"version": 1}, "malformed fleet report"),
        (REPORTS["passed"].as_json() | {"members": [{"kind": "instance"}]}, "malformed fleet report"),
        (REPORTS["passed"].as_json() | {"rule": {"allowed_states": [], "min": 1}}, "malformed fleet report"),
    ],
)
def test_content_that_is_no_report_is_refused(content: Any, says: str) -> None:
    with pytest.raises(UsageError, match=rf"fleet\.json .*{says}"):
        parse(content, "fleet.json")
