# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verification of SDK-HMAC-SHA256 signatures, Huawei Cloud's AK/SK scheme.

A signature is one HMAC with the secret key over the hash of the canonical request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timezone
from urllib.parse import parse_qsl, quote, unquote

from .messages import Call

ALGORITHM = "SDK-HMAC-SHA256"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
MAX_SKEW = 15 * 60.0  # seconds

_AUTHORIZATION = re.compile(ALGORITHM + r" Access=([^,]*), ?SignedHeaders=([^,]*), ?Signature=([0-9a-f]*)")


def access_key(call: Call) -> str:
    """Return the access key in a request's Authorization header, "" if the header is malformed."""
    match = _AUTHORIZATION.fullmatch(call.headers.get("Authorization", ""))
    return match[1] if match else ""


def problem(call: Call, secret_key: str, now: float) -> str:
    """Return the reason why a signature is refused, "" if it is valid. ``now``: seconds since the epoch."""
    match = _AUTHORIZATION.fullmatch(call.headers.get("Authorization", ""))
    if not match:
        return "authorization header format error"
    signed = match[2].split(";")
    date = call.headers.get("X-Sdk-Date", "")
    if "x-sdk-date" not in signed:
        return "x-sdk-date is not signed"
    try:
        signed_at = datetime.strptime(date, DATE_FORMAT).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return "x-sdk-date format error"
    if abs(now - signed_at) > MAX_SKEW:
        return "x-sdk-date is out of range"
    if not hmac.compare_digest(signature(call, signed, date, secret_key), match[3]):
        return "verify aksk signature fail"
    return ""


def signature(call: Call, signed: list[str], date: str, secret_key: str) -> str:
    """Return the signature that a request should have, in hexadecimal."""
    canonical = "\n".join(
        (
            call.method,
            _canonical_path(call.path),
            _canonical_query(call.query_string.decode("latin-1")),
            "".join(f"{name}:{call.headers.get(name, '').strip()}\n" for name in signed),
            ";".join(signed),
            hashlib.sha256(call.body).hexdigest(),
        )
    )
    to_sign = "\n".join((ALGORITHM, date, hashlib.sha256(canonical.encode()).hexdigest()))
    return hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def _canonical_path(path: str) -> str:
    encoded = "/".join(quote(unquote(segment), safe="~") for segment in path.split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def _canonical_query(query: str) -> str:
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in pairs)
