# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blank options, lists written as text, white space, and items that modules and the inventory have returned."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._task import text_values
from ansible_collections.msgops.fleet.plugins.module_utils._task.normalization import (
    WHICH,
    NormalizedOptions,
    name_variables,
    normalize,
)
from ansible_collections.msgops.fleet.plugins.modules import (
    cloudphone_status,
    instance_create,
    instance_info,
    instance_link,
    instance_reboot,
    instance_settings,
    instance_state,
)
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT

PLUGINS = "ansible_collections.msgops.fleet.plugins"
MODULES = {
    path.stem: importlib.import_module(f"{PLUGINS}.modules.{path.stem}")
    for path in sorted((ROOT / "plugins" / "modules").glob("[!_]*.py"))
}
INVENTORIES = [importlib.import_module(f"{PLUGINS}.inventory.{name}") for name in ("instances", "cloudphones")]
BLANKS = [None, "", " ", "\r\n", "\ufeff"]


def normalized(module: Any, *, check_mode: bool = False, **given: Any) -> NormalizedOptions:
    return normalize(module.ARGUMENTS.options, given, check_mode=check_mode)


def params(module: Any, **given: Any) -> dict[str, Any]:
    return normalized(module, **given).params


# Blank values

TOP = [
    (name, option)
    for name, module in MODULES.items()
    for option, spec in module.ARGUMENTS.options.items()
    for option in (option, *spec.get("aliases", ()))
]


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize(("name", "option"), TOP)
def test_a_blank_option_that_says_how_is_left_out_and_one_that_says_which_is_an_error(
    name: str, option: str, blank: str | None
) -> None:
    says_which = option in WHICH | {"id_instance", "api_token_instance"}
    if says_which:
        with pytest.raises(UsageError, match=rf"^{option} is (null|blank), "):
            params(MODULES[name], **{option: blank})
    else:
        assert params(MODULES[name], **{option: blank}) == {}


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("option", ["id", "token", "client_token", "phone"])
def test_a_blank_id_or_token_in_an_item_is_an_error_that_names_the_item(option: str, blank: str | None) -> None:
    items = [{"id": "1"}, {"id": "2", option: blank}]
    with pytest.raises(UsageError, match=rf"^instances\[1\]\.{option} is (null|blank), "):
        params(instance_link, instances=items)


@pytest.mark.parametrize("blank", BLANKS)
def test_in_an_item_what_says_how_is_left_out_and_a_name_only_where_it_is_a_label(blank: str | None) -> None:
    item = {"id": "1", "name": blank, "provider": blank, "api_url": blank}
    assert params(instance_state, instances=[item]) == {"instances": [{"id": "1"}]}
    with pytest.raises(UsageError, match=r"^instances\[0\]\.name is "):
        params(instance_create, instances=[{"name": blank}])
    with pytest.raises(UsageError, match=r"^accounts\[0\]\.partner_token is "):
        params(instance_info, accounts=[{"partner_token": blank, "account": blank}])


@pytest.mark.parametrize("blank", BLANKS)
def test_settings_may_hold_what_is_blank(blank: str | None) -> None:
    settings = {"webhookUrl": blank}
    assert params(instance_create, settings=settings) == {"settings": settings}
    assert params(MODULES["fleet_report"], rule={"min_due_days": blank, "min_total": 1}) == {"rule": {"min_total": 1}}


def test_false_is_no_text_of_a_setting() -> None:
    settings = {"webhookUrl": False, "stateWebhook": False}
    assert params(instance_create, settings=settings) == {"settings": {"webhookUrl": "", "stateWebhook": False}}


@pytest.mark.parametrize("value", [True, 1.5, ["a"], {"a": 1}])
def test_a_setting_that_is_text_takes_nothing_else(value: Any) -> None:
    with pytest.raises(UsageError, match=r"settings\.webhookUrl must be text"):
        params(instance_create, settings={"webhookUrl": value})


