# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small storm of deletions, and killed runs, at each gateway."""

from __future__ import annotations

from random import Random

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import Listing
from ansible_collections.msgops.fleet.plugins.module_utils._ending import deletion
from ansible_collections.msgops.fleet.tests.storm.deletions import Storm, as_table
from ansible_collections.msgops.fleet.tests.storm.steps import KILL
from ansible_collections.msgops.fleet.tests.support.creation import Fleet


def test_nothing_is_deleted_twice_or_lost_and_the_next_run_finishes(fleet: Fleet) -> None:
    storm = Storm(fleet, Random(7))
    storm.weather(24)
    assert storm.violations == []
    assert storm.table[KILL]["(gone)"] == 12
    assert "| kill -9 | 12 |" in as_table(storm)


def test_a_core_that_believes_without_looking_does_not_weather_it(
    green: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    storm = Storm(green, Random(7))
    monkeypatch.setattr(deletion, "list_until", lambda *_arguments: Listing([]))
    storm.weather(1, ["delete: reset before"])
    assert "shop-0: said to be deleted, and is there" in storm.violations
