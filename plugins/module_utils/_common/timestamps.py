# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as text: ISO 8601 in UTC, to the second, such as ``2026-01-31T12:00:00Z``."""

from __future__ import annotations

import datetime
import sys


def format_time(moment: datetime.datetime) -> str:
    """Return a time, which must have a zone, as text in UTC."""
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime.datetime:
    """Parse a time in ISO 8601; one without a zone is in UTC.

    :raises ValueError: if it is no such time.
    """
    # Before Python 3.11, fromisoformat doesn't know Z.
    moment = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


def utc_now() -> str:
    """Return the current time as text."""
    # Interned, because a large fleet's results hold the same second many times.
    return sys.intern(format_time(datetime.datetime.now(datetime.timezone.utc)))


def seconds_since(text: str) -> float:
    """Return how many seconds ago a time was.

    :raises ValueError: as ``parse_time`` does.
    """
    return (datetime.datetime.now(datetime.timezone.utc) - parse_time(text)).total_seconds()
