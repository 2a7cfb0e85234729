# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing settings: what may have arrived is sent once, and what is said to be applied was read back."""

from __future__ import annotations

import collections
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .._common import states
from .._common.errors import Delivery, FleetError, outcome_unknown
from .._common.polling import PROGRESS_INTERVAL, ProgressLog, poll
from .._common.texts import join_first
from .._http.transport import RequestBudget
from .._journal.changes import ChangeJournal
from .._journal.storage import JournalError
from .plan import SettingsPolicy, make_plan, part, setting_fingerprint
from .progress import SettingsProgress


@dataclass
class _Lane:
    """Takes one instance after the other from ``queue``; as many restart at once as there are lanes with a queue."""

    queue: collections.deque[SettingsProgress]
    current: SettingsProgress | None = None


class SettingsApplier:
    """Changes the settings of the instances of one task."""

    def __init__(
        self,
        policy: SettingsPolicy,
        journal: ChangeJournal,
        *,
        concurrency: int,
        progress: Callable[[str], None] | None = None,
        progress_interval: float = PROGRESS_INTERVAL,
    ) -> None:
        self._policy = policy
        self._journal = journal
        self._concurrency = concurrency
        self._taking = threading.Lock()
        self._instances: Sequence[SettingsProgress] = ()
        self._log = ProgressLog(progress, self._describe, interval=progress_interval) if progress is not None else None

    def predict(self, instances: Sequence[SettingsProgress]) -> None:
        """Set what a task that isn't in check mode would do. Sends no request that writes."""
        make_plan(instances, self._policy, self._journal, concurrency=self._concurrency)
        for instance in instances:
            if instance.has_work:
                instance.end("would_apply")

    def apply(self, instances: Sequence[SettingsProgress]) -> None:
        """Give each instance its settings. The failure of one doesn't keep the others from theirs."""
        self._instances = instances
        make_plan(instances, self._policy, self._journal, concurrency=self._concurrency)
        planned = [instance for instance in instances if instance.has_work]
        for instance in planned:
            instance.next_at = time.monotonic() + self._policy.pace
        poll(
            self._lanes(planned, instances),
            self._step,
            workers=self._concurrency,
            interval=self._policy.pace,
            progress=self._log,
        )

    def record_created(self, instances: Sequence[SettingsProgress]) -> None:
        """Write to the journal that ``instances`` were created with their settings, for those that can't be read.

        :raises JournalError: if the journal can't be written.
        """
        for instance in instances:
            fingerprints = {part(key): setting_fingerprint(instance, value) for key, value in instance.desired.items()}
            self._journal.request(*instance.identity, fingerprints)
            self._journal.record(*instance.identity, list(fingerprints), done=True)

    def _lanes(self, planned: Sequence[SettingsProgress], instances: Sequence[SettingsProgress]) -> list[_Lane]:
        """As many lanes for the instances that restart as may restart at once, and one for each other instance."""
        restarting = collections.deque(i for i in planned if i.gateway.settings_restart)
        fleet = sum(instance.gateway.settings_restart for instance in instances)
        lanes = min(len(restarting), max(1, self._policy.max_restarting.of(fleet)))
        others = (collections.deque([i]) for i in planned if not i.gateway.settings_restart)
        return [*(_Lane(restarting) for _lane in range(lanes)), *(_Lane(queue) for queue in others)]

    def _step(self, lane: _Lane) -> bool:
        """Take the lane's instance one request further; true if the lane has nothing left to do."""
        while True:
            if lane.current is None:
                lane.current = self._take(lane.queue)
            instance = lane.current
            if instance is None:
                return not lane.queue
            if time.monotonic() < instance.next_at:
                return False
            if not instance.is_over:
                self._advance(instance)
                if instance.is_postponed:
                    # Others needn't wait until it has started.
                    with self._taking:
                        lane.queue.append(instance)
                    lane.current = None
                    continue
            elif self._has_restarted(instance):
                lane.current = None
                continue
            if instance.is_over and not (instance.sent and lane.queue):
                lane.current = None
                continue
            return False

    def _take(self, queue: collections.deque[SettingsProgress]) -> SettingsProgress | None:
        """Take the first instance that is due from a queue that lanes share."""
        now = time.monotonic()
        with self._taking:
            for index, instance in enumerate(queue):
                if now >= instance.next_at:
                    del queue[index]
                    return instance
        return None

    def _advance(self, instance: SettingsProgress) -> None:
        if not set(instance.changes) <= set(instance.sent) and not (instance.doubt or instance.failure):
            self._send(instance)
        elif not self._policy.verify or instance.changes.keys() <= instance.unreadable:
            self._end_unread(instance)
        else:
            self._verify(instance)

    def _send(self, instance: SettingsProgress) -> None:
        """Send its changes, each request once: after a lost answer, the settings show whether it arrived.

        Only what the gateway has refused, because the instance is starting, is sent again.
        """
        gateway, credentials = instance.gateway, instance.target.credentials
        changes = {key: value for key, value in instance.changes.items() if key not in instance.sent}
        for request in gateway.settings_requests(changes, instance.desired):
            try:
                fingerprints = {part(key): setting_fingerprint(instance, value) for key, value in request.items()}
                self._journal.request(*instance.identity, fingerprints)
                gateway.write_settings(credentials, request)
            except FleetError as error:
                if error.delivery is Delivery.UNKNOWN:
                    instance.doubt = error
                    instance.sent += request
                else:
                    self._record(instance, list(request), done=False)
                    if self._postpone(instance, error):
                        return
                    instance.failure = error
                break
            instance.sent += request
        now = time.monotonic()
        instance.next_at = now + self._policy.pace
        instance.budget = RequestBudget(now + self._policy.verify_timeout)
        instance.was_read_back = False
        if instance.sent:
            instance.sent_at = now
        else:
            instance.end("failed", instance.failure)

    def _postpone(self, instance: SettingsProgress, refusal: FleetError) -> bool:
        """Try again later if the gateway refuses changes because the instance is starting, and there is time left."""
        if not (refusal.retryable and refusal.delivery is Delivery.REFUSED):
            return False
        now = time.monotonic()
        instance.take_by = instance.take_by or now + self._policy.verify_timeout
        instance.next_at = now + self._policy.verify_interval
        return now < instance.take_by

    def _verify(self, instance: SettingsProgress) -> None:
        """End it when the gateway shows its settings, or when the time is up."""
        if instance.budget.deadline is None:
            instance.budget = RequestBudget(time.monotonic() + self._policy.verify_timeout)
        reason: FleetError | None = None
        try:
            instance.read()
            instance.was_read_back = True
        except FleetError as error:
            # One that the deadline cuts short says nothing that the last complete reading doesn't.
            is_cut_short = error.code == "timeout" and not instance.budget.remaining()
            reason = None if is_cut_short and instance.was_read_back else error
        missing = instance.missing
        if reason is None and (not missing or (instance.failure and not set(missing) & set(instance.sent))):
            self._record(instance, [key for key in instance.sent if key not in instance.unreadable], done=True)
            self._end_shown(instance)
        elif (reason and not (reason.retryable or reason.transient)) or not instance.budget.remaining():
            self._end_missing(instance, reason)
        elif reason is None and instance.sent_at is None and time.monotonic() >= (instance.resend_at or 0.0):
            # What an earlier task sent would show by now: it was lost, or never sent.
            instance.sent.clear()
        else:
            pause = min(self._policy.verify_interval, instance.budget.remaining())
            instance.next_at = time.monotonic() + pause

    def _end_shown(self, instance: SettingsProgress) -> None:
        """End an instance all of whose settings are shown, as far as the gateway tells them."""
        if instance.failure or set(instance.sent) & instance.unreadable:
            self._end_unread(instance)
        else:
            instance.end("applied")

    def _end_unread(self, instance: SettingsProgress) -> None:
        """End an instance some of whose settings were not read back."""
        if instance.doubt:
            instance.end("unknown", _unknown(instance.doubt))
            return
        self._record(instance, [key for key in instance.sent if key in instance.unreadable], done=True)
        if instance.failure:
            instance.end("failed", _partly(instance.failure, instance.sent))
        else:
            instance.end("unverified")

    def _end_missing(self, instance: SettingsProgress, reason: FleetError | None) -> None:
        """End an instance whose gateway doesn't show its settings."""
        if instance.doubt:
            instance.end("unknown", _unknown(instance.doubt))
        elif instance.failure:
            instance.end("failed", _partly(instance.failure, instance.sent))
        else:
            keys = ", ".join(sorted(instance.sent if reason else instance.missing))
            text = (
                f"{keys} can't be read back: {reason.message}"
                if reason
                else f"the gateway doesn't show {keys} {self._policy.verify_timeout:g} s after it took the change; run "
                "the task again later, and if that doesn't help, reboot the instance before or ask the gateway's "
                "support"
            )
            instance.end("unverified", FleetError("timeout", text, cause="not shown", delivery=Delivery.UNKNOWN))

    def _has_restarted(self, instance: SettingsProgress) -> bool:
        """Whether it has restarted after its change, so that the next one may."""
        with contextlib.suppress(FleetError):
            reading = instance.gateway.read_state(instance.target.credentials, instance.budget)
            instance.next_at = time.monotonic() + self._policy.pace
            return reading.state != states.STARTING or not instance.budget.remaining()
        return True

    def _record(self, instance: SettingsProgress, keys: Sequence[str], *, done: bool) -> None:
        # An entry that stays pending costs a later task one more reading, and nothing else.
        with contextlib.suppress(JournalError):
            self._journal.record(*instance.identity, [part(key) for key in keys], done=done)

    def _describe(self) -> str:
        planned = [i for i in self._instances if i.changes]
        waiting = [i.target.name_or_id for i in planned if (i.sent or i.take_by) and not i.is_over]
        done = sum(i.is_over for i in planned)
        line = f"{done:,} of {len(planned):,} instances have been changed"
        return f"{line}, waiting for {len(waiting):,}: {join_first(waiting, 3)}" if waiting else line


def _unknown(doubt: FleetError) -> FleetError:
    return outcome_unknown(
        f"it is not known whether its settings were changed: {doubt.message}; run the task again", doubt
    )


def _partly(failure: FleetError, sent: Sequence[str]) -> FleetError:
    """The failure of an instance some of whose settings were sent before."""
    return FleetError(
        failure.code,
        f"{', '.join(sent)} changed before: {failure.message}",
        http_status=failure.http_status,
        retryable=failure.retryable,
        delivery=failure.delivery,
        cause=failure.cause,
    )
