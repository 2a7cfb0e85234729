# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, sorted by what the caller may do about it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, Literal

from .texts import join_first, one_line

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
    """What a failed request did at the vendor's side, as far as can be proved from here."""

    NOT_SENT = "not_sent"  # it never reached the server as a whole
    REFUSED = "refused"  # the server answered that it did nothing
    THROTTLED = "throttled"  # refused for now
    UNKNOWN = "unknown"  # it may or may not have been carried out


class FleetError(Exception):
    """A failure that the user is told about in one line.

    ``message`` holds no secret: whoever builds it redacts foreign text first.
    ``retryable`` means that the same read may be repeated at once (after a pause).
    ``transient`` means that the vendor documents the condition to pass by itself within minutes: a task that
    waits goes on waiting, but a single read isn't repeated.
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

    def as_item_error(self) -> dict[str, Any]:
        """The ``error`` of one instance or phone in a result."""
        return {"code": self.code, "message": self.message, "retryable": self.retryable}

    def as_error(self) -> dict[str, Any]:
        """The ``error`` of a failed task."""
        return {
            "code": self.code,
            "message": self.message,
            "http_status": self.http_status,
            "retryable": self.retryable,
        }


class UsageError(FleetError):
    """The task's own options are wrong; nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_request", message, delivery=Delivery.NOT_SENT)


def failed(msg: str, error: FleetError | None = None) -> dict[str, Any]:
    """The part of a result that makes the task fail; ``error`` where one request is to blame."""
    return {"failed": True, "msg": one_line(msg)} | ({"error": error.as_error()} if error else {})


def failure_result(kind: str, done: str, failures: Sequence[tuple[str, FleetError]], shown: int = 10) -> dict[str, Any]:
    """The failure of a task that could not do some of its many: label and error of each of ``kind``."""
    if len(failures) == 1:
        return failed(failures[0][1].message, failures[0][1])
    concerned: dict[str, list[str]] = {}
    for label, error in failures:
        concerned.setdefault(error.message, []).append(label)
    reasons = [f"{message} ({join_first(labels, shown)})" for message, labels in concerned.items()]
    # One request can be to blame for many: a batch of phones, or the listing of an account.
    causes = {id(error): error for _label, error in failures}
    only = failures[0][1] if len(causes) == 1 else None
    return failed(f"{len(failures)} {kind} could not be {done}: {join_first(reasons, shown, '; ')}", only)
