# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder from which a person scans the codes: a PNG for each instance, and one page for all of them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Iterator

from .._common.atomic_file import AtomicFile
from .._common.errors import UsageError
from .._common.files import make_folder
from .page import Page
from .timing import LinkTiming


class CodeFolder:
    """A folder of files of mode 0600, each of which is replaced atomically. One thread at a time may use it."""

    def __init__(self, folder: str, timing: LinkTiming) -> None:
        self.folder = folder
        self.page = os.path.join(self.folder, "index.html")
        self._timing = timing
        self._shown: Page | None = None
        self._images: dict[str, bytes] = {}
        self._written_at = float("-inf")

    def image(self, anchor: str) -> str:
        """The path of an instance's QR code."""
        return os.path.join(self.folder, f"{anchor}.png")

    def open(self, anchors: Collection[str]) -> None:
        """Make the folder, and remove the QR codes that a killed run has left for these instances.

        :raises UsageError: if the folder can't be written.
        """
        with self._explained():
            make_folder(self.folder, 0o700)
            self._remove(anchors)

    def is_due(self) -> bool:
        """Whether the files are old enough for a new page."""
        return self._age() >= self._timing.page_interval

    def show(self, page: Page) -> None:
        """Write the page and its QR codes, if it has changed or its last version is due for a heartbeat.

        :raises UsageError: if they can't be written.
        """
        if page == self._shown and self._age() < self._timing.page_heartbeat:
            return
        images = {card.anchor: card.image for card in page.cards if card.image}
        with self._explained():
            for anchor, image in images.items():
                if image != self._images.get(anchor):
                    self._images[anchor] = image
                    self._replace(self.image(anchor), image)
            self._remove(self._images.keys() - images)
            self._replace(self.page, page.render(time.time(), self._timing.page_stale).encode())
        self._shown, self._written_at = page, time.monotonic()

    def _age(self) -> float:
        return time.monotonic() - self._written_at

    def _remove(self, anchors: Collection[str]) -> None:
        for anchor in anchors:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.image(anchor))
            self._images.pop(anchor, None)

    def _replace(self, path: str, content: bytes) -> None:
        with contextlib.closing(AtomicFile(path)) as file:
            file.replace(content, like=None, mode=0o600)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise UsageError(f"dest {self.folder} can't be written ({exc.strerror}); name another folder") from None
