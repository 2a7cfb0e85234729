# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""URLs that users give to vendors: secrets stand in their query, in their user part and in their fragment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from .secret_index import MASK

_URL = re.compile(r"\s*(https?:/*)([^?#]*)(.*)", re.IGNORECASE | re.DOTALL)


class _Parts(NamedTuple):
    """``begin`` is the scheme with its slashes, ``user`` what stands before the last at sign, ``tail`` the query and
    the fragment.
    """

    begin: str
    user: str
    place: str
    tail: str


def _split(text: str) -> _Parts | None:
    """The parts of a URL, which may be one that can't be parsed; ``None`` if ``text`` is no URL.

    Users put passwords into URLs without encoding them. Jinja's filter ``urlencode`` leaves slashes as they are, after
    which the user part counts as a path: so all up to an at sign is taken for the user part.
    """
    match = _URL.fullmatch(text)
    if match is None:
        return None
    begin, main, tail = match.groups()
    user, _at, place = main.rpartition("@")
    return _Parts(begin, user, place, tail)


def shown_url(text: str) -> str:
    """``text`` as it may be shown: of a URL only scheme, host and path, followed by ``?***`` where more comes."""
    parts = _split(text)
    if parts is None:
        return text
    port = parts.place.partition("/")[0].rpartition("]")[2].partition(":")[2]
    if port and not port.isdecimal():
        # A password with a question mark or a number sign in it.
        return parts.begin + MASK
    hidden = f"{MASK}@" if "/" in parts.user else ""
    return parts.begin + hidden + parts.place + (parts.tail[0] + MASK if len(parts.tail) > 1 else "")


def secrets_in_url(text: str) -> Iterator[str]:
    """What ``shown_url`` leaves out: in whole, and in the pieces that a vendor may quote one by one."""
    parts = _split(text)
    if parts is None:
        return
    for part in (parts.user, parts.tail[1:]):
        pieces = {part, *re.split("[:&=#]", part), *(pair.partition("=")[2] for pair in re.split("[&#]", part))}
        yield from (form for piece in pieces if piece for form in (piece, unquote(piece)))
