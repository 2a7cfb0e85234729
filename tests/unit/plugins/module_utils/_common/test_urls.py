# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""URLs are shown without what may be secret in them."""

from __future__ import annotations

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.urls import secrets_in_url, shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("", ""),
        ("no URL ? at all", "no URL ? at all"),
        ("https://h.example", "https://h.example"),
        ("https://h.example:8443/a/b", "https://h.example:8443/a/b"),
        ("https://h.example/a?", "https://h.example/a"),
        ("https://h.example/a?key=s3cret", "https://h.example/a?***"),
        ("https://h.example/a#s3cret", "https://h.example/a#***"),
        ("https://h.example?s3cret", "https://h.example?***"),
        ("https://user:s3cret@h.example/a", "https://h.example/a"),
        ("https://s3cret@h.example/a?s3cret@b", "https://h.example/a?***"),
        ("https://us@er:s3@cret@h.example/", "https://h.example/"),
        ("HTTPS://user:s3cret@h.example/A?b=s3cret", "HTTPS://h.example/A?***"),
        (" http:/user:s3cret@h.example/\n?s3cret\n", "http:/h.example/\n?***"),
        ("https://[h.example/a?s3cret", "https://[h.example/a?***"),
        ("https://[::1]:8080/a", "https://[::1]:8080/a"),
        ("https://us/s3cret:s3/cret@h.example/a", "https://***@h.example/a"),
        ("https://user:s3cret?s3cret@h.example/a", "https://***"),
        ("https://user:s3cret#s3cret@h.example/a", "https://***"),
    ],
)
def test_scheme_host_and_path_are_shown(url: str, shown: str) -> None:
    assert shown_url(url) == shown
    assert "s3cret" not in shown


def test_what_is_not_shown_is_known_in_whole_and_in_pieces_encoded_and_decoded() -> None:
    found = set(secrets_in_url("https://us%40er:pa%3Ass@h.example/path?key=a%2Fb&token=c=d#end"))
    assert {"us%40er", "us@er", "pa%3Ass", "pa:ss", "a%2Fb", "a/b", "c=d", "end"} <= found
    assert "us%40er:pa%3Ass" in found
    assert "" not in found
    assert not found & {"https", "h.example", "path", "/path"}
    assert list(secrets_in_url("https://h.example/path")) == []
    assert list(secrets_in_url("text")) == []