@pytest.mark.parametrize("blank", BLANKS)
def test_in_check_mode_a_blank_id_with_a_blank_token_is_an_instance_that_would_be_created(blank: str | None) -> None:
    single = {"instance_id": blank, "instance_token": blank}
    result = normalized(instance_state, check_mode=True, **single)
    assert result.params == {"instance_id": "", "instance_token": ""}
    assert [warning.split(": ")[1] for warning in result.warnings] == ["instance_id"]
    result = normalized(instance_reboot, check_mode=True, instances=[{"id": blank, "token": blank, "name": "shop"}])
    assert result.params == {"instances": [{"id": "", "token": "", "name": "shop"}]}
    result = normalized(instance_state, check_mode=True, instances=[{"id": blank, "token": blank}] * 7)
    assert len(result.warnings) == 1
    assert result.warnings[0].endswith(
        ": instances[0].id, instances[1].id, instances[2].id, instances[3].id, instances[4].id, and 2 more"
    )
    for given in (single, {"instance_id": blank}):
        with pytest.raises(UsageError, match=r"^instance_id is "):
            normalized(instance_state, check_mode=given is not single, **given)


# Variables


def test_a_value_is_named_with_the_variable_that_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSGOPS_TIMEOUT", "soon")
    monkeypatch.setenv("MSGOPS_PROVIDER", " ")
    variables = normalized(instance_state, timeout=" ").variables
    assert variables == {"timeout": {"MSGOPS_TIMEOUT"}}
    assert normalized(instance_state, timeout=5).variables == {}
    said = name_variables("timeout is no number", variables)
    assert said == "timeout is no number (timeout comes from the variable MSGOPS_TIMEOUT)"
    assert name_variables(said, variables) == said
    assert name_variables("wait_timeout is no number", variables) == "wait_timeout is no number"


def test_of_several_gateways_variables_a_message_names_those_of_its_own_gateway() -> None:
    variables = {"api_url": {"GREEN_API_URL", "PLUGZAPI_URL"}}
    for gateway, variable in (("plugzapi", "PLUGZAPI_URL"), ("GREEN-API", "GREEN_API_URL")):
        message = f"Listing the {gateway} account failed; check api_url"
        assert name_variables(message, variables) == f"{message} (api_url comes from the variable {variable})"
    assert "GREEN_API_URL or PLUGZAPI_URL" in name_variables("check api_url", variables)


# Text


@pytest.mark.parametrize("end", [" ", "\n", "\r", "\r\n", "\t", "\xa0", "\ufeff", "\u200b", " \ufeff\r\n"])
def test_ids_tokens_and_names_have_no_white_space_at_their_ends(end: str) -> None:
    single = {"instance_id": f"1{end}", "instance_token": f"{end}t{end}", "client_token": f"c{end}"}
    assert params(instance_state, **single) == {"instance_id": "1", "instance_token": "t", "client_token": "c"}
    item = {"id": f"1{end}", "token": f"t{end}", "name": f"{end}a b{end}", "api_url": f"https://x{end}"}
    assert params(instance_state, instances=[item]) == {
        "instances": [{"id": "1", "token": "t", "name": "a b", "api_url": "https://x"}]
    }
    assert params(cloudphone_status, instance_ids=[f"p1{end}", f"{end}p2"]) == {"instance_ids": ["p1", "p2"]}


@pytest.mark.parametrize("value", [True, False, 1.5, 1e300])
def test_a_name_or_an_id_that_is_no_text_has_to_be_quoted(value: object) -> None:
    for module, given, where in (
        (instance_create, {"name": value}, "name"),
        (instance_create, {"instances": [{"name": value}]}, r"instances\[0\]\.name"),
        (instance_state, {"instance_id": value}, "instance_id"),
        (instance_state, {"instances": [{"id": "1", "name": value}]}, r"instances\[0\]\.name"),
        (cloudphone_status, {"instance_ids": ["p1", value]}, r"instance_ids\[1\]"),
    ):
        with pytest.raises(UsageError, match=rf"^{where} must be text, not .*: quote it$"):
            params(module, **given)


