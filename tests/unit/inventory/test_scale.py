# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten thousand of each: none is lost, none is asked for twice."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.unit.inventory.support import Source

from msgops_emulator import Control

MANY = 10_000


@pytest.mark.parametrize(
    ("seed", "options", "requests", "group"),
    [
        (
            {"instances": [{"provider": "green_api", "count": MANY, "states": ["authorized", "blocked"]}]},
            {"plugin": "msgops.fleet.instances", "provider": "green_api"},
            {"green_api.list": 1},
            "plan_PARTNER_23",
        ),
        (
            {"instances": [{"provider": "plugzapi", "count": MANY, "name": "same", "state": "connected"}]},
            {"plugin": "msgops.fleet.instances", "provider": "plugzapi"},
            {"plugzapi.list": 100},
            "state_authorized",
        ),
        (
            {"phones": [{"count": MANY, "id": "kp{n:05d}"}]},
            {"plugin": "msgops.fleet.cloudphones"},
            {"koophone.batch_query": 100},
            "status_running",
        ),
    ],
    ids=["green_api", "plugzapi", "koophone"],
)
def test_ten_thousand(
    emulator: Control,
    source: Source,
    seed: dict[str, Any],
    options: dict[str, Any],
    requests: dict[str, int],
    group: str,
) -> None:
    emulator.seed(**seed)
    inventory = source.load(options)
    assert len(inventory.hosts) == MANY
    assert len(inventory.of(group)) == MANY
    assert len(set(inventory.values("id").values())) == MANY
    assert emulator.log_page()["counts"] == requests


def test_ten_thousand_states(emulator: Control, source: Source) -> None:
    emulator.seed(instances=[{"provider": "green_api", "count": MANY, "states": ["authorized", "blocked"]}])
    options = {"plugin": "msgops.fleet.instances", "provider": "green_api", "read_states": True, "concurrency": 32}
    inventory = source.load({**options, "group_by": [], "keyed_groups": [{"key": "msgops_state", "prefix": "is"}]})
    assert len(inventory.of("is_authorized")) == len(inventory.of("is_blocked")) == MANY // 2
    assert emulator.log_page()["counts"] == {"green_api.list": 1, "green_api.get_state": MANY}
