# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading many phones in few requests, and waiting until each has a status that the task waits for."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.phones import (
    Phone,
    PhonesQuery,
    read_phones,
    report,
    summarize,
)
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import RETURNED, WaitPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone import Koophone
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_auth import GivenToken
from ansible_collections.msgops.fleet.plugins.modules import cloudphone_status
from ansible_collections.msgops.fleet.tests.support.wire import (
    ANY,
    PATIENCE,
    TOKEN,
    Crowd,
    make_context,
    transport,
    validated_params,
)
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

STOPPED, RUNNING, STARTING = 1, 2, 4

# A status, or what makes one; ``None`` leaves the phone out of the answer.
Step = "int | str | Callable[[], int | None] | None"


class Cloud:
    """Serves batch-query-status: each phone's steps one after the other, the last of them for ever.

    A batch with an ID of ``refused`` is refused with its code, as a whole.
    """

    def __init__(self, httpserver: HTTPServer, url: str, **options: Any) -> None:
        self.batches: list[list[str]] = []
        self.refused: dict[str, tuple[int, str]] = {}
        self.koophone = Koophone(transport(url, **options), GivenToken(TOKEN))
        self._steps: dict[str, Sequence[Step]] = {}
        self._reads: dict[str, int] = {}
        self._lock = threading.Lock()
        httpserver.expect_request(ANY).respond_with_handler(self._answer)

    def add(self, instance_id: str, *steps: Step) -> str:
        self._steps[instance_id] = steps
        return instance_id

    def read(self, *instance_ids: str, concurrency: int = 4, **query: Any) -> tuple[list[Phone], int]:
        return read_phones(self.koophone, PhonesQuery(instance_ids, **query), concurrency=concurrency)

    def wait(self, *instance_ids: str, until: str = "running", timeout: float = PATIENCE) -> tuple[list[Phone], int]:
        return self.read(*instance_ids, waiting=WaitPolicy(timeout, 0.01, [until]))

    def _answer(self, request: Request) -> Response:
        ids: list[str] = (request.json or {})["instance_ids"]
        with self._lock:
            self.batches.append(ids)
        for instance_id in ids:
            if instance_id in self.refused:
                status, code = self.refused[instance_id]
                return _json({"error_code": code, "error_msg": "No."}, status)
        statuses = {instance_id: self._status(instance_id) for instance_id in ids}
        results = [{"instance_id": i, "status": status} for i, status in statuses.items() if status is not None]
        return _json({"error_code": "0", "error_msg": "ok", "data": {"status_results": results}})

    def _status(self, instance_id: str) -> object:
        steps = self._steps[instance_id]
        with self._lock:
            read = self._reads.get(instance_id, 0)
            self._reads[instance_id] = read + 1
        step = steps[min(read, len(steps) - 1)]
        return step() if callable(step) else step


