# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on a fleet: who is in which state, who breaks the user's rule, and what to do about it.

Its JSON is described by docs/fleet-report-1.schema.json.
"""

from __future__ import annotations

import collections
import datetime
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .._common.errors import UsageError
from .._common.phone_states import OTHER, PHONE_STATUSES, RUNNING
from .._common.states import AUTHORIZED, STATES, Health, health_for, remedy_for
from .._common.texts import one_line
from .._common.timestamps import parse_time

VERSION = 1

Kind = Literal["instance", "phone"]

# No instance is ever running, and no phone authorized, so that one list serves both.
ALLOWED_STATES = (AUTHORIZED, RUNNING)
ALL_STATES = tuple(dict.fromkeys((*STATES, *PHONE_STATUSES)))

# Upper ends of the buckets of due dates, from the report's time on.
_DUE_WITHIN = {
    "within_24h": datetime.timedelta(hours=24),
    "within_7d": datetime.timedelta(days=7),
    "within_30d": datetime.timedelta(days=30),
}
DUE_BUCKETS = ("overdue", *_DUE_WITHIN, "later", "unknown")


@dataclass(frozen=True)
class Rule:
    """When a fleet is in order.

    ``max_out`` is how many members may be out of order, a number or a share of the fleet such as ``5%``.
    ``min_due_days``: a member whose paid time ends within so many days is out of order, whatever its state.
    ``min_total``: a fleet of fewer members has lost some.
    """

    allowed_states: Sequence[str] = ALLOWED_STATES
    max_out: str = "0"
    min_due_days: float | None = None
    min_total: int = 0

    def __post_init__(self) -> None:
        self.may_be_out(0)
        if self.min_due_days is not None and not 0 <= self.min_due_days < float("inf"):
            raise UsageError("min_due_days must be a number of days, 0 or above")
        if self.min_total < 0:
            raise UsageError("min_total must be 0 or above")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Rule:
        """The rule that the module's option, or a report, gives."""
        return cls(**{**values, "allowed_states": tuple(values["allowed_states"])})

    def may_be_out(self, total: int) -> int:
        """How many of ``total`` members may be out of order.

        :raises UsageError: if ``max_out`` is neither a number nor a share.
        """
        match = re.fullmatch(r"\s*(\d+)\s*|\s*(\d+(?:\.\d+)?)\s*%\s*", self.max_out, re.ASCII)
        if match is None or (match[2] and float(match[2]) > 100):
            raise UsageError(f"max_out must be a number such as 3 or a share such as 5%, not {self.max_out!r}")
        return int(match[1]) if match[1] else math.floor(total * float(match[2]) / 100)

    def words(self) -> str:
        """The rule in a sentence."""
        clauses = [f"each is {' or '.join(self.allowed_states)}"]
        if self.min_due_days is not None:
            clauses.append(f"paid for {self.min_due_days:g} {'day' if self.min_due_days == 1 else 'days'} at least")
        sentence = " and ".join(clauses)
        if self.max_out.strip() != "0":
            sentence += f"; up to {self.max_out.strip()} may be out of order"
        return sentence + (f"; there are {self.min_total} at least" if self.min_total else "")


@dataclass(frozen=True)
class Member:
    """An instance or a phone of the fleet, as it was read. ``host`` is its name in the inventory."""

    kind: Kind
    provider: str
    id: str
    name: str | None = None
    host: str | None = None
    state: str | None = None
    vendor_state: str | None = None
    due: str | None = None
    observed_at: str | None = None
    error: Mapping[str, Any] | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What no two members share."""
        return (self.kind, self.provider, self.id)

    @property
    def label(self) -> str:
        """The member as a message names it."""
        name = self.name or self.host
        return f"{name} ({self.id})" if name and name != self.id else self.id

    @property
    def health(self) -> Health:
        """What kind of attention the member needs."""
        if self.kind == "phone":
            return PHONE_STATUSES[self.state].health if self.state in PHONE_STATUSES else "unknown"
        return health_for(self.state if self.state in STATES else None)

    @property
    def remedy(self) -> str:
        """What a person does about the state; for one that could not be read, that is in the error."""
        if self.state is None:
            return "see why it could not be read"
        if self.kind == "phone":
            return PHONE_STATUSES[self.state if self.state in PHONE_STATUSES else OTHER].remedy
        return remedy_for(self.state if self.state in STATES else None)

    @property
    def due_at(self) -> datetime.datetime | None:
        """When the paid time ends."""
        try:
            return parse_time(self.due) if self.due else None
        except ValueError:
            return None


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


def due_bucket(due: datetime.datetime | None, now: datetime.datetime) -> str:
    """Which of ``DUE_BUCKETS`` a due date falls into."""
    if due is None:
        return "unknown"
    if due <= now:
        return "overdue"
    return next((bucket for bucket, span in _DUE_WITHIN.items() if due - now <= span), "later")


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


def instance_member(row: Mapping[str, Any], where: str) -> Member:
    """A member from what instance_state returns for an instance, with ``host`` and ``due`` if they are known.

    :raises UsageError: if it has no id.
    """
    return Member(
        kind="instance",
        provider=str(row.get("provider") or "unknown"),
        id=_parse_id(row, "id", where),
        **_texts(row, "name", "host", "state", "vendor_state", "due", "observed_at"),
        error=_parse_error(row),
    )


def phone_member(row: Mapping[str, Any], where: str) -> Member:
    """A member from what cloudphone_status returns for a phone, with ``host``, ``name`` and ``due`` if known.

    :raises UsageError: if it has no id.
    """
    status = row.get("status")
    return Member(
        kind="phone",
        provider="koophone",
        id=_parse_id(row, "instance_id", where),
        state=None if row.get("status_name") is None else str(row["status_name"]),
        vendor_state=None if status is None else str(status),
        **_texts(row, "name", "host", "due", "observed_at"),
        error=_parse_error(row),
    )


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
            [_parse_member(row) for row in content["members"]],
            Rule.of(content["rule"]),
            [Source(**source) for source in content["sources"]],
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise UsageError(f"{where} is a broken fleet report ({type(exc).__name__})") from None


def common_rule(rules: Sequence[Rule]) -> Rule:
    """The rule by which all parts were evaluated, the usual one if there are none.

    :raises UsageError: if they were evaluated by different rules.
    """
    if any(rule != rules[0] for rule in rules):
        raise UsageError("the reports were evaluated by different rules; say by rule which one holds for the whole")
    return rules[0] if rules else Rule()


def _parse_member(row: Mapping[str, Any]) -> Member:
    return Member(
        kind="phone" if row["kind"] == "phone" else "instance",
        provider=str(row["provider"]),
        id=str(row["id"]),
        **_texts(row, "name", "host", "state", "vendor_state", "due", "observed_at"),
        error=_parse_error(row),
    )


def _texts(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: None if row.get(name) is None else str(row[name]) for name in names}


def _parse_id(row: Mapping[str, Any], name: str, where: str) -> str:
    if row.get(name) in (None, ""):
        raise UsageError(f"{where} has no {name}")
    return str(row[name])


def _parse_error(row: Mapping[str, Any]) -> dict[str, Any] | None:
    error = row.get("error")
    if not error:
        return None
    return {
        "code": str(error.get("code")),
        "message": str(error.get("message")),
        "retryable": bool(error.get("retryable")),
    }
