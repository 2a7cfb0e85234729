# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of docs/tokens.md run: each token ends up where the page says, and nowhere else."""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT
from ansible_collections.msgops.fleet.tests.support.creation import Fleet

from msgops_emulator import Emulator

PAGE = (ROOT / "docs" / "tokens.md").read_text(encoding="utf-8")
STORE_TOKEN = "hvs.a-token-for-the-store"


class DocumentStore:
    """Stands in for HashiCorp Vault's key-value store and for AWX's credentials: documents by URL."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.writes: list[str] = []

    def handle(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        """The status and the document of the response."""
        path, query = unquote(urlsplit(target).path), parse_qs(urlsplit(target).query)
        if path == "/v1/auth/token/lookup-self":
            return 200, {"data": {}}
        if path == "/api/v2/credentials/":
            found = [{"id": 7}] if query == {"name": ["Tokens"]} else []
            return 200, {"count": len(found), "results": found}
        if method in ("POST", "PATCH"):
            self.writes.append(path)
            self.documents[path] = body
            return 200, {}
        if path in self.documents:
            return 200, {"data": self.documents[path]}
        return 404, {"errors": []}


@pytest.fixture
def served_store() -> Iterator[tuple[DocumentStore, str]]:
    """A stand-in for HashiCorp Vault and for AWX, and its address."""
    store = DocumentStore()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            is_known = STORE_TOKEN in (self.headers.get("X-Vault-Token"), self.headers.get("Authorization", "")[7:])
            status, document = store.handle(self.command, self.path, body) if is_known else (403, {"errors": []})
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, *_arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield store, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def account(emulator: Emulator, tmp_path: Path) -> Fleet:
    """An account that has one of the two instances that the playbooks create."""
    fleet = Fleet(emulator, "green_api", tmp_path)
    fleet.seed("support", token_style="awkward")
    emulator.config({"green_api.token_style": "awkward"})
    return fleet


@pytest.fixture
def play(ansible_commands: Path) -> Callable[..., str]:
    """``run_playbook`` with Ansible's commands."""
    return functools.partial(run_playbook, ansible_commands)


