# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._report.page import render_page
from ansible_collections.msgops.fleet.plugins.module_utils._report.report import Source, evaluate
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import Rule
from ansible_collections.msgops.fleet.tests.support.reports import FLEET, NOW, REPORTS, instance, report_of
from hypothesis import given
from hypothesis import strategies as st


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


def test_the_page_says_what_to_do() -> None:
    text = texts("failed")
    assert "4 of 8 are failing, 0 may be." in text
    assert "1 × notAuthorized: link a phone" in text
    assert "1 × unreadable (unauthorized): for example, reading the state of GREEN-API instance 5 failed" in text
    assert "1 × stopped: start the phone in the KooPhone console" in text


def test_the_page_lists_the_next_due_dates_the_nearest_first() -> None:
    text = texts("passed")
    assert text.index("sales (3)plugzapioverdue for 1 d 12 h") < text.index("support (2)green_api12 h 0 min")
    assert text.index("support (2)green_api12 h 0 min") < text.index("shop (1)green_api120 d 12 h")


def test_the_page_names_the_accounts() -> None:
    members = [instance("1", "blocked", name="shop", account=account) for account in ("retail", "wholesale")]
    text = Page(render_page(report_of(members))).text
    assert "retail/shop (1)wholesale/shop (1)" in text
    assert "green_apiretail1" in text
    assert "shop1green_apiwholesaleblocked" in text


def test_a_page_on_nothing_says_so() -> None:
    text = texts("empty")
    assert "Nothing has to be done." in text
    assert "No due date is known." in text


def test_almost_all_is_not_all() -> None:
    many = [instance(str(n), "authorized") for n in range(9_999)] + [instance("x", "blocked")]
    text = Page(render_page(report_of(many))).text
    assert "99.9%healthy (9999)" in text
    assert "100%" not in text


def test_a_long_list_is_cut_and_says_so() -> None:
    text = Page(render_page(report_of([instance(str(n), "blocked", name=f"shop-{n}") for n in range(100)]))).text
    assert "100 × blocked" in text
    assert "and 40 more, in the table below" in text


def test_sources_are_shown_where_there_are_several() -> None:
    assert "Made from" not in texts("passed")
    sources = [Source("1", NOW, 4), Source("2", NOW, 4)]
    text = Page(render_page(evaluate(FLEET, Rule(), title="Fleet", generated_at=NOW, sources=sources))).text
    assert "Made from" in text


def test_names_are_text_whatever_they_hold() -> None:
    text = render_page(REPORTS["failed"])
    assert not [mark for mark in ("<script", "\x00", "\x1b") if mark in text]
    assert "<script>alert('1')</script> & \"{{ 7*7 }}\" ]]> [31m end (6)" not in texts("passed")  # it needs nothing
    assert "<script>alert('1')</script> & \"{{ 7*7 }}\" ]]> [31m end" in texts("passed")


@given(st.text())
def test_no_name_breaks_the_page(name: str) -> None:
    Page(render_page(report_of([instance("1", "notAuthorized", name=name, vendor_state=name)])))
