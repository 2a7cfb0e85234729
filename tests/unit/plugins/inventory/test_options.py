# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the inventory plugins: files, templates, vaulted values, the environment, the documentation."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.msgops.fleet.plugins.plugin_utils._inventory import FleetInventory
from ansible_collections.msgops.fleet.tests.support.inventories import Inventory, Source

from msgops_emulator import Control

PLUGINS = ("instances", "cloudphones")
PASSWORD = "vault password"

# The options by which a source reaches an account, whose values are the account's.
ASKING = {
    "instances": ("api_url", "partner_token"),
    "cloudphones": ("endpoint", "access_key", "secret_key"),
}


def plugin(name: str) -> Any:
    return importlib.import_module(f"ansible_collections.msgops.fleet.plugins.inventory.{name}")


def inventory_module(name: str) -> type[FleetInventory]:
    found: type[FleetInventory] = plugin(name).InventoryModule
    return found


def documentation(name: str) -> dict[str, Any]:
    """The documentation of a plugin with that of its fragments, ours only."""
    own: dict[str, Any] = yaml.safe_load(plugin(name).DOCUMENTATION)
    options: dict[str, Any] = {}
    for fragment in own["extends_documentation_fragment"]:
        if fragment.startswith("msgops.fleet."):
            file, _dot, part = fragment.removeprefix("msgops.fleet.").partition(".")
            module = importlib.import_module(f"ansible_collections.msgops.fleet.plugins.doc_fragments.{file}")
            options |= yaml.safe_load(getattr(module.ModuleDocFragment, part.upper() or "DOCUMENTATION"))["options"]
    # As Ansible merges them: what the plugin says of an option goes over what the fragment says of it.
    own_options = {name: options.get(name, {}) | option for name, option in own["options"].items()}
    return own | {"options": options | own_options}


@pytest.fixture
def fleet(emulator: Control, source: Source) -> Source:
    """An instance at each gateway, and a phone."""
    emulator.seed(
        instances=[{"provider": "green_api", "name": "shop"}, {"provider": "plugzapi", "name": "loja"}],
        phones=[{"id": "kp1"}],
    )
    return source


@pytest.fixture
def asking(emulator: Control) -> dict[str, dict[str, str]]:
    """The values of ASKING."""
    account = emulator.account("koophone")
    return {
        "instances": {"api_url": emulator.url, "partner_token": emulator.account("green_api")["partner_token"]},
        "cloudphones": {
            "endpoint": emulator.url,
            "access_key": account["access_key"],
            "secret_key": account["secret_key"],
        },
    }


