# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Renewing partner tokens, and several accounts at one address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

msgops_emulator: Any = pytest.importorskip("msgops_emulator")

if TYPE_CHECKING:
    from msgops_emulator import Control

    from .conftest import GreenApi, PlugzApi


@pytest.fixture(autouse=True)
def refusals(emulator: Control) -> None:
    emulator.config({"green_api.partner_error": "http401"})


def test_a_renewed_green_api_token_replaces_the_one_before_it(green: GreenApi, emulator: Control) -> None:
    green.create(name="shop")
    (instance,) = emulator.instances()
    old = green.credential("green_api", "partner_token")
    new = emulator.renew("green_api")["partner_token"]
    assert new != old
    statuses = [green.partner("getInstances", "GET", token).status_code for token in (old, new)]
    assert statuses == [401, 200]
    assert [item["idInstance"] for item in green.partner("getInstances", "GET").json()] == [instance["id"]]
    assert green.state(instance) is None


def test_a_renewed_plugzapi_token_replaces_the_one_before_it(plugz: PlugzApi, emulator: Control) -> None:
    old = plugz.bearer
    plugz.create(name="loja")
    account = emulator.renew("plugzapi", partner_token="plugz.next+/=")
    assert account["partner_token"] == "plugz.next+/="
    assert account["old_partner_tokens"] == []
    assert plugz.send("GET", "/instances?page=1&pageSize=1", headers=old).status_code == 401
    assert [item["name"] for item in plugz.list().json()["content"]] == ["loja"]


def test_several_tokens_can_be_valid_for_one_account(green: GreenApi, emulator: Control) -> None:
    tokens = [green.credential("green_api", "partner_token")]
    tokens += [emulator.renew("green_api", keep_old=True)["partner_token"] for _n in range(2)]
    for number, token in enumerate(tokens):
        assert green.partner("createInstance", token=token, json={"name": f"shop-{number}"}).status_code == 200
    assert {instance["account"] for instance in emulator.instances()} == {"default"}
    assert len(green.partner("getInstances", "GET", tokens[0]).json()) == 3
    newest = emulator.renew("green_api")["partner_token"]
    assert [green.partner("getInstances", "GET", token).status_code for token in (*tokens, newest)] == [401] * 3 + [200]


def test_a_seed_can_name_old_tokens_that_are_still_valid(green: GreenApi, emulator: Control) -> None:
    emulator.seed(accounts=[{"provider": "green_api", "name": "default", "old_partner_tokens": ["gac.last-year"]}])
    assert green.partner("getInstances", "GET", "gac.last-year").status_code == 200
    emulator.reset({"green_api.partner_error": "http401"})
    assert green.partner("getInstances", "GET", "gac.last-year").status_code == 401


def test_two_accounts_at_one_address_may_use_the_same_names(plugz: PlugzApi, emulator: Control) -> None:
    second = emulator.seed(accounts=[{"provider": "plugzapi", "name": "second"}])["accounts"][0]
    assert second["partner_token"] != plugz.credential("plugzapi", "partner_token")
    other = type(plugz)(emulator, "second", plugz.session)
    made = {account: caller.create(name="shop").json()["id"] for account, caller in (("a", plugz), ("b", other))}
    assert made["a"] != made["b"]
    listed = {"a": plugz.list().json()["content"], "b": other.list().json()["content"]}
    assert {account: [item["id"] for item in items] for account, items in listed.items()} == {
        account: [id] for account, id in made.items()
    }


@pytest.mark.parametrize(
    ("wanted", "status", "text"),
    [
        ({"provider": "koophone"}, 400, "koophone has no partner tokens"),
        ({"provider": "green_api", "account": "x"}, 400, "no account 'x'"),
        ({"provider": "green_api", "partner_token": 7}, 400, "partner_token"),
        ({"provider": "green_api", "keep_old": "yes"}, 400, "keep_old"),
        ({"provider": "green_api", "token": "x"}, 400, "token: not one of"),
        ({"provider": "green_api", "partner_token": "gac.second"}, 409, "another account of green_api"),
    ],
)
def test_an_invalid_renewal_is_refused(emulator: Control, wanted: dict[str, Any], status: int, text: str) -> None:
    emulator.seed(accounts=[{"provider": "green_api", "name": "second", "partner_token": "gac.second"}])
    before = emulator.accounts()
    with pytest.raises(msgops_emulator.ControlError, match=text) as raised:
        emulator.request("POST", "renew", wanted)
    assert raised.value.status == status
    assert emulator.accounts() == before


def test_old_tokens_that_are_no_list_of_strings_are_refused(emulator: Control) -> None:
    for wrong in ("gac.old", [1], [""]):
        with pytest.raises(msgops_emulator.ControlError, match="old_partner_tokens"):
            emulator.seed(accounts=[{"provider": "green_api", "name": "default", "old_partner_tokens": wrong}])
