# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New tokens: each is requested once, found again where its answer was lost, delivered, and proved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import ListingPolicy
from ansible_collections.msgops.fleet.tests.storm.runs import Child, Result, Run, in_parallel
from ansible_collections.msgops.fleet.tests.support.creation import actions
from ansible_collections.msgops.fleet.tests.support.linking import Sitting, errors, strings_in

ROUTE = "green_api.update_token"
TIMES = {
    "listing_policy": ListingPolicy(timeout=0.5, first_pause=0.05, max_pause=0.1),
    "proof_timeout": 0.5,
    "proof_interval": 0.05,
}


@pytest.fixture
def credentials(sitting: Sitting) -> Path:
    return sitting.folder / "credentials.json"


def task(sitting: Sitting, instances: list[dict[str, Any]], **options: Any) -> Run:
    given = {
        "partner_token": sitting.emulator.account("green_api")["partner_token"],
        "credentials_file": str(sitting.folder / "credentials.json"),
        "journal": str(sitting.journal),
        "wait_interval": None,
        "times": TIMES,
    }
    return sitting.run("instance_token", instances, **{**given, **options})


def renew(sitting: Sitting, instances: list[dict[str, Any]], **options: Any) -> Result:
    return task(sitting, instances, **options)()


def token_now(sitting: Sitting, item: dict[str, Any]) -> str:
    return str(sitting.emulator.instance("green_api", item["id"])["token"])


def written(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())["green_api"]
    return content


def sent(sitting: Sitting) -> int:
    return len(sitting.emulator.log(route=ROUTE))


def test_a_new_token_is_made_proved_and_written(sitting: Sitting, credentials: Path) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    result = renew(sitting, [shop], diff=True)
    assert not result.get("failed"), result["msg"]
    assert (result["changed"], actions(result)) == (True, {"shop": "rotated"})
    new = token_now(sitting, shop)
    assert new != shop["token"]
    assert written(credentials)["shop"] == {"id": shop["id"], "token": new, "api_url": sitting.emulator.url}
    assert sent(sitting) == 1
    last = sitting.emulator.log(route="green_api.get_state")[-1]
    assert (last["path"].rpartition("/")[2], last["status"]) == (new, 200)
    assert new not in json.dumps(result["diff"])
    assert result["diff"]["before"] != result["diff"]["after"]


