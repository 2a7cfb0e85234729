# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin ``instances``: accounts in, hosts, variables and groups out."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.support.inventories import Source
from pytest_httpserver import HTTPServer

from msgops_emulator import Control

INSTANCES = {"plugin": "msgops.fleet.instances"}
GREEN = {**INSTANCES, "provider": "green_api"}
PLUGZ = {**INSTANCES, "provider": "plugzapi"}

TOKEN = "partner-token"


def moment(**from_now: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**from_now)


def green_listing(server: HTTPServer, *items: dict[str, Any], **fields: Any) -> str:
    """GREEN-API's listing of these instances; the address to ask at."""
    whole = {"apiTokenInstance": "t", "deleted": False, "timeCreated": "2022-06-03T18:39:44", **fields}
    listed = [{"idInstance": number, "name": f"i-{number}", **whole, **item} for number, item in enumerate(items, 1)]
    server.expect_request(f"/partner/getInstances/{TOKEN}").respond_with_json(listed)
    return f"http://127.0.0.1:{server.port}"


# Which accounts


def test_a_source_without_options_has_the_accounts_of_the_environment(emulator: Control, source: Source) -> None:
    emulator.seed(instances=[{"provider": "green_api", "name": "shop"}, {"provider": "plugzapi", "name": "loja"}])
    inventory = source.load(INSTANCES)
    assert inventory.of("msgops_instances") == {"shop", "loja"}
    assert inventory.of("provider_green_api") == {"shop"}
    assert inventory.of("provider_plugzapi") == {"loja"}


@pytest.mark.parametrize(
    ("options", "environment", "hosts"),
    [
        (GREEN, {}, {"shop"}),
        (INSTANCES, {"MSGOPS_PROVIDER": "plugzapi"}, {"loja"}),
        (GREEN, {"MSGOPS_PROVIDER": "plugzapi"}, {"shop"}),
        (INSTANCES, {"PLUGZAPI_PARTNER_TOKEN": ""}, {"shop"}),
        ({**INSTANCES, "accounts": []}, {}, set()),
        ({**INSTANCES, "accounts": [{"provider": "plugzapi"}]}, {}, {"loja"}),
        ({**PLUGZ, "accounts": [{}, {"provider": "green_api"}]}, {}, {"loja", "shop"}),
    ],
)
def test_options_come_before_the_environment(
    emulator: Control, source: Source, options: dict[str, Any], environment: dict[str, str], hosts: set[str]
) -> None:
    emulator.seed(instances=[{"provider": "green_api", "name": "shop"}, {"provider": "plugzapi", "name": "loja"}])
    assert set(source.load(options, **environment).hosts) == hosts


