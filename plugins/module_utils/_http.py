# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door to the network: sessions, timeouts, safe retries, and the read-only lock of check mode."""

from __future__ import annotations

import datetime
import email.utils
import enum
import http.client
import io
import ipaddress
import itertools
import json
import logging
import math
import os
import random
import re
import socket
import ssl
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from ._errors import Code, Delivery, FleetError, UsageError, one_line
from ._secrets import redact
from ._version import VERSION

try:
    import requests
    import requests.adapters
    import requests.utils
    import urllib3
except ImportError:
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

    class _Session(requests.Session):
        """A session that doesn't even look at where a redirect leads.

        requests prepares to follow it in any case: it reads the whole answer and fails where the address is broken.
        """

        def get_redirect_target(self, resp: requests.Response) -> None:
            return None

    class _Adapter(requests.adapters.HTTPAdapter):
        """An adapter whose answers have an end; requests asks for a connection by the one name or by the other."""

        def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
            return _with_limits(super().get_connection_with_tls_context(*arguments, **options))

        def get_connection(self, *arguments: Any, **options: Any) -> Any:  # before requests 2.32
            return _with_limits(super().get_connection(*arguments, **options))


_HEADERS = {
    "User-Agent": f"msgops.fleet/{VERSION} (Ansible collection)",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
}

# Ten thousand instances of a GREEN-API partner are listed in about 5 MB. It holds for what was compressed, too.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
_MAX_HEADER_BYTES = 2**20
# What is read at once: it may grow a thousandfold when it is unpacked.
_PIECE_BYTES = 8 * 1024
# Those that were asked for; urllib3 knows more, and any number of them one inside the other.
_ENCODINGS = ("gzip", "x-gzip", "deflate")
# Seconds after which an answer is given up that still trickles in; the largest takes them at 100 kB a second.
_LONGEST_ANSWER = 600.0
# Seconds that an answer has beyond its caller's deadline: whoever waits for many callers is the first to notice that.
_GRACE = 0.1

# Half a character, which JSON can spell, but neither a file nor a database can hold.
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")

# What a session is made from, beside the options.
_RELEVANT_VARIABLES = frozenset(
    ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")
)

_FIRST_PAUSE = 0.5
_FIRST_PAUSE_THROTTLED = 1.0
_LONGEST_PAUSE = 10.0

Value = TypeVar("Value")


class Effect(enum.Enum):
    """What a call does at the vendor's side, whatever its HTTP verb is."""

    READS = "reads"
    WRITES = "writes"


@dataclass(frozen=True)
class Request:
    """One call of a vendor's API.

    ``path`` is percent-encoded and may hold secrets; ``what`` names the call in messages, so it holds none.
    ``secrets`` are those that this request carries: they are removed from whatever the vendor answers.
    ``credential`` names the option that a refusal of the credentials points at.
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

    def failed(self, reason: str, remedy: str, delivery: Delivery) -> str:
        """The message of this call's failure, without advice to repeat what may have happened already."""
        may_have_happened = self.effect is Effect.WRITES and delivery is Delivery.UNKNOWN
        return sentence(self.what, reason, "" if may_have_happened else remedy)


@dataclass(frozen=True)
class Answer:
    """A vendor's answer: ``body`` is the parsed JSON, unless ``is_json`` is false; then ``text`` may have its words."""

    request: Request
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    is_json: bool
    description: str
    text: str = field(default="", repr=False)

    def masked(self, text: str, *more_secrets: str) -> str:
        """The vendor's words on one line, without the secrets that the request carried."""
        return shorten(redact(text, (*self.request.secrets, *more_secrets)))

    def error(
        self,
        code: Code,
        reason: str,
        *,
        remedy: str = "",
        retryable: bool = False,
        settles: bool = False,
        delivery: Delivery = Delivery.UNKNOWN,
        vendor_code: str | None = None,
    ) -> FleetError:
        """A failure that this answer tells of; ``reason`` may hold the vendor's words, in which secrets are masked."""
        return FleetError(
            code,
            self.request.failed(self.masked(reason), remedy, delivery),
            http_status=self.status,
            retryable=retryable,
            settles=settles,
            delivery=delivery,
            retry_after=_retry_after(self.headers),
            vendor_code=vendor_code,
        )

    def error_by_status(self, status: int, vendor_says: str = "") -> FleetError:
        """The failure that ``status`` stands for; it may come from the body instead of the HTTP answer."""
        verdict = judge_status(status)
        reason = f"HTTP {self.status}"
        if status != self.status:
            reason += f" with code {status} in the body"
        if vendor_says:
            reason += f": {vendor_says}"
        elif not self.is_json:
            reason += f" and {self.description}"
        return self.error(
            verdict.code,
            reason,
            remedy=verdict.remedy.format(credential=self.request.credential),
            retryable=verdict.retryable,
            delivery=verdict.delivery,
        )

    def unusable(self, expected: str) -> FleetError:
        """The failure of a successful answer that doesn't say what the vendor promises."""
        got = _json_type(self.body) if self.is_json else self.description
        return self.error(
            "bad_answer",
            f"HTTP {self.status}, but the answer is {got} where {expected} was expected",
            remedy="check that api_url or endpoint is the vendor's API and no proxy answers in its place",
        )


