# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures, classified by what the caller may do about them, and the results of tasks that fail."""

from __future__ import annotations

import enum
import os
import traceback
from collections.abc import Sequence
from typing import Any, Literal

from .texts import join_groups, one_line

Code = Literal[
    "bad_request",
    "unauthorized",
    "forbidden",
    "not_found",
    "quota",
    "throttled",
    "unavailable",
    "timeout",
    "connection",
    "tls",
    "bad_answer",
    "outcome_unknown",
    "vendor",
]


class Delivery(enum.Enum):
    """What a failed request did at the vendor's side, as far as the transport can prove it."""

    NOT_SENT = "not_sent"  # the server never got the whole request
    REFUSED = "refused"  # the server answered that it did not carry it out
    THROTTLED = "throttled"  # refused for now, because of a rate limit
    UNKNOWN = "unknown"  # the server may or may not have carried it out


class FleetError(Exception):
    """A failure that a task reports in one line.

    ``message`` must not hold a secret: the caller redacts a vendor's text before it puts it into a message.
    ``retryable``: the transport may repeat a read after a pause of seconds.
    ``transient``: the vendor documents that the condition passes by itself within minutes. A task that waits for a
    state goes on waiting, but the transport doesn't repeat the read.
    ``retry_after``: the seconds that the server asks the client to wait.
    ``cause``: the word or two by which a message groups the failures of many instances. By default, that is the
    vendor's code, the HTTP status, or ``code``.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        http_status: int | None = None,
        retryable: bool = False,
        transient: bool = False,
        delivery: Delivery = Delivery.REFUSED,
        retry_after: float | None = None,
        vendor_code: str | None = None,
        cause: str | None = None,
    ) -> None:
        self.message = one_line(message)
        super().__init__(self.message)
        self.code: Code = code
        self.http_status = http_status
        self.retryable = retryable
        self.transient = transient
        self.delivery = delivery
        self.retry_after = retry_after
        self.vendor_code = vendor_code
        status = f"HTTP {http_status}" if http_status and http_status >= 400 else None
        self.cause = cause or vendor_code or status or code

    def as_item_error(self) -> dict[str, Any]:
        """Return the ``error`` of one instance or phone in a result."""
        return {"code": self.code, "message": self.message, "retryable": self.retryable}

    def as_error(self) -> dict[str, Any]:
        """Return the ``error`` of a failed task."""
        return {
            "code": self.code,
            "message": self.message,
            "http_status": self.http_status,
            "retryable": self.retryable,
        }


class UsageError(FleetError):
    """The options of the task are wrong; no request was sent."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_request", message, delivery=Delivery.NOT_SENT)


def outcome_unknown(message: str, doubt: FleetError | None) -> FleetError:
    """The error of a request that may have had an effect; ``doubt`` is the error that leaves it open."""
    status = doubt.http_status if doubt else None
    return FleetError("outcome_unknown", message, http_status=status, delivery=Delivery.UNKNOWN)


def failed(msg: str, error: FleetError | None = None) -> dict[str, Any]:
    """Return the part of a result that makes the task fail; with ``error`` if a single request caused the failure."""
    return {"failed": True, "msg": one_line(msg)} | ({"error": error.as_error()} if error else {})


def failure_result(
    kind: str, done: str, failures: Sequence[tuple[str, FleetError]], total: int, shown_messages: int = 3
) -> dict[str, Any]:
    """Return the failure of a task for ``total`` instances, phones or accounts (``kind``), some of which failed.

    ``failures`` holds the label and the error of each. The message counts them by cause and names the first of each.
    """
    if total == 1 and failures:
        return failed(failures[0][1].message, failures[0][1])
    # One request can cause many failures: it reads a batch of phones, or lists an account.
    is_one_request = len({id(error) for _label, error in failures}) == 1
    msg = f"{len(failures):,} of {total:,} {kind} could not be {done}: {describe_failures(failures, shown_messages)}"
    return failed(msg, failures[0][1] if is_one_request else None)


def describe_failures(failures: Sequence[tuple[str, FleetError]], shown_messages: int = 1) -> str:
    """Return the labels of ``failures`` by cause, then the first message of each of the ``shown_messages`` causes."""
    messages: dict[str, list[str]] = {}
    for _label, error in failures:
        messages.setdefault(error.cause, []).append(error.message)
    largest_first = sorted(messages.values(), key=len, reverse=True)
    groups = join_groups((error.cause, label) for label, error in failures)
    return ". ".join([groups, *(same[0] for same in largest_first[:shown_messages])])


def unexpected(exc: Exception) -> str:
    """Return the message for an unexpected exception: its type and place, so that it can be reported as a bug.

    It doesn't quote the exception's own text, which may contain a URL or a header.
    """
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    where = f"{type(exc).__name__} at {os.path.basename(frame.filename)}:{frame.lineno}"
    return f"unexpected {where}; this is a bug in msgops.fleet: please report it with this line"
