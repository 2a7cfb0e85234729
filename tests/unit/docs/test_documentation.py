# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation's commands, plays and EXAMPLES run, and its tables match the code."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
import yaml
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Code
from ansible_collections.msgops.fleet.plugins.module_utils._common.states import STATES
from ansible_collections.msgops.fleet.plugins.module_utils._common.timestamps import utc_now
from ansible_collections.msgops.fleet.plugins.module_utils._journal.entries import new_entry
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal
from ansible_collections.msgops.fleet.plugins.module_utils._report.evaluation import evaluate
from ansible_collections.msgops.fleet.plugins.module_utils._report.members import instance_member
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import Rule
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.accounts import resolve_account
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT

if TYPE_CHECKING:
    from msgops_emulator import Control

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "roles").glob("*/README.md")])
# Pages that the test types in from top to bottom: files, commands, and the jobs of pipelines.
TUTORIALS = {ROOT / "docs" / page for page in ("getting-started.md", "ci.md", "emulator.md")}
# Commands that the tests skip, because the test environment is installed already, without the network.
INSTALLS = ("ansible-galaxy collection install ", "git clone ", "pip install ", "python3 -m venv ", ". ")
# Commands that can't run here: how they begin, and the reason.
ELSEWHERE = {
    "make ": "runs the tests itself",
    "ansible-builder build ": "needs a container engine; tests/unit/extensions/awx builds everything except the image",
    "ansible-runner run ": "needs ansible-runner; tests/unit/extensions/awx runs it",
    "ansible-playbook ~/.ansible/collections/ansible_collections/msgops/fleet/extensions/awx/": "needs AWX",
    "while scp ": "needs another machine",
    "ssh ": "needs another machine",
    "ansible-playbook docs/playbooks/": "needs a vault; tests/unit/docs/test_token_playbooks.py runs it with one",
}
needs_commands = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="curl or jq is missing, which the pages use"
)
MODULES, FILTERS = (sorted((ROOT / "plugins" / kind).glob("[!_]*.py")) for kind in ("modules", "filter"))

SHOP = {"provider": "green_api", "name": "shop", "id": "1101000001", "token": "shop/token+1=", "state": "authorized"}
SUPPORT = {
    "provider": "plugzapi",
    "name": "support",
    "id": "SUPPORT2",
    "token": "support/token+2=",
    "state": "connected",
}
MOBILE = {"provider": "plugzapi", "name": "mobile", "id": "MOBILE3", "token": "mobile/token+3="}
PHONES = [{"id": "a44uhlf7", "status": 2}, {"id": "efjy72gs", "status": 2}]


@dataclass(frozen=True)
class Play:
    """A play or tasks of a page; ``name`` is the page and the line."""

    name: str
    text: str


