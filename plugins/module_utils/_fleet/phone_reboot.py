# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rebooting cloud phones in batches: each at most once in a task, within a budget, until it runs again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .._common.errors import Delivery, FleetError
from .._common.limits import Limit
from .._common.phone_states import MISSING, RUNNING
from .._common.polling import ProgressLog, poll
from .._vendors.koophone import Koophone
from .._vendors.koophone_responses import ListedPhone, is_caused_by_one_id
from .outcome import ItemOutcome, report, within
from .reboot import unknown_reboot
from .reboot_budget import RebootBudget
from .watching import WaitPolicy

Action = Literal["rebooted", "skipped", "would_reboot", "over_budget", "failed", "unknown"]

# The name of KooPhone in the journal.
PROVIDER = "koophone"
# https://support.huaweicloud.com/api-koophone/BatchRebootInstance.html
BATCH = 100


@dataclass(kw_only=True)
class PhoneReboot(ItemOutcome[Action]):
    """One phone; ``before`` and ``now`` are the first and the last reading.

    ``ticket`` is its place in the budget, ``sent_at`` a time of ``time.monotonic()``. ``doubt`` is the error that
    leaves open whether the reboot arrived, ``has_left`` tells whether the phone was seen not running since.
    """

    instance_id: str
    before: ListedPhone | None
    now: ListedPhone | None
    action: Action = "skipped"
    ticket: str = ""
    sent_at: float | None = None
    doubt: FleetError | None = None
    has_left: bool = False

    @property
    def label(self) -> str:
        return self.instance_id

    @property
    def status_name(self) -> str | None:
        """The name of its last status."""
        return self.now.status_name if self.now else MISSING

    @property
    def before_name(self) -> str | None:
        """The name of its first status."""
        return self.before.status_name if self.before else MISSING

    def as_result(self) -> dict[str, Any]:
        """The phone as the module returns it."""
        reading = {
            "instance_id": self.instance_id,
            "name": self.before.name if self.before else None,
            "before": self.before_name,
            "status": self.now.status if self.now else None,
            "status_name": self.status_name,
        }
        return {**reading, **super().as_result()}


