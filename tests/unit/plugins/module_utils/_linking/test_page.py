# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page stands alone, and shows names as they are."""

from __future__ import annotations

import dataclasses
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
    assert "const written = 1010.000, over = false" in page(CARD)


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