def test_everything_may_be_in_the_source(emulator: Control, bare: Source) -> None:
    emulator.seed(
        accounts=[{"provider": "green_api", "name": "second", "partner_token": "second-token"}],
        instances=[
            {"provider": "green_api", "name": "shop"},
            {"provider": "green_api", "account": "second", "name": "kiosk"},
            {"provider": "plugzapi", "name": "loja"},
        ],
    )
    inventory = bare.load(
        {
            **INSTANCES,
            "provider": "green_api",
            "api_url": emulator.url + "/",
            "accounts": [
                {"name": "first", "partner_token": emulator.account("green_api")["partner_token"]},
                {"name": "second", "partner_token": "second-token"},
                {
                    "provider": "plugzapi",
                    "api_url": emulator.url,
                    "partner_token": emulator.account("plugzapi")["partner_token"],
                },
            ],
        }
    )
    assert inventory.values("account") == {"shop": "first", "kiosk": "second", "loja": "plugzapi"}
    assert set(inventory.values("api_url").values()) == {emulator.url}
    assert inventory.of("account_second") == {"kiosk"}
    assert inventory.of("account_plugzapi") == {"loja"}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nobody": (INSTANCES, "needs accounts, or provider and partner_token (or the variable GREEN_API_PARTNER_TOKEN or"),
    "no token": (GREEN, "the inventory source needs partner_token or the variable GREEN_API_PARTNER_TOKEN (green_api)"),
    "no provider": ({**INSTANCES, "partner_token": TOKEN}, "needs provider (green_api or plugzapi"),
    "an item without a token": (
        {**INSTANCES, "accounts": [{"provider": "green_api", "partner_token": TOKEN}, {"provider": "plugzapi"}]},
        "accounts[1] needs partner_token or the variable PLUGZAPI_PARTNER_TOKEN",
    ),
    "an item without a provider": ({**INSTANCES, "accounts": [{"partner_token": TOKEN}]}, "accounts[0] needs provider"),
    "a name twice": (
        {**GREEN, "accounts": [{"partner_token": "token-1"}, {"partner_token": "token-2"}]},
        "accounts has green_api twice; give each a name of its own",
    ),
    "an account twice": (
        {**GREEN, "accounts": [{"name": "a", "partner_token": TOKEN}, {"name": "b", "partner_token": TOKEN}]},
        "accounts has the same account twice, as a and as b",
    ),
    "an address without TLS": (
        {**GREEN, "partner_token": TOKEN, "api_url": "http://gateway.example.com"},
        "api_url must use https",
    ),
    "another provider": ({**INSTANCES, "provider": "acme"}, "value of provider must be one of: green_api, plugzapi"),
    "a misspelt option": ({**GREEN, "partner_tokens": "t"}, "msgops.fleet.instances has no option partner_tokens"),
    "a misspelt option of an item": ({**GREEN, "accounts": [{"token": "misplaced"}]}, "accounts.token"),
    "no number": ({**GREEN, "partner_token": TOKEN, "timeout": "soon"}, "timeout"),
    "a time below 0": ({**GREEN, "partner_token": TOKEN, "timeout": -1}, "timeout must be a number of seconds above 0"),
    "a file that isn't there": ({**GREEN, "partner_token": TOKEN, "ca_path": "/none"}, "ca_path /none doesn't exist"),
    "another name for hosts": ({**GREEN, "partner_token": TOKEN, "hostnames": ["uuid"]}, "hostnames"),
    "another criterion": ({**GREEN, "partner_token": TOKEN, "group_by": ["mood"]}, "group_by"),
    "another way with errors": ({**GREEN, "partner_token": TOKEN, "on_error": "ignore"}, "on_error"),
}


@pytest.mark.parametrize(("options", "says"), REFUSED.values(), ids=REFUSED)
def test_wrong_options_are_refused_before_any_request(bare: Source, options: dict[str, Any], says: str) -> None:
    assert says in bare.refused(options)


# Variables


def test_a_green_api_instance_as_the_listing_shows_it(emulator: Control, source: Source) -> None:
    (seeded,) = emulator.seed(instances=[{"provider": "green_api", "name": "shop", "state": "authorized"}])["instances"]
    variables = dict(source.load(GREEN).hosts["shop"])
    created_at, due = variables.pop("msgops_created_at"), variables.pop("msgops_due")
    assert (datetime.datetime.fromisoformat(due[:-1]) - datetime.datetime.fromisoformat(created_at[:-1])).days == 365
    assert variables == {
        "msgops_id": str(seeded["id"]),
        "msgops_name": "shop",
        "msgops_provider": "green_api",
        "msgops_account": "green_api",
        "msgops_api_url": emulator.url,
        "msgops_state": None,
        "msgops_vendor_state": None,
        "msgops_health": None,
        "msgops_authorized": None,
        "msgops_plan": "PARTNER_23",
        "msgops_payment_status": None,
        "msgops_due_in": "later",
        "msgops_trial_ends_at": None,
        "msgops_expired": False,
        "msgops_deleted": False,
        "msgops_observed_at": None,
        "msgops_error": None,
    }


