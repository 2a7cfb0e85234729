# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport to a vendor's API: timeouts, safe retries, and the read-only lock of check mode."""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from .._common.errors import Delivery, FleetError, UsageError
from .address import check_base_url
from .certificates import check_authorities
from .connection import Exchange
from .failures import EXPECTED, Destination, explain
from .messages import Effect, Request, Response
from .parsing import encode_body, parse_response
from .session import Session, relevant_environment

# Seconds after which an answer is given up that still trickles in; the largest takes them at 100 kB a second.
_RESPONSE_TIMEOUT = 600.0
# Seconds that an answer has beyond its caller's deadline: whoever waits for many callers is the first to notice that.
_DEADLINE_GRACE = 0.1

_FIRST_PAUSE = 0.5
_FIRST_PAUSE_THROTTLED = 1.0
_LONGEST_PAUSE = 10.0

Value = TypeVar("Value")


class RequestBudget:
    """One caller's use of the transport: until when it may take, and how many requests were sent for it.

    ``deadline`` is a time of ``time.monotonic()`` in seconds; nothing is retried or waited for after it.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self.requests = 0

    def remaining(self) -> float:
        """Seconds left, never negative; infinite without a deadline."""
        return float("inf") if self.deadline is None else max(0.0, self.deadline - time.monotonic())


@dataclass(frozen=True)
class TransportOptions:
    """How to talk to a host: times in seconds."""

    timeout: float = 30.0
    retry_timeout: float = 60.0
    validate_certs: bool = True
    ca_path: str | None = None
    concurrency: int = 16
    read_only: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.timeout < float("inf"):
            raise UsageError("timeout must be a number of seconds above 0")
        if not 0 <= self.retry_timeout < float("inf"):
            raise UsageError("retry_timeout must be 0 or a number of seconds above it")
        if not 1 <= self.concurrency <= 256:
            raise UsageError("concurrency must be between 1 and 256")
        if self.ca_path is not None:
            check_authorities(self.ca_path, "ca_path")


class Transport:
    """A pool of kept-alive connections to one host, safe to use from several threads."""

    def __init__(self, base_url: str, options: TransportOptions, *, url_option: str = "api_url") -> None:
        self.base_url = check_base_url(base_url, url_option)
        self._url_option = url_option
        self._options = options
        self._session = Session(
            self.base_url,
            connections=options.concurrency,
            validate_certs=options.validate_certs,
            ca_path=options.ca_path,
        )
        self._unreachable = False

    def send(self, request: Request, parse: Callable[[Response], Value], budget: RequestBudget | None = None) -> Value:
        """Send ``request`` and return what ``parse`` makes of the answer.

        A reading request is repeated while the failure is retryable, a writing one only if it provably never
        arrived or was throttled; both for ``retry_timeout`` seconds at most.

        :raises FleetError: from the transport or from ``parse``, once no retry is left.
        """
        if request.effect is Effect.WRITES and self._options.read_only:
            raise AssertionError(f"check mode must not send a request that writes ({request.what})")
        budget = budget or RequestBudget()
        give_up_at = time.monotonic() + min(self._options.retry_timeout, budget.remaining())
        for attempt in itertools.count():
            budget.requests += 1
            try:
                return parse(self._exchange(request, budget))
            except FleetError as error:
                failure = error
            pause = self._pause_before_retry(request, failure, attempt)
            if pause is None or time.monotonic() + pause > give_up_at:
                break
            time.sleep(pause)
        if failure.delivery is Delivery.NOT_SENT and failure.retryable:
            self._unreachable = True
        raise failure

    def _pause_before_retry(self, request: Request, failure: FleetError, attempt: int) -> float | None:
        """Seconds to wait before the next try, ``None`` if there must be none."""
        if request.effect is Effect.WRITES:
            repeatable = failure.delivery is Delivery.THROTTLED or (
                failure.delivery is Delivery.NOT_SENT and failure.retryable
            )
        else:
            repeatable = failure.retryable
        if not repeatable or self._options.retry_timeout == 0:
            return None
        if self._unreachable and failure.delivery is Delivery.NOT_SENT:
            # Another request has waited for this host in vain: a thousand more needn't, each for as long.
            return None
        if failure.retry_after is not None:
            return failure.retry_after + random.uniform(0, 0.25)
        first = _FIRST_PAUSE_THROTTLED if failure.delivery is Delivery.THROTTLED else _FIRST_PAUSE
        # Two to the power of a thousand attempts is no float any more.
        return float(min(_LONGEST_PAUSE, first * 2 ** min(attempt, 16)) * random.uniform(0.75, 1.25))

    def _exchange(self, request: Request, budget: RequestBudget) -> Response:
        timeout = max(0.001, min(self._options.timeout, budget.remaining()))
        patience = _DEADLINE_GRACE + max(timeout, min(_RESPONSE_TIMEOUT, budget.remaining()))
        exchange = Exchange(patience, writes=request.effect is Effect.WRITES)
        body = None if request.body is None else encode_body(request.body)
        headers = request.headers if body is None else {**request.headers, "Content-Type": "application/json"}
        url = self.base_url + request.path
        if request.query:
            url += "?" + urlencode(request.query)
        try:
            status, received, content = self._session.exchange(
                request.method, url, headers, body, timeout=timeout, exchange=exchange
            )
            self._unreachable = False
            return parse_response(request, status, received, content)
        except EXPECTED as exc:
            to = Destination(urlsplit(self.base_url).netloc, self._url_option, timeout)
            failure = explain(exc, request, exchange, to)
        # Outside of the handler, so that no chained exception carries the URL with the token along.
        raise failure


_transports: dict[tuple[Any, ...], Transport] = {}


def transport_to(base_url: str, options: TransportOptions, *, url_option: str = "api_url") -> Transport:
    """The transport of this process to ``base_url``: the items of a loop share its connections.

    One that was made before a fork, or for another environment, is of no use.

    :raises UsageError: if ``base_url`` isn't a URL that may be used.
    """
    key = (os.getpid(), base_url, options, url_option, relevant_environment())
    if key not in _transports:
        _transports[key] = Transport(base_url, options, url_option=url_option)
    return _transports[key]
