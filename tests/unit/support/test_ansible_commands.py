# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that start fast do what the installed ones do."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.support.ansible_commands import (
    NAMES,
    PYTHON,
    REAL,
    AnsibleCommands,
    run_on_terminal,
)
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT

# All that a process gets from the process that starts it, as Ansible and a module of a play see it.
PLAY = """
- hosts: localhost
  gather_facts: false
  vars:
    python: >-
      import json, os, signal, sys; print(json.dumps([os.getcwd(), os.umask(0), sorted(os.environ.items()),
      [str(signal.getsignal(n)) for n in (1, 2, 3, 15)], list(sys.flags), sys.path]))
  tasks:
    - name: The environment, the folder, the umask, and what is ignored
      ansible.builtin.command: {argv: [python3, -c, "{{ python }}"]}
    - name: Settings and variables
      ansible.builtin.debug:
        msg: >-
          {{ [lookup('ansible.builtin.env', 'GREETING'), lookup('ansible.builtin.config', 'DEFAULT_FORKS'),
          playbook_dir, lookup('ansible.builtin.config', 'DEFAULT_ROLES_PATH'), ansible_playbook_python,
          given | default('nothing'),
          '%H:%M' | strftime(0)] }}
    - name: A module of the collection
      msgops.fleet.fleet_report: {instances: [], junit_file: fleet.xml, return_report: true}
      failed_when: false
      register: report
    - ansible.builtin.debug: {msg: "{{ report.msg | default('') }} Grüße ☎"}
"""
WAITS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.command: {argv: [sh, -c, "echo $$ > started; exec sleep 600"]}
"""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CONFIG = "[defaults]\nforks = 3\nroles_path = somewhere\n"


@dataclass(frozen=True)
class Place:
    """A folder with playbooks, in which a command has the same name and address wherever it comes from."""

    folder: Path

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        settings = {"ANSIBLE_HOME": str(self.folder / "home"), "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp")}
        return os.environ | settings | more


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for name, text in {"play.yml": PLAY, "waits.yml": WAITS, "ansible.cfg": CONFIG, "broken.yml": "- hosts: ["}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "hosts.ini").write_text("[shops]\nshop-1 token=1\nshop-2\n", encoding="utf-8")
    (tmp_path / "empty.cfg").write_text("", encoding="utf-8")
    return Place(tmp_path)


COMMANDS: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "a play": (["ansible-playbook", "play.yml"], {}),
    "what it gets from its caller": (["ansible-playbook", "play.yml", "-v"], {"GREETING": "hello"}),
    "a verbose play": (["ansible-playbook", "play.yml", "-vv", "--diff", "-e", "given=1"], {"GREETING": "hello"}),
    "settings": (["ansible-config", "dump", "--only-changed"], {}),
    "settings of another file": (["ansible-config", "dump", "--only-changed"], {"ANSIBLE_CONFIG": "empty.cfg"}),
    "settings of the environment": (
        ["ansible-config", "dump", "--only-changed"],
        {
            "ANSIBLE_FORKS": "7",
            "ANSIBLE_CALLBACK_PLUGINS": "/callbacks",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_STRATEGY_PLUGINS": "/strategies",
        },
    ),
    "all settings": (["ansible-config", "dump"], {"ANSIBLE_FORCE_COLOR": "1", "ANSIBLE_ROLES_PATH": "~/roles"}),
    "another home": (["ansible-config", "dump", "--only-changed"], {"HOME": "/nonexistent"}),
    "a log": (["ansible", "localhost", "-m", "ping"], {"ANSIBLE_LOG_PATH": "log"}),
    "other collections": (
        ["ansible", "localhost", "-m", "msgops.fleet.creation_journal"],
        {"ANSIBLE_COLLECTIONS_PATH": "/nonexistent"},
    ),
    "an inventory": (["ansible-inventory", "-i", "hosts.ini", "--list"], {}),
    "an unreadable playbook": (["ansible-playbook", "broken.yml"], {}),
    "no such playbook": (["ansible-playbook", "nothing.yml"], {}),
    "a wrong option": (["ansible-playbook", "--nonsense"], {}),
    "documentation": (["ansible-doc", "msgops.fleet.instance_state"], {"PAGER": "cat"}),
    "the version": (["ansible", "--version"], {}),
    "a locale without a name": (["ansible-playbook", "play.yml"], {"LC_ALL": "C"}),
    "a locale that isn't there": (["ansible-playbook", "play.yml"], {"LC_ALL": "tlh_QO.UTF-8"}),
    "another time zone": (["ansible-playbook", "play.yml"], {"TZ": "Asia/Kolkata"}),
    "settings of the interpreter": (["ansible", "--version"], {"PYTHONVERBOSE": "0", "PYTHONWARNINGS": "error"}),
}


# Times, and names of temporary files.
NEW = re.compile(r"ansible-(local|tmp)-[\w.-]+|\d{4}-\d\d-\d\d[T ][\d:.]+Z?|\b0:00:\d\d\.\d+")


def stable_lines(text: str) -> list[str]:
    """What was printed, without what is new each time."""
    return NEW.sub("(new)", text).splitlines()


def outcome(place: Place, environment: Mapping[str, str], *command: str | Path) -> list[Any]:
    """The status of a command, what it printed, and the modes of the files that it made."""
    done = subprocess.run(
        command,
        cwd=place.folder,
        env=place.environment(environment),
        input="",
        capture_output=True,
        text=True,
        umask=0o027,
        check=False,
    )
    made = [place.folder / file for file in ("log", "fleet.xml")]
    modes = [path.stat().st_mode if path.exists() else None for path in made]
    for path in made:
        path.unlink(missing_ok=True)
    return [done.returncode, modes, *stable_lines(done.stdout), *stable_lines(done.stderr)]


@pytest.mark.parametrize("name", COMMANDS)
def test_output_and_status_are_the_same(name: str, place: Place, ansible_commands: Path) -> None:
    (command, *arguments), environment = COMMANDS[name]
    fast, real = (outcome(place, environment, folder / command, *arguments) for folder in (ansible_commands, REAL))
    assert fast == real


def test_modules_do_the_same(place: Place, ansible_commands: Path) -> None:
    def run(python: Path) -> list[Any]:
        variables = ["-e", f"ansible_python_interpreter={python}", "-e", "msgops_execution=module"]
        return outcome(place, {}, ansible_commands / "ansible-playbook", "play.yml", "-v", "--diff", *variables)

    assert run(ansible_commands / PYTHON) == run(REAL / PYTHON)
    assert any((ansible_commands / "modules").iterdir()), "the modules did not use the running process"


READS_SETTINGS = """
import sys
import yaml
import warm

