# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding many secrets in many texts, in any spelling that ``folding`` knows."""

from __future__ import annotations

import functools
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from .folding import Located, foldings, locate
from .vocabulary import WORDS

MASK = "***"

# A secret of fewer characters would mask letters of other words, so it must stand apart from them.
_SHORT = 8
# From this length on, parts of a secret are secret, too.
_LONG = 20
_PART = 12
_SHORTEST_PART = 8  # when folded

# So few grams are looked for in a text, instead of looking up all that the text has.
_FEW_GRAMS = 40
# So few secrets are looked for in all texts at once, before each text is redacted.
_FEW_SECRETS = 8


@dataclass
class SecretIndex:
    """What is looked for in texts.

    A fleet has as many tokens as instances, so the time must not grow with the product of tokens and texts: all grams
    of the texts are looked up in the set of the secrets' grams. As many grams of all tokens would take much memory. But
    each run of 12 characters contains a whole gram of 8 that begins at a multiple of 5, so those are enough for a
    filter, which secrets that stand in no text don't pass.

    ``short`` are the folded secrets that must stand apart, ``runs`` the other ones, and how many of their characters in
    a row betray each.
    """

    short: set[str]
    runs: dict[str, int]

    @classmethod
    def of(cls, secrets: Iterable[str]) -> SecretIndex:
        """The index of all ``secrets``."""
        index = cls(set(), {})
        distinct = list(set(secrets))
        # All at once, because a call for each takes longer.
        for lines in foldings(distinct) if distinct else ():
            for secret, folded in zip(distinct, lines.split("\n"), strict=True):
                if len(secret) >= _SHORT and len(folded) >= _SHORT // 2:
                    index.runs[folded] = _run(secret, folded)
                elif folded:
                    index.short.add(folded)
        return index

    def __bool__(self) -> bool:
        return bool(self.short or self.runs)

    def may_hold(self, text: str) -> bool:
        """Whether the text is long enough for any of the secrets, and no word of results."""
        return 0 < self._least <= len(text) and text not in WORDS

    def redact(self, text: str) -> str:
        """The text with asterisks in place of secrets."""
        if not (self.may_hold(text) and self._occurs_in(text)):
            return text
        spans = sorted({span for located in locate(text) for span in self._spans(located)})
        pieces: list[str] = []
        end = -1
        for start, stop in spans:
            # Where two secrets touch, one mask replaces both, because the rest of a secret is secret, too.
            if start > end:
                pieces += [text[max(end, 0) : start], MASK]
            end = max(end, stop)
        return "".join(pieces) + text[max(end, 0) :]

    def narrowed_to(self, texts: Iterable[str]) -> SecretIndex:
        """An index of those secrets that the texts can hold."""
        # Of all texts at once, because a call for each takes longer.
        lines = foldings(texts) if self else []
        found = self._grams_in(lines)
        runs = {one: run for one, run in self.runs.items() if found and not found.isdisjoint(self._sample(one, run))}
        short = self.short
        if len(short) + len(runs) <= _FEW_SECRETS:
            # That a text has a gram may be chance, and to redact each text takes longer.
            runs = {one: run for one, run in runs.items() if _is_in(lines, _slices(one, run))}
            short = {one for one in short if _is_in(lines, [one])}
        return SecretIndex(short, runs)

    def _grams_in(self, lines: Iterable[str]) -> set[str]:
        """The grams of secrets that occur in folded texts."""
        if not self._grams:
            return set()
        # As numbers, which memoryview reads from each place of a long text in a small part of the time of slicing.
        width, form = self._gram
        grams, found = set(memoryview("".join(self._grams).encode("latin-1")).cast(form)), set()
        for content in (line.encode() for line in lines):
            for start in range(min(width, len(content) - width + 1)):
                end = start + (len(content) - start) // width * width
                found |= grams.intersection(memoryview(content)[start:end].cast(form))
        return {number.to_bytes(width, sys.byteorder).decode("latin-1") for number in found}

    def _occurs_in(self, text: str) -> bool:
        """Whether the folded text has a secret, which may be a short one that doesn't stand apart."""
        return any(self._has_run(line) or self._has_short(line) for line in foldings([text]))

    def _has_short(self, line: str) -> bool:
        return any(not self.short.isdisjoint(_slices(line, length)) for length in self._short_lengths)

    def _has_run(self, line: str) -> bool:
        content, grams = _utf8(line), self._grams
        if len(grams) > _FEW_GRAMS:
            may_have = not grams.isdisjoint(_slices(content, self._gram[0]))
        else:
            may_have = any(gram in content for gram in grams)
        return may_have and any(not windows.isdisjoint(_slices(line, run)) for run, windows in self._windows.items())

    @functools.cached_property
    def _gram(self) -> tuple[int, Literal["I", "Q"]]:
        """The bytes of a gram, and the format of ``struct`` that makes it a number."""
        return (8, "Q") if min(self.runs.values(), default=0) >= _SHORTEST_PART else (4, "I")

    @functools.cached_property
    def _grams(self) -> set[str]:
        return {gram for folded, run in self.runs.items() for gram in self._sample(folded, run)}

    def _sample(self, folded: str, run: int) -> list[str]:
        """Grams of a secret, one of which is in each run of that many characters, which have as many bytes or more."""
        width = self._gram[0]
        return _slices(_utf8(folded), width, run - width + 1)

    @functools.cached_property
    def _least(self) -> int:
        return min((*map(len, self.short), *self.runs.values()), default=0)

    @functools.cached_property
    def _short_lengths(self) -> set[int]:
        return set(map(len, self.short))

    @functools.cached_property
    def _windows(self) -> dict[int, set[str]]:
        windows: dict[int, set[str]] = {}
        for folded, run in self.runs.items():
            windows.setdefault(run, set()).update(_slices(folded, run))
        return windows

    def _spans(self, located: Located) -> Iterator[tuple[int, int]]:
        for run, windows in self._windows.items():
            for start, window in enumerate(_slices(located.text, run)):
                if window in windows:
                    yield located.span(start, start + run)
        for length in self._short_lengths:
            for start, window in enumerate(_slices(located.text, length)):
                if window in self.short and located.stands_apart(start, start + length):
                    yield located.span(start, start + length)


def _run(secret: str, folded: str) -> int:
    """How many characters of the folded secret in a row are too many: those that its shortest part is folded to.

    At least 8, although a part that consists mostly of spaces has fewer.
    """
    if len(secret) < _LONG:
        return len(folded)
    if len(folded) == len(secret):
        return _PART
    parts = (secret[i : i + _PART] for i in range(len(secret) - _PART + 1))
    shortest = min(len(part) for text in parts for part in foldings([text]))
    return min(len(folded), max(_SHORTEST_PART, shortest))


def _utf8(text: str) -> str:
    """The bytes of a text in UTF-8, a character each."""
    return text if text.isascii() else text.encode().decode("latin-1")


def _slices(text: str, length: int, step: int = 1) -> list[str]:
    return [text[i : i + length] for i in range(0, len(text) - length + 1, step)]


def _is_in(lines: Iterable[str], parts: Collection[str]) -> bool:
    return any(part in line for line in lines for part in parts)
