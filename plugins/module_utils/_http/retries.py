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
    """Seconds to wait before a retry: each time twice as long, give or take a quarter, so that clients spread out."""

    first: float = 0.5
    first_throttled: float = 1.0
    longest: float = 10.0

    def pause(self, attempt: int, failure: FleetError) -> float:
        """Return the seconds to wait after ``attempt`` (the first is 0) failed; at least what the server asks for."""
        if failure.retry_after is not None:
            return failure.retry_after + random.uniform(0, 0.25)
        first = self.first_throttled if failure.delivery is Delivery.THROTTLED else self.first
        # The exponent is bounded, because 2.0 to the power of a thousand attempts overflows.
        return min(self.longest, first * 2.0 ** min(attempt, 16)) * random.uniform(0.75, 1.25)