def run_playbook(
    commands: Path, name: str, fleet: Fleet, *, ok: bool = True, environment: dict[str, str], **variables: Any
) -> str:
    """Run a playbook by the page's command, and return its output after checking that it holds no token.

    ``variables`` override those of the page's command; AWX runs a playbook without any.
    """
    playbook = f"docs/playbooks/{name}"
    (command,) = re.findall(rf"^ansible-playbook ({playbook}(?:.*\\\n)*.*)", PAGE, re.MULTILINE) or [playbook]
    arguments = shlex.split(command.replace("\\\n", " "))
    arguments[0] = str(ROOT / arguments[0])
    desired = [{"name": name, "provider": "green_api"} for name in ("support", "shop")]
    given = fleet.folder / "given.json"
    given.write_text(
        json.dumps({"ansible_python_interpreter": str(commands / "python"), "fleet_instances": desired, **variables})
    )
    settings = {
        "ANSIBLE_HOME": str(fleet.folder / "home"),
        "GREEN_API_PARTNER_TOKEN": fleet.emulator.account("green_api")["partner_token"],
        "GREEN_API_URL": fleet.emulator.url,
        "MSGOPS_JOURNAL": str(fleet.journal_file),
        **environment,
    }
    done = subprocess.run(
        [commands / "ansible-playbook", *arguments, "-vv", "--diff", "-e", f"@{given}"],
        cwd=fleet.folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert (done.returncode == 0) is ok, output
    for instance in fleet.existing():
        assert instance["token"] not in output
        assert json.dumps(instance["token"])[1:-1] not in output
    assert STORE_TOKEN not in output
    return output


def test_ansible_vault(account: Fleet, play: Callable[..., str]) -> None:
    file = account.folder / "tokens.vault"

    def run(password: str, *, ok: bool = True) -> str:
        environment = {"FLEET_VAULT_PASSWORD": password}
        return play("ansible_vault.yml", account, ok=ok, environment=environment)

    run("", ok=False)
    run("a password")
    assert file.read_bytes().startswith(b"$ANSIBLE_VAULT")
    assert file.stat().st_mode & 0o777 == 0o600
    content = json.loads(VaultLib([("default", VaultSecret(b"a password"))]).decrypt(file.read_bytes()))
    store = content["fleet_tokens"]
    expected = {(i["name"], str(i["id"]), i["token"]) for i in account.existing()}
    assert {(item["name"], item["id"], item["token"]) for item in store} == expected
    assert len(expected) == 2
    before = file.read_bytes()
    assert "changed=0" in run("a password")
    assert file.read_bytes() == before
    account.emulator.set_state("green_api", store[0]["id"], "deleted")
    run("another password", ok=False)
    assert file.read_bytes() == before
    assert account.posts() == ["shop"], "with a wrong password, nothing is created"


def test_tokens_are_stored_and_the_reason_is_told_if_another_instance_cannot_be_created(
    account: Fleet, served_store: tuple[DocumentStore, str], play: Callable[..., str]
) -> None:
    store, address = served_store
    environment = {"FLEET_VAULT_PASSWORD": "a password", "VAULT_ADDR": address, "VAULT_TOKEN": STORE_TOKEN}
    for playbook in ("ansible_vault.yml", "hashicorp_vault.yml"):
        account.arm("create", "status", status=422)
        output = play(playbook, account, ok=False, environment=environment)
        assert "Creating GREEN-API instance shop failed: HTTP 422" in output
    content = VaultLib([("default", VaultSecret(b"a password"))]).decrypt(
        (account.folder / "tokens.vault").read_bytes()
    )
    assert [item["name"] for item in json.loads(content)["fleet_tokens"]] == ["support"]
    assert store.writes == ["/v1/secret/data/msgops/green_api/support"]
    no_vault = {"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": STORE_TOKEN}
    assert "VAULT_ADDR or VAULT_TOKEN is wrong: " in play(
        "hashicorp_vault.yml", account, ok=False, environment=no_vault
    )


def test_a_playbook_uses_the_encrypted_file_as_the_page_says(
    account: Fleet, play: Callable[..., str], ansible_commands: Path
) -> None:
    play("ansible_vault.yml", account, environment={"FLEET_VAULT_PASSWORD": "a password"})
    (tasks,) = re.findall(r"```yaml\n(- name: Load the tokens.*?)```", PAGE, re.DOTALL)
    tasks += "  register: states\n- ansible.builtin.assert: {that: states.summary.total == 2}\n"
    (account.folder / "password").write_text("a password")
    (account.folder / "deep").mkdir()
    playbook = [{"hosts": "localhost", "gather_facts": False, "tasks": yaml.safe_load(tasks)}]
    (account.folder / "deep" / "play.yml").write_text(yaml.safe_dump(playbook, sort_keys=False))
    done = subprocess.run(
        [ansible_commands / "ansible-playbook", "--vault-password-file", "password", "deep/play.yml"],
        cwd=account.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_hashicorp_vault(account: Fleet, served_store: tuple[DocumentStore, str], play: Callable[..., str]) -> None:
    store, address = served_store
    play("hashicorp_vault.yml", account, ok=False, environment={"VAULT_ADDR": address, "VAULT_TOKEN": "wrong"})
    assert account.posts() == []
    environment = {"VAULT_ADDR": address, "VAULT_TOKEN": STORE_TOKEN}
    play("hashicorp_vault.yml", account, environment=environment)
    assert store.documents == {
        f"/v1/secret/data/msgops/green_api/{instance['name']}": {
            "data": {"id": str(instance["id"]), "token": instance["token"], "api_url": account.emulator.url}
        }
        for instance in account.existing()
    }
    assert len(store.writes) == 2
    assert "changed=0" in play("hashicorp_vault.yml", account, environment=environment)
    assert len(store.writes) == 2


def test_awx(account: Fleet, served_store: tuple[DocumentStore, str], play: Callable[..., str]) -> None:
    store, address = served_store
    file = account.credentials_file
    environment = {"CONTROLLER_HOST": address, "CONTROLLER_OAUTH_TOKEN": STORE_TOKEN}
    variables = {"fleet_credential": "Tokens", "fleet_credentials_file": str(file)}
    wrong = environment | {"CONTROLLER_OAUTH_TOKEN": "wrong"}
    output = play("awx_credential.yml", account, ok=False, environment=wrong, **variables)
    assert "CONTROLLER_HOST or CONTROLLER_OAUTH_TOKEN is wrong: Status code was 403" in output
    play("awx_credential.yml", account, ok=False, environment=environment, **{**variables, "fleet_credential": "None"})
    assert account.posts() == []
    account.arm("create", "status", status=422)
    play("awx_credential.yml", account, ok=False, environment=environment, **variables)
    assert contents(store) == {"support": account.existing("support")[0]["token"]}
    play("awx_credential.yml", account, environment=environment, **variables)
    assert contents(store) == {name: account.existing(name)[0]["token"] for name in ("support", "shop")}
    assert "changed=0" in play("awx_credential.yml", account, environment=environment, **variables)
    assert store.writes == ["/api/v2/credentials/7/"] * 2


def contents(store: DocumentStore) -> dict[str, str]:
    """The tokens in AWX's credential."""
    content = json.loads(store.documents["/api/v2/credentials/7/"]["inputs"]["credentials"])
    return {name: credentials["token"] for name, credentials in content["green_api"].items()}
