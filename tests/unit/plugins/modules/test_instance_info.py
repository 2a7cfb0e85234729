# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module instance_info, where some of its accounts can't be listed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, execute
from ansible_collections.msgops.fleet.plugins.modules import instance_info

from msgops_emulator import Control


def ran(emulator: Control, **options: Any) -> dict[str, Any]:
    """List GREEN-API's default account, one with a wrong token, and PlugzAPI's default account."""
    green, plugz = (emulator.account(provider)["partner_token"] for provider in ("green_api", "plugzapi"))
    accounts = [
        {"provider": "green_api", "partner_token": green},
        {"provider": "green_api", "partner_token": "gac.wrong-partner-token", "account": "second"},
        {"provider": "plugzapi", "partner_token": plugz},
    ]
    given = {"accounts": [{**account, "api_url": emulator.url} for account in accounts], "retry_timeout": 0, **options}
    validated = instance_info.ARGUMENTS.validate(given, action="instance_info", check_mode=False)
    task = TaskContext(validated.params, check_mode=False, diff=False, no_log=True)
    return execute(instance_info.ARGUMENTS, instance_info.run, task)


@pytest.fixture
def seeded(emulator: Control) -> Control:
    emulator.seed(
        instances=[{"provider": "green_api", "name": "shop"}, {"provider": "plugzapi", "name": "loja"}],
    )
    return emulator


@pytest.mark.parametrize("fail_on_error", [True, False])
def test_the_accounts_that_can_be_listed_are_listed_in_any_case(seeded: Control, fail_on_error: bool) -> None:
    result = ran(seeded, fail_on_error=fail_on_error)
    assert (result.get("failed", False), result["changed"]) == (fail_on_error, False)
    assert [(row["name"], bool(row["token"])) for row in result["instances"]] == [("shop", True), ("loja", True)]
    first, second, third = result["accounts"]
    assert first == {
        "provider": "green_api", "account": None, "api_url": seeded.url, "total": 1, "error": None,
    }  # fmt: skip
    assert (second["account"], second["total"], second["error"]["code"]) == ("second", None, "unauthorized")
    assert (third["provider"], third["total"]) == ("plugzapi", 1)
    if fail_on_error:
        assert "check partner_token" in result["msg"]
        assert "second" in result["msg"]


def test_a_gateway_without_a_listing_is_an_error_of_its_account(seeded: Control) -> None:
    seeded.config({"plugzapi.listing": "http404"})
    result = ran(seeded)
    assert [row["name"] for row in result["instances"]] == ["shop"]
    assert result["accounts"][2]["error"]["code"] == "not_found"
    assert "2 of 3 accounts could not be listed" in result["msg"]


@pytest.mark.parametrize(("names", "said"), [("shop, loja", None), (["loja", "shpo"], "has shpo"), ([], None)])
def test_only_the_named_instances_are_returned_and_each_must_exist(
    seeded: Control, names: str | list[str], said: str | None
) -> None:
    result = ran(seeded, fail_on_error=False, names=names)
    found = {name for name in ("shop", "loja") if name in names}
    assert ({row["name"] for row in result["instances"]}, result.get("failed", False)) == (found, said is not None)
    assert said is None or said in result["msg"]


def test_only_a_trial_has_an_end_of_it(emulator: Control) -> None:
    emulator.seed(instances=[{"provider": "plugzapi", "name": name} for name in ("trial", "paid", "strange")])
    trial, paid, strange = emulator.instances()
    emulator.set_payment(paid["id"], "PAID")
    emulator.set_payment(strange["id"], "SUSPENSE")
    rows = ran(emulator, fail_on_error=False)["instances"]
    ends = {row["name"]: row["trial_ends_at"] for row in rows}
    assert ends == {"trial": rows[0]["due"], "paid": None, "strange": None}
    assert trial["name"] == "trial"
