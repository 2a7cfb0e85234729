# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How requests to KooPhone authenticate: by a given token, by a token from IAM, or signed with an access key."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from .._common.errors import FleetError
from .._common.timestamps import parse_time
from .._http.messages import Effect, Request, Response
from .._http.sizes import KIB, Size
from .._http.transport import Transport
from .koophone_responses import error_text


class Authentication(Protocol):
    """A way to authenticate. ``credential`` names its options, for the message about a refusal."""

    credential: ClassVar[str]

    def headers_for(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The headers that authenticate this one request.

        :raises FleetError: if IAM doesn't issue a token.
        """

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values to mask wherever a response repeats them."""


@dataclass(frozen=True)
class GivenToken:
    """A token that the user got from IAM. It lives for 24 hours and isn't renewed."""

    credential: ClassVar[str] = "auth_token"

    token: str = field(repr=False)

    def headers_for(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        return {"X-Auth-Token": self.token}

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.token,)


class IamUser:
    """Gets a project's token from IAM before the first request, and a new one before it expires.

    https://support.huaweicloud.com/api-iam/iam_30_0001.html ; a token lives for 24 hours.
    """

    credential: ClassVar[str] = "iam_user, iam_password, iam_domain and project_name"

    # Renew a token this long before its end, so that it doesn't expire between here and KooPhone.
    _AHEAD = datetime.timedelta(minutes=5)
    # The response holds the roles of the user, some hundreds.
    _SIZE = Size(256 * KIB, 10_000)
    # After IAM has failed, fail for this many seconds without asking it again.
    _FAILURE_MEMORY = 5.0

    def __init__(self, transport: Transport, user: str, password: str, domain: str, project: str) -> None:
        self._transport = transport
        self._user = user
        self._password = password
        self._domain = domain
        self._project = project
        self._mutex = threading.Lock()
        self._token = ""
        self._failure: FleetError | None = None
        self._failed_at = 0.0
        self._expires_at = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)

    def headers_for(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        with self._mutex:
            if datetime.datetime.now(datetime.timezone.utc) + self._AHEAD >= self._expires_at:
                self._renew()
            return {"X-Auth-Token": self._token}

    def _renew(self) -> None:
        # Fail fast: threads that waited for the lock don't repeat the failed request, with its retries, one by one.
        if self._failure and time.monotonic() - self._failed_at < self._FAILURE_MEMORY:
            raise self._failure
        try:
            self._token, self._expires_at = self._transport.send(self._request(), _parse_token)
        except FleetError as error:
            self._failure, self._failed_at = error, time.monotonic()
            raise

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(secret for secret in (self._token, self._password) if secret)

    def _request(self) -> Request:
        user = {"name": self._user, "password": self._password, "domain": {"name": self._domain}}
        return Request(
            "POST",
            "/v3/auth/tokens",
            what=f"asking Huawei Cloud IAM for a token of user {self._user}",
            effect=Effect.READS,  # may be repeated: an unused token has no effect
            credential=self.credential,
            secrets=(self._password,),
            query={"nocatalog": "true"},
            size=self._SIZE,
            body={
                "auth": {
                    "identity": {"methods": ["password"], "password": {"user": user}},
                    "scope": {"project": {"name": self._project}},
                }
            },
        )


@dataclass(frozen=True)
class AccessKey:
    """Signs each request with SDK-HMAC-SHA256, as huaweicloud-sdk-python-v3's signer does."""

    credential: ClassVar[str] = "access_key and secret_key"

    key: str
    secret: str = field(repr=False)

    def headers_for(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        signed = {"Host": urlsplit(url).netloc, "X-Sdk-Date": date}
        return {**signed, "Authorization": self.authorization(method, url, signed, body)}

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.secret,)

    def authorization(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
        """The Authorization header over ``headers``, of which X-Sdk-Date must be one."""
        lower = {name.lower(): value.strip() for name, value in headers.items()}
        names = ";".join(sorted(lower))
        parts = urlsplit(url)
        path = "/".join(quote(unquote(segment), safe="~") for segment in parts.path.split("/"))
        query = sorted(parse_qsl(parts.query, keep_blank_values=True))
        canonical = "\n".join(
            (
                method.upper(),
                path if path.endswith("/") else path + "/",
                "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in query),
                "".join(f"{name}:{lower[name]}\n" for name in sorted(lower)),
                names,
                hashlib.sha256(body).hexdigest(),
            )
        )
        to_sign = "\n".join(("SDK-HMAC-SHA256", lower["x-sdk-date"], hashlib.sha256(canonical.encode()).hexdigest()))
        signature = hmac.new(self.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
        return f"SDK-HMAC-SHA256 Access={self.key}, SignedHeaders={names}, Signature={signature}"


def _parse_token(response: Response) -> tuple[str, datetime.datetime]:
    body = response.body
    if not response.ok:
        raise response.error_for_status(response.status, error_text(body))
    token = response.headers.get("X-Subject-Token", "")
    details = body.get("token") if isinstance(body, dict) else None
    expires_at = details.get("expires_at") if isinstance(details, dict) else None
    if token and isinstance(expires_at, str):
        try:
            return token, parse_time(expires_at)
        except ValueError:
            pass
    raise response.malformed("a token with expires_at, and the header X-Subject-Token,")
