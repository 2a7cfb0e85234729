# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the paid time of an instance or a phone ends, and how soon that is."""

from __future__ import annotations

import datetime

# The buckets that due dates are counted in: how long after the report's time each of them ends.
_DUE_WITHIN = {
    "within_24h": datetime.timedelta(hours=24),
    "within_7d": datetime.timedelta(days=7),
    "within_30d": datetime.timedelta(days=30),
}
DUE_BUCKETS = ("overdue", *_DUE_WITHIN, "later", "unknown")


def due_bucket(due: datetime.datetime | None, now: datetime.datetime) -> str:
    """The bucket of ``DUE_BUCKETS`` that a due date falls into, seen from ``now``."""
    if due is None:
        return "unknown"
    if due <= now:
        return "overdue"
    return next((bucket for bucket, span in _DUE_WITHIN.items() if due - now <= span), "later")
