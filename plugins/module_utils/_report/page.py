# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on a fleet as one HTML page: no script, and nothing that is loaded from anywhere."""

from __future__ import annotations

import collections
import datetime
import html
from collections.abc import Iterable, Sequence

from .._common.states import Health
from .due import due_bucket
from .members import Member
from .page_template import PAGE
from .report import Finding, Report

# From what is worst to what is well; an unreadable member has no health to speak of.
_KINDS = ("failed", "degraded", "action_required", "unreadable", "unknown", "transient", "ready")
_WORDS = {
    "failed": "failed",
    "degraded": "degraded",
    "action_required": "needs a person",
    "unreadable": "unreadable",
    "unknown": "unknown",
    "transient": "on its way",
    "ready": "ready",
}
_NAMED = 60
_EXPIRING = 20


def render_page(report: Report) -> str:
    """The report for people, in the reader's own choice of light or dark."""
    summary, broken = report.summary(), report.broken()
    total = len(report.findings)
    return PAGE.substitute(
        title=_text(report.title),
        verdict_kind="failed" if broken else "ready",
        verdict="\N{BALLOT X} not in order" if broken else "\N{CHECK MARK} in order",
        broken="".join(f"<p><strong>{_text(sentence)}.</strong></p>" for sentence in broken),
        rule=_text(report.rule.words()),
        generated_at=_time(report.generated_at),
        read=_read_between([finding.member for finding in report.findings]),
        colors="\n".join(f".{kind} {{ color: var(--{kind}); }} i.{kind} {{ background: var(--{kind}); }}"
                         for kind in _KINDS),
        tiles="".join(
            f'<div class="tile"><b{f" class={kind}" if kind else ""}>{value}</b>{_text(label)}</div>'
            for value, label, kind in _tiles(report, summary["due"])
        ),
        state_bar=_bar([_looks_like(finding.member) for finding in report.findings]),
        states="".join(_states(report)),
        providers="".join(_providers(report)),
        needs="".join(_needs(report)) or '<p class="ready">Nobody needs anything.</p>',
        expiring=_expiring(report),
        sources=_sources(report),
        total=total,
        members="\n".join(map(_row, report.findings)),
    )  # fmt: skip


def _tiles(report: Report, due: dict[str, int]) -> list[tuple[str, str, str]]:
    total = len(report.findings)
    kinds = collections.Counter(_looks_like(finding.member) for finding in report.findings)
    out, soon = len(report.out), due["overdue"] + due["within_24h"] + due["within_7d"]
    limit = report.rule.may_be_out(total)
    return [
        (str(total), "members", ""),
        (_share(kinds["ready"], total), f"ready ({kinds['ready']})", "ready"),
        (str(out), f"out of order ({limit} may be)", "failed" if out > limit else ""),
        (str(kinds["unreadable"]), "unreadable", "unreadable" if kinds["unreadable"] else ""),
        (str(soon), "due within 7 days, or overdue", "degraded" if soon else ""),
    ]


def _states(report: Report) -> Iterable[str]:
    total = len(report.findings)
    counts = collections.Counter((_looks_like(f.member), f.member.state or "not read") for f in report.findings)
    for (kind, state), count in sorted(counts.items(), key=lambda item: (-_KINDS.index(item[0][0]), -item[1])):
        yield (
            f'<tr><td class="dot {kind}">{_text(state)}</td><td>{_WORDS[kind]}</td><td class="number">{count}</td>'
            f'<td class="number">{_share(count, total)}</td></tr>'
        )


def _providers(report: Report) -> Iterable[str]:
    kinds: dict[str, list[str]] = collections.defaultdict(list)
    for finding in report.findings:
        kinds[finding.member.provider].append(_looks_like(finding.member))
    for provider, those in sorted(kinds.items()):
        yield (
            f'<tr><td>{_text(provider)}</td><td class="number">{len(those)}</td>'
            f'<td class="number">{_share(those.count("ready"), len(those))}</td>'
            f'<td><div class="bar thin">{_bar(those)}</div></td></tr>'
        )