@pytest.mark.parametrize(
    ("state", "known"),
    [
        ("connected", ("authorized", "connected", "ready", True)),
        ("disconnected", ("notAuthorized", "disconnected", "action_required", False)),
    ],
)
def test_a_plugzapi_instance_as_the_listing_shows_it(
    emulator: Control, source: Source, state: str, known: tuple[str, str, str, bool]
) -> None:
    emulator.seed(instances=[{"provider": "plugzapi", "name": "loja", "state": state}])
    variables = source.load(PLUGZ).hosts["loja"]
    assert tuple(variables[f"msgops_{key}"] for key in ("state", "vendor_state", "health", "authorized")) == known
    assert (variables["msgops_payment_status"], variables["msgops_plan"]) == ("TRIAL", None)
    assert variables["msgops_due"]
    assert variables["msgops_trial_ends_at"] == variables["msgops_due"]
    assert variables["msgops_observed_at"] is not None
    assert len(emulator.log()) == 1


def test_deleted_instances_are_left_out_unless_asked_for(emulator: Control, source: Source) -> None:
    emulator.seed(instances=[{"provider": "green_api", "count": 2, "name": "i-{n}", "states": ["deleted", "blocked"]}])
    assert set(source.load(GREEN).hosts) == {"i-2"}
    assert source.load({**GREEN, "include_deleted": True}).values("deleted") == {"i-1": True, "i-2": False}


# States


def test_states_are_read_if_the_listing_does_not_tell_them(emulator: Control, source: Source) -> None:
    states = ["authorized", "notAuthorized", "blocked", "creating", "hibernating", "expired", "deleted"]
    emulator.seed(
        instances=[
            {"provider": "green_api", "count": len(states), "name": "i-{n}", "states": states},
            {"provider": "plugzapi", "name": "loja", "state": "connected"},
        ]
    )
    inventory = source.load({**INSTANCES, "read_states": True, "include_deleted": True})
    assert inventory.values("state") == {
        "i-1": "authorized",
        "i-2": "notAuthorized",
        "i-3": "blocked",
        "i-4": "creating",
        "i-5": "unknown",
        "i-6": None,
        "i-7": None,
        "loja": "authorized",
    }
    assert inventory.values("vendor_state")["i-5"] == "hibernating"
    assert inventory.values("health") == {
        "i-1": "ready",
        "i-2": "action_required",
        "i-3": "failed",
        "i-4": "transient",
        "i-5": "unknown",
        "i-6": "unknown",
        "i-7": None,
        "loja": "ready",
    }
    errors = {host: error["code"] for host, error in inventory.values("error").items() if error}
    assert errors == {"i-6": "bad_request"}
    assert inventory.of("state_authorized") == {"i-1", "loja"}
    assert inventory.of("health_unknown") == {"i-5", "i-6"}
    # Neither the deleted one nor PlugzAPI's were asked for.
    assert emulator.log_page(route="green_api.get_state")["counts"] == {"green_api.get_state": 6}
    assert emulator.log(route="plugzapi.status") == []


def test_states_are_read_at_once(emulator: Control, source: Source) -> None:
    emulator.seed(instances=[{"provider": "green_api", "count": 40, "name": "i-{n}", "state": "authorized"}])
    emulator.config({"green_api.latency_seconds": 0.2})
    inventory = source.load({**GREEN, "read_states": True, "concurrency": 40})
    assert inventory.of("state_authorized") == set(inventory.hosts)
    moments = [entry["monotonic_ms"] for entry in emulator.log(route="green_api.get_state")]
    assert len(moments) == 40
    # One after the other would take eight seconds.
    assert max(moments) - min(moments) < 4000


def test_a_plugzapi_listing_that_does_not_tell_states(httpserver: HTTPServer, bare: Source) -> None:
    item = {"id": "A", "name": "loja", "token": "its-token", "due": 1648565999675}
    httpserver.expect_request("/instances").respond_with_json({"total": 1, "totalPage": 1, "content": [item]})
    httpserver.expect_request(
        "/instances/A/token/its-token/status", headers={"Client-Token": "client"}
    ).respond_with_json({"connected": True})
    options = {
        **PLUGZ,
        "api_url": f"http://127.0.0.1:{httpserver.port}",
        "partner_token": TOKEN,
        "client_token": "client",
    }
    assert bare.load(options).values("state") == {"loja": None}
    assert bare.load({**options, "read_states": True}).values("state") == {"loja": "authorized"}


# Groups


