# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the controller has: shared connections, progress, Ctrl-C, and secrets registered with Ansible."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.masking import can_register_secrets
from ansible_collections.msgops.fleet.plugins.module_utils._common.polling import PROGRESS_INTERVAL
from ansible_collections.msgops.fleet.tests.support.creation import wait_until
from ansible_collections.msgops.fleet.tests.support.stage import PATIENCE, Stage, end, output_at
from ansible_collections.msgops.fleet.tests.support.wire import Wire, answering, response, silence

from msgops_emulator import Control

WAIT = PROGRESS_INTERVAL + 1.5


def waiting(emulator: Control, seconds: float) -> list[dict[str, Any]]:
    """A play that waits that long for an instance that never becomes authorized."""
    seeded = emulator.seed(instances=[{"provider": "green_api", "name": "laggard", "state": "notAuthorized"}])
    instance = seeded["instances"][0]
    task = {
        "name": "wait",
        "msgops.fleet.instance_state": {
            "provider": "green_api",
            "instances": [{"id": str(instance["id"]), "token": instance["token"], "name": "laggard"}],
            "wait_for": ["authorized"],
            "wait_timeout": seconds,
            "wait_interval": 1,
        },
    }
    return [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]


def wait_for_output(process: subprocess.Popen[str]) -> str:
    """All that the process prints."""
    try:
        return process.communicate(timeout=PATIENCE)[0]
    finally:
        end(process)


def test_the_items_of_a_loop_share_a_connection(stage: Stage) -> None:
    server = Wire(answering(response({"stateInstance": "authorized"})))
    task = {
        "name": "loop",
        "msgops.fleet.instance_state": {
            "provider": "green_api",
            "api_url": server.url,
            "instance_id": "{{ item }}",
            "instance_token": "token",
        },
        "loop": [1, 2, 3, 4, 5],
    }
    try:
        played = stage.play([{"hosts": "localhost", "gather_facts": False, "tasks": [task, {**task, "name": "again"}]}])
    finally:
        server.close()
    assert played.status == 0, played.output
    assert len(server.received) == 10
    assert server.connections == 2


def test_progress_is_printed_where_somebody_watches(stage: Stage, emulator: Control) -> None:
    plays = waiting(emulator, WAIT)
    ours, theirs = pty.openpty()
    with_terminal = stage.start(plays, stdout=theirs, stderr=theirs)
    os.close(theirs)
    verbose, quiet = stage.start(plays, "-v"), stage.start(plays)
    shown, told, silent = output_at(ours, with_terminal), wait_for_output(verbose), wait_for_output(quiet)
    line = r"0 of 1 instances are authorized; notAuthorized \(1\): laggard \(\d+\) \(\d+ s elapsed, \d s left\)"
    assert re.search(line, shown), shown
    assert re.search(line, told), told
    assert "laggard" in silent, silent
    assert not re.search(line, silent)
    assert "elapsed" not in silent


def test_an_interrupted_task_ends_at_once(stage: Stage) -> None:
    server = Wire(silence)
    task = {
        "name": "hang",
        "msgops.fleet.instance_state": {
            "provider": "green_api",
            "api_url": server.url,
            "instance_id": "1",
            "instance_token": "token",
            "timeout": 10 * PATIENCE,
        },
    }
    process = stage.start([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}])
    try:
        deadline = time.monotonic() + PATIENCE
        while not server.received:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        process.communicate(timeout=PATIENCE / 3)
    finally:
        end(process)
        server.close()
    assert process.returncode not in (0, None)


@pytest.mark.parametrize("way", ["controller", "module"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_task_leaves_no_codes(
    number: signal.Signals, way: str, stage: Stage, emulator: Control, tmp_path: Path
) -> None:
    (shop,) = emulator.seed(instances=[{"provider": "green_api", "name": "shop", "state": "notAuthorized"}])[
        "instances"
    ]
    task = {
        "name": "link",
        "msgops.fleet.instance_link": {
            "provider": "green_api",
            "instances": [{"id": str(shop["id"]), "token": shop["token"], "name": "shop"}],
            "dest": str(tmp_path / "codes"),
            "wait_timeout": PATIENCE,
        },
        "vars": {"msgops_execution": way},
    }
    process = stage.start([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}])
    page = tmp_path / "codes" / "index.html"
    try:
        wait_until(lambda: "data:image/png" in page.read_text() if page.exists() else False, "a code")
        os.killpg(process.pid, number)  # as a terminal does
        process.communicate(timeout=PATIENCE)
    finally:
        end(process)
    wait_until(lambda: "was stopped before a phone was linked" in page.read_text(), "the page of a stopped task")
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]
    assert "data:image/png" not in page.read_text()


@pytest.mark.skipif(not can_register_secrets(), reason="this ansible-core has no register_secret, which 2.22 has")
@pytest.mark.parametrize("way", ["controller", "module"])
def test_a_returned_token_is_registered_as_a_secret(way: str, stage: Stage, emulator: Control) -> None:
    create = {
        "name": "create",
        "msgops.fleet.instance_create": {"provider": "green_api", "name": "new"},
        "register": "created",
    }
    show = {"name": "show", "ansible.builtin.debug": {"msg": "the token is {{ created.instance.token }}"}}
    use = {
        "name": "use",
        "msgops.fleet.instance_state": {
            "provider": "green_api",
            "instance_id": "{{ created.instance.id }}",
            "instance_token": "{{ created.instance.token }}",
        },
    }
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"msgops_execution": way},
        "tasks": [create, show, use],
    }
    played = stage.play([play], "-vvv")
    assert played.status == 0, played.output
    assert played.result("create")["instance"]["id"]
    assert played.result("use")["state"] in ("creating", "notAuthorized")
    token = emulator.instances(name="new")[0]["token"]
    assert "the token is " in played.output
    assert token not in played.output
    assert token not in str(played.results)
