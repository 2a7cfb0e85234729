# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an option's value comes from: an item, the task, the environment, the default."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.observation import Target
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import TransportOptions
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    GATEWAY,
    INSTANCE,
    JOURNAL,
    PARTNER,
    TRANSPORT,
    WAITING,
    ArgumentSpec,
    OptionResolver,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.cloudphones import KOOPHONE, make_koophone
from ansible_collections.msgops.fleet.plugins.module_utils._task.targets import resolve_targets, single_target
from ansible_collections.msgops.fleet.plugins.module_utils._vendors import koophone_options
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_options import environment_variable
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import PROVIDERS, GatewayCache
from ansible_collections.msgops.fleet.plugins.modules import cloudphone_status, instance_create, instance_state
from ansible_collections.msgops.fleet.tests.support.wire import TOKEN, validated_params


def targets(secrets: set[str] | None = None, **options: Any) -> list[Target]:
    params = validated_params(instance_state.ARGUMENTS, **options)
    gateways = GatewayCache(transport_options(params, check_mode=False))
    return resolve_targets(params, gateways, OptionResolver(params, set() if secrets is None else secrets))


def base_url(target: Target) -> str:
    return str(target.gateway._transport.base_url)


# Argument specs


def test_specs_merge_and_the_later_option_wins() -> None:
    first = ArgumentSpec({"a": {"type": "str"}, "b": {"type": "str"}}, mutually_exclusive=[("a", "b")])
    second = ArgumentSpec({"b": {"type": "int"}, "c": {"type": "str"}}, required_one_of=[("a", "c")])
    third = ArgumentSpec(required_together=[("a", "c")], required_if=[("b", 1, ("c",))])
    assert first.merge(second, third).for_validation() == {
        "argument_spec": {"a": {"type": "str"}, "b": {"type": "int"}, "c": {"type": "str"}},
        "mutually_exclusive": [("a", "b")],
        "required_one_of": [("a", "c")],
        "required_together": [("a", "c")],
        "required_if": [("b", 1, ("c",))],
    }
    assert first.options["b"] == {"type": "str"}


def test_the_transports_defaults() -> None:
    assert transport_options(validated_params(TRANSPORT), check_mode=False) == TransportOptions(
        timeout=30.0, retry_timeout=60.0, validate_certs=True, ca_path=None, concurrency=16, read_only=False
    )


def test_in_check_mode_the_transport_only_reads() -> None:
    assert transport_options(validated_params(TRANSPORT), check_mode=True).read_only


def test_the_defaults_of_waiting() -> None:
    assert validated_params(WAITING) == {"wait_timeout": 300.0, "wait_interval": 5.0}


def test_the_default_addresses() -> None:
    assert {name: provider.api_url for name, provider in PROVIDERS.items()} == {
        "green_api": "https://api.green-api.com",
        "plugzapi": "https://api.plugzapi.com.br",
    }
    assert validated_params(KOOPHONE)["endpoint"] == "https://koophone.myhuaweicloud.com"


@pytest.mark.parametrize(
    ("arguments", "option", "variable", "value", "expected"),
    [
        (TRANSPORT, "timeout", "MSGOPS_TIMEOUT", "2.5", 2.5),
        (GATEWAY, "provider", "MSGOPS_PROVIDER", "plugzapi", "plugzapi"),
        (KOOPHONE, "endpoint", "KOOPHONE_ENDPOINT", "https://k.example.com", "https://k.example.com"),
    ],
)
def test_a_variable_stands_in_for_an_option_that_is_not_given(
    monkeypatch: pytest.MonkeyPatch, arguments: ArgumentSpec, option: str, variable: str, value: str, expected: object
) -> None:
    monkeypatch.setenv(variable, value)
    assert validated_params(arguments)[option] == expected


@pytest.mark.parametrize("option", ["instance_token", "client_token", "partner_token"])
def test_ansible_knows_that_tokens_are_secret(option: str) -> None:
    assert INSTANCE.merge(PARTNER).options[option]["no_log"] is True


