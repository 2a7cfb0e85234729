# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the collection against what a user would do otherwise, and against the limit.

``python tests/benchmark/bench.py [--quick] [--only SECTION] [--output FOLDER]``. Every case is a ratio between programs
that run in turn within this run. docs/performance.md says how to read the results.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clients import BATCH_SIZE, CLIENTS
from measuring import Ended, Peaks, Samples, children, cpu_seconds, interleave, run, watch
from server import Server

from msgops_emulator import EmulatorProcess

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from environment import without_foreign_settings  # noqa: E402

HERE = Path(__file__).resolve().parent

# Whose code a package is; what isn't here belongs to Python.
PYTHON = "Python"
OWNERS = {
    "ansible": "Ansible",
    "ansible_collections": "ours",
    **dict.fromkeys(("certifi", "chardet", "charset_normalizer", "idna", "requests", "urllib3"), "requests"),
    **dict.fromkeys(("segno", "simplejson", "yaml", "jinja2", "markupsafe", "cryptography"), "others"),
}

TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f607182"
PARTNER_TOKEN = "gac.benchmark0a1b2c3d4e5f60718293a4b5c6d7e8f9"


@dataclass(frozen=True)
class Plan:
    """How much to measure; ``budgets`` are seconds that the repetitions of a case may take."""

    instances: Mapping[tuple[int, int], float]  # (instances, latency in ms): budget
    phones: Mapping[tuple[int, int], float]
    memory: Sequence[int]
    loop: int
    module_loop: int
    hosts: int
    journal: Mapping[int, int]  # creations in a run: runs
    role: int
    repetitions: int
    workers: int = 64
    forks: int = 10
    capacity_seconds: int = 2
    modules: int | None = None  # all of them


FULL = Plan(
    instances={
        **{(size, latency): 10 for size in (10, 100) for latency in (0, 20, 100)},
        **{(1000, latency): 30 for latency in (0, 20, 100)},
        **{(10000, 0): 60, (10000, 20): 90, (10000, 100): 60},
    },
    phones={(5000, latency): 25 for latency in (0, 20, 100)},
    memory=(1000, 10000),
    loop=100,
    module_loop=21,
    hosts=100,
    journal={1: 200, 100: 5},
    role=1000,
    repetitions=7,
)
QUICK = Plan(
    instances={(10, 20): 0},
    phones={(64, 0): 0},
    memory=(10,),
    loop=2,
    module_loop=2,
    hosts=2,
    journal={1: 2},
    role=2,
    repetitions=1,
    capacity_seconds=1,
    modules=1,
)


@dataclass(frozen=True)
class Capacity:
    """What the server can do: ``tool`` got so many answers a second over as many connections as we use."""

    tool: str
    requests_per_second: float
    cpu_share: float


@dataclass(frozen=True)
class Tasks:
    """Single tasks, loops and hosts: samples by contender."""

    one: Mapping[str, Samples]
    loop: Mapping[str, Samples]
    hosts: Mapping[str, Samples]


@dataclass(frozen=True)
class Bulk:
    """Many objects in one task, in ``requests`` requests.

    ``whole`` are the times of whole programs (ours, ours with a registered result, the empty task, the scripts),
    ``sending`` those that the scripts took for their requests alone.
    ``server_share`` is the CPU time of the server per second of our task.
    """

    objects: int
    latency: int
    requests: int
    whole: Mapping[str, Samples]
    sending: Mapping[str, Samples]
    server_share: float

    def ratio(self, client: str, *, whole: bool = True) -> float | None:
        """Our time by that of the script (or of its requests alone) plus an empty task."""
        script = (self.whole if whole else self.sending).get(client)
        return self.whole["ours"].median / (script.median + self.whole["empty"].median) if script else None

    def cpu_ratio(self, client: str) -> float:
        """The same of CPU time, which other users of the machine change less."""
        return self.whole["ours"].median_cpu / (self.whole[client].median_cpu + self.whole["empty"].median_cpu)

    def rate(self, client: str) -> float | None:
        """Requests a second, without what an empty task and a script's start take."""
        if client == "ours":
            return self.requests / max(0.001, self.whole["ours"].median - self.whole["empty"].median)
        samples = self.sending.get(client)
        return self.requests / samples.median if samples else None


@dataclass(frozen=True)
class Memory:
    """The peaks of a task for so many instances, of an empty task with the same variables, and of the bare script."""

    instances: int
    ours: Peaks
    empty: Peaks
    script: float