@dataclass
class PhoneRebooter:
    """Reboots the phones of one task."""

    koophone: Koophone
    budget: RebootBudget
    waiting: WaitPolicy
    max_changes: Limit | None
    concurrency: int
    progress: Callable[[str], None] | None = None
    phones: list[PhoneReboot] = field(default_factory=list)

    def predict(self, instance_ids: Sequence[str]) -> dict[str, Any]:
        """The module's result in check mode.

        :raises FleetError: if the phones can't be listed.
        """
        for phone in self._plan(instance_ids):
            phone.end("would_reboot")
        return self._report()

    def reboot(self, instance_ids: Sequence[str]) -> dict[str, Any]:
        """The module's result. A phone that can't be rebooted doesn't keep the others from it.

        :raises FleetError: if the phones can't be listed; nothing was sent.
        """
        due = self._plan(instance_ids)
        reserved = [phone for phone in due if self._reserve(phone)]
        batches = [reserved[start : start + BATCH] for start in range(0, len(reserved), BATCH)]
        poll(batches, self._send, workers=self.concurrency)
        waiting = [phone for phone in self.phones if phone.sent_at is not None]
        if self.waiting.timeout and waiting:
            log = ProgressLog(self.progress, self._describe) if self.progress else None
            poll([waiting], self._watch_all, workers=1, interval=self.waiting.interval, progress=log)
        for phone in waiting:
            if not phone.is_over:
                phone.end("unknown" if phone.doubt else "rebooted", phone.doubt and unknown_reboot(phone.doubt))
        return self._report()

    def _plan(self, instance_ids: Sequence[str]) -> Sequence[PhoneReboot]:
        """Read all phones, and return those that are to be rebooted."""
        listed = self._list()
        self.phones = [
            PhoneReboot(instance_id=one, before=listed.get(one), now=listed.get(one))
            for one in dict.fromkeys(instance_ids)
        ]
        return within([phone for phone in self.phones if self._is_due(phone)], self.max_changes, len(self.phones))

    def _is_due(self, phone: PhoneReboot) -> bool:
        if phone.before is None:
            text = "the tenant's listing doesn't have it; check its ID and the tenant"
            phone.end("failed", FleetError("not_found", text, delivery=Delivery.NOT_SENT, cause="missing"))
        elif phone.before.status is None:
            text = "the listing doesn't tell whether it is running"
            phone.end("failed", FleetError("bad_answer", text, delivery=Delivery.NOT_SENT))
        elif phone.status_name != RUNNING:
            phone.end("skipped")
        else:
            try:
                self.budget.check(PROVIDER, phone.instance_id)
            except FleetError as error:
                phone.end(_denied(error), error)
        return not phone.is_over

    def _list(self) -> dict[str, ListedPhone]:
        return {one.id: one for one in self.koophone.list_phones(concurrency=self.concurrency)}

    def _reserve(self, phone: PhoneReboot) -> bool:
        try:
            phone.ticket = self.budget.reserve(PROVIDER, phone.instance_id)
        except FleetError as error:
            phone.end(_denied(error), error)
            return False
        return True

    def _send(self, batch: Sequence[PhoneReboot]) -> bool:
        """Send a batch, once. One that was refused because of a phone is halved: no phone of it was rebooted."""
        try:
            self.koophone.reboot([phone.instance_id for phone in batch])
        except FleetError as error:
            if error.delivery is not Delivery.UNKNOWN:
                if len(batch) > 1 and is_caused_by_one_id(error.vendor_code):
                    middle = len(batch) // 2
                    return self._send(batch[:middle]) and self._send(batch[middle:])
                for phone in batch:
                    self.budget.release(phone.ticket)
                    phone.end("failed", error)
                return True
            for phone in batch:
                phone.doubt = error
        for phone in batch:
            phone.sent_at = time.monotonic()
        return True

    def _watch_all(self, waiting: Sequence[PhoneReboot]) -> bool:
        """Read the phones again; true if all have ended."""
        failure: FleetError | None = None
        try:
            listed = self._list()
        except FleetError as error:
            failure = error
        for phone in waiting:
            if phone.is_over or phone.sent_at is None:
                continue
            if failure is None:
                phone.now = listed.get(phone.instance_id)
                is_running = phone.status_name == RUNNING
                if is_running and phone.has_left:
                    phone.end("rebooted")
                    continue
                phone.has_left = phone.has_left or not is_running
            if time.monotonic() >= phone.sent_at + self.waiting.timeout:
                self._end_overdue(phone, failure)
        return all(phone.is_over for phone in waiting)

    def _end_overdue(self, phone: PhoneReboot, failure: FleetError | None) -> None:
        waited = f"{self.waiting.timeout:g} s after its reboot"
        if phone.doubt and not phone.has_left:
            phone.end("unknown", unknown_reboot(phone.doubt))
        elif failure:
            phone.end("rebooted", FleetError("timeout", f"it can't be read {waited}: {failure.message}"))
        elif phone.has_left:
            text = f"it is still {phone.status_name} {waited}; look at it in the KooPhone console"
            phone.end("rebooted", FleetError("timeout", text, cause=phone.status_name))
        else:
            text = (
                f"KooPhone has taken the reboot, but each reading of {self.waiting.timeout:g} s shows it running; "
                "lower wait_interval if reboots are quick, or look at it in the KooPhone console"
            )
            phone.end("rebooted", FleetError("timeout", text, cause="not seen to restart"))

    def _describe(self) -> str:
        sent = [phone for phone in self.phones if phone.sent_at is not None]
        return f"{sum(phone.is_over for phone in sent):,} of {len(sent):,} phones run again"

    def _report(self) -> dict[str, Any]:
        after = ["rebooting" if phone.action == "would_reboot" else phone.status_name for phone in self.phones]
        return report(
            self.phones,
            kind="phones",
            changed=any(phone.sent_at is not None or phone.action == "would_reboot" for phone in self.phones),
            before="".join(phone.line(phone.before_name) for phone in self.phones),
            after="".join(phone.line(name) for phone, name in zip(self.phones, after, strict=True)),
            done="rebooted",
        )


def _denied(error: FleetError) -> Action:
    """The action of a phone that the budget doesn't let reboot; the journal may also be unusable."""
    return "over_budget" if error.code == "throttled" else "failed"
