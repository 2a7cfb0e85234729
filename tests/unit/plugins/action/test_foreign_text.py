# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-playbook shows on a terminal, and writes to its log, of names that are weapons."""

from __future__ import annotations

import json
import os
import pty
from pathlib import Path
from typing import Any

from ansible_collections.msgops.fleet.tests.support.foreign_text import foreign_name, unprintable_lines
from ansible_collections.msgops.fleet.tests.support.stage import Stage, output_at
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from msgops_emulator import Control

# So many names at once, because a playbook takes seconds.
_names = st.lists(foreign_name, min_size=30, max_size=30, unique=True)


@settings(
    max_examples=1,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(names=_names)
def test_a_terminal_and_a_log_get_printable_lines(
    stage: Stage, emulator: Control, tmp_path: Path, names: list[str]
) -> None:
    emulator.seed(instances=[{"provider": "green_api", "name": n, "state": "notAuthorized"} for n in names])
    emulator.arm("green_api.qr", "status", count=None, status=403, body={"message": names[0]})
    listed: dict[str, Any] = {"instances": "{{ listing.instances }}"}
    tasks: dict[str, dict[str, Any]] = {
        # It prints its first line of progress at once.
        "link": {"msgops.fleet.instance_link": {**listed, "dest": str(tmp_path / "codes"), "wait_timeout": 1}},
        "create": {"msgops.fleet.instance_create": listed, "check_mode": True, "diff": True},
        "reboot": {"msgops.fleet.instance_reboot": listed, "check_mode": True, "diff": True},
    }
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {"msgops.fleet.instance_info": {"provider": "green_api"}, "register": "listing", "no_log": True},
            # Ansible prints the whole result of a task that fails, with the names as they are.
            *({**task, "name": name, "register": name, "failed_when": False} for name, task in tasks.items()),
            *({"name": "show", "ansible.builtin.debug": {"var": f"{name}.msg"}} for name in tasks),
            {
                "name": "keep",
                "ansible.builtin.copy": {
                    "content": "{{ link.instances | map(attribute='name') | to_json }}",
                    "dest": str(tmp_path / "names.json"),
                    "mode": "0600",
                },
            },
        ],
    }
    ours, theirs = pty.openpty()
    log = stage.folder / "ansible.log"
    process = stage.start([play], environment={"ANSIBLE_LOG_PATH": str(log)}, stdout=theirs, stderr=theirs)
    os.close(theirs)
    terminal = output_at(ours, process)
    assert process.returncode == 0, terminal
    assert unprintable_lines(terminal.replace("\r\n", "\n").split("\n")) == {}
    assert unprintable_lines(log.read_text().split("\n")) == {}
    assert "wait for a phone" in terminal
    kept = json.loads((tmp_path / "names.json").read_text())
    assert sorted(kept) == sorted(names)
