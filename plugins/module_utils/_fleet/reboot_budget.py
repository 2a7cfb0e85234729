# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often an instance may be rebooted, counted in the journal over all runs that use the same journal."""

from __future__ import annotations

import contextlib
import uuid

from .._common.errors import Delivery, FleetError
from .._journal.location import storage_at
from .._journal.schema import Transaction
from .._journal.storage import JournalError

_HOUR = 3600.0
# Seconds between two reboots of an instance, so that the first one can take effect:
# https://green-api.com/en/docs/api/recommendations/instance-status-tracking/
SPACING = 120.0


class RebootBudget:
    """At most ``per_hour`` reboots of each instance within an hour, at least ``spacing`` seconds apart."""

    def __init__(self, location: str, per_hour: int, spacing: float = SPACING) -> None:
        self._storage = storage_at(location)
        self._per_hour = per_hour
        self._spacing = spacing

    def check(self, provider: str, instance_id: str) -> None:
        """Check that the instance may be rebooted now, without writing anything.

        :raises FleetError: if it may not, or the journal can't be read.
        """
        with self._storage.reading() as db:
            self._check(db if db and db.has("reboot") else None, provider, instance_id)

    def reserve(self, provider: str, instance_id: str) -> str:
        """Write a reboot to the journal before it is sent, and return the ticket that ``release`` takes.

        :raises FleetError: if the instance may not be rebooted now, or the journal can't be written.
        """
        ticket = uuid.uuid4().hex
        with self._storage.transaction() as db:
            now = db.now()
            # A time more than an hour ahead was written before the clock was set back.
            db.execute(
                f"DELETE FROM {db.prefix}reboot WHERE requested_at <= ? OR requested_at > ?", (now - _HOUR, now + _HOUR)
            )
            self._check(db, provider, instance_id)
            db.execute(
                f"INSERT INTO {db.prefix}reboot (ticket, provider, instance_id, requested_at) VALUES (?, ?, ?, ?)",
                (ticket, provider, instance_id, now),
            )
        return ticket

    def release(self, ticket: str) -> None:
        """Remove the entry of a reboot that provably did not happen."""
        # An entry that can't be removed costs one reboot of the budget, and nothing else.
        with contextlib.suppress(JournalError), self._storage.transaction() as db:
            db.execute(f"DELETE FROM {db.prefix}reboot WHERE ticket = ?", (ticket,))

    def _check(self, db: Transaction | None, provider: str, instance_id: str) -> None:
        ages: list[float] = []
        if db:
            rows = db.execute(
                f"SELECT requested_at FROM {db.prefix}reboot WHERE provider = ? AND instance_id = ?",
                (provider, instance_id),
            )
            now = db.now()
            ages = sorted(max(0.0, now - row[0]) for row in rows if abs(now - row[0]) < _HOUR)
        if len(ages) >= self._per_hour:
            # There is room again when the oldest of the last ``per_hour`` reboots is an hour old.
            left = _HOUR - ages[self._per_hour - 1] if self._per_hour else _HOUR
            raise _denied(
                f"it was rebooted {len(ages)} times within an hour, which is as often as max_reboots_per_hour allows",
                f"the next one may be in {left / 60:.0f} minutes; if it stays as it is, ask the gateway's support",
            )
        if ages and ages[0] < self._spacing:
            raise _denied(
                f"it was rebooted {ages[0]:.0f} s ago", f"give that reboot {self._spacing / 60:.0f} minutes to show"
            )


def _denied(reason: str, remedy: str) -> FleetError:
    return FleetError("throttled", f"{reason}; {remedy}", retryable=True, delivery=Delivery.NOT_SENT)
