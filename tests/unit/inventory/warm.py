# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs Ansible's commands, each in a fork of a process that has imported Ansible already, which saves most of the time.

A line of JSON on the standard input is a command: its arguments, environment, folder, and the file for its output. The
answer is a line with its exit status.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from ansible.cli.inventory import InventoryCLI
from ansible.cli.playbook import PlaybookCLI
from ansible.utils.display import Display

COMMANDS = {"ansible-inventory": InventoryCLI, "ansible-playbook": PlaybookCLI}


def run(command: Mapping[str, Any]) -> int:
    """Be the command; return its exit status."""
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["folder"])
    output = os.open(command["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    # Where there is no terminal, older cores break their lines at 79 columns, within words too.
    Display().columns = 10_000
    try:
        COMMANDS[command["arguments"][0]].cli_executor(command["arguments"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 255
            try:
                status = run(json.loads(line))
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])), flush=True)


if __name__ == "__main__":
    main()
