# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments and results of the tasks that check a fleet."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.msgops.fleet.plugins.filter.fleet_slice import fleet_slice

LIVE, TEST = "https://live.example.com", "https://test.example.com"


def host(id: str, provider: str = "green_api", **others: Any) -> dict[str, Any]:
    return {f"msgops_{name}": value for name, value in {"id": id, "provider": provider, **others}.items()}


def reading(*rows: tuple[str, str], provider: str = "green_api") -> dict[str, Any]:
    return {"instances": [{"id": id, "name": None, "provider": provider, "state": state} for id, state in rows]}


def cut(hostvars: dict[str, dict[str, Any]], **results: Any) -> dict[str, Any]:
    return fleet_slice(list(hostvars), hostvars, **results)


def test_a_host_becomes_a_target_with_its_token() -> None:
    found = cut({"shop": host("1", name="Shop", token="s3cret", api_url=LIVE)})
    assert found["targets"] == [
        {"id": "1", "token": "s3cret", "name": "Shop", "provider": "green_api", "api_url": LIVE}
    ]
    assert (found["ids"], found["tokenless"]) == (["1"], [])
    assert "s3cret" not in str(found["rows"])


def test_a_token_comes_from_the_variable_then_the_listing_then_the_file() -> None:
    hosts = {"a": host("1", token="own"), "b": host("2"), "c": host("3"), "d": host("4", "plugzapi")}
    credentials = {
        "green_api": {name: {"id": id, "token": f"file {id}"} for name, id in (("a", "1"), ("b", "2"), ("c", "3"))}
    }
    row = {"provider": "green_api", "account": None, "api_url": LIVE, "due": None}
    listing = {"instances": [{"id": id, "token": f"listed {id}", **row} for id in ("1", "2")]}
    found = cut(hosts, credentials=credentials, listing=listing)
    assert [target["token"] for target in found["targets"]] == ["own", "listed 2", "file 3"]
    assert found["tokenless"] == ["plugzapi"]
    error = found["rows"][3]["error"]
    assert (error["code"], "PLUGZAPI_PARTNER_TOKEN" in error["message"]) == ("bad_request", True)


def test_a_listed_due_date_replaces_the_variable() -> None:
    listed = {"id": "1", "provider": "green_api", "account": None, "token": None, "api_url": None, "due": "2026-03-01"}
    hosts = {"a": host("1", due="2026-01-01"), "b": host("2", due="2026-01-01")}
    assert [row["due"] for row in cut(hosts, listing={"instances": [listed]})["rows"]] == ["2026-03-01", "2026-01-01"]


def test_an_instance_of_two_hosts_is_read_once_and_reported_for_both() -> None:
    hosts = {"a": host("1", token="t"), "b": host("1", token="t")}
    found = cut(hosts, reading=reading(("1", "authorized")))
    assert len(found["targets"]) == 1
    assert [(row["host"], row["state"]) for row in found["rows"]] == [("a", "authorized"), ("b", "authorized")]


def test_hosts_that_were_not_read_have_no_state() -> None:
    (row,) = cut({"a": host("1", token="t")}, reading={"skipped": True})["rows"]
    assert (row["state"], row["authorized"], row["health"]) == (None, False, "unknown")


def test_rows_name_the_account_where_it_has_a_name() -> None:
    hosts = {
        "named": host("1", account="retail"),
        "unnamed": host("2", account="green_api"),
        "listed": host("3", account="green_api"),
        "filed": host("4"),
    }
    listing = {
        "instances": [
            {"id": "3", "provider": "green_api", "account": "acme", "token": "t", "api_url": LIVE, "due": None}
        ]
    }
    credentials = {"green_api": {"retail/shop": {"id": "4", "token": "t"}}}
    rows = cut(hosts, listing=listing, credentials=credentials)["rows"]
    assert [row["account"] for row in rows] == ["retail", None, "acme", None]


@pytest.mark.parametrize("source", ["listing", "credentials"])
def test_equal_ids_in_two_accounts_are_two_instances(source: str) -> None:
    """Each gets its own token and its own state."""
    hosts = {"live": host("1", account="live", api_url=LIVE), "test": host("1", account="test", api_url=TEST)}
    rows = [
        {
            "id": "1",
            "provider": "green_api",
            "account": account,
            "token": f"{account} token",
            "api_url": url,
            "due": None,
        }
        for account, url in (("test", TEST), ("live", LIVE))
    ]
    results = {
        "listing": {"listing": {"instances": rows}},
        "credentials": {"credentials": {"green_api": {f"{row['account']}/shop": row for row in rows}}},
    }[source]
    found = cut(hosts, **results, reading=reading(("1", "authorized"), ("1", "blocked")))
    assert [(target["token"], target["api_url"]) for target in found["targets"]] == [
        ("live token", LIVE), ("test token", TEST),
    ]  # fmt: skip
    assert [(row["account"], row["state"]) for row in found["rows"]] == [("live", "authorized"), ("test", "blocked")]


def test_an_account_that_is_named_in_the_inventory_only_has_its_listed_tokens() -> None:
    listed = {"id": "1", "provider": "green_api", "account": "acme", "token": "t", "api_url": LIVE, "due": None}
    found = cut({"a": host("1", account="retail")}, listing={"instances": [listed]})
    assert [target["token"] for target in found["targets"]] == ["t"]
    assert found["rows"][0]["account"] == "retail"


def test_phones_are_read_by_their_ids() -> None:
    hosts = {"p1": host("a", "koophone", account="tenant"), "p2": host("b", "koophone")}
    phones = [{"instance_id": "a", "status": 2, "status_name": "running", "error": None}]
    found = cut(hosts, phones=True, reading={"phones": phones})
    assert (found["ids"], found["targets"], found["tokenless"]) == (["a", "b"], [], [])
    assert [(row["instance_id"], row["status_name"], row["health"]) for row in found["rows"]] == [
        ("a", "running", "ready"), ("b", None, "unknown"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "phones"),
    [({}, False), (host(""), False), (host("1", "koophone"), False), (host("1"), True), (host("1", "signal"), False)],
)
def test_a_host_that_is_no_member_is_refused_by_name(variables: dict[str, Any], phones: bool) -> None:
    with pytest.raises(AnsibleFilterError, match="host jump needs the variables msgops_id and msgops_provider"):
        cut({"jump": variables}, phones=phones)