@dataclass(frozen=True)
class StatusVerdict:
    """What a status outside 2xx means for the caller."""

    code: Code
    retryable: bool
    delivery: Delivery
    remedy: str = ""


_REFUSALS: dict[int, StatusVerdict] = {
    401: StatusVerdict("unauthorized", False, Delivery.REFUSED, "check {credential}"),
    403: StatusVerdict("forbidden", False, Delivery.REFUSED, "check {credential}, the id and the API's address"),
    404: StatusVerdict("not_found", False, Delivery.REFUSED, "check the id and the API's address"),
    # 499: nginx's "client closed request"; GREEN-API's page of common errors says that the call may be carried out.
    408: StatusVerdict("timeout", True, Delivery.UNKNOWN),
    499: StatusVerdict("timeout", True, Delivery.UNKNOWN),
    504: StatusVerdict("timeout", True, Delivery.UNKNOWN),
    429: StatusVerdict("throttled", True, Delivery.THROTTLED, "lower concurrency or raise retry_timeout"),
    466: StatusVerdict("quota", False, Delivery.REFUSED, "raise the quota of the plan"),
}


def judge_status(status: int) -> StatusVerdict:
    """Sort an HTTP status that isn't a success by what the caller may do about it."""
    if status in _REFUSALS:
        return _REFUSALS[status]
    if status >= 500:
        return StatusVerdict("unavailable", status not in (501, 505), Delivery.UNKNOWN, "try again later")
    if status >= 400:
        return StatusVerdict("bad_request", False, Delivery.REFUSED)
    return StatusVerdict("bad_answer", False, Delivery.UNKNOWN, "set api_url or endpoint to the API's final address")


class Call:
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
        if self.ca_path is not None and not os.path.exists(self.ca_path):
            raise UsageError(f"ca_path {self.ca_path} doesn't exist")


