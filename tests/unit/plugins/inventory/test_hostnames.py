# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever instances are called, each is a host of its own, with a name that harms nobody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.plugin_utils._hostnames import STYLES, host_names, safe
from ansible_collections.msgops.fleet.tests.support.inventories import Source
from hypothesis import given, settings
from hypothesis import strategies as st

from msgops_emulator import Control

NAMES = ("name", "id")


def host(name: Any, id: Any = "1", account: Any = "main") -> dict[str, Any]:
    return {"name": name, "id": id, "account": account}


def named(*hosts: dict[str, Any], styles: Sequence[str] = NAMES, taken: Sequence[str] = ()) -> list[str]:
    return host_names(hosts, styles, taken)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shop-1", "shop-1"),
        ("shop.example.com", "shop.example.com"),
        ("Loja São Paulo", "Loja_São_Paulo"),
        ("Sa\u0303o", "São"),
        ("Москва 1", "Москва_1"),
        ("東京", "東京"),
        ("a:b,c&!d[1:3]~*?{}", "a_b_c_d_1_3"),
        ("{{ lookup('pipe', 'id') }}", "lookup_pipe_id"),
        ("../../etc/passwd", "etc_passwd"),
        ("-e@secrets", "e_secrets"),
        (".hidden", "hidden"),
        ("line\nbreak\ttab\0null\u202eright-to-left", "line_break_tab_null_right-to-left"),
        ("x" * 300, "x" * 64),
        ("x" * 63 + " y", "x" * 63),
        ("", ""),
        ("  ", ""),
        ("***", ""),
        ("📱", ""),
    ],
)
def test_what_is_left_of_a_name(text: str, name: str) -> None:
    assert safe(text) == name


@pytest.mark.parametrize(
    ("style", "name"),
    [
        ("name", "shop_1"),
        ("id", "1101"),
        ("name_id", "shop_1_1101"),
        ("account_name", "Main_account_shop_1"),
        ("account_id", "Main_account_1101"),
    ],
)
def test_styles(style: str, name: str) -> None:
    assert named(host("shop 1", "1101", "Main account"), styles=[style]) == [name]


@pytest.mark.parametrize("empty", ["", None, "***"])
def test_the_first_style_that_all_is_known_for_is_taken(empty: Any) -> None:
    assert named(host(empty, "1101")) == ["1101"]
    assert named(host(empty, "1101"), styles=["name"]) == ["1101"]
    assert named(host(empty, "1101"), styles=["name_id", "account_name", "account_id"]) == ["main_1101"]
    assert named(host(empty, "1101", empty), styles=["account_name", "name"]) == ["1101"]
    assert named(host(empty, "***"), host(empty, "***")) == ["unnamed_0", "unnamed_1"]


def test_all_that_share_a_name_get_their_id() -> None:
    assert named(host("shop", "1"), host("kiosk", "2"), host("shop!", "3")) == ["shop_1", "kiosk", "shop_3"]


def test_a_host_does_not_take_over_the_name_of_another_that_goes() -> None:
    before = named(host("shop", "1"), host("shop", "2"), host("shop", "3"))
    after = named(host("shop", "2"), host("shop", "3"))
    assert before[1:] == after


def test_a_host_that_is_named_like_a_lengthened_one_is_lengthened_itself() -> None:
    assert named(host("shop", "1"), host("shop", "2"), host("shop_1", "9")) == ["shop_main_1", "shop_2", "shop_1_9"]


def test_the_same_id_in_two_accounts() -> None:
    assert named(host("", "7", "a"), host("", "7", "b")) == ["7_a_7", "7_b_7"]


@pytest.mark.parametrize("taken", ["shop", "SHOP", "Shop"])
def test_a_name_that_is_taken_is_lengthened(taken: str) -> None:
    assert named(host("shop", "1"), taken=[taken]) == ["shop_1"]
    assert named(host("shop", "1"), taken=[taken, "shop_1", "shop_main_1"]) == ["shop_main_1_0"]


@settings(max_examples=300)
@given(
    st.lists(
        st.builds(
            host,
            st.one_of(st.none(), st.text(max_size=3), st.sampled_from(["a", "a_1", "a_1_1", "a_m_1", "all", "A"])),
            st.sampled_from(["1", "2", "1_1", "", "*"]),
            st.sampled_from(["m", "a", None]),
        ),
        max_size=8,
    ),
    st.lists(st.sampled_from(list(STYLES)), max_size=3),
    st.lists(st.sampled_from(["all", "a", "a_1", "unnamed", "unnamed_0", "a_m_1_0"]), max_size=4),
)
def test_names_are_safe_and_everybodys_own(hosts: list[dict[str, Any]], styles: list[str], taken: list[str]) -> None:
    names = host_names(hosts, styles, taken)
    assert len(names) == len(hosts)
    assert len(set(names)) == len(names)
    assert {name.casefold() for name in names}.isdisjoint(taken)
    for name in names:
        assert re.fullmatch(r"\w[\w.-]*", name)
        assert name not in (".", "..")


# In Ansible


def test_no_instance_becomes_what_ansible_or_a_group_is_called(emulator: Control, source: Source) -> None:
    names = [
        "all",
        "ungrouped",
        "localhost",
        "LOCALHOST",
        "127.0.0.1",
        "msgops_instances",
        "provider_green_api",
        "state_authorized",
        "overdue",
        "due_within_7d",
        "vip",
    ]
    emulator.seed(
        instances=[{"provider": "green_api", "id": number, "name": name} for number, name in enumerate(names, 1)]
    )
    options = {"plugin": "msgops.fleet.instances", "provider": "green_api", "groups": {"vip": "msgops_id == '1'"}}
    inventory = source.load({**options, "read_states": True})
    # Some of these groups aren't there now, and so their names are free.
    kept = {"overdue", "state_authorized"}
    assert set(inventory.hosts) == {
        name if name in kept else f"{name}_{number}" for number, name in enumerate(names, 1)
    }
    assert inventory.of("vip") == {"all_1"}
    assert inventory.values("name") == {
        host: names[int(variables["msgops_id"]) - 1] for host, variables in inventory.hosts.items()
    }
    assert "same name" not in inventory.output


def test_no_instance_becomes_a_group_of_another_source(emulator: Control, source: Source) -> None:
    emulator.seed(instances=[{"provider": "green_api", "id": 7, "name": "databases"}])
    (source.folder / "a.yml").write_text("databases: {hosts: {db1: }, vars: {msgops_name: mine}}\n")
    inventory = source.load(
        {"plugin": "msgops.fleet.instances", "provider": "green_api"}, "-i", str(source.folder / "a.yml")
    )
    status, output = source.command("ansible-inventory", "-i", "a.yml", "-i", "fleet.msgops.yml", "--graph")
    assert status == 0
    assert "databases_7" in output
    assert inventory.groups["databases"] == {"db1"}


def test_hosts_can_be_named_in_a_pattern(emulator: Control, source: Source) -> None:
    names = ["Loja São Paulo", "a:b", "a,b", "x[1:3]", "!no", "&and", "~re.*", "*", "", "shop 1"]
    emulator.seed(
        instances=[{"provider": "plugzapi", "id": f"ID{number}", "name": name} for number, name in enumerate(names)]
    )
    options = {"plugin": "msgops.fleet.instances", "provider": "plugzapi"}
    inventory = source.load(options)
    assert len(inventory.hosts) == len(names)
    for host in inventory.hosts:
        shown = source.load(options, "--limit", host)
        assert set(shown.hosts) == {host}
