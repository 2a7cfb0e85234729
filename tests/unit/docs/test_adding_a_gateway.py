# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that is added as docs/adding-a-gateway.md says works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

PAGE = (ROOT / "docs" / "adding-a-gateway.md").read_text()
CLIENT, IMPORT, ROW = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

PLAY = """
- hosts: localhost
  gather_facts: false
  vars:
    msgops_execution: "{{ way }}"
  tasks:
    - name: Make sure that an instance exists
      msgops.fleet.instance_create:
        provider: acme
        name: shop
      no_log: true
      register: created
    - name: Wait until it is online
      msgops.fleet.instance_state:
        provider: acme
        instance_id: "{{ created.instance.id }}"
        instance_token: "{{ created.instance.token }}"
        wait_for: [authorized]
        wait_interval: 0.1
      register: state
    - name: Do all of it by the role
      ansible.builtin.include_role:
        name: msgops.fleet.provision
      vars:
        provision_instances: [{name: shop, provider: acme}]
    - name: Show what happened
      ansible.builtin.copy:
        content: >-
          {{ {'action': created.instance.action, 'state': state.state, 'role': provision_result.summary.authorized}
          | to_json }}
        dest: "{{ result_file }}"
        mode: "0600"
"""


def edit(file: Path, pattern: str, text: str) -> None:
    """Put ``text`` in the only place that matches."""
    source, places = re.subn(pattern, lambda _match: text, file.read_text(), flags=re.MULTILINE)
    assert places == 1
    file.write_text(source)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the collection with the changes of the page."""
    collection = tmp_path / "ansible_collections" / "msgops" / "fleet"
    for part in ("galaxy.yml", "meta", "plugins", "roles"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        collection.mkdir(parents=True, exist_ok=True)
        copy(ROOT / part, collection / part)
    plugins = collection / "plugins" / "module_utils" / "_vendors"
    (plugins / "acme.py").write_text(CLIENT)
    edit(plugins / "providers.py", r"(?=from \.gateway import)", IMPORT)
    edit(plugins / "providers.py", r"(?<=PROVIDERS: dict\[str, type\[Gateway\]\] = \{\n)", ROW)
    return tmp_path


@pytest.fixture
def acme(httpserver: HTTPServer) -> HTTPServer:
    """Acme's API: one account. An instance is offline at the first request for its state, and online from the
    second.
    """
    instances: list[dict[str, str]] = []
    seen: set[str] = set()

    def answer(request: Request) -> Response:
        if request.headers.get("Authorization") not in ("Bearer partner/secret", "Bearer instance/secret"):
            return Response("no", 401)
        if request.method == "POST":
            instances.append({"id": "a1", "name": json.loads(request.data)["name"], "token": "instance/secret"})
            return Response(json.dumps(instances[-1]), 201)
        if request.path == "/v1/instances":
            return Response(json.dumps(instances))
        online = request.path in seen
        seen.add(request.path)
        return Response(json.dumps({"online": online}))

    httpserver.expect_request(re.compile("/v1/instances.*")).respond_with_handler(answer)
    return httpserver


def test_a_gateway_takes_a_short_client_and_two_lines() -> None:
    assert [len(lines.splitlines()) for lines in (IMPORT, ROW)] == [1, 1]
    assert len(CLIENT.splitlines()) < 110


@pytest.fixture
def environment(tree: Path, acme: HTTPServer, tmp_path: Path) -> dict[str, str]:
    """Environment variables that point to that collection and to Acme."""
    return os.environ | {
        "ANSIBLE_COLLECTIONS_PATH": str(tree),
        "ACME_URL": acme.url_for("/"),
        "ACME_PARTNER_TOKEN": "partner/secret",
        "MSGOPS_JOURNAL": str(tmp_path / "journal.sqlite3"),
    }


@pytest.fixture
def ansible(ansible_commands: Path, environment: dict[str, str]) -> Callable[..., str]:
    """Runs one of Ansible's commands and returns its output. The command must succeed."""

    def run(command: str, *arguments: str | Path) -> str:
        done = subprocess.run(
            [ansible_commands / command, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("way", ["controller", "module"])
def test_a_gateway_that_was_added_by_the_page_works(ansible: Callable[..., str], tmp_path: Path, way: str) -> None:
    play, result = tmp_path / "play.yml", tmp_path / "result.json"
    play.write_text(PLAY)

    def run() -> dict[str, str]:
        ansible("ansible-playbook", play, "-e", f"result_file={result} way={way}")
        return dict(json.loads(result.read_text()))

    assert run() == {"action": "created", "state": "authorized", "role": 1}
    assert run() == {"action": "unchanged", "state": "authorized", "role": 1}


def test_its_documentation_has_the_new_choice_and_its_variables(ansible: Callable[..., str]) -> None:
    documentation = json.loads(ansible("ansible-doc", "--json", "msgops.fleet.instance_create"))
    options = documentation["msgops.fleet.instance_create"]["doc"]["options"]
    assert options["provider"]["choices"] == ["acme", "green_api", "plugzapi"]
    assert options["instances"]["suboptions"]["provider"]["choices"] == ["acme", "green_api", "plugzapi"]
    assert "E(ACME_PARTNER_TOKEN)" in " ".join(options["partner_token"]["description"])


def test_its_instances_are_hosts(ansible: Callable[..., str], tmp_path: Path) -> None:
    source = tmp_path / "acme.msgops.yml"
    source.write_text("plugin: msgops.fleet.instances\nprovider: acme\n")
    ansible(
        "ansible",
        "localhost",
        "-m",
        "msgops.fleet.instance_create",
        "-a",
        f"provider=acme name=shop credentials_file={tmp_path}/credentials.json",
    )
    inventory = json.loads(ansible("ansible-inventory", "-i", source, "--list"))
    assert inventory["_meta"]["hostvars"]["shop"]["msgops_provider"] == "acme"
