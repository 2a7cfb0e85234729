# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: which names they have, how they are masked in texts and results, and when a task may return them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from .secret_index import SecretIndex
from .vocabulary import WORDS

try:
    from ansible.module_utils.secrets import register_secret as _register_secret  # since ansible-core 2.22
except ImportError:
    _register_secret = None

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
    index = _kept_index(known) if len(known) <= _FEW else SecretIndex.of(known)
    return index.redact(text)


def masked(value: Any, secrets: Iterable[str]) -> Any:
    """Return ``value``, which consists of JSON's types, with ``secrets`` redacted in all its strings, except keys."""
    index = SecretIndex.of(secrets)
    texts = [text for text in _strings(value) if index.may_hold(text)]
    index = index.narrowed_to(texts)
    changed = {text: index.redact(text) for text in texts} if index else {}
    return _replaced(value, changed) if changed else value


def _strings(value: Any) -> set[str]:
    """All strings in ``value``, except keys."""
    found: set[str] = set()
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            found.add(one)
        elif isinstance(one, dict):
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
    return found


def _replaced(value: Any, changed: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return changed.get(value, value)
    if isinstance(value, dict):
        return {key: _replaced(item, changed) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, changed) for item in value]
    return value


_kept_index = functools.lru_cache(maxsize=64)(SecretIndex.of)
