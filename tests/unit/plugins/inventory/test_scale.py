# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of hosts: none is lost, and none is asked for twice."""

from __future__ import annotations

from ansible_collections.msgops.fleet.tests.support.inventories import Source

from msgops_emulator import Control

HALF = 5_000


def test_ten_thousand_instances(emulator: Control, source: Source) -> None:
    emulator.seed(
        instances=[
            {"provider": "green_api", "count": HALF, "name": "same"},
            {"provider": "plugzapi", "count": HALF, "name": "loja-{n}", "states": ["connected", "disconnected"]},
        ]
    )
    inventory = source.load({"plugin": "msgops.fleet.instances"})
    assert len(inventory.hosts) == len(set(inventory.values("id").values())) == 2 * HALF
    assert len(inventory.of("provider_green_api")) == len(inventory.of("payment_TRIAL")) == HALF
    assert len(inventory.of("state_authorized")) == HALF // 2
    assert emulator.log_page()["counts"] == {"green_api.list": 1, "plugzapi.list": HALF // 100}


def test_thousands_of_phones(emulator: Control, source: Source) -> None:
    emulator.seed(phones=[{"count": HALF, "id": "kp{n:05d}"}])
    inventory = source.load({"plugin": "msgops.fleet.cloudphones"})
    assert len(inventory.of("status_running")) == len(set(inventory.values("id").values())) == HALF
    assert emulator.log_page()["counts"] == {"koophone.batch_query": HALF // 100}


def test_a_thousand_states(emulator: Control, source: Source) -> None:
    emulator.seed(instances=[{"provider": "green_api", "count": 1000, "states": ["authorized", "blocked"]}])
    options = {"plugin": "msgops.fleet.instances", "provider": "green_api", "read_states": True, "concurrency": 32}
    inventory = source.load({**options, "group_by": [], "keyed_groups": [{"key": "msgops_state", "prefix": "is"}]})
    assert len(inventory.of("is_authorized")) == len(inventory.of("is_blocked")) == 500
    assert emulator.log_page()["counts"] == {"green_api.list": 1, "green_api.get_state": 1000}
