# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsers for values that the responses of several vendors hold: names, tokens, pictures, due dates."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping
from typing import Any, TypeGuard, TypeVar

from .._common.timestamps import format_time, parse_time
from .._common.urls import secrets_in_url
from .._http.messages import Response, json_type
from .gateway import Setting

Value = TypeVar("Value")

_LONGEST_PAIRING_CODE = 16
# The most bytes that a QR code can hold: https://www.qrcode.com/en/about/version.html (version 40, level L).
_LONGEST_QR_TEXT = 2953
_PNG = b"\x89PNG\r\n\x1a\n"


def parse_png(value: Any) -> bytes | None:
    """The PNG that ``value`` holds in base64, with or without the prefix of a ``data`` URL; ``None`` if it isn't
    one.
    """
    if not isinstance(value, str):
        return None
    try:
        image = base64.b64decode(value.partition("base64,")[2] or value, validate=True)
    except ValueError:
        return None
    return image if image.startswith(_PNG) else None


def parse_pairing_code_text(response: Response, value: str) -> str:
    """A pairing code, which a person types: letters and digits. WhatsApp shows it with a dash in its middle.

    :raises FleetError: if it has another form: a terminal would obey control characters in it.
    """
    code = value.replace("-", "")
    if code.isascii() and code.isalnum() and len(code) <= _LONGEST_PAIRING_CODE:
        return code
    raise response.malformed("a pairing code of letters and digits")


def parse_qr_text(response: Response, value: str) -> str:
    """The content of a QR code.

    :raises FleetError: if no QR code can hold it.
    """
    if len(value.encode()) <= _LONGEST_QR_TEXT:
        return value
    raise response.malformed(f"the content of a QR code, of {_LONGEST_QR_TEXT:,} bytes at most,")


def name_in(item: Mapping[str, Any]) -> str | None:
    """The name of an item of a listing: empty if it has none, ``None`` if it isn't text.

    Callers skip an instance without a name when they look for a name. They must not skip one whose name is unreadable,
    because it may be the instance they look for.
    """
    name = item.get("name")
    return "" if name is None else name if isinstance(name, str) else None


def field_of_type(response: Response, item: Mapping[str, Any], key: str, kind: type[Value]) -> Value | None:
    """The field ``key``; ``None`` if it is null or left out. For fields on which the meaning of the result hangs.

    :raises FleetError: if it has another type than ``kind``; true is no number.
    """
    value = item.get(key)
    if value is None or (isinstance(value, kind) and isinstance(value, bool) is (kind is bool)):
        return value
    raise response.malformed(f"an object whose {key} is {json_type(kind())}")


def setting_in(response: Response, item: Mapping[str, Any], key: str, setting: Setting) -> Any:
    """The setting ``key``; ``None`` if the vendor doesn't tell it. A text that is null is a text that isn't set.

    :raises FleetError: if it has another type.
    """
    kinds: dict[str, type] = {"str": str, "int": int, "bool": bool}
    value = field_of_type(response, item, key, kinds[setting.kind])
    return "" if value is None and key in item and setting.kind == "str" else value


def settings_secrets(settings: Mapping[str, Setting], values: Mapping[str, Any]) -> tuple[str, ...]:
    """The secrets that ``values`` of ``settings`` hold."""
    found: list[str] = []
    for key, value in values.items():
        setting = settings.get(key)
        if setting and isinstance(value, str) and value:
            found += [value] if setting.is_secret else secrets_in_url(value) if setting.is_url else []
    return tuple(found)


def token_in(response: Response, item: Mapping[str, Any], key: str) -> str | None:
    """The token ``key`` of a listed instance; ``None`` if it is empty, null or left out.

    :raises FleetError: if it isn't text.
    """
    token = field_of_type(response, item, key, str)
    return token if is_token(token) else None


def is_token(value: Any) -> TypeGuard[str]:
    """Whether ``value`` is a usable token or ID: text, not empty, every character decoded."""
    return isinstance(value, str) and bool(value) and "\N{REPLACEMENT CHARACTER}" not in value


def word_in(response: Response, value: Any) -> str | None:
    """The vendor's word, with the request's secrets masked; ``None`` if ``value`` isn't text or is empty."""
    return response.masked(value) or None if isinstance(value, str) else None


def plain(value: Any) -> str | int | float | None:
    """``value`` if it is text or a number; ``None`` for lists and objects, which could be nested beyond any limit."""
    return value if isinstance(value, (str, int, float)) else None


def parse_due(raw: Any) -> str | None:
    """A due date as ISO 8601 in UTC; ``None`` if there is none, or if it is unreadable.

    Z-API sends a number or a string of digits, in milliseconds or in seconds since 1970 (Z-API/docs
    ``en/partner/create-instance.mdx`` and ``en/instance/me.mdx``). A number from 10^11 on is taken as milliseconds:
    as seconds, it would be after the year 5138. GREEN-API's getInstances sends ISO 8601 without a zone, where year 1
    means never. A time without a zone is taken as UTC.
    """
    try:
        if isinstance(raw, str) and not raw.isdecimal():
            moment = parse_time(raw)
        elif isinstance(raw, (int, str)) and not isinstance(raw, bool):
            number = int(raw)
            moment = datetime.datetime.fromtimestamp(
                number // 1000 if number >= 10**11 else number, datetime.timezone.utc
            )
        else:
            return None
        return None if moment.year <= 1 else format_time(moment)
    except (ValueError, OverflowError, OSError):
        return None
