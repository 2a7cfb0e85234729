# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing QR codes, for gateways that give their contents as text."""

from __future__ import annotations

import io
import traceback

try:
    import segno
except ImportError:
    SEGNO_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    SEGNO_IMPORT_ERROR = None


def as_png(text: str) -> bytes:
    """The QR code of ``text`` as PNG."""
    image = io.BytesIO()
    _make(text).save(image, kind="png", scale=4)
    return image.getvalue()


def as_lines(text: str) -> str:
    """The QR code of ``text`` in block characters: black on white, independent of the terminal's colours."""
    drawing = io.StringIO()
    _make(text).terminal(drawing, border=2, compact=True)
    return "\n".join(f"\x1b[97;40m{line}\x1b[0m" for line in drawing.getvalue().splitlines())


def _make(text: str) -> segno.QRCode:
    # Least error correction: fewer and larger squares, which cameras read more easily.
    return segno.make(text, error="l", micro=False, boost_error=False)
