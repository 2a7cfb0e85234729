# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The retry rule: whether a failed request is repeated, and after which pause."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .._common.errors import Delivery, FleetError
from .messages import Effect, Request


def may_retry(request: Request, failure: FleetError, *, unreachable: bool) -> bool:
    """Whether to repeat ``request``: a read if its failure is retryable, a write only if it provably had no effect.

    ``unreachable``: whether another request couldn't be sent to the same host until its retries ended.
    """
    if unreachable and failure.delivery is Delivery.NOT_SENT:
        # Fail fast: another request has already spent its retries on this unreachable host.
        return False
    if request.effect is Effect.WRITES and failure.delivery is Delivery.THROTTLED:
        return True
    return failure.retryable and (request.effect is Effect.READS or failure.delivery is Delivery.NOT_SENT)


@dataclass(frozen=True)
class Backoff:
    """Seconds to wait before a retry: each time twice as long, and up to a quarter more, so that clients spread out.

    A server can ask for longer pauses, but not for shorter ones: GREEN-API allows one request a second per instance.
    """

    first: float = 1.0
    longest: float = 10.0

    def grown(self, attempt: int) -> float:
        """Return the shortest pause after ``attempt`` (the first is 0) failed."""
        # The exponent is bounded, because 2.0 to the power of a thousand attempts overflows.
        return min(self.longest, self.first * 2.0 ** min(attempt, 16))

    def pause(self, attempt: int, failure: FleetError) -> float:
        """Return the seconds to wait after ``attempt`` failed."""
        grown = self.grown(attempt)
        return max(grown, failure.retry_after or 0.0) + grown * random.uniform(0, 0.25)
