# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport to a vendor's API: timeouts, safe retries, and the read-only lock of check mode."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from .._common.errors import Delivery, FleetError, UsageError
from .address import check_base_url
from .certificates import check_authorities
from .connection import Exchange, Limits
from .failures import EXPECTED, Destination, explain
from .messages import Effect, Request, Response
from .pace import Pace
from .parsing import encode_body, parse_response
from .retries import Backoff, may_retry
from .session import Session, relevant_environment

Value = TypeVar("Value")


class RequestBudget:
    """The deadline of one caller, and the number of requests that were sent for it.

    ``deadline`` is a time of ``time.monotonic()``, after which the transport neither sends nor waits. ``failure`` is
    the error of the last request, which the transport may be repeating.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self.requests = 0
        self.failure: FleetError | None = None

    def remaining(self) -> float:
        """Return the seconds left, at least 0; infinite without a deadline."""
        return float("inf") if self.deadline is None else max(0.0, self.deadline - time.monotonic())


@dataclass(frozen=True)
class TransportOptions:
    """How to talk to a host: seconds for each step of a request (``timeout``) and for all its retries together.

    :raises UsageError: if a value is out of range.
    """

    timeout: float = 30.0
    retry_timeout: float = 60.0
    validate_certs: bool = True
    ca_path: str | None = None
    concurrency: int = 16
    read_only: bool = False
    limits: Limits = field(default_factory=Limits)
    backoff: Backoff = field(default_factory=Backoff)

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
    """A pool of kept-alive connections to one host, safe to use from several threads.

    :raises UsageError: if ``base_url``, the value of the option ``url_option``, can't be used.
    """

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
        self._pace = Pace(options.concurrency, options.retry_timeout, options.backoff)
        self._unreachable = False

    def send(self, request: Request, parse: Callable[[Response], Value], budget: RequestBudget | None = None) -> Value:
        """Send ``request`` and return what ``parse`` makes of the response.

        A failed request is repeated as ``may_retry`` says, for ``retry_timeout`` seconds at most. While the host
        throttles requests, it waits for its turn.

        :raises FleetError: from the transport or from ``parse``, when no retry is left, or no turn.
        """
        if request.effect is Effect.WRITES and self._options.read_only:
            raise AssertionError(f"check mode must not send a request that writes ({request.what})")
        budget = budget or RequestBudget()
        failure, until = None, time.monotonic() + budget.remaining()
        for attempt in itertools.count():
            turn = self._pace.wait_for_turn(until)
            if turn is None:
                break
            if failure is None:
                until = turn + min(self._options.retry_timeout, budget.remaining())
            budget.requests += 1
            throttled: bool | None = None
            try:
                value = parse(self._exchange(request, budget))
                budget.failure, throttled = None, False
                return value
            except FleetError as error:
                # Its traceback would keep the response in memory, for each of a thousand instances.
                failure = budget.failure = error.with_traceback(None)
                throttled = error.delivery is Delivery.THROTTLED if error.http_status else None
            finally:
                self._pace.end_turn(turn, throttled=throttled)
            if not self._options.retry_timeout or not may_retry(request, failure, unreachable=self._unreachable):
                break
            pause = self._options.backoff.pause(attempt, failure)
            if time.monotonic() + pause > until:
                break
            time.sleep(pause)
        failure = failure or self._not_asked(request)
        if failure.delivery is Delivery.NOT_SENT and failure.retryable:
            self._unreachable = True
        raise failure

    def _not_asked(self, request: Request) -> FleetError:
        reason = f"{urlsplit(self.base_url).netloc} throttles all requests, so it was not asked"
        message = request.failed(reason, "lower concurrency or raise retry_timeout", Delivery.THROTTLED)
        return FleetError("throttled", message, retryable=True, delivery=Delivery.THROTTLED)

    def _exchange(self, request: Request, budget: RequestBudget) -> Response:
        limits = self._options.limits
        timeout = max(0.001, min(self._options.timeout, budget.remaining()))
        patience = limits.deadline_grace + min(limits.whole(timeout, request.size), budget.remaining())
        exchange = Exchange(patience, writes=request.effect is Effect.WRITES, limits=limits, size=request.size)
        body = None if request.body is None else encode_body(request.body)
        headers = request.headers if body is None else {**request.headers, "Content-Type": "application/json"}
        url = self.base_url + request.path
        if request.query:
            url += "?" + urlencode(request.query)
        try:
            status, received, content = self._session.send(
                request.method, url, headers, body, timeout=timeout, exchange=exchange
            )
            self._unreachable = False
            return parse_response(request, status, received, content)
        except EXPECTED as exc:
            to = Destination(urlsplit(self.base_url).netloc, self._url_option, timeout)
            failure = explain(exc, request, exchange, to)
        # Raised outside of the handler, so that the exception, whose text holds the URL with the token, isn't chained.
        raise failure


_transports: dict[tuple[Any, ...], Transport] = {}


def transport_to(base_url: str, options: TransportOptions, *, url_option: str = "api_url") -> Transport:
    """Return this process's transport to ``base_url``, whose connections all items of a loop share.

    A forked process, and a task with another environment, gets a transport of its own.

    :raises UsageError: if ``base_url`` isn't a URL that may be used.
    """
    key = (os.getpid(), base_url, options, url_option, relevant_environment())
    if key not in _transports:
        _transports[key] = Transport(base_url, options, url_option=url_option)
    return _transports[key]
