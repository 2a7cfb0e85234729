# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A phone's eye: what the QR codes in a picture say."""

from __future__ import annotations

import io

from .config import Invalid


def read_codes(image: bytes) -> list[str]:
    """Return what each QR code in a picture says; raise Invalid for what is no picture."""
    try:
        import zxingcpp  # who sends no pictures needs neither of them
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise Invalid("image: needs the extra, pip install msgops-emulator[camera]") from None
    try:
        picture = Image.open(io.BytesIO(image)).convert("L")
    except (UnidentifiedImageError, OSError):
        raise Invalid("image: not a picture") from None
    # Of all formats, it would take the modules of some QR codes for a linear code as well.
    wanted = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in zxingcpp.read_barcodes(picture, formats=wanted)]
