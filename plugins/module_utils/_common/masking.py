# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: which names they have, how they are masked in texts and results, and when a task may return them."""

from __future__ import annotations

import collections
import functools
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

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

# The first characters of the escapes in _spellings_of_character.
_ESCAPES = frozenset("%\\&+")

# The start of an escape in JSON and in HTML. Escaping again doubles the backslash, and turns the ampersand into &amp;.
_BACKSLASHES = r"\\{1,7}"
_AMPERSAND = "&(?:amp;)*"


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


def occurring(secrets: Iterable[str], value: Any) -> set[str]:
    """Return the ``secrets`` that occur in a string anywhere in ``value``, which consists of JSON's types.

    A fleet has as many tokens as instances, so the time must not grow with the product of tokens and strings: each
    substring of a secret's length is looked up in a set.
    """
    by_length: dict[int, set[str]] = collections.defaultdict(set)
    for secret in secrets:
        by_length[len(secret)].add(secret)
    by_length.pop(0, None)
    found: set[str] = set()
    for text in set(_strings(value)):
        for length, candidates in by_length.items():
            found |= candidates.intersection(text[i : i + length] for i in range(len(text) - length + 1))
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (key for key in value if isinstance(key, str))
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


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
    """Replace each of ``secrets`` in ``text`` by asterisks, in any of its spellings.

    Tokens are sent in URL paths. A vendor, a proxy or a library may return them percent-encoded (completely or in part,
    with hexadecimal digits of either case), or escaped for JSON or HTML, each of these several times.
    """
    # Compiling a pattern takes milliseconds, and most texts hold neither a secret nor an escape.
    escaped = not _ESCAPES.isdisjoint(text)
    suspects = [secret for secret in set(secrets) if secret and (escaped or secret in text)]
    spans = sorted(match.span() for secret in suspects for match in _spellings(secret).finditer(text))
    pieces: list[str] = []
    end = 0
    for start, stop in spans:
        # Where two secrets overlap, one mask replaces both, because the rest of a secret is secret, too.
        if start >= end:
            pieces += [text[end:start], MASK]
        end = max(end, stop)
    return "".join(pieces) + text[end:]


def masked(value: Any, secrets: Iterable[str]) -> Any:
    """Return ``value``, which consists of JSON's types, with each of ``secrets`` masked in all its keys and strings."""
    found = occurring(secrets, value)
    return _masked(value, found) if found else value


def _masked(value: Any, secrets: set[str]) -> Any:
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {_masked(key, secrets): _masked(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, secrets) for item in value]
    return value


@functools.lru_cache(maxsize=256)
def _spellings(secret: str) -> re.Pattern[str]:
    return re.compile("".join(_spellings_of_character(c) for c in secret))


@functools.lru_cache(maxsize=256)
def _spellings_of_character(character: str) -> str:
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    utf16 = character.encode("utf-16-be", "surrogatepass").hex()
    json_escape = "".join(f"{_BACKSLASHES}u{utf16[i : i + 4]}" for i in range(0, len(utf16), 4))
    # Longest spelling first, because the escape of a percent sign or a backslash begins with that character.
    spellings = [f"(?i:{percent}|{json_escape}|{_AMPERSAND}#0*{ord(character)};|{_AMPERSAND}#x0*{ord(character):x};)"]
    if character == "\\":
        spellings += [r"\\{4}", r"\\{2}"]
    elif not character.isalnum():
        if (entity := html.escape(character)) != character:
            spellings.append(_AMPERSAND + re.escape(entity[1:]))
        # JSON's short escapes, such as \n: backslashes and one character.
        spellings += [_BACKSLASHES + re.escape(c) for c in (json.dumps(character, ensure_ascii=False)[-2], character)]
    if character == " ":
        spellings.append(r"\+")
    spellings.append(re.escape(character))
    return "(?:" + "|".join(dict.fromkeys(spellings)) + ")"
