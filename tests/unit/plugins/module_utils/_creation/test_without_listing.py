# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that can't be asked which instances there are: the journal alone knows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.support.creation import NO_LISTING, Fleet, actions

from msgops_emulator import Emulator


@pytest.fixture(params=NO_LISTING)
def blind(request: pytest.FixtureRequest, emulator: Emulator, tmp_path: Path) -> Fleet:
    """An empty account at a PlugzAPI without a listing, in each way of not having one."""
    emulator.config({"plugzapi.listing": request.param})
    return Fleet(emulator, "plugzapi", tmp_path)


def test_a_name_is_created_once(blind: Fleet) -> None:
    assert actions(blind.create("shop", "sales")) == {"shop": "created", "sales": "created"}
    result = blind.create("shop", "sales")
    assert actions(result) == {"shop": "unchanged", "sales": "unchanged"}
    assert not result["changed"]
    assert sorted(blind.posts()) == ["sales", "shop"]
    blind.assert_delivered("shop", "sales")


def test_an_unclear_creation_is_unknown_whether_it_happened_or_not(blind: Fleet) -> None:
    blind.arm("create", "reset", when="before", match='"lost"')
    blind.arm("create", "reset", when="after", match='"made"')
    for _run in range(2):
        result = blind.create("lost", "made")
        assert actions(result) == {"lost": "unknown", "made": "unknown"}
        assert not result["changed"]
    assert sorted(blind.posts()) == ["lost", "made"]


def test_a_refused_creation_is_tried_again_by_the_next_run(blind: Fleet) -> None:
    blind.arm("create", "status", status=400)
    assert actions(blind.create("shop")) == {"shop": "failed"}
    assert actions(blind.create("shop")) == {"shop": "created"}


def test_what_the_console_shows_is_adopted(blind: Fleet) -> None:
    blind.arm("create", "reset", when="after")
    blind.create("shop")
    (instance,) = blind.existing("shop")
    blind.journal_task(action="adopt", provider="plugzapi", name="shop", instance_id=instance["id"])
    result = blind.create("shop")
    assert actions(result) == {"shop": "unchanged"}
    assert result["instance"]["id"] == instance["id"]
    assert blind.posts() == ["shop"]


def test_what_the_console_does_not_show_is_discarded_and_created(blind: Fleet) -> None:
    blind.arm("create", "reset", when="before")
    blind.create("shop")
    blind.journal_task(action="discard", provider="plugzapi", name="shop")
    assert actions(blind.create("shop")) == {"shop": "created"}
    blind.assert_delivered("shop")


def test_on_unknown_create_creates_it_again(blind: Fleet) -> None:
    blind.arm("create", "reset", when="before")
    blind.create("shop")
    assert actions(blind.create("shop", on_unknown="create")) == {"shop": "created"}


def test_the_token_comes_from_the_credentials_file(blind: Fleet) -> None:
    token = blind.create("shop")["instance"]["token"]
    again = blind.create("shop")
    assert again["instance"]["token"] == token
    assert again["warnings"] == []


def test_a_token_that_was_delivered_is_null_later_without_a_warning(blind: Fleet) -> None:
    assert blind.create("shop", credentials_file=None)["instance"]["token"]
    again = blind.create("shop", credentials_file=None)
    assert again["instance"]["token"] is None
    assert again["warnings"] == []


def test_a_token_of_another_instance_of_that_name_is_not_taken_for_its_own(blind: Fleet) -> None:
    blind.create("shop")
    blind.credentials_file.write_text(json.dumps({"plugzapi": {"shop": {"id": "OLD", "token": "old", "api_url": "x"}}}))
    assert blind.create("shop")["instance"]["token"] is None


def test_a_token_that_nobody_ever_got_is_warned_of_until_it_is_in_the_file(blind: Fleet) -> None:
    blind.arm("create", "reset", when="after")
    blind.create("shop")
    (instance,) = blind.existing("shop")
    blind.journal_task(action="adopt", provider="plugzapi", name="shop", instance_id=instance["id"])
    for _run in range(2):
        result = blind.create("shop")
        (warning,) = result["warnings"]
        assert f"plugzapi instance shop ({instance['id']})" in warning
        assert "credentials_file" in warning
        assert blind.status("shop") == "created"
    credentials = {"id": instance["id"], "token": instance["token"], "api_url": blind.emulator.url}
    blind.credentials_file.write_text(json.dumps({"plugzapi": {"shop": credentials}}))
    result = blind.create("shop")
    assert result["instance"]["token"] == instance["token"]
    assert result["warnings"] == []
    assert blind.status("shop") == "delivered"


def test_check_mode_asks_the_journal(blind: Fleet) -> None:
    blind.arm("create", "reset", when="before", match='"lost"')
    blind.create("shop", "lost")
    result = blind.create("shop", "lost", "new", check_mode=True)
    assert actions(result) == {"shop": "unchanged", "lost": "unknown", "new": "would_create"}
    assert sorted(blind.posts()) == ["lost", "shop"]


def test_a_listing_that_comes_later_is_believed(blind: Fleet) -> None:
    blind.arm("create", "reset", when="after")
    assert actions(blind.create("shop")) == {"shop": "unknown"}
    blind.emulator.config({"plugzapi.listing": "present"})
    assert actions(blind.create("shop")) == {"shop": "adopted"}
    blind.assert_delivered("shop")


def test_a_new_journal_knows_nothing(blind: Fleet) -> None:
    """A known limit: such a gateway's instances are forgotten with the journal."""
    blind.create("shop")
    shutil.rmtree(blind.journal_file.parent)
    assert actions(blind.create("shop")) == {"shop": "failed"}, "the credentials file still knows it"
    blind.credentials_file.unlink()
    shutil.rmtree(blind.journal_file.parent)
    assert actions(blind.create("shop")) == {"shop": "created"}
    assert len(blind.existing("shop")) == 2
