# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the status of many cloud phones in few requests, and waiting until each has one that the task waits for."""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .._common.errors import FleetError, UsageError, failed, failure_result
from .._common.phone_states import MISSING, status_name
from .._common.texts import sentence
from .._http.transport import RequestBudget
from .._vendors.koophone import Koophone
from .._vendors.koophone_responses import is_caused_by_one_id
from .watching import READ_ONCE, Returned, WaitPolicy, watch


@dataclass(frozen=True)
class Phone:
    """A phone's status as the vendor gave it, or why there is none."""

    instance_id: str
    status: int | None = None
    is_missing: bool = False
    error: FleetError | None = None

    @property
    def state(self) -> str | None:
        """The name of the status, ``None`` if the phone could not be read."""
        if self.is_missing:
            return MISSING
        return None if self.status is None else status_name(self.status)

    @property
    def is_final(self) -> bool:
        """Whether it could not be read, and reading it again would fail in the same way."""
        return self.error is not None and not self.error.retryable

    def as_result(self) -> dict[str, Any]:
        """The phone as the module returns it."""
        return {
            "instance_id": self.instance_id,
            "status": self.status,
            "status_name": self.state,
            "error": self.error.as_item_error() if self.error else None,
        }


@dataclass(frozen=True)
class PhonesQuery:
    """Which phones to read, each ID once, how many of them with one request, and what to wait for."""

    instance_ids: Sequence[str]
    batch_size: int = 32
    waiting: WaitPolicy = READ_ONCE

    def __post_init__(self) -> None:
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
    """The last status of each phone that was read, in the order asked, and the number of requests sent."""
    phones, requests = watch(
        query.instance_ids,
        lambda batch, budget: _read_batch(koophone, batch, budget),
        query.waiting,
        kind="phones",
        label=str,
        concurrency=concurrency,
        batch_size=query.batch_size,
        progress=progress,
    )
    pairs = zip(query.instance_ids, phones, strict=True)
    return [phone or _unanswered(instance_id) for instance_id, phone in pairs], sum(requests)


def read_listed_phones(koophone: Koophone, instance_ids: Sequence[str], *, concurrency: int) -> list[Phone]:
    """The status of each phone by the tenant's listing, which needs a permission to read only.

    :raises FleetError: if the phones can't be listed.
    """
    listed = {one.id: one.status for one in koophone.list_phones(concurrency=concurrency)}
    return [_phone(instance_id, listed) for instance_id in instance_ids]


def summarize(phones: Sequence[Phone]) -> dict[str, Any]:
    """Return the number of phones, of those with each status, and of missing and unreadable ones."""
    by_status = collections.Counter(p.state for p in phones if p.state is not None)
    return {
        "total": len(phones),
        "by_status": dict(sorted(by_status.items())),
        "missing": by_status[MISSING],
        "unreadable": sum(p.error is not None for p in phones),
    }


def report(
    phones: Sequence[Phone], query: PhonesQuery, *, fail_on_error: bool, returned: Returned = "all"
) -> dict[str, Any]:
    """The module's result; it fails where a phone could not be read or isn't where the task waits for it."""
    result: dict[str, Any] = {
        "changed": False,
        "phones": [phone.as_result() for phone in query.waiting.select(phones, returned)],
        "missing": [phone.instance_id for phone in phones if phone.is_missing and returned != "summary"],
        "summary": summarize(phones),
    }
    unreadable = [(phone.instance_id, phone.error) for phone in phones if phone.error]
    laggards = [(phone.instance_id, phone) for phone in phones if not query.waiting.is_over_for(phone)]
    if laggards:
        return result | failed(query.waiting.timeout_message("phones", laggards, len(phones)))
    if unreadable and fail_on_error:
        return result | failure_result("phones", "read", unreadable, len(phones))
    return result


def _read_batch(koophone: Koophone, instance_ids: Sequence[str], budget: RequestBudget) -> list[Phone]:
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


def _unanswered(instance_id: str) -> Phone:
    what = f"reading the status of phone {instance_id} at KooPhone"
    error = FleetError("timeout", sentence(what, "no answer within wait_timeout", "raise it"), retryable=True)
    return Phone(instance_id, error=error)
