# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures of the network: the server makes each fault, over a real socket."""

from __future__ import annotations

import gzip
import logging
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable
from urllib.parse import quote

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery, FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._http.connection import Limits
from ansible_collections.msgops.fleet.plugins.module_utils._http.messages import Request, Response
from ansible_collections.msgops.fleet.plugins.module_utils._http.sizes import FIELDS, MIB, Size
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import RequestBudget
from ansible_collections.msgops.fleet.tests.support.wire import (
    TOKEN,
    Clock,
    Conversation,
    Peer,
    WireFactory,
    answering,
    assert_tells_no_secret,
    parse,
    reading,
    response,
    send,
    silence,
    transport,
    writing,
)

WHOLE = response({"all": "well"})
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
GZIPPED = gzip.compress(b'{"all": "well", "and": [1, 2, 3, 4, 5, 6, 7]}')


def secret_reading() -> Request:
    return reading(f"/wait/{quote(TOKEN, safe='')}", secrets=(TOKEN,), headers={"Client-Token": TOKEN})


def secret_writing() -> Request:
    return writing(f"/make/{quote(TOKEN, safe='')}", secrets=(TOKEN,), headers={"Authorization": f"Bearer {TOKEN}"})


def reset_at_once(peer: Peer) -> None:
    peer.reset()


def reset_before_the_body(peer: Peer) -> None:
    peer.read_head()
    peer.reset()


