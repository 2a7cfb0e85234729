# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JSON, as JUnit and as a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._report.evaluation import (
    Rule,
    Source,
    common_rule,
    evaluate,
    parse,
)
from ansible_collections.msgops.fleet.plugins.module_utils._report.junit import render_junit
from ansible_collections.msgops.fleet.plugins.module_utils._report.page import render_page
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT
from ansible_collections.msgops.fleet.tests.support.reports import FLEET, NASTY, NOW, instance, report_of
from hypothesis import given
from hypothesis import strategies as st

SCHEMA = json.loads((ROOT / "docs" / "fleet-report-1.schema.json").read_text())
REPORTS = {
    "kept": report_of(max_out="100%", min_due_days=1.5, min_total=3),
    "broken": report_of(),
    "empty": report_of([]),
}


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
    assert REPORTS["broken"].summary() == {
        "total": 8,
        "out": 4,
        "authorized": 3,
        "unreadable": 1,
        "by_state": {"authorized": 3, "notAuthorized": 1, "running": 1, "stopped": 1, "unknown": 1},
        "by_health": {"action_required": 2, "ready": 4, "unknown": 2},
        "by_provider": {"green_api": 5, "koophone": 2, "plugzapi": 1},
        "due": {"overdue": 1, "within_24h": 1, "within_7d": 0, "within_30d": 0, "later": 1, "unknown": 5},
    }


def test_a_report_that_is_read_back_is_the_same() -> None:
    before = REPORTS["kept"].as_json()
    part = parse(json.loads(json.dumps(before)), "fleet.json")
    after = evaluate(part.members, part.rule, title="Fleet", generated_at=NOW, sources=part.sources).as_json()
    assert after == before


def test_slices_merge_into_the_whole() -> None:
    slices = [report_of(FLEET[n::3], max_out="3").as_json() for n in range(3)]
    parts = [parse(json.loads(json.dumps(slice)), f"{n}") for n, slice in enumerate(slices)]
    whole = evaluate(
        [member for part in parts for member in part.members],
        common_rule([part.rule for part in parts]),
        title="Fleet",
        generated_at=NOW,
        sources=[source for part in parts for source in part.sources],
    ).as_json()
    assert [slice["kept"] for slice in slices] == [True, True, True]
    assert whole["broken"] == ["4 of 8 are out of order, 3 may be"]
    assert [source["total"] for source in whole.pop("sources")] == [3, 3, 2]
    expected = report_of(max_out="3").as_json()
    expected.pop("sources")
    assert whole == expected


def test_slices_that_were_evaluated_by_different_rules_need_to_be_told_which_one_holds() -> None:
    assert common_rule([]) == Rule()
    with pytest.raises(UsageError, match="different rules"):
        common_rule([Rule(), Rule(max_out="1")])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "no fleet report of version 1"),
        ({"version": 2}, "no fleet report of version 1"),
        ({"version": 1}, "broken fleet report"),
        (REPORTS["kept"].as_json() | {"members": [{"kind": "instance"}]}, "broken fleet report"),
        (REPORTS["kept"].as_json() | {"rule": {"allowed_states": [], "min": 1}}, "broken fleet report"),
    ],
)
def test_what_is_no_report_is_refused(content: Any, says: str) -> None:
    with pytest.raises(UsageError, match=rf"fleet\.json is .*{says}"):
        parse(content, "fleet.json")


def junit(name: str) -> ElementTree.Element:
    return ElementTree.fromstring(render_junit(REPORTS[name]))


def test_junit_has_a_case_for_each_member_and_a_suite_for_each_provider() -> None:
    suites = junit("broken")
    assert [(suite.get("name"), len(suite.findall("testcase"))) for suite in suites] == [
        ("green_api", 5),
        ("plugzapi", 1),
        ("koophone", 2),
    ]
    assert {key: suites.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "8",
        "failures": "3",
        "errors": "1",
    }


def test_junit_fails_whoever_is_out_of_order_even_where_the_rule_is_kept() -> None:
    for name in ("kept", "broken"):
        cases = {case.get("name"): [kind.tag for kind in case] for case in junit(name).iter("testcase")}
        assert cases["shop (1)"] == []
        assert cases["support (2)"] == ["failure"]
        assert cases["lost (5)"] == ["error"]
    (error,) = junit("broken").iter("error")
    assert error.get("message") == error.text
    assert "HTTP 401" in str(error.text)


