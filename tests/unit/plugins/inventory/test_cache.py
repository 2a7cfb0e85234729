# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cached source sends no request, and its cache holds no secret that it shouldn't."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible.release import __version__ as ansible_version
from ansible_collections.msgops.fleet.tests.support.inventories import Inventory, Source
from packaging.version import Version

from msgops_emulator import Control

CACHE = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": "cache"}
INSTANCES = {"plugin": "msgops.fleet.instances", **CACHE}
PHONES = {"plugin": "msgops.fleet.cloudphones", **CACHE}

# No server listens there.
NOWHERE = {
    "GREEN_API_URL": "http://127.0.0.1:1",
    "PLUGZAPI_URL": "http://127.0.0.1:1",
    "KOOPHONE_ENDPOINT": "http://127.0.0.1:1",
}


@pytest.fixture
def fleet(emulator: Control, source: Source) -> Source:
    """Two instances and a phone."""
    emulator.seed(
        instances=[
            {"provider": "green_api", "name": "shop", "token": "s3cret-shop", "state": "authorized"},
            {"provider": "plugzapi", "name": "loja", "token": "s3cret-loja", "state": "connected"},
        ],
        phones=[{"id": "kp1"}],
    )
    return source


def without_credentials(source: Source, options: Mapping[str, Any], *arguments: str) -> Inventory:
    """Load a source as somebody without credentials and without a network would."""
    return Source(source.folder, source.commands, NOWHERE).load(options, *arguments)


def cached(source: Source) -> str:
    """All that is in the cache."""
    return "".join(path.read_text() for path in sorted((source.folder / "cache").iterdir()))


def change(source: Source, change: Callable[[Any], Any]) -> None:
    """Change the only entry of the cache."""
    (path,) = (source.folder / "cache").iterdir()
    content = json.loads(path.read_text())
    # Since 2.19, Ansible packs an entry into a string.
    if "__payload__" in content:
        content["__payload__"] = json.dumps(change(json.loads(content["__payload__"])))
    else:
        content = change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("options", [INSTANCES, PHONES], ids=["instances", "phones"])
def test_a_cached_source_needs_neither_network_nor_credentials(
    emulator: Control, fleet: Source, options: dict[str, Any]
) -> None:
    first = fleet.load(options)
    asked = len(emulator.log())
    again = fleet.load(options)
    assert len(emulator.log()) == asked
    alone = without_credentials(fleet, options)
    assert first.hosts == again.hosts == alone.hosts != {}
    assert first.groups == again.groups == alone.groups


@pytest.mark.parametrize(
    "options",
    [
        {"provider": "green_api"},
        {"provider": "green_api", "partner_token": "{{ no_such_variable }}"},
        {"provider": "green_api", "partner_token": "{{ lookup('ansible.builtin.env', 'NO_SUCH_VARIABLE') }}"},
        {"accounts": [{"provider": "green_api", "partner_token": "{{ no_such_variable }}"}]},
    ],
)
def test_credentials_that_cannot_be_had_are_not_missed(fleet: Source, options: dict[str, Any]) -> None:
    fleet.load({**INSTANCES, **{"provider": "green_api"}})
    token = {"no_such_variable": fleet.environment["GREEN_API_PARTNER_TOKEN"]}
    shutil.rmtree(fleet.folder / "cache")
    fleet.load({**INSTANCES, **options}, "-e", json.dumps(token), NO_SUCH_VARIABLE=token["no_such_variable"])
    assert set(without_credentials(fleet, {**INSTANCES, **options}).hosts) == {"shop"}


def test_without_a_cache_nobody_is_no_answer(fleet: Source) -> None:
    fleet.load(INSTANCES)
    refusal = Source(fleet.folder, fleet.commands, NOWHERE).refused({**INSTANCES, "cache": False})
    assert "the inventory source needs accounts" in refusal


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        ({}, {"PLUGZAPI_PARTNER_TOKEN": ""}),
        ({"provider": "plugzapi"}, {}),
        ({"accounts": [{"provider": "plugzapi", "name": "another name"}]}, {}),
        ({"accounts": [{"provider": "green_api", "partner_token": "second-token"}]}, {}),
        ({"provider": "green_api"}, {"GREEN_API_PARTNER_TOKEN": "second-token"}),
    ],
)
def test_other_accounts_are_asked(
    emulator: Control, fleet: Source, options: dict[str, Any], environment: dict[str, str]
) -> None:
    emulator.seed(
        accounts=[{"provider": "green_api", "name": "second", "partner_token": "second-token"}],
        instances=[{"provider": "green_api", "account": "second", "name": "kiosk"}],
    )
    fleet.load({**INSTANCES, **({"provider": "green_api"} if "provider" in options else {})})
    emulator.clear_log()
    inventory = fleet.load({**INSTANCES, **options}, **environment)
    assert len(emulator.log()) == 1
    assert inventory.groups == fleet.load({**INSTANCES, **options, "cache": False}, **environment).groups


