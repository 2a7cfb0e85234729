# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Informational responses (1xx) are skipped, so that each request gets its own final response."""

from __future__ import annotations

import json

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery, FleetError
from ansible_collections.msgops.fleet.tests.support.wire import (
    Conversation,
    Peer,
    WireFactory,
    parse,
    reading,
    response,
    send,
    transport,
    writing,
)


def telling_the_path(*before: bytes) -> Conversation:
    """Send ``before``, and then a response with the path of the request, in two packets."""

    def converse(peer: Peer) -> None:
        while True:
            path = peer.read_request().target
            for early in before:
                peer.send(early)
            peer.send(response(json.dumps(path).encode()))

    return converse


def informational(status: int, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Early", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    "before",
    [
        [informational(100)],
        [informational(102)],
        [informational(103, "Link: </style.css>; rel=preload")],
        [informational(199)],
        [informational(100), informational(102), informational(103, "A: b", "C: d")],
        [informational(103)] * 20,
    ],
    ids=["continue", "processing", "early hints", "unknown", "several", "as many as are skipped"],
)
def test_informational_answers_are_skipped_and_each_answer_is_its_requests(
    wire: WireFactory, before: list[bytes]
) -> None:
    server = wire(telling_the_path(*before))
    api = transport(server.url)
    for path in ("/first", "/second", "/third"):
        assert api.send(reading(path), parse) == path
        assert api.send(writing(path), parse) == path
    assert server.connections == 1


@pytest.mark.parametrize("status", [100, 103])
def test_more_of_them_than_anybody_sends_end_the_connection(wire: WireFactory, status: int) -> None:
    server = wire(telling_the_path(*[informational(status)] * 21), telling_the_path())
    api = transport(server.url)
    with pytest.raises(FleetError) as caught:
        api.send(writing("/first"), parse)
    assert (caught.value.code, caught.value.delivery) == ("connection", Delivery.UNKNOWN)
    assert api.send(reading("/second"), parse) == "/second"
    assert server.connections == 2


def test_a_switch_of_protocols_that_nobody_asked_for_ends_the_connection(wire: WireFactory) -> None:
    server = wire(telling_the_path(informational(101, "Upgrade: other")), telling_the_path())
    api = transport(server.url)
    with pytest.raises(FleetError) as caught:
        api.send(writing("/first"), parse)
    assert caught.value.delivery is Delivery.UNKNOWN
    assert api.send(reading("/second"), parse) == "/second"


def test_an_informational_answer_alone_is_no_answer(wire: WireFactory) -> None:
    def hint_and_close(peer: Peer) -> None:
        peer.read_request()
        peer.send(informational(103))

    with pytest.raises(FleetError) as caught:
        send(wire(hint_and_close).url, writing())
    assert (caught.value.code, caught.value.delivery) == ("connection", Delivery.UNKNOWN)


def test_headers_of_an_informational_answer_are_not_the_answers(wire: WireFactory) -> None:
    early = informational(103, "Content-Length: 100000", "Retry-After: 3600")
    server = wire(telling_the_path(early))
    assert send(server.url, reading("/one")) == "/one"