def source_options(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    provider = {"provider": "green_api"} if name == "instances" else {}
    return {"plugin": f"msgops.fleet.{name}", **provider, **given}


# Files


@pytest.mark.parametrize(
    "name",
    [
        "msgops.yml",
        "msgops.yaml",
        "fleet.msgops.yml",
        "fleet.msgops.yaml",
        "instances.msgops.yml",
        "a.b.msgops.yml",
        ".msgops.yml",
    ],
)
def test_files_that_are_a_source(fleet: Source, name: str) -> None:
    path = fleet.write({"plugin": "msgops.fleet.instances"}, name)
    status, output = fleet.command("ansible-inventory", "-i", str(path), "--graph")
    assert status == 0, output
    assert "shop" in output


@pytest.mark.parametrize("name", ["fleet.yml", "msgops.txt", "msgops.yml.bak", "mymsgops.yml", "msgops-fleet.yml"])
def test_files_that_are_no_source(fleet: Source, name: str) -> None:
    path = fleet.write({"plugin": "msgops.fleet.instances"}, name)
    status, output = fleet.command("ansible-inventory", "-i", str(path), "--graph")
    assert status != 0
    assert "shop" not in output


def test_several_sources_in_a_folder(fleet: Source) -> None:
    folder = fleet.folder / "inventory"
    folder.mkdir()
    fleet.write({"plugin": "msgops.fleet.instances"}, "inventory/instances.msgops.yml")
    fleet.write({"plugin": "msgops.fleet.cloudphones"}, "inventory/phones.msgops.yml")
    (folder / "machines.yml").write_text("all: {hosts: {db1: }}\n")
    status, output = fleet.command("ansible-inventory", "-i", str(folder), "--list")
    assert status == 0, output
    assert set(json.loads(output)["_meta"]["hostvars"]) >= {"shop", "loja", "kp1"}


def test_both_plugins_enabled_by_name(fleet: Source) -> None:
    # The plugins are chosen when Ansible starts; a configuration file is read then, too.
    for name in PLUGINS:
        path = fleet.write({"plugin": f"msgops.fleet.{name}"}, f"{name}.msgops.yml")
        status, output = fleet.command("ansible-inventory", "-i", str(path), "--list")
        assert status == 0, output


@pytest.mark.parametrize("text", ["plugin: msgops.fleet.instances\n  x: y\n", "- plugin\n", "plugin: acme.x.y\n"])
def test_a_file_that_cannot_be_read_is_refused(fleet: Source, text: str) -> None:
    assert "Traceback" not in fleet.refused(text)


# Templates and vaulted values


@pytest.mark.parametrize("name", PLUGINS)
def test_templates_of_extra_variables(bare: Source, fleet: Source, asking: dict[str, Any], name: str) -> None:
    options = source_options(name, {option: f"{{{{ the_{option} }}}}" for option in ASKING[name]})
    extra = {f"the_{option}": asking[name][option] for option in ASKING[name]}
    bare.environment.clear()
    assert bare.load(options, "-e", json.dumps(extra)).hosts


@pytest.mark.parametrize("name", PLUGINS)
def test_templates_with_lookups(bare: Source, fleet: Source, asking: dict[str, Any], name: str) -> None:
    options = source_options(
        name, {option: f"{{{{ lookup('ansible.builtin.env', 'X_{option}') }}}}" for option in ASKING[name]}
    )
    bare.environment.clear()
    assert bare.load(options, **{f"X_{option}": asking[name][option] for option in ASKING[name]}).hosts


@pytest.mark.parametrize("name", PLUGINS)
def test_vaulted_values(bare: Source, fleet: Source, asking: dict[str, Any], name: str) -> None:
    vault = VaultLib([("default", VaultSecret(PASSWORD.encode()))])
    lines = [yaml.safe_dump(source_options(name, {}))]
    for option in ASKING[name]:
        ciphertext = vault.encrypt(asking[name][option]).decode().replace("\n", "\n  ")
        lines.append(f"{option}: !vault |\n  {ciphertext}\n")
    bare.environment.clear()
    (bare.folder / "password").write_text(PASSWORD)
    assert bare.load("".join(lines), "--vault-password-file", "password").hosts
    refusal = bare.refused("".join(lines))
    assert asking[name][ASKING[name][-1]] not in refusal


def test_templates_in_accounts(bare: Source, fleet: Source, emulator: Control) -> None:
    accounts = [
        {
            "name": "{{ 'a' ~ index }}",
            "provider": "{{ 'green' ~ '_api' }}",
            "api_url": "{{ url }}",
            "partner_token": "{{ tokens.green }}",
        }
    ]
    tokens = {"green": emulator.account("green_api")["partner_token"]}
    extra = {"index": 1, "url": emulator.url, "tokens": tokens}
    bare.environment.clear()
    options = {"plugin": "msgops.fleet.instances", "accounts": accounts}
    assert bare.load(options, "-e", json.dumps(extra)).values("account") == {"shop": "a1"}
    templated = {"plugin": "msgops.fleet.instances", "accounts": "{{ fleet_accounts }}"}
    assert bare.load(templated, "-e", json.dumps({**extra, "fleet_accounts": accounts})).hosts


def test_every_option_may_be_a_template(fleet: Source) -> None:
    """A template stands in for a value of each option's type."""
    values = {
        "provider": "green_api",
        "accounts": [{"provider": "green_api"}],
        "read_states": True,
        "include_deleted": True,
        "include_tokens": True,
        "hostnames": ["name_id"],
        "group": "fleet",
        "group_by": ["provider"],
        "group_prefix": "x_",
        "on_error": "warn",
        "timeout": 5.5,
        "retry_timeout": 0,
        "concurrency": 3,
        "validate_certs": False,
        "strict": True,
        "leading_separator": False,
        "use_extra_vars": True,
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": "elsewhere",
        "cache_timeout": 60,
        "cache_prefix": "p_",
    }
    options = {option: f"{{{{ values.{option} }}}}" for option in values}

    def load(**others: object) -> Inventory:
        extra = json.dumps({"values": values | others})
        return fleet.load({"plugin": "msgops.fleet.instances", **options}, "-e", extra)

    inventory = load(include_tokens=False)
    (host,) = inventory.hosts
    assert host.startswith("shop_11010")
    assert inventory.of("fleet") == inventory.of("x_provider_green_api") == {host}
    assert inventory.values("state") == {host: "notAuthorized"}
    assert [path.name[:2] for path in (fleet.folder / "elsewhere").iterdir()] == ["p_"]
    assert load(cache=False).values("token")[host]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"partner_token": "{{ no_such_variable }}"}, "partner_token can't be resolved: "),
        ({"accounts": [{"partner_token": "{{ no_such_variable }}"}]}, "accounts can't be resolved: "),
        ({"timeout": "{{ 'soon' }}"}, "timeout"),
        ({"cache": "{{ no_such_variable }}"}, "cache can't be resolved: "),
        ({"hostnames": "{{ no_such_variable }}"}, "hostnames can't be resolved: "),
    ],
)
def test_a_template_that_fails_names_its_option(fleet: Source, options: dict[str, Any], says: str) -> None:
    refusal = fleet.refused({"plugin": "msgops.fleet.instances", "provider": "green_api", **options})
    assert says in refusal


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_value_is_none(fleet: Source, blank: str | None) -> None:
    options = {"provider": "green_api", "timeout": blank, "api_url": blank, "hostnames": blank}
    inventory = fleet.load({"plugin": "msgops.fleet.instances", **options}, MSGOPS_TIMEOUT=" ", PLUGZAPI_URL="")
    assert set(inventory.hosts) == {"shop"}


