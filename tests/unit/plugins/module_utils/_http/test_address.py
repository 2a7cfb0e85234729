# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation and the canonical form of base URLs."""

from __future__ import annotations

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._http.address import check_base_url


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://api.green-api.com", "https://api.green-api.com"),
        ("https://api.green-api.com/", "https://api.green-api.com"),
        ("https://api.green-api.com//", "https://api.green-api.com"),
        ("https://3100.api.green-api.com/v3", "https://3100.api.green-api.com/v3"),
        ("https://proxy.example.com/a/b/", "https://proxy.example.com/a/b"),
        (" https://api.example.com\n", "https://api.example.com"),
        ("HTTPS://API.example.com:8443", "https://API.example.com:8443"),
        ("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
        ("https://münchen.example", "https://münchen.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://LOCALHOST", "http://LOCALHOST"),
        ("http://gateway.localhost", "http://gateway.localhost"),
    ],
)
def test_an_address_that_may_be_used_loses_only_its_last_slash(url: str, base: str) -> None:
    assert check_base_url(url, "api_url") == base


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://api.green-api.com", "must use https"),
        ("http://10.0.0.1", "must use https"),
        ("http://localhost.example.com", "must use https"),
        ("http://127.0.0.1.example.com", "must use https"),
        ("http://0.0.0.0", "must use https"),
        ("http://[::2]", "must use https"),
        ("http://127.1", "must use https"),
        ("", "begins with https://"),
        ("api.green-api.com", "begins with https://"),
        ("ftp://api.green-api.com", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("https://", "names a host"),
        ("https:///path", "names a host"),
        ("https://:8443", "names a host"),
        ("https://user@api.example.com", "user name or a password"),
        ("https://user:pass@api.example.com", "user name or a password"),
        ("https://:pass@api.example.com", "user name or a password"),
        ("https://api.example.com?token=x", "query or a fragment"),
        ("https://api.example.com#x", "query or a fragment"),
        ("https://api.example.com:port", "isn't a valid URL"),
        ("https://api.example.com:65536", "isn't a valid URL"),
        ("https://[::1", "isn't a valid URL"),
        ("https://api..example.com", "isn't a valid URL"),
        ("https://.example.com", "isn't a valid URL"),
        ("https://*.example.com", "isn't a valid URL"),
        ("https://api example.com", "isn't a valid URL"),
        (f"https://{'a' * 64}.example.com", "isn't a valid URL"),
    ],
)
def test_another_address_is_an_error_that_names_the_option(url: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_base_url(url, "the_option")
    assert caught.value.message.startswith("the_option ")
    assert reason in caught.value.message


@pytest.mark.parametrize("url", ["https://user:pa55word@host", "https://host?token=pa55word", "https://host:pa55word"])
def test_the_error_repeats_nothing_that_may_be_secret(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_base_url(url, "api_url")
    assert "pa55word" not in caught.value.message
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
