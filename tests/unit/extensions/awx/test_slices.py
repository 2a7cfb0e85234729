# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet in slices, through ansible-runner's transmit, worker and process, as AWX sends jobs to other nodes.

``AWX_FLEET_SIZE=10000 AWX_SLICES=10 pytest tests/unit/extensions/awx/test_slices.py`` tries it at full size.
"""

from __future__ import annotations

import collections
import concurrent.futures
import faulthandler
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.support.awx_jobs import Job, Played, credential_inputs, environment

from msgops_emulator import Control, EmulatorProcess

for needed in ("ansible_runner", "awx_plugins.interfaces"):
    pytest.importorskip(needed, reason="needs ansible-runner and awx-plugins-core: make awx")

SIZE = int(os.environ.get("AWX_FLEET_SIZE", "80"))
SLICES = int(os.environ.get("AWX_SLICES", "4"))
WORKERS = 2
# Seconds for one stage of a slice.
PATIENCE = 1800
STATES = ["authorized"] * 18 + ["notAuthorized", "starting"]


def through_a_worker(job: Job, **extra_vars: Any) -> Played:
    """Run the check of a slice as the controller, the execution node and the controller again."""
    arguments = job.prepare(extra_vars)
    runner = [sys.executable, "-m", "ansible_runner"]
    stages = (
        [*runner, "transmit", *arguments, "-p", "check_fleet.yml"],
        [*runner, "worker", "--private-data-dir", f"{job.folder}-worker"],
        [*runner, "process", f"{job.folder}-processed", "--ident", "job"],
    )
    stream, output = b"", b""
    for stage in stages:
        done = subprocess.run(
            stage,
            input=stream,
            capture_output=True,
            env=environment(job.commands),
            cwd=job.folder,
            check=False,
            timeout=PATIENCE,
        )
        stream, output = done.stdout, output + done.stderr
    artifacts = Path(f"{job.folder}-processed") / "artifacts" / "job"
    return Played(int((artifacts / "rc").read_text()), (output + stream).decode(), artifacts)


def read_ids(control: Control) -> collections.Counter[str]:
    """How often each instance's state was read."""
    paths = [entry["path"] for entry in control.log(route="green_api.get_state")]
    return collections.Counter(match[1] for path in paths if (match := re.search(r"/waInstance(\d+)/", path)))


def test_slices_read_the_whole_fleet_and_nothing_twice(tmp_path: Path, new_job: Callable[[str], Job]) -> None:
    # The runner's processes may take longer than another test may.
    faulthandler.cancel_dump_traceback_later()
    with EmulatorProcess({"server.log_entries": 2 * SIZE + 1000}) as control:
        made = control.seed(
            instances=[{"provider": "green_api", "count": SIZE, "name": "shop-{n:05d}", "states": STATES}]
        )["instances"]
        inputs = credential_inputs(control)["GREEN-API partner"]
        update = new_job("sync")
        update.inject("GREEN-API partner", inputs)
        inventory = update.sync("green_api.msgops.yml")
        assert len(inventory["_meta"]["hostvars"]) == SIZE
        control.clear_log()

        def check(number: int) -> Played:
            job = new_job(f"slice-{number}")
            job.give(inventory, number, SLICES)
            job.inject("GREEN-API partner", inputs)
            return through_a_worker(
                job, fleet_report_dir=str(tmp_path / "reports"), fleet_max_failing="100%", awx_job_id=number,
                fleet_set_facts=os.environ.get("AWX_SET_FACTS", "true"),
            )  # fmt: skip

        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            jobs = list(pool.map(check, range(1, SLICES + 1)))
        seconds = time.monotonic() - started

        assert [job.status for job in jobs] == [0] * SLICES, jobs[0].output[-2000:]
        assert read_ids(control) == {str(instance["id"]): 1 for instance in made}
        counts = control.log_page()["counts"]
        assert counts == {"green_api.get_state": SIZE, "green_api.list": SLICES}

    whole = new_job("merge")
    whole.give({"_meta": {"hostvars": {}}})
    played = whole.play(
        "merge_reports.yml", fleet_reports=str(tmp_path / "reports" / "*.json"), fleet_report_dir=str(whole.folder)
    )
    assert played.status == 0, played.output
    report = json.loads((whole.folder / "fleet.json").read_text())
    assert {member["id"] for member in report["members"]} == {str(instance["id"]) for instance in made}
    assert {source["total"] for source in report["sources"]} == {SIZE // SLICES}
    assert report["summary"]["failing"] == SIZE // 10
    print(f"{SIZE} instances in {SLICES} slices, {WORKERS} at a time: {seconds:.0f} s, {sum(counts.values())} requests")
