# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: which names they have, how they are masked in texts and results, and when a task may return them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from .folding import Located, foldings, locate
from .vocabulary import WORDS

try:
    from ansible.module_utils.secrets import register_secret as _register_secret  # since ansible-core 2.22
except ImportError:
    _register_secret = None

MASK = "***"

# Ansible masks a registered value wherever it occurs in its output: a short one would make that unreadable.
_SHORTEST_REGISTERED = 8

# The password between the user and the host of a URL, or in a parameter of libpq. It may contain an ampersand that the
# user has failed to percent-encode: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
_URL_PASSWORD = re.compile(
    r"^[^/:]*:/{1,2}[^/:]*:(.+)@|(?<=[?&])(?:ssl)?password=([^&]+(?:&[^=&]+(?=&|$))*)",
    re.IGNORECASE | re.DOTALL,
)
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
_KEYWORD_PASSWORD = re.compile(
    r"(?:^|\s)(?:ssl)?password\s*=\s*(?:'((?:[^'\\]|\\.)+)'?|((?:[^\s\\]|\\.)+))", re.IGNORECASE | re.DOTALL
)

# A secret of fewer characters would mask letters of other words, so it must stand apart from them.
_SHORT = 8
# From this length on, parts of a secret are secret, too.
_LONG = 20
_PART = 12
# The substrings of secrets by which texts are filtered before they are compared in full.
_GRAM = 8
# So few substrings are looked for in texts, instead of looking the texts' substrings up.
_FEW_GRAMS = 40

# The number of secrets of one request; their index is kept for its next text.
_FEW = 8


def is_secret_name(name: str) -> bool:
    """Whether an option, a field or a variable of this name holds a secret."""
    return name.lower().endswith(("token", "password", "secret", "secret_key"))


def can_register_secrets() -> bool:
    """Whether this ansible-core masks values that a task registers at run time."""
    return _register_secret is not None


def register_secret(value: str) -> bool:
    """Make Ansible mask ``value`` in everything it prints; return false if it can't."""
    if _register_secret is None or len(value) < _SHORTEST_REGISTERED:
        return False
    _register_secret(value)
    return True


@dataclass(frozen=True)
class SecretOutput:
    """Decides which secrets a task may return: those that Ansible won't print. ``no_log`` is the task's keyword."""

    no_log: bool = False

    @property
    def is_safe(self) -> bool:
        """Whether secrets may be in the result at all."""
        return self.no_log or can_register_secrets()

    def may_return(self, secret: str) -> bool:
        """Whether ``secret`` may be in the result; if so, it is registered, or the task has ``no_log``."""
        return self.no_log or register_secret(secret)


def passwords_in(text: str) -> set[str]:
    """Return the passwords in a URL or in libpq's KEYWORD=VALUE, both as written and decoded.

    It also finds passwords with characters that the user should have percent-encoded or quoted.
    """
    found: set[str] = set()
    if ":/" in text:  # a cheap test first: most strings of a large result hold no URL
        found |= {password for match in _URL_PASSWORD.finditer(text) for password in match.groups() if password}
        found |= {unquote(password) for password in found}
    if "password" in text.lower():
        quoted = {password for match in _KEYWORD_PASSWORD.finditer(text) for password in match.groups() if password}
        found |= quoted | {re.sub(r"\\(.)", r"\1", password) for password in quoted}
    return found


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace ``secrets`` in ``text`` by asterisks, in any spelling that ``folding`` knows.

    Of a secret of at least 20 characters, each part of 12 is masked, too. One of fewer than 8 characters is masked
    only where no letter or digit stands next to it. A text that is a word of results stays.
    """
    if text in WORDS:
        return text
    known = tuple(secrets)
    index = _kept_index(known) if len(known) <= _FEW else _Index.of(known)
    return index.redact(text)


def masked(value: Any, secrets: Iterable[str]) -> Any:
    """Return ``value``, which consists of JSON's types, with ``secrets`` redacted in all its strings, except keys."""
    index = _Index.of(secrets)
    texts = {text for text in _strings(value) if index.may_hold(text)}
    found = index.narrowed_to(texts)
    return _masked(value, found, {}) if found.short or found.runs else value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _masked(value: Any, index: _Index, known: dict[str, str]) -> Any:
    if isinstance(value, str):
        if value not in known:
            known[value] = index.redact(value)
        return known[value]
    if isinstance(value, dict):
        return {key: _masked(item, index, known) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, index, known) for item in value]
    return value


