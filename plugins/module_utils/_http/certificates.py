# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of authorities that an option or an environment variable names."""

from __future__ import annotations

import os
import ssl

from .._common.errors import UsageError


def check_authorities(path: str, where: str) -> None:
    """Check that ``path``, the value of the option or variable ``where``, is a readable PEM file or folder.

    The TLS library would report an unreadable path only in the handshake, as if the server's certificate were wrong.

    :raises UsageError: if it isn't; the message says why.
    """
    try:
        if os.path.isdir(path):
            os.listdir(path)
        else:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise UsageError(f"{where} {path} holds no certificate in PEM format") from None
    except FileNotFoundError:
        raise UsageError(f"{where} {path} doesn't exist") from None
    except OSError as exc:
        raise UsageError(f"{where} {path} can't be read ({exc.strerror})") from None
