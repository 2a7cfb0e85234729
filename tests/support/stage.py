# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run plays with ansible-playbook, and return the output and the results of their tasks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PLUGINS = Path(__file__).resolve().parent / "plugins"

# End a play after this many seconds: no play takes that long unless it hangs.
PATIENCE = 290.0

TaskContext = dict[str, Any]


@dataclass(frozen=True)
class Vaulted:
    """A value that stands in a playbook as ``!vault``."""

    ciphertext: str


class _Dumper(yaml.SafeDumper):
    """Writes playbooks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(Vaulted, lambda dumper, value: dumper.represent_scalar("!vault", value.ciphertext, style="|"))


@dataclass(frozen=True)
class Played:
    """What ansible-playbook printed, and the result that callbacks got of each named task."""

    status: int
    output: str
    results: Mapping[str, Any]

    def result(self, task: str) -> dict[str, Any]:
        """The result of a task.

        :raises AssertionError: if it didn't run; with the output, which tells why.
        """
        assert task in self.results, self.output
        result: dict[str, Any] = self.results[task]
        return result


@dataclass
class Stage:
    """A folder to play in, and the environment of the ansible-playbooks that do; ``commands`` is the folder of these.

    ``ran`` are the interpreters of ``python(NAME)`` that were started, which only modules do.
    """

    folder: Path
    commands: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def ran(self) -> list[str]:
        marks = self.folder / "marks"
        return marks.read_text().split() if marks.exists() else []

    def python(self, name: str) -> str:
        """The path of an interpreter that leaves its name behind when it is started."""
        path = self.folder / "pythons" / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text(f'#!/bin/sh\necho {name} >> "{self.folder}/marks"\nexec "{self.commands}/python" "$@"\n')
            path.chmod(0o755)
        return str(path)

    def start(
        self,
        plays: Iterable[Mapping[str, Any]],
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        without_requests: bool = False,
        **options: Any,
    ) -> subprocess.Popen[str]:
        """Start a Python of its own with an ansible-playbook; ``options`` go to ``Popen``."""
        # As if it were not installed, for this process and its forks, but not for the modules that it starts.
        hide = "sys.modules['requests'] = None;" if without_requests else ""
        # A shell lets background jobs ignore SIGINT.
        attend = "signal.signal(signal.SIGINT, signal.default_int_handler);"
        program = f"import signal, sys; {attend} {hide} from ansible.cli.playbook import main; sys.exit(main())"
        command = [sys.executable, "-c", program, self._write(plays), *arguments]
        return self._start(command, environment or {}, **options)

    def play(
        self,
        plays: Iterable[Mapping[str, Any]],
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        without_requests: bool = False,
    ) -> Played:
        """Run an ansible-playbook to its end; its output is what a terminal would show."""
        self.record.unlink(missing_ok=True)
        if without_requests:
            process = self.start(plays, *arguments, environment=environment, without_requests=True)
        else:
            command = [str(self.commands / "ansible-playbook"), self._write(plays), *arguments]
            process = self._start(command, environment or {})
        try:
            output, _none = process.communicate(timeout=PATIENCE)
        finally:
            end(process)
        return Played(process.returncode, output, self._results())

    def _start(self, command: list[str], environment: Mapping[str, str], **options: Any) -> subprocess.Popen[str]:
        """Start the command in a process group of its own."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, **options},
            start_new_session=True,
        )

    def _write(self, plays: Iterable[Mapping[str, Any]]) -> str:
        playbook = self.folder / "playbook.yml"
        playbook.write_text(yaml.dump(list(plays), Dumper=_Dumper, sort_keys=False, allow_unicode=True))
        return str(playbook)

    @property
    def record(self) -> Path:
        return self.folder / "record.jsonl"

    def _results(self) -> dict[str, Any]:
        if not self.record.exists():
            return {}
        lines = map(json.loads, self.record.read_text().splitlines())
        return {line["task"]: line["result"] for line in lines}

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        return {
            **os.environ,
            # Where it begins with a tilde, half of Ansible takes it from HOME and half from the system's user.
            "ANSIBLE_ASYNC_DIR": str(self.folder / ".ansible_async"),
            "ANSIBLE_BECOME_PLUGINS": str(PLUGINS / "become"),
            "ANSIBLE_CALLBACKS_ENABLED": "recorder",
            "ANSIBLE_CALLBACK_PLUGINS": str(PLUGINS / "callback"),
            "ANSIBLE_CONNECTION_PLUGINS": str(PLUGINS / "connection"),
            "ANSIBLE_HOME": str(self.folder / ".ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "FLEET_RECORD": str(self.record),
            "HOME": str(self.folder),
            **self.environment,
            **more,
        }


def end(process: subprocess.Popen[Any]) -> None:
    """Kill the process group of an ansible-playbook that still runs."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def output_at(terminal: int, process: subprocess.Popen[Any]) -> str:
    """All that the process prints to a pseudo-terminal, of which this is our end."""
    pieces = []
    try:
        while True:
            pieces.append(os.read(terminal, 65536))
    except OSError:  # what Linux says when the last one has closed the other end
        process.wait(PATIENCE)
    finally:
        os.close(terminal)
        end(process)
    return b"".join(pieces).decode()
