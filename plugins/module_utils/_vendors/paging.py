# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listings of several pages that don't miss an item when the vendor's data changes between two requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .._http.messages import Response

# More pages than any account has: a response that announces more is malformed.
MAX_PAGES = 10_000
# Read a listing that changes meanwhile this many times, then give up.
_READINGS = 3


class Listed(Protocol):
    """An item of a listing."""

    @property
    def id(self) -> str:
        """What no two items share."""


Item = TypeVar("Item", bound=Listed)


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A page of a listing. ``total`` and ``count`` are the numbers of items and pages in the whole listing."""

    response: Response
    items: list[Item]
    total: int | None
    count: int = 1


def list_all(read_pages: Callable[[], Sequence[Page[Item]]], what: str) -> list[Item] | None:
    """The items of all pages, each once; ``None`` if ``read_pages`` finds no listing. ``what`` names them in messages.

    A page with another total than the first means that items were added or removed between two requests, which can move
    an item to a page that was read already. Then all pages are read again.

    :raises FleetError: if the listing keeps changing, or has fewer items than its total.
    """
    for _reading in range(_READINGS):
        pages = read_pages()
        if not pages:
            return None
        if all(page.total == pages[0].total for page in pages):
            break
    else:
        raise pages[-1].response.error(
            "bad_answer", f"the {what} change while they are listed", remedy="try again later", retryable=True
        )
    found = {item.id: item for page in pages for item in page.items}
    total = pages[-1].total
    if total is not None and len(found) < total:
        raise pages[-1].response.malformed(f"a listing of {total} {what}, not of {len(found)},")
    return list(found.values())
