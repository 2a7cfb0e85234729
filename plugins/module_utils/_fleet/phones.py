# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the status of many cloud phones in few requests, and waiting until they are where they should be."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._common.errors import FleetError, UsageError, failed, failure_result
from .._common.polling import check_waiting, poll, progress_line
from .._common.texts import sentence
from .._http.transport import RequestBudget
from .._vendors.koophone import MISSING, OTHER, STATUS_NAMES, Koophone, is_caused_by_one_id


@dataclass(frozen=True)
class Phone:
    """A phone's status as the vendor gave it, or why there is none."""

    instance_id: str
    status: int | None = None
    is_missing: bool = False
    error: FleetError | None = None

    @property
    def status_name(self) -> str | None:
        """The name of the status, ``None`` if the phone could not be read."""
        if self.is_missing:
            return MISSING
        return None if self.status is None else STATUS_NAMES.get(self.status, OTHER)

    def as_result(self) -> dict[str, Any]:
        """The phone as the module returns it."""
        return {
            "instance_id": self.instance_id,
            "status": self.status,
            "status_name": self.status_name,
            "error": self.error.as_item_error() if self.error else None,
        }


@dataclass
class _Batch:
    """Phones that are asked for in one request."""

    instance_ids: list[str]
    budget: RequestBudget = field(default_factory=RequestBudget)


@dataclass(frozen=True)
class PhonesQuery:
    """Which phones to read, each ID once, and what to wait for; times in seconds."""

    instance_ids: Sequence[str]
    batch_size: int = 32
    wait_for: Collection[str] = ()
    wait_timeout: float = 300.0
    wait_interval: float = 5.0

    def __post_init__(self) -> None:
        check_waiting(self.wait_timeout, self.wait_interval)
        if not all(instance_id.strip() for instance_id in self.instance_ids):
            raise UsageError("instance_ids holds an empty ID")
        if not 1 <= self.batch_size <= 100:
            raise UsageError("batch_size must be between 1 and 100")


def read_phones(
    koophone: Koophone,
    query: PhonesQuery,
    *,
    concurrency: int,
    progress: Callable[[str], None] | None = None,
) -> tuple[list[Phone], int]:
    """The last seen status of each phone, in the order asked, and the number of requests sent.

    With ``wait_for``, those that aren't in one of these statuses yet are asked for again until time is up.
    """
    # Without time to wait, each is read once, and that decides.
    deadline = time.monotonic() + query.wait_timeout if query.wait_for and query.wait_timeout else None
    ids, size = list(query.instance_ids), query.batch_size
    phones: dict[str, Phone | None] = dict.fromkeys(ids)
    batches = [_Batch(ids[start : start + size], RequestBudget(deadline)) for start in range(0, len(ids), size)]

    def step(batch: _Batch) -> bool:
        for phone in _read_batch(koophone, batch.instance_ids, batch.budget):
            known = phones[phone.instance_id]
            if phone.error is None or known is None or batch.budget.remaining() > 0:
                phones[phone.instance_id] = phone
        if deadline is not None:
            batch.instance_ids = [i for i in batch.instance_ids if not _is_over(phones[i], query.wait_for)]
        return deadline is None or not batch.instance_ids

    def tell() -> None:
        if progress:
            progress(_progress_text(phones, query))

    poll(
        batches,
        step,
        workers=concurrency,
        interval=query.wait_interval,
        deadline=deadline,
        progress=tell if progress else None,
    )
    seen = [phone or _unseen(instance_id) for instance_id, phone in phones.items()]
    return seen, sum(batch.budget.requests for batch in batches)


def _progress_text(phones: Mapping[str, Phone | None], query: PhonesQuery) -> str:
    done = f"{sum(phone is not None for phone in phones.values())} of {len(phones)} phones read"
    laggards = [instance_id for instance_id, phone in phones.items() if not _is_over(phone, query.wait_for)]
    return progress_line(done, query.wait_for, laggards, len(phones))


def summarize(phones: Sequence[Phone]) -> dict[str, Any]:
    """How many have which status."""
    by_status = collections.Counter(p.status_name for p in phones if p.status_name is not None)
    return {
        "total": len(phones),
        "by_status": dict(sorted(by_status.items())),
        "missing": by_status[MISSING],
        "unreadable": sum(p.error is not None for p in phones),
    }


def report(phones: Sequence[Phone], query: PhonesQuery, *, fail_on_error: bool) -> dict[str, Any]:
    """The module's result; it fails where a phone could not be read or isn't where the task waits for it."""
    result: dict[str, Any] = {
        "changed": False,
        "phones": [phone.as_result() for phone in phones],
        "missing": [phone.instance_id for phone in phones if phone.is_missing],
        "summary": summarize(phones),
    }
    unreadable = [(phone.instance_id, phone.error) for phone in phones if phone.error]
    laggards = [phone for phone in phones if query.wait_for and not _is_over(phone, query.wait_for)]
    if laggards:
        named = ", ".join(f"{phone.instance_id} is {phone.status_name or 'unreadable'}" for phone in laggards)
        return result | failed(
            f"{len(laggards)} of {len(phones)} phones did not become {' or '.join(query.wait_for)} "
            f"within {query.wait_timeout:g} s: {named}"
        )
    if unreadable and fail_on_error:
        return result | failure_result("phones", "read", unreadable)
    return result


def _is_over(phone: Phone | None, wait_for: Collection[str]) -> bool:
    if phone is None:
        return False
    return phone.status_name in wait_for or (phone.error is not None and not phone.error.retryable)


def _read_batch(koophone: Koophone, instance_ids: list[str], budget: RequestBudget) -> list[Phone]:
    try:
        statuses = koophone.read_statuses(instance_ids, budget)
    except FleetError as error:
        if len(instance_ids) > 1 and is_caused_by_one_id(error.vendor_code):
            middle = len(instance_ids) // 2
            return [
                *_read_batch(koophone, instance_ids[:middle], budget),
                *_read_batch(koophone, instance_ids[middle:], budget),
            ]
        return [Phone(instance_id, error=error) for instance_id in instance_ids]
    return [_phone(instance_id, statuses) for instance_id in instance_ids]


def _phone(instance_id: str, statuses: dict[str, int | None]) -> Phone:
    if instance_id not in statuses:
        return Phone(instance_id, is_missing=True)
    status = statuses[instance_id]
    if status is None:
        what = f"reading the status of phone {instance_id} at KooPhone"
        return Phone(instance_id, error=FleetError("bad_answer", sentence(what, "its status is no number", "")))
    return Phone(instance_id, status)


def _unseen(instance_id: str) -> Phone:
    what = f"reading the status of phone {instance_id} at KooPhone"
    error = FleetError("timeout", sentence(what, "no answer within wait_timeout", "raise it"), retryable=True)
    return Phone(instance_id, error=error)
