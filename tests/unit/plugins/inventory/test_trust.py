# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of an instance can't make Ansible do anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.msgops.fleet.plugins.plugin_utils._unsafe import untrusted
from ansible_collections.msgops.fleet.tests.support.inventories import Source
from pytest_httpserver import HTTPServer

from msgops_emulator import Control

try:
    from ansible.template import is_trusted_as_template
except ImportError:
    from ansible.utils.unsafe_proxy import AnsibleUnsafe

    def is_unsafe(value: Any) -> bool:
        """Whether Ansible takes ``value`` for text only, whatever it says."""
        return isinstance(value, AnsibleUnsafe)

else:

    def is_unsafe(value: Any) -> bool:
        """Whether Ansible takes ``value`` for text only, whatever it says."""
        return not is_trusted_as_template(value)


DANGEROUS = [
    "{{ 7 * 7 }}",
    "{% if true %}x{% endif %}",
    "{# hidden #}",
    "{",
    "}",
    "lookup('pipe', 'id')",
    "lookup('file', \"x\")",
    "x | pipe",
    "a\nb",
    "#jinja2: variable_start_string:'[['",
    "[[ x ]]",
    "$ANSIBLE_VAULT;1.1;AES256",
    "a=b",
    "a;b",
    "`id`",
]


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_could_be_a_template_is_unsafe(text: str) -> None:
    value = untrusted({"a": [text, {"b": text}]})
    assert value == {"a": [text, {"b": text}]}
    assert is_unsafe(value["a"][0])
    assert is_unsafe(value["a"][1]["b"])


@pytest.mark.parametrize(
    "text",
    ["", "shop-1", "Loja São Paulo", "2026-01-01T00:00:00Z", "https://api.green-api.com/x", "a@b+c", "PARTNER_23"],
)
def test_plain_words_stay_plain(text: str) -> None:
    assert untrusted(text) == text
    assert not is_unsafe(untrusted(text))


@pytest.mark.parametrize("value", [None, True, 0, 1.5, [], {}])
def test_what_is_no_text_stays_as_it_is(value: Any) -> None:
    assert untrusted(value) == value


@pytest.fixture
def victim(tmp_path: Path) -> str:
    """A name that makes a file if anybody evaluates it."""
    return f"{{{{ lookup('ansible.builtin.pipe', 'touch {tmp_path}/evaluated') }}}}"


def test_nothing_in_a_listing_is_evaluated(source: Source, httpserver: HTTPServer, victim: str) -> None:
    item = {"idInstance": 1, "name": victim, "apiTokenInstance": victim, "tariff": victim, "timeCreated": victim}
    httpserver.expect_request("/partner/getInstances/partner-token").respond_with_json([item])
    url = f"http://127.0.0.1:{httpserver.port}"
    httpserver.expect_request("/waInstance1/getStateInstance/" + victim).respond_with_json({"stateInstance": victim})
    source.write(
        {
            "plugin": "msgops.fleet.instances",
            "provider": "green_api",
            "api_url": url,
            "partner_token": "partner-token",
            "read_states": True,
            "include_tokens": True,
            "hostnames": ["id"],
            "compose": {"composed": "msgops_name", "joined": "msgops_name ~ msgops_plan", "copied": "[msgops_plan]"},
            "keyed_groups": [{"key": "msgops_name"}, {"key": "msgops_name | upper"}],
            "groups": {"named": "msgops_name is search('pipe')"},
        }
    )
    play = {
        "hosts": "all",
        "gather_facts": False,
        "connection": "local",
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "tasks": [
            {
                "ansible.builtin.copy": {"content": "{{ result | to_json }}", "dest": "{{ playbook_dir }}/result.json"},
                "vars": {
                    "result": {
                        "name": "{{ msgops_name }}",
                        "state": "{{ msgops_vendor_state }}",
                        "composed": "{{ composed }}",
                        "groups": "{{ group_names }}",
                        "both": "{{ joined }}{{ copied[0] }}",
                        "by hostvars": "{{ hostvars[inventory_hostname].msgops_name }}",
                    }
                },
            },
            {"ansible.builtin.debug": {"msg": "{{ msgops_name }} {{ msgops_token }} {{ hostvars['1'] }}"}},
            {"ansible.builtin.debug": {"var": "hostvars"}},
        ],
    }
    (source.folder / "play.yml").write_text(yaml.safe_dump([play]))
    status, output = source.command("ansible-playbook", "-i", "fleet.msgops.yml", "play.yml")
    assert status == 0, output
    assert not (source.folder / "evaluated").exists()
    result = json.loads((source.folder / "result.json").read_text())
    assert result["name"] == result["composed"] == result["by hostvars"] == victim
    assert result["both"] == victim * 3
    assert "named" in result["groups"]


@pytest.mark.parametrize("name", ["shop-1", "Loja São Paulo"])
def test_awx_sees_plain_values_where_nothing_is_wrong(emulator: Control, source: Source, name: str) -> None:
    emulator.seed(instances=[{"provider": "plugzapi", "name": name}])
    compose = {"ansible_connection": "'local'", "label": "'instance ' ~ msgops_name", "copy": "msgops_name"}
    options = {"plugin": "msgops.fleet.instances", "provider": "plugzapi", "compose": compose}
    assert "__ansible_unsafe" not in source.load(options, "--export").output
