# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal in PostgreSQL: what is in it, and what becomes of a creation when it is out of reach."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.reboot_budget import RebootBudget
from ansible_collections.msgops.fleet.tests.storm.faults import faults_for
from ansible_collections.msgops.fleet.tests.storm.postgres import ENCODED, PASSWORD, PostgresServer
from ansible_collections.msgops.fleet.tests.storm.storm import storm_over
from ansible_collections.msgops.fleet.tests.support.creation import Fleet, actions


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement)
        return found.fetchall() if found.description else []


@pytest.fixture
def stopped(server: PostgresServer) -> Iterator[PostgresServer]:
    """The server while it is down."""
    server.stop()
    yield server
    server.start()


def test_a_small_storm_is_weathered(tmp_path: Path, server: PostgresServer) -> None:
    faults = faults_for("listing", "direct")
    found = storm_over(
        tmp_path, creations=len(faults), seed=7, has_listing=True, workers=8, postgres=server, tell=lambda _text: None
    )
    assert found == []


def test_it_never_holds_a_token(fleet: Fleet) -> None:
    fleet.emulator.config({f"{fleet.provider}.token_style": "awkward"})
    fleet.arm("create", "reset", when="before", match="unclear")
    fleet.create("shop", "unclear")
    tables = rows(fleet.journal, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {name for (name,) in tables} == {
        f"msgops_fleet_{table}" for table in ("access", "change", "creation", "lease", "reboot")
    }
    content = json.dumps([rows(fleet.journal, f"SELECT * FROM {name}") for (name,) in tables])
    assert "shop" in content
    for token in (fleet.emulator.account(fleet.provider)["partner_token"], fleet.existing("shop")[0]["token"]):
        assert json.dumps(token)[1:-1] not in content


def test_check_mode_and_a_list_leave_no_trace(fleet: Fleet) -> None:
    assert fleet.create("shop", check_mode=True)["changed"]
    assert fleet.posts() == []
    assert fleet.journal_task()["entries"] == []
    assert rows(fleet.journal, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("CREATE TABLE msgops_fleet_creation (id int)", "is another application's"),
        (
            "CREATE TABLE msgops_fleet_creation (id int);"
            "COMMENT ON TABLE msgops_fleet_creation IS 'msgops.fleet schema 99'",
            "newer",
        ),
    ],
)
def test_somebody_elses_and_newer_tables_create_nothing(green: Fleet, table: str, says: str) -> None:
    rows(green.journal, table)
    assert_refused(green, says)


def test_a_server_that_is_down_creates_nothing(green: Fleet, stopped: PostgresServer) -> None:
    assert_refused(green, "Connection refused")


def test_a_wrong_password_creates_nothing_and_is_not_shown(green: Fleet) -> None:
    wrong = "wr0ng%2Fpassword"
    refused = assert_refused(green, "password authentication failed", journal=green.journal.replace(ENCODED, wrong))
    for password in (wrong, "wr0ng/password", ENCODED, PASSWORD):
        assert password not in json.dumps(refused)


def test_a_server_that_goes_away_during_a_creation_loses_nothing(fleet: Fleet, server: PostgresServer) -> None:
    run = fleet.start_hanging("shop", fault={"when": "after"})
    server.stop()
    try:
        fleet.emulator.release()
        result = run.result()
    finally:
        server.start()
    assert actions(result) == {"shop": "created"}
    assert any("journal" in warning for warning in result["warnings"])
    assert actions(fleet.create("shop"))["shop"] in ("adopted", "unchanged")
    assert fleet.posts() == ["shop"]
    fleet.assert_delivered("shop")


@pytest.mark.parametrize("scheme", ["PostgreSQL", "POSTGRES", "  postgresql"])
def test_its_url_may_be_spelled_in_any_case(green: Fleet, scheme: str) -> None:
    green.create("shop")
    url = f"{scheme}://{green.journal.partition('://')[2]}\n"
    assert actions(green.create("shop", journal=url)) == {"shop": "unchanged"}


@pytest.mark.parametrize(
    "password", ["begin@END", "@END", "begin/END", "begin/@END", "begin@mid/END", "12/END", "a@b@END"]
)
def test_a_password_that_should_be_percent_encoded_is_never_shown(green: Fleet, password: str) -> None:
    """What follows could be taken for the host, or for the database."""
    refused = assert_refused(green, "percent-encode", journal=green.journal.replace(ENCODED, password))
    assert "END" not in json.dumps(refused)
    listed = green.journal_task(journal=green.journal.replace(ENCODED, password))
    assert listed["failed"]
    assert "END" not in json.dumps(listed)


@pytest.mark.parametrize("password", ["begin#END", "begin?END", "begin&END", " END", "begin:END", "begin%25END"])
def test_neither_is_one_that_libpq_can_read(green: Fleet, password: str) -> None:
    refused = assert_refused(green, "password authentication failed", journal=green.journal.replace(ENCODED, password))
    assert "END" not in json.dumps(refused)


@pytest.mark.parametrize(
    "query", ["password=begin&END", "password=END&nonsense=1", "sslpassword=END&host=nowhere.invalid"]
)
def test_neither_is_one_in_the_query(green: Fleet, query: str) -> None:
    result = green.create("shop", journal=f"{green.journal.replace(':' + ENCODED, '')}?{query}")
    assert result["failed"]
    assert "END" not in json.dumps(result)


def test_runs_share_the_budget_of_reboots(options: dict[str, Any]) -> None:
    first, second = (RebootBudget(options["journal"], 1) for _run in range(2))
    first.check("green_api", "1101")
    ticket = first.reserve("green_api", "1101")
    for spend in (second.check, second.reserve):
        with pytest.raises(FleetError, match="rebooted"):
            spend("green_api", "1101")
    second.reserve("green_api", "1102")
    first.release(ticket)
    second.reserve("green_api", "1101")


def assert_refused(fleet: Fleet, says: str, **options: Any) -> dict[str, Any]:
    """Nothing is posted, and the failure says why."""
    result = fleet.create("shop", **options)
    assert result["failed"]
    assert says in result["msg"], result["msg"]
    assert fleet.posts() == []
    return result
