# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances and phones as the modules return them, and what is due when."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._report.due import due_bucket
from ansible_collections.msgops.fleet.plugins.module_utils._report.members import (
    instance_member,
    phone_member,
)
from ansible_collections.msgops.fleet.tests.support.reports import READ, instance, make_report


@pytest.mark.parametrize(
    ("due", "bucket"),
    [
        (None, "unknown"),
        ("2026-01-31T12:00:00Z", "overdue"),
        ("2026-01-31T12:00:01Z", "within_24h"),
        ("2026-02-01T12:00:00Z", "within_24h"),
        ("2026-02-07T12:00:00Z", "within_7d"),
        ("2026-03-02T12:00:00Z", "within_30d"),
        ("2026-03-02T12:00:01Z", "later"),
        ("2026-02-01T12:00:00+03:00", "within_24h"),
        ("2026-02-01T12:00:00", "within_24h"),
        ("soon", "unknown"),
    ],
)
def test_due_dates_fall_into_buckets(due: str | None, bucket: str) -> None:
    assert due_bucket(instance("1", "authorized", due=due).due_at, make_report().now) == bucket


def test_members_come_from_what_the_modules_return() -> None:
    row = {"id": 7, "name": "shop", "provider": "plugzapi", "state": "authorized", "vendor_state": "connected"}
    row |= {"authorized": True, "health": "ready", "attempts": 1, "observed_at": READ, "error": None, "token": "s3cret"}
    assert instance_member(row, "instances[0]") == instance(
        "7", "authorized", name="shop", provider="plugzapi", vendor_state="connected"
    )
    phone = phone_member({"instance_id": "a44uhlf7", "status": 2, "status_name": "running", "error": None}, "phones[0]")
    assert (phone.kind, phone.provider, phone.id, phone.state, phone.vendor_state) == (
        "phone", "koophone", "a44uhlf7", "running", "2",
    )  # fmt: skip


@pytest.mark.parametrize("make", [instance_member, phone_member])
def test_a_row_without_an_id_is_refused(make: Any) -> None:
    with pytest.raises(UsageError, match=r"rows\[3\] has no \w*id"):
        make({"name": "shop"}, "rows[3]")


def test_the_health_of_a_word_that_is_no_state_is_unknown() -> None:
    for member in (instance("1", "hibernating"), phone_member({"instance_id": "1", "status_name": "flying"}, "")):
        assert (member.health, bool(member.remedy)) == ("unknown", True)


def test_a_trials_end_counts_as_the_due_date() -> None:
    row = {"id": "1", "provider": "plugzapi", "state": "authorized", "due": "2030-01-01T00:00:00Z"}
    assert instance_member({**row, "trial_ends_at": None}, "row").due == "2030-01-01T00:00:00Z"
    assert instance_member({**row, "trial_ends_at": "2026-02-01T00:00:00Z"}, "row").due == "2026-02-01T00:00:00Z"
