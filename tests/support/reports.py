# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small fleet with everything in it that a report has to tell apart."""

from __future__ import annotations

from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._report.evaluation import evaluate
from ansible_collections.msgops.fleet.plugins.module_utils._report.members import Member
from ansible_collections.msgops.fleet.plugins.module_utils._report.report import Report, Source
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import Rule

NOW = "2026-01-31T12:00:00Z"
READ = "2026-01-31T11:59:58Z"
REFUSED = {
    "code": "unauthorized",
    "message": "reading the state of GREEN-API instance 5 failed: HTTP 401; check instance_token",
    "retryable": False,
}

# The name of an instance may be any text.
NASTY = "<script>alert('1')</script> & \"{{ 7*7 }}\" ]]> \x00\x1b[31m \u202e\ud800 end"


def instance(id: str, state: str | None, **others: Any) -> Member:
    return Member(
        **{"kind": "instance", "provider": "green_api", "id": id, "state": state, "observed_at": READ, **others}
    )


FLEET = [
    instance("1", "authorized", name="shop", vendor_state="authorized", due="2026-06-01T00:00:00Z"),
    instance("2", "notAuthorized", name="support", vendor_state="notAuthorized", due="2026-02-01T00:00:00Z"),
    instance(
        "3", "authorized", name="sales", vendor_state="connected", provider="plugzapi", due="2026-01-30T00:00:00Z"
    ),
    instance("4", "unknown", name="lab", vendor_state="hibernating"),
    instance("5", None, name="lost", error=REFUSED),
    instance("6", "authorized", name=NASTY),
    Member(kind="phone", provider="koophone", id="a44uhlf7", host="phone-1", state="running", vendor_state="2"),
    Member(kind="phone", provider="koophone", id="efjy72gs", host="phone-2", state="stopped", vendor_state="1"),
]


def make_report(members: list[Member] | None = None, **rule: Any) -> Report:
    members = FLEET if members is None else members
    return evaluate(members, Rule(**rule), title="Fleet", generated_at=NOW, sources=[Source(None, NOW, len(members))])


REPORTS = {
    "passed": make_report(max_failing="100%", min_due_days=1.5, min_total=3),
    "failed": make_report(),
    "empty": make_report([]),
}
