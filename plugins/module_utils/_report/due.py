# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the paid time of an instance or a phone ends, and how soon that is."""

from __future__ import annotations

import datetime

# Upper ends of the buckets of due dates, from the report's time on.
_DUE_WITHIN = {
    "within_24h": datetime.timedelta(hours=24),
    "within_7d": datetime.timedelta(days=7),
    "within_30d": datetime.timedelta(days=30),
}
DUE_BUCKETS = ("overdue", *_DUE_WITHIN, "later", "unknown")


def due_bucket(due: datetime.datetime | None, now: datetime.datetime) -> str:
    """Which of ``DUE_BUCKETS`` a due date falls into."""
    if due is None:
        return "unknown"
    if due <= now:
        return "overdue"
    return next((bucket for bucket, span in _DUE_WITHIN.items() if due - now <= span), "later")
