# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as members of a fleet, and where their tokens come from."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError, UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._task.accounts import PartnerAccount
from ansible_collections.msgops.fleet.plugins.module_utils._task.listing import AccountListing
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.accounts import resolve_account
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Instance
from ansible_collections.msgops.fleet.plugins.plugin_utils._fleet_hosts import (
    FleetHost,
    fleet_host,
    why_without_token,
    with_known,
)

LIVE, TEST = "https://live.example.com", "https://test.example.com"
REFUSED = FleetError("unauthorized", "Listing failed: HTTP 401", retryable=True)


def host(id: str, provider: str = "green_api", **others: Any) -> FleetHost:
    variables = {f"msgops_{name}": value for name, value in {"id": id, "provider": provider, **others}.items()}
    return fleet_host(f"host-{id}", variables, phones=False)


def listing(
    *instances: tuple[str, str | None, str | None],
    account: str | None = None,
    api_url: str = LIVE,
    provider: str = "green_api",
    error: FleetError | None = None,
) -> AccountListing:
    """The listing of an account: the ID, the token and the due date of each instance."""
    found = PartnerAccount("", resolve_account(provider, account, api_url, "p"), api_url, "p", None)
    rows = [Instance(id=id, name="x", token=token, due=due) for id, token, due in instances]
    return AccountListing(found, rows, error)


def tokens(hosts: list[FleetHost]) -> list[str | None]:
    return [one.token for one in hosts]


def test_a_token_comes_from_the_variable_then_the_listing_then_the_file() -> None:
    hosts = [host("1", token="own"), host("2"), host("3"), host("4", "plugzapi")]
    credentials = {"green_api": {name: {"id": name, "token": f"file {name}"} for name in ("1", "2", "3")}}
    found = with_known(hosts, credentials, [listing(("1", "listed 1", None), ("2", "listed 2", None))])
    assert tokens(found) == ["own", "listed 2", "file 3", None]
    assert found[1].api_url == LIVE
    assert "listed 2" not in repr(found)


def test_a_listed_due_date_replaces_the_variable() -> None:
    hosts = [host("1", due="2026-01-01"), host("2", due="2026-01-01")]
    assert [one.due for one in with_known(hosts, {}, [listing(("1", None, "2026-03-01"))])] == [
        "2026-03-01", "2026-01-01",
    ]  # fmt: skip


def test_hosts_have_the_name_of_their_account_where_it_has_one() -> None:
    hosts = [host("1", account="retail"), host("2", account="green_api"), host("3", account="green_api"), host("4")]
    credentials = {"green_api": {"retail/shop": {"id": "4", "token": "t"}}}
    found = with_known(hosts, credentials, [listing(("3", "t", None), account="acme")])
    assert [one.account for one in found] == ["retail", None, "acme", "retail"]


@pytest.mark.parametrize("source", ["listing", "credentials"])
def test_equal_ids_in_two_accounts_are_two_instances(source: str) -> None:
    """Each gets its own token."""
    hosts = [host("1", account="live", api_url=LIVE), host("1", account="test", api_url=TEST)]
    listings = [listing(("1", "test token", None), account="test"), listing(("1", "live token", None), account="live")]
    credentials = {"green_api": {f"{name}/shop": {"id": "1", "token": f"{name} token"} for name in ("test", "live")}}
    found = with_known(hosts, {}, listings) if source == "listing" else with_known(hosts, credentials, [])
    assert [(one.token, one.api_url) for one in found] == [("live token", LIVE), ("test token", TEST)]


def test_an_account_that_is_named_in_the_inventory_only_has_its_listed_tokens() -> None:
    (found,) = with_known([host("1", account="retail")], {}, [listing(("1", "t", None), account="acme")])
    assert (found.token, found.account) == ("t", "retail")


@pytest.mark.parametrize(
    ("account", "failed", "is_its_fault"),
    [
        (None, listing(error=REFUSED), True),
        (None, listing(error=REFUSED, account="acme"), True),
        ("acme", listing(error=REFUSED, account="acme"), True),
        ("acme", listing(error=REFUSED), True),
        ("retail", listing(error=REFUSED, account="acme"), False),
        (None, listing(error=REFUSED, provider="plugzapi"), False),
        (None, listing(("2", "t", None)), False),
    ],
)
def test_a_missing_token_is_explained_by_the_account_that_could_not_be_listed(
    account: str | None, failed: AccountListing, is_its_fault: bool
) -> None:
    error = why_without_token(host("1", account=account), [listing(), failed])
    if is_its_fault:
        assert (error.code, error.retryable) == ("unauthorized", True)
        assert error.message == "its account could not be listed: Listing failed: HTTP 401"
    else:
        assert error.code == "bad_request"
        assert error.message.startswith("its token isn't known; give the job the partner's token (GREEN_API_PARTNER")


@pytest.mark.parametrize(
    ("variables", "phones"),
    [
        ({}, False),
        ({"msgops_id": "", "msgops_provider": "green_api"}, False),
        ({"msgops_id": "1", "msgops_provider": "koophone"}, False),
        ({"msgops_id": "1", "msgops_provider": "green_api"}, True),
        ({"msgops_id": "1", "msgops_provider": "signal"}, False),
    ],
)
def test_a_host_that_is_no_member_is_refused_by_name(variables: dict[str, Any], phones: bool) -> None:
    with pytest.raises(UsageError, match="host jump needs the variables msgops_id and msgops_provider"):
        fleet_host("jump", variables, phones=phones)