def test_every_option_that_holds_a_secret_is_hidden_in_the_invocation() -> None:
    items = [{"id": "1", "token": TOKEN, "client_token": TOKEN, "provider": "green_api"}]
    params = validated_params(instance_state.ARGUMENTS, instances=items)
    assert "s3cret" not in repr(instance_state.ARGUMENTS.without_secrets(params))
    assert instance_state.ARGUMENTS.without_secrets(params)["instances"][0]["id"] == "1"
    assert instance_state.ARGUMENTS.secrets_in(params) == {TOKEN}


def test_a_secret_that_is_not_given_is_shown_as_not_given() -> None:
    params = validated_params(instance_state.ARGUMENTS)
    assert instance_state.ARGUMENTS.without_secrets(params)["instance_token"] is None


@pytest.mark.parametrize("module", [instance_state, instance_create, cloudphone_status])
def test_every_option_that_sounds_secret_is_no_log(module: Any) -> None:
    def check(options: dict[str, dict[str, Any]]) -> None:
        for name, option in options.items():
            if re.search(r"(?i)token|password|secret", name):
                assert option.get("no_log"), name
            check(option.get("options", {}))

    check(module.ARGUMENTS.options)


@pytest.mark.parametrize(
    ("alias", "option"), [("id_instance", "instance_id"), ("api_token_instance", "instance_token")]
)
def test_green_apis_own_names_are_aliases(alias: str, option: str) -> None:
    assert validated_params(INSTANCE, **{alias: "x"})[option] == "x"


def test_no_secret_is_in_the_refusal_of_a_list_that_is_text() -> None:
    text = json.dumps([{"id": "1", "token": TOKEN, "provider": TOKEN}])
    with pytest.raises(UsageError) as caught:
        instance_state.ARGUMENTS.validate({"instances": text})
    assert "must be one of" in caught.value.message
    assert "s3cret" not in caught.value.message


# Precedence


