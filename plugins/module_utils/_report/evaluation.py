# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluation of a fleet by a rule: which members are failing, and why."""

from __future__ import annotations

import collections
import datetime
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from .._common.texts import one_line
from .._common.timestamps import parse_time
from .members import Member
from .report import Finding, Report, Source
from .rule import Rule


def evaluate(
    members: Iterable[Member],
    rule: Rule,
    *,
    title: str,
    generated_at: str,
    sources: Sequence[Source],
    problems: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> Report:
    """The report on ``members``. A member that occurs twice counts once, as it was read last."""
    soon = None
    if rule.min_due_days is not None:
        soon = parse_time(generated_at) + datetime.timedelta(days=rule.min_due_days)
    ordered = sorted(_latest(members), key=lambda member: (member.kind, member.provider, member.label, member.id))
    return Report(
        title=title,
        generated_at=generated_at,
        rule=rule,
        findings=[Finding(member, _reasons(member, rule.allowed_states, soon)) for member in ordered],
        sources=sources,
        problems=tuple(dict.fromkeys(map(one_line, problems))),
        notes=tuple(dict.fromkeys(map(one_line, notes))),
    )


def _latest(members: Iterable[Member]) -> Iterable[Member]:
    """The latest reading of each member.

    Readings with equal IDs in accounts of different names are of different members. A reading without an account is of
    the same member as those with one, unless they name several accounts.
    """
    readings: dict[tuple[str, str, str], list[Member]] = collections.defaultdict(list)
    for member in members:
        readings[member.key].append(member)
    for same in readings.values():
        accounts = {member.account for member in same if member.account}
        only = accounts.pop() if len(accounts) == 1 else None
        latest: dict[str | None, Member] = {}
        for member in sorted(same, key=lambda member: member.observed_at or ""):
            account = member.account or only
            latest[account] = replace(_complete(member, latest.get(account)), account=account)
        yield from latest.values()


def _complete(member: Member, earlier: Member | None) -> Member:
    """``member`` with what an earlier reading has besides: one task reads the state, another one the settings."""
    for one, other in ((member, earlier), (earlier, member)):
        if one and other and one.drifted is not None and one.state is None and other.drifted is None:
            return replace(other, drifted=one.drifted, error=other.error or one.error)
    return member


def _reasons(member: Member, allowed: Collection[str], soon: datetime.datetime | None) -> tuple[str, ...]:
    reasons = []
    if not member.is_read:
        reasons.append("unreadable")
    elif member.state is not None and member.state not in allowed:
        reasons.append("state")
    if member.drifted:
        reasons.append("drifted")
    if soon is not None and member.due_at is not None and member.due_at < soon:
        reasons.append("due")
    return tuple(reasons)
