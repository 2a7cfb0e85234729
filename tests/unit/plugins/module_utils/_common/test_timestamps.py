# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as text."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.timestamps import (
    format_time,
    parse_time,
    seconds_since,
    utc_now,
)


def test_now_is_in_utc_to_the_second() -> None:
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    now = datetime.datetime.strptime(utc_now(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    assert before <= now <= datetime.datetime.now(datetime.timezone.utc)


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-31T20:59:59Z",
        "2026-12-31T20:59:59",
        " 2026-12-31 20:59:59.123456 ",
        "2026-12-31T23:59:59+03:00",
    ],
)
def test_a_time_is_parsed_and_formatted_in_utc(text: str) -> None:
    assert format_time(parse_time(text)) == "2026-12-31T20:59:59Z"


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "1700000000000"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


def test_the_age_of_a_time_is_in_seconds() -> None:
    an_hour_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    assert 3600 <= seconds_since(format_time(an_hour_ago)) < 3660