@dataclass(frozen=True)
class Role:
    """The role over instances that exist: ``requests`` are those of its last run by route."""

    instances: int
    samples: Mapping[str, Samples]
    requests: Mapping[str, int]
    changed: int
    emulator_share: float


@dataclass(frozen=True)
class Imports:
    """Milliseconds that importing a module takes, by whose code it is; and those of its action plugin in Ansible."""

    module: str
    as_module: Mapping[str, float]
    in_controller: Mapping[str, float]


@dataclass
class Results:
    """What was measured; a section that was left out is empty."""

    plan: Plan
    capacity: Capacity | None = None
    tasks: Tasks | None = None
    instances: list[Bulk] = field(default_factory=list)
    phones: list[Bulk] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    role: Role | None = None
    journal: dict[int, float] = field(default_factory=dict)
    imports: list[Imports] = field(default_factory=list)


class Bench:
    """One run: a folder for its files, the server, and what was measured so far."""

    def __init__(self, plan: Plan, folder: Path, server: Server) -> None:
        self.results = Results(plan)
        self._plan = plan
        self._folder = folder
        self._server = server
        tree = folder / "tree" / "ansible_collections" / "msgops"
        tree.mkdir(parents=True)
        (tree / "fleet").symlink_to(ROOT, target_is_directory=True)
        self._environment = {
            **without_foreign_settings(os.environ),
            "ANSIBLE_COLLECTIONS_PATH": str(folder / "tree"),
            "ANSIBLE_HOME": str(folder / ".ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "HOME": str(folder),
        }

    # Sections

    def measure_server(self) -> None:
        """What the server can do where nothing but it costs anything."""
        url, workers, seconds = self._server.url(0), self._plan.workers, self._plan.capacity_seconds
        before, started = self._server.statistics(), time.perf_counter()
        if shutil.which("wrk"):
            tool = "wrk"
            target = f"{url}/waInstance1101000000/getStateInstance/{TOKEN}"
            output = run(
                ["wrk", "-t1", f"-c{workers}", f"-d{seconds}s", target], self._folder, self._environment
            ).output
            match = re.search(r"Requests/sec:\s+([\d.]+)", output)
            assert match, output
            rate = float(match.group(1))
        else:
            tool = "raw sockets"
            script = self._script("sockets", url, self._fleet(10000 * seconds))
            rate = script["requests"] / script["seconds"]
        elapsed = time.perf_counter() - started
        cpu = self._server.statistics().cpu_seconds - before.cpu_seconds
        self.results.capacity = Capacity(tool, rate, cpu / elapsed)
        self._say(f"the server answers {rate:,.0f} requests a second ({tool})")

    def measure_tasks(self) -> None:
        """One task, a loop, and one task on each of many hosts, against ``ansible.builtin.uri``."""
        one = self._compare(
            "one task",
            {
                "ours": self._playbook("one-ours", [self._state("one")]),
                "uri": self._playbook("one-uri", [self._uri("one")]),
                "module": self._playbook("one-module", [self._state("one")], msgops_execution="module"),
                "empty": self._playbook("one-empty", [_EMPTY]),
            },
            budget=35,
        )
        size, short = self._plan.loop, self._plan.module_loop
        loop = self._compare(
            f"a loop of {size}",
            {
                "ours": self._playbook("loop-ours", [self._state("item", loop=f"{{{{ fleet[:{size}] }}}}")]),
                "module": self._playbook(
                    "loop-module", [self._state("item", loop=f"{{{{ fleet[:{short}] }}}}")], msgops_execution="module"
                ),
                "uri": self._playbook("loop-uri", [self._uri("item", loop=f"{{{{ fleet[:{size}] }}}}")]),
            },
            budget=70,
            at_most={"uri": 2, "module": 2},
        )
        hosts = self._compare(
            f"{self._plan.hosts} hosts",
            {
                "ours": self._on_hosts("hosts-ours", self._state("mine")),
                "uri": self._on_hosts("hosts-uri", self._uri("mine")),
            },
            budget=60,
            at_most={"uri": 2},
        )
        self.results.tasks = Tasks(one, loop, hosts)

    def measure_instances(self) -> None:
        """Fleets of several sizes in one task, at several latencies."""
        for (size, latency), budget in self._plan.instances.items():
            task = {
                "msgops.fleet.instance_state": {
                    "provider": "green_api",
                    "api_url": self._server.url(latency),
                    "instances": "{{ fleet }}",
                    "concurrency": self._plan.workers,
                }
            }
            # At this size and latency, all of them only wait.
            clients = [c for c in CLIENTS if size * latency < 500_000 or c.startswith("requests")]
            self.results.instances.append(self._bulk(task, self._fleet(size), size, latency, size, budget, clients))

    def measure_phones(self) -> None:
        """Phones in batches."""
        for (size, latency), budget in self._plan.phones.items():
            task = {
                "msgops.fleet.cloudphone_status": {
                    "endpoint": self._server.url(latency),
                    "auth_token": TOKEN,
                    "instance_ids": "{{ phones }}",
                    "batch_size": BATCH_SIZE,
                    "concurrency": self._plan.workers,
                }
            }
            file = self._write(f"phones-{size}.json", {"phones": [f"kp{n:06d}" for n in range(size)]})
            requests = -(-size // BATCH_SIZE)
            self.results.phones.append(self._bulk(task, file, size, latency, requests, budget, list(CLIENTS)))

    def measure_memory(self) -> None:
        """The peaks of large fleets, in runs of their own because the looking takes time."""
        for size in self._plan.memory:
            file, url = self._fleet(size), self._server.url(20)
            task = {
                "msgops.fleet.instance_state": {
                    "provider": "green_api",
                    "api_url": url,
                    "instances": "{{ fleet }}",
                    "concurrency": self._plan.workers,
                },
            }
            ours = self._watch(self._playbook("memory-ours", [task], vars_file=file))
            empty = self._watch(self._playbook("memory-empty", [_empty("fleet")], vars_file=file))
            script = run(self._script_command("requests", url, file), self._folder, self._environment).peak
            self.results.memory.append(Memory(size, ours, empty, script))
            self._say(f"memory of {size} instances: {ours.main:.0f} MiB and its worker {ours.child:.0f} MiB")

    def measure_role(self) -> None:
        """The role's further runs over instances that exist, against the emulator: it needs a server with a memory."""
        size = self._plan.role
        account = {"provider": "green_api", "name": "benchmark", "partner_token": PARTNER_TOKEN}
        instances = {
            "provider": "green_api",
            "account": "benchmark",
            "name": "shop-{n:05d}",
            "count": size,
            "state": "authorized",
        }
        others = children(os.getpid())
        with EmulatorProcess() as emulator:
            (pid,) = set(children(os.getpid())).difference(others)
            emulator.seed(accounts=[account], instances=[instances])
            names = [f"shop-{n:05d}" for n in range(1, size + 1)]
            file = self._write("role.json", {"fleet": [{"name": name} for name in names]})
            play = {
                "hosts": "localhost",
                "gather_facts": False,
                "vars_files": [str(file)],
                "roles": [
                    {
                        "role": "msgops.fleet.provision",
                        "provision_instances": "{{ fleet }}",
                        "provision_provider": "green_api",
                        "provision_api_urls": {"green_api": emulator.url},
                        "provision_partner_tokens": {"green_api": PARTNER_TOKEN},
                        "provision_journal": str(self._folder / "journal.sqlite3"),
                    }
                ],
            }
            role = self._ansible_playbook("role", [play])
            known = [{"id": str(i["id"]), "token": i["token"]} for i in emulator.instances(account="benchmark")]
            script_file = self._write("role-script.json", {"fleet": known})
            first = Samples()
            first.add(run(role, self._folder, self._environment))
            used, elapsed, output = 0.0, 0.0, ""

            def further() -> Ended:
                nonlocal used, elapsed, output
                emulator.clear_log()
                before = cpu_seconds(pid)
                ended = run(role, self._folder, self._environment)
                used += cpu_seconds(pid) - before
                elapsed += ended.seconds
                output = ended.output
                counts.update(emulator.log_page(limit=1)["counts"])
                return ended

            counts: dict[str, int] = {}
            sending = Samples()
            samples = interleave(
                {
                    "further": further,
                    "empty": self._timed(self._playbook("role-empty", [_empty("fleet")], vars_file=file)),
                    "script": self._timed_script("requests", emulator.url, script_file, sending),
                },
                repetitions=3 if self._plan.repetitions > 1 else 1,
                budget=40,
            )
        changed = re.search(r"changed=(\d+)", output)
        assert changed, output
        samples["first"] = first
        self.results.role = Role(size, samples, counts, int(changed.group(1)), used / elapsed)
        self._say(f"the role over {size} instances: {samples['further'].median:.2f} s")

    def measure_journal(self) -> None:
        """Milliseconds of the journal for each creation, by the creations in a run."""
        environment = {**self._environment, "PYTHONPATH": str(self._folder / "tree")}
        for size, count in self._plan.journal.items():
            file = self._folder / "measured" / f"{size}.sqlite3"
            command = [sys.executable, str(HERE / "journal.py"), str(file), str(size), str(count)]
            cost = json.loads(run(command, self._folder, environment).output)["milliseconds"]
            self.results.journal[size] = cost
            self._say(f"the journal takes {cost:.1f} ms per creation, {size} in a run")

    def measure_imports(self) -> None:
        """What each module imports, and what its action plugin adds to what Ansible has imported anyway."""
        package = "ansible_collections.msgops.fleet.plugins"
        repetitions = 3 if self._plan.repetitions > 1 else 1
        for path in sorted((ROOT / "plugins" / "modules").glob("*.py"))[: self._plan.modules]:
            as_module = self._imports("", f"{package}.modules.{path.stem}", repetitions)
            in_controller = self._imports("import ansible.cli.playbook", f"{package}.action.{path.stem}", repetitions)
            self.results.imports.append(Imports(path.stem, as_module, in_controller))
        self._say(f"the imports of {len(self.results.imports)} modules")

    # Measuring

    def _imports(self, before: str, name: str, repetitions: int) -> dict[str, float]:
        """Milliseconds by owner, the least of the repetitions."""
        program = f"import sys; {before}\nsys.stderr.write('here\\n'); import {name}"
        environment = {**self._environment, "PYTHONPATH": str(self._folder / "tree")}
        found: list[dict[str, float]] = []
        for _repetition in range(repetitions):
            output = run([sys.executable, "-X", "importtime", "-c", program], self._folder, environment).output
            owners = dict.fromkeys(OWNERS.values(), 0.0) | {PYTHON: 0.0}
            relevant = output.partition("here\n")[2] if before else output
            for microseconds, module in re.findall(r"import time: +(\d+) \| +\d+ \| +(\w+)", relevant):
                owners[OWNERS.get(module, PYTHON)] += int(microseconds) / 1000
            found.append(owners)
        return {owner: min(times[owner] for times in found) for owner in found[0]}

    def _compare(
        self,
        what: str,
        commands: Mapping[str, Sequence[str]],
        *,
        budget: float,
        at_most: Mapping[str, int] | None = None,
    ) -> dict[str, Samples]:
        samples = interleave(
            {name: self._timed(command) for name, command in commands.items()},
            repetitions=self._plan.repetitions,
            budget=budget,
            at_most=at_most,
        )
        self._say(f"{what}: " + ", ".join(f"{name} {s.median:.2f} s" for name, s in samples.items()))
        return samples

    def _bulk(
        self,
        task: dict[str, Any],
        file: Path,
        objects: int,
        latency: int,
        requests: int,
        budget: float,
        clients: Sequence[str],
    ) -> Bulk:
        url = self._server.url(latency)
        ours = self._playbook("bulk-ours", [task], vars_file=file)
        registered = self._playbook("bulk-registered", [{**task, "register": "result"}], vars_file=file)
        used = 0.0

        def run_ours() -> Ended:
            nonlocal used
            before = self._server.statistics()
            ended = run(ours, self._folder, self._environment)
            after = self._server.statistics()
            used += after.cpu_seconds - before.cpu_seconds
            sent = after.requests - before.requests
            if sent != requests:
                raise RuntimeError(f"{sent} requests were sent where {requests} are enough")
            return ended

        sending = {client: Samples() for client in clients}
        kind = "fleet" if "fleet" in json.loads(file.read_text()) else "phones"
        whole = interleave(
            {
                "ours": run_ours,
                "registered": self._timed(registered),
                "empty": self._timed(self._playbook("bulk-empty", [_empty(kind)], vars_file=file)),
                **{client: self._timed_script(client, url, file, sending[client]) for client in clients},
            },
            repetitions=self._plan.repetitions,
            budget=budget,
        )
        bulk = Bulk(objects, latency, requests, whole, sending, used / sum(whole["ours"].seconds))
        self._say(
            f"{objects} {kind} at {latency} ms: "
            + ", ".join(f"{name} {samples.median:.2f} s" for name, samples in whole.items())
            + f", ratio {bulk.ratio('requests'):.2f}, of CPU time {bulk.cpu_ratio('requests'):.2f}"
        )
        return bulk

    def _timed(self, command: Sequence[str]) -> Callable[[], Ended]:
        return lambda: run(command, self._folder, self._environment)

    def _timed_script(self, client: str, url: str, file: Path, sending: Samples) -> Callable[[], Ended]:
        def measure() -> Ended:
            ended = run(self._script_command(client, url, file), self._folder, self._environment)
            sending.seconds.append(json.loads(ended.output)["seconds"])
            return ended

        return measure

    def _script(self, client: str, url: str, file: Path) -> dict[str, float]:
        output = run(self._script_command(client, url, file), self._folder, self._environment).output
        answer: dict[str, float] = json.loads(output)
        return answer

    def _script_command(self, client: str, url: str, file: Path) -> list[str]:
        return [sys.executable, str(HERE / "clients.py"), client, url, str(file), str(self._plan.workers)]

    def _watch(self, command: Sequence[str]) -> Peaks:
        return watch(command, self._folder, self._environment)

    # Playbooks

    def _state(self, which: str, **keywords: Any) -> dict[str, Any]:
        options = {"provider": "green_api", "api_url": self._server.url(0), **_WHICH[which]}
        return {"msgops.fleet.instance_state": options, "register": "state", **keywords}

    def _uri(self, which: str, **keywords: Any) -> dict[str, Any]:
        instance_id, token = _WHICH[which]["instance_id"], _WHICH[which]["instance_token"]
        url = f"{self._server.url(0)}/waInstance{instance_id}/getStateInstance/{token}"
        return {"ansible.builtin.uri": {"url": url, "return_content": True}, "register": "state", **keywords}

    def _on_hosts(self, name: str, task: dict[str, Any]) -> list[str]:
        mine = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        hosts = {f"host{n:03d}": {"id": str(1101000000 + n), "token": TOKEN, **mine} for n in range(self._plan.hosts)}
        inventory = self._write("hosts.json", {"all": {"hosts": hosts}})
        play = {"hosts": "all", "gather_facts": False, "tasks": [task]}
        return [*self._ansible_playbook(name, [play]), "-i", str(inventory), "-f", str(self._plan.forks)]

    def _playbook(
        self, name: str, tasks: list[dict[str, Any]], *, vars_file: Path | None = None, **variables: Any
    ) -> list[str]:
        file = vars_file or self._fleet(self._plan.loop)
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": variables,
            "vars_files": [str(file)],
            "tasks": tasks,
        }
        return self._ansible_playbook(f"{name}-{file.stem}", [play])

    def _ansible_playbook(self, name: str, plays: list[dict[str, Any]]) -> list[str]:
        playbook = self._write(f"{name}.yml", plays)
        return [str(Path(sys.executable).with_name("ansible-playbook")), str(playbook)]

    def _fleet(self, size: int) -> Path:
        fleet = [{"id": str(1101000000 + n), "token": TOKEN, "name": f"shop-{n:05d}"} for n in range(size)]
        return self._write(f"fleet-{size}.json", {"fleet": fleet})

    def _write(self, name: str, content: Any) -> Path:
        # JSON, which Ansible reads as YAML but faster: reading the variables isn't what is measured.
        path = self._folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    @staticmethod
    def _say(line: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


_WHICH = {
    "one": {"instance_id": "1101000000", "instance_token": TOKEN},
    "item": {"instance_id": "{{ item.id }}", "instance_token": "{{ item.token }}"},
    "mine": {"instance_id": "{{ id }}", "instance_token": "{{ token }}"},
}


def _empty(variable: str) -> dict[str, Any]:
    return {"ansible.builtin.debug": {"msg": f"{{{{ {variable} | length }}}}"}}


_EMPTY = _empty("fleet")

SECTIONS = ("server", "tasks", "instances", "phones", "memory", "role", "journal", "imports")


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="next to nothing, to see that it works")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="a section to measure, instead of all")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "performance", help="where to write the report")
    options = parser.parse_args()

    load = os.getloadavg()
    print(f"load average {', '.join(f'{value:.2f}' for value in load)} on {os.cpu_count()} CPUs", flush=True)
    started = time.time()
    with tempfile.TemporaryDirectory(prefix="msgops-benchmark-") as folder, Server() as server:
        bench = Bench(QUICK if options.quick else FULL, Path(folder), server)
        for section in SECTIONS:
            if not options.only or section in options.only:
                getattr(bench, f"measure_{section}")()
    minutes = (time.time() - started) / 60
    print(f"{minutes:.1f} minutes", flush=True)

    from report import write_report

    print(write_report(bench.results, options.output, load, minutes))


if __name__ == "__main__":
    main()
