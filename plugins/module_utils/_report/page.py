# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on a fleet as one HTML page, without scripts and without anything that a browser has to load."""

from __future__ import annotations

import collections
import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from .._common.web_page import html_text
from .due import due_bucket
from .members import CONDITIONS, Condition, Member
from .page_template import FILTERS, PAGE
from .report import Finding, Report

_WORDS: dict[str, str] = {
    "failed": "failed",
    "degraded": "degraded",
    "action_required": "needs a person",
    "unreadable": "unreadable",
    "unknown": "unknown",
    "transient": "on its way",
    "ready": "ready",
}
# How many names a group lists, and how many due dates the page lists; the table of all members has the others.
_MAX_NAMES = 8
_MAX_DUE = 10


def render_page(report: Report) -> str:
    """The report for people; it is light or dark as the reader's browser is."""
    summary, violations = report.summary(), report.violations()
    return PAGE.substitute(
        title=html_text(report.title),
        verdict_kind="failed" if violations else "ready",
        verdict="\N{BALLOT X} failed" if violations else "\N{CHECK MARK} passed",
        violations="".join(f"<p><strong>{html_text(sentence)}.</strong></p>" for sentence in violations)
        + "".join(f"<p>{html_text(sentence)}.</p>" for sentence in report.notes),
        rule=html_text(report.rule.words()),
        generated_at=_time(report.generated_at),
        read=_read_between([finding.member for finding in report.findings]),
        tiles="".join(
            f'<div class="tile"><b{f" class={kind}" if kind else ""}>{value}</b>{html_text(label)}</div>'
            for value, label, kind in _tiles(report, summary)
        ),
        state_bar=_bar([finding.member.condition for finding in report.findings], "bar"),
        states="".join(_states(report)),
        providers="".join(_providers(report)),
        needs="".join(_needs(report)) or '<p class="ready">Nothing has to be done.</p>',
        due_next=_due_next(report),
        sources=_sources(report),
        filters="".join(_filters(report.findings)),
        members="\n".join(map(_row, _worst_first(report.findings))),
    )  # fmt: skip


