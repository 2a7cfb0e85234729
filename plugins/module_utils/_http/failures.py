# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors for requests without a response: a code, a message and a remedy for each exception of the HTTP libraries."""

from __future__ import annotations

import contextlib
import errno
import http.client
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._common.errors import Code, Delivery, FleetError
from .._common.resources import RUN_OUT
from .connection import Exchange, NotLoopback, TooLarge
from .messages import Request

# The exceptions that sending a request and reading its response can raise.
EXPECTED: tuple[type[Exception], ...] = (OSError, ValueError, MemoryError)
with contextlib.suppress(ImportError):  # session.py reports that requests isn't installed
    import requests
    import urllib3

    EXPECTED += (urllib3.exceptions.HTTPError,)


@dataclass(frozen=True)
class Destination:
    """Where a request goes: host and port, the option that names them, and the seconds for each step."""

    host: str
    option: str
    timeout: float


@dataclass(frozen=True)
class _Cause:
    code: Code
    reason: str
    remedy: str
    retryable: bool = True


def explain(exc: BaseException, request: Request, exchange: Exchange, to: Destination) -> FleetError:
    """Return the error for an exception of requests, urllib3 or Python.

    ``exchange.sent`` alone decides whether the server may have carried out the request. The type of the exception
    can't: behind a proxy, urllib3 raises ProxyError for every failure.
    """
    chain = list(_chain(exc))
    cause = _run_out(chain)
    if cause is None:
        if exchange.sent:
            cause = _after_sending(chain, exchange, to)
        else:
            cause = _before_sending(exc, chain, request, exchange, to)
    delivery = Delivery.UNKNOWN if exchange.sent else Delivery.NOT_SENT
    message = request.failed(cause.reason, cause.remedy, delivery)
    return FleetError(cause.code, message, retryable=cause.retryable, delivery=delivery)


def _run_out(chain: list[BaseException]) -> _Cause | None:
    """Return the cause if this machine has run out of memory, ports or open files."""
    numbers = [link.errno for link in chain if isinstance(link, OSError) and link.errno in RUN_OUT]
    if _first(chain, MemoryError):
        numbers = [errno.ENOMEM]
    if _first(chain, socket.gaierror):
        # A resolver that can't open a file or socket reports an unknown name, so try to open a socket.
        try:
            socket.socket().close()
        except OSError as exc:
            numbers.append(exc.errno or 0)
    if not numbers or numbers[0] not in RUN_OUT:
        return None
    what, remedy = RUN_OUT[numbers[0]]
    # Files and ports become free when another thread's request has ended.
    is_memory = numbers[0] == errno.ENOMEM
    return _Cause("connection", f"this machine has run out of {what}", remedy, retryable=not is_memory)


def _before_sending(
    exc: BaseException, chain: list[BaseException], request: Request, exchange: Exchange, to: Destination
) -> _Cause:
    """Return the cause of a failure before the first byte of the request was sent."""
    network = f"check {to.option} and the network"
    tls = _first(chain, ssl.SSLError)
    is_proxys = bool(_first(chain, requests.exceptions.ProxyError, urllib3.exceptions.ProxyError))
    if exchange.tunnel_status not in (None, 200):
        return _Cause(
            "connection",
            f"the proxy on the way to {to.host} answered HTTP {exchange.tunnel_status}",
            "check the proxy variables",
            retryable=exchange.tunnel_status in (429, 502, 503, 504),
        )
    if isinstance(exc, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        # check_base_url has checked the API's own URL, so this is the proxy's.
        return _Cause(
            "connection", "the proxy that the environment names can't be used", "check the proxy variables", False
        )
    if isinstance(exc, requests.exceptions.InvalidHeader) or not isinstance(
        exc, (OSError, urllib3.exceptions.HTTPError)
    ):
        # requests raises InvalidHeader; http.client, which checks more characters, raises ValueError.
        return _Cause(
            "bad_request", "a header has a character that HTTP doesn't allow", f"check {request.credential}", False
        )
    if isinstance(tls, ssl.SSLEOFError) and not is_proxys:
        return _Cause("connection", f"the connection to {to.host} broke off in the TLS handshake", network)
    if tls is not None and not is_proxys:
        return _tls(tls, to)
    if isinstance(exc, requests.exceptions.SSLError) and not is_proxys:
        # urllib3 before version 2 compares the host names itself, and raises no ssl.SSLError.
        return _Cause("tls", f"TLS failed: the certificate isn't for {to.host}", f"check {to.option}", False)
    if _first(chain, NotLoopback):
        return _Cause("connection", f"{to.host} is another machine, and http isn't for others", network, False)
    if isinstance(exc, requests.Timeout) or _first(chain, TimeoutError):
        return _Cause("timeout", f"no connection to {to.host} within {to.timeout:g} s", network)
    if is_proxys or exchange.tunnel_status or _first(chain, http.client.HTTPException):
        return _Cause("connection", f"the proxy on the way to {to.host} failed", "check the proxy variables")
    if _first(chain, socket.gaierror):
        return _Cause("connection", f"the host name {to.host} can't be resolved", network)
    if _first(chain, ConnectionRefusedError):
        return _Cause("connection", f"{to.host} refuses the connection", network)
    return _Cause("connection", f"{to.host} can't be reached", network)


def _after_sending(chain: list[BaseException], exchange: Exchange, to: Destination) -> _Cause:
    """Return the cause of a failure after at least a byte of the request was sent."""
    tls = _first(chain, ssl.SSLError)
    if tls is not None and not isinstance(tls, ssl.SSLEOFError):
        return _tls(tls, to)
    if excess := _excess(chain):
        return _Cause("bad_answer", f"the answer has {excess}", f"check {to.option}", retryable=False)
    if _first(chain, requests.Timeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
        if exchange.is_over:
            reason = f"the answer from {to.host} was not complete within {exchange.patience:.3g} s"
            return _Cause("timeout", reason, "raise timeout")
        return _Cause("timeout", f"no answer from {to.host} within {to.timeout:g} s", "raise timeout")
    if _first(chain, urllib3.exceptions.DecodeError):
        return _Cause(
            "bad_answer", "the answer isn't compressed the way it claims to be", f"check {to.option}", retryable=False
        )
    return _Cause(
        "connection",
        f"the connection to {to.host} broke off before the whole answer was here",
        f"check {to.option} and the network",
    )


def _excess(chain: list[BaseException]) -> str:
    """What a response has too much of, apart from its body."""
    if _first(chain, http.client.LineTooLong):
        return "a line of more than 64 KiB"
    too_large = _first(chain, TooLarge)
    return str(too_large) if too_large else ""


def _tls(error: ssl.SSLError, to: Destination) -> _Cause:
    why = getattr(error, "verify_message", "") or error.reason or "unknown reason"
    remedy = f"check {to.option}, or give the certificate authority in ca_path"
    return _Cause("tls", f"TLS failed: {why}", remedy, retryable=False)


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """Iterate over ``exc`` and all exceptions that requests and urllib3 have wrapped in it."""
    seen: set[int] = set()
    queue: list[Any] = [exc]
    while queue:
        item = queue.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        queue += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]


def _first(chain: list[BaseException], *kinds: type[BaseException]) -> Any:
    return next((link for link in chain if isinstance(link, kinds)), None)