def reset_after_the_request(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


def close_after_the_request(peer: Peer) -> None:
    peer.read_request()


def answer_and_close(data: bytes) -> Conversation:
    def converse(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)

    return converse


def answer_and_reset(data: bytes) -> Conversation:
    def converse(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)
        peer.reset()

    return converse


BROKEN_OFF: dict[str, Conversation] = {
    "reset before the body was read": reset_before_the_body,
    "reset after the request": reset_after_the_request,
    "closed without an answer": close_after_the_request,
    "closed in the status line": answer_and_close(b"HTTP/1.1 20"),
    "closed in the body": answer_and_close(response(b'{"all": "w', length=15)),
    "closed before the body": answer_and_close(response(b"", length=15)),
    "closed in the chunks": answer_and_close(CHUNKED + b'f\r\n{"all": "w'),
    "closed between the chunks": answer_and_close(CHUNKED + b'a\r\n{"all": "w\r\n'),
    "closed in the compressed body": answer_and_close(
        response(GZIPPED[:20], headers={"Content-Encoding": "gzip"}, length=len(GZIPPED))
    ),
    "chunks without a length": answer_and_close(CHUNKED + b"what?\r\n"),
    "no HTTP at all": answer_and_close(b"220 mail.example.com ESMTP\r\n"),
}

UNREADABLE: dict[str, bytes] = {
    "headers cut short": b"HTTP/1.1 200 OK\r\nContent-Le",
    "JSON cut short": response(b'{"all": "w'),
    "JSON cut short until the end of the connection": b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"all": "w',
    "compressed JSON cut short": response(GZIPPED[:20], headers={"Content-Encoding": "gzip"}),
    "JSON that claims to be compressed": response({"all": "well"}, headers={"Content-Encoding": "gzip"}),
    "another page": response(b"<html>Sign in</html>", headers={"Content-Type": "text/html"}),
    "nothing": response(b""),
}


@pytest.mark.parametrize("fault", BROKEN_OFF.values(), ids=BROKEN_OFF)
def test_a_read_whose_connection_breaks_off_is_repeated(wire: WireFactory, clock: Clock, fault: Conversation) -> None:
    server = wire(fault, answering(WHOLE))
    assert send(server.url, reading(), retry_timeout=60) == {"all": "well"}
    assert server.connections == 2


@pytest.mark.parametrize("fault", BROKEN_OFF.values(), ids=BROKEN_OFF)
def test_a_write_whose_connection_breaks_off_is_not_repeated(
    wire: WireFactory, clock: Clock, fault: Conversation
) -> None:
    server = wire(fault, answering(WHOLE))
    with pytest.raises(FleetError) as caught:
        send(server.url, secret_writing(), retry_timeout=60)
    assert (caught.value.code, caught.value.delivery) == ("connection", Delivery.UNKNOWN)
    assert server.connections == 1
    assert_tells_no_secret(caught.value)


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("request_", [secret_reading(), secret_writing()], ids=["read", "write"])
def test_an_unreadable_answer_is_neither_believed_nor_asked_for_again(
    wire: WireFactory, clock: Clock, answer: bytes, request_: Request
) -> None:
    server = wire(answer_and_close(answer))
    with pytest.raises(FleetError) as caught:
        send(server.url, request_, retry_timeout=60)
    assert (caught.value.code, caught.value.delivery) == ("bad_answer", Delivery.UNKNOWN)
    assert server.connections == 1
    assert_tells_no_secret(caught.value)


def test_an_answer_that_was_reset_in_its_body_is_not_believed(wire: WireFactory) -> None:
    server = wire(answer_and_reset(response(b'{"all": "well"}', length=100)))
    with pytest.raises(FleetError) as caught:
        send(server.url, secret_reading())
    assert caught.value.code == "connection"
    assert_tells_no_secret(caught.value)


def test_a_read_that_is_reset_at_once_is_repeated(wire: WireFactory, clock: Clock) -> None:
    server = wire(reset_at_once, answering(WHOLE))
    assert send(server.url, reading(), retry_timeout=60) == {"all": "well"}


def test_what_broke_off_says_so(wire: WireFactory) -> None:
    server = wire(close_after_the_request)
    with pytest.raises(FleetError) as caught:
        send(server.url, reading())
    assert caught.value.message == (
        f"Reading the thing failed: the connection to 127.0.0.1:{server.port} broke off before the whole answer was "
        "here; check api_url and the network"
    )


@pytest.mark.parametrize("fault", [*BROKEN_OFF.values(), *map(answer_and_close, UNREADABLE.values())])
def test_nothing_is_logged_about_a_fault(
    wire: WireFactory, caplog: pytest.LogCaptureFixture, fault: Conversation
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(FleetError):
        send(wire(fault).url, secret_reading())
    assert caplog.text == ""


# Timeouts


@pytest.mark.parametrize("request_", [secret_reading(), secret_writing()], ids=["read", "write"])
def test_a_connection_that_is_not_answered_in_time_was_not_sent(deaf_url: str, request_: Request) -> None:
    with pytest.raises(FleetError) as caught:
        send(deaf_url, request_, timeout=0.05)
    error = caught.value
    assert (error.code, error.retryable, error.delivery) == ("timeout", True, Delivery.NOT_SENT)
    assert "no connection to 127.0.0.1:" in error.message
    assert "within 0.05 s" in error.message
    assert_tells_no_secret(error)


@pytest.mark.parametrize("request_", [secret_reading(), secret_writing()], ids=["read", "write"])
def test_an_answer_that_does_not_come_in_time_may_have_been_carried_out(wire: WireFactory, request_: Request) -> None:
    server = wire(silence)
    with pytest.raises(FleetError) as caught:
        send(server.url, request_, timeout=0.05)
    error = caught.value
    assert (error.code, error.retryable, error.delivery) == ("timeout", True, Delivery.UNKNOWN)
    assert "no answer from 127.0.0.1:" in error.message
    assert_tells_no_secret(error)


def test_a_body_that_stops_coming_is_a_timeout(wire: WireFactory) -> None:
    def stop_halfway(peer: Peer) -> None:
        peer.read_request()
        peer.send(response(b'{"all": "w', length=15))
        peer.wait_for_end()

    server = wire(stop_halfway)
    with pytest.raises(FleetError) as caught:
        send(server.url, secret_reading(), timeout=0.05)
    assert caught.value.code == "timeout"
    assert_tells_no_secret(caught.value)


def test_a_write_that_timed_out_is_not_repeated(wire: WireFactory, clock: Clock) -> None:
    server = wire(silence)
    with pytest.raises(FleetError):
        send(server.url, writing(), timeout=0.05, retry_timeout=60)
    assert server.connections == 1


def test_a_read_that_timed_out_is_repeated(wire: WireFactory, clock: Clock) -> None:
    server = wire(silence, answering(WHOLE))
    assert send(server.url, reading(), timeout=1, retry_timeout=60) == {"all": "well"}


def test_the_timeout_is_for_the_gap_between_two_bytes_not_for_the_whole_answer(wire: WireFactory) -> None:
    def dribble(peer: Peer) -> None:
        peer.read_request()
        for index in range(0, len(WHOLE), len(WHOLE) // 8):
            time.sleep(0.2)
            peer.send(WHOLE[index : index + len(WHOLE) // 8])

    started = time.monotonic()
    assert send(wire(dribble).url, reading(), timeout=1.4) == {"all": "well"}
    assert time.monotonic() - started > 1.4


def test_a_request_takes_no_longer_than_its_caller_has(wire: WireFactory) -> None:
    server = wire(silence)
    with pytest.raises(FleetError) as caught:
        send(server.url, reading(), RequestBudget(time.monotonic() + 0.1), timeout=3600)
    assert caught.value.code == "timeout"


def trickle(start: bytes, drop: bytes) -> Conversation:
    """Send bytes without end, so often that the socket's timeout never passes between two of them."""

    def converse(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        while True:
            time.sleep(0.02)
            peer.send(drop)

    return converse


ENDLESS: dict[str, Conversation] = {
    "status line": trickle(b"HTTP/1.1 200 ", b"O"),
    "header": trickle(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "headers": trickle(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"),
    "body": trickle(response(b"[", length=10**9), b" "),
    "body without a length": trickle(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "chunk": trickle(CHUNKED + b"ffffff\r\n", b" "),
    "chunks": trickle(CHUNKED, b"1\r\n \r\n"),
    "size of a chunk": trickle(CHUNKED, b"0"),
    "trailer": trickle(CHUNKED + b"0\r\n", b"X: x\r\n"),
}


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
def test_an_answer_that_trickles_in_takes_no_longer_than_its_caller_has(wire: WireFactory, fault: Conversation) -> None:
    server = wire(fault)
    with pytest.raises(FleetError) as caught:
        send(server.url, secret_reading(), RequestBudget(time.monotonic() + 0.3), timeout=3600)
    assert caught.value.code == "timeout"
    assert_tells_no_secret(caught.value)


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
def test_an_answer_that_trickles_in_without_end_is_given_up(wire: WireFactory, fault: Conversation) -> None:
    server = wire(fault)
    with pytest.raises(FleetError) as caught:
        send(server.url, secret_writing(), timeout=0.2, limits=Limits(timeouts=1.5, bytes_per_second=10**9))
    assert (caught.value.code, caught.value.delivery) == ("timeout", Delivery.UNKNOWN)
    assert "was not complete within 0.4 s" in caught.value.message
    assert_tells_no_secret(caught.value)


@pytest.mark.parametrize(("size", "seconds"), [(FIELDS, 90), (Size(32 * MIB, 1), 90 + 328)])
def test_a_request_has_three_timeouts_and_the_time_of_its_largest_answer(size: Size, seconds: float) -> None:
    assert Limits().whole(30, size) == pytest.approx(seconds, abs=1)


def test_a_connection_that_is_used_again_has_time_again(wire: WireFactory) -> None:
    server = wire(answering(WHOLE))
    api = transport(server.url)
    assert api.send(reading(), parse, RequestBudget(time.monotonic() + 1)) == {"all": "well"}
    time.sleep(1)
    assert api.send(reading(), parse) == {"all": "well"}
    assert server.connections == 1


# Responses beyond the limits

BLANKS = b" " * 2**26


def flood(start: bytes, piece: bytes) -> Conversation:
    def converse(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        while True:
            peer.send(piece)

    return converse


FLOODS: dict[str, Conversation] = {
    "body": flood(response(b"", length=10**12), BLANKS[:65536]),
    "chunk": flood(CHUNKED + b"ffffffffff\r\n", BLANKS[:65536]),
    # http.client reads until the connection ends if the size is negative.
    "chunk of a negative size": flood(CHUNKED + b"-1\r\n", BLANKS[:65536]),
    "chunks": flood(CHUNKED, b"1\r\n \r\n" * 10_000),
    "trailer": flood(CHUNKED + b"0\r\n", b"X: x\r\n" * 10_000),
    "extension of a chunk": flood(CHUNKED + b"1;", b"x" * 10_000),
    "extensions of chunks": flood(CHUNKED, b"1;xxxxxxxxxxxx\r\n \r\n" * 10_000),
    "status line": flood(b"HTTP/1.1 200 ", b"O" * 10_000),
    "header": flood(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 10_000),
    "headers": flood(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n" * 101 + b"\r\n"),
    "headers of informational answers": flood(b"", b"HTTP/1.1 103 Hints\r\nX: " + b"x" * 10_000 + b"\r\n\r\n"),
}
BOMB = gzip.compress(BLANKS)
PACKED = {
    "gzip": BOMB,
    "x-gzip": BOMB,
    "GZIP": BOMB,
    "deflate": zlib.compress(BLANKS),
    "gzip, gzip": gzip.compress(BOMB),
    "br": BOMB,
    "zstd": BOMB,
}
BOMBS = {name: answer_and_close(response(bomb, headers={"Content-Encoding": name})) for name, bomb in PACKED.items()}


@pytest.mark.parametrize("fault", [*FLOODS.values(), *BOMBS.values()], ids=[*FLOODS, *BOMBS])
def test_what_is_too_much_is_not_held_in_memory(wire: WireFactory, fault: Conversation) -> None:
    server = wire(fault)
    tracemalloc.start()
    try:
        with pytest.raises(FleetError) as caught:
            send(server.url, secret_writing(), retry_timeout=60)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2**22
    assert (caught.value.code, caught.value.delivery) == ("bad_answer", Delivery.UNKNOWN)
    assert server.connections == 1


def test_contradicting_lengths_are_the_servers_fault(wire: WireFactory) -> None:
    server = wire(answer_and_close(response(b"{}", headers={"Content-Length": "2, 3"})))
    with pytest.raises(FleetError) as caught:
        send(server.url, secret_writing())
    assert (caught.value.code, caught.value.delivery) == ("connection", Delivery.UNKNOWN)
    assert "the_token" not in caught.value.message


# Requests that are not sent


def test_a_refused_connection_was_not_sent(wire: WireFactory) -> None:
    server = wire(listening=False)
    with pytest.raises(FleetError) as caught:
        send(server.url, secret_writing())
    error = caught.value
    assert (error.code, error.retryable, error.delivery) == ("connection", True, Delivery.NOT_SENT)
    assert f"127.0.0.1:{server.port} refuses the connection; check api_url" in error.message
    assert_tells_no_secret(error)


def test_an_unknown_host_name_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(FleetError) as caught:
        send("https://api.example.com", secret_writing())
    error = caught.value
    assert (error.code, error.retryable, error.delivery) == ("connection", True, Delivery.NOT_SENT)
    assert "the host name api.example.com can't be resolved" in error.message
    assert_tells_no_secret(error)


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}\r\nX: y", f"{TOKEN}\u2026"])
@pytest.mark.parametrize("kind", [reading, writing])
def test_a_token_that_no_header_can_hold_was_not_sent(
    wire: WireFactory, kind: Callable[..., Request], token: str
) -> None:
    server = wire(answering(WHOLE))
    with pytest.raises(FleetError) as caught:
        send(server.url, kind(headers={"Client-Token": token}))
    error = caught.value
    assert (error.code, error.retryable) == ("bad_request", False)
    assert kind is reading or error.delivery is Delivery.NOT_SENT
    assert "check the_token" in error.message
    assert server.received == []
    assert_tells_no_secret(error)


# Texts of the vendor


@pytest.mark.parametrize(
    "spell",
    [str, lambda s: quote(s, safe=""), lambda s: quote(s, safe="").lower(), lambda s: s.replace("/", "\\/")],
    ids=["raw", "quoted", "quoted in lower case", "escaped"],
)
def test_a_token_that_the_vendor_gives_back_is_masked(wire: WireFactory, spell: Callable[[str], str]) -> None:
    server = wire(answering(response({"error": f"Client-Token {spell(TOKEN)} not\nallowed"}, 403)))

    def refuse(answer: Response) -> None:
        raise answer.error_for_status(answer.status, answer.body["error"])

    with pytest.raises(FleetError, match=r"HTTP 403: Client-Token \*\*\* not allowed; check the_token") as caught:
        transport(server.url).send(secret_reading(), refuse)
    assert_tells_no_secret(caught.value)