def _tiles(report: Report, summary: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Value, label and condition (for the colour) of each number at the top."""
    total, failing, unreadable = summary["total"], summary["failing"], summary["unreadable"]
    healthy, limit = total - failing, report.rule.failing_limit(total)
    soon = sum(summary["due"][bucket] for bucket in ("overdue", "within_24h", "within_7d"))
    return [
        (str(total), "members", ""),
        (_share(healthy, total), f"healthy ({healthy})", "ready"),
        (str(failing), f"failing ({limit} may be)", "failed" if failing > limit else ""),
        (str(unreadable), "unreadable", "unreadable" if unreadable else ""),
        (str(soon), "due within 7 days, or overdue", "degraded" if soon else ""),
    ]


def _states(report: Report) -> Iterable[str]:
    total = len(report.findings)
    counts = collections.Counter((f.member.condition, f.member.word) for f in report.findings)
    for (kind, state), count in sorted(counts.items(), key=lambda item: (CONDITIONS.index(item[0][0]), -item[1])):
        yield (
            f'<tr><td class="dot {kind}">{html_text(state)}</td><td>{_WORDS[kind]}</td><td class="number">{count}</td>'
            f'<td class="number">{_share(count, total)}</td></tr>'
        )


def _providers(report: Report) -> Iterable[str]:
    groups: dict[tuple[str, str], list[Finding]] = collections.defaultdict(list)
    for finding in report.findings:
        groups[finding.member.provider, finding.member.account or ""].append(finding)
    for (provider, account), findings in sorted(groups.items()):
        healthy = sum(not finding.failing for finding in findings)
        yield (
            f'<tr><td>{_provider(provider, account)}</td><td class="number">{len(findings)}</td>'
            f'<td class="number">{_share(healthy, len(findings))}</td>'
            f"<td>{_bar([finding.member.condition for finding in findings], 'bar thin')}</td></tr>"
        )


def _needs(report: Report) -> Iterable[str]:
    groups: dict[tuple[int, str, str], list[Member]] = collections.defaultdict(list)
    for member in (finding.member for finding in report.findings):
        kind = member.condition
        if kind == "unreadable":
            groups[CONDITIONS.index(kind), f"unreadable ({(member.error or {}).get('code')})", ""].append(member)
        elif kind != "ready":
            groups[CONDITIONS.index(kind), member.word, member.remedy].append(member)
    for (index, what, remedy), members in sorted(groups.items()):
        # Errors of unreadable members differ, because they name the member: the page shows one as an example.
        advice = remedy or f"for example: {(members[0].error or {}).get('message')}"
        more = f"<li>and {len(members) - _MAX_NAMES} more, in the table below</li>" if len(members) > _MAX_NAMES else ""
        yield (
            f'<div class="group"><p><strong class="dot {CONDITIONS[index]}">{len(members)} \N{MULTIPLICATION SIGN} '
            f"{html_text(what)}</strong>: {html_text(advice)}</p>"
            f'<ul class="names">{"".join(map(_item, members[:_MAX_NAMES]))}{more}</ul></div>'
        )


def _item(member: Member) -> str:
    title = f' title="{html_text(str(member.error.get("message")))}"' if member.error else ""
    return f"<li{title}><bdi>{html_text(member.label)}</bdi></li>"


def _due_next(report: Report) -> str:
    dated = [(member.due_at, member) for member in (finding.member for finding in report.findings)]
    upcoming = sorted(
        ((due, member) for due, member in dated if due is not None), key=lambda pair: (pair[0], pair[1].key)
    )
    if not upcoming:
        return '<p class="quiet">No due date is known.</p>'
    rows = "".join(
        f'<tr><td class="long"><bdi>{html_text(member.label)}</bdi></td><td>{html_text(member.provider)}</td>'
        f"<td{_urgency(due, report.now)}>{_distance(due, report.now)}</td><td>{_time(member.due or '')}</td></tr>"
        for due, member in upcoming[:_MAX_DUE]
    )
    more = len(upcoming) - _MAX_DUE
    rest = f'<p class="quiet">and {more} later, in the table below</p>' if more > 0 else ""
    return (
        '<table class="stack"><thead><tr><th>Name</th><th>Provider</th><th>In</th><th>Due (UTC)</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>{rest}"
    )


def _sources(report: Report) -> str:
    if len(report.sources) < 2:
        return ""
    rows = "".join(
        f"<tr><td>{html_text(source.name or '?')}</td><td>{_time(source.generated_at)}</td>"
        f'<td class="number">{source.total}</td></tr>'
        for source in report.sources
    )
    return (
        "<section><h2>Made from</h2><table><thead><tr><th>Slice</th><th>Written (UTC)</th>"
        f'<th class="number">Members</th></tr></thead><tbody>{rows}</tbody></table></section>'
    )


def _worst_first(findings: Sequence[Finding]) -> list[Finding]:
    def rank(finding: Finding) -> tuple[bool, int, str]:
        return not finding.failing, CONDITIONS.index(finding.member.condition), finding.cause

    return sorted(findings, key=rank)


def _filters(findings: Sequence[Finding]) -> Iterable[str]:
    """The radio buttons that filter the table of members, without those that would leave no row."""
    counts = collections.Counter(word for finding in findings for word in ("all", *_words(finding)))
    checked = "failing" if counts["failing"] else "all"
    for name in FILTERS:
        if counts[name]:
            state = " checked" if name == checked else ""
            yield (
                f'<input class="filter" type="radio" name="show" id="show-{name}"{state}>'
                f'<label for="show-{name}">{_WORDS.get(name, name)} ({counts[name]})</label>'
            )


def _words(finding: Finding) -> list[str]:
    """The names of the filters that show a member."""
    return [*(["failing"] if finding.failing else []), finding.member.condition]


def _row(finding: Finding) -> str:
    member = finding.member
    name = member.name or member.host
    label = f"<bdi>{html_text(name)}</bdi><small>{html_text(member.id)}</small>" if name else html_text(member.id)
    return (
        f'<tr data-is="{" ".join(_words(finding))}"><td class="long">{label}</td>'
        f"<td>{_provider(member.provider, member.account or '')}</td>"
        f'<td class="dot {member.condition}">{html_text(member.word)}</td>'
        f'<td class="long">{html_text(finding.complaint)}</td>'
        f'<td data-head="due">{_time(member.due or "")}</td>'
        f'<td data-head="read at">{_time(member.observed_at or "")}</td></tr>'
    )


def _provider(provider: str, account: str) -> str:
    return html_text(provider) + (f"<small><bdi>{html_text(account)}</bdi></small>" if account else "")


def _bar(conditions: Sequence[Condition], classes: str) -> str:
    """How many members are in each condition, as a bar of which each part can be seen."""
    counts = collections.Counter(conditions)
    least, start, parts = len(conditions) / 100, 0.0, []
    for kind in reversed(CONDITIONS):
        if counts[kind]:
            width = max(counts[kind], least)
            parts.append(
                f'<rect class="{kind}" x="{start:g}" width="{width:g}" height="1">'
                f"<title>{_WORDS[kind]}: {counts[kind]}</title></rect>"
            )
            start += width
    label = ", ".join(f"{_WORDS[kind]}: {counts[kind]}" for kind in reversed(CONDITIONS) if counts[kind])
    return (
        f'<svg class="{classes}" viewBox="0 0 {start or 1:g} 1" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{"".join(parts)}</svg>'
    )


def _read_between(members: Sequence[Member]) -> str:
    times = [member.observed_at for member in members if member.observed_at]
    if not times:
        return ""
    first, last = _time(min(times)), _time(max(times))
    return f", read {first}" if first == last else f", read from {first} to {last}"


def _share(count: int, total: int) -> str:
    if not total:
        return "\N{EN DASH}"
    # 99.96% must not be rounded to 100%, which would mean all of them.
    share = 100 * count / total
    return f"{min(share, 99.9):.1f}%" if share < 100 and share >= 99.95 else f"{share:.1f}%".replace(".0%", "%")


def _urgency(due: datetime.datetime, now: datetime.datetime) -> str:
    kinds = {"overdue": "failed", "within_24h": "degraded", "within_7d": "action_required"}
    kind = kinds.get(due_bucket(due, now))
    return f' class="{kind}"' if kind else ""


def _distance(due: datetime.datetime, now: datetime.datetime) -> str:
    minutes = int(abs(due - now).total_seconds() // 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    span = f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min"
    return f"overdue for {span}" if due <= now else span


def _time(moment: str) -> str:
    """A time in ISO 8601 as the page shows it."""
    return html_text(moment.removesuffix("Z").replace("T", " "))
