# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading QR codes from a picture, as a phone's camera does."""

from __future__ import annotations

import io

from .errors import Invalid


def read_codes(image: bytes) -> list[str]:
    """Return the content of each QR code in a picture; raise Invalid if it is no picture."""
    try:
        import zxingcpp  # only this function needs the extra ``camera``
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise Invalid("image: reading it needs the extra: pip install msgops-emulator[camera]") from None
    try:
        picture = Image.open(io.BytesIO(image)).convert("L")
    except (UnidentifiedImageError, OSError):
        raise Invalid("image: not a picture") from None
    # With all formats enabled, it also finds linear codes among the modules of some QR codes.
    wanted = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in zxingcpp.read_barcodes(picture, formats=wanted)]
