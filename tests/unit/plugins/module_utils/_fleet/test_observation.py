# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading many instances at once, and waiting until each is in a state that the task waits for."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.observation import (
    Observation,
    Target,
    observe,
    report,
    summarize,
)
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import READ_ONCE, RETURNED, WaitPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Credentials
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.green_api import GreenApi
from ansible_collections.msgops.fleet.tests.support.wire import (
    ANY,
    PATIENCE,
    TOKEN,
    Clock,
    Crowd,
    Wire,
    answering,
    response,
    transport,
)
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

# A state, an HTTP status, or what makes an answer by itself.
Step = "str | int | Callable[[], str | int]"


class Fleet:
    """Serves getStateInstance: each instance's steps one after the other, the last of them for ever."""

    def __init__(self, httpserver: HTTPServer, url: str, **options: Any) -> None:
        self.reads: Counter[str] = Counter()
        self._steps: dict[str, Sequence[Step]] = {}
        self._gateway = GreenApi(transport(url, **options))
        httpserver.expect_request(ANY).respond_with_handler(self._answer)

    def add(self, instance_id: str, *steps: Step, name: str | None = None) -> Target:
        self._steps[instance_id] = steps
        return Target(self._gateway, Credentials(instance_id, TOKEN), name)

    def _answer(self, request: Request) -> Response:
        found = re.match(r"/waInstance(.+?)/getStateInstance/", request.path)
        assert found
        steps = self._steps.get(found[1])
        if steps is None:
            # The request of an earlier test, whose client has given up waiting, can reach the server this late.
            return Response(status=410)
        step = steps[min(self.reads[found[1]], len(steps) - 1)]
        self.reads[found[1]] += 1
        result = step() if callable(step) else step
        if isinstance(result, int):
            return Response(json.dumps({"message": "it failed"}), result, content_type="application/json")
        body = None if result == "null" else {"stateInstance": result}
        return Response(json.dumps(body), content_type="application/json")


@pytest.fixture
def fleet(httpserver: HTTPServer, url: str) -> Fleet:
    return Fleet(httpserver, url)


@pytest.fixture
def gate() -> Any:
    """Opens at the end of a test at the latest, so that no server hangs longer."""
    gate = threading.Event()
    yield gate
    gate.set()


def waiting_for(*states: str, timeout: float = PATIENCE, fail_fast_on: Sequence[str] = ("blocked",)) -> WaitPolicy:
    return WaitPolicy(timeout, 0.01, states, fail_fast_on)


def states(observations: Sequence[Observation]) -> list[str | None]:
    return [observation.state for observation in observations]


# Reading once


def test_each_instance_is_read_once_and_returned_in_the_order_asked(fleet: Fleet) -> None:
    words = ["authorized", "notAuthorized", "starting", "blocked", "yellowCard", "null"]
    targets = [fleet.add(str(number), word) for number, word in enumerate(words)]
    observations = observe(targets, concurrency=3)
    assert states(observations) == [*words[:-1], "creating"]
    assert set(fleet.reads.values()) == {1}


def test_the_order_is_kept_when_the_first_answers_last(fleet: Fleet, gate: threading.Event) -> None:
    def answer_last() -> str:
        gate.wait(PATIENCE)
        return "authorized"

    def answer_first() -> str:
        gate.set()
        return "starting"

    targets = [fleet.add("1", answer_last), fleet.add("2", answer_first)]
    assert states(observe(targets, concurrency=2)) == ["authorized", "starting"]


def test_an_instance_is_returned_with_its_documented_keys(fleet: Fleet) -> None:
    result = observe([fleet.add("1101", "brandNew", name="shop")], concurrency=1)[0].as_result()
    observed_at = result.pop("observed_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", observed_at)
    assert result == {
        "id": "1101",
        "name": "shop",
        "provider": "green_api",
        "state": "unknown",
        "vendor_state": "brandNew",
        "authorized": False,
        "health": "unknown",
        "attempts": 1,
        "error": None,
    }