@pytest.mark.parametrize("way", ["option", "item", "environment"])
def test_an_account_with_a_name_is_the_same_whatever_its_token(emulator: Control, fleet: Source, way: str) -> None:
    options: dict[str, Any] = {**INSTANCES, "provider": "green_api"}
    environment = {}
    if way == "option":
        options["account"] = "mine"
    elif way == "item":
        options = {**INSTANCES, "accounts": [{"provider": "green_api", "account": "mine"}]}
    else:
        environment["GREEN_API_ACCOUNT"] = "mine"
    first = fleet.load(options, **environment)
    asked = len(emulator.log())
    again = fleet.load(options, **environment, GREEN_API_PARTNER_TOKEN="renewed")
    assert len(emulator.log()) == asked
    assert first.hosts == again.hosts != {}
    assert {host["msgops_account"] for host in first.hosts.values()} == {"mine"}


def test_another_token_for_phones_is_asked(emulator: Control, fleet: Source) -> None:
    emulator.seed(
        accounts=[{"provider": "koophone", "name": "tenant-b", "auth_token": "b-token"}],
        phones=[{"id": "kp2", "account": "tenant-b"}],
    )
    assert set(fleet.load(PHONES).hosts) == {"kp1"}
    assert set(fleet.load(PHONES, KOOPHONE_AUTH_TOKEN="b-token").hosts) == {"kp2"}


def test_another_source_is_not_what_is_cached(emulator: Control, fleet: Source) -> None:
    fleet.load(INSTANCES)
    emulator.clear_log()
    other = fleet.write(INSTANCES, "other.msgops.yml")
    status, output = fleet.command("ansible-inventory", "-i", str(other), "--list")
    assert status == 0, output
    assert len(emulator.log()) == 2


def test_what_was_not_asked_for_is_not_taken_from_the_cache(emulator: Control, fleet: Source) -> None:
    fleet.load(INSTANCES)
    emulator.clear_log()
    inventory = fleet.load({**INSTANCES, "read_states": True})
    assert emulator.log() != []
    assert inventory.hosts["shop"]["msgops_state"] == "authorized"
    assert inventory.hosts["shop"].get("msgops_token") is None


def test_how_hosts_are_shown_is_not_cached(emulator: Control, fleet: Source) -> None:
    emulator.seed(instances=[{"provider": "green_api", "name": "gone", "state": "deleted"}])
    fleet.load(INSTANCES)
    asked = len(emulator.log())
    shown = {
        "include_deleted": True,
        "hostnames": ["account_name"],
        "group": "fleet",
        "group_by": ["provider"],
        "group_prefix": "wa_",
        "compose": {"upper": "msgops_name | upper"},
    }
    inventory = fleet.load({**INSTANCES, **shown})
    assert len(emulator.log()) == asked
    assert inventory.of("fleet") == {"green_api_shop", "plugzapi_loja", "green_api_gone"}
    assert inventory.of("wa_provider_plugzapi") == {"plugzapi_loja"}
    assert inventory.hosts["plugzapi_loja"]["upper"] == "LOJA"


def test_due_dates_are_compared_with_the_time_of_loading(fleet: Source) -> None:
    fleet.load(INSTANCES)
    assert "due_in" not in cached(fleet)
    change(fleet, lambda entry: {**entry, "hosts": [{**h, "due": "2020-01-01T00:00:00Z"} for h in entry["hosts"]]})
    assert fleet.load(INSTANCES).of("overdue") == {"shop", "loja"}


