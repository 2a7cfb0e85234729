# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request over a kept-alive connection: no redirects, no cookies, no .netrc, and no URL in a log."""

from __future__ import annotations

import logging
import os
import traceback
import warnings
from collections.abc import Mapping
from urllib.parse import urlsplit

from .._version import VERSION
from . import connection
from .certificates import check_authorities
from .connection import Exchange

try:
    import requests
    import requests.utils
    import urllib3
except ImportError:
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

_HEADERS = {
    "User-Agent": f"msgops.fleet/{VERSION} (Ansible collection)",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
}

# Environment variables, in lower case, that ``Session`` depends on.
_SESSION_ENVIRONMENT = frozenset(
    ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")
)


class Session:
    """Kept-alive connections to the host of ``base_url``, safe to use from several threads.

    It reads the environment once. It uses requests' adapter without a ``requests.Session``, which would add what a
    vendor's API must not get: cookies, the password of a .netrc file in place of the Authorization header, and a look
    at where a redirect leads.

    :raises UsageError: if an environment variable names certificates that can't be used.
    """

    def __init__(self, base_url: str, *, connections: int, validate_certs: bool, ca_path: str | None) -> None:
        # urllib3 logs URLs, which hold tokens. Python prints the warnings of a logger that has no handler.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)
        self._proxies = _proxies(base_url)
        self._verify = _verification(base_url, validate_certs, ca_path)
        self._adapter = connection.Adapter(pool_connections=1, pool_maxsize=connections)

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        timeout: float,
        exchange: Exchange,
    ) -> tuple[int, Mapping[str, str], bytearray]:
        """Send one request, and return the status, the headers and the body of the response, cut off if too large.

        It raises what requests, urllib3 and Python raise; ``exchange`` then holds whether the request was sent.
        """
        connection.begin(exchange)
        request = requests.PreparedRequest()
        request.prepare(method=method, url=url, headers={**_HEADERS, **headers}, data=body)
        with self._adapter.send(
            request, stream=True, timeout=timeout, verify=self._verify, proxies=self._proxies
        ) as response:
            status = response.status_code
            return status, response.headers, connection.read_body(response.raw, exchange.size.for_status(status).bytes)


def relevant_environment() -> tuple[tuple[str, str], ...]:
    """Return the environment variables that a session depends on."""
    return tuple(sorted((k, v) for k, v in os.environ.items() if k.lower() in _SESSION_ENVIRONMENT))


def _is_plain(base_url: str) -> bool:
    return urlsplit(base_url).scheme == "http"


def _proxies(base_url: str) -> dict[str, str]:
    if _is_plain(base_url):
        # Only loopback addresses may use http. A proxy would be another machine, and could read the tokens.
        return {}
    return dict(requests.utils.get_environ_proxies(base_url))


def _verification(base_url: str, validate_certs: bool, ca_path: str | None) -> bool | str:
    if _is_plain(base_url):
        # There is no certificate to verify, and reading a bundle of authorities takes longer than a request.
        return True
    if not validate_certs:
        # The user has set validate_certs to false; urllib3 would warn about it for each connection.
        warnings.filterwarnings("ignore", category=urllib3.exceptions.InsecureRequestWarning)
        return False
    if ca_path:
        return ca_path
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(variable):
            check_authorities(path, variable)
            return path
    return True
