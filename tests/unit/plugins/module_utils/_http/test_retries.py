# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The retry rule, and the pauses between retries."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import socket
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery, FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import RequestBudget
from ansible_collections.msgops.fleet.tests.support.wire import (
    Clock,
    WireFactory,
    answering,
    parse,
    reading,
    response,
    send,
    transport,
    writing,
)

RETRIED = [408, 429, 499, 500, 502, 503, 504]
FINAL = [304, 400, 401, 403, 404, 405, 466, 501]
ALL_WELL = response({"all": "well"})


@pytest.mark.parametrize("status", RETRIED)
def test_a_read_is_repeated_while_the_failure_may_pass(wire: WireFactory, clock: Clock, status: int) -> None:
    server = wire(answering(response({}, status), response({}, status), ALL_WELL))
    assert send(server.url, reading(), retry_timeout=60) == {"all": "well"}
    assert len(server.received) == 3
    assert len(clock.pauses) == 2


@pytest.mark.parametrize("status", FINAL)
def test_a_read_is_not_repeated_when_the_answer_is_final(wire: WireFactory, clock: Clock, status: int) -> None:
    server = wire(answering(response({}, status)))
    with pytest.raises(FleetError):
        send(server.url, reading(), retry_timeout=60)
    assert len(server.received) == 1


@pytest.mark.parametrize("status", sorted({*RETRIED, *FINAL} - {429}))
def test_a_write_that_was_answered_is_not_repeated(wire: WireFactory, clock: Clock, status: int) -> None:
    server = wire(answering(response({}, status), ALL_WELL))
    with pytest.raises(FleetError) as caught:
        send(server.url, writing(), retry_timeout=60)
    assert caught.value.http_status == status
    assert len(server.received) == 1


def test_a_write_that_was_throttled_is_repeated_as_it_was(wire: WireFactory, clock: Clock) -> None:
    server = wire(answering(response({}, 429), response({}, 429), ALL_WELL))
    assert send(server.url, writing(), retry_timeout=60) == {"all": "well"}
    assert [request.json for request in server.received] == [{"name": "a"}] * 3


def test_a_write_that_was_throttled_first_is_not_repeated_after_it_got_lost(wire: WireFactory, clock: Clock) -> None:
    server = wire(answering(response({}, 429), response({}, 503), ALL_WELL))
    with pytest.raises(FleetError) as caught:
        send(server.url, writing(), retry_timeout=60)
    assert caught.value.delivery is Delivery.UNKNOWN
    assert len(server.received) == 2


def test_a_parse_decides_whether_an_answer_with_200_is_repeated(wire: WireFactory, clock: Clock) -> None:
    def parse_busy(answer: Any) -> Any:
        if answer.body == "busy":
            raise answer.error("throttled", "busy", retryable=True)
        return answer.body

    server = wire(answering(response("busy"), ALL_WELL))
    assert transport(server.url, retry_timeout=60.0).send(reading(), parse_busy) == {"all": "well"}


@pytest.mark.parametrize("request_", [reading(), writing()], ids=["read", "write"])
def test_what_was_refused_a_connection_is_repeated(wire: WireFactory, clock: Clock, request_: Any) -> None:
    server = wire(answering(ALL_WELL), listening=False)
    clock.on_sleep = server.listen
    assert send(server.url, request_, retry_timeout=60) == {"all": "well"}
    assert len(server.received) == 1


@pytest.mark.parametrize("request_", [reading(), writing()], ids=["read", "write"])
def test_a_host_name_that_cannot_be_resolved_now_is_tried_again(
    wire: WireFactory, clock: Clock, monkeypatch: pytest.MonkeyPatch, request_: Any
) -> None:
    server = wire(answering(ALL_WELL))
    resolve, failures = socket.getaddrinfo, [socket.EAI_AGAIN, socket.EAI_NONAME]

    def stumble(host: str, *arguments: Any, **options: Any) -> Any:
        assert host == "gateway.localhost"
        if failures:
            raise socket.gaierror(failures.pop(0), "no such name")
        return resolve("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", stumble)
    assert send(f"http://gateway.localhost:{server.port}", request_, retry_timeout=60) == {"all": "well"}
    assert len(clock.pauses) == 2


def test_nothing_is_repeated_without_a_budget(wire: WireFactory, clock: Clock) -> None:
    server = wire(answering(response({}, 503)))
    with pytest.raises(FleetError):
        send(server.url, reading(), retry_timeout=0)
    assert len(server.received) == 1


def test_the_requests_of_a_call_are_counted(wire: WireFactory, clock: Clock) -> None:
    server = wire(answering(response({}, 503), ALL_WELL))
    budget = RequestBudget()
    api = transport(server.url, retry_timeout=60.0)
    api.send(reading(), parse, budget)
    api.send(reading(), parse, budget)
    assert budget.requests == len(server.received) == 3


# Pauses


@pytest.mark.parametrize("retry_after", [{}, {"Retry-After": "0"}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}])
@pytest.mark.parametrize("status", [503, 429])
def test_pauses_grow_with_jitter_whatever_the_server_asks_for_and_fill_the_budget_but_never_pass_it(
    wire: WireFactory, clock: Clock, status: int, retry_after: dict[str, str]
) -> None:
    server = wire(answering(response({}, status, retry_after)))
    with pytest.raises(FleetError):
        send(server.url, reading(), retry_timeout=60)
    assert len(server.received) == len(clock.pauses) + 1
    for index, pause in enumerate(clock.pauses):
        shortest = min(10.0, 2.0**index)
        assert shortest <= pause <= 1.25 * shortest
    assert 60 - 12.5 < sum(clock.pauses) <= 60


