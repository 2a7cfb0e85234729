# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluation: each member once, as it was read last."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._report.evaluation import evaluate
from ansible_collections.msgops.fleet.plugins.module_utils._report.members import instance_member
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import Rule
from ansible_collections.msgops.fleet.tests.support.reports import FLEET, NOW, instance, make_report


def test_one_that_occurs_twice_counts_once_as_it_was_read_last() -> None:
    later = instance("2", "authorized", observed_at="2026-01-31T11:59:59Z")
    report = evaluate([later, *FLEET], Rule(), title="Fleet", generated_at=NOW, sources=[])
    assert [(f.member.state, f.failing) for f in report.findings if f.member.id == "2"] == [("authorized", ())]
    assert len(report.findings) == len(FLEET)


def test_accounts_of_one_provider_are_told_apart() -> None:
    accounts = [instance("1", "blocked", name="shop", account=account) for account in ("wholesale", "retail")]
    report = make_report(accounts)
    assert [finding.line.partition(" at ")[0] for finding in report.failing] == [
        "retail/shop (1)", "wholesale/shop (1)",
    ]  # fmt: skip
    assert [member["account"] for member in report.as_json()["members"]] == ["retail", "wholesale"]


@pytest.mark.parametrize(
    ("accounts", "members"),
    [
        ([None, None], [None]),
        (["retail", "retail"], ["retail"]),
        ([None, "retail"], ["retail"]),
        (["retail", "wholesale", None], [None, "retail", "wholesale"]),
    ],
)
def test_a_reading_without_an_account_is_one_of_the_only_account(
    accounts: list[str | None], members: list[str | None]
) -> None:
    report = make_report([instance("1", "authorized", account=account) for account in accounts])
    assert sorted((f.member.account for f in report.findings), key=str) == members


def test_the_same_id_at_two_providers_is_two_instances() -> None:
    assert (
        len(make_report([instance("1", "authorized"), instance("1", "authorized", provider="plugzapi")]).findings) == 2
    )


ERROR = {"code": "timeout", "message": "no answer", "retryable": True}


def compared(action: str, *keys: str, error: dict[str, Any] | None = None) -> dict[str, Any]:
    """A row of instance_settings."""
    return {"id": "1", "provider": "green_api", "action": action, "changed_keys": list(keys), "error": error}


STATE = {"id": "1", "provider": "green_api", "state": "authorized", "observed_at": NOW}


@pytest.mark.parametrize(
    ("rows", "failing"),
    [
        ([compared("unchanged")], ()),
        ([compared("applied", "webhookUrl")], ()),
        ([compared("would_apply", "webhookUrl")], ("drifted",)),
        ([compared("unverified", "webhookUrl", error=ERROR)], ("drifted",)),
        ([compared("failed", error=ERROR)], ("unreadable",)),
        ([STATE, compared("unchanged")], ()),
        ([STATE, compared("would_apply", "webhookUrl")], ("drifted",)),
        ([compared("would_apply", "webhookUrl"), STATE], ("drifted",)),
        ([{**STATE, "state": "blocked"}, compared("would_apply", "webhookUrl")], ("state", "drifted")),
        ([STATE, compared("failed", error=ERROR)], ("unreadable",)),
        ([{**STATE, "state": None, "error": ERROR}, compared("unchanged")], ("unreadable",)),
    ],
)
def test_settings_that_differ_are_a_finding(rows: list[dict[str, Any]], failing: tuple[str, ...]) -> None:
    report = make_report([instance_member(row, "row") for row in rows])
    (finding,) = report.findings
    assert finding.failing == failing
    assert report.summary()["unreadable"] == ("unreadable" in failing)
    assert ("has drifted in webhookUrl" in finding.line) is ("drifted" in failing)
    assert ("no answer" in finding.line) is any(row["error"] for row in rows if row.get("error"))


def test_a_drifted_instance_has_a_word_a_colour_and_a_cause() -> None:
    report = make_report([instance_member(compared("would_apply", "webhookUrl"), "row")])
    (member,) = (finding.member for finding in report.findings)
    assert (member.word, member.condition) == ("drifted", "degraded")
    assert report.summary()["by_cause"] == {"drifted": 1}
    assert report.as_json()["members"][0]["drifted"] == ["webhookUrl"]
    assert instance_member(compared("unchanged"), "row").word == "as declared"
