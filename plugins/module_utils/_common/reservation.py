# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disk space for replacing a file, reserved before the new content is known."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from .atomic_file import AtomicFile, TemporaryFile, write_durably


class Reservation:
    """Two temporary files of the size that ``target`` can grow to, and a file descriptor.

    ``write`` moves one of the two into place and allocates a new one from the space that the replaced file frees. If
    another process takes that space first, the other file is left for the last ``write``.
    """

    def __init__(self, target: AtomicFile, size: int, like: os.stat_result, mode: int) -> None:
        self.target = target
        self.failure: OSError | None = None
        self._size = size
        self._like = like
        self._mode = mode
        self._files: list[TemporaryFile] = []
        self._descriptor: int | None = None

    @classmethod
    @contextlib.contextmanager
    def hold(cls, target: AtomicFile, size: int, like: os.stat_result, mode: int) -> Iterator[Reservation]:
        """Reserve ``size`` bytes twice for the block; the written file gets ``mode`` and the owner of ``like``.

        :raises OSError: if the disk has less space, or the process can't open a file more.
        """
        reservation = cls(target, size, like, mode)
        try:
            reservation._descriptor = target.duplicate_descriptor()
            reservation._fill_up()
            yield reservation
        finally:
            for file in reservation._files:
                with contextlib.suppress(OSError):  # a later run removes it; what was written counts
                    target.discard(file)
            reservation.release_descriptor()

    def write(self, content: bytes, *, last: bool) -> None:
        """Replace the file. Unless this is the ``last`` time, one temporary file stays reserved.

        ``failure`` is set if the reservation can't be renewed afterwards.

        :raises OSError: if the file can't be replaced; the reservation then stays as it was.
        """
        if not last:
            self._fill_up()
        self.target.replace_by(self._files[-1], content)
        self._files.pop()
        self.target.sync()
        self.failure = None
        try:
            self._fill_up()
        except OSError as exc:
            self.failure = exc

    def rescue(self, content: bytes) -> str | None:
        """Write to a reserved file, leave it beside ``target``, and return its path; ``None`` if that fails."""
        with contextlib.suppress(OSError, IndexError):
            new = self._files[-1]
            write_durably(new.descriptor, content)
            self._files.pop()
            os.close(new.descriptor)
            return os.path.join(self.target.folder, new.name)
        return None

    def release_descriptor(self) -> bool:
        """Close the reserved descriptor, so that the process can open a file; whether there was one to close."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is not None

    def _fill_up(self) -> None:
        while len(self._files) < 2:
            self._files.append(self.target.make_temporary(self._like, self._mode, self._size))