def test_an_error_of_one_keeps_no_other_from_being_read(fleet: Fleet) -> None:
    targets = [fleet.add("1", "authorized"), fleet.add("2", 403), fleet.add("3", "authorized")]
    observations = observe(targets, concurrency=1)
    assert states(observations) == ["authorized", None, "authorized"]
    result = observations[1].as_result()
    assert (result["state"], result["vendor_state"], result["authorized"], result["health"]) == (
        None,
        None,
        False,
        "unknown",
    )
    assert set(result["error"]) == {"code", "message", "retryable"}
    assert result["error"]["code"] == "forbidden"


def test_attempts_counts_the_requests_that_were_sent(httpserver: HTTPServer, url: str, clock: Clock) -> None:
    fleet = Fleet(httpserver, url, retry_timeout=60.0)
    targets = [fleet.add("1", "authorized"), fleet.add("2", 503, 429, "authorized"), fleet.add("3", 401)]
    observations = observe(targets, concurrency=1)
    assert [o.attempts for o in observations] == [1, 3, 1]
    assert fleet.reads == {"1": 1, "2": 3, "3": 1}


def test_as_many_requests_are_under_way_as_allowed_and_no_more(fleet: Fleet) -> None:
    crowd = Crowd(4)

    def meet() -> str:
        with crowd:
            return "authorized"

    observe([fleet.add(str(number), meet) for number in range(12)], concurrency=4)
    assert (crowd.most, crowd.total) == (4, 12)


# Waiting


def test_only_those_that_lag_are_read_again(fleet: Fleet) -> None:
    targets = [
        fleet.add("1", "authorized", "blocked"),
        fleet.add("2", "null", "starting", "notAuthorized", "authorized"),
        fleet.add("3", "starting", "authorized"),
    ]
    observations = observe(targets, concurrency=2, waiting=waiting_for("authorized"))
    assert states(observations) == ["authorized"] * 3
    assert fleet.reads == {"1": 1, "2": 4, "3": 2}
    assert [o.attempts for o in observations] == [1, 4, 2]


def test_any_of_several_states_will_do(fleet: Fleet) -> None:
    targets = [fleet.add("1", "starting", "notAuthorized"), fleet.add("2", "starting", "authorized")]
    waiting = waiting_for("authorized", "notAuthorized")
    assert states(observe(targets, concurrency=2, waiting=waiting)) == ["notAuthorized", "authorized"]


def test_a_hopeless_state_of_one_ends_the_waiting_for_all_once_each_was_read(fleet: Fleet) -> None:
    targets = [fleet.add("1", "starting"), fleet.add("2", "blocked"), fleet.add("3", "starting")]
    waiting = waiting_for("authorized", timeout=3600)
    observations = observe(targets, concurrency=1, waiting=waiting)
    assert states(observations) == ["starting", "blocked", "starting"]
    result = report(observations, waiting, fail_on_error=True)
    assert result["failed"]
    assert result["msg"].startswith(
        "gave up waiting for 3 instances, as fail_fast_on says: blocked (1): 2; the account is banned"
    )


def test_a_state_that_is_waited_for_is_never_hopeless(fleet: Fleet) -> None:
    waiting = waiting_for("blocked")
    observations = observe([fleet.add("1", "starting", "blocked")], concurrency=1, waiting=waiting)
    assert states(observations) == ["blocked"]
    assert "failed" not in report(observations, waiting, fail_on_error=True)


def test_without_hopeless_states_even_a_blocked_one_is_waited_for(fleet: Fleet) -> None:
    waiting = waiting_for("authorized", fail_fast_on=())
    observations = observe([fleet.add("1", "blocked", "authorized")], concurrency=1, waiting=waiting)
    assert states(observations) == ["authorized"]


