# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's documentation against what it stands for, and what its output never holds."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import yaml
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import TRANSPORT
from ansible_collections.msgops.fleet.plugins.modules import instance_create, instance_provision
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT

if TYPE_CHECKING:
    from msgops_emulator import Control

ROLE = ROOT / "roles" / "provision"

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Provision, and show what that leaves behind
      block:
        - name: Provision
          ansible.builtin.include_role:
            name: msgops.fleet.provision
          vars:
            provision_instances: "{{ instances }}"
            provision_partner_tokens: "{{ partner_tokens }}"
            provision_client_token: "{{ client_token }}"
            provision_wait: false
            provision_journal: journal.sqlite3
            provision_credentials_file: credentials.json
            provision_report_file: report.json
      always:
        - name: Show what the role has registered
          ansible.builtin.debug:
            var: __provision

        - name: Use the result
          ansible.builtin.debug:
            var: provision_result
"""


def options() -> dict[str, Any]:
    spec = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    described: dict[str, Any] = spec["argument_specs"]["main"]["options"]
    return described


def test_an_item_takes_what_instance_create_takes() -> None:
    items = instance_create.ARGUMENTS.options["instances"]["options"]
    own = {"id", "token", "client_token", "phone"}
    assert set(options()["provision_instances"]["options"]) == set(items) | own


def test_each_variable_is_an_option_of_the_module() -> None:
    own = set(instance_provision.ARGUMENTS.options) - set(TRANSPORT.options)
    assert set(options()) == {f"provision_{option}" for option in own} | {"provision_no_log"}


def test_the_defaults_are_those_that_are_documented() -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert defaults == {name: option["default"] for name, option in options().items() if "default" in option}


@pytest.mark.parametrize("place", ["controller", "module"])
def test_no_output_holds_a_token(place: str, emulator: Control, tmp_path: Path, ansible_commands: Path) -> None:
    emulator.config(
        {
            "green_api.error_body": "json_with_path",
            "green_api.token_style": "awkward",
            "plugzapi.token_style": "awkward",
        }
    )
    tokens = {gateway: str(emulator.account(gateway)["partner_token"]) for gateway in ("green_api", "plugzapi")}
    known = emulator.seed(instances=[{"provider": "green_api", "name": "known", "token": "known/token+&= 1"}])
    mistaken, refused = "mistaken/token+&= 2", "refused/token+&= 3"
    given = {
        "instances": [
            {"name": "shop", "provider": "green_api", "settings": {"webhookUrlToken": "webhook/token+&= 4"}},
            {"name": "sales", "provider": "plugzapi"},
            {"name": "refused", "provider": "green_api", "partner_token": refused},
            {"name": "known", "provider": "green_api", "id": known["instances"][0]["id"], "token": "known/token+&= 1"},
            {"name": "mistaken", "provider": "green_api", "id": known["instances"][0]["id"], "token": mistaken},
        ],
        "partner_tokens": tokens,
        "client_token": emulator.account("plugzapi")["client_token"],
        "msgops_execution": place,
    }
    (tmp_path / "play.yml").write_text(PLAYBOOK, encoding="utf-8")
    (tmp_path / "given.json").write_text(json.dumps(given), encoding="utf-8")
    output = ""
    for _run in range(2):
        done = subprocess.run(
            [ansible_commands / "ansible-playbook", "-vvvvv", "--diff", "-e", "@given.json", "play.yml"],
            cwd=tmp_path,
            env={**os.environ, "GREEN_API_URL": emulator.url, "PLUGZAPI_URL": emulator.url},
            check=False,
            capture_output=True,
            text=True,
        )
        output += done.stdout + done.stderr
        # The one that can't be created and the one that can't be read make it fail.
        assert done.returncode == 2, output
        assert "refused at green_api" in output
        assert "mistaken at green_api" in output
        assert '"provision_result": {' in output
    report = (tmp_path / "report.json").read_text(encoding="utf-8")
    made = [str(instance["token"]) for instance in emulator.instances()]
    secrets = [*made, *tokens.values(), given["client_token"], mistaken, refused, "webhook/token+&= 4"]
    spelled = {
        spelling for secret in secrets for spelling in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])
    }
    assert len(made) == 3
    assert [secret for secret in spelled if secret in output or secret in report] == []
