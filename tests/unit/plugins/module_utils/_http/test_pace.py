# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that throttles is asked less."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery, FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._http.pace import Pace
from ansible_collections.msgops.fleet.plugins.module_utils._http.retries import Backoff
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import Transport
from ansible_collections.msgops.fleet.tests.support.wire import Clock, parse, reading, transport, writing

from msgops_emulator import Emulator

FOREVER = float("inf")


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(16, 60.0, Backoff())


def take_turns(pace: Pace) -> Iterator[float]:
    """Take turns until the next one would be later."""
    while (turn := pace.wait_for_turn(float("-inf"))) is not None:
        yield turn


def take_turn(pace: Pace) -> float:
    """Wait for a turn."""
    turn = pace.wait_for_turn(FOREVER)
    assert turn is not None
    return turn


def test_a_gateway_that_answers_is_asked_as_much_at_once_as_the_task_may(pace: Pace) -> None:
    assert len(list(take_turns(pace))) == 16


def test_each_round_of_throttled_requests_halves_the_next_one_and_lengthens_the_pause(pace: Pace, clock: Clock) -> None:
    taken = list(take_turns(pace))
    rounds: list[int] = []
    while len(rounds) < 7:
        rounds.append(len(taken))
        for turn in taken:
            pace.end_turn(turn, throttled=True)
        taken = [take_turn(pace), *take_turns(pace)]
    assert rounds == [16, 8, 4, 2, 1, 1, 1]
    assert clock.pauses == [1, 2, 4, 8, 10, 10, 10]


def test_an_instance_that_is_throttled_alone_makes_nobody_wait(pace: Pace, clock: Clock) -> None:
    for throttled in [True, False] * 50:
        pace.end_turn(take_turn(pace), throttled=throttled)
    assert clock.pauses == []


def test_each_answer_allows_one_more_request_at_once_again(pace: Pace, clock: Clock) -> None:
    for turn in list(take_turns(pace)):
        pace.end_turn(turn, throttled=True)
    clock.now += 1
    sizes: list[int] = []
    for _answer in range(10):
        taken = list(take_turns(pace))
        sizes.append(len(taken))
        pace.end_turn(taken[0], throttled=False)
        for turn in taken[1:]:
            pace.end_turn(turn, throttled=None)
    assert sizes == [8, 9, 10, 11, 12, 13, 14, 15, 16, 16]


def test_who_would_have_to_wait_gives_up_once_a_gateway_has_throttled_for_as_long_as_retries_take(
    pace: Pace, clock: Clock
) -> None:
    started = clock.now
    asked = 0
    while (turn := pace.wait_for_turn(FOREVER)) is not None:
        asked += 1
        clock.now += 0.1
        pace.end_turn(turn, throttled=True)
    assert asked <= 10
    assert clock.now - started <= 60
    assert pace.wait_for_turn(FOREVER) is None
    clock.now += 10
    pace.end_turn(take_turn(pace), throttled=False)
    assert pace.wait_for_turn(FOREVER) is not None


# Against a gateway


def read_all(api: Transport, number: int, workers: int) -> list[FleetError | None]:
    """Read ``number`` instances, ``workers`` at once, and return what became of each."""

    def read(index: int) -> FleetError | None:
        try:
            api.send(reading(f"/waInstance{index}/getStateInstance/token"), parse)
        except FleetError as error:
            return error
        return None

    with ThreadPoolExecutor(workers) as executor:
        return list(executor.map(read, range(number)))


@pytest.mark.parametrize("retry_after", ["none", "seconds"])
def test_an_angry_gateway_is_asked_a_few_times_for_one_read(emulator: Emulator, clock: Clock, retry_after: str) -> None:
    emulator.arm("*", "throttle", count=None, retry_after=retry_after, seconds=0)
    (error,) = read_all(transport(emulator.url, retry_timeout=60.0), 1, 1)
    assert error is not None
    assert error.code == "throttled"
    assert 6 <= emulator.log_page()["total"] <= 9


def test_a_gateway_that_throttles_a_thousand_reads_is_not_asked_for_each(emulator: Emulator, clock: Clock) -> None:
    emulator.arm("*", "throttle", count=None, retry_after="seconds", seconds=0)
    errors = read_all(transport(emulator.url, retry_timeout=60.0), 1000, 16)
    assert {error and (error.code, error.delivery) for error in errors} == {("throttled", Delivery.THROTTLED)}
    assert emulator.log_page()["total"] <= 100
    assert sum("so it was not asked" in error.message for error in errors if error) >= 900


def test_a_gateway_that_stops_throttling_answers_everybody(emulator: Emulator, clock: Clock) -> None:
    emulator.arm("*", "throttle", count=40)
    emulator.arm("*", "status", count=None, status=200, body={"all": "well"})
    api = transport(emulator.url, retry_timeout=6000.0)
    assert read_all(api, 200, 16) == [None] * 200
    assert emulator.log_page()["total"] == 240


def test_a_write_without_a_turn_was_not_sent_and_may_be_repeated(emulator: Emulator, clock: Clock) -> None:
    emulator.arm("*", "throttle", count=None)
    api = transport(emulator.url, retry_timeout=60.0)
    # The clock moves with each pause, and stands once nobody waits any more.
    for _attempt in range(10):
        with pytest.raises(FleetError) as caught:
            api.send(writing(), parse)
        assert (caught.value.delivery, caught.value.retryable) == (Delivery.THROTTLED, True)
    assert "throttles all requests, so it was not asked; lower concurrency or raise" in caught.value.message


def test_a_turn_ends_however_its_request_does(emulator: Emulator, clock: Clock) -> None:
    def fail(_answer: object) -> None:
        raise KeyboardInterrupt

    api = transport(emulator.url, concurrency=1)
    for _attempt in range(3):
        with pytest.raises(KeyboardInterrupt):
            api.send(reading(), fail)
