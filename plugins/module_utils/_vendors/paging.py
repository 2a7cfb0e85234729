# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listings of several pages that don't miss an item when the vendor's data changes between two requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .._common.polling import poll
from .._http.messages import Response
from .._http.sizes import LISTING

# More pages than any account has: a response that announces more is malformed.
_MAX_PAGES = 10_000
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
    """A page of a listing. ``total`` and ``count`` are the numbers of items and pages that it announces."""

    response: Response
    items: list[Item]
    total: int | None
    count: int | None = None

    @property
    def pages(self) -> int:
        """How many pages the listing has, of which this is the first."""
        if self.count is not None:
            return self.count
        # A vendor may return smaller pages than requested, so the first page gives the size.
        return -(-self.total // len(self.items)) if self.total and self.items else 1


ReadPage = Callable[[int], "Page[Item] | None"]


def list_all(read_page: ReadPage[Item], what: str, *, concurrency: int = 1) -> list[Item] | None:
    """The items of all pages, each once; ``None`` if there is no first page, because there is no listing.

    ``read_page`` requests the page of a number, ``concurrency`` of them at once. ``what`` names the items in messages.

    A page that announces another number than the first means that items were added or removed between two requests,
    which can move an item to a page that was read already. Then all pages are read again.

    :raises FleetError: if the listing keeps changing, has fewer items than its total, or is larger than ``LISTING``.
    """
    for _reading in range(_READINGS):
        pages = _read_pages(read_page, what, concurrency)
        if not pages:
            return None
        if len({(page.total, page.count) for page in pages}) == 1:
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


def _read_pages(read_page: ReadPage[Item], what: str, concurrency: int) -> list[Page[Item]]:
    first = read_page(1)
    if first is None:
        return []
    if first.pages > _MAX_PAGES:
        raise first.response.malformed(f"a listing of {_MAX_PAGES:,} pages at most")
    pages, size, taking = {1: first}, first.response.size, threading.Lock()

    def read(number: int) -> bool:
        nonlocal size
        if page := read_page(number):
            with taking:
                pages[number], size = page, size.plus(1, page.response.size)
            if size.exceeds(LISTING):
                most = f"{LISTING} and {LISTING.values:,} values"
                raise page.response.malformed(f"a listing of {what} of {most} at most, all its pages together,")
        return True

    poll(range(2, first.pages + 1), read, workers=concurrency)
    return [pages[number] for number in sorted(pages)]