@pytest.mark.parametrize("value", [["1"], {"id": "1"}])
def test_an_id_that_is_a_list_or_a_dictionary_is_an_error(value: object) -> None:
    with pytest.raises(UsageError, match=r"^instance_id must be text, not a (list|dict)$"):
        params(instance_state, instance_id=value)


def test_a_name_may_be_a_whole_number() -> None:
    result = normalized(instance_create, instances=[{"name": 83}, {"name": "84"}])
    assert result.params == {"instances": [{"name": 83}, {"name": "84"}]}
    assert result.numbers == {"83"}


# Lists


@pytest.mark.parametrize(
    "text",
    [
        "p1, p2",
        "p1,p2,",
        "p1\np2\n",
        "p1\r\np2\r\n",
        " p1 ,\n p2 ",
        '["p1", "p2"]',
        '\ufeff["p1", "p2"]\r\n',
        "\ufeffp1\r\np2\r\n",
        "[p1, p2]",
        "['p1', 'p2']",
        "- p1\n- p2\n",
        "---\n- p1\n- p2\n",
        ["p1", "p2"],
    ],
)
def test_a_list_may_be_text(text: object) -> None:
    assert params(cloudphone_status, instance_ids=text) == {"instance_ids": ["p1", "p2"]}


@pytest.mark.parametrize("text", ['[{"id": "1", "token": "t"}]', "- id: '1'\n  token: t\n", "[{id: '1', token: t}]"])
def test_instances_may_be_text(text: str) -> None:
    assert params(instance_state, instances=text) == {"instances": [{"id": "1", "token": "t"}]}


@pytest.mark.parametrize("wrong", [{"a": 1}, '{"a": 1}', "[p1", "- p1\n p2: [", True, 1.5, ",", "[2026-13-45]"])
def test_what_is_no_list_is_an_error(wrong: object) -> None:
    with pytest.raises(
        UsageError, match=r"^instance_ids must be a list, or text with commas or lines, or JSON or YAML"
    ):
        params(cloudphone_status, instance_ids=wrong)


@pytest.mark.parametrize("wrong", [{"id": "1"}, '{"id": "1"}', "p1, p2", "[", True, 1])
def test_what_is_no_list_of_dictionaries_is_an_error(wrong: object) -> None:
    with pytest.raises(UsageError, match=r"^instances must be a list of dictionaries, or JSON or YAML text of one"):
        params(instance_state, instances=wrong)
    for element in ("id=1", 1, None, ["1"]):
        with pytest.raises(UsageError, match=r"^instances\[0\] must be a dictionary"):
            params(instance_state, instances=[element])


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_element_is_an_error_where_elements_say_which(blank: str | None) -> None:
    with pytest.raises(UsageError, match=r"^instance_ids\[1\] is (null|blank), "):
        params(cloudphone_status, instance_ids=["p1", blank])


def test_ids_with_white_space_between_them_are_no_list() -> None:
    with pytest.raises(UsageError, match=r"^instance_ids\[0\] has white space in it"):
        params(cloudphone_status, instance_ids="p1 p2")


def test_without_pyyaml_a_list_may_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_values, "yaml", None)
    assert params(cloudphone_status, instance_ids='["p1"]') == {"instance_ids": ["p1"]}
    with pytest.raises(UsageError, match="must be a list"):
        params(cloudphone_status, instance_ids="- p1")


# Dictionaries

PROVISION = MODULES["instance_provision"]


@pytest.mark.parametrize(
    "text",
    [
        '{"green_api": " t\\n", "plugzapi": "p"}',
        "{'green_api': 't', 'plugzapi': 'p'}",
        "{green_api: t, plugzapi: p}",
        "green_api: t\nplugzapi: p\n",
        "---\r\ngreen_api: t\r\nplugzapi: p\r\n",
        "green_api=t, plugzapi=p",
        "green_api='t' plugzapi=\"p\"",
        {"green_api": " t ", "plugzapi": "p\r\n"},
    ],
)
@pytest.mark.parametrize("option", ["partner_tokens", "accounts", "api_urls"])
def test_a_dictionary_may_be_text(option: str, text: object) -> None:
    assert params(PROVISION, **{option: text}) == {option: {"green_api": "t", "plugzapi": "p"}}


