# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on a fleet: what is wrong with which member, and whether the fleet passes the rule.

Its JSON is described by docs/fleet-report-1.schema.json.
"""

from __future__ import annotations

import collections
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .._common.errors import UsageError
from .._common.phone_states import OTHER
from .._common.states import AUTHORIZED
from .._common.texts import one_line
from .._common.timestamps import parse_time
from .due import DUE_BUCKETS, due_bucket
from .members import CONDITIONS, DRIFT_REMEDY, Member, parse_member
from .rule import Rule

VERSION = 1


@dataclass(frozen=True)
class Finding:
    """A member, and the reasons why it is failing: ``unreadable``, ``state``, ``drifted``, ``due``. None if healthy."""

    member: Member
    failing: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """The reasons in a few words by which findings are counted; empty if the member is healthy."""
        words = {
            "unreadable": f"unreadable ({(self.member.error or {}).get('code') or 'not read'})",
            "state": str(self.member.state),
            "drifted": "drifted",
            "due": "due",
        }
        return one_line(" and ".join(words[reason] for reason in self.failing))

    @property
    def complaint(self) -> str:
        """What is wrong and what to do about it; empty if the member is healthy."""
        member, parts = self.member, []
        if "unreadable" in self.failing:
            parts.append(str((member.error or {}).get("message") or "was not read"))
        if "state" in self.failing:
            word = f" ({member.vendor_state})" if member.state in ("unknown", OTHER) and member.vendor_state else ""
            parts.append(f"is {member.state}{word}: {member.remedy}")
        if "drifted" in self.failing:
            reason = f" ({member.error['message']})" if member.error and member.error.get("message") else ""
            parts.append(f"has drifted in {', '.join(member.drifted or ())}{reason}: {DRIFT_REMEDY}")
        if "due" in self.failing:
            parts.append(f"is due {member.due}: extend it")
        return "; ".join(parts)

    @property
    def line(self) -> str:
        """The member, what is wrong with it and what to do about it, on one line."""
        return one_line(f"{self.member.label} at {self.member.provider}: {self.complaint or 'is healthy'}")

    def as_json(self) -> dict[str, Any]:
        """The member as the report's JSON has it."""
        member = self.member
        return asdict(member) | {
            "error": dict(member.error) if member.error else None,
            "drifted": None if member.drifted is None else list(member.drifted),
            "health": member.health,
            "failing": list(self.failing),
        }


@dataclass(frozen=True)
class Source:
    """One reading that the report was made from: of the whole fleet, or of a slice of it."""

    name: str | None
    generated_at: str
    total: int


@dataclass(frozen=True)
class Report:
    """The fleet at one moment, evaluated by one rule.

    ``problems`` are sentences that say what could not be seen of the fleet: the fleet fails because of each. ``notes``
    are such sentences that the user allows.
    """

    title: str
    generated_at: str
    rule: Rule
    findings: Sequence[Finding] = field(repr=False)
    sources: Sequence[Source] = ()
    problems: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def failing(self) -> list[Finding]:
        """The failing members, the worst first; those with the same cause stand together."""
        failing = (finding for finding in self.findings if finding.failing)
        return sorted(failing, key=lambda finding: (CONDITIONS.index(finding.member.condition), finding.cause))

    @property
    def now(self) -> datetime.datetime:
        """The report's time."""
        return parse_time(self.generated_at)

    @property
    def has_too_many_failing(self) -> bool:
        """Whether more members are failing than the rule allows."""
        return len(self.failing) > self.rule.failing_limit(len(self.findings))

    def violations(self) -> list[str]:
        """The problems, and one sentence for each part of the rule that the fleet violates. Without any, it passes."""
        total, failing = len(self.findings), len(self.failing)
        limit = self.rule.failing_limit(total)
        violations = list(self.problems)
        if self.has_too_many_failing:
            violations.append(f"{failing} of {total} {'is' if failing == 1 else 'are'} failing, {limit} may be")
        if total < self.rule.min_total:
            violations.append(f"there are {total}, at least {self.rule.min_total} are expected")
        return violations

    def summary(self) -> dict[str, Any]:
        """How many members there are by state, health, provider, cause of failing (the worst first) and due date."""
        members = [finding.member for finding in self.findings]
        states = collections.Counter(member.state for member in members if member.state is not None)
        due = collections.Counter(due_bucket(member.due_at, self.now) for member in members)
        failing = self.failing
        return {
            "total": len(members),
            "failing": len(failing),
            "authorized": states[AUTHORIZED],
            "unreadable": sum(not member.is_read for member in members),
            "by_state": dict(sorted(states.items())),
            "by_health": dict(sorted(collections.Counter(member.health for member in members).items())),
            "by_provider": dict(sorted(collections.Counter(member.provider for member in members).items())),
            "by_cause": dict(collections.Counter(finding.cause for finding in failing)),
            "due": {bucket: due[bucket] for bucket in DUE_BUCKETS},
        }

    def as_json(self) -> dict[str, Any]:
        """The report as JSON's types."""
        violations = self.violations()
        return {
            "version": VERSION,
            "title": self.title,
            "generated_at": self.generated_at,
            "sources": [asdict(source) for source in self.sources],
            "rule": asdict(self.rule) | {"allowed_states": list(self.rule.allowed_states)},
            "passed": not violations,
            "violations": violations,
            "problems": list(self.problems),
            "notes": list(self.notes),
            "summary": self.summary(),
            "members": [finding.as_json() for finding in self.findings],
        }

    def as_result(self) -> dict[str, Any]:
        """The report as a module returns it."""
        violations = self.violations()
        return {
            "passed": not violations,
            "violations": violations,
            "notes": list(self.notes),
            "summary": self.summary(),
            "failing": [
                {"host": f.member.host, "account": f.member.account, "id": f.member.id, "line": f.line}
                for f in self.failing
            ],
        }


@dataclass(frozen=True)
class Part:
    """What an earlier report contributes to a merged one."""

    members: Sequence[Member]
    rule: Rule
    sources: Sequence[Source]
    problems: Sequence[str] = ()
    notes: Sequence[str] = ()


def parse(content: Any, where: str) -> Part:
    """Read a report that ``Report.as_json`` has made.

    :raises UsageError: if ``content`` is no such report; ``where`` names it in the message.
    """
    version = content.get("version") if isinstance(content, Mapping) else None
    if version != VERSION:
        raise UsageError(f"{where} isn't a fleet report of version {VERSION}")
    try:
        return Part(
            [parse_member(row) for row in content["members"]],
            Rule.from_option(content["rule"]),
            [Source(**source) for source in content["sources"]],
            *([str(text) for text in content.get(key, ())] for key in ("problems", "notes")),
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise UsageError(f"{where} is a malformed fleet report ({type(exc).__name__})") from None