@pytest.mark.parametrize("word", ["brandNew", "pendingCode"])
def test_an_unknown_word_is_waited_out(fleet: Fleet, word: str) -> None:
    waiting = waiting_for("authorized")
    assert states(observe([fleet.add("1", word, word, "authorized")], concurrency=1, waiting=waiting)) == ["authorized"]


def test_an_error_that_may_pass_is_waited_out(fleet: Fleet) -> None:
    waiting = waiting_for("authorized")
    observations = observe([fleet.add("1", 503, "starting", 500, "authorized")], concurrency=1, waiting=waiting)
    assert (states(observations), observations[0].error, observations[0].attempts) == (["authorized"], None, 4)


def test_a_new_instance_that_claims_to_be_expired_is_waited_out(httpserver: HTTPServer, url: str) -> None:
    expired = {"message": "Instance account is expired. Renew your instance from personal area"}
    httpserver.expect_ordered_request(ANY).respond_with_json(expired, 400)
    httpserver.expect_ordered_request(ANY).respond_with_json({"stateInstance": "authorized"})
    target = Target(GreenApi(transport(url)), Credentials("1", TOKEN), None)
    assert states(observe([target], concurrency=1, waiting=waiting_for("authorized"))) == ["authorized"]


def test_an_error_that_stays_is_not_waited_for_but_the_others_are(fleet: Fleet) -> None:
    targets = [fleet.add("1", 401), fleet.add("2", "starting", "starting", "authorized")]
    waiting = waiting_for("authorized", timeout=3600)
    observations = observe(targets, concurrency=2, waiting=waiting)
    assert fleet.reads == {"1": 1, "2": 3}
    result = report(observations, waiting, fail_on_error=True)
    assert result["error"]["code"] == "unauthorized"
    assert "failed" not in report(observations, waiting, fail_on_error=False)


# The end of the waiting


def test_a_timeout_names_each_laggard_with_its_last_state(fleet: Fleet) -> None:
    targets = [
        fleet.add("1", "authorized"),
        fleet.add("2", "starting", name="shop"),
        fleet.add("3", 503),
        fleet.add("4", "yellowCard"),
    ]
    waiting = waiting_for("authorized", timeout=0.8)
    result = report(observe(targets, concurrency=4, waiting=waiting), waiting, fail_on_error=True)
    assert result["failed"]
    assert result["msg"].startswith(
        "3 of 4 instances did not become authorized within 0.8 s: "
        "starting (1): shop (2); HTTP 503 (1): 3; yellowCard (1): 4. Reading the state of GREEN-API instance 3 failed: "
    )
    assert "starting: wait" in result["msg"]
    assert "yellowCard: reboot" in result["msg"]
    assert [i["state"] for i in result["instances"]] == ["authorized", "starting", None, "yellowCard"]


def test_a_message_about_unreadable_instances_alone_ends_properly(fleet: Fleet) -> None:
    waiting = waiting_for("authorized", timeout=0.4)
    result = report(observe([fleet.add("1", 503)], concurrency=1, waiting=waiting), waiting, fail_on_error=True)
    assert result["msg"] == (
        "1 of 1 instances did not become authorized within 0.4 s: HTTP 503 (1): 1. "
        "Reading the state of GREEN-API instance 1 failed: HTTP 503: it failed; try again later"
    )


def test_without_time_to_wait_each_is_read_once_and_that_decides(fleet: Fleet) -> None:
    waiting = waiting_for("authorized", timeout=0)
    observations = observe([fleet.add("1", "starting"), fleet.add("2", "authorized")], concurrency=1, waiting=waiting)
    assert fleet.reads == {"1": 1, "2": 1}
    result = report(observations, waiting, fail_on_error=True)
    assert "1 of 2 instances did not become authorized within 0 s: starting (1): 1" in result["msg"]