@pytest.mark.parametrize("wrong", ["a secret", '["s"]', "- s", "{green_api: [", "? [a]\n: s\n", True, 5, ["s"]])
@pytest.mark.parametrize("option", ["partner_tokens", "accounts", "api_urls"])
def test_what_is_no_dictionary_is_an_error_that_does_not_quote_it(option: str, wrong: object) -> None:
    with pytest.raises(UsageError, match=rf"^{option} must be a dictionary, or JSON or YAML text of one") as caught:
        params(PROVISION, **{option: wrong})
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("module", "given", "start"),
    [
        (
            instance_settings,
            {"settings": "\n  a: 1\n  b: *s3cret\n"},
            "settings (in the playbook: fleet_settings) must be",
        ),
        (instance_info, {"names": "\n- a\n- *s3cret\n"}, "names (in the playbook: fleet_names) must be a list, "),
        (
            MODULES["fleet_check"],
            {"accounts": "\n- a\n- b: *s3cret"},
            "accounts (in the playbook: fleet_accounts) must be",
        ),
    ],
)
def test_text_that_is_no_yaml_is_told_by_its_variable_and_place(module: Any, given: dict[str, str], start: str) -> None:
    with pytest.raises(UsageError) as caught:
        params(module, **given)
    assert caught.value.message.startswith(start)
    assert re.search(r"; the YAML parser stops at line 3, column [36] of the text$", caught.value.message)
    assert "s3cret" not in caught.value.message


def test_settings_may_be_text_and_keep_what_is_blank() -> None:
    settings = {"webhookUrl": "", "stateWebhook": True, "delaySendMessagesMilliseconds": 500}
    for text in (json.dumps(settings), yaml.safe_dump(settings), settings):
        assert params(instance_create, settings=text) == {"settings": settings}
        assert (
            params(instance_create, instances=[{"name": "x", "settings": text}])["instances"][0]["settings"] == settings
        )
    with pytest.raises(UsageError, match=r"^instances\[0\]\.settings must be a dictionary"):
        params(instance_create, instances=[{"name": "x", "settings": "webhookUrl"}])


@pytest.mark.parametrize("blank", BLANKS)
def test_in_a_dictionary_a_blank_token_is_an_error_and_what_says_how_is_left_out(blank: str | None) -> None:
    assert params(PROVISION, accounts={"green_api": blank}, api_urls={"plugzapi": blank}) == {
        "accounts": {},
        "api_urls": {},
    }
    for given in ({"green_api": "t", "plugzapi": blank}, json.dumps({"plugzapi": blank})):
        with pytest.raises(UsageError, match=r"^partner_tokens\.plugzapi is (null|blank), "):
            params(PROVISION, partner_tokens=given)


def test_pythons_none_is_null_and_no_text() -> None:
    with pytest.raises(UsageError, match=r"^partner_tokens\.green_api is null, "):
        params(PROVISION, partner_tokens="{'green_api': None}")
    with pytest.raises(UsageError, match=r"^partner_tokens\.green_api is blank, "):
        params(PROVISION, partner_tokens="green_api= plugzapi=t")
    with pytest.raises(UsageError, match=r"^instance_ids\[1\] is null, "):
        params(cloudphone_status, instance_ids="['p1', None]")


@pytest.mark.parametrize("value", [True, 1.5])
def test_a_token_in_a_dictionary_has_to_be_text(value: object) -> None:
    with pytest.raises(UsageError, match=r"^partner_tokens\.green_api must be text, not .*: quote it$"):
        params(PROVISION, partner_tokens={"green_api": value})


# What modules and the inventory return