def test_pauses_of_several_callers_differ(wire: WireFactory, clock: Clock) -> None:
    server = wire(answering(response({}, 503)))
    for _caller in range(5):
        with pytest.raises(FleetError):
            send(server.url, reading(), retry_timeout=2)
    assert len(set(clock.pauses)) == 5


def test_pauses_stay_the_longest_however_often_they_were_made(wire: WireFactory, clock: Clock) -> None:
    # So many attempts that 2.0 to the power of their number would overflow.
    server = wire(answering(*[response({}, 503, {"Retry-After": "0"})] * 1100, response({}, 503), ALL_WELL))
    assert send(server.url, reading(), retry_timeout=1_000_000) == {"all": "well"}
    assert 10 <= clock.pauses[-1] <= 12.5


def test_retries_end_at_the_callers_deadline(wire: WireFactory, clock: Clock) -> None:
    server = wire(answering(response({}, 503)))
    with pytest.raises(FleetError):
        send(server.url, reading(), RequestBudget(clock.now + 2), retry_timeout=60)
    assert 0 < sum(clock.pauses) <= 2


# Retry-After


@pytest.mark.parametrize("request_", [reading(), writing()], ids=["read", "write"])
def test_the_pause_is_as_long_as_retry_after_says_in_seconds(wire: WireFactory, clock: Clock, request_: Any) -> None:
    server = wire(answering(response({}, 429, {"Retry-After": "17"}), ALL_WELL))
    assert send(server.url, request_, retry_timeout=60) == {"all": "well"}
    assert 17 <= clock.pauses[0] <= 17.25


def test_the_pause_is_as_long_as_retry_after_says_by_a_date(wire: WireFactory, clock: Clock) -> None:
    date = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    answer = response({}, 503, {"Retry-After": email.utils.format_datetime(date, usegmt=True)})
    server = wire(answering(answer, ALL_WELL))
    assert send(server.url, reading(), retry_timeout=7200) == {"all": "well"}
    assert 3000 < clock.pauses[0] <= 3600.25


@pytest.mark.parametrize("seconds", ["61", "86400", "9" * 400])
@pytest.mark.parametrize("request_", [reading(), writing()], ids=["read", "write"])
def test_a_retry_after_beyond_the_budget_fails_at_once(
    wire: WireFactory, clock: Clock, request_: Any, seconds: str
) -> None:
    server = wire(answering(response({}, 429, {"Retry-After": seconds}), ALL_WELL))
    with pytest.raises(FleetError) as caught:
        send(server.url, request_, retry_timeout=60)
    assert (caught.value.code, caught.value.retryable) == ("throttled", True)
    assert "retry_timeout" in caught.value.message
    assert len(server.received) == 1
    assert clock.pauses == []


@pytest.mark.parametrize(
    "nonsense",
    [
        *("soon", "-5", "1.5", "", "\uff11\uff17"),
        *(f"Fri, 31 Dec {year} 23:59:59 GMT" for year in ("99999", "9" * 20, "9" * 5000)),
        f"Fri, 31 Dec 2027 23:59:59 +{'9' * 20}",
    ],
)
def test_a_retry_after_that_says_nothing_is_ignored(wire: WireFactory, clock: Clock, nonsense: str) -> None:
    header = {"Retry-After": nonsense.encode().decode("latin-1")}
    server = wire(answering(response({}, 429, header), ALL_WELL))
    assert send(server.url, reading(), retry_timeout=60) == {"all": "well"}
    assert 1 <= clock.pauses[0] <= 1.25


# A host that can't be reached


def test_only_the_first_caller_waits_for_a_host_that_refuses_connections(wire: WireFactory, clock: Clock) -> None:
    server = wire(answering(ALL_WELL), listening=False)
    assert _requests_of_three_calls(server.url, timeout=5.0) == [pytest.approx(8, abs=2), 1, 1]


def test_only_the_first_caller_waits_for_a_host_that_does_not_answer_connections(deaf_url: str, clock: Clock) -> None:
    assert _requests_of_three_calls(deaf_url, timeout=0.02) == [pytest.approx(8, abs=2), 1, 1]


def _requests_of_three_calls(url: str, timeout: float) -> list[int]:
    api = transport(url, retry_timeout=60.0, timeout=timeout)
    budgets = [RequestBudget(), RequestBudget(), RequestBudget()]
    for budget in budgets:
        with pytest.raises(FleetError) as caught:
            api.send(reading(), parse, budget)
        assert caught.value.delivery is Delivery.NOT_SENT
        assert caught.value.retryable
    return [budget.requests for budget in budgets]


@pytest.mark.parametrize("status", [200, 404])
def test_a_host_that_is_back_is_waited_for_again(wire: WireFactory, clock: Clock, status: int) -> None:
    def answer_once(peer: Any) -> None:
        peer.read_request()
        peer.send(response({}, status, {"Connection": "close"}))

    server = wire(answer_once, listening=False)
    api = transport(server.url, retry_timeout=60.0)
    with pytest.raises(FleetError):
        api.send(reading(), parse)
    server.listen()
    with contextlib.suppress(FleetError):
        api.send(reading(), parse)
    server.close()
    budget = RequestBudget()
    with pytest.raises(FleetError):
        api.send(reading(), parse, budget)
    assert budget.requests > 1
