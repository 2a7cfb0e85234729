# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of messages: printable lines of limited length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# What files and consoles put at the ends of a text besides white space: byte order mark, zero-width characters.
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"

# They join the parts of one emoji, or of one letter in scripts such as Devanagari, and decide how Persian is written.
_JOINERS = "\u200c\u200d"


def stripped(text: str) -> str:
    """Return ``text`` without white space, line ends and invisible characters at its ends."""
    before = None
    while text != before:
        before, text = text, text.strip().strip(_INVISIBLE)
    return text


def one_line(text: str) -> str:
    """Return ``text`` as one printable line; names and vendors' messages may contain any characters.

    All that a person or a log reads goes through this function. A terminal obeys control characters, a log takes a line
    break for the end of an entry, and controls of direction change the order in which a line is shown: each of these,
    and what has no form at all, becomes a space. A joiner stays where there is something to join.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or _joins(text, i) else " " for i, c in enumerate(text))
    return " ".join(text.split())


def _joins(text: str, index: int) -> bool:
    """Whether the character joins two visible ones, neither of them ASCII."""
    pair = text[index - 1 : index] + text[index + 1 : index + 2]
    return text[index] in _JOINERS and len(pair) == 2 and not any(c.isascii() or not c.isprintable() for c in pair)


def shorten(text: str, limit: int = 300) -> str:
    """Return ``text`` as one printable line of at most ``limit`` characters."""
    line = one_line(text)
    return line if len(line) <= limit else line[: limit - 3] + "..."


def sentence(what: str, reason: str, remedy: str) -> str:
    """Return the message of a failure: what failed, why, and, unless ``remedy`` is empty, what to do about it."""
    return f"{what[:1].upper()}{what[1:]} failed: {reason}" + (f"; {remedy}" if remedy else "")


def join_first(items: Sequence[str], shown: int = 5, separator: str = ", ") -> str:
    """Join the first ``shown`` of ``items``, followed by the number of the others: ``a, b, and 3 more``."""
    more = [f"and {len(items) - shown:,} more"] if len(items) > shown else []
    return separator.join([*items[:shown], *more])


def join_groups(pairs: Iterable[tuple[str, str]], shown_groups: int = 5, shown: int = 10) -> str:
    """Join the labels of ``(group, label)`` pairs by group, the largest first: ``HTTP 401 (2): a, b; timeout (1): c``.

    At most ``shown_groups`` groups are named, and the first ``shown`` labels of each.
    """
    labels_by_group: dict[str, list[str]] = {}
    for group, label in pairs:
        labels_by_group.setdefault(group, []).append(label)
    largest_first = sorted(labels_by_group.items(), key=lambda item: -len(item[1]))
    named = [f"{group} ({len(labels):,}): {join_first(labels, shown)}" for group, labels in largest_first]
    return join_first(named, shown_groups, "; ")
