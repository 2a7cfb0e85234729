# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the collection against ansible.builtin.uri, and against scripts without Ansible.

``python tests/benchmark/bench.py [--quick] [--only SECTION] [--output FOLDER]``. Every result is a ratio between
programs that run alternately in one run. docs/performance.md says how to read the results.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clients import BATCH_SIZE, CLIENTS
from measuring import Ended, Samples, children, cpu_seconds, interleave, watch
from plan import FULL, QUICK, Bulk, Capacity, Imports, Memory, Plan, Results, Role, Tasks
from report import write_report
from server import Server
from workspace import HERE, ROOT, TOKEN, Workspace, empty_task

from msgops_emulator import EmulatorProcess

# The owner of a package's code; all other packages belong to Python.
PYTHON = "Python"
OWNERS = {
    "ansible": "Ansible",
    "ansible_collections": "ours",
    **dict.fromkeys(("certifi", "chardet", "charset_normalizer", "idna", "requests", "urllib3"), "requests"),
    **dict.fromkeys(("segno", "simplejson", "yaml", "jinja2", "markupsafe", "cryptography"), "others"),
}

PARTNER_TOKEN = "gac.benchmark0a1b2c3d4e5f60718293a4b5c6d7e8f9"


class Bench:
    """One run of the benchmark: its sections, and what they have measured so far."""

    def __init__(self, plan: Plan, folder: Path, server: Server) -> None:
        self.results = Results(plan)
        self._plan = plan
        self._files = Workspace(folder, workers=plan.workers, loop=plan.loop)
        self._server = server

    # Sections

    def measure_server(self) -> None:
        """Measure the server's limit, to show that it is not the bottleneck."""
        url, workers, seconds = self._server.url(0), self._plan.workers, self._plan.capacity_seconds
        before, started = self._server.statistics(), time.perf_counter()
        if shutil.which("wrk"):
            tool = "wrk"
            target = f"{url}/waInstance1101000000/getStateInstance/{TOKEN}"
            output = self._files.run(["wrk", "-t1", f"-c{workers}", f"-d{seconds}s", target]).output
            match = re.search(r"Requests/sec:\s+([\d.]+)", output)
            assert match, output
            rate = float(match.group(1))
        else:
            tool = "raw sockets"
            script = self._files.script("sockets", url, self._files.fleet(10000 * seconds))
            printed = json.loads(self._files.run(script).output)
            rate = printed["requests"] / printed["seconds"]
        elapsed = time.perf_counter() - started
        cpu = self._server.statistics().cpu_seconds - before.cpu_seconds
        self.results.capacity = Capacity(tool, rate, cpu / elapsed)
        self._say(f"the server responds to {rate:,.0f} requests a second ({tool})")

    def measure_tasks(self) -> None:
        """Compare one task, a loop, and one task on each of many hosts with ansible.builtin.uri."""
        files, plan, url = self._files, self._plan, self._server.url(0)

        def loop(size: int) -> dict[str, str]:
            return {"loop": f"{{{{ fleet[:{size}] }}}}"}

        def compare(
            what: str, commands: Mapping[str, Sequence[str]], budget: float, **at_most: int
        ) -> dict[str, Samples]:
            contenders = {name: files.timed(command) for name, command in commands.items()}
            samples = interleave(contenders, repetitions=plan.repetitions, budget=budget, at_most=at_most)
            self._say(f"{what}: " + ", ".join(f"{name} {s.median:.2f} s" for name, s in samples.items()))
            return samples

        one = {
            "ours": files.playbook("one-ours", [files.state_task(url, "one")]),
            "uri": files.playbook("one-uri", [files.uri_task(url, "one")]),
            "module": files.playbook("one-module", [files.state_task(url, "one")], msgops_execution="module"),
            "empty": files.playbook("one-empty", [empty_task("fleet")]),
        }
        looped = files.state_task(url, "item", **loop(plan.loop))
        as_module = files.state_task(url, "item", **loop(plan.module_loop))
        many = {
            "ours": files.playbook("loop-ours", [looped]),
            "module": files.playbook("loop-module", [as_module], msgops_execution="module"),
            "uri": files.playbook("loop-uri", [files.uri_task(url, "item", **loop(plan.loop))]),
        }
        size = {"hosts": plan.hosts, "forks": plan.forks}
        hosts = {
            "ours": files.hosts_playbook("hosts-ours", files.state_task(url, "mine"), **size),
            "uri": files.hosts_playbook("hosts-uri", files.uri_task(url, "mine"), **size),
        }
        self.results.tasks = Tasks(
            compare("one task", one, 35),
            compare(f"a loop of {plan.loop}", many, 70, uri=2, module=2),
            compare(f"{plan.hosts} hosts", hosts, 60, uri=2),
        )

    def measure_instances(self) -> None:
        """Measure tasks that read the states of fleets of several sizes, at several latencies."""
        for (size, latency), budget in self._plan.instances.items():
            task = self._files.states_task(self._server.url(latency))
            # At the largest size and latency all clients only wait for the server: measure one library.
            clients = [c for c in CLIENTS if size * latency < 500_000 or c.startswith("requests")]
            file = self._files.fleet(size)
            self.results.instances.append(self._bulk(task, file, size, latency, size, budget, clients))

    def measure_phones(self) -> None:
        """Measure tasks that read the statuses of phones in batches, at several latencies."""
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
            file = self._files.write(f"phones-{size}.json", {"phones": [f"kp{n:06d}" for n in range(size)]})
            requests = -(-size // BATCH_SIZE)
            self.results.phones.append(self._bulk(task, file, size, latency, requests, budget, list(CLIENTS)))

    def measure_memory(self) -> None:
        """Measure the peaks of memory, in runs of their own: sampling the memory slows a program down."""
        files = self._files
        for size in self._plan.memory:
            file, url = files.fleet(size), self._server.url(20)
            ours = files.playbook("memory-ours", [files.states_task(url)], vars_file=file)
            empty = files.playbook("memory-empty", [empty_task("fleet")], vars_file=file)
            peaks, empty_peaks = (watch(command, files.folder, files.environment) for command in (ours, empty))
            script = files.run(files.script("requests", url, file)).peak
            self.results.memory.append(Memory(size, peaks, empty_peaks, script))
            self._say(f"memory of {size} instances: {peaks.main:.0f} MiB and its worker {peaks.child:.0f} MiB")

    def measure_role(self) -> None:
        """Measure further runs of the role on existing instances, against the emulator, which keeps state."""
        files, size = self._files, self._plan.role
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
            file = files.write("role.json", {"fleet": [{"name": f"shop-{n:05d}"} for n in range(1, size + 1)]})
            role = {
                "role": "msgops.fleet.provision",
                "provision_instances": "{{ fleet }}",
                "provision_provider": "green_api",
                "provision_api_urls": {"green_api": emulator.url},
                "provision_partner_tokens": {"green_api": PARTNER_TOKEN},
                "provision_journal": str(files.folder / "journal.sqlite3"),
            }
            play = {"hosts": "localhost", "gather_facts": False, "vars_files": [str(file)], "roles": [role]}
            command = files.play("role", play)
            known = [{"id": str(i["id"]), "token": i["token"]} for i in emulator.instances(account="benchmark")]
            script_file = files.write("role-script.json", {"fleet": known})
            first = Samples()
            first.add(files.run(command))
            used, elapsed, output = 0.0, 0.0, ""
            counts: dict[str, int] = {}

            def further() -> Ended:
                nonlocal used, elapsed, output
                emulator.clear_log()
                before = cpu_seconds(pid)
                ended = files.run(command)
                used += cpu_seconds(pid) - before
                elapsed += ended.seconds
                output = ended.output
                counts.update(emulator.log_page(limit=1)["counts"])
                return ended

            samples = interleave(
                {
                    "further": further,
                    "empty": files.timed(files.playbook("role-empty", [empty_task("fleet")], vars_file=file)),
                    "script": files.timed_script("requests", emulator.url, script_file, Samples()),
                },
                repetitions=3 if self._plan.repetitions > 1 else 1,
                budget=40,
            )
        changed = re.search(r"changed=(\d+)", output)
        assert changed, output
        samples["first"] = first
        self.results.role = Role(size, samples, counts, int(changed.group(1)), used / elapsed)
        self._say(f"the role on {size} instances: {samples['further'].median:.2f} s")

    def measure_journal(self) -> None:
        """Measure the milliseconds that the journal takes for each creation, by the number of creations in a run."""
        for size, count in self._plan.journal.items():
            file = self._files.folder / "measured" / f"{size}.sqlite3"
            output = self._files.run_python(str(HERE / "journal.py"), str(file), str(size), str(count))
            cost = self.results.journal[size] = json.loads(output)["milliseconds"]
            self._say(f"the journal takes {cost:.1f} ms per creation, {size} in a run")

    def measure_imports(self) -> None:
        """Measure the imports of each module, and those that its action plugin adds to the ones of Ansible itself."""
        package = "ansible_collections.msgops.fleet.plugins"
        repetitions = 3 if self._plan.repetitions > 1 else 1
        for path in sorted((ROOT / "plugins" / "modules").glob("*.py"))[: self._plan.modules]:
            as_module = self._import_times("", f"{package}.modules.{path.stem}", repetitions)
            action = f"{package}.action.{path.stem}"
            in_controller = self._import_times("import ansible.cli.playbook", action, repetitions)
            self.results.imports.append(Imports(path.stem, as_module, in_controller))
        self._say(f"the imports of {len(self.results.imports)} modules")

    # Helpers

    def _import_times(self, before: str, name: str, repetitions: int) -> dict[str, float]:
        """Return the milliseconds of an import by owner, the least of the repetitions."""
        program = f"import sys; {before}\nsys.stderr.write('here\\n'); import {name}"
        found: list[dict[str, float]] = []
        for _repetition in range(repetitions):
            output = self._files.run_python("-X", "importtime", "-c", program)
            owners = dict.fromkeys(OWNERS.values(), 0.0) | {PYTHON: 0.0}
            relevant = output.partition("here\n")[2] if before else output
            for microseconds, module in re.findall(r"import time: +(\d+) \| +\d+ \| +(\w+)", relevant):
                owners[OWNERS.get(module, PYTHON)] += int(microseconds) / 1000
            found.append(owners)
        return {owner: min(times[owner] for times in found) for owner in found[0]}

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
        """Compare a task on many objects with scripts that send the same requests."""
        files, url = self._files, self._server.url(latency)
        ours = files.playbook("bulk-ours", [task], vars_file=file)
        registered = files.playbook("bulk-registered", [{**task, "register": "result"}], vars_file=file)
        used = 0.0

        def run_ours() -> Ended:
            nonlocal used
            before = self._server.statistics()
            ended = files.run(ours)
            after = self._server.statistics()
            used += after.cpu_seconds - before.cpu_seconds
            sent = after.requests - before.requests
            if sent != requests:
                raise RuntimeError(f"the task sent {sent} requests instead of {requests}")
            return ended

        sending = {client: Samples() for client in clients}
        kind = "fleet" if "fleet" in json.loads(file.read_text()) else "phones"
        whole = interleave(
            {
                "ours": run_ours,
                "registered": files.timed(registered),
                "empty": files.timed(files.playbook("bulk-empty", [empty_task(kind)], vars_file=file)),
                **{client: files.timed_script(client, url, file, sending[client]) for client in clients},
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

    @staticmethod
    def _say(line: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


SECTIONS = ("server", "tasks", "instances", "phones", "memory", "role", "journal", "imports")


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure little, to check that the benchmark works")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="measure this section only; can be repeated")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "docs" / "performance", help="folder of the report (default: %(default)s)"
    )
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

    print(write_report(bench.results, options.output, load, minutes))


if __name__ == "__main__":
    main()