def test_groups_by_everything_that_is_known(emulator: Control, source: Source) -> None:
    emulator.seed(
        accounts=[{"provider": "plugzapi", "name": "paid", "partner_token": "paid-token"}],
        instances=[
            {"provider": "plugzapi", "count": 3, "name": "a-{n}", "states": ["connected", "disconnected"]},
            {"provider": "plugzapi", "account": "paid", "name": "b", "state": "connected"},
        ],
    )
    (paid,) = emulator.instances(account="paid")
    emulator.set_state("plugzapi", paid["id"], subscribed=True)
    accounts = [{"name": "Trial & Error"}, {"name": "paid", "partner_token": "paid-token"}]
    inventory = source.load({**PLUGZ, "accounts": accounts})
    groups = {name: hosts for name, hosts in inventory.groups.items() if hosts and not name.startswith("due_")}
    assert groups == {
        "all": {"a-1", "a-2", "a-3", "b"},
        "msgops_instances": {"a-1", "a-2", "a-3", "b"},
        "provider_plugzapi": {"a-1", "a-2", "a-3", "b"},
        "account_Trial___Error": {"a-1", "a-2", "a-3"},
        "account_paid": {"b"},
        "state_authorized": {"a-1", "a-3", "b"},
        "state_notAuthorized": {"a-2"},
        "health_ready": {"a-1", "a-3", "b"},
        "health_action_required": {"a-2"},
        "payment_TRIAL": {"a-1", "a-2", "a-3"},
        "payment_PAID": {"b"},
    }


@pytest.mark.parametrize(
    ("options", "groups"),
    [
        ({"group_by": []}, {"msgops_instances"}),
        ({"group_by": [], "group": "fleet"}, {"fleet"}),
        ({"group_by": [], "group": ""}, {"ungrouped"}),
        ({"group_by": ["provider"], "group_prefix": "wa-"}, {"msgops_instances", "wa_provider_green_api"}),
        ({"group_by": ["plan", "plan"]}, {"msgops_instances", "plan_PARTNER_23"}),
    ],
)
def test_groups_are_a_matter_of_options(
    emulator: Control, source: Source, options: dict[str, Any], groups: set[str]
) -> None:
    emulator.seed(instances=[{"provider": "green_api", "name": "shop"}])
    inventory = source.load({**GREEN, **options})
    assert {name for name, hosts in inventory.groups.items() if hosts} - {"all"} == groups


def test_due_dates_are_groups_in_groups(httpserver: HTTPServer, bare: Source) -> None:
    ends = {
        "overdue": moment(minutes=-1),
        "tomorrow": moment(hours=23),
        "next-week": moment(days=6),
        "next-month": moment(days=29),
        "next-year": moment(days=360),
    }
    items = [{"name": name, "expirationDate": f"{end:%Y-%m-%dT%H:%M:%S}"} for name, end in ends.items()]
    items.append({"name": "never", "expirationDate": "0001-01-01T00:00:00"})
    url = green_listing(httpserver, *items)
    inventory = bare.load({**GREEN, "api_url": url, "partner_token": TOKEN})
    assert inventory.values("due_in") == {
        "overdue_1": "overdue",
        "tomorrow": "within_24h",
        "next-week": "within_7d",
        "next-month": "within_30d",
        "next-year": "later",
        "never": "unknown",
    }
    assert inventory.of("overdue") == {"overdue_1"}
    assert inventory.of("due_within_24h") == {"tomorrow"}
    assert inventory.of("due_within_7d") == {"tomorrow", "next-week"}
    assert inventory.of("due_within_30d") == {"tomorrow", "next-week", "next-month"}
    assert inventory.of("due_later") == {"next-year"}
    assert inventory.values("due")["never"] is None


def test_a_day_is_in_a_week_even_if_nothing_else_is(httpserver: HTTPServer, bare: Source) -> None:
    url = green_listing(httpserver, {"name": "shop"}, expirationDate=f"{moment(hours=1):%Y-%m-%dT%H:%M:%S}")
    inventory = bare.load({**GREEN, "api_url": url, "partner_token": TOKEN, "group_prefix": "x_"})
    for group in ("x_due_within_24h", "x_due_within_7d", "x_due_within_30d"):
        assert inventory.of(group) == {"shop"}


