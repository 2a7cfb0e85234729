# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin ``cloudphones``: a tenant in, hosts, variables and groups out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.support.inventories import Source
from pytest_httpserver import HTTPServer

from msgops_emulator import Control

PHONES = {"plugin": "msgops.fleet.cloudphones"}


@pytest.fixture
def ways(emulator: Control) -> dict[str, dict[str, str]]:
    """The options of each way to authenticate."""
    account = emulator.account("koophone")
    iam = {key: account[key] for key in ("iam_user", "iam_password", "iam_domain", "project_name")}
    return {
        "auth_token": {"auth_token": account["auth_token"]},
        "iam_user": {**iam, "iam_endpoint": emulator.url},
        "access_key": {key: account[key] for key in ("access_key", "secret_key")},
    }


WAYS = ("auth_token", "iam_user", "access_key")


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_authenticate(emulator: Control, bare: Source, ways: dict[str, dict[str, str]], way: str) -> None:
    emulator.seed(phones=[{"count": 3, "id": "kp{n}"}])
    assert set(bare.load({**PHONES, "endpoint": emulator.url, **ways[way]}).hosts) == {"kp1", "kp2", "kp3"}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_authenticate_from_the_environment(
    emulator: Control, bare: Source, ways: dict[str, dict[str, str]], way: str
) -> None:
    emulator.seed(phones=[{"id": "kp1"}])
    environment = {f"KOOPHONE_{option.upper()}": value for option, value in ways[way].items()}
    # The variable of this one has no part in which way is meant.
    environment["KOOPHONE_ENDPOINT"] = emulator.url
    assert set(bare.load(PHONES, **environment).hosts) == {"kp1"}


def test_a_phone_as_the_listing_shows_it(emulator: Control, source: Source) -> None:
    emulator.seed(phones=[{"id": "a44uhlf7", "name": "phone 1", "status": 2}])
    variables = dict(source.load(PHONES).hosts["phone_1"])
    assert variables.pop("msgops_observed_at").endswith("Z")
    assert variables == {
        "msgops_id": "a44uhlf7",
        "msgops_name": "phone 1",
        "msgops_provider": "koophone",
        "msgops_account": "emulator-domain",
        "msgops_endpoint": emulator.url,
        "msgops_status": 2,
        "msgops_status_name": "running",
        "msgops_health": "ready",
        "msgops_frozen": False,
        "msgops_assigned": False,
        "msgops_region": "cn-south-1",
        "msgops_sku": "koophone.standard",
        "msgops_billing_mode": "1",
        "msgops_project": "cn-south-1",
    }


def test_groups_by_everything_that_is_known(httpserver: HTTPServer, bare: Source) -> None:
    results: list[dict[str, Any]] = [
        {"instance_id": "a", "running_status": 2, "region": "cn-north-4", "instance_sku": "Pro | 8 vCPUs"},
        {"instance_id": "b", "running_status": 5, "region": "cn-south-1", "billing_mode": "1"},
        {"instance_id": "c", "running_status": 9, "project_name": "p", "account_name": "acme"},
        {"instance_id": "d"},
    ]
    body = {"error_code": "0", "data": {"result": results, "total_count": len(results)}}
    httpserver.expect_request("/v1/instances/batch-query").respond_with_json(body)
    url = f"http://127.0.0.1:{httpserver.port}"
    inventory = bare.load({**PHONES, "endpoint": url, "auth_token": "the-token"})
    assert {name: hosts for name, hosts in inventory.groups.items() if hosts} == {
        "all": {"a", "b", "c", "d"},
        "msgops_cloudphones": {"a", "b", "c", "d"},
        "status_running": {"a"},
        "status_shut_down": {"b"},
        "status_other": {"c"},
        "health_ready": {"a"},
        "health_action_required": {"b"},
        "health_unknown": {"c"},
        "region_cn_north_4": {"a"},
        "region_cn_south_1": {"b"},
        "sku_Pro___8_vCPUs": {"a"},
        "billing_mode_1": {"b"},
        "project_p": {"c"},
        "account_acme": {"c"},
    }


@pytest.mark.parametrize(("count", "size", "requests"), [(250, 100, 3), (250, 25, 10), (0, 100, 1), (100, 100, 1)])
def test_phones_are_listed_page_by_page(
    emulator: Control, source: Source, count: int, size: int, requests: int
) -> None:
    emulator.seed(phones=[{"count": count, "id": "kp{n:04d}"}])
    assert len(source.load({**PHONES, "page_size": size}).hosts) == count
    assert emulator.log_page()["counts"] == {"koophone.batch_query": requests}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nobody": ({}, "needs auth_token, or iam_user and iam_password and iam_domain and project_name, or access_key and"),
    "half a key": ({"access_key": "key"}, "access_key needs secret_key as well"),
    "two ways": ({"access_key": "key", "secret_key": "s3cret", "auth_token": "s3cret"}, "mutually exclusive"),
    "no page": ({"auth_token": "s3cret", "page_size": 0}, "page_size must be between 1 and 100"),
    "a page that is too large": ({"auth_token": "s3cret", "page_size": 101}, "page_size must be between 1 and 100"),
    "an address without TLS": (
        {"auth_token": "s3cret", "endpoint": "http://koophone.example.com"},
        "endpoint must use https",
    ),
    "a misspelt option": ({"token": "s3cret"}, "msgops.fleet.cloudphones has no option token"),
    "the other plugin's option": ({"partner_token": "s3cret"}, "msgops.fleet.cloudphones has no option partner_token"),
}


@pytest.mark.parametrize(("options", "says"), REFUSED.values(), ids=REFUSED)
def test_wrong_options_are_refused_before_any_request(bare: Source, options: dict[str, Any], says: str) -> None:
    refusal = bare.refused({**PHONES, **options})
    assert says in refusal
    assert "s3cret" not in refusal


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"fault": "status", "status": 500}, "HTTP 500"),
        ({"fault": "reset"}, "broke off"),
    ],
)
def test_phones_that_cannot_be_listed_are_an_error_or_a_warning(
    emulator: Control, source: Source, fault: dict[str, Any], says: str
) -> None:
    emulator.seed(phones=[{"id": "kp1"}])
    emulator.arm("koophone.batch_query", count=None, **fault)
    options = {**PHONES, "retry_timeout": 0}
    assert says in source.refused(options)
    inventory = source.load({**options, "on_error": "warn"})
    assert inventory.hosts == {}
    assert "msgops.fleet.cloudphones leaves out account koophone:" in " ".join(inventory.output.split())


def test_refused_credentials_are_shown_once(emulator: Control, source: Source) -> None:
    refusal = source.refused(PHONES, KOOPHONE_AUTH_TOKEN="wrong-token")
    assert "APIG.0301" in refusal
    assert "check auth_token" in refusal
    assert "wrong-token" not in refusal
    assert len(emulator.log()) == 1


def test_it_only_reads(emulator: Control, source: Source) -> None:
    emulator.seed(phones=[{"id": "kp1"}])
    source.load(PHONES)
    assert [entry["method"] for entry in emulator.log()] == ["GET"]


def test_a_token_of_iam_is_asked_for_once(emulator: Control, bare: Source, ways: dict[str, dict[str, str]]) -> None:
    emulator.seed(phones=[{"count": 50, "id": "kp{n}"}])
    inventory = bare.load({**PHONES, "endpoint": emulator.url, "page_size": 5, **ways["iam_user"]})
    assert len(inventory.hosts) == 50
    assert emulator.log_page()["counts"] == {"iam.token": 1, "koophone.batch_query": 10}