def _plays() -> Iterator[Play]:
    for page in (page for page in PAGES if page not in TUTORIALS):
        text = page.read_text(encoding="utf-8")
        for fence in re.finditer(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            content = yaml.safe_load(fence[1])
            if isinstance(content, list) and "hosts" in content[0]:
                yield Play(f"{page.relative_to(ROOT)}:{text[: fence.start()].count(chr(10)) + 1}", fence[1])


def _jobs(pipeline: dict[str, Any]) -> Iterator[str]:
    """The commands of a GitLab or GitHub pipeline's jobs, each job in a subshell."""
    for job in pipeline.get("jobs", pipeline).values():
        commands = [f"export {name}={shlex.quote(value)}" for name, value in job.get("variables", {}).items()]
        commands += job.get("before_script", []) + job.get("script", [])
        commands += [step["run"] for step in job.get("steps", []) if "run" in step]
        yield "\n".join(["(", *(command for command in commands if not command.startswith(INSTALLS)), ")"])


def _commands(shell: str) -> Iterator[str]:
    """The commands of a fence, without installations and without exports whose ``...`` the reader fills in."""
    for command in re.split(r"(?<!\\)\n", shell.rstrip()):
        if not command.startswith(INSTALLS) and not re.match(r"export .*=\.\.\.", command):
            yield command


def _fences_of_commands() -> Iterator[Any]:
    for page in (page for page in PAGES if page not in TUTORIALS):
        text = page.read_text(encoding="utf-8")
        for fence in re.finditer(r"^```shell\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            if commands := list(_commands(fence[1])):
                why = [why for start, why in ELSEWHERE.items() if any(c.startswith(start) for c in commands)]
                yield pytest.param(
                    "\n".join(commands),
                    id=f"{page.relative_to(ROOT)}:{text[: fence.start()].count(chr(10)) + 1}",
                    marks=[pytest.mark.skip(reason=why[0])] if why else [],
                )


def _typed_in(page: Path) -> Iterator[str]:
    """The commands of a tutorial, in their order. A fence below a line that names a file is that file."""
    fences = r"(?:`(?P<file>[\w./-]+)`[^\n`]*\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```"
    for fence in re.finditer(fences, page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        file, language, text = fence["file"], fence["language"], fence["text"]
        if language == "shell":
            yield from _commands(text)
        elif file and file.startswith("."):
            yield from _jobs(yaml.safe_load(text))
        else:
            assert file, f"{page.name}: neither commands nor a named file:\n{text}"
            yield f"mkdir -p {Path(file).parent}; cat > {file} <<'END'\n{text}END"


def _examples() -> Iterator[Play]:
    for plugin in (*MODULES, *FILTERS):
        found = re.search(r'^EXAMPLES = r"""\n(.*?)^"""', plugin.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        assert found, f"{plugin.name} has no EXAMPLES"
        tasks = yaml.safe_load(found[1])
        for expression, result in re.findall(r'"\{\{ (.*) \}\}"\n +# => (.*)', found[1]):
            expected = json.loads(result) if result.startswith("[") else result
            assertion = {"that": [f"({expression}) == expected"]}
            tasks.append({"ansible.builtin.assert": assertion, "vars": {"expected": expected}})
        play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
        yield Play(plugin.stem, yaml.safe_dump([play], sort_keys=False, allow_unicode=True))


class World:
    """An emulator in which everything exists that the documentation mentions, and the environment to reach it."""

    def __init__(self, emulator: Control, folder: Path, commands: Path) -> None:
        self._emulator = emulator
        self._ansible = commands
        self._folder = folder
        self._url = emulator.url
        emulator.seed(instances=[SHOP, SUPPORT, MOBILE], phones=PHONES)
        wholesale = [{"provider": "green_api", "name": "wholesale"}]
        self._wholesale = emulator.seed(accounts=wholesale)["accounts"][0]
        self._green_api, self._plugzapi, self._koophone = (
            emulator.account(vendor) for vendor in ("green_api", "plugzapi", "koophone")
        )
        (folder / "home" / ".config" / "msgops").mkdir(parents=True)
        journal = Journal(str(folder / "journal.sqlite3"))
        unknown = [
            new_entry(resolve_account(provider, None, "https://another.example.com", "another-token"), name, "unknown")
            for provider, name in (("green_api", "shop"), ("plugzapi", "sales"))
        ]
        with journal.locked([entry.key for entry in unknown]) as lease:
            lease.record(unknown)
        (folder / "host_vars").mkdir()
        inventory = {f"msgops_{key}": SHOP[key] for key in ("provider", "name", "id", "token")}
        (folder / "host_vars" / "localhost.json").write_text(json.dumps(inventory), encoding="utf-8")
        (folder / "reports").mkdir()
        for number, instance in enumerate((SHOP, SUPPORT), start=1):
            title = f"slice-{number}"
            read = instance_member({**instance, "state": "authorized"}, title)
            part = evaluate([read], Rule(), title=title, generated_at=utc_now(), sources=[])
            (folder / "reports" / f"{title}.json").write_text(json.dumps(part.as_json()), encoding="utf-8")

    @property
    def _variables(self) -> dict[str, Any]:
        """The variables that the documentation takes from a vault or an inventory."""
        fleet = [{key: one[key] for key in ("provider", "name", "id", "token")} for one in (SHOP, SUPPORT)]
        return {
            "ansible_python_interpreter": str(self._ansible / "python"),
            "account_security_token": self._plugzapi["client_token"],
            "fleet": fleet,
            "green_api_partner_token": self._green_api["partner_token"],
            "green_api_wholesale_token": self._wholesale["partner_token"],
            "koophone_token": self._koophone["auth_token"],
            "mobile_instance_id": MOBILE["id"],
            "mobile_instance_token": MOBILE["token"],
            "phone_ids": [phone["id"] for phone in PHONES],
            "plugzapi_partner_token": self._plugzapi["partner_token"],
            "shop_id": str(SHOP["id"]),
            "shop_token": SHOP["token"],
            "support_id": SUPPORT["id"],
            "support_token": SUPPORT["token"],
        }

    @property
    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "GREEN_API_ID_INSTANCE": str(SHOP["id"]),
            "GREEN_API_PARTNER_TOKEN": self._green_api["partner_token"],
            "GREEN_API_TOKEN_INSTANCE": str(SHOP["token"]),
            "GREEN_API_URL": self._url,
            "HOME": str(self._folder / "home"),
            "KOOPHONE_AUTH_TOKEN": self._koophone["auth_token"],
            "KOOPHONE_ENDPOINT": self._url,
            "MSGOPS_JOURNAL": str(self._folder / "journal.sqlite3"),
            "PLUGZAPI_CLIENT_TOKEN": self._plugzapi["client_token"],
            "PLUGZAPI_INSTANCE_ID": str(MOBILE["id"]),
            "PLUGZAPI_INSTANCE_TOKEN": str(MOBILE["token"]),
            "PLUGZAPI_PARTNER_TOKEN": self._plugzapi["partner_token"],
            "PLUGZAPI_URL": self._url,
        }

    def type_in(self, page: Path) -> None:
        """Type the page's commands into one shell; a command that fails also fails the test."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.type("\n".join(_typed_in(page)).replace(":8642", f":{port}").replace("--port 8642", f"--port {port}"))

    def type(self, text: str) -> None:
        """Type the commands into one shell; a command that fails also fails the test."""
        self._emulator.link("plugzapi", MOBILE["id"])
        for source in ("fleet", "instances"):
            (self._folder / f"{source}.msgops.yml").write_text("plugin: msgops.fleet.instances\n", encoding="utf-8")
        commands, output = self._folder / "commands", self._folder / "output"
        commands.write_text(f"set -euo pipefail\n{text}\n", encoding="utf-8")
        path = os.pathsep.join([str(self._ansible), str(Path(sys.executable).parent), os.environ["PATH"]])
        with output.open("wb") as file:
            shell = subprocess.Popen(
                ["bash", commands],
                cwd=self._folder,
                env=self._environment | {"PATH": path},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            status = shell.wait(timeout=300)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)  # processes that the commands started in the background
        assert status == 0, output.read_text(encoding="utf-8")

    def run(self, play: Play) -> None:
        """Run the play as a user would; a play that fails also fails the test."""
        # The emulator links a phone to each new instance, unless the play does that itself.
        links = None if "/_emulator/link" in play.text else 0.5
        self._emulator.config({f"{gateway}.auto_link_seconds": links for gateway in ("green_api", "plugzapi")})
        playbook, variables = self._folder / "play.yml", self._folder / "variables.json"
        # Pages that start the emulator themselves name its port.
        playbook.write_text(play.text.replace("http://127.0.0.1:8642", self._url), encoding="utf-8")
        variables.write_text(json.dumps(self._variables), encoding="utf-8")
        done = subprocess.run(
            [self._ansible / "ansible-playbook", playbook, "--extra-vars", f"@{variables}"],
            cwd=self._folder,
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{play.name}\n{done.stdout}{done.stderr}"
        for variable, value in self._variables.items():
            if variable.endswith("_token"):
                assert value not in done.stdout + done.stderr


@pytest.fixture
def world(emulator: Control, tmp_path: Path, ansible_commands: Path) -> World:
    return World(emulator, tmp_path, ansible_commands)


@pytest.mark.parametrize("play", list(_plays()), ids=lambda play: play.name)
def test_the_plays_of_the_pages_run(play: Play, world: World) -> None:
    world.run(play)


@needs_commands
@pytest.mark.parametrize("page", sorted(TUTORIALS), ids=lambda page: page.name)
def test_the_tutorials_can_be_typed_in(page: Path, world: World, tmp_path: Path) -> None:
    world.type_in(page)
    if "check_fleet" in page.read_text(encoding="utf-8"):
        assert {f"fleet.{kind}" for kind in ("html", "json", "xml")} <= set(os.listdir(tmp_path / "reports"))


@pytest.mark.parametrize("commands", list(_fences_of_commands()))
def test_the_commands_of_the_pages_run(commands: str, world: World) -> None:
    world.type(commands)


@pytest.mark.parametrize(
    "command", sorted({found for page in PAGES for found in re.findall(r"`(ansible-doc [^`]+)`", page.read_text())})
)
def test_ansible_doc_knows_what_the_pages_tell_to_look_up(command: str, world: World) -> None:
    world.type(command)


@pytest.mark.parametrize("examples", list(_examples()), ids=lambda examples: examples.name)
def test_the_examples_of_modules_and_filters_run(examples: Play, world: World) -> None:
    world.run(examples)


@pytest.mark.parametrize("page", ["README.md", "docs/states.md"])
def test_the_states_are_those_of_the_code(page: str) -> None:
    expected = [(f"`{state}`", meaning.health, meaning.remedy) for state, meaning in STATES.items()]
    assert _table(page, "| state | health |") == expected


def test_the_error_codes_are_those_of_the_code() -> None:
    assert [row[0] for row in _table("docs/errors.md", "| code |")] == [f"`{code}`" for code in get_args(Code)]


def test_the_runbook_knows_every_state_and_every_error_code() -> None:
    rows = _table("docs/runbook.md", "| what you see | states | error codes |")
    states, codes = ([word for row in rows for word in re.findall(r"`(\w+)`", row[column])] for column in (1, 2))
    assert sorted(states) == sorted(STATES)
    assert sorted(codes) == sorted(get_args(Code))


def test_every_guide_is_in_the_index_by_its_title() -> None:
    guides = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")} - {"README.md"}
    listed = re.findall(r"^\| \[([^]]+)\]\(([^)]+)\)", (ROOT / "docs" / "README.md").read_text(), re.MULTILINE)
    assert sorted(page for _title, page in listed) == sorted(guides)
    for title, page in listed:
        heading = re.search(r"^# (.*)$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
        assert heading is not None
        assert heading[1] == title


def test_the_modules_are_those_that_there_are() -> None:
    listed = [row[0] for row in _table("README.md", "| module |")]
    assert sorted(listed) == [f"`msgops.fleet.{module.stem}`" for module in MODULES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_make_knows_what_the_pages_make(page: Path) -> None:
    targets = re.findall(
        r"(?:^|`)make (?:PYTHON=\S+ )?([a-z][a-z0-9.-]*)", page.read_text(encoding="utf-8"), re.MULTILINE
    )
    make = ["make", "--dry-run", "--assume-old", ".venv/.ready", *sorted(set(targets))]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not targets or done.returncode == 0, done.stderr


def _table(page: str, header: str) -> list[tuple[str, ...]]:
    """The rows of the page's table whose header starts with ``header``."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(header)) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
    return rows