def returned_items() -> Iterator[tuple[str, set[str]]]:
    """The keys of the items of each module's ``instances``, and the variables of each inventory's hosts."""
    for name, module in MODULES.items():
        if instances := yaml.safe_load(module.RETURN).get("instances"):
            yield name, set(instances["contains"])
    for plugin in INVENTORIES:
        notes = " ".join(map(str, yaml.safe_load(plugin.DOCUMENTATION)["notes"]))
        yield plugin.InventoryModule.NAME, {"msgops_token", *re.findall(r"C\((msgops_\w+)\)", notes)}


RETURNED = dict(returned_items())
TAKING = [name for name, module in MODULES.items() if "options" in module.ARGUMENTS.options.get("instances", {})]


def test_these_modules_return_instances_and_take_them() -> None:
    assert len(RETURNED) >= 7
    assert {"instance_state", "instance_create", "instance_link", "instance_reboot"} <= {*RETURNED} & {*TAKING}


@pytest.mark.parametrize("taker", TAKING)
@pytest.mark.parametrize("giver", RETURNED)
def test_an_item_that_was_returned_is_taken(giver: str, taker: str) -> None:
    item = {key: f"{key}'s" for key in RETURNED[giver]}
    own: Mapping[str, Any] = MODULES[taker].ARGUMENTS.options["instances"]["options"]
    (taken,) = params(MODULES[taker], instances=[item])["instances"]
    assert taken.keys() <= own.keys()
    for option in own.keys() & {"id", "name", "token", "provider", "api_url"}:
        assert taken.get(option) == item.get(option, item.get(f"msgops_{option}"))


def test_any_other_key_is_left_for_ansible_to_refuse() -> None:
    item = {"id": "1", "tok": "t", "msgops": 1, "colour": None}
    assert params(instance_state, instances=[item]) == {"instances": [item]}
    assert params(instance_info, accounts=[{"token": "misplaced"}]) == {"accounts": [{"token": "misplaced"}]}


def test_an_items_own_key_goes_before_the_hosts_variable() -> None:
    item = {"id": "1", "msgops_id": "2", "msgops_account": "retail"}
    assert params(instance_state, instances=[item]) == {"instances": [{"id": "1"}]}


# The variables of a host that ``hostvars`` has in ansible-core 2.16 and 2.22, whatever the inventory.
MAGIC = (
    *("ansible_check_mode", "ansible_config_file", "ansible_diff_mode", "ansible_facts", "ansible_forks"),
    *("ansible_inventory_sources", "ansible_playbook_python", "ansible_run_tags", "ansible_skip_tags"),
    *("ansible_verbosity", "ansible_version", "group_names", "groups", "inventory_dir", "inventory_file"),
    *("inventory_hostname", "inventory_hostname_short", "omit", "playbook_dir"),
)


@pytest.mark.parametrize("taker", TAKING)
def test_a_host_is_taken_with_all_that_ansible_knows_of_it(taker: str) -> None:
    host = {f"msgops_{key}": key for key in ("id", "name", "token", "provider", "due", "deleted")}
    extra = dict.fromkeys((*MAGIC, "ansible_host", "ansible_connection"), "x")
    (taken,) = params(MODULES[taker], instances=[host | extra])["instances"]
    own = MODULES[taker].ARGUMENTS.options["instances"]["options"]
    assert taken == {key: key for key in ("id", "name", "token", "provider") if key in own}


@pytest.mark.parametrize("foreign", ["tok", "colour", "hostname"])
def test_any_other_variable_of_a_host_is_left_for_ansible_to_refuse(foreign: str) -> None:
    (taken,) = params(instance_state, instances=[{"msgops_id": "1", "groups": {}, foreign: "x"}])["instances"]
    assert taken == {"id": "1", foreign: "x"}


@pytest.mark.parametrize("magic", [*MAGIC, "ansible_host"])
def test_an_item_that_is_no_host_has_no_magic_variables(magic: str) -> None:
    (taken,) = params(instance_state, instances=[{"id": "1", magic: "x"}])["instances"]
    assert taken == {"id": "1", magic: "x"}
