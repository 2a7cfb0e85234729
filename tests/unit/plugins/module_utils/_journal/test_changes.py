# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of changes to instances that exist."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._journal.changes import ChangeJournal, fingerprint
from ansible_collections.msgops.fleet.plugins.module_utils._journal.entries import Key
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal

SHOP = ("green_api", "1101000001")
SALES = ("plugzapi", "0" * 32)


@pytest.fixture
def location(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "journal.sqlite3")


def states(location: str, instance: tuple[str, str]) -> dict[str, tuple[str, str]]:
    """Fingerprint and status of each part."""
    found = ChangeJournal(location).read([instance])
    return {part: (change.fingerprint, change.status) for part, change in found.get(instance, {}).items()}


def test_a_change_is_pending_until_its_effect_is_known(location: str) -> None:
    journal = ChangeJournal(location)
    journal.request(*SHOP, {"webhookUrl": "a", "stateWebhook": "b"})
    assert states(location, SHOP) == {"webhookUrl": ("a", "pending"), "stateWebhook": ("b", "pending")}
    journal.record(*SHOP, ["webhookUrl"], done=True)
    journal.record(*SHOP, ["stateWebhook"], done=False)
    assert states(location, SHOP) == {"webhookUrl": ("a", "done")}
    assert states(location, SALES) == {}


def test_the_last_change_of_a_part_counts(location: str) -> None:
    journal = ChangeJournal(location)
    journal.request(*SHOP, {"webhookUrl": "a"})
    journal.record(*SHOP, ["webhookUrl"], done=True)
    journal.request(*SHOP, {"webhookUrl": "b"})
    assert states(location, SHOP) == {"webhookUrl": ("b", "pending")}
    assert 0 <= journal.read([SHOP])[SHOP]["webhookUrl"].age < 3600


def test_thousands_of_instances_are_read_at_once(location: str) -> None:
    ids = [str(number) for number in range(1200)]
    journal = ChangeJournal(location)
    journal.request(*SALES, {"name": "a"})
    for instance_id in (ids[0], ids[-1]):
        journal.request("green_api", instance_id, {"webhookUrl": instance_id})
    found = journal.read([SALES, *(("green_api", instance_id) for instance_id in ids), ("plugzapi", ids[0])])
    assert {one: {part: change.fingerprint for part, change in parts.items()} for one, parts in found.items()} == {
        SALES: {"name": "a"},
        ("green_api", ids[0]): {"webhookUrl": ids[0]},
        ("green_api", ids[-1]): {"webhookUrl": ids[-1]},
    }


def test_reading_makes_no_journal(location: str) -> None:
    assert ChangeJournal(location).read([SHOP]) == {}
    assert not Path(location).exists()


def test_a_journal_of_the_schema_before_has_no_changes_and_gets_them(location: str) -> None:
    with Journal(location).locked([Key("green_api", "shop")]):
        pass
    with sqlite3.connect(location) as db:
        db.execute("DROP TABLE change")
        db.execute("PRAGMA user_version = 2")
    db.close()
    assert ChangeJournal(location).read([SHOP]) == {}
    ChangeJournal(location).request(*SHOP, {"webhookUrl": "a"})
    assert states(location, SHOP) == {"webhookUrl": ("a", "pending")}


def test_a_fingerprint_tells_values_and_keys_apart_and_holds_neither() -> None:
    fingerprints = {fingerprint(value, key) for value in ("on", "off") for key in ("token-1", "token-2")}
    assert len(fingerprints) == 4
    assert fingerprint("on", "token-1") in fingerprints
    assert not any("token" in text or text.startswith("on") for text in fingerprints)
