# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of authorities that a user names, in an option or in a variable of the environment."""

from __future__ import annotations

import os
import ssl

from .._common.errors import UsageError


def check_authorities(path: str, where: str) -> None:
    """Find out whether ``path``, which ``where`` names, is a file of certificates in PEM, or a folder that can be read.

    Later the TLS library would take what it can't read for a certificate of the server that is wrong.

    :raises UsageError: if it is neither; it says why.
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
