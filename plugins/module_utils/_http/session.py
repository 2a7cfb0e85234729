# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session of requests that does what it is told, and nothing that it was not told."""

from __future__ import annotations

import logging
import os
import traceback
import warnings
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

from .._version import VERSION
from .certificates import check_authorities
from .connection import Exchange, begin, read, watch

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
        """An adapter with connections of ours."""

        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **options)
            watch(self.poolmanager)

        def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
            return watch(super().proxy_manager_for(*arguments, **options))


_HEADERS = {
    "User-Agent": f"msgops.fleet/{VERSION} (Ansible collection)",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
}

# What a session is made from, beside the options.
_SESSION_ENVIRONMENT = frozenset(
    ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")
)


class Session:
    """Kept-alive connections to the host of ``base_url``, safe to use from several threads.

    :raises UsageError: if a variable of the environment names certificates that can't be used.
    """

    def __init__(self, base_url: str, *, connections: int, validate_certs: bool, ca_path: str | None) -> None:
        # urllib3 logs URLs, in warnings too, and ours hold tokens; without any handler Python prints warnings.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)
        self._session = _Session()
        # What requests would look up in the environment for each request is looked up once; a .netrc is left alone,
        # because requests would put its password in the place of our Authorization header.
        self._session.trust_env = False
        self._session.proxies = _proxies(base_url)
        self._session.verify = _verification(validate_certs, ca_path)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _Adapter(pool_connections=1, pool_maxsize=connections)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        timeout: float,
        exchange: Exchange,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request once; the status, the headers and the body that answer it.

        Raises whatever requests, urllib3 and Python do; ``exchange`` knows then whether anything was sent.
        """
        begin(exchange)
        # Not session.request(): merging the session's settings into each request would cost a fifth of it.
        prepared = requests.PreparedRequest()
        prepared.prepare(method=method, url=url, headers={**_HEADERS, **headers}, data=body)
        with self._session.send(
            prepared,
            timeout=timeout,
            allow_redirects=False,
            stream=True,
            proxies=self._session.proxies,
            verify=self._session.verify,
            cert=None,
        ) as response:
            return response.status_code, response.headers, read(response.raw)


def relevant_environment() -> tuple[tuple[str, str], ...]:
    """The variables that a session is made from."""
    return tuple(sorted((k, v) for k, v in os.environ.items() if k.lower() in _SESSION_ENVIRONMENT))


def _proxies(base_url: str) -> dict[str, str]:
    if urlsplit(base_url).scheme == "http":
        # It is for this machine alone: a proxy would read the tokens.
        return {}
    return dict(requests.utils.get_environ_proxies(base_url))


def _verification(validate_certs: bool, ca_path: str | None) -> bool | str:
    if not validate_certs:
        # The user has chosen it; a warning for each connection says nothing new.
        warnings.filterwarnings("ignore", category=urllib3.exceptions.InsecureRequestWarning)
        return False
    if ca_path:
        return ca_path
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(variable):
            check_authorities(path, variable)
            return path
    return True