def test_junit_counts_are_those_of_its_cases() -> None:
    for suite in junit("kept"):
        found = {tag: len(list(suite.iter(tag))) for tag in ("testcase", "failure", "error")}
        declared = {"testcase": "tests", "failure": "failures", "error": "errors"}
        assert found == {tag: int(str(suite.get(name))) for tag, name in declared.items()}


class Page(HTMLParser):
    """What a browser would make of the page: its elements, and the text in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


def texts(name: str) -> str:
    return Page(render_page(REPORTS[name])).text


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_is_well_formed_and_loads_nothing(name: str) -> None:
    page = render_page(REPORTS[name])
    parsed = Page(page)
    assert {"script", "link", "img", "iframe", "form", "a"} & {tag for tag, _attributes in parsed.elements} == set()
    attributes = {name for _tag, attributes in parsed.elements for name in attributes}
    assert attributes <= {
        "aria-label", "charset", "class", "content", "http-equiv", "lang", "name", "role", "style", "title",
    }  # fmt: skip
    assert not re.search(r"url\(|@import|https?://", page)
    assert "default-src 'none'" in page


def test_the_page_says_who_needs_what() -> None:
    text = texts("broken")
    assert "4 of 8 are out of order, 0 may be." in text
    assert "1 × notAuthorized: link a phone" in text
    assert "1 × not read (unauthorized): for example, reading the state of GREEN-API instance 5 failed" in text
    assert "1 × stopped: start the phone in the KooPhone console" in text


def test_the_page_says_what_expires_next_the_nearest_first() -> None:
    text = texts("kept")
    assert text.index("sales (3)plugzapioverdue for 1 d 12 h") < text.index("support (2)green_api12 h 0 min")
    assert text.index("support (2)green_api12 h 0 min") < text.index("shop (1)green_api120 d 12 h")


def test_a_page_on_nothing_says_so() -> None:
    text = texts("empty")
    assert "Nobody needs anything." in text
    assert "No due date is known." in text


def test_almost_all_is_not_all() -> None:
    many = [instance(str(n), "authorized") for n in range(9_999)] + [instance("x", "blocked")]
    text = Page(render_page(report_of(many))).text
    assert "99.9%ready (9999)" in text
    assert "100%" not in text


def test_a_long_list_is_cut_and_says_so() -> None:
    text = Page(render_page(report_of([instance(str(n), "blocked", name=f"shop-{n}") for n in range(100)]))).text
    assert "100 × blocked" in text
    assert "and 40 more, in the table below" in text


def rendered() -> Iterator[str]:
    yield render_junit(REPORTS["broken"])
    yield render_page(REPORTS["broken"])


def test_names_are_text_whatever_they_hold() -> None:
    for text in rendered():
        assert "<script" not in text
        assert "\x00" not in text
        assert "\x1b" not in text
    names = [case.get("name") for case in junit("broken").iter("testcase")]
    assert NASTY.replace("\x00", "\ufffd").replace("\x1b", "\ufffd").replace("\ud800", "\ufffd") + " (6)" in names
    assert "<script>alert('1')</script> & \"{{ 7*7 }}\" ]]> [31m end (6)" not in texts("kept")  # it needs nothing
    assert "<script>alert('1')</script> & \"{{ 7*7 }}\" ]]> [31m end" in texts("kept")


@given(st.text())
def test_no_name_breaks_a_format(name: str) -> None:
    report = report_of([instance("1", "notAuthorized", name=name, vendor_state=name)])
    ElementTree.fromstring(render_junit(report).encode("utf-8"))
    Page(render_page(report))


def test_sources_are_shown_where_there_are_several() -> None:
    assert "Made from" not in texts("kept")
    sources = [Source("1", NOW, 4), Source("2", NOW, 4)]
    text = Page(render_page(evaluate(FLEET, Rule(), title="Fleet", generated_at=NOW, sources=sources))).text
    assert "Made from" in text
