# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vocabulary of states, and due dates in all formats of the vendors."""

from __future__ import annotations

import re

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common import states
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Credentials, Instance
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.parsing import parse_due
from ansible_collections.msgops.fleet.tests.support.wire import TOKEN
from hypothesis import given
from hypothesis import strategies as st

HEALTH = {
    "authorized": "ready",
    "creating": "transient",
    "starting": "transient",
    "sleepMode": "transient",
    "notAuthorized": "action_required",
    "yellowCard": "degraded",
    "suspended": "degraded",
    "blocked": "failed",
    "unknown": "unknown",
}


def test_each_state_of_the_vocabulary_has_its_health() -> None:
    assert {state: states.health_for(state) for state in states.STATES} == HEALTH


def test_an_instance_that_could_not_be_read_has_an_unknown_health() -> None:
    assert states.health_for(None) == "unknown"


@pytest.mark.parametrize("state", [*HEALTH, None])
def test_every_state_has_something_to_do_about_it(state: str | None) -> None:
    assert states.remedy_for(state)


@pytest.mark.parametrize("state", ["yellowCard", "suspended"])
def test_a_restriction_lasts_longer_than_a_reboot(state: str) -> None:
    assert "returns" in states.remedy_for(state)


@given(st.text())
def test_a_word_is_itself_or_unknown(word: str) -> None:
    assert states.normalize(word) == (word if word in HEALTH else "unknown")


@pytest.mark.parametrize(
    ("raw", "due"),
    [
        # Milliseconds
        (1648565999675, "2022-03-29T14:59:59Z"),
        ("1648565999675", "2022-03-29T14:59:59Z"),
        ("329000002121", "1980-06-04T20:53:22Z"),
        (100_000_000_000, "1973-03-03T09:46:40Z"),
        # Seconds
        (1700000000, "2023-11-14T22:13:20Z"),
        ("1700000000", "2023-11-14T22:13:20Z"),
        (99_999_999_999, "5138-11-16T09:46:39Z"),
        (0, "1970-01-01T00:00:00Z"),
        # ISO 8601; without a zone it is UTC
        ("2026-12-31T23:59:59", "2026-12-31T23:59:59Z"),
        ("2026-12-31T23:59:59Z", "2026-12-31T23:59:59Z"),
        ("2026-12-31T23:59:59.123", "2026-12-31T23:59:59Z"),
        ("2026-12-31T23:59:59.123456+03:00", "2026-12-31T20:59:59Z"),
        ("2026-12-31 23:59:59", "2026-12-31T23:59:59Z"),
        ("2026-12-31", "2026-12-31T00:00:00Z"),
        # Never, or nothing that can be read
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+03:00", None),
        (None, None),
        ("", None),
        (" ", None),
        ("soon", None),
        ("2026-13-01", None),
        ("-1", None),
        (True, None),
        (False, None),
        (1648565999675.5, None),
        ([], None),
        ({}, None),
        (10**30, None),
        ("9" * 5000, None),
    ],
)
def test_a_due_date_is_read_in_all_its_forms(raw: object, due: str | None) -> None:
    assert parse_due(raw) == due


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())))
def test_a_due_date_never_breaks_a_reading(raw: object) -> None:
    due = parse_due(raw)
    assert due is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", due)


def test_credentials_and_instances_look_as_if_they_held_no_secret() -> None:
    shown = repr(Credentials("1", TOKEN, TOKEN)) + repr(Instance("1", "shop", TOKEN))
    assert TOKEN not in shown
