# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base URLs of APIs: validation, and a canonical form to compare them by."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from .._common.errors import UsageError

_DEFAULT_PORTS = {"https": 443, "http": 80}


def check_base_url(url: str, option: str) -> str:
    """Return ``url``, the value of ``option``, without slashes at its end.

    :raises UsageError: if it isn't a URL of https (or of http to a loopback address), or if it has a user name, a
        password, a query or a fragment.
    """
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        host.encode("idna")  # raises UnicodeError, a ValueError, for a label that is empty or too long
        if parts.port == 0:  # reading a port that isn't a number raises ValueError, too
            raise ValueError
    except ValueError:
        raise UsageError(f"{option} isn't a valid URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"{option} must be a URL that begins with https:// and names a host")
    if not re.fullmatch(r"[\w.:-]+", host):
        raise UsageError(f"{option} isn't a valid URL")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{option} must not hold a user name or a password")
    if parts.query or parts.fragment:
        raise UsageError(f"{option} must not hold a query or a fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(f"{option} must use https: http is allowed to a loopback address only, not to {host}")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def canonical_address(url: str) -> str:
    """Return a base URL in its canonical form, which is the same for all spellings of one address.

    Scheme and host are in lower case; the scheme's default port, a dot at the host's end, slashes at the end and
    surrounding white space are removed.

    :raises UsageError: if it isn't a URL.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise UsageError("api_url isn't a valid URL") from None
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    authority = host if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{port}"
    return f"{parts.scheme}://{authority}{parts.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """Whether a host name in lower case, or an IP address, is loopback by definition (RFC 6761, 6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