@pytest.mark.parametrize("provider", list(PROVIDERS))
@pytest.mark.parametrize("option", ["api_url", "instance_token", "client_token", "partner_token"])
def test_an_item_goes_before_the_task_and_the_task_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, provider: str, option: str
) -> None:
    variable = PROVIDERS[provider].environment.get(option)
    if variable:
        monkeypatch.setenv(variable, "environment's")
    given, absent = OptionResolver({option: "task's"}, set()), OptionResolver({option: None}, set())
    assert given.find(provider, option, "item's") == "item's"
    assert given.find(provider, option) == "task's"
    assert absent.find(provider, option) == ("environment's" if variable else None)
    monkeypatch.undo()
    assert absent.find(provider, option) is None


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_variable_is_the_same_as_none(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    for variable in ("GREEN_API_PARTNER_TOKEN", "MSGOPS_TIMEOUT", "MSGOPS_JOURNAL", "KOOPHONE_ENDPOINT"):
        monkeypatch.setenv(variable, blank)
    assert OptionResolver({}, set()).find("green_api", "partner_token") is None
    params = validated_params(TRANSPORT.merge(JOURNAL, KOOPHONE))
    assert params["timeout"] == TransportOptions.timeout
    assert params["journal"] == os.path.expanduser(JOURNAL.options["journal"]["default"])
    assert params["endpoint"] == KOOPHONE.options["endpoint"]["default"]


def test_a_providers_variable_is_of_no_use_to_another_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREEN_API_PARTNER_TOKEN", "green")
    monkeypatch.setenv("PLUGZAPI_PARTNER_TOKEN", "plug")
    settings = OptionResolver({}, set())
    assert [settings.find(provider, "partner_token") for provider in PROVIDERS] == ["green", "plug"]


def test_the_default_address_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = OptionResolver({}, set())
    assert settings.api_url("plugzapi", {}) == "https://api.plugzapi.com.br"
    monkeypatch.setenv("PLUGZAPI_URL", "https://environment.example.com")
    assert settings.api_url("plugzapi", {}) == "https://environment.example.com"
    settings = OptionResolver({"api_url": "https://task.example.com"}, set())
    assert settings.api_url("plugzapi", {}) == "https://task.example.com"
    assert settings.api_url("plugzapi", {"api_url": "https://item.example.com"}) == "https://item.example.com"


def test_secrets_from_the_environment_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUGZAPI_INSTANCE_ID", "3C01")
    monkeypatch.setenv("PLUGZAPI_INSTANCE_TOKEN", "instance's")
    monkeypatch.setenv("PLUGZAPI_CLIENT_TOKEN", "account's")
    secrets: set[str] = set()
    assert targets(secrets, provider="plugzapi")[0].credentials.token == "instance's"
    assert secrets == {"instance's", "account's"}


def test_secrets_of_the_task_are_left_to_ansible() -> None:
    secrets: set[str] = set()
    targets(secrets, provider="green_api", instance_id="1", instance_token=TOKEN)
    assert secrets == set()


# The instances to read


def test_a_single_instance_is_made_of_the_options() -> None:
    target = targets(
        provider="plugzapi", api_url="https://p.example.com/", instance_id="3C01", instance_token="t", client_token="c"
    )[0]
    assert (target.gateway.provider, base_url(target)) == ("plugzapi", "https://p.example.com")
    credentials = target.credentials
    assert (credentials.id, credentials.token, credentials.client_token) == ("3C01", "t", "c")
    assert target.label == "3C01"


def test_a_single_instance_may_come_from_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSGOPS_PROVIDER", "green_api")
    monkeypatch.setenv("GREEN_API_URL", "https://7105.api.greenapi.com")
    monkeypatch.setenv("GREEN_API_ID_INSTANCE", "7105000001")
    monkeypatch.setenv("GREEN_API_TOKEN_INSTANCE", TOKEN)
    target = targets()[0]
    assert (target.credentials.id, target.credentials.token) == ("7105000001", TOKEN)
    assert base_url(target) == "https://7105.api.greenapi.com"


def test_what_an_item_leaves_out_comes_from_the_tasks_options() -> None:
    items = [
        {"id": "1", "token": "own", "name": "shop"},
        {"id": "2", "provider": "plugzapi", "client_token": "own account's"},
        {"id": "3", "api_url": "https://item.example.com"},
    ]
    first, second, third = targets(
        instances=items, provider="green_api", api_url="https://task.example.com", instance_token="task's"
    )
    assert [t.credentials.token for t in (first, second, third)] == ["own", "task's", "task's"]
    assert [t.gateway.provider for t in (first, second, third)] == ["green_api", "plugzapi", "green_api"]
    assert [base_url(t) for t in (first, second, third)] == [
        "https://task.example.com",
        "https://task.example.com",
        "https://item.example.com",
    ]
    assert (first.label, second.label) == ("shop (1)", "2")
    assert second.credentials.client_token == "own account's"


@pytest.mark.parametrize("option", ["instance_id", "instance_token"])
def test_a_single_instances_id_and_token_come_from_the_same_place(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    monkeypatch.setenv("GREEN_API_ID_INSTANCE", "1")
    monkeypatch.setenv("GREEN_API_TOKEN_INSTANCE", TOKEN)
    with pytest.raises(UsageError, match=rf"^the task needs instance_\w+, because it has {option}: "):
        targets(provider="green_api", **{option: "2"})


@pytest.mark.parametrize(
    ("options", "items", "says"),
    [
        ({}, [{}], r"^api_url isn't a valid URL \(api_url comes from the variable GREEN_API_URL\)$"),
        ({"api_url": "https://["}, [{}], r"^api_url isn't a valid URL$"),
        (
            {},
            [{"provider": "plugzapi"}, {"api_url": "https://["}],
            r"^instances\[1\] \(2\): api_url isn't a valid URL$",
        ),
        ({}, [{"provider": "plugzapi"}, {"name": "shop"}], "comes from the variable GREEN_API_URL"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_with_the_place_that_it_came_from(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], items: list[dict[str, Any]], says: str
) -> None:
    monkeypatch.setenv("GREEN_API_URL", "https://[")
    instances = [{"id": str(number), "token": TOKEN, **item} for number, item in enumerate(items, 1)]
    with pytest.raises(UsageError, match=says):
        targets(provider="green_api", instances=instances, **options)


def test_an_items_own_provider_is_not_blamed_on_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSGOPS_PROVIDER", "plugzapi")
    with pytest.raises(UsageError, match=r"^value of provider must be one of: .* found in instances$"):
        validated_params(instance_state.ARGUMENTS, instances=[{"id": "1", "token": TOKEN, "provider": "green"}])
    monkeypatch.setenv("MSGOPS_PROVIDER", "green")
    with pytest.raises(UsageError, match=r"comes from the variable MSGOPS_PROVIDER\)$"):
        validated_params(instance_state.ARGUMENTS, instances=[{"id": "1", "token": TOKEN}])


def test_instances_of_one_address_share_a_client() -> None:
    items = [{"id": str(number), "token": "t"} for number in range(3)]
    assert len({id(target.gateway) for target in targets(instances=items, provider="green_api")}) == 1


def test_no_instance_is_no_target() -> None:
    assert targets(instances=[], provider="green_api") == []


# Errors name the option and the variable


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "the task needs provider (green_api or plugzapi, or the variable MSGOPS_PROVIDER)"),
        (
            {"provider": "green_api"},
            "the task needs instance_id or the variable GREEN_API_ID_INSTANCE (green_api)",
        ),
        (
            {"provider": "plugzapi", "instance_id": "1"},
            "the task needs instance_token, because it has instance_id: set both, or leave both to the environment",
        ),
        ({"instances": [{"id": "1", "token": "t"}]}, "instances[0] (1) needs provider (green_api or plugzapi"),
        (
            {"provider": "green_api", "instances": [{"id": "1", "token": "t"}, {"id": "2", "name": "shop"}]},
            "instances[1] (shop) needs token or the variable GREEN_API_TOKEN_INSTANCE (green_api)",
        ),
        ({"provider": "green_api", "instance_token": "t"}, "the task needs instance_id, because it has instance_token"),
    ],
)
def test_what_is_missing_is_named_with_its_variable(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        targets(**options)
    assert caught.value.message.startswith(message)


def test_an_address_that_may_not_be_used_is_an_error_that_names_the_option() -> None:
    with pytest.raises(UsageError, match=r"^api_url must use https"):
        targets(provider="green_api", api_url="http://api.example.com", instance_id="1", instance_token="t")
    params = validated_params(
        cloudphone_status.ARGUMENTS, instance_ids=["a"], auth_token="t", endpoint="http://k.example.com"
    )
    with pytest.raises(UsageError, match=r"^endpoint must use https"):
        make_koophone(params, transport_options(params, check_mode=False), set())


def test_a_number_is_registered_at_plugzapi_only() -> None:
    params = {"provider": "plugzapi", "instance_id": "1", "instance_token": "t"}
    target = single_target(params, GatewayCache(TransportOptions()), OptionResolver(params, set()))
    assert target.gateway.provider == "plugzapi"


# Blank variables


def environment_variables() -> set[str]:
    """All variables that stand in for an option of a module."""
    names = {variable for gateway in PROVIDERS.values() for variable in gateway.environment.values()}
    names |= {environment_variable(option) for option in koophone_options.OPTIONS}
    for spec in (TRANSPORT, GATEWAY, JOURNAL, KOOPHONE):
        names |= {name for option in spec.options.values() for name in option.get("fallback", (None, ()))[1]}
    return names


@pytest.mark.parametrize("blank", ["", " ", "\t", "\r\n"])
def test_every_variable_that_is_blank_counts_as_absent(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    for name in environment_variables():
        monkeypatch.delenv(name, raising=False)
    specs = (TRANSPORT.merge(GATEWAY, JOURNAL, WAITING, PARTNER, INSTANCE), cloudphone_status.ARGUMENTS)
    given: list[dict[str, Any]] = [{}, {"instance_ids": ["p1"]}]
    unset = [spec.validate(options) for spec, options in zip(specs, given, strict=True)]
    assert len(environment_variables()) > 20
    for name in environment_variables():
        monkeypatch.setenv(name, blank)
    assert [spec.validate(options) for spec, options in zip(specs, given, strict=True)] == unset
    resolver = OptionResolver({}, set())
    for provider, gateway in PROVIDERS.items():
        assert {resolver.find(provider, option) for option in gateway.environment} == {None}
        assert resolver.api_url(provider, {}) == gateway.api_url
    with pytest.raises(UsageError, match=r"^the task needs auth_token, or iam_user"):
        make_koophone(unset[1].params, TransportOptions(), set())