@dataclass
class _Index:
    """What is looked for in texts.

    A fleet has as many tokens as instances, so the time must not grow with the product of tokens and texts: all
    substrings of a text are looked up in a set. As many substrings of all tokens would take much memory. But each run
    of 12 characters contains a whole gram of 8 that begins at a multiple of 5, so those grams are enough for a filter,
    which texts without a secret don't pass.

    ``short`` are the folded secrets that must stand apart, ``runs`` the other ones, and how many of their characters in
    a row betray each.
    """

    short: set[str]
    runs: dict[str, int]

    @classmethod
    def of(cls, secrets: Iterable[str]) -> _Index:
        """The index of all ``secrets``."""
        index = cls(set(), {})
        for secret in set(secrets):
            for folded in filter(None, foldings([secret])):
                if len(secret) < _SHORT or len(folded) < _SHORT // 2:
                    index.short.add(folded)
                else:
                    index.runs[folded] = _run(secret, folded)
        return index

    def may_hold(self, text: str) -> bool:
        """Whether the text is long enough for any of the secrets, and no word of results."""
        return 0 < self._least <= len(text) and text not in WORDS

    def redact(self, text: str) -> str:
        """The text with asterisks in place of secrets."""
        if not self.may_hold(text) or not (self.short or self._grams_in([text])):
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

    def narrowed_to(self, texts: Iterable[str]) -> _Index:
        """An index of those secrets that the texts can hold."""
        # Of all texts at once, because a call for each takes longer.
        found = self._grams_in(texts)
        runs = {text: run for text, run in self.runs.items() if found.intersection(self._sample(text, run))}
        return _Index(self.short, runs if found else {})

    def _grams_in(self, texts: Iterable[str]) -> set[str]:
        """The grams of secrets that occur in texts."""
        found: set[str] = set()
        for folded in foldings(texts) if self.runs else ():
            if len(self._grams) <= _FEW_GRAMS:
                found.update(gram for gram in self._grams if gram in folded)
                continue
            for run in self._possible.findall(folded):
                found.update(self._grams.intersection(_substrings(run, self._gram)))
        return found

    @functools.cached_property
    def _least(self) -> int:
        return min((*map(len, self.short), *self.runs.values()), default=0)

    @functools.cached_property
    def _gram(self) -> int:
        return min((_GRAM, *self.runs.values()))

    @functools.cached_property
    def _grams(self) -> set[str]:
        return {gram for folded, run in self.runs.items() for gram in self._sample(folded, run)}

    @functools.cached_property
    def _possible(self) -> re.Pattern[str]:
        """As many characters of secrets in a row as a part of a secret has: tokens consist of few different ones."""
        characters = "".join(map(re.escape, sorted(set().union(*self.runs))))
        return re.compile(f"[{characters}]{{{min(self.runs.values())},}}")

    @functools.cached_property
    def _windows(self) -> dict[int, set[str]]:
        windows: dict[int, set[str]] = {}
        for folded, run in self.runs.items():
            windows.setdefault(run, set()).update(_substrings(folded, run))
        return windows

    def _sample(self, folded: str, run: int) -> Iterator[str]:
        """Grams of a secret, one of which is in each run of that many characters."""
        step = run - self._gram + 1
        return (folded[i : i + self._gram] for i in range(0, len(folded) - self._gram + 1, step))

    def _spans(self, located: Located) -> Iterator[tuple[int, int]]:
        for run, windows in self._windows.items():
            for start, window in enumerate(_substrings(located.text, run)):
                if window in windows:
                    yield located.span(start, start + run)
        for length in set(map(len, self.short)):
            for start, window in enumerate(_substrings(located.text, length)):
                if window in self.short and located.stands_apart(start, start + length):
                    yield located.span(start, start + length)


_kept_index = functools.lru_cache(maxsize=64)(_Index.of)


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
    return min(len(folded), max(_GRAM, shortest))


def _substrings(text: str, length: int) -> Iterable[str]:
    return [text[i : i + length] for i in range(len(text) - length + 1)]
