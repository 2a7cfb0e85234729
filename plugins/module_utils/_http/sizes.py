# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a response may be: in bytes, and in the values that its JSON holds."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB

# The vendors' responses have at most four levels. Python's parser takes a thousand or more, depending on its version,
# and on some systems a thread's stack ends before that.
MAX_DEPTH = 32

_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_QUOTE = ord('"')
_NO_MARK = bytes(byte for byte in range(256) if byte not in _STEPS and byte != _QUOTE)


@dataclass(frozen=True)
class Size:
    """The most that a response may have: bytes of its body, packed and unpacked, and values of JSON in it.

    A value is a text, a number, a list, an object and so on. A comma or a bracket within a text counts as one, too.
    """

    bytes: int
    values: int

    @classmethod
    def measured(cls, content: bytearray, text: str) -> Size:
        """The size of a body, ``text`` when decoded."""
        # Each value but the first follows a comma, or is the first one in a list or an object.
        return cls(len(content), 1 + text.count(",") + text.count("[") + text.count("{"))

    def for_status(self, status: int) -> Size:
        """This size for a response of success, and a small one for any other."""
        return self if 200 <= status < 300 else FIELDS

    def plus(self, number: int, each: Size) -> Size:
        """This size and that of ``number`` items."""
        return Size(self.bytes + number * each.bytes, self.values + number * each.values)

    def excess(self, size: Size, text: str) -> str | None:
        """What there is too much of in ``text``, JSON of that size, found without parsing it; ``None`` if nothing is.

        Parsing makes of three bytes, ``[],``, an object of 64 bytes or more.
        """
        if size.values > self.values:
            return f"more than {self.values:,} values"
        if size.values > MAX_DEPTH and _depth(text) > MAX_DEPTH:
            return f"more than {MAX_DEPTH} levels"
        return None

    def exceeds(self, most: Size) -> bool:
        """Whether it has more bytes or more values than ``most``."""
        return self.bytes > most.bytes or self.values > most.values

    def __str__(self) -> str:
        return f"{self.bytes // MIB} MiB" if self.bytes >= 10 * MIB else f"{self.bytes / KIB:,.3g} KiB"


def _depth(text: str) -> int:
    """How deep the lists and objects of ``text`` are nested, if it is JSON."""
    unescaped = text.replace("\\\\", "").replace('\\"', "") if "\\" in text else text
    marks = unescaped.encode(errors="replace").translate(None, _NO_MARK)
    depth = deepest = 0
    inside_text = False
    # A pair of quotes without a bracket between them changes nothing.
    for mark in marks.replace(b'""', b""):
        if mark == _QUOTE:
            inside_text = not inside_text
        elif not inside_text:
            depth += _STEPS[mark]
            deepest = max(deepest, depth)
    return deepest


# Nothing.
NONE = Size(0, 0)
# An object with some fields, such as a state or settings; and any response whose HTTP status isn't a success.
FIELDS = Size(16 * KIB, 500)
# The receipt of a creation. It comes once and may hold a token, so it may be longer than any that was seen.
CREATION = Size(64 * KIB, 500)
# An object with a picture of a QR code in base64.
PICTURE = Size(256 * KIB, 500)
# A listing, all its pages together: sixty thousand items of 500 bytes and 15 values, or twenty thousand of 1.5 kB.
LISTING = Size(32 * MIB, 1_000_000)
