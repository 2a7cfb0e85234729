# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as Markdown tables."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from measuring import Samples
    from plan import Bulk, Results

ROOT = Path(__file__).resolve().parents[2]

# The names of the clients in the tables, in their order.
CLIENT_NAMES = {
    "requests": "requests",
    "requests-alone": "requests, trust_env=False",
    "urllib3": "urllib3",
    "sockets": "raw sockets",
}

# The promise: a task takes at most this many times the time of the script plus an empty task.
LIMIT = 1.15


def write_report(results: Results, folder: Path, load: Sequence[float], minutes: float) -> Path:
    """Write results.md, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [
        "<!-- Written by tests/benchmark/bench.py; docs/performance.md says how to read it. -->",
        "# Performance: results",
        "Times are seconds, median (best) over the interleaved repetitions of one run. "
        "[How to read this](../performance.md).",
        _machine(results, load, minutes),
        _claims(results),
        _server(results),
        _tasks(results),
        _bulk("Instances in one task", "instances", results.instances, results.plan.workers),
        _bulk("Phones in one task", "phones", results.phones, results.plan.workers),
        _memory(results),
        _role(results),
        _journal(results),
        _imports(results),
    ]
    page = folder / "results.md"
    page.write_text("\n\n".join(part.strip() for part in parts if part) + "\n", encoding="utf-8")
    return page


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *(["---:"] * (len(head) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _seconds(samples: Samples | None) -> str:
    return f"{samples.median:.2f} ({samples.best:.2f})" if samples else "–"


def _number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _times(slower: Samples, faster: Samples) -> str:
    return f"{slower.median / faster.median:.1f} ({slower.best / faster.best:.1f})"


def _machine(results: Results, load: Sequence[float], minutes: float) -> str:
    cpu, memory = platform.processor() or platform.machine(), "?"
    if Path("/proc/cpuinfo").exists():
        match = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        cpu = match.group(1) if match else cpu
        match = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
        memory = f"{int(match.group(1)) / 2**20:.0f} GiB" if match else memory
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("ansible-core", "requests", "urllib3")
    )
    rows = [
        ("date", f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, {minutes:.1f} minutes"),
        ("commit", _commit()),
        ("machine", f"{cpu}, {os.cpu_count()} CPUs, {memory}"),
        ("system", f"{platform.system()} {platform.release()}"),
        ("versions", f"Python {platform.python_version()}, {versions}"),
        ("load average at the start", ", ".join(f"{value:.2f}" for value in load)),
    ]
    return "## Machine\n\n" + "\n".join(["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in rows)])


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=10"]
    if not shutil.which("git"):
        return "unknown"
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def _claims(results: Results) -> str:
    rows: list[tuple[str, str, bool]] = []
    if results.tasks:
        one, loop, hosts = results.tasks.one, results.tasks.loop, results.tasks.hosts
        ratio = one["ours"].median / one["uri"].median
        rows.append(("one task for one instance is no slower than `uri`", f"{ratio:.2f} times", ratio <= 1))
        ratio = loop["uri"].median / loop["ours"].median
        text = f"a loop of {results.plan.loop} is at least 10 times as fast as `uri`"
        rows.append((text, f"{ratio:.1f} times", ratio >= 10))
        ratio = hosts["uri"].median / hosts["ours"].median
        text = f"{results.plan.hosts} hosts at forks {results.plan.forks} are at least 5 times as fast as `uri`"
        rows.append((text, f"{ratio:.1f} times", ratio >= 5))
    costs: dict[int, float] = {}
    for kind, bulk in [("instances", b) for b in results.instances] + [("phones", b) for b in results.phones]:
        if bulk.latency == 20 and bulk.objects >= 1000:
            ratio = bulk.ratio("requests") or 0.0
            what = f"{bulk.objects:,} {kind} at 20 ms take at most {LIMIT} times a bare script plus an empty task"
            rows.append((what, f"{ratio:.2f} times, in {bulk.requests:,} requests", ratio <= LIMIT))
            if kind == "instances":
                costs[bulk.objects] = 1 / (bulk.rate("ours") or 1.0)
    if len(costs) > 1:
        (small, cheap), *_more, (large, dear) = sorted(costs.items())
        text = f"one of {large:,} instances takes no longer than one of {small:,}"
        rows.append((text, f"{dear * 1000:.2f} ms, {cheap * 1000:.2f} ms", dear <= cheap * 1.05))
    for memory in results.memory:
        peak = max(memory.ours.main, memory.ours.child) * 2**20 / 10**6
        text = f"no process takes 150 MB of memory for {memory.instances:,} instances"
        rows.append((text, f"{peak:.0f} MB", peak < 150))
    if results.role:
        role = results.role
        expected = {"green_api.list": 1, "green_api.get_state": role.instances}
        holds = role.changed == 0 and dict(role.requests) == expected
        sent = ", ".join(f"{count:,} {route}" for route, count in sorted(role.requests.items()))
        text = f"the role over {role.instances:,} existing instances changes nothing: one listing, one read each"
        rows.append((text, f"changed={role.changed}; {sent}; {role.samples['further'].median:.1f} s", holds))
    for size, cost in results.journal.items():
        text = f"the journal takes less than 5 ms per creation, {size} in a run"
        rows.append((text, f"{cost:.1f} ms", cost < 5))
    if not rows:
        return ""
    return "## Promises\n\n" + _table(
        ("", "measured", "holds"), [(text, value, "yes" if holds else "**no**") for text, value, holds in rows]
    )


def _server(results: Results) -> str:
    if not results.capacity:
        return ""
    capacity = results.capacity
    return (
        "## The server is not the bottleneck\n\n"
        f"For {capacity.tool} with {results.plan.workers} connections in this run, it served "
        f"{capacity.requests_per_second:,.0f} requests a second at {capacity.cpu_share:.0%} of a CPU. The column "
        "*server* of the tables below is the share of a CPU that it took while our task ran."
    )


def _tasks(results: Results) -> str:
    if not results.tasks:
        return ""
    tasks, plan = results.tasks, results.plan
    rows = [
        (f"{what}", _seconds(s["ours"]), _seconds(s.get("module")), _seconds(s["uri"]), _times(s["uri"], s["ours"]))
        for what, s in (
            ("one task", tasks.one),
            (f"a loop of {plan.loop}", {k: v for k, v in tasks.loop.items() if k != "module"}),
            (f"{plan.hosts} hosts, forks {plan.forks}", tasks.hosts),
        )
    ]
    lengths = {"ours": plan.loop, "module": plan.module_loop, "uri": plan.loop}
    names = {"ours": "`instance_state`", "module": "`instance_state`, `msgops_execution: module`", "uri": "`uri`"}
    costs = [
        (names[way], _number((tasks.loop[way].median - tasks.one[way].median) / (length - 1) * 1000, 1), f"{length}")
        for way, length in lengths.items()
    ]
    return "\n\n".join(
        [
            "## Single tasks\n\nWhole ansible-playbook runs; one that only has a `debug` task takes "
            f"{_seconds(tasks.one['empty'])}.",
            _table(("", "ours", "ours as module", "`uri`", "times as fast as `uri`"), rows),
            "Time for one more item of a loop:",
            _table(("", "ms per item", "loop of"), costs),
        ]
    )


def _bulk(title: str, what: str, bulks: Sequence[Bulk], workers: int) -> str:
    if not bulks:
        return ""
    clients = list(CLIENT_NAMES)
    times = [
        (
            f"{b.objects:,}",
            f"{b.latency} ms",
            _seconds(b.whole["ours"]),
            _seconds(b.whole["registered"]),
            _seconds(b.whole["empty"]),
            *(_seconds(b.whole.get(client)) for client in clients),
            f"{b.server_share:.0%}",
            str(len(b.whole["ours"].seconds)),
        )
        for b in bulks
    ]
    ratios = [
        (
            f"{b.objects:,}",
            f"{b.latency} ms",
            _number(b.ratio("requests"), 2),
            _number(b.ratio("requests-alone"), 2),
            _number(b.ratio("requests", whole=False), 2),
            _number(b.ratio("requests-alone", whole=False), 2),
            _number(b.cpu_ratio("requests"), 2),
            *(_number(b.rate(client)) for client in ("ours", *clients)),
        )
        for b in bulks
    ]
    names = list(CLIENT_NAMES.values())
    return "\n\n".join(
        [
            f"## {title}\n\n{workers} at once. Whole programs: our playbook, a playbook with a `debug` task on the "
            "same variables, and Python scripts without Ansible that send the same requests.",
            _table((what, "latency", "ours", "with `register`", "empty task", *names, "server", "repetitions"), times),
            "Ratio of our time to *empty task* + *script*, and to *empty task* + the script's requests alone; requests "
            "a second, without the time for an empty task or for the start of the script:",
            _table(
                (
                    what,
                    "latency",
                    "ratio",
                    "to trust_env=False",
                    "to the requests alone",
                    "with trust_env=False",
                    "of CPU time",
                    "ours/s",
                    *(f"{name}/s" for name in names),
                ),
                ratios,
            ),
        ]
    )


def _memory(results: Results) -> str:
    if not results.memory:
        return ""
    rows = [
        (
            f"{m.instances:,}",
            *(_number(v) for v in (m.ours.main, m.ours.child, m.empty.main, m.empty.child, m.script)),
        )
        for m in results.memory
    ]
    return (
        "## Memory\n\nThe largest resident memory of a process in MiB, at 20 ms. A worker is a fork of "
        "ansible-playbook: shared memory counts for both.\n\n"
        + _table(
            ("instances", "ansible-playbook", "its worker", "with an empty task", "its worker", "bare script"), rows
        )
    )


def _role(results: Results) -> str:
    if not results.role:
        return ""
    role = results.role
    s = role.samples
    row = (f"{role.instances:,}", _seconds(s["first"]), *(_seconds(s[name]) for name in ("further", "empty", "script")))
    return (
        "## The role `provision`\n\nOn existing, authorized instances, against the emulator, which keeps state and "
        f"took {role.emulator_share:.0%} of a CPU meanwhile. The script reads the states with `requests`, without "
        "listing.\n\n" + _table(("instances", "first run", "further runs", "empty task", "script"), [row])
    )


def _journal(results: Results) -> str:
    if not results.journal:
        return ""
    rows = [(f"{size:,}", f"{cost:.1f} ms") for size, cost in results.journal.items()]
    return (
        "## The journal\n\nThe time per creation for writing each step to the disk before the next one: the median of "
        "many runs with a SQLite file.\n\n" + _table(("creations in a run", "each"), rows)
    )


def _imports(results: Results) -> str:
    if not results.imports:
        return ""
    owners = list(results.imports[0].as_module)
    rows = [
        (
            f"`{imports.module}`",
            _number(sum(imports.as_module.values())),
            *(_number(imports.as_module[owner]) for owner in owners),
            _number(sum(imports.in_controller.values())),
            *(_number(imports.in_controller[owner]) for owner in owners),
        )
        for imports in results.imports
    ]
    return (
        "## Imports\n\nMilliseconds by `python -X importtime`, which itself slows imports down: those of a module in "
        "a new interpreter, and those of its action plugin in ansible-playbook.\n\n"
        + _table(("", "as a module", *owners, "in the controller", *owners), rows)
    )
