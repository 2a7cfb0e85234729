# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts as masking compares them: decoded, in lower case, and without what a reader doesn't see.

Tokens are sent in URL paths. A vendor, a proxy or a library may return them percent-encoded (completely or in part,
with hexadecimal digits of either case) or escaped for JSON or HTML, each of these several times; in capitals; and with
line breaks, zero-width or other control characters in between. All these spellings have the same folded text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

# Escaping again doubles the backslash, turns the ampersand into &amp; and the percent sign into %25. The numbers are
# limits for what a hostile text may cost.
_BACKSLASHES = r"\\{1,8}"
_PERCENT = "%(?:25){0,8}"
_UTF8_TAIL = f"{_PERCENT}[89ab][0-9a-f]"
_ESCAPE = re.compile(
    # The longest first: %25c2%25a1 isn't the percent sign %25, and then c2.
    f"(?P<percent>{_PERCENT}f[0-7](?:{_UTF8_TAIL}){{3}}|{_PERCENT}e[0-9a-f](?:{_UTF8_TAIL}){{2}}"
    f"|{_PERCENT}[cd][0-9a-f]{_UTF8_TAIL}|{_PERCENT}[0-7][0-9a-f])"
    f"|{_BACKSLASHES}(?:u(?P<high>d[89ab][0-9a-f]{{2}}){_BACKSLASHES}u(?P<low>d[c-f][0-9a-f]{{2}})"
    "|(?:u(?P<utf16>[0-9a-f]{4})|x(?P<byte>[0-9a-f]{2}))|(?P<space>[bfnrt]))"
    "|&(?:amp;){0,8}(?:#0*(?P<decimal>[0-9]{1,7})|#x0*(?P<hex>[0-9a-f]{1,6})|(?P<name>amp|lt|gt|quot|apos));",
    re.IGNORECASE,
)
_HTML_NAMES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ESCAPE_STARTS = "%\\&"

# Quoting turns a space into a plus sign, escaping adds backslashes, and a line break may have become a space; the
# others are letters and symbols that look like nothing.
_UNSEEN = frozenset(" +\\\u115f\u1160\u2800\u3164\uffa0")
_MOST_CACHED = 4096


class _Table(dict[int, "str | None"]):
    """For ``str.translate``: each character becomes one, or none."""

    def __missing__(self, code: int) -> str | None:
        folded = _fold_character(chr(code))
        if len(self) < _MOST_CACHED:
            self[code] = folded
        return folded


def _fold_character(character: str) -> str | None:
    """The character's first letter in lower case, without accents and marks; ``None`` for one that isn't seen."""
    # A mark may be drawn over any letter: a token with marks is readable.
    seen = (
        c
        for c in unicodedata.normalize("NFKD", character).casefold()
        if c.isprintable() and c not in _UNSEEN and unicodedata.category(c) not in ("Mn", "Me")
    )
    return next(seen, None)


_TABLE = _Table({ord("\n"): "\n"})


def _decode(escape: re.Match[str]) -> str:
    """The character that an escape stands for."""
    if escape["percent"]:
        return (
            bytes(int(part[-2:], 16) for part in escape["percent"].split("%")[1:])
            .decode("utf-8", "replace")
            .replace("\n", "")
        )
    if escape["high"]:
        return bytes.fromhex(escape["high"] + escape["low"]).decode("utf-16-be")
    if escape["name"]:
        return _HTML_NAMES[escape["name"].lower()]
    if escape["space"]:
        return "\r"  # or another character that isn't seen
    code = int(escape["decimal"] or "0") or int(escape["utf16"] or escape["byte"] or escape["hex"] or "0", 16)
    return chr(code) if code != ord("\n") and code < 0x110000 else ""


def foldings(texts: Iterable[str]) -> list[str]:
    """The folded texts, a line each: as they are written, and, if there is an escape, decoded.

    Both, because a percent sign may be just that.
    """
    lines = "\n".join([text.replace("\n", "\r") for text in texts])
    if any(start in lines for start in _ESCAPE_STARTS):
        return [lines.translate(_TABLE), _ESCAPE.sub(_decode, lines).translate(_TABLE)]
    return [lines.translate(_TABLE)]


@dataclass
class Located:
    """A folded text, and where each of its characters begins and ends in the ``source``."""

    source: str
    text: str = ""
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the source from which the characters from ``start`` until ``end`` were made."""
        return self.starts[start], self.ends[end - 1]

    def stands_apart(self, start: int, end: int) -> bool:
        """Whether there is no letter, digit or underscore next to the characters from ``start`` until ``end``."""
        first, last = self.span(start, end)
        before = start and _is_word(self.text[start - 1]) and _is_word(self.source[first - 1])
        after = end < len(self.text) and _is_word(self.text[end]) and _is_word(self.source[last])
        return not (before or after)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def locate(text: str) -> list[Located]:
    """The same as ``foldings``, with places, which takes longer."""
    text = text.replace("\n", "\r")
    located = [_locate(text, ())]
    escapes = list(_ESCAPE.finditer(text))
    return [*located, _locate(text, escapes)] if escapes else located


def _locate(source: str, escapes: Iterable[re.Match[str]]) -> Located:
    located, characters, position = Located(source), [], 0

    def add(character: str, start: int, end: int) -> None:
        for folded in character.translate(_TABLE):
            characters.append(folded)
            located.starts.append(start)
            located.ends.append(end)

    for escape in escapes:
        for index in range(position, escape.start()):
            add(source[index], index, index + 1)
        add(_decode(escape), *escape.span())
        position = escape.end()
    for index in range(position, len(source)):
        add(source[index], index, index + 1)
    located.text = "".join(characters)
    return located
