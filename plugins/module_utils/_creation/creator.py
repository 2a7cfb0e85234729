# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending creations, each at most once, and keeping what each has brought.

Whatever this machine runs out of meanwhile, what was sent stays in the results: an exception of one creation would lose
the tokens of all others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .._common.errors import Delivery, FleetError, UsageError, unexpected
from .._common.polling import ProgressLog, poll
from .._common.resources import OUT_OF_MEMORY, memory_held
from .._common.timestamps import utc_now
from .._journal.entries import begun_entry, hash_payload
from .._journal.journal import Lease
from .._journal.storage import JournalError
from .desired import DesiredInstance
from .plan import Plan
from .result import Result, result_from_plan
from .token_delivery import CreationDelivery


@dataclass(frozen=True)
class Creator:
    """Creates what plans say, ``concurrency`` instances at once."""

    delivery: CreationDelivery
    lease: Lease
    concurrency: int
    progress: Callable[[str], None] | None = None

    def create(self, plans: Sequence[Plan]) -> list[Result]:
        """The results of all plans, in their order.

        :raises UsageError: if there is no memory for what comes after the creations; nothing was created.
        """
        results = {plan.desired: result_from_plan(plan) for plan in plans}
        wanted = [plan for plan in plans if plan.action == "would_create"]
        # What is true of a creation that can't even say why it failed. It is made now, because it needs memory.
        failure = UsageError(f"it isn't created: {OUT_OF_MEMORY}")
        results |= {plan.desired: result_from_plan(plan.failed(failure)) for plan in wanted}
        answered: list[Plan] = []
        broken: list[str | None] = [None]

        def create(plan: Plan) -> bool:
            if why := broken[0]:
                results[plan.desired] = result_from_plan(plan.failed(UsageError(f"it isn't created: {why}")))
                return True
            try:
                for result in self._create(plan):
                    results[plan.desired] = result
            except MemoryError:
                broken[0] = OUT_OF_MEMORY
            except Exception as exc:
                broken[0] = what = unexpected(exc)
                results[plan.desired] = _after(what, results[plan.desired])
            answered.append(plan)
            return True

        def describe() -> str:
            return f"{len(answered):,} of {len(wanted):,} creations answered"

        with _memory_for_the_end() if wanted else contextlib.nullcontext():
            progress = ProgressLog(self.progress, describe) if self.progress else None
            # What was sent until then is in the results.
            with contextlib.suppress(MemoryError):
                poll(wanted, create, workers=self.concurrency, progress=progress)
        return list(results.values())

    def _create(self, plan: Plan) -> Iterator[Result]:
        """What is true of the creation after each step. If a step fails without a result, the last one stays true."""
        desired, result = plan.desired, result_from_plan(plan)
        if failure := self.delivery.failure():
            yield result.failed(failure)
            return
        entry = begun_entry(desired.account, desired.name, hash_payload(desired.payload), plan.entry)
        unread = FleetError(
            "connection",
            f"creating {desired}: its answer could not be read: {OUT_OF_MEMORY}",
            delivery=Delivery.UNKNOWN,
        )
        sent = replace(result, action="unknown", error=unread, posted=True, entry=entry)
        try:
            self.lease.begin(entry, instead_of=plan.entry)
        except JournalError as error:
            yield result.failed(not_begun(error, desired))
            return
        yield sent
        try:
            instance = desired.gateway.create_instance(desired.payload)
        except FleetError as error:
            yield replace(sent, action="unknown" if error.delivery is Delivery.UNKNOWN else "failed", error=error)
            return
        entry = replace(entry, status="created", instance_id=instance.id, updated_at=utc_now())
        created = replace(sent, action="created", instance=instance, error=None, entry=entry)
        yield created
        # Write both immediately: this process may be killed, and the vendor may never show the token again. The end of
        # the run tries again what fails here, and reports it.
        with contextlib.suppress(JournalError, MemoryError):
            self.lease.record([entry])
        self.delivery.write_at_once(created)


def not_begun(error: JournalError, desired: DesiredInstance) -> JournalError:
    """The error of an instance whose creation the journal can't take."""
    return error.with_consequence(f"{desired} isn't created without it")


def _after(what: str, result: Result) -> Result:
    """The result after an exception that is a defect of the collection."""
    delivery = Delivery.UNKNOWN if result.posted else Delivery.NOT_SENT
    error = FleetError("vendor", what, delivery=delivery)
    return result if result.instance else replace(result, error=error)


@contextlib.contextmanager
def _memory_for_the_end() -> Iterator[None]:
    """Hold memory in the block, for what is to be written after it.

    :raises UsageError: if there isn't as much.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(memory_held())
        except MemoryError:
            raise UsageError(f"nothing is created: {OUT_OF_MEMORY}") from None
        yield
