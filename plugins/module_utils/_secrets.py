# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping secrets out of every text that leaves the collection."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterable

try:
    from ansible.module_utils.secrets import register_secret as _register_secret  # since ansible-core 2.22
except ImportError:
    _register_secret = None

MASK = "***"

# Ansible masks a registered value wherever it stands: a short one would make its output unreadable.
_SHORTEST_REGISTERED = 8


def can_register_secrets() -> bool:
    """Whether this ansible-core masks values that a module registers at run time."""
    return _register_secret is not None


def register_secret(value: str) -> bool:
    """Have Ansible mask ``value`` in all that it prints; false where it can't."""
    if _register_secret is None or len(value) < _SHORTEST_REGISTERED:
        return False
    _register_secret(value)
    return True


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace each of ``secrets`` in ``text``, however its characters are spelled, by asterisks.

    Tokens travel in URL paths, so a vendor, a proxy or a library may give them back percent-encoded (in part, and
    in either case of the hexadecimal digits), escaped for JSON or for HTML.
    """
    # The longest first: a secret may be the beginning of another one.
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        text = _spellings(secret).sub(MASK, text)
    return text


@functools.lru_cache(maxsize=256)
def _spellings(secret: str) -> re.Pattern[str]:
    return re.compile("".join(_spellings_of_character(c) for c in secret))


def _spellings_of_character(character: str) -> str:
    percent = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    spellings = [re.escape(character), f"(?i:{percent})"]
    if not character.isalnum():
        spellings += [re.escape("\\" + character), re.escape(html.escape(character)), f"(?i:&#x0*{ord(character):x};)"]
        spellings += [f"&#0*{ord(character)};"]
    if ord(character) < 0x10000:
        spellings.append(rf"(?i:\\u{ord(character):04x})")
    if character == " ":
        spellings.append(r"\+")
    return "(?:" + "|".join(dict.fromkeys(spellings)) + ")"