def _json(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


@pytest.fixture
def cloud(httpserver: HTTPServer, url: str) -> Cloud:
    return Cloud(httpserver, url)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opens at the end of a test at the latest, so that no server hangs longer."""
    gate = threading.Event()
    yield gate
    gate.set()


def names(phones: Sequence[Phone]) -> list[str | None]:
    return [phone.state for phone in phones]


def many(cloud: Cloud, count: int, status: int = RUNNING) -> list[str]:
    return [cloud.add(f"p{number:03}", status) for number in range(count)]


# Reading once


def test_phones_are_returned_in_the_order_asked(cloud: Cloud) -> None:
    ids = [cloud.add(f"p{n}", n) for n in (5, 0, 3, 1, 2, 4)]
    phones, requests = cloud.read(*ids)
    assert [phone.instance_id for phone in phones] == ids
    assert names(phones) == ["shut_down", "unknown", "offline", "stopped", "running", "starting"]
    assert requests == 1


@pytest.mark.parametrize(("count", "size", "batches"), [(1, 32, 1), (32, 32, 1), (33, 32, 2), (7, 3, 3), (100, 100, 1)])
def test_a_batch_is_as_large_as_allowed(cloud: Cloud, count: int, size: int, batches: int) -> None:
    ids = many(cloud, count)
    phones, requests = cloud.read(*ids, batch_size=size)
    assert [phone.instance_id for phone in phones] == ids
    assert requests == len(cloud.batches) == batches
    assert max(map(len, cloud.batches)) <= size
    assert sorted(instance_id for batch in cloud.batches for instance_id in batch) == ids


def test_the_default_is_the_smaller_limit_and_the_larger_one_is_the_most() -> None:
    assert validated_params(cloudphone_status.ARGUMENTS, instance_ids=["a"])["batch_size"] == 32
    for size in (0, 101):
        with pytest.raises(UsageError, match="batch_size must be between 1 and 100"):
            PhonesQuery(["a"], batch_size=size)


def test_a_phone_that_the_answer_leaves_out_is_missing(cloud: Cloud) -> None:
    phones, _requests = cloud.read(cloud.add("a", RUNNING), cloud.add("b", None))
    assert names(phones) == ["running", "missing"]
    assert phones[1].as_result() == {"instance_id": "b", "status": None, "status_name": "missing", "error": None}


def test_a_phone_that_was_not_asked_for_is_left_out(httpserver: HTTPServer, url: str) -> None:
    results = [{"instance_id": "a", "status": 2}, {"instance_id": "z", "status": 2}]
    httpserver.expect_request(ANY).respond_with_json({"status_results": results})
    phones, _requests = read_phones(Koophone(transport(url), GivenToken(TOKEN)), PhonesQuery(["a"]), concurrency=1)
    assert [phone.instance_id for phone in phones] == ["a"]


def test_a_status_that_is_no_integer_is_an_error_of_that_phone(cloud: Cloud) -> None:
    phones, _requests = cloud.read(cloud.add("a", "two"), cloud.add("b", RUNNING))
    result = phones[0].as_result()
    assert (result["status"], result["status_name"], result["error"]["code"]) == (None, None, "bad_answer")
    assert "phone a" in result["error"]["message"]
    assert names(phones)[1] == "running"


def test_a_batch_that_fails_keeps_no_other_from_being_read(cloud: Cloud) -> None:
    ids = many(cloud, 6)
    cloud.refused["p002"] = (500, "KOOPHONE.API.9999")
    phones, requests = cloud.read(*ids, batch_size=2)
    assert names(phones) == ["running", "running", None, None, "running", "running"]
    assert {phone.error.code for phone in phones if phone.error} == {"unavailable"}
    assert requests == 3


def test_as_many_requests_are_under_way_as_allowed_and_no_more(cloud: Cloud) -> None:
    crowd, alone = Crowd(3), iter([True])

    def meet() -> int:
        # The first one goes alone, to find out whether the credentials are accepted.
        if not next(alone, False):
            with crowd:
                pass
        return RUNNING

    ids = [cloud.add(f"p{number}", meet) for number in range(10)]
    cloud.read(*ids, batch_size=1, concurrency=3)
    assert (crowd.most, crowd.total) == (3, 9)


def test_no_phone_is_no_request(cloud: Cloud) -> None:
    assert cloud.read() == ([], 0)


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_id_is_an_error_before_any_request(empty: str) -> None:
    with pytest.raises(UsageError, match="instance_ids holds an empty ID"):
        PhonesQuery(["a", empty])


# Halving


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
@pytest.mark.parametrize("code", ["KOOPHONE.API.1001", "KooPhone.API.1002", "KOOPHONE.API.1012", "koophone.api.4001"])
def test_a_batch_that_is_refused_because_of_one_id_is_halved_until_it_is_found(
    cloud: Cloud, code: str, status: int
) -> None:
    ids = many(cloud, 8)
    cloud.refused["p005"] = (status, code)
    phones, requests = cloud.read(*ids)
    assert names(phones) == ["running"] * 5 + [None] + ["running"] * 2
    assert phones[5].error
    assert "phone p005" in phones[5].error.message
    # The whole, and at each of three levels both halves.
    assert requests == len(cloud.batches) == 1 + 3 * 2


def test_several_bad_ids_are_found(cloud: Cloud) -> None:
    ids = many(cloud, 7)
    for bad in ("p000", "p006"):
        cloud.refused[bad] = (200, "KOOPHONE.API.4001")
    phones, _requests = cloud.read(*ids)
    assert [phone.instance_id for phone in phones if phone.error] == ["p000", "p006"]
    assert names(phones).count("running") == 5


def test_bad_ids_alone_are_asked_for_less_than_twice_each(cloud: Cloud) -> None:
    ids = many(cloud, 8)
    cloud.refused.update(dict.fromkeys(ids, (200, "KOOPHONE.API.4001")))
    phones, requests = cloud.read(*ids)
    assert names(phones) == [None] * 8
    assert requests == 2 * 8 - 1


@pytest.mark.parametrize(
    "code", ["KOOPHONE.API.1004", "KOOPHONE.API.0000", "KOOPHONE.API.1000", "APIG.0301", "APIG.0308", "KPAPI.2209"]
)
def test_a_batch_that_is_refused_for_another_reason_is_not_halved(cloud: Cloud, code: str) -> None:
    ids = many(cloud, 8)
    cloud.refused["p005"] = (400, code)
    phones, requests = cloud.read(*ids)
    assert names(phones) == [None] * 8
    assert requests == 1


def test_a_single_phone_is_never_halved(cloud: Cloud) -> None:
    cloud.refused[cloud.add("a", RUNNING)] = (200, "KOOPHONE.API.4001")
    assert cloud.read("a")[1] == 1


def test_refused_credentials_are_shown_to_the_vendor_once_however_many_batches_there_are(cloud: Cloud) -> None:
    ids = many(cloud, 8)
    cloud.refused.update(dict.fromkeys(ids, (401, "APIG.0301")))
    phones, requests = cloud.read(*ids, batch_size=1, concurrency=8)
    assert {phone.error.code for phone in phones if phone.error} == {"unauthorized"}
    assert requests == len(cloud.batches) == 1


def test_batches_do_not_wait_for_one_another_while_the_vendor_is_down(cloud: Cloud) -> None:
    crowd = Crowd(3)

    def meet() -> int:
        with crowd:
            return RUNNING

    cloud.refused[cloud.add("first", RUNNING)] = (503, "KOOPHONE.API.9999")
    cloud.read("first")
    cloud.read(*[cloud.add(f"p{number}", meet) for number in range(3)], batch_size=1, concurrency=3)
    assert crowd.most == 3


# Waiting


def test_only_those_that_lag_are_asked_for_again(cloud: Cloud) -> None:
    ids = [cloud.add("a", RUNNING), cloud.add("b", STOPPED, STARTING, RUNNING), cloud.add("c", STARTING, RUNNING)]
    phones, requests = cloud.wait(*ids)
    assert names(phones) == ["running"] * 3
    assert cloud.batches == [["a", "b", "c"], ["b", "c"], ["b"]]
    assert requests == 3


def test_a_missing_phone_is_waited_for(cloud: Cloud) -> None:
    phones, _requests = cloud.wait(cloud.add("a", None, None, RUNNING))
    assert names(phones) == ["running"]


def test_a_phone_may_be_waited_for_until_it_is_missing(cloud: Cloud) -> None:
    phones, _requests = cloud.wait(cloud.add("a", RUNNING, None), until="missing")
    assert names(phones) == ["missing"]


def test_an_id_that_is_refused_is_not_waited_for(cloud: Cloud) -> None:
    ids = [cloud.add("a", STOPPED, RUNNING), cloud.add("b", STOPPED)]
    cloud.refused["b"] = (400, "KOOPHONE.API.4001")
    phones, _requests = cloud.wait(*ids)
    assert names(phones) == ["running", None]
    assert cloud.batches == [["a", "b"], ["a"], ["b"], ["a"]]


def test_an_error_that_may_pass_is_waited_out(cloud: Cloud) -> None:
    cloud.refused["a"] = (500, "KOOPHONE.API.9999")

    def heal() -> int:
        return RUNNING

    cloud.add("a", heal)
    healer = threading.Timer(0.1, cloud.refused.clear)
    healer.start()
    phones, _requests = cloud.wait("a")
    healer.join()
    assert names(phones) == ["running"]


def test_without_time_to_wait_each_is_read_once_and_that_decides(cloud: Cloud) -> None:
    query = PhonesQuery([cloud.add("a", STOPPED)], waiting=WaitPolicy(0, 0.01, ["running"]))
    phones, requests = read_phones(cloud.koophone, query, concurrency=1)
    assert requests == 1
    result = report(phones, query, fail_on_error=True)
    assert result["msg"] == "1 of 1 phones did not become running within 0 s: stopped (1): a"


def test_a_timeout_names_each_laggard_with_its_last_status(cloud: Cloud) -> None:
    ids = [cloud.add("a", RUNNING), cloud.add("b", STARTING), cloud.add("c", None), cloud.add("d", 9)]
    query = PhonesQuery(ids, waiting=WaitPolicy(0.5, 0.01, ["running", "offline"]))
    phones, _requests = read_phones(cloud.koophone, query, concurrency=1)
    result = report(phones, query, fail_on_error=True)
    assert result["msg"] == (
        "3 of 4 phones did not become running or offline within 0.5 s: starting (1): b; missing (1): c; other (1): d"
    )


def test_the_last_status_is_kept_when_the_end_of_the_waiting_cuts_a_read(cloud: Cloud, gate: threading.Event) -> None:
    def hang() -> int:
        gate.wait(PATIENCE)
        return RUNNING

    phones, requests = cloud.wait(cloud.add("a", STARTING, hang), timeout=0.8)
    assert (names(phones), phones[0].error, requests) == (["starting"], None, 2)


def test_a_phone_that_never_answered_is_unreadable(cloud: Cloud, gate: threading.Event) -> None:
    def hang() -> int:
        gate.wait(PATIENCE)
        return RUNNING

    phones, requests = cloud.wait(cloud.add("a", hang), timeout=0.4)
    assert phones[0].error
    assert (phones[0].error.code, phones[0].error.retryable, requests) == ("timeout", True, 1)


# Telling


def test_the_summary_counts(cloud: Cloud) -> None:
    ids = [cloud.add("a", RUNNING), cloud.add("b", 9), cloud.add("c", None), cloud.add("d", "x"), cloud.add("e", 7)]
    assert summarize(cloud.read(*ids)[0]) == {
        "total": 5,
        "by_status": {"missing": 1, "other": 2, "running": 1},
        "missing": 1,
        "unreadable": 1,
    }


def run(url: str, ids: Collection[str], **options: Any) -> dict[str, Any]:
    return cloudphone_status.run(
        make_context(cloudphone_status.ARGUMENTS, endpoint=url, auth_token=TOKEN, instance_ids=ids, **options)
    )


def test_an_id_that_occurs_twice_is_asked_for_and_returned_once_at_its_first_place(cloud: Cloud, url: str) -> None:
    ids = [cloud.add("b", RUNNING), cloud.add("a", STOPPED), "b", "a", "b"]
    result = run(url, ids)
    assert [phone["instance_id"] for phone in result["phones"]] == ["b", "a"]
    assert cloud.batches == [["b", "a"]]
    assert result["requests"] == 1


def test_a_missing_phone_does_not_fail_the_task(cloud: Cloud, url: str) -> None:
    result = run(url, [cloud.add("a", None), cloud.add("b", RUNNING)])
    assert "failed" not in result
    assert (result["changed"], result["missing"]) == (False, ["a"])


def test_an_unreadable_phone_fails_the_task_only_where_it_should(cloud: Cloud, url: str) -> None:
    cloud.refused[cloud.add("a", RUNNING)] = (200, "KOOPHONE.API.4001")
    failed = run(url, ["a"])
    assert (failed["failed"], failed["error"]["code"]) == (True, "not_found")
    passed = run(url, ["a"], fail_on_error=False)
    assert "failed" not in passed
    assert passed["phones"][0]["error"]["code"] == "not_found"
    assert {*passed, "failed", "msg", "error"} == set(failed)


def test_how_long_was_waited_is_told_where_the_task_waits(cloud: Cloud, url: str) -> None:
    cloud.add("a", RUNNING)
    assert "waited" not in run(url, ["a"])
    assert run(url, ["a"], wait_for=["running"])["waited"] >= 0


def test_what_is_returned_can_be_bounded(cloud: Cloud) -> None:
    ids = [cloud.add("a", RUNNING), cloud.add("b", STOPPED), cloud.add("c", None), cloud.add("d", RUNNING)]
    cloud.refused["d"] = (400, "KOOPHONE.API.4001")
    query = PhonesQuery(ids, waiting=WaitPolicy(0, 0.01, ["running"]))
    phones, _requests = read_phones(cloud.koophone, query, concurrency=1)
    results = {kind: report(phones, query, fail_on_error=True, returned=kind) for kind in RETURNED}
    shown = {kind: [phone["instance_id"] for phone in result["phones"]] for kind, result in results.items()}
    assert shown == {"all": ["a", "b", "c", "d"], "failed": ["b", "c", "d"], "summary": []}
    assert [results[kind]["missing"] for kind in shown] == [["c"], ["c"], []]
    assert results["all"]["summary"] == results["failed"]["summary"] == results["summary"]["summary"]