@pytest.mark.parametrize("blank", [None, "", "  ", "{{ lookup('ansible.builtin.env', 'NO_SUCH_VARIABLE') }}"])
def test_a_blank_token_is_an_error_and_never_the_environments(fleet: Source, blank: str | None) -> None:
    refusal = fleet.refused({"plugin": "msgops.fleet.instances", "provider": "green_api", "partner_token": blank})
    assert "partner_token is " in refusal
    refusal = fleet.refused({"plugin": "msgops.fleet.cloudphones", "auth_token": blank})
    assert "auth_token is " in refusal
    accounts = [{"provider": "green_api", "partner_token": blank}]
    assert "accounts[0].partner_token is " in fleet.refused({"plugin": "msgops.fleet.instances", "accounts": accounts})


def test_a_value_of_the_environment_is_named_with_its_variable(fleet: Source) -> None:
    source = {"plugin": "msgops.fleet.instances", "provider": "green_api"}
    assert "timeout comes from the variable MSGOPS_TIMEOUT" in fleet.refused(source, MSGOPS_TIMEOUT="soon")
    assert "api_url comes from the variable GREEN_API_URL" in fleet.refused(source, GREEN_API_URL="gateway")


def test_accounts_and_lists_may_be_text(fleet: Source) -> None:
    source = {"plugin": "msgops.fleet.instances", "accounts": '[{"provider": "green_api"}]', "hostnames": "name_id,id"}
    (host,) = fleet.load(source).hosts
    assert host.startswith("shop_11010")


def test_the_environment_has_the_time_limit_too(fleet: Source) -> None:
    assert "timeout must be a number" in fleet.refused({"plugin": "msgops.fleet.instances"}, MSGOPS_TIMEOUT="0")
    assert fleet.load({"plugin": "msgops.fleet.instances"}, MSGOPS_TIMEOUT="20").hosts


# Documentation


@pytest.mark.parametrize("name", PLUGINS)
def test_the_options_are_those_of_the_documentation(name: str) -> None:
    module = inventory_module(name)
    documented = documentation(name)["options"]
    assert documented.pop("plugin")["choices"] == [f"msgops.fleet.{name}"] == [module.NAME]
    assert dict(_described(documented)) == dict(
        _described({**module.DISPLAY_OPTIONS.options, **module.API_OPTIONS.options})
    )


def _described(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, option in options.items():
        yield (
            prefix + name,
            {key: option.get(key) for key in ("type", "elements", "choices", "default", "required")},
        )
        yield from _described(option.get("suboptions", option.get("options", {})), f"{prefix}{name}.")


@pytest.mark.parametrize("name", PLUGINS)
def test_the_variables_are_those_of_the_documentation(fleet: Source, name: str) -> None:
    options = {"include_tokens": True} if name == "instances" else {}
    inventory = fleet.load({"plugin": f"msgops.fleet.{name}", **options})
    variables = {variable for own in inventory.hosts.values() for variable in own}
    notes = " ".join(map(str, yaml.safe_load(plugin(name).DOCUMENTATION)["notes"]))
    assert variables - {"msgops_token"} == set(re.findall(r"C\((msgops_\w+)\)", notes))


@dataclass(frozen=True)
class Example:
    plugin: str
    number: int
    text: str


EXAMPLES = [
    Example(name, number, text)
    for name in PLUGINS
    for number, text in enumerate(plugin(name).EXAMPLES.split("\n---\n"), 1)
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.plugin}-{example.number}")
def test_the_examples_work(emulator: Control, fleet: Source, example: Example) -> None:
    koophone = emulator.account("koophone")
    emulator.seed(
        accounts=[
            {"provider": "green_api", "name": "retail", "partner_token": "retail-token"},
            {"provider": "plugzapi", "name": "support", "partner_token": "support-token"},
        ],
        instances=[
            {"provider": "green_api", "account": "retail", "name": "till"},
            {"provider": "plugzapi", "account": "support", "name": "desk"},
        ],
    )
    extra = {
        "green_api_partner_token": emulator.account("green_api")["partner_token"],
        "koophone_access_key": koophone["access_key"],
        "koophone_secret_key": koophone["secret_key"],
        **{f"koophone_{key}": koophone[key] for key in ("iam_user", "iam_password", "iam_domain")},
        "cache_folder": str(fleet.folder / "cache"),
    }
    environment = {
        "RETAIL_TOKEN": "retail-token",
        "SUPPORT_TOKEN": "support-token",
        "KOOPHONE_IAM_ENDPOINT": emulator.url,
    }
    inventory: Inventory = fleet.load(example.text, "-e", json.dumps(extra), **environment)
    assert inventory.hosts, inventory.output
    assert "[WARNING]" not in inventory.output
    assert "[DEPRECATION" not in inventory.output
