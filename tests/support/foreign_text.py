# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and vendors' messages that are weapons, and what a text must not hold that a person or a log reads."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._common.texts import stripped
from hypothesis import strategies as st

_WEAPONS = (
    *("\x1b[2J\x1b[H", "\x1b]0;all is well\x07", "\x9b31m", "\x08\x08\x08", "\r", "\x7f", "\x0b", "\x85", "\x1c"),
    *("\nfatal: [prod]: FAILED! => {}", "\u2028ok: [prod]", "\u2029", "\r\n[WARNING]: forged"),
    *("\u202e", "\u2066", "\u2069", "\u200f", "\u061c", "\u200b", "\u2060", "\ufeff", "\u00ad", "\U000e0041"),
    *("<script>alert(1)</script>", "</testcase>", "]]>", "&amp;", "\"'", "`|*_#", "{{ 7 * 7 }}", "{% raw %}", "%s{}"),
)
_HONEST = ("shop", "sales 2", "Café", "नमस्ते", "می\u200cخواهم", "👨\u200d👩\u200d👧", "🏴", "東京")

foreign_text = st.lists(st.sampled_from(_WEAPONS + _HONEST) | st.text(max_size=4), min_size=1, max_size=5).map("".join)

# A name by which an emulated gateway can list an instance, and a task can name it: text, of which JSON and UTF-8 can
# hold every character, and that has nothing at its ends that an option loses.
foreign_name = foreign_text.map(
    lambda text: stripped(text.encode("utf-8", "replace").decode().replace("\x00", ""))
).filter(bool)

_JOINERS = "\u200c\u200d"


def unprintable(text: str) -> str:
    """The characters of a text that a person's terminal or a log must not get."""
    return "".join(
        c
        for c in text
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and not (c in _JOINERS and not text.isascii())
    )


def unprintable_lines(texts: Iterable[Any]) -> dict[str, str]:
    """Those of the texts that aren't one printable line, with their bad characters."""
    return {str(text): bad for text in texts if (bad := unprintable(str(text)))}
