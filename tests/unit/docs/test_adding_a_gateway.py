# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever follows docs/adding-a-gateway.md has a gateway that works."""

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

PAGE = ROOT / "docs" / "adding-a-gateway.md"

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


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the collection to which somebody has done what the page says."""
    collection = tmp_path / "ansible_collections" / "msgops" / "fleet"
    for part in ("galaxy.yml", "meta", "plugins", "roles"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        collection.mkdir(parents=True, exist_ok=True)
        copy(ROOT / part, collection / part)
    client, line, row = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (command,) = re.findall(r"```shell\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (collection / "plugins" / "module_utils" / "_acme.py").write_text(client)
    providers = collection / "plugins" / "module_utils" / "_vendors.providers.py"
    source = providers.read_text()
    source = source.replace("from ._gateway import", f"{line}from ._gateway import", 1)
    source = source.replace('    "green_api": Provider(', f'{row}    "green_api": Provider(', 1)
    providers.write_text(source)
    subprocess.run(["bash", "-c", command], cwd=collection, check=True)
    return tmp_path


@pytest.fixture
def acme(httpserver: HTTPServer) -> HTTPServer:
    """Acme's API: one account, whose instances are online when they are asked for the second time."""
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


def test_the_page_names_three_pieces_of_code_and_the_client_is_short() -> None:
    client, line, row = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [len(line.splitlines()), len(row.splitlines())] == [1, 11]
    assert len(client.splitlines()) < 110


@pytest.fixture
def environment(tree: Path, acme: HTTPServer, tmp_path: Path) -> dict[str, str]:
    """What leads to that collection and to Acme."""
    return os.environ | {
        "ANSIBLE_COLLECTIONS_PATH": str(tree),
        "ACME_URL": acme.url_for("/"),
        "ACME_PARTNER_TOKEN": "partner/secret",
        "MSGOPS_JOURNAL": str(tmp_path / "journal.sqlite3"),
    }


@pytest.fixture
def ansible(ansible_commands: Path, environment: dict[str, str]) -> Callable[..., str]:
    """What one of Ansible's commands prints; it fails the test if the command does not succeed."""

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