def test_what_ansible_constructs(emulator: Control, source: Source) -> None:
    emulator.seed(
        instances=[{"provider": "plugzapi", "count": 3, "name": "loja-{n}", "states": ["connected", "disconnected"]}]
    )
    inventory = source.load(
        {
            **PLUGZ,
            "strict": True,
            "group_by": [],
            "leading_separator": False,
            "compose": {
                "ansible_connection": "'local'",
                "upper": "msgops_name | upper",
                "same": "msgops_name",
                "nothing": "msgops_plan",
            },
            "groups": {"connected": "msgops_authorized", "odd": "upper in ('LOJA-1', 'LOJA-3')"},
            "keyed_groups": [
                {"key": "msgops_state", "prefix": "s"},
                {"key": "msgops_payment_status"},
                {"key": "msgops_plan", "prefix": "plan", "default_value": "none"},
                {"key": "upper | lower", "prefix": "n", "separator": "__", "parent_group": "by_name"},
                {"key": "msgops_vendor_state", "prefix": "", "parent_group": "by_{{ msgops_provider }}"},
            ],
        }
        # Before 2.19, Ansible had no default for keys that are null.
        | ({} if _defaults_for_null() else {"strict": False})
    )
    assert inventory.hosts["loja-2"]["upper"] == "LOJA-2"
    assert inventory.hosts["loja-2"]["same"] == "loja-2"
    assert inventory.hosts["loja-2"]["nothing"] is None
    assert inventory.hosts["loja-2"]["ansible_connection"] == "local"
    assert inventory.of("connected") == {"loja-1", "loja-3"}
    assert inventory.of("odd") == {"loja-1", "loja-3"}
    assert inventory.of("s_notAuthorized") == {"loja-2"}
    assert inventory.of("TRIAL") == set(inventory.hosts)
    assert inventory.of("by_name") == set(inventory.hosts)
    assert inventory.of("n__loja_3") == {"loja-3"}
    assert inventory.of("by_plugzapi") == set(inventory.hosts)
    if _defaults_for_null():
        assert inventory.of("plan_none") == set(inventory.hosts)


def _defaults_for_null() -> bool:
    from ansible.plugins.inventory import BaseInventoryPlugin

    return hasattr(BaseInventoryPlugin, "trusted_by_default")


def test_extra_variables_come_before_a_hosts_own_if_the_user_says_so(emulator: Control, source: Source) -> None:
    emulator.seed(instances=[{"provider": "plugzapi", "name": "loja"}])
    options = {**PLUGZ, "use_extra_vars": True, "keyed_groups": [{"key": "msgops_name", "prefix": "k"}]}
    assert source.load(options, "-e", "msgops_name=other").of("k_other") == {"loja"}


def test_strict_tells_what_is_wrong(emulator: Control, source: Source) -> None:
    emulator.seed(instances=[{"provider": "plugzapi", "name": "loja"}])
    for options, says in (
        ({"compose": {"x": "no_such_thing"}}, "Could not set x for host loja"),
        ({"groups": {"x": "no_such_thing > 1"}}, "Could not add host loja to group x"),
        ({"keyed_groups": [{"key": "no_such_thing"}]}, "Could not generate group for host"),
    ):
        assert says in source.refused({**PLUGZ, "strict": True, **options})
        assert set(source.load({**PLUGZ, **options}).hosts) == {"loja"}


# Tokens


def test_tokens_are_not_shown(emulator: Control, source: Source) -> None:
    emulator.seed(
        instances=[
            {"provider": "green_api", "name": "shop", "token": "s3cret-shop"},
            {"provider": "plugzapi", "name": "loja", "token": "s3cret-loja"},
        ]
    )
    inventory = source.load({**INSTANCES, "read_states": True}, "-vvvv")
    assert "s3cret" not in inventory.output
    for token in (emulator.account(provider)["partner_token"] for provider in ("green_api", "plugzapi")):
        assert token not in inventory.output


