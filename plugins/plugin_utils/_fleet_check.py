# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a fleet: read the hosts of a play, evaluate them by a rule, and write the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.errors import AnsibleError
from ansible.utils.helpers import pct_to_int
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.texts import join_first
from ansible_collections.msgops.fleet.plugins.module_utils._common.timestamps import utc_now
from ansible_collections.msgops.fleet.plugins.module_utils._report.evaluation import evaluate
from ansible_collections.msgops.fleet.plugins.module_utils._report.files import load_parts, write_report
from ansible_collections.msgops.fleet.plugins.module_utils._report.members import Member, instance_member, phone_member
from ansible_collections.msgops.fleet.plugins.module_utils._report.report import Report, Source
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import Rule, common_rule
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext
from ansible_collections.msgops.fleet.plugins.plugin_utils._fleet_hosts import FleetHost, fleet_host
from ansible_collections.msgops.fleet.plugins.plugin_utils._fleet_reading import Row, read_instances, read_phones
from ansible_collections.msgops.fleet.plugins.plugin_utils._sources import failed_sources

# The group of hosts on which the playbooks' last play fails.
FAILING_GROUP = "msgops_failing"

# Ansible's name for the controller.
LOCALHOST = "localhost"

# How many states and causes the line of counts names.
_CAUSES_SHOWN = 10


@dataclass(frozen=True)
class Play:
    """The play in which the check runs: its inventory (an ``InventoryManager``) and its active hosts.

    Hosts outside of ``--limit`` are not in the play, and hosts that failed earlier in the run are not active.
    """

    inventory: Any
    hostvars: Mapping[str, Mapping[str, Any]]
    active: frozenset[str]

    @classmethod
    def from_task_vars(cls, task_vars: Mapping[str, Any]) -> Play:
        """The play of a task with these variables."""
        hostvars = task_vars["hostvars"]
        return cls(hostvars._inventory, hostvars, frozenset(task_vars["ansible_play_hosts"]))

    def matching(self, pattern: Sequence[str]) -> list[str]:
        """The active hosts that match ``pattern``.

        :raises UsageError: if it is no pattern.
        """
        try:
            names = [str(host.name) for host in self.inventory.get_hosts(pattern)]
        except AnsibleError as error:
            raise UsageError(f"the pattern {':'.join(pattern)} can't be used: {error}") from None
        return [name for name in names if name in self.active]

    def grouped(self, group: str) -> set[str]:
        """The active hosts in ``group``, which need not exist."""
        found = self.inventory.groups.get(group)
        return {host.name for host in found.get_hosts() if host.name in self.active} if found else set()


