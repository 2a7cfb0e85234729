# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of PlugzAPI for whether an instance is paid for.

The vendor documents none of the exact words. https://developer.z-api.io/en/partner/delete-instance speaks of them in
prose, and https://developer.z-api.io/en/instance/me has ``ACTIVE`` in its example.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

Payment = Literal["trial", "paid", "pending", "pending_bank_slip", "payment_retry", "in_cancellation", "canceled"]

# The payments of instances for which the gateway asks for money, now or later.
SUBSCRIBED: frozenset[Payment] = frozenset(("paid", "pending", "pending_bank_slip", "payment_retry"))
# Those of instances that somebody has ended.
CANCELLED: frozenset[Payment] = frozenset(("in_cancellation", "canceled"))
# Those of instances for which there is nothing to cancel.
UNSUBSCRIBED: frozenset[Payment] = CANCELLED | {"trial"}

_WORDS: dict[str, Payment] = {word: word for word in get_args(Payment)}
_WORDS |= {"active": "paid", "cancelled": "canceled"}


def payment_in(word: str | None) -> Payment | None:
    """What the vendor's word means; ``None`` if it is unknown. Words are compared without case."""
    return _WORDS.get(re.sub(r"[\s_-]+", "_", (word or "").strip().lower()))
