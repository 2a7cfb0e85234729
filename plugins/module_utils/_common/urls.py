# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""URLs that users give to vendors: secrets stand in their query, in their user part and in their fragment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from .masking import MASK

# A URL that can't be parsed has its secrets in the same places, so the parts are found by their delimiters alone.
_URL = re.compile(
    r"\s*(?P<scheme>https?)(?P<slashes>:/*)(?:(?P<user>[^/?#]*)@)?(?P<rest>[^?#]*)(?P<secret>[?#].*)?",
    re.IGNORECASE | re.DOTALL,
)


def shown_url(text: str) -> str:
    """``text`` as it may be shown: of a URL only scheme, host and path, followed by ``?***`` where more comes."""
    match = _URL.fullmatch(text)
    if match is None:
        return text
    secret = match["secret"] or ""
    return f"{match['scheme']}{match['slashes']}{match['rest']}" + (secret[0] + MASK if len(secret) > 1 else "")


def secrets_in_url(text: str) -> Iterator[str]:
    """What ``shown_url`` leaves out: in whole, and in the pieces that a vendor may quote one by one."""
    match = _URL.fullmatch(text)
    if match is None:
        return
    for part in (match["user"] or "", (match["secret"] or "")[1:]):
        pieces = {part, *re.split("[:&=#]", part), *(pair.partition("=")[2] for pair in re.split("[&#]", part))}
        yield from (form for piece in pieces if piece for form in {piece, unquote(piece)})
