# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal in PostgreSQL that an earlier version has made."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._journal.entries import Key
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal
from ansible_collections.msgops.fleet.tests.storm.runs import in_parallel
from ansible_collections.msgops.fleet.tests.unit.plugins.module_utils._journal.test_schema import (
    JOURNALS,
    Upgrading,
    assert_is_all_there,
)

psycopg = pytest.importorskip("psycopg")


@pytest.fixture
def old(options: dict[str, Any]) -> str:
    """A journal of schema 1 with an entry of each status, in three accounts."""
    url = str(options["journal"])
    with psycopg.connect(url) as db:
        db.execute((JOURNALS / "1" / "postgresql.sql").read_text(encoding="utf-8"))  # type: ignore[arg-type]
    return url


def test_it_can_be_read_as_it_is(old: str) -> None:
    assert_is_all_there(Journal(old).read())
    assert_is_all_there(Journal(old).read())


def test_it_is_carried_over_by_the_first_run_that_writes(old: str) -> None:
    with Journal(old).locked([Key("green_api", "new")]):
        pass
    assert_is_all_there(Journal(old).read())
    with psycopg.connect(old) as db:
        rows = db.execute("SELECT obj_description('msgops_fleet_creation'::regclass)").fetchall()
        assert rows == [("msgops.fleet schema 3",)]
        assert db.execute("SELECT ticket FROM msgops_fleet_reboot").fetchall() == [("ticket",)]
        assert db.execute("SELECT to_regclass('msgops_fleet_creation_1')").fetchall() == [(None,)]


def test_several_runs_at_once_carry_it_over_once(old: str) -> None:
    assert in_parallel(*[Upgrading(old, "delivered") for _run in range(3)]) == [2, 2, 2]
    assert_is_all_there(Journal(old).read())
