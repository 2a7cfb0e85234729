# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances that the options of a creation describe."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._creation.desired import DesiredInstance
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import OptionResolver, transport_options
from ansible_collections.msgops.fleet.plugins.module_utils._task.desired import desired_instances
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache
from ansible_collections.msgops.fleet.plugins.modules import instance_create
from ansible_collections.msgops.fleet.tests.support.wire import TOKEN, validated_params

TASK = {"provider": "green_api", "partner_token": TOKEN}


def desired(secrets: set[str] | None = None, **options: Any) -> list[DesiredInstance]:
    params = validated_params(instance_create.ARGUMENTS, **options)
    gateways = GatewayCache(transport_options(params, check_mode=False))
    return desired_instances(params, gateways, OptionResolver(params, set() if secrets is None else secrets))


def test_a_single_instance_is_made_of_the_options() -> None:
    settings = {"webhookUrl": "https://h", "stateWebhook": True}
    instance = desired(**TASK, name="shop", api_url="https://g.example.com/", settings=settings)[0]
    assert (instance.name, instance.gateway.provider, instance.api_url) == (
        "shop",
        "green_api",
        "https://g.example.com",
    )
    assert instance.payload == {"name": "shop", "webhookUrl": "https://h", "stateWebhook": "yes"}


def test_each_item_is_made_of_its_own_options_and_the_tasks() -> None:
    items = [
        {"name": "support", "settings": {"deviceWebhook": False}},
        {"name": "sales", "provider": "plugzapi", "partner_token": "other", "session_name": "Sales"},
    ]
    support, sales = desired(**TASK, instances=items)
    assert (support.gateway.provider, sales.gateway.provider) == ("green_api", "plugzapi")
    assert support.payload == {"name": "support", "deviceWebhook": "no"}
    assert sales.payload == {"name": "sales", "sessionName": "Sales"}


def test_items_of_one_account_share_a_client() -> None:
    first, second = desired(**TASK, instances=[{"name": "a"}, {"name": "b"}])
    assert first.gateway is second.gateway
    assert first.account == second.account


def test_another_token_is_another_account() -> None:
    first, second = desired(**TASK, instances=[{"name": "a"}, {"name": "b", "partner_token": "other"}])
    assert first.gateway is not second.gateway
    assert first.account != second.account


def test_a_slash_at_the_end_of_the_address_makes_no_other_account() -> None:
    addresses = ("https://g.example.com", "https://g.example.com/")
    first, second = (desired(**TASK, name="a", api_url=address)[0] for address in addresses)
    assert (first.account, first.api_url) == (second.account, second.api_url)


def test_a_partners_token_may_come_from_the_environment_and_is_a_secret_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUGZAPI_PARTNER_TOKEN", TOKEN)
    secrets: set[str] = set()
    assert desired(secrets, provider="plugzapi", name="shop")[0].gateway.provider == "plugzapi"
    assert secrets == {TOKEN}


def test_no_secret_is_in_what_a_desired_instance_looks_like() -> None:
    assert "s3cret" not in repr(desired(**TASK, name="shop", settings={"webhookUrlToken": TOKEN}))


@pytest.mark.parametrize("name", ["", " "])
def test_a_name_that_nobody_could_see_is_an_error(name: str) -> None:
    with pytest.raises(UsageError, match=r"^name is blank"):
        desired(**TASK, name=name)


@pytest.mark.parametrize("name", [" shop", "shop ", "shop\r\n"])
def test_white_space_around_a_name_is_not_part_of_it(name: str) -> None:
    assert desired(**TASK, name=name)[0].name == "shop"
    assert desired(**TASK, instances=[{"name": name}])[0].name == "shop"


def test_a_name_twice_in_one_list_is_an_error_before_any_request() -> None:
    with pytest.raises(UsageError, match="shop stands 2 times"):
        desired(**TASK, instances=[{"name": "shop"}, {"name": "other"}, {"name": "shop"}])


def test_two_names_of_an_account_do_not_make_two_accounts_of_it() -> None:
    items = [{"name": "shop", "account": "north"}, {"name": "shop", "account": "south"}]
    with pytest.raises(UsageError, match="shop stands 2 times"):
        desired(**TASK, instances=items)
    items[1]["partner_token"] = "another"
    assert len(desired(**TASK, instances=items)) == 2


def test_a_name_may_stand_once_for_each_provider() -> None:
    items = [{"name": "shop"}, {"name": "shop", "provider": "plugzapi"}]
    assert len(desired(**TASK, instances=items)) == 2


@pytest.mark.parametrize("name", ["Shop", "shop2", "sho"])
def test_names_are_compared_exactly(name: str) -> None:
    assert len(desired(**TASK, instances=[{"name": "shop"}, {"name": name}])) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "shop"}, "shop needs provider (green_api or plugzapi, or the variable MSGOPS_PROVIDER)"),
        (
            {"name": "shop", "provider": "green_api"},
            "shop needs partner_token or the variable GREEN_API_PARTNER_TOKEN (green_api)",
        ),
        (
            {"instances": [{"name": "shop", "provider": "plugzapi"}]},
            "shop needs partner_token or the variable PLUGZAPI_PARTNER_TOKEN (plugzapi)",
        ),
        (
            {**TASK, "name": "shop", "session_name": "x"},
            "session_name is an option of plugzapi; green_api has settings",
        ),
        (
            {**TASK, "name": "shop", "provider": "plugzapi", "settings": {}},
            "settings is an option of green_api; plugzapi has session_name, delivery_callback_url, ",
        ),
    ],
)
def test_what_is_missing_or_out_of_place_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        desired(**options)
    assert caught.value.message.startswith(message)
