# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a person sees the codes: in a folder, on a terminal, or in the task's result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .._common.errors import UsageError
from .._common.masking import SecretOutput
from .._vendors.gateway import LinkingCode
from . import qr
from .code_folder import CodeFolder
from .page import spell
from .progress import LinkProgress

Method = Literal["qr", "code"]


@dataclass(frozen=True)
class CodeDisplay:
    """The ways in which a task shows codes.

    ``folder`` is for a page and images, ``draw`` shows text on the terminal of the person who runs the task, and
    ``output`` decides whether a code may be in the result.
    """

    folder: str | None = None
    draw: Callable[[str], None] | None = None
    output: SecretOutput = field(default_factory=SecretOutput)

    def check(self, method: Method, *, waits: bool) -> None:
        """:raises UsageError: if nobody would see the codes of this task."""
        # The result of a task that waits comes when the waiting is over, and its codes are of no use then.
        is_of_use = method == "code" and not waits
        if not (self.folder or self.draw or (is_of_use and self.output.is_safe)):
            in_result = ", or no_log: true, with which the result has them" if is_of_use else ""
            raise UsageError(
                "nobody would see the codes, so none is asked for: give dest, a folder for a page that shows them, or "
                f"run it in a terminal with terminal: true{in_result}"
            )


class Terminal:
    """Draws each code once; ``folder`` has the images that a terminal can't show."""

    def __init__(self, draw: Callable[[str], None], folder: CodeFolder | None) -> None:
        self._draw = draw
        self._folder = folder
        self._drawn: LinkingCode | None = None

    def show(self, link: LinkProgress, code: LinkingCode, method: Method) -> None:
        """Draw the instance's code, or end the instance if a terminal can't show it."""
        if code is self._drawn:
            return
        self._drawn = code
        label, provider = link.target.label, link.target.gateway.provider
        if method == "code":
            self._draw(f"{label} at {provider}: type {spell(code.text or '')} on the phone +{link.phone}")
        elif code.text:
            self._draw(f"{label} at {provider}: scan this code\n{qr.as_lines(code.text)}")
        elif self._folder:
            self._draw(f"{label} at {provider}: scan the picture {self._folder.image(link.anchor)}")
        else:
            link.end("failed", UsageError(f"{provider} gives pictures, which a terminal can't show; give dest"))
