# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on a fleet.

Its JSON is described by docs/fleet-report-1.schema.json.
"""

from __future__ import annotations

import collections
import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .._common.errors import UsageError
from .._common.phone_states import OTHER
from .._common.states import AUTHORIZED
from .._common.texts import one_line
from .._common.timestamps import parse_time
from .due import DUE_BUCKETS, due_bucket
from .members import Member, parse_member
from .rule import Rule

VERSION = 1


@dataclass(frozen=True)
class Finding:
    """A member, and why it is out of order: ``unreadable``, ``state``, ``due``; nothing if it is in order."""

    member: Member
    out: tuple[str, ...] = ()

    @property
    def complaint(self) -> str:
        """What is wrong and what to do; nothing where all is well."""
        member, parts = self.member, []
        if "unreadable" in self.out:
            parts.append(str((member.error or {}).get("message") or "was not read"))
        if "state" in self.out:
            word = f" ({member.vendor_state})" if member.state in ("unknown", OTHER) and member.vendor_state else ""
            parts.append(f"is {member.state}{word}: {member.remedy}")
        if "due" in self.out:
            parts.append(f"is due {member.due}: extend it")
        return "; ".join(parts)

    @property
    def line(self) -> str:
        """Who it is, what is wrong and what to do, on one line."""
        return one_line(f"{self.member.label} at {self.member.provider}: {self.complaint or 'is in order'}")

    def as_json(self) -> dict[str, Any]:
        """The member as the report has it."""
        member = self.member
        return asdict(member) | {
            "error": dict(member.error) if member.error else None,
            "health": member.health,
            "out": list(self.out),
        }


@dataclass(frozen=True)
class Source:
    """A reading that went into the report: the whole fleet, or a slice of it."""

    name: str | None
    generated_at: str
    total: int


@dataclass(frozen=True)
class Report:
    """The fleet at one moment, evaluated by one rule."""

    title: str
    generated_at: str
    rule: Rule
    findings: Sequence[Finding] = field(repr=False)
    sources: Sequence[Source] = ()

    @property
    def out(self) -> list[Finding]:
        """Those that are out of order."""
        return [finding for finding in self.findings if finding.out]

    @property
    def now(self) -> datetime.datetime:
        """The report's time."""
        return parse_time(self.generated_at)

    def broken(self) -> list[str]:
        """What of the rule is broken, a sentence each."""
        total, out = len(self.findings), len(self.out)
        limit = self.rule.may_be_out(total)
        complaints = []
        if out > limit:
            complaints.append(f"{out} of {total} {'is' if out == 1 else 'are'} out of order, {limit} may be")
        if total < self.rule.min_total:
            complaints.append(f"there are {total}, {self.rule.min_total} are expected at least")
        return complaints

    def summary(self) -> dict[str, Any]:
        """How many are in which state, of which health, at which provider, and due when."""
        members = [finding.member for finding in self.findings]
        states = collections.Counter(member.state for member in members if member.state is not None)
        due = collections.Counter(due_bucket(member.due_at, self.now) for member in members)
        return {
            "total": len(members),
            "out": len(self.out),
            "authorized": states[AUTHORIZED],
            "unreadable": sum(member.state is None for member in members),
            "by_state": dict(sorted(states.items())),
            "by_health": dict(sorted(collections.Counter(member.health for member in members).items())),
            "by_provider": dict(sorted(collections.Counter(member.provider for member in members).items())),
            "due": {bucket: due[bucket] for bucket in DUE_BUCKETS},
        }

    def as_json(self) -> dict[str, Any]:
        """The report as JSON's types."""
        broken = self.broken()
        return {
            "version": VERSION,
            "title": self.title,
            "generated_at": self.generated_at,
            "sources": [asdict(source) for source in self.sources],
            "rule": asdict(self.rule) | {"allowed_states": list(self.rule.allowed_states)},
            "kept": not broken,
            "broken": broken,
            "summary": self.summary(),
            "members": [finding.as_json() for finding in self.findings],
        }


def evaluate(
    members: Iterable[Member], rule: Rule, *, title: str, generated_at: str, sources: Sequence[Source]
) -> Report:
    """The report on ``members``; one that occurs twice counts once, as it was read last."""
    latest: dict[tuple[str, str, str], Member] = {}
    for member in members:
        known = latest.get(member.key)
        if known is None or (member.observed_at or "") >= (known.observed_at or ""):
            latest[member.key] = member
    soon = None
    if rule.min_due_days is not None:
        soon = parse_time(generated_at) + datetime.timedelta(days=rule.min_due_days)
    ordered = sorted(latest.values(), key=lambda member: (member.kind, member.provider, member.label, member.id))
    return Report(
        title=title,
        generated_at=generated_at,
        rule=rule,
        findings=[Finding(member, _out(member, rule.allowed_states, soon)) for member in ordered],
        sources=sources,
    )


def _out(member: Member, allowed: Collection[str], soon: datetime.datetime | None) -> tuple[str, ...]:
    reasons = []
    if member.state is None:
        reasons.append("unreadable")
    elif member.state not in allowed:
        reasons.append("state")
    if soon is not None and member.due_at is not None and member.due_at < soon:
        reasons.append("due")
    return tuple(reasons)


@dataclass(frozen=True)
class Part:
    """What an earlier report brings into the one on the whole."""

    members: Sequence[Member]
    rule: Rule
    sources: Sequence[Source]


def parse(content: Any, where: str) -> Part:
    """The report that ``as_json`` has made.

    :raises UsageError: if it isn't one.
    """
    version = content.get("version") if isinstance(content, Mapping) else None
    if version != VERSION:
        raise UsageError(f"{where} is no fleet report of version {VERSION}")
    try:
        return Part(
            [parse_member(row) for row in content["members"]],
            Rule.of(content["rule"]),
            [Source(**source) for source in content["sources"]],
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise UsageError(f"{where} is a broken fleet report ({type(exc).__name__})") from None
