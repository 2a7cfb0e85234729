# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts that options, items and the environment name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._task.accounts import (
    PartnerAccount,
    implied_accounts,
    resolve_accounts,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import OptionResolver, transport_options
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache
from ansible_collections.msgops.fleet.plugins.modules import instance_info
from ansible_collections.msgops.fleet.tests.support.wire import TOKEN, validated_params


def accounts(secrets: set[str] | None = None, **options: Any) -> list[PartnerAccount]:
    params = validated_params(instance_info.ARGUMENTS, **options)
    return resolve_accounts(params, "the task", OptionResolver(params, set() if secrets is None else secrets))


def test_an_item_comes_before_the_task_and_the_task_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREEN_API_ACCOUNT", "environment")
    monkeypatch.setenv("GREEN_API_URL", "https://e.example.com")
    first, second = accounts(
        provider="green_api",
        account="task",
        partner_token=TOKEN,
        accounts=[{"account": "item", "api_url": "https://i.example.com/"}, {"partner_token": "other"}],
    )
    assert (first.identity.name, first.api_url, first.partner_token) == ("item", "https://i.example.com", TOKEN)
    assert (second.identity.name, second.api_url, second.partner_token) == ("task", "https://e.example.com", "other")


def test_without_options_each_partner_token_of_the_environment_is_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUGZAPI_PARTNER_TOKEN", TOKEN)
    secrets: set[str] = set()
    assert [account.provider for account in accounts(secrets)] == ["plugzapi"]
    monkeypatch.setenv("GREEN_API_PARTNER_TOKEN", "other")
    assert [account.provider for account in accounts(secrets)] == ["green_api", "plugzapi"]
    assert secrets == {TOKEN, "other"}


def test_an_empty_list_has_no_accounts() -> None:
    assert accounts(accounts=[]) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {},
            "the task needs accounts, or provider and partner_token "
            "(or the variable GREEN_API_PARTNER_TOKEN or PLUGZAPI_PARTNER_TOKEN)",
        ),
        ({"partner_token": TOKEN}, "the task needs provider (green_api or plugzapi, or the variable MSGOPS_PROVIDER)"),
        ({"accounts": [{"partner_token": TOKEN}]}, "accounts[0] needs provider "),
        ({"provider": "green_api", "account": "a/b"}, "account must be printable and without a slash"),
    ],
)
def test_what_is_missing_or_wrong_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        accounts(**options)
    assert caught.value.message.startswith(message)


def test_an_account_without_a_token_is_an_error_when_it_is_used() -> None:
    params = validated_params(instance_info.ARGUMENTS, provider="plugzapi")
    resolver, gateways = OptionResolver(params, set()), GatewayCache(transport_options(params, check_mode=True))
    (account,) = resolve_accounts(params, "the task", resolver)
    assert not account.is_known
    with pytest.raises(UsageError, match="the task needs partner_token or the variable PLUGZAPI_PARTNER_TOKEN"):
        account.connect(gateways, resolver)


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ({"api_url": "http://far.example.com"}, r"^accounts\[0\]: api_url must use https"),
        ({}, r"^api_url must use https: .* \(api_url comes from the variable GREEN_API_URL\)$"),
    ],
)
def test_an_address_that_may_not_be_used_is_the_fault_of_its_account_alone(
    monkeypatch: pytest.MonkeyPatch, item: dict[str, str], says: str
) -> None:
    monkeypatch.setenv("GREEN_API_URL", "http://variable.example.com")
    items = [{"provider": "green_api", "partner_token": TOKEN, **item}, {"provider": "plugzapi", "partner_token": "p"}]
    params = validated_params(instance_info.ARGUMENTS, accounts=items)
    resolver, gateways = OptionResolver(params, set()), GatewayCache(transport_options(params, check_mode=True))
    green, plugz = resolve_accounts(params, "the task", resolver)
    assert plugz.connect(gateways, resolver).provider == "plugzapi"
    with pytest.raises(UsageError, match=says):
        green.connect(gateways, resolver)


@pytest.mark.parametrize("item", [{"account": "a/b"}, {"account": "a/b", "api_url": "https://x"}])
def test_an_items_account_is_not_blamed_on_the_variable(monkeypatch: pytest.MonkeyPatch, item: dict[str, str]) -> None:
    monkeypatch.setenv("GREEN_API_ACCOUNT", "shared")
    with pytest.raises(UsageError, match=r"^accounts\[0\]: account must be printable and without a slash: 'a/b'$"):
        accounts(accounts=[{"provider": "green_api", **item}])
    monkeypatch.setenv("GREEN_API_ACCOUNT", "a/b")
    with pytest.raises(UsageError, match=r"\(account comes from the variable GREEN_API_ACCOUNT\)$"):
        accounts(accounts=[{"provider": "green_api"}])


def test_a_wrong_variable_of_a_gateway_that_is_not_asked_spoils_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREEN_API_URL", "https://[")
    monkeypatch.setenv("GREEN_API_PARTNER_TOKEN", TOKEN)
    monkeypatch.setenv("PLUGZAPI_PARTNER_TOKEN", "p")
    (only,) = implied_accounts("the check", OptionResolver({}, set()), {"plugzapi"})
    assert only.provider == "plugzapi"


def test_no_token_is_in_what_an_account_looks_like() -> None:
    assert TOKEN not in repr(accounts(provider="green_api", partner_token=TOKEN))