def test_the_last_state_is_kept_when_the_end_of_the_waiting_cuts_a_read(fleet: Fleet, gate: threading.Event) -> None:
    def hang() -> str:
        gate.wait(PATIENCE)
        return "authorized"

    waiting = waiting_for("authorized", timeout=0.8)
    observations = observe([fleet.add("1", "starting", hang)], concurrency=1, waiting=waiting)
    assert (states(observations), observations[0].error, observations[0].attempts) == (["starting"], None, 2)


def test_an_instance_that_never_answered_is_unreadable_and_its_request_counts(
    fleet: Fleet, gate: threading.Event
) -> None:
    def hang() -> str:
        gate.wait(PATIENCE)
        return "authorized"

    waiting = waiting_for("authorized", timeout=0.4)
    observations = observe([fleet.add("1", hang), fleet.add("2", "authorized")], concurrency=1, waiting=waiting)
    results = [o.as_result() for o in observations]
    assert [r["attempts"] for r in results] == [1, 0]
    for result in results:
        assert (result["state"], result["authorized"], result["error"]["code"]) == (None, False, "timeout")
        assert result["error"]["retryable"]
        assert result["observed_at"]


# Telling


def test_progress_tells_how_far_it_is(fleet: Fleet) -> None:
    told: list[str] = []
    done = threading.Event()

    def progress(line: str) -> None:
        told.append(line)
        if line.startswith("1 of 2 instances are authorized; starting (1): shop (1) ("):
            done.set()

    def finish() -> str:
        return "authorized" if done.is_set() else "starting"

    targets = [fleet.add("1", finish, name="shop"), fleet.add("2", "authorized")]
    observe(targets, concurrency=2, waiting=waiting_for("authorized"), progress=progress, progress_interval=0.02)
    assert re.fullmatch(r".* \(\d+ s elapsed, \d+ s left\)", told[-1])


def test_a_hopeless_state_is_named_at_once_and_the_others_are_waited_for(fleet: Fleet) -> None:
    done = threading.Event()

    def progress(line: str) -> None:
        if line.startswith(
            "0 of 2 instances are authorized; no longer waiting for blocked (1): banned (1); starting (1): shop (2) ("
        ):
            done.set()

    def finish() -> str:
        return "authorized" if done.is_set() else "starting"

    targets = [fleet.add("1", "blocked", name="banned"), fleet.add("2", finish, name="shop")]
    waiting = WaitPolicy(PATIENCE, 0.01, ["authorized"], hopeless=["blocked"])
    found = observe(targets, concurrency=2, waiting=waiting, progress=progress, progress_interval=0.02)
    assert states(found) == ["blocked", "authorized"]
    assert fleet.reads["1"] == 1


@pytest.mark.parametrize("waiting", [READ_ONCE, WaitPolicy(PATIENCE, 0.01, ["authorized"])], ids=["read once", "wait"])
def test_progress_names_the_error_of_a_request_that_is_being_repeated(waiting: WaitPolicy) -> None:
    lines: list[str] = []
    with contextlib.closing(Wire(answering(response(b'{"stateInstance": "authorized"}')), listening=False)) as server:

        def show(line: str) -> None:
            lines.append(line)
            if "refuses" in line:
                server.listen()

        gateway = GreenApi(transport(server.url, retry_timeout=PATIENCE))
        target = Target(gateway, Credentials("1101", TOKEN), "shop")
        (observation,) = observe([target], concurrency=1, waiting=waiting, progress=show, progress_interval=0.02)
    assert observation.state == "authorized"
    reached = "are authorized" if waiting.states else "read"
    shown = next(line for line in lines if "refuses" in line)
    assert shown.startswith(f"0 of 1 instances {reached}; connection (1): shop (1101). Reading the state of ")
    assert re.search(r"127.0.0.1:\d+ refuses the connection; check api_url", shown)


def test_the_summary_counts(fleet: Fleet) -> None:
    steps: list[Step] = ["authorized", "starting", 403, "authorized", "odd"]
    targets = [fleet.add(str(number), step) for number, step in enumerate(steps)]
    assert summarize(observe(targets, concurrency=5)) == {
        "total": 5,
        "authorized": 2,
        "unreadable": 1,
        "by_state": {"authorized": 2, "starting": 1, "unknown": 1},
    }