def test_a_new_token_in_the_result(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    result = renew(sitting, [shop], credentials_file=None, no_log=True)
    assert result["instances"][0]["token"] == token_now(sitting, shop)


def test_no_token_shows_where_ansible_would_print_it(sitting: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "ansible_collections.msgops.fleet.plugins.module_utils._common.masking._register_secret"
    monkeypatch.setattr(module, None)
    (shop,) = sitting.seed("green_api", "shop")
    result = renew(sitting, [shop])
    shown = set(strings_in(result))
    assert result["instances"][0]["token"] is None
    assert not any(token in text for text in shown for token in (shop["token"], token_now(sitting, shop)))


def test_without_a_safe_way_nothing_is_sent(sitting: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "ansible_collections.msgops.fleet.plugins.module_utils._common.masking._register_secret"
    monkeypatch.setattr(module, None)
    (shop,) = sitting.seed("green_api", "shop")
    for check_mode in (True, False):
        result = renew(sitting, [shop], credentials_file=None, check_mode=check_mode)
        assert actions(result) == {"shop": "failed"}
        assert "no safe way" in result["msg"]
    assert sent(sitting) == 0


def test_check_mode_sends_nothing(sitting: Sitting, credentials: Path) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    result = renew(sitting, [shop], check_mode=True)
    assert (result["changed"], actions(result)) == (True, {"shop": "would_rotate"})
    assert sitting.emulator.log(writes=True) == []
    assert not credentials.exists()
    assert not sitting.journal.exists()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_is_reconciled_by_the_listing(sitting: Sitting, credentials: Path, when: str) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    sitting.emulator.arm(ROUTE, "reset", when=when)
    result = renew(sitting, [shop])
    assert sent(sitting) == 1
    if when == "after":
        assert actions(result) == {"shop": "rotated"}
        assert written(credentials)["shop"]["token"] == token_now(sitting, shop) != shop["token"]
    else:
        assert actions(result) == {"shop": "unknown"}
        assert "run the task again" in errors(result)["shop"]
        assert token_now(sitting, shop) == shop["token"]


def test_the_next_task_finds_what_the_listing_shows_late(sitting: Sitting, credentials: Path) -> None:
    sitting.emulator.freeze()
    sitting.emulator.config({"green_api.token_listing_lag_seconds": 60, "green_api.old_token_seconds": 3600})
    (shop,) = sitting.seed("green_api", "shop")
    sitting.emulator.arm(ROUTE, "garbage")
    first = renew(sitting, [shop])
    assert actions(first) == {"shop": "unknown"}
    assert first["error"]["code"] == "outcome_unknown"
    sitting.emulator.advance(60)
    # The old token still works, but the listing shows another one.
    second = renew(sitting, [shop])
    assert (actions(second), second["changed"]) == ({"shop": "rotated"}, True)
    assert written(credentials)["shop"]["token"] == token_now(sitting, shop)
    assert sent(sitting) == 1


def test_a_token_is_renewed_with_the_one_that_works(sitting: Sitting, credentials: Path) -> None:
    """The task gives a token from before the last renewal."""
    (shop,) = sitting.seed("green_api", "shop")
    assert actions(renew(sitting, [shop])) == {"shop": "rotated"}
    assert actions(renew(sitting, [shop])) == {"shop": "rotated"}
    assert sent(sitting) == 2
    assert written(credentials)["shop"]["token"] == token_now(sitting, shop)


def test_the_given_token_works_and_the_listing_lags_behind(sitting: Sitting, credentials: Path) -> None:
    sitting.emulator.config({"green_api.token_listing_lag_seconds": 3600})
    (shop,) = sitting.seed("green_api", "shop")
    assert actions(renew(sitting, [shop])) == {"shop": "rotated"}
    shop["token"] = written(credentials)["shop"]["token"]
    assert actions(renew(sitting, [shop])) == {"shop": "rotated"}
    assert written(credentials)["shop"]["token"] == token_now(sitting, shop)


def test_a_young_token_stays_and_is_delivered(sitting: Sitting, credentials: Path) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    assert actions(renew(sitting, [shop])) == {"shop": "rotated"}
    credentials.unlink()
    result = renew(sitting, [shop], max_age_days=1)
    assert (result["changed"], actions(result)) == (False, {"shop": "unchanged"})
    assert written(credentials)["shop"]["token"] == token_now(sitting, shop)
    assert sent(sitting) == 1
    assert actions(renew(sitting, [shop], max_age_days=0)) == {"shop": "rotated"}


def test_a_token_is_not_older_than_its_instance(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    result = renew(sitting, [shop], max_age_days=1)
    assert actions(result) == {"shop": "unchanged"}
    assert result["instances"][0]["token"] is None
    assert sent(sitting) == 0


def test_a_plan_beyond_the_limit(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "shop", "support")
    result = renew(sitting, fleet)
    assert "max_changes is 1" in result["msg"]
    assert sent(sitting) == 0
    assert actions(renew(sitting, fleet, max_changes="100%")) == {"shop": "rotated", "support": "rotated"}


def test_one_that_cannot_be_read_keeps_its_token(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "shop", "support", "gone")
    sitting.emulator.set_state("green_api", fleet[2]["id"], "deleted")
    sitting.emulator.arm("green_api.get_state", "status", match=fleet[1]["id"], count=None, status=503)
    result = renew(sitting, fleet, max_changes="3")
    assert actions(result) == {"shop": "rotated", "support": "failed", "gone": "failed"}
    assert "doesn't have it" in errors(result)["gone"]
    assert token_now(sitting, fleet[1]) == fleet[1]["token"]


@pytest.mark.parametrize("body", [{"code": 401, "description": "Unauthorized"}])
def test_a_refusal_with_http_200(sitting: Sitting, body: Any) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    sitting.emulator.arm(ROUTE, "status", status=200, body=body)
    result = renew(sitting, [shop])
    assert (result["changed"], actions(result)) == (False, {"shop": "failed"})
    assert result["error"]["code"] == "unauthorized"


def test_a_new_token_that_takes_its_time(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.new_token_lag_seconds": 5, "server.step_seconds": 1})
    (shop,) = sitting.seed("green_api", "shop")
    assert actions(renew(sitting, [shop], times={**TIMES, "proof_timeout": 60})) == {"shop": "rotated"}


def test_a_new_token_that_does_not_work(sitting: Sitting, credentials: Path) -> None:
    sitting.emulator.freeze()
    sitting.emulator.config({"green_api.new_token_lag_seconds": 60})
    (shop,) = sitting.seed("green_api", "shop")
    result = renew(sitting, [shop])
    assert actions(result) == {"shop": "unknown"}
    assert "was delivered, but doesn't work" in result["msg"]
    assert written(credentials)["shop"]["token"] == token_now(sitting, shop)
    sitting.emulator.advance(60)
    assert actions(renew(sitting, [shop])) == {"shop": "rotated"}
    assert sent(sitting) == 1


def test_an_entry_of_another_instance_is_never_overwritten(sitting: Sitting, credentials: Path) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    content = {"green_api": {"shop": {"id": "7", "token": "other", "api_url": sitting.emulator.url}}}
    credentials.write_text(json.dumps(content))
    result = renew(sitting, [shop])
    assert "never overwritten" in result["msg"]
    assert sent(sitting) == 0
    assert json.loads(credentials.read_text()) == content


def test_the_other_gateway_has_no_such_call(sitting: Sitting) -> None:
    result = renew(sitting, sitting.seed("plugzapi", "loja"))
    assert "plugzapi has no call for new tokens, only green_api has one" in result["msg"]
    assert sitting.emulator.log() == []


def test_a_task_that_is_killed_loses_no_token(sitting: Sitting, credentials: Path) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    sitting.emulator.arm(ROUTE, "hang", when="after")
    child = Child(task(sitting, [shop], timeout=60))
    while token_now(sitting, shop) == shop["token"]:
        assert not child.ends_within(0.05)
    child.kill()
    assert actions(renew(sitting, [shop])) == {"shop": "rotated"}
    assert written(credentials)["shop"]["token"] == token_now(sitting, shop)
    assert sent(sitting) == 1


def test_two_tasks_at_once_leave_the_last_token_in_the_file(sitting: Sitting, credentials: Path) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    results = in_parallel(task(sitting, [shop]), task(sitting, [shop]))
    assert [actions(result) for result in results] == [{"shop": "rotated"}] * 2
    assert written(credentials)["shop"]["token"] == token_now(sitting, shop)