def _needs(report: Report) -> Iterable[str]:
    groups: dict[tuple[int, str, str], list[Member]] = collections.defaultdict(list)
    for member in (finding.member for finding in report.findings):
        kind = _looks_like(member)
        if kind == "unreadable":
            groups[_KINDS.index(kind), f"not read ({(member.error or {}).get('code')})", ""].append(member)
        elif kind != "ready":
            groups[_KINDS.index(kind), str(member.state), member.remedy].append(member)
    for (index, what, remedy), members in sorted(groups.items()):
        # Why a member could not be read, its error says, with its ID in it.
        advice = remedy or f"for example, {(members[0].error or {}).get('message')}"
        more = f"<li>and {len(members) - _NAMED} more, in the table below</li>" if len(members) > _NAMED else ""
        yield (
            f'<div class="group"><p><strong class="dot {_KINDS[index]}">{len(members)} \N{MULTIPLICATION SIGN} '
            f"{_text(what)}</strong>: {_text(advice)}</p>"
            f'<ul class="names">{"".join(map(_item, members[:_NAMED]))}{more}</ul></div>'
        )


def _item(member: Member) -> str:
    title = f' title="{_text(str(member.error.get("message")))}"' if member.error else ""
    return f"<li{title}><bdi>{_text(member.label)}</bdi></li>"


def _expiring(report: Report) -> str:
    dated = [(member.due_at, member) for member in (finding.member for finding in report.findings)]
    upcoming = sorted(
        ((due, member) for due, member in dated if due is not None), key=lambda pair: (pair[0], pair[1].key)
    )
    if not upcoming:
        return '<p class="quiet">No due date is known.</p>'
    rows = "".join(
        f'<tr><td class="long"><bdi>{_text(member.label)}</bdi></td><td>{_text(member.provider)}</td>'
        f"<td{_urgency(due, report.now)}>{_distance(due, report.now)}</td><td>{_time(member.due or '')}</td></tr>"
        for due, member in upcoming[:_EXPIRING]
    )
    more = len(upcoming) - _EXPIRING
    rest = f'<p class="quiet">and {more} later, in the table below</p>' if more > 0 else ""
    return (
        '<div class="scroll"><table><thead><tr><th>Name</th><th>Provider</th><th>In</th><th>Due (UTC)</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>{rest}"
    )


def _sources(report: Report) -> str:
    if len(report.sources) < 2:
        return ""
    rows = "".join(
        f"<tr><td>{_text(source.name or '?')}</td><td>{_time(source.generated_at)}</td>"
        f'<td class="number">{source.total}</td></tr>'
        for source in report.sources
    )
    return (
        '<section><h2>Made from</h2><div class="scroll"><table><thead><tr><th>Slice</th><th>Written (UTC)</th>'
        f'<th class="number">Members</th></tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _row(finding: Finding) -> str:
    member = finding.member
    return (
        f'<tr><td class="long"><bdi>{_text(member.name or member.host or "")}</bdi></td><td>{_text(member.id)}</td>'
        f"<td>{_text(member.provider)}</td>"
        f'<td class="dot {_looks_like(member)}">{_text(member.state or "not read")}</td>'
        f"<td>{_time(member.due or '')}</td><td>{_time(member.observed_at or '')}</td>"
        f'<td class="long">{_text(finding.complaint)}</td></tr>'
    )


def _looks_like(member: Member) -> Health | str:
    return "unreadable" if member.state is None else member.health


def _bar(kinds: Sequence[str]) -> str:
    counts = collections.Counter(kinds)
    return "".join(
        f'<i class="{kind}" style="flex: {counts[kind]}" title="{_WORDS[kind]}: {counts[kind]}"></i>'
        for kind in reversed(_KINDS)
        if counts[kind]
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
    # Rounding must not turn almost all into all.
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
    """ISO 8601 in UTC, for people."""
    return _text(moment.removesuffix("Z").replace("T", " "))


def _text(text: str) -> str:
    """``text`` on the page: no markup, and on one line whatever characters it holds."""
    return html.escape(" ".join("".join(c if c.isprintable() else " " for c in text).split()))