def refuse(_constructor):
    raise AssertionError("what was parsed before is parsed again")

warm.prepare_commands(sys.argv[1])
yaml.constructor.BaseConstructor.get_single_data = refuse
import ansible.constants
assert "DEFAULT_FORKS" in ansible.constants.config.get_configuration_definitions()
"""


def test_the_list_of_settings_is_parsed_before_a_command_starts(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", READS_SETTINGS, tmp_path],
        cwd=ROOT / "tests" / "support",
        capture_output=True,
        check=True,
    )


GREET = """
from ansible_collections.greeting.shop.plugins.module_utils.words import greet

class FilterModule:
    def filters(self):
        return {"greet": greet}
"""


def test_what_is_kept_of_a_collection_does_not_outlive_its_text(place: Place, ansible_commands: Path) -> None:
    plugins = place.folder / "ansible_collections" / "greeting" / "shop" / "plugins"
    for folder in ("filter", "module_utils"):
        (plugins / folder).mkdir(parents=True)
    (plugins / "filter" / "greet.py").write_text(GREET)

    def run(word: str) -> str:
        (plugins / "module_utils" / "words.py").write_text(f"def greet(name):\n    return {word!r} + ', ' + name\n")
        return subprocess.run(
            [ansible_commands / "ansible", "localhost", "-m", "debug", "-a", "msg={{ 'Ana' | greeting.shop.greet }}"],
            cwd=place.folder,
            env=place.environment({"ANSIBLE_COLLECTIONS_PATH": str(place.folder)}),
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    before = len(list((ansible_commands / "commands").iterdir()))
    assert '"msg": "Hello, Ana"' in run("Hello")
    kept = len(list((ansible_commands / "commands").iterdir()))
    assert kept > before, "collections are compiled at each start"
    assert '"msg": "Salut, Ana"' in run("Salut")
    assert '"msg": "Hello, Ana"' in run("Hello")
    assert len(list((ansible_commands / "commands").iterdir())) == kept + 1, "only what is new is compiled"


def test_the_standard_input_is_read(place: Place, ansible_commands: Path) -> None:
    def run(commands: Path) -> str:
        return subprocess.run(
            [commands / "ansible-vault", "view", "--vault-password-file", "password", "-"],
            cwd=place.folder,
            input=secret,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    (place.folder / "password").write_text("open sesame")
    secret = subprocess.run(
        [ansible_commands / "ansible-vault", "encrypt", "--vault-password-file", "password", "--output", "-"],
        cwd=place.folder,
        input="a token\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert run(ansible_commands) == run(REAL) == "a token\n"


@pytest.mark.parametrize("columns", [100, 200])
def test_a_terminal_is_the_same(place: Place, ansible_commands: Path, columns: int) -> None:
    def run(commands: Path) -> tuple[int, str]:
        (place.folder / "fleet.xml").unlink(missing_ok=True)
        command = [commands / "ansible-playbook", "play.yml"]
        done = run_on_terminal(command, columns=columns, cwd=place.folder, env=place.environment({}))
        return done.returncode, done.stdout

    fast = run(ansible_commands)
    assert fast == run(REAL)
    assert "\x1b[" in fast[1], "colours"
    assert f"PLAY RECAP {'*' * (columns - 1 - len('PLAY RECAP '))}" in fast[1].replace("\x1b[0m", "")


@pytest.fixture
def waiting(place: Place) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a play that waits, and return once it does."""
    started: list[subprocess.Popen[str]] = []
    sleepers: list[int] = []

    def start(commands: Path, **options: Any) -> subprocess.Popen[str]:
        os.mkfifo(place.folder / "started")
        process = subprocess.Popen(
            [commands / "ansible-playbook", "waits.yml"],
            cwd=place.folder,
            env=place.environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **options,
        )
        started.append(process)
        sleeper = int((place.folder / "started").read_text())  # a pipe, from which nothing comes until then
        (place.folder / "started").unlink()
        sleepers.append(os.pidfd_open(sleeper))  # fails if it has ended
        process.sleeper = sleeper  # type: ignore[attr-defined]
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    for sleeper in sleepers:  # SIGHUP ends ansible-playbook alone: its worker is in a session of its own
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(sleeper, signal.SIGKILL)
        os.close(sleeper)


