# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit."""

from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.msgops.fleet.plugins.module_utils._common.texts import one_line
from ansible_collections.msgops.fleet.plugins.module_utils._report.junit import render_junit
from ansible_collections.msgops.fleet.tests.support.reports import NASTY, REPORTS, instance, make_report
from hypothesis import given
from hypothesis import strategies as st


def junit(name: str) -> ElementTree.Element:
    return ElementTree.fromstring(render_junit(REPORTS[name]))


def test_junit_has_a_case_for_each_member_and_a_suite_for_each_provider() -> None:
    suites = junit("failed")
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


def test_the_cases_of_failing_members_fail_even_where_the_fleet_passes() -> None:
    for name in ("passed", "failed"):
        cases = {case.get("name"): [kind.tag for kind in case] for case in junit(name).iter("testcase")}
        assert cases["shop (1)"] == []
        assert cases["support (2)"] == ["failure"]
        assert cases["lost (5)"] == ["error"]
    (error,) = junit("failed").iter("error")
    assert error.get("message") == error.text
    assert "HTTP 401" in str(error.text)


def test_the_cases_name_the_account() -> None:
    report = make_report([instance("1", "authorized", name="shop", account=account) for account in ("a", "b")])
    cases = ElementTree.fromstring(render_junit(report)).iter("testcase")
    assert [case.get("name") for case in cases] == ["a/shop (1)", "b/shop (1)"]


def test_junit_counts_are_those_of_its_cases() -> None:
    for suite in junit("passed"):
        found = {tag: len(list(suite.iter(tag))) for tag in ("testcase", "failure", "error")}
        declared = {"testcase": "tests", "failure": "failures", "error": "errors"}
        assert found == {tag: int(str(suite.get(name))) for tag, name in declared.items()}


def test_names_are_text_whatever_they_hold() -> None:
    text = render_junit(REPORTS["failed"])
    assert not [mark for mark in ("<script", "\x00", "\x1b") if mark in text]
    names = [case.get("name") for case in junit("failed").iter("testcase")]
    assert f"{one_line(NASTY)} (6)" in names


@given(st.text())
def test_no_name_breaks_the_xml(name: str) -> None:
    report = make_report([instance("1", "notAuthorized", name=name, vendor_state=name)])
    ElementTree.fromstring(render_junit(report).encode("utf-8"))