class Transport:
    """A pool of kept-alive connections to one host, safe to use from several threads."""

    def __init__(self, base_url: str, options: TransportOptions, *, url_option: str = "api_url") -> None:
        self.base_url = check_base_url(base_url, url_option)
        self._url_option = url_option
        self._options = options
        self._session = _new_session(self.base_url, options)
        self._unreachable = False

    def send(self, request: Request, judge: Callable[[Answer], Value], call: Call | None = None) -> Value:
        """Send ``request`` and return what ``judge`` makes of the answer.

        A reading request is repeated while the failure is retryable, a writing one only if it provably never
        arrived or was throttled; both for ``retry_timeout`` seconds at most.

        :raises FleetError: from the transport or from ``judge``, once no retry is left.
        """
        if request.effect is Effect.WRITES and self._options.read_only:
            raise AssertionError(f"check mode must not send a request that writes ({request.what})")
        call = call or Call()
        give_up_at = time.monotonic() + min(self._options.retry_timeout, call.remaining())
        for attempt in itertools.count():
            call.requests += 1
            try:
                return judge(self._exchange(request, call))
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

    def _exchange(self, request: Request, call: Call) -> Answer:
        timeout = max(0.001, min(self._options.timeout, call.remaining()))
        _patience.ends_at = time.monotonic() + _GRACE + max(timeout, min(_LONGEST_ANSWER, call.remaining()))
        body = None if request.body is None else _Body(encode_body(request.body))
        headers = {**_HEADERS, **request.headers}
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = self.base_url + request.path
        if request.query:
            url += "?" + urlencode(request.query)
        try:
            # Not session.request(): merging the session's settings into each request would cost a fifth of it.
            prepared = requests.Request(request.method, url, headers=headers, data=body).prepare()
            with self._session.send(
                prepared,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
                proxies=self._session.proxies,
                verify=self._session.verify,
                cert=None,
            ) as response:
                content = _read(response.raw)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as exc:
            failure = self._explain(exc, request, timeout, sent=body is None or body.touched)
        else:
            self._unreachable = False
            return _answer(request, response.status_code, response.headers, content)
        # Outside of the handler, so that no chained exception carries the URL with the token along.
        raise failure

    def _explain(self, exc: Exception, request: Request, timeout: float, *, sent: bool) -> FleetError:
        chain = list(_chain(exc))
        # A server can't carry out a request whose body it never got.
        delivery = Delivery.UNKNOWN if sent else Delivery.NOT_SENT
        retryable = True
        code: Code = "connection"
        remedy = f"check {self._url_option} and the network"
        tls = _first(chain, ssl.SSLError)
        connecting = isinstance(exc, (requests.ConnectTimeout, requests.exceptions.ProxyError)) or any(
            isinstance(e, (urllib3.exceptions.NewConnectionError, socket.gaierror)) for e in chain
        )
        if connecting:
            delivery = Delivery.NOT_SENT
        in_answer = _first(chain, urllib3.exceptions.InvalidHeader)
        if (isinstance(exc, requests.exceptions.InvalidHeader) and not in_answer) or not isinstance(
            exc, (OSError, urllib3.exceptions.HTTPError)
        ):
            # Some characters are noticed by http.client only, which raises a mere ValueError.
            code, retryable = "bad_request", False
            reason, remedy = "a header has a character that HTTP doesn't allow", f"check {request.credential}"
        elif isinstance(exc, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
            # The API's own address was checked before.
            retryable, delivery = False, Delivery.NOT_SENT
            reason, remedy = "the proxy that the environment names can't be used", "check the proxy variables"
        elif tls is not None and not isinstance(exc, requests.exceptions.ProxyError):
            code, retryable = "tls", False
            reason = "TLS failed: " + (getattr(tls, "verify_message", "") or tls.reason or "the handshake broke off")
            remedy = f"check {self._url_option}, or give the certificate authority in ca_path"
            if isinstance(tls, ssl.SSLCertVerificationError):
                delivery = Delivery.NOT_SENT
        elif isinstance(exc, requests.exceptions.SSLError):
            # Before version 2, urllib3 compares the names by itself.
            code, retryable, delivery = "tls", False, Delivery.NOT_SENT
            reason, remedy = f"TLS failed: the certificate isn't for {self._host}", f"check {self._url_option}"
        elif isinstance(exc, requests.ConnectTimeout):
            code, reason = "timeout", f"no connection to {self._host} within {timeout:g} s"
        elif isinstance(exc, requests.Timeout) or _first(chain, urllib3.exceptions.ReadTimeoutError):
            code, reason, remedy = "timeout", f"no answer from {self._host} within {timeout:g} s", "raise timeout"
        elif isinstance(exc, requests.exceptions.ProxyError):
            reason, remedy = f"the proxy on the way to {self._host} failed", "check the proxy variables"
        elif _first(chain, urllib3.exceptions.DecodeError):
            code, retryable = "bad_answer", False
            reason, remedy = "the answer isn't compressed the way it claims to be", f"check {self._url_option}"
        elif _first(chain, socket.gaierror):
            reason = f"the host name {self._host} can't be resolved"
        elif _first(chain, ConnectionRefusedError):
            reason = f"{self._host} refuses the connection"
        elif connecting:
            reason = f"{self._host} can't be reached"
        else:
            reason = f"the connection to {self._host} broke off before the whole answer was here"
        return FleetError(code, request.failed(reason, remedy, delivery), retryable=retryable, delivery=delivery)

    @property
    def _host(self) -> str:
        return urlsplit(self.base_url).netloc


_transports: dict[tuple[Any, ...], Transport] = {}


def transport_to(base_url: str, options: TransportOptions, *, url_option: str = "api_url") -> Transport:
    """The transport of this process to ``base_url``: the items of a loop share its connections.

    One that was made before a fork, or for another environment, is of no use.

    :raises UsageError: if ``base_url`` isn't a URL that may be used.
    """
    environment = tuple(sorted((k, v) for k, v in os.environ.items() if k.lower() in _RELEVANT_VARIABLES))
    key = (os.getpid(), base_url, options, url_option, environment)
    if key not in _transports:
        _transports[key] = Transport(base_url, options, url_option=url_option)
    return _transports[key]


class _Body(io.BytesIO):
    """A request's body that knows whether anybody has begun to send it.

    It is read after the connection stands and the headers have left, whatever goes wrong before then.
    """

    touched = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.touched = True
        return super().read(size)


_patience = threading.local()


class _Incoming(io.RawIOBase):
    """What comes from a socket, until it is too much or too late.

    A timeout of the socket bounds the gap between two bytes only, and http.client reads a chunk of a negative size
    until the connection ends.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, ends_at: float) -> None:
        self._raw = raw
        self._sock = sock
        self._ends_at = ends_at
        self._room = MAX_ANSWER_BYTES + _MAX_HEADER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        gap = self._sock.gettimeout()
        if gap is None or left < gap:
            self._sock.settimeout(left)
        if self._room <= 0:
            return 0
        count = self._raw.readinto(buffer)
        self._room -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer that is read through ``_Incoming``, until the time in this thread's ``_patience``."""

    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp: Any = io.BufferedReader(_Incoming(self.fp.detach(), sock, _patience.ends_at))


def _with_limits(pool: Any) -> Any:
    """A pool of urllib3's, whose connections read their answers so."""
    if pool.ConnectionCls.response_class is not _Response:
        pool.ConnectionCls = type("_Connection", (pool.ConnectionCls,), {"response_class": _Response})
    return pool


def _read(raw: Any) -> bytes:
    """The body of an answer, unpacked; no more of it than it takes to see that it is too long.

    In small pieces, because urllib3 unpacks all of what it reads at once (before version 2.6).
    """
    packed = raw.headers.get("Content-Encoding", "").lower() in _ENCODINGS
    content = bytearray()
    while len(content) <= MAX_ANSWER_BYTES and (piece := raw.read(_PIECE_BYTES, decode_content=packed)):
        content += piece
    if raw.length_remaining and len(content) <= MAX_ANSWER_BYTES:
        raise urllib3.exceptions.ProtocolError  # urllib3 does so itself since version 2
    return bytes(content)


def encode_body(body: Any) -> bytes:
    """A request's body as it is sent, for those who sign it."""
    return json.dumps(body).encode()


def check_base_url(url: str, option: str) -> str:
    """Return ``url`` without a slash at its end.

    :raises UsageError: if it isn't https (or http to a loopback address), or holds what a base URL mustn't.
    """
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        host.encode("idna")  # fails for a label that is empty or too long
        if parts.port == 0:  # so does reading a port that is no number
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
    if parts.scheme == "http" and not _is_loopback(host):
        raise UsageError(f"{option} must use https: http is allowed to a loopback address only, not to {host}")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def sentence(what: str, reason: str, remedy: str) -> str:
    """One line: what failed, why, and what to do."""
    return f"{what[:1].upper()}{what[1:]} failed: {reason}" + (f"; {remedy}" if remedy else "")


def shorten(text: str, limit: int = 300) -> str:
    """One printable line of ``limit`` characters at most."""
    line = one_line(text)
    return line if len(line) <= limit else line[: limit - 3] + "..."


def _new_session(base_url: str, options: TransportOptions) -> requests.Session:
    # urllib3 logs URLs, in warnings too, and ours hold tokens; without any handler Python prints warnings.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    session = _Session()
    # What requests would look up in the environment for each request is looked up once; a .netrc is left alone,
    # because requests would put its password in the place of our Authorization header.
    session.trust_env = False
    session.proxies = requests.utils.get_environ_proxies(base_url)
    session.verify = _verification(options)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=1, pool_maxsize=options.concurrency)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _verification(options: TransportOptions) -> bool | str:
    if not options.validate_certs:
        # The user has chosen it; a warning for each connection says nothing new.
        warnings.filterwarnings("ignore", category=urllib3.exceptions.InsecureRequestWarning)
        return False
    if options.ca_path:
        return options.ca_path
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(variable):
            if not os.path.exists(path):
                raise UsageError(f"the variable {variable} names {path}, which doesn't exist")
            return path
    return True


