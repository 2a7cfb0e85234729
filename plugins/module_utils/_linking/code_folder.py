# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder where a person finds the codes: a PNG for each instance, and one page for all of them."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator

from .._common.atomic_file import AtomicFile
from .._common.errors import UsageError
from .page import Page

# Seconds between two versions of the page at least, and at most while codes are shown.
_PAUSE = 0.5
_HEARTBEAT = 5.0


class CodeFolder:
    """A folder of files of mode 0600, each of which is replaced atomically.

    ``describe`` gives the page as it should be now. ``update`` may be called from several threads.
    """

    def __init__(self, folder: str, describe: Callable[[], Page]) -> None:
        self.folder = folder
        self.page = os.path.join(self.folder, "index.html")
        self._describe = describe
        self._lock = threading.Lock()
        self._shown: Page | None = None
        self._written_at = float("-inf")

    def image(self, anchor: str) -> str:
        """The path of an instance's QR code."""
        return os.path.join(self.folder, f"{anchor}.png")

    @contextlib.contextmanager
    def opened(self, anchors: Collection[str]) -> Iterator[None]:
        """Show the page while the block runs, and as it is when it ends.

        :raises UsageError: if the folder can't be written.
        """
        with self._explained():
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            # Nobody shall scan what a run that was killed has left.
            self._remove(anchors)
            self._write(self._describe())
        try:
            yield
        finally:
            with self._lock, self._explained():
                self._write(self._describe())
                self._written_at = float("inf")

    def update(self) -> None:
        """Bring the files up to date, if there is news and they aren't that young.

        :raises UsageError: if they can't be written.
        """
        with self._lock, self._explained():
            age = time.monotonic() - self._written_at
            if age < _PAUSE:
                return
            page = self._describe()
            if page != self._shown or age >= _HEARTBEAT:
                self._write(page)

    def _write(self, page: Page) -> None:
        before = {card.anchor: card.image for card in self._shown.cards} if self._shown else {}
        after = {card.anchor: card.image for card in page.cards}
        for anchor, image in after.items():
            if image and image != before.get(anchor):
                self._replace(self.image(anchor), image)
        self._remove([anchor for anchor in before if not after.get(anchor)])
        self._replace(self.page, page.render(time.time()).encode())
        self._shown, self._written_at = page, time.monotonic()

    def _remove(self, anchors: Collection[str]) -> None:
        for anchor in anchors:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.image(anchor))

    def _replace(self, path: str, content: bytes) -> None:
        with contextlib.closing(AtomicFile(path)) as file:
            file.replace(content, like=None, mode=0o600)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise UsageError(f"dest {self.folder} can't be written ({exc.strerror}); name another folder") from None