def test_tokens_are_shown_on_request(emulator: Control, source: Source) -> None:
    emulator.seed(
        instances=[
            {"provider": "green_api", "name": "shop", "token": "s3cret/shop+token={{ x }}"},
            {"provider": "plugzapi", "name": "loja", "token": "s3cret-loja"},
        ]
    )
    inventory = source.load({**INSTANCES, "include_tokens": True})
    assert inventory.values("token") == {"shop": "s3cret/shop+token={{ x }}", "loja": "s3cret-loja"}
    assert emulator.account("green_api")["partner_token"] not in inventory.output


# Accounts that can't be listed


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"route": "plugzapi.list", "fault": "status", "status": 500}, "HTTP 500"),
        ({"route": "plugzapi.list", "fault": "garbage", "kind": "html"}, "the answer is no JSON"),
        ({"route": "plugzapi.list", "fault": "reset"}, "broke off"),
    ],
)
def test_an_account_that_fails_is_an_error_or_a_warning(
    emulator: Control, source: Source, fault: dict[str, Any], says: str
) -> None:
    emulator.seed(instances=[{"provider": "green_api", "name": "shop"}, {"provider": "plugzapi", "name": "loja"}])
    options = {**INSTANCES, "retry_timeout": 0}
    emulator.arm(**fault, count=None)
    refusal = source.refused(options)
    assert "account plugzapi: Listing the PlugzAPI partner's instances (page 1) failed" in refusal
    assert says in refusal
    inventory = source.load({**options, "on_error": "warn"})
    assert set(inventory.hosts) == {"shop"}
    warning = " ".join(inventory.output.partition("{")[0].split())
    assert "msgops.fleet.instances leaves out account plugzapi: Listing the PlugzAPI partner's instances" in warning
    assert says in warning


def test_a_wrong_token_names_the_option(source: Source) -> None:
    refusal = source.refused({**INSTANCES, "retry_timeout": 0}, GREEN_API_PARTNER_TOKEN="wrong-token")
    assert "account green_api: Listing the GREEN-API partner's instances failed" in refusal
    assert "check partner_token" in refusal
    assert "wrong-token" not in refusal


def test_several_accounts_that_fail_are_all_named(source: Source) -> None:
    wrong = {"GREEN_API_PARTNER_TOKEN": "wrong-1", "PLUGZAPI_PARTNER_TOKEN": "wrong-2"}
    refusal = source.refused({**INSTANCES, "retry_timeout": 0}, **wrong)
    assert "2 of 2 accounts could not be listed: unauthorized (1): green_api; HTTP 401 (1): plugzapi." in refusal


def test_all_accounts_may_be_left_out(source: Source) -> None:
    wrong = {"GREEN_API_PARTNER_TOKEN": "wrong-1", "PLUGZAPI_PARTNER_TOKEN": "wrong-2"}
    inventory = source.load({**INSTANCES, "retry_timeout": 0, "on_error": "warn"}, **wrong)
    assert inventory.hosts == {}
    assert inventory.output.count("leaves out account") == 2


@pytest.mark.parametrize("listing", ["http404", "http405", "not_found_200"])
def test_a_gateway_without_a_listing_is_an_error(emulator: Control, source: Source, listing: str) -> None:
    emulator.config({"plugzapi.listing": listing})
    assert "the gateway has no such call; check api_url" in source.refused(PLUGZ)


def test_wrong_options_are_an_error_even_where_accounts_may_fail(source: Source) -> None:
    options = {**INSTANCES, "on_error": "warn", "accounts": [{"provider": "green_api"}, {"provider": "plugzapi"}]}
    assert "accounts[1] needs partner_token" in source.refused(options, PLUGZAPI_PARTNER_TOKEN="")


def test_it_only_reads(emulator: Control, source: Source) -> None:
    emulator.seed(instances=[{"provider": "green_api", "count": 3, "name": "i-{n}"}])
    source.load({**INSTANCES, "read_states": True})
    assert emulator.log(writes=True) == []
    assert set(emulator.log_page()["counts"]) == {"green_api.list", "plugzapi.list", "green_api.get_state"}