def _answer(request: Request, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    media_type = re.sub(r"[^\w.+/-]", "", headers.get("Content-Type", "").split(";")[0]) or "no content type"
    if len(content) > MAX_ANSWER_BYTES:
        description = f"more than {MAX_ANSWER_BYTES // 2**20} MiB"
        return Answer(request, status, headers, None, False, description)
    try:
        body, is_json = _parse(content), True
    except (ValueError, RecursionError):
        body, is_json = None, False
    description = f"no JSON ({media_type}, {len(content)} bytes)" if content else "empty"
    # A short text is what the vendor says, a page isn't.
    is_text = not is_json and len(content) <= 1000 and not content.lstrip().startswith(b"<")
    text = content.decode(errors="replace").strip() if is_text else ""
    return Answer(request, status, headers, body, is_json, description, text)


def _parse(content: bytes) -> Any:
    """The JSON in ``content``: text and numbers that a file, a database and JSON itself can hold.

    :raises ValueError: also for what only Python takes for a number.
    :raises RecursionError: for what nests too deep.
    """
    text = content.decode(json.detect_encoding(content))
    body = _JSON.decode(text)
    if _HALF_CHARACTER.search(text):
        # A pair of halves is a character; a half alone becomes a question mark.
        body = json.loads(json.dumps(body, ensure_ascii=False).encode(errors="replace"))
    return body


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("no number of JSON")
    return value


_JSON = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: RFC 9110 allows a number of seconds or a date."""
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


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """``exc`` and all that requests and urllib3 have wrapped in it."""
    seen: set[int] = set()
    queue: list[Any] = [exc]
    while queue:
        item = queue.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        queue += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]


def _first(chain: list[BaseException], kind: type[BaseException]) -> Any:
    return next((e for e in chain if isinstance(e, kind)), None)


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}
    return names.get(type(value), "an object of another form")
