# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No token in anything that Ansible prints while it loads a source, however much it is asked to print."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible_collections.msgops.fleet.plugins.inventory.instances import InventoryModule
from ansible_collections.msgops.fleet.plugins.plugin_utils._inventory import FleetInventory
from ansible_collections.msgops.fleet.tests.support.inventories import Source

from msgops_emulator import Control

# With characters that URLs, JSON and shells spell in another way.
SECRET = 's3cret/t0ken+with=all&kinds?of%"characters'
MARKS = ("s3cret", "t0ken", quote(SECRET, safe=""))

INSTANCES = {"plugin": "msgops.fleet.instances", "provider": "green_api", "retry_timeout": 0}
PHONES = {"plugin": "msgops.fleet.cloudphones", "retry_timeout": 0}
TALKATIVE = {"ANSIBLE_DISPLAY_TRACEBACK": "always", "ANSIBLE_DEBUG": "false"}

BROKEN: dict[str, dict[str, Any]] = {
    "a wrong token": {**INSTANCES, "partner_token": SECRET},
    "a wrong token of an account": {**INSTANCES, "accounts": [{"partner_token": SECRET}]},
    "accounts that are no list": {**INSTANCES, "accounts": {"partner_token": SECRET}},
    "accounts that are a token": {**INSTANCES, "accounts": SECRET},
    "an account that is a token": {**INSTANCES, "accounts": [SECRET]},
    "an account with a misspelt option": {**INSTANCES, "accounts": [{"partner_token": SECRET, "x": SECRET}]},
    "a token that is a list": {**INSTANCES, "partner_token": [SECRET]},
    "a token that is a dictionary": {**INSTANCES, "partner_token": {"x": SECRET}},
    "a token and another wrong option": {**INSTANCES, "partner_token": SECRET, "timeout": "soon"},
    "a token and a misspelt option": {**INSTANCES, "partner_token": SECRET, "misspelt": 1},
    "a token in a template that fails": {**INSTANCES, "partner_token": f"{{{{ x.y ~ '{SECRET[:14]}' }}}}"},
    "a token and a wrong address": {**INSTANCES, "partner_token": SECRET, "api_url": "https://gateway.invalid"},
    "a token in the address": {**INSTANCES, "partner_token": SECRET, "api_url": f"https://x.invalid/{SECRET}"},
    "a wrong token for phones": {**PHONES, "auth_token": SECRET},
    "a wrong key for phones": {**PHONES, "access_key": "key", "secret_key": SECRET},
    "a wrong password for phones": {
        **PHONES,
        "iam_user": "user",
        "iam_password": SECRET,
        "iam_domain": "domain",
        "project_name": "project",
    },
    "a token that is a list for phones": {**PHONES, "auth_token": [SECRET, SECRET]},
    "two ways for phones": {**PHONES, "auth_token": SECRET, "access_key": "key", "secret_key": SECRET},
}


def assert_no_secret(output: str) -> None:
    for mark in MARKS:
        assert mark not in output


@pytest.mark.parametrize("options", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("on_error", ["fail", "warn"])
def test_no_failure_holds_a_secret(emulator: Control, source: Source, options: dict[str, Any], on_error: str) -> None:
    emulator.config({"green_api.error_body": "json_with_path", "green_api.partner_error": "http400"})
    environment = {**TALKATIVE, "KOOPHONE_AUTH_TOKEN": "", "KOOPHONE_IAM_ENDPOINT": emulator.url}
    # JSON is YAML, and keeps each value on one line.
    _status, output = source.listing(json.dumps({**options, "on_error": on_error}), "-vvvv", **environment)
    assert "msgops.fleet" in output
    assert_no_secret(output)


def test_no_failure_holds_a_secret_from_the_environment(source: Source) -> None:
    refusal = source.refused({**INSTANCES}, "-vvvv", **TALKATIVE, GREEN_API_PARTNER_TOKEN=SECRET)
    assert "check partner_token" in refusal
    assert_no_secret(refusal)


@pytest.mark.parametrize(
    "options",
    [
        {"compose": {"x": "msgops_token ~ no_such_variable"}},
        {"compose": {"x": "msgops_token | from_json"}},
        {"keyed_groups": [{"key": "msgops_token | from_yaml_all | from_json"}]},
        {"groups": {"x": "msgops_token is search('(')"}},
    ],
)
def test_no_failure_over_a_hosts_token_holds_it(emulator: Control, source: Source, options: dict[str, Any]) -> None:
    emulator.seed(instances=[{"provider": "green_api", "name": "shop", "token": SECRET}])
    wanted = {**INSTANCES, "include_tokens": True, "strict": True}
    refusal = source.refused({**wanted, **options}, "-vvvv", **TALKATIVE)
    assert "shop" in refusal
    assert_no_secret(refusal)


def test_success_holds_no_secret(emulator: Control, source: Source) -> None:
    emulator.seed(
        accounts=[{"provider": "green_api", "name": "other", "partner_token": SECRET}],
        instances=[{"provider": "green_api", "account": "other", "name": "shop", "token": SECRET}],
    )
    options = {**INSTANCES, "partner_token": SECRET, "read_states": True}
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": "cache"}
    for _attempt in range(2):
        inventory = source.load({**options, **cache}, "-vvvv", **TALKATIVE)
        assert set(inventory.hosts) == {"shop"}
        assert_no_secret(inventory.output)


def test_a_bug_does_not_show_what_it_was_about(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(plugin: FleetInventory, path: str, cache: bool) -> None:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise RuntimeError(f"https://gateway.invalid/{SECRET}") from error

    monkeypatch.setattr(FleetInventory, "_load", fail)
    with pytest.raises(AnsibleParserError) as caught:
        InventoryModule().parse(InventoryData(), DataLoader(), "fleet.msgops.yml")
    assert "unexpected RuntimeError at test_secrets.py:" in str(caught.value)
    assert_no_secret(repr(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