def restore_signals() -> None:
    """Let signals have their effect again: a shell lets background jobs ignore SIGINT, and nohup makes SIGHUP
    ignored.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_to_the_group_ends_it_in_the_same_way(
    number: int, waiting: Callable[..., subprocess.Popen[str]], ansible_commands: Path
) -> None:
    def run(commands: Path) -> tuple[int, str]:
        process = waiting(commands, preexec_fn=restore_signals)
        os.killpg(process.pid, number)
        output, _none = process.communicate()
        return process.returncode, output

    assert run(ansible_commands) == run(REAL)


def test_a_signal_that_the_caller_ignores_is_ignored(
    waiting: Callable[..., subprocess.Popen[str]], ansible_commands: Path
) -> None:
    process = waiting(ansible_commands, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    os.killpg(process.pid, signal.SIGINT)
    os.kill(process.sleeper, signal.SIGTERM)  # type: ignore[attr-defined]
    output, _none = process.communicate()
    assert process.returncode == 2, output
    assert "non-zero return code" in output


def test_nothing_is_left_of_a_command_that_is_killed(
    waiting: Callable[..., subprocess.Popen[str]], ansible_commands: Path
) -> None:
    process = waiting(ansible_commands)
    process.kill()
    process.communicate()  # until the last one has closed its end
    assert process.returncode == -signal.SIGKILL


def test_it_ends_when_the_tests_do() -> None:
    commands = AnsibleCommands()
    for process in commands._processes:
        descriptor = os.pidfd_open(process.pid)
        assert process.stdin
        process.stdin.close()  # as when the tests are killed
        assert select.select([descriptor], [], [], 60)[0]
        os.close(descriptor)
    commands.stop()


def test_there_is_a_stand_in_for_each_installed_command(ansible_commands: Path) -> None:
    assert {path.name for path in ansible_commands.iterdir() if os.access(path, os.X_OK)} >= {*NAMES, PYTHON}
    assert all((REAL / name).exists() for name in NAMES)