@dataclass
class _Unseen:
    """What the check could not see: ``problems`` fail the fleet, ``notes`` are problems that the user allows."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, sentence: str, variable: str, *, is_allowed: bool) -> None:
        """Add a sentence to the problems, or to the notes if ``variable`` allows it."""
        if is_allowed:
            self.notes.append(f"{sentence} ({variable} allows that)")
        else:
            self.problems.append(sentence)


def check(task: TaskContext, play: Play, *, set_facts: bool) -> dict[str, Any]:
    """Check the fleet. The result tells the playbook what to print, which facts to set, and which hosts to fail."""
    params = task.params
    report, rows = _merge(task) if params["kind"] == "reports" else _read(task, play)
    files = {f"{kind}_file": _report_path(params, suffix) for kind, suffix in _FILES.items()}
    result = {
        "changed": write_report(report, files, check_mode=task.check_mode),
        **report.as_result(),
        "shown": _shown(report, params["shown"], files["html_file"]),
        "hosts": rows if set_facts else [],
        **_to_fail(report, play, blames_hosts=params["kind"] != "reports"),
    }
    return result | ({"report": report.as_json()} if params["return_report"] else {})


_FILES = {"json": ".json", "junit": ".xml", "html": ".html"}


def _report_path(params: Mapping[str, Any], suffix: str) -> str | None:
    folder = params["report_dir"]
    return f"{folder}/{params['report_name']}{suffix}" if folder else None


def _read(task: TaskContext, play: Play) -> tuple[Report, list[Row]]:
    params, phones = task.params, task.params["kind"] == "phones"
    rule = Rule.from_option(params["rule"]) if params["rule"] else Rule()
    hosts = [fleet_host(name, play.hostvars[name], phones=phones) for name in play.matching(params["pattern"])]
    unseen = _Unseen()
    for failure in failed_sources(play.inventory):
        unseen.add(failure, "fleet_allow_partial", is_allowed=params["allow_partial"])
    if not hosts:
        sentence = f"the pattern {','.join(params['pattern'])} matches no host"
        unseen.add(sentence, "fleet_allow_empty", is_allowed=params["allow_empty"])
    batches = list(_batches(hosts, params["serial"]))
    rows = read_phones(task, batches) if phones else read_instances(task, hosts, batches)
    make: Callable[[Row, str], Member] = phone_member if phones else instance_member
    now = utc_now()
    report = evaluate(
        [make(row, row["host"]) for row in rows],
        rule,
        title=params["title"],
        generated_at=now,
        sources=[Source(params["slice"], now, len(rows))],
        problems=unseen.problems,
        notes=unseen.notes,
    )
    return report, rows


def _merge(task: TaskContext) -> tuple[Report, list[Row]]:
    params = task.params
    parts = load_parts([*params["reports"], *params["artifacts"]], task.folder)
    if not parts:
        raise UsageError("there is no report to merge: name the reports in fleet_reports")
    report = evaluate(
        [member for part in parts for member in part.members],
        Rule.from_option(params["rule"]) if params["rule"] else common_rule([part.rule for part in parts]),
        title=params["title"],
        generated_at=utc_now(),
        sources=[source for part in parts for source in part.sources],
        problems=[problem for part in parts for problem in part.problems],
        notes=[note for part in parts for note in part.notes],
    )
    return report, []


def _batches(hosts: Sequence[FleetHost], sizes: Sequence[str]) -> Iterator[Sequence[FleetHost]]:
    """``hosts`` in batches of these sizes, numbers or shares as of a play's ``serial``; the last size is repeated.

    :raises UsageError: if a size is neither.
    """
    start, index = 0, 0
    while start < len(hosts):
        try:
            size = pct_to_int(sizes[min(index, len(sizes) - 1)], len(hosts), min_value=1)
        except ValueError:
            size = 0
        if size < 1:
            raise UsageError(f"fleet_serial must be a number such as 50 or a share such as 10%, not {','.join(sizes)}")
        yield hosts[start : start + size]
        start, index = start + size, index + 1


def _shown(report: Report, limit: int, page: str | None) -> list[str]:
    """The lines to print: the verdict, why, one line of counts by state and cause, and the worst members."""
    total, failing = len(report.findings), report.failing
    causes = [f"{count} {cause}" for cause, count in report.summary()["by_cause"].items()]
    verdict = "failed" if report.violations() else "passed"
    return [
        f"{verdict}: {total - len(failing)} of {total} healthy, {len(failing)} failing",
        *report.violations(),
        *report.notes,
        *([join_first(causes, _CAUSES_SHOWN)] if causes else []),
        *(finding.line for finding in failing[:limit]),
        *([f"and {len(failing) - limit} more" + (f" in {page}" if page else "")] if len(failing) > limit else []),
    ]


def _to_fail(report: Report, play: Play, *, blames_hosts: bool) -> dict[str, Any]:
    """What the playbook's last play fails: ``to_fail``, hosts with a line on each, and ``localhost_line``.

    These are the failing hosts, the worst first, if more are failing than may be, and if the check has read hosts of
    this play (``blames_hosts``). If the fleet fails otherwise, no host is to blame: localhost fails, or the first host
    if localhost isn't in the play.

    A host that an earlier check in this run has put into the group of failing hosts, and that is active again, gets an
    empty line: it must not fail because of that check.
    """
    failing = report.failing if blames_hosts and report.has_too_many_failing else []
    lines = {finding.member.host: finding.line for finding in failing if finding.member.host}
    localhost_line = ""
    if not lines and (violations := report.violations()):
        if LOCALHOST in play.active:
            localhost_line = "; ".join(violations)
        else:
            lines[min(play.active)] = "; ".join(violations)
    earlier = sorted(play.grouped(FAILING_GROUP) - lines.keys())
    hosts = [{"host": host, "line": line} for host, line in [*lines.items(), *((host, "") for host in earlier)]]
    return {"to_fail": hosts, "localhost_line": localhost_line}
