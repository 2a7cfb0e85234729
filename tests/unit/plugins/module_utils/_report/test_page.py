# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a page."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._report.evaluation import evaluate
from ansible_collections.msgops.fleet.plugins.module_utils._report.members import CONDITIONS
from ansible_collections.msgops.fleet.plugins.module_utils._report.page import render_page
from ansible_collections.msgops.fleet.plugins.module_utils._report.report import Source
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import Rule
from ansible_collections.msgops.fleet.tests.support.reports import FLEET, NOW, REPORTS, instance, make_report
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
        if tag not in ("meta", "input"):
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
        "aria-label", "charset", "checked", "class", "content", "data-head", "data-is", "for", "height", "http-equiv",
        "id", "lang", "name", "preserveaspectratio", "role", "title", "type", "viewbox", "width", "x",
    }  # fmt: skip
    assert not re.search(r"url\(|@import|https?://", page)


def test_the_policy_allows_the_page_s_own_style_alone() -> None:
    page = render_page(REPORTS["failed"])
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for _tag, a in Page(page).elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"


def test_what_to_do_comes_first() -> None:
    heads = re.findall("<h2>(.*?)</h2>", render_page(REPORTS["failed"]))
    assert heads == ["What to do", "States", "Providers", "Due next", "Members"]


def test_the_members_are_listed_the_worst_first() -> None:
    rows = re.findall(r'<tr data-is="(.*?)"><td class="long"><bdi>(.*?)</bdi>', render_page(REPORTS["failed"]))
    assert [name for _is, name in rows[:4]] == ["support", "phone-2", "lost", "lab"]
    assert [is_ for is_, _name in rows] == [
        *["failing action_required"] * 2, "failing unreadable", "failing unknown", *["ready"] * 4,
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "checked"), [("failed", "failing"), ("empty", None)])
def test_the_table_of_members_begins_with_the_failing_ones(name: str, checked: str | None) -> None:
    inputs = [attributes for tag, attributes in Page(render_page(REPORTS[name])).elements if tag == "input"]
    assert [button["id"] for button in inputs if "checked" in button] == ([f"show-{checked}"] if checked else [])


def test_each_filter_has_its_style_and_names_how_many_rows_it_shows() -> None:
    page = render_page(REPORTS["failed"])
    assert re.findall('<label for="show-(.*?)">(.*?)</label>', page) == [
        ("all", "all (8)"),
        ("failing", "failing (4)"),
        ("action_required", "needs a person (2)"),
        ("unreadable", "unreadable (1)"),
        ("unknown", "unknown (1)"),
        ("ready", "ready (4)"),
    ]
    for name in ("failing", *CONDITIONS):
        assert f'#show-{name}:checked ~ .members tr[data-is]:not([data-is~="{name}"]) {{ display: none; }}' in page


def test_a_single_member_of_many_can_be_seen_in_the_bar() -> None:
    many = [instance(str(n), "authorized") for n in range(1_999)] + [instance("x", "blocked")]
    page = render_page(make_report(many))
    whole = re.search(r'<svg class="bar" viewBox="0 0 (\d+) 1"', page)
    red = re.search(r'<rect class="failed" x="1999" width="20"', page)
    assert red
    assert whole
    assert whole[1] == "2019"


def test_a_printed_page_is_light_and_shows_bars_and_dots() -> None:
    """Browsers print no background colours."""
    page = render_page(REPORTS["failed"])
    rules = re.findall(r"^\.(?:bar|thin|dot::before) {(.*?)}", page, re.MULTILINE | re.DOTALL)
    assert len(rules) == 3
    assert not [rule for rule in rules if "background" in rule]
    assert re.findall(r"@media.*dark\)", page) == ["@media screen and (prefers-color-scheme: dark)"]


def test_a_large_fleet_makes_a_page_that_browsers_can_hold() -> None:
    many = [instance(str(n), "notAuthorized", name=f"shop-{n}", due="2026-06-01T00:00:00Z") for n in range(2_000)]
    assert len(render_page(make_report(many))) < 1_000_000


def test_the_page_says_what_to_do() -> None:
    text = texts("failed")
    assert "4 of 8 are failing, 0 may be." in text
    assert "1 × notAuthorized: link a phone" in text
    assert "1 × unreadable (unauthorized): for example: reading the state of GREEN-API instance 5 failed" in text
    assert "1 × stopped: start the phone in the KooPhone console" in text


def test_the_page_lists_the_next_due_dates_the_nearest_first() -> None:
    text = texts("passed")
    assert text.index("sales (3)plugzapioverdue for 1 d 12 h") < text.index("support (2)green_api12 h 0 min")
    assert text.index("support (2)green_api12 h 0 min") < text.index("shop (1)green_api120 d 12 h")


def test_the_page_names_the_accounts() -> None:
    members = [instance("1", "blocked", name="shop", account=account) for account in ("retail", "wholesale")]
    text = Page(render_page(make_report(members))).text
    assert "retail/shop (1)wholesale/shop (1)" in text
    assert "green_apiretail1" in text
    assert "shop1green_apiwholesaleblocked" in text


def test_a_page_on_nothing_says_so() -> None:
    text = texts("empty")
    assert "Nothing has to be done." in text
    assert "No due date is known." in text


def test_almost_all_is_not_all() -> None:
    many = [instance(str(n), "authorized") for n in range(9_999)] + [instance("x", "blocked")]
    text = Page(render_page(make_report(many))).text
    assert "99.9%healthy (9999)" in text
    assert "100%" not in text


def test_a_long_list_is_cut_and_says_so() -> None:
    text = Page(render_page(make_report([instance(str(n), "blocked", name=f"shop-{n}") for n in range(100)]))).text
    assert "100 × blocked" in text
    assert "and 92 more, in the table below" in text


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
    Page(render_page(make_report([instance("1", "notAuthorized", name=name, vendor_state=name)])))
