# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests, responses, and what the status of a response means."""

from __future__ import annotations

import datetime
import email.utils
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._common.errors import Code, Delivery, FleetError
from .._common.masking import redact
from .._common.texts import sentence, shorten
from .sizes import FIELDS, NONE, Size

# Characters of a vendor's text that a message quotes a part of; of a longer one it gives the length.
_LONGEST_TEXT = FIELDS.bytes


class Effect(enum.Enum):
    """Whether a call changes anything at the vendor's side, whatever its HTTP method is."""

    READS = "reads"
    WRITES = "writes"


@dataclass(frozen=True)
class Request:
    """One call of a vendor's API.

    ``path`` is percent-encoded and may hold secrets. ``what`` describes the call in messages, and must not hold any.
    ``secrets`` are all that the request holds: messages that quote the response mask them.
    ``credential`` is the option that the remedy names when the vendor refuses the credentials.
    ``size`` is the most that a successful response to the request has.
    """

    method: str
    path: str = field(repr=False)
    what: str
    effect: Effect
    credential: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    size: Size = FIELDS

    def failed(self, reason: str, remedy: str, delivery: Delivery) -> str:
        """Return the message of a failure; without ``remedy`` for a write that the vendor may have carried out."""
        may_have_happened = self.effect is Effect.WRITES and delivery is Delivery.UNKNOWN
        return sentence(self.what, reason, "" if may_have_happened else remedy)


# The description of no body.
EMPTY = "empty"


@dataclass(frozen=True)
class Response:
    """A vendor's response.

    ``body`` is the parsed JSON if ``is_json``, else ``None``; ``text`` then holds a short plain text, if it is one.
    ``description`` describes a body that isn't JSON, ``size`` is what one that is has.
    """

    request: Request
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    is_json: bool
    description: str
    text: str = field(default="", repr=False)
    size: Size = NONE

    @property
    def ok(self) -> bool:
        """Whether the HTTP status is a success."""
        return 200 <= self.status < 300

    @property
    def is_empty(self) -> bool:
        """Whether there is no body at all."""
        return self.description == EMPTY

    def masked(self, text: str, *more_secrets: str) -> str:
        """Return the vendor's text as one short line, with the request's secrets masked.

        Masking takes many times the text's memory. A part of a text that is cut could begin or end within a secret.
        """
        if len(text) > _LONGEST_TEXT:
            return f"a text of {len(text):,} characters"
        return shorten(redact(text, (*self.request.secrets, *more_secrets)))

    def error(
        self,
        code: Code,
        reason: str,
        *,
        remedy: str = "",
        retryable: bool = False,
        transient: bool = False,
        delivery: Delivery = Delivery.UNKNOWN,
        vendor_code: str | None = None,
    ) -> FleetError:
        """Return the error that this response reports; secrets in ``reason``, which may quote the vendor, are
        masked.
        """
        return FleetError(
            code,
            self.request.failed(self.masked(reason), remedy, delivery),
            http_status=self.status,
            retryable=retryable,
            transient=transient,
            delivery=delivery,
            retry_after=_retry_after(self.headers),
            vendor_code=self.masked(vendor_code) if vendor_code else None,
        )

    def error_for_status(self, status: int, vendor_says: str = "") -> FleetError:
        """Return the error for ``status``, which is the HTTP status or one that the vendor puts into the body."""
        meaning = classify_status(status)
        reason = f"HTTP {self.status}"
        if status != self.status:
            reason += f" with code {status} in the body"
        if vendor_says:
            reason += f": {vendor_says}"
        elif not self.is_json:
            reason += f" and {self.description}"
        return self.error(
            meaning.code,
            reason,
            remedy=meaning.remedy.format(credential=self.request.credential),
            retryable=meaning.retryable,
            delivery=meaning.delivery,
        )

    def malformed(self, expected: str) -> FleetError:
        """Return the error for a successful response whose body isn't what the vendor documents."""
        got = json_type(self.body) if self.is_json else self.description
        return self.error(
            "bad_answer",
            f"HTTP {self.status}, but the answer is {got} where {expected} was expected",
            remedy="check that api_url or endpoint is the vendor's API and no proxy answers in its place",
        )


@dataclass(frozen=True)
class StatusMeaning:
    """What the caller may do about a status outside 2xx."""

    code: Code
    retryable: bool
    delivery: Delivery
    remedy: str = ""


_REFUSALS: dict[int, StatusMeaning] = {
    401: StatusMeaning("unauthorized", False, Delivery.REFUSED, "check {credential}"),
    403: StatusMeaning("forbidden", False, Delivery.REFUSED, "check {credential}, the id and the API's address"),
    404: StatusMeaning("not_found", False, Delivery.REFUSED, "check the id and the API's address"),
    # 499: nginx's "client closed request"; GREEN-API's page of common errors says that the call may be carried out.
    408: StatusMeaning("timeout", True, Delivery.UNKNOWN),
    499: StatusMeaning("timeout", True, Delivery.UNKNOWN),
    504: StatusMeaning("timeout", True, Delivery.UNKNOWN),
    429: StatusMeaning("throttled", True, Delivery.THROTTLED, "lower concurrency or raise retry_timeout"),
    466: StatusMeaning("quota", False, Delivery.REFUSED, "raise the quota of the plan"),
}


def classify_status(status: int) -> StatusMeaning:
    """Return the meaning of an HTTP status that isn't a success."""
    if status in _REFUSALS:
        return _REFUSALS[status]
    if status >= 500:
        return StatusMeaning("unavailable", status not in (501, 505), Delivery.UNKNOWN, "try again later")
    if status >= 400:
        return StatusMeaning("bad_request", False, Delivery.REFUSED)
    return StatusMeaning("bad_answer", False, Delivery.UNKNOWN, "set api_url or endpoint to the API's final address")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the server asks the client to wait: RFC 9110 allows a number of seconds or a date."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        date = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=datetime.timezone.utc)
    return max(0.0, (date - datetime.datetime.now(datetime.timezone.utc)).total_seconds())


def json_type(value: Any) -> str:
    """Return the JSON type of ``value`` as a message names it."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}
    return names.get(type(value), "an object of another form")
