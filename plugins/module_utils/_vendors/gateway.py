# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the core asks of every gateway, in words that no vendor owns."""

from __future__ import annotations

import abc
import base64
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeGuard

from .._common.errors import UsageError
from .._common.timestamps import format_time, parse_time
from .._http.messages import Response
from .._http.transport import RequestBudget, Transport

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What it takes to ask for one instance. ``client_token`` is PlugzAPI's account security token."""

    id: str
    token: str = field(repr=False)
    client_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """An instance's state in the vocabulary of ``_states``, and in the vendor's own word."""

    state: str
    vendor_state: str


@dataclass(frozen=True)
class Instance:
    """An instance as a listing or a creation shows it; ``None`` is what it doesn't tell.

    ``due`` and ``created_at`` are ISO 8601 in UTC, ``due_raw`` is what the vendor said. ``plan`` and
    ``payment_status`` are the vendor's words.
    """

    id: str
    name: str
    token: str | None = field(repr=False)
    due: str | None = None
    due_raw: str | int | float | None = None
    deleted: bool = False
    created_at: str | None = None
    plan: str | None = None
    payment_status: str | None = None
    expired: bool | None = None
    reading: Reading | None = None


@dataclass(frozen=True)
class LinkingCode:
    """What links a phone to an instance, a secret.

    A pairing code is ``text``. Of a QR code, ``text`` is what it says and ``image`` a PNG of it; one of them is known.
    """

    text: str | None = field(default=None, repr=False)
    image: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class CodePolicy:
    """How codes may be asked for: ``interval`` seconds apart, each good for ``life`` seconds.

    After ``limit`` requests the vendor wants to be asked by a person again. Without one, an answer is the code of the
    moment, however often it is asked for.
    """

    interval: float
    life: float
    limit: int | None = None


class Gateway(abc.ABC):
    """A vendor's API, as seen by one account."""

    provider: ClassVar[str]
    # WhatsApp's own times: https://green-api.com/en/docs/api/account/QR/ and .../GetAuthorizationCode/
    qr_policy: ClassVar[CodePolicy] = CodePolicy(interval=20.0, life=20.0)
    pairing_policy: ClassVar[CodePolicy] = CodePolicy(interval=150.0, life=150.0)
    # The states that the vendor recommends a reboot for.
    reboot_cures: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, transport: Transport, partner_token: str | None = None) -> None:
        self._transport = transport
        self._partner_token = partner_token or ""

    @abc.abstractmethod
    def read_state(self, credentials: Credentials, budget: RequestBudget) -> Reading:
        """The state of one instance now."""

    @abc.abstractmethod
    def list_instances(self) -> list[Instance] | None:
        """All of the account's instances, or ``None`` if the gateway has no such call."""

    @abc.abstractmethod
    def create_instance(self, payload: Mapping[str, Any]) -> Instance:
        """Create an instance; ``payload`` comes from ``payload_for``. It may cost money."""

    @staticmethod
    @abc.abstractmethod
    def payload_for(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The creation's request body for the module's ``options`` (those that were given).

        :raises UsageError: for an option that this gateway doesn't have, or a value that it doesn't take.
        """

    def request_qr_code(self, credentials: Credentials, budget: RequestBudget, *, as_text: bool) -> LinkingCode | None:
        """A QR code that links a phone, ``None`` if one is linked already.

        ``as_text`` asks for what the code says rather than for its image, where the gateway has both.
        """
        raise self._lacks("QR codes")

    def request_pairing_code(self, credentials: Credentials, budget: RequestBudget, phone: str) -> LinkingCode | None:
        """A code to type in on the phone of this number (digits, with the country's), ``None`` as above.

        The code before it is of no use any more.
        """
        raise self._lacks("pairing codes")

    def reboot(self, credentials: Credentials) -> None:
        """Restart the instance. It keeps its phone."""
        raise self._lacks("reboots")

    def _lacks(self, calls: str) -> UsageError:
        return UsageError(f"{self.provider} has no call for {calls}")


def parse_png(value: Any) -> bytes | None:
    """The PNG that a vendor gives in base64, with or without the head of a ``data`` URL; ``None`` if it isn't one."""
    if not isinstance(value, str):
        return None
    try:
        image = base64.b64decode(value.partition("base64,")[2] or value, validate=True)
    except ValueError:
        return None
    return image if image.startswith(_PNG) else None


def name_in(item: Mapping[str, Any]) -> str | None:
    """The name of an item of a listing, empty where it has none; ``None`` if what it has is no text.

    An instance without a name can't be one that is looked for by its name. One whose name can't be read can.
    """
    name = item.get("name")
    return "" if name is None else name if isinstance(name, str) else None


def is_token(value: Any) -> TypeGuard[str]:
    """Whether this is a token, or an id that is text: every character of it was read."""
    return isinstance(value, str) and bool(value) and "\N{REPLACEMENT CHARACTER}" not in value


def word_in(response: Response, value: Any) -> str | None:
    """The vendor's word for something, without the request's secrets; ``None`` if there is none."""
    return response.masked(value) or None if isinstance(value, str) else None


def plain(value: Any) -> str | int | float | None:
    """What a vendor gives, unless it is nested: a result couldn't hold it however deep it is."""
    return value if isinstance(value, (str, int, float)) else None


def parse_due(raw: Any) -> str | None:
    """A due date as ISO 8601 in UTC, ``None`` where there is none or it can't be read.

    The vendors give it as a number or a string of digits, in milliseconds or in seconds since 1970
    (Z-API/docs ``en/partner/create-instance.mdx`` and ``en/instance/me.mdx``; seconds would pass 10^11 in the year
    5138), and GREEN-API's getInstances as ISO 8601 without a zone, where year 1 stands for never. A time without a
    zone is taken as UTC.
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
