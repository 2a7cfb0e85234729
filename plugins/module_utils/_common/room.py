# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Room on the disk for a file that will be replaced, kept from before until it is needed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from .files import Place, Temporary, fill


class Room:
    """What is kept for writing a file: two files as large as it can become, and a descriptor.

    One is written and moved into place, and a new one is made of the room that the file before it took. If somebody
    else was quicker, the other one is there for the last time.
    """

    def __init__(self, place: Place, size: int, like: os.stat_result, mode: int) -> None:
        self.place = place
        self.failure: OSError | None = None
        self._size = size
        self._like = like
        self._mode = mode
        self._kept: list[Temporary] = []
        self._descriptor: int | None = None

    @classmethod
    @contextlib.contextmanager
    def kept(cls, place: Place, size: int, like: os.stat_result, mode: int) -> Iterator[Room]:
        """:raises OSError: if there isn't that much room."""
        room = cls(place, size, like, mode)
        try:
            room._descriptor = place.spare_descriptor()
            room._fill_up()
            yield room
        finally:
            for kept in room._kept:
                place.drop(kept)
            room.let_descriptor_go()

    def use(self, raw: bytes, *, last: bool) -> None:
        """Replace the file; ``failure`` is set where the room could not be renewed.

        Unless it is for the ``last`` time, one file is kept for that.

        :raises OSError: if it can't be replaced; then the room is still there.
        """
        if not last:
            self._fill_up()
        self.place.put(self._kept[-1], raw)
        self._kept.pop()
        self.place.sync()
        try:
            self._fill_up()
        except OSError as exc:
            self.failure = exc

    def rescue(self, raw: bytes) -> str | None:
        """Write into what was kept, and leave it there: its path, if it could be done."""
        with contextlib.suppress(OSError, IndexError):
            new = self._kept[-1]
            fill(new.descriptor, raw)
            self._kept.pop()
            os.close(new.descriptor)
            return os.path.join(self.place.folder, new.name)
        return None

    def let_descriptor_go(self) -> bool:
        """Whether there was one to be had again."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is not None

    def _fill_up(self) -> None:
        while len(self._kept) < 2:
            self._kept.append(self.place.make(self._like, self._mode, self._size))
