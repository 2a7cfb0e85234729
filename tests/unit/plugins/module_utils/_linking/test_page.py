# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page stands alone, and shows names as they are."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html.parser
import re

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._linking.page import Card, Page, spell
from ansible_collections.msgops.fleet.plugins.module_utils._linking.qr import as_lines, as_png

from msgops_emulator.camera import read_codes

NASTY = "\"><script>alert(1)</script>&amp;'$now ${stale} \N{SNOWMAN}"
CARD = Card("green_api-7", "shop", "7", "green_api", image=as_png("2@code"), since=1000.0, life=20.0)


class Reader(html.parser.HTMLParser):
    """What a browser makes of a page: its elements, and the text outside of style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("style", "script"):
            self.text += data


def page(*cards: Card, linked: tuple[str, ...] = (), lost: tuple[tuple[str, str], ...] = (), over: bool = False) -> str:
    return Page(cards, linked, lost, over).render(1010.0, 30.0)


def test_it_needs_nothing_else() -> None:
    source = page(CARD, linked=("done",), lost=(("lost", "why"),))
    sources = [value for _tag, attributes in Reader(source).elements for name, value in attributes.items()
               if name in ("src", "href", "action", "data", "srcset")]  # fmt: skip
    assert all(value and value.startswith(("data:image/png;base64,", "#")) for value in sources)
    assert not re.search(r"https?://|url\(|@import|fetch|XMLHttpRequest", source)
    assert "default-src 'none'" in source


def test_the_policy_allows_the_page_s_own_style_and_script_alone() -> None:
    source = page(CARD, linked=("done",), lost=(("lost", "why"),))
    policy = next(a["content"] or "" for _tag, a in Reader(source).elements if a.get("http-equiv"))
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe-inline" not in policy
    assert not [attributes for _tag, attributes in Reader(source).elements if "style" in attributes]


def test_it_says_how_long_the_task_still_waits() -> None:
    source = Page([CARD], [], [], False, wait_seconds=900.0, ends_at=1310.0).render(1010.0, 30.0)
    assert "The task waits for 5 min more of 15 min, until 00:21:50 UTC." in Reader(source).text
    assert '<b class="left" data-ends="1310.000">' in source
    assert 'datetime="1970-01-01T00:21:50Z"' in source


def test_it_says_that_the_task_has_ended() -> None:
    ended = Page([], ["shop"], [], True, wait_seconds=900.0, ends_at=1310.0)
    assert "The task has ended." in Reader(ended.render(1010.0, 30.0)).text
    lost = dataclasses.replace(ended, lost=[("sales", "no phone within 900 s")])
    assert "The task has ended. Run it again to link the others." in Reader(lost.render(1010.0, 30.0)).text


def test_it_says_that_the_task_does_not_wait() -> None:
    assert "The task doesn't wait for the phones" in Reader(Page([CARD], [], [], True).render(1010.0, 30.0)).text


def test_before_the_first_code_it_says_what_comes() -> None:
    assert "shows each code as soon as" in Reader(page(dataclasses.replace(CARD, image=None))).text


def test_a_name_is_shown_on_one_printable_line() -> None:
    assert "a b c" in Reader(page(dataclasses.replace(CARD, name="a\x1b\nb\N{RIGHT-TO-LEFT OVERRIDE}c"))).text


def test_it_reads_itself_again() -> None:
    assert "location.reload()" in page(CARD)


def test_names_are_text() -> None:
    nasty = dataclasses.replace(CARD, name=NASTY, id=NASTY, provider=NASTY, note=NASTY, refusal=NASTY, anchor="a&b")
    read = Reader(page(nasty, linked=(NASTY,), lost=((NASTY, NASTY),)))
    assert read.text.count(NASTY) == 8
    assert [tag for tag, _attributes in read.elements].count("script") == 1


@pytest.mark.parametrize("name", ["$title", "${cards}", "$"])
def test_a_name_is_no_template(name: str) -> None:
    assert Reader(page(dataclasses.replace(CARD, name=name))).text.count(name) >= 1


def test_a_code_has_its_age() -> None:
    ages = [attributes for _tag, attributes in Reader(page(CARD)).elements if attributes.get("class") == "age"]
    assert [(age["data-since"], age["data-life"]) for age in ages] == [("1000.000", "20")]
    assert '<body data-written="1010.000" data-stale="30" data-over="false">' in page(CARD)


def test_without_a_code_there_is_no_age() -> None:
    source = page(dataclasses.replace(CARD, image=None, note="starting: wait"))
    assert "no code yet" in source
    assert 'class="age"' not in source
    assert "starting: wait" in source


def test_a_pairing_code_and_its_phone() -> None:
    text = Reader(page(dataclasses.replace(CARD, image=None, text="GAPI2015", phone="4915112345678"))).text
    assert "GAPI-2015" in text
    assert "phone +4915112345678" in text
    assert "Link with phone number instead" in text


@pytest.mark.parametrize(
    ("code", "spelled"), [("GAPI2015", "GAPI-2015"), ("A1B2C3D4E5", "A1B2C3D4E5"), ("GAPI-2015", "GAPI-2015")]
)
def test_codes_are_spelled_as_whatsapp_does(code: str, spelled: str) -> None:
    assert spell(code) == spelled


def test_heads() -> None:
    def head(source: str) -> str:
        return re.search("<h1>(.*)</h1>", source)[1]  # type: ignore[index]

    assert head(page(CARD, linked=("a", "b"))) == "1 of 3 wait for a phone"
    assert head(page(linked=("a", "b"), over=True)) == "All phones are linked"
    assert head(page(linked=("a",), lost=(("b", "why"),), over=True)) == "1 of 2 phones are linked"
    assert head(page(CARD, over=True)) == "1 of 1 wait for a phone"


def test_no_code_is_in_what_a_page_looks_like() -> None:
    shown = repr(Page([dataclasses.replace(CARD, text="GAPI2015")], [], [], False))
    assert "GAPI2015" not in shown
    assert "PNG" not in shown


def test_drawings_can_be_read() -> None:
    text = "2@" + "aB3+/=" * 30
    assert read_codes(as_png(text)) == [text]
    assert all(line.startswith("\x1b[97;40m") and line.endswith("\x1b[0m") for line in as_lines(text).split("\n"))