def test_the_summary_of_nothing_is_zero() -> None:
    assert summarize([]) == {"total": 0, "authorized": 0, "unreadable": 0, "by_state": {}}


def test_a_report_has_the_same_keys_whether_it_fails_or_not(fleet: Fleet) -> None:
    good = report(observe([fleet.add("1", "authorized")], concurrency=1), READ_ONCE, fail_on_error=True)
    bad = report(observe([fleet.add("2", 403)], concurrency=1), READ_ONCE, fail_on_error=True)
    assert set(good) == {"changed", "instances", "summary", "state", "authorized"}
    assert set(bad) == {*good, "failed", "msg", "error"}
    assert (good["changed"], bad["changed"]) == (False, False)
    assert (good["state"], good["authorized"], bad["state"], bad["authorized"]) == ("authorized", True, None, False)


def test_state_and_authorized_are_at_the_top_for_a_single_instance_only(fleet: Fleet) -> None:
    targets = [fleet.add("1", "authorized"), fleet.add("2", "authorized")]
    assert "state" not in report(observe(targets, concurrency=1), READ_ONCE, fail_on_error=True)


def test_an_unreadable_instance_fails_the_task_only_where_it_should(fleet: Fleet) -> None:
    observations = observe([fleet.add("1", 403, name="shop"), fleet.add("2", 404)], concurrency=1)
    assert "failed" not in report(observations, READ_ONCE, fail_on_error=False)
    result = report(observations, READ_ONCE, fail_on_error=True)
    assert result["msg"].startswith("2 of 2 instances could not be read: HTTP 403 (1): shop; HTTP 404 (1): 2. ")
    assert "GREEN-API instance 2" in result["msg"]


def test_what_is_returned_can_be_bounded(fleet: Fleet) -> None:
    waiting = WaitPolicy(0, 0.01, ["authorized"])
    targets = [fleet.add("1", "authorized"), fleet.add("2", "starting"), fleet.add("3", 403)]
    observations = observe(targets, concurrency=1, waiting=waiting)
    results = {kind: report(observations, waiting, fail_on_error=True, returned=kind) for kind in RETURNED}
    ids = {kind: [instance["id"] for instance in result.pop("instances")] for kind, result in results.items()}
    assert ids == {"all": ["1", "2", "3"], "failed": ["2", "3"], "summary": []}
    assert results["all"] == results["failed"] == results["summary"]


def test_no_token_is_in_a_report(fleet: Fleet) -> None:
    observations = observe([fleet.add("1", "authorized"), fleet.add("2", 403)], concurrency=1)
    shown = json.dumps(report(observations, READ_ONCE, fail_on_error=True)) + repr(observations)
    assert "s3cret" not in shown
    assert "t0ken" not in shown


# Instances that check mode would create


def test_an_instance_that_is_not_created_yet_is_neither_read_nor_waited_for(fleet: Fleet) -> None:
    shop, sales = fleet.add("1", "authorized", name="shop"), fleet.add("", name="sales")
    new = Target(sales.gateway, Credentials("", ""), None)
    observations = observe([new, shop, sales], concurrency=2, waiting=waiting_for("authorized"))
    assert fleet.reads == {"1": 1}
    result = report(observations, waiting_for("authorized"), fail_on_error=True)
    assert "failed" not in result
    assert [(row["id"], row["name"], row["state"], row["authorized"]) for row in result["instances"]] == [
        (None, None, None, False),
        ("1", "shop", "authorized", True),
        (None, "sales", None, False),
    ]
    assert result["summary"] == {"total": 3, "authorized": 1, "unreadable": 0, "by_state": {"authorized": 1}}
    assert [target.label for target in (new, shop, sales)] == ["not created yet", "shop (1)", "sales (not created yet)"]
