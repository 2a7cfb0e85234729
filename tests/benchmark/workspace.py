# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's folder: its variables and playbooks, and the programs that run there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from measuring import Ended, Samples, run

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from environment import without_foreign_settings  # noqa: E402

HERE = Path(__file__).resolve().parent

TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f607182"

# Which instance a task is for: one instance, that of the loop, or that of the host.
WHICH = {
    "one": {"instance_id": "1101000000", "instance_token": TOKEN},
    "item": {"instance_id": "{{ item.id }}", "instance_token": "{{ item.token }}"},
    "mine": {"instance_id": "{{ id }}", "instance_token": "{{ token }}"},
}


def empty_task(variable: str) -> dict[str, Any]:
    """Return a task that only reads a variable."""
    return {"ansible.builtin.debug": {"msg": f"{{{{ {variable} | length }}}}"}}


class Workspace:
    """A folder with its own HOME and the checkout as a collection. ``workers``: requests at once."""

    def __init__(self, folder: Path, *, workers: int, loop: int) -> None:
        self.folder = folder
        self._workers = workers
        self._loop = loop
        tree = folder / "tree" / "ansible_collections" / "msgops"
        tree.mkdir(parents=True)
        (tree / "fleet").symlink_to(ROOT, target_is_directory=True)
        self.environment = {
            **without_foreign_settings(os.environ),
            "ANSIBLE_COLLECTIONS_PATH": str(folder / "tree"),
            "ANSIBLE_HOME": str(folder / ".ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "HOME": str(folder),
        }

    # Programs

    def run(self, command: Sequence[str]) -> Ended:
        """Run a program; raise RuntimeError with its output if it fails."""
        return run(command, self.folder, self.environment)

    def run_python(self, *arguments: str) -> str:
        """Run Python with the collection on its path, and return the output."""
        environment = {**self.environment, "PYTHONPATH": str(self.folder / "tree")}
        return run([sys.executable, *arguments], self.folder, environment).output

    def timed(self, command: Sequence[str]) -> Callable[[], Ended]:
        """Return a function that runs a program."""
        return lambda: self.run(command)

    def timed_script(self, client: str, url: str, file: Path, sending: Samples) -> Callable[[], Ended]:
        """Return a function that runs a script, and adds the time for its requests to ``sending``."""

        def measure() -> Ended:
            ended = self.run(self.script(client, url, file))
            sending.seconds.append(json.loads(ended.output)["seconds"])
            return ended

        return measure

    def script(self, client: str, url: str, file: Path) -> list[str]:
        """Return the command of clients.py."""
        return [sys.executable, str(HERE / "clients.py"), client, url, str(file), str(self._workers)]

    # Tasks and playbooks

    def state_task(self, url: str, which: str, **keywords: Any) -> dict[str, Any]:
        """Return a task that reads a state with our module."""
        options = {"provider": "green_api", "api_url": url, **WHICH[which]}
        return {"msgops.fleet.instance_state": options, "register": "state", **keywords}

    def uri_task(self, url: str, which: str, **keywords: Any) -> dict[str, Any]:
        """Return a task that reads a state with ansible.builtin.uri."""
        instance_id, token = WHICH[which]["instance_id"], WHICH[which]["instance_token"]
        url = f"{url}/waInstance{instance_id}/getStateInstance/{token}"
        return {"ansible.builtin.uri": {"url": url, "return_content": True}, "register": "state", **keywords}

    def states_task(self, url: str) -> dict[str, Any]:
        """Return a task that reads the states of the whole fleet."""
        options = {"provider": "green_api", "api_url": url, "instances": "{{ fleet }}", "concurrency": self._workers}
        return {"msgops.fleet.instance_state": options}

    def hosts_playbook(self, name: str, task: dict[str, Any], *, hosts: int, forks: int) -> list[str]:
        """Return the command that runs a task on each of many hosts."""
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        members = {f"host{n:03d}": {"id": str(1101000000 + n), "token": TOKEN, **local} for n in range(hosts)}
        inventory = self.write("hosts.json", {"all": {"hosts": members}})
        play = {"hosts": "all", "gather_facts": False, "tasks": [task]}
        return [*self.play(name, play), "-i", str(inventory), "-f", str(forks)]

    def playbook(
        self, name: str, tasks: list[dict[str, Any]], *, vars_file: Path | None = None, **variables: Any
    ) -> list[str]:
        """Return the command that runs tasks on localhost, by default with the variables of a small fleet."""
        file = vars_file or self.fleet(self._loop)
        play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "vars_files": [str(file)]}
        return self.play(f"{name}-{file.stem}", {**play, "tasks": tasks})

    def play(self, name: str, play: Mapping[str, Any]) -> list[str]:
        """Write a playbook with one play; return the command that runs it."""
        playbook = self.write(f"{name}.yml", [play])
        return [str(Path(sys.executable).with_name("ansible-playbook")), str(playbook)]

    def fleet(self, size: int) -> Path:
        """Write a file of variables with so many instances in ``fleet``."""
        fleet = [{"id": str(1101000000 + n), "token": TOKEN, "name": f"shop-{n:05d}"} for n in range(size)]
        return self.write(f"fleet-{size}.json", {"fleet": fleet})

    def write(self, name: str, content: Any) -> Path:
        """Write a file as JSON, which Ansible reads as YAML but faster: loading variables is not to be measured."""
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path