@pytest.mark.skipif(
    Version(ansible_version) < Version("2.19"), reason="ansible-inventory has --flush-cache since ansible-core 2.19"
)
def test_flushing_asks_again(emulator: Control, fleet: Source) -> None:
    fleet.load(INSTANCES)
    emulator.seed(instances=[{"provider": "plugzapi", "name": "new"}])
    assert set(fleet.load(INSTANCES).hosts) == {"shop", "loja"}
    assert set(fleet.load(INSTANCES, "--flush-cache").hosts) == {"shop", "loja", "new"}
    assert set(fleet.load(INSTANCES).hosts) == {"shop", "loja", "new"}


def test_what_is_too_old_is_asked_for_again(emulator: Control, fleet: Source) -> None:
    fleet.load({**INSTANCES, "cache_timeout": 1})
    emulator.seed(instances=[{"provider": "plugzapi", "name": "new"}])
    time.sleep(1.1)
    assert "new" in fleet.load({**INSTANCES, "cache_timeout": 1}).hosts


@pytest.mark.parametrize("entry", [{}, [], None, {"version": 0, "accounts": [], "hosts": [{"id": 1}]}])
def test_what_another_version_has_cached_is_not_used(fleet: Source, entry: Any) -> None:
    first = fleet.load(INSTANCES)
    change(fleet, lambda _entry: entry)
    assert fleet.load(INSTANCES).groups == first.groups


def test_a_fleet_that_is_not_whole_is_not_cached(emulator: Control, fleet: Source) -> None:
    emulator.arm("plugzapi.list", "status", count=1, status=403)
    options = {**INSTANCES, "on_error": "warn"}
    assert set(fleet.load(options).hosts) == {"shop"}
    assert not (fleet.folder / "cache").exists() or not list((fleet.folder / "cache").iterdir())
    assert set(fleet.load(options).hosts) == {"shop", "loja"}


def test_the_cache_holds_no_token(emulator: Control, fleet: Source) -> None:
    fleet.load({**INSTANCES, "read_states": True})
    fleet.load(PHONES)
    content = cached(fleet)
    assert "shop" in content
    assert "kp1" in content
    assert "s3cret" not in content
    for account in emulator.accounts():
        for key in ("partner_token", "client_token", "auth_token", "secret_key", "iam_password"):
            assert account.get(key, "s3cret") not in content


def test_a_cache_that_would_hold_tokens_is_refused(fleet: Source) -> None:
    _status, output = fleet.command(
        "ansible-inventory", "-i", str(fleet.write({**INSTANCES, "include_tokens": True})), "--list"
    )
    assert "set cache: false in this source" in " ".join(output.split())
    assert "s3cret" not in output
    assert not (fleet.folder / "cache").exists() or not list((fleet.folder / "cache").iterdir())


# ansible-core 2.16 can't use that plugin for an inventory.
IN_MEMORY = pytest.param(
    {"cache_plugin": "ansible.builtin.memory"},
    marks=pytest.mark.skipif(Version(ansible_version) < Version("2.19"), reason="this ansible-core can't use it"),
)


@pytest.mark.parametrize("change", [{"cache": False}, IN_MEMORY])
def test_what_the_refusal_says_lets_tokens_through(fleet: Source, change: dict[str, Any]) -> None:
    environment = {"ANSIBLE_INVENTORY_CACHE": "true"}
    inventory = fleet.load({**INSTANCES, "include_tokens": True, **change}, **environment)
    assert inventory.hosts["loja"]["msgops_token"] == "s3cret-loja"
    assert not (fleet.folder / "cache").exists() or not list((fleet.folder / "cache").iterdir())


def test_other_cache_settings_of_ansible_hold(emulator: Control, fleet: Source) -> None:
    options = {"plugin": "msgops.fleet.instances"}
    environment = {
        "ANSIBLE_INVENTORY_CACHE": "true",
        "ANSIBLE_INVENTORY_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_INVENTORY_CACHE_CONNECTION": str(fleet.folder / "elsewhere"),
        "ANSIBLE_INVENTORY_CACHE_PLUGIN_PREFIX": "fleet_",
    }
    fleet.load(options, **environment)
    asked = len(emulator.log())
    fleet.load(options, **environment)
    assert len(emulator.log()) == asked
    assert [path.name.startswith("fleet_") for path in (fleet.folder / "elsewhere").iterdir()] == [True]
