# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small storm of creations; ``make storm`` raises the large one."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._errors import Delivery
from ansible_collections.msgops.fleet.plugins.module_utils._messages import StatusVerdict
from ansible_collections.msgops.fleet.tests.storm.storm import FAULTS, storm_over


@pytest.mark.parametrize("has_listing", [True, False], ids=["with a listing", "without a listing"])
def test_a_storm_is_weathered(tmp_path: Path, has_listing: bool) -> None:
    told: list[str] = []
    found = storm_over(tmp_path, creations=2 * len(FAULTS), seed=7, has_listing=has_listing, tell=told.append)
    assert found == []
    assert all(fault in told[0] for fault in FAULTS)


def test_a_core_that_posts_again_after_a_502_makes_instances_twice_and_is_caught(tmp_path: Path) -> None:
    found = storm_over_a_core_that_believes(tmp_path, {502: StatusVerdict("unavailable", True, Delivery.NOT_SENT)})
    assert any("too many of" in line for line in found)


def test_a_core_that_calls_an_open_outcome_refused_is_caught(tmp_path: Path) -> None:
    found = storm_over_a_core_that_believes(tmp_path, {499: StatusVerdict("timeout", False, Delivery.REFUSED)})
    assert any("failed, but the gateway has" in line for line in found)


def storm_over_a_core_that_believes(folder: Path, verdicts: dict[int, StatusVerdict]) -> list[str]:
    """What a storm finds over a core that has only these to say about statuses."""
    return storm_over(
        folder,
        creations=len(FAULTS),
        seed=7,
        has_listing=True,
        constants={"_messages._REFUSALS": verdicts},
        tell=lambda _text: None,
    )
