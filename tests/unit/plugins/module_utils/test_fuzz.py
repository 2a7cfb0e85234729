# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzzing of all clients: each call returns its type, or raises a FleetError without a secret.

hypothesis generates responses that are almost right, wrong, broken, huge, compressed, or not HTTP at all. The suite
tries the same few each time; with FUZZ_EXAMPLES=5000, each call gets 5000 random ones.
"""

from __future__ import annotations

import dataclasses
import gzip
import html
import itertools
import json
import os
import re
import types
import typing
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError
from ansible_collections.msgops.fleet.tests.support.api_calls import API_CALLS, PNG, ApiCall
from ansible_collections.msgops.fleet.tests.support.wire import (
    TOKEN,
    Clock,
    Peer,
    Wire,
    assert_tells_no_secret,
    response,
    transport,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_WANTED = os.environ.get("FUZZ_EXAMPLES")
few = settings(
    max_examples=int(_WANTED or 25),
    derandomize=not _WANTED,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)

each_api_call = pytest.mark.parametrize("api_call", API_CALLS.values(), ids=API_CALLS)


# Assertions


def check(api_call: ApiCall, server: Wire, **options: Any) -> None:
    """Assert that the call returns its type or raises a FleetError without a secret, and repeats no write."""
    server.received.clear()
    failure = None
    try:
        value = api_call.call(transport(server.url, **{"retry_timeout": 2.0, **options}))
    except FleetError as error:
        failure = error
    if failure is None:
        assert_fits(value, api_call.returns)
    else:
        assert_tells_no_secret(failure)
        assert "s3cret" not in plain(failure.message)
        assert failure.message.isprintable()
        json.dumps(failure.as_error(), allow_nan=False)
    # A throttled request provably had no effect.
    if api_call.creates and not (failure and failure.code == "throttled"):
        assert len(server.received) == 1


def plain(text: str) -> str:
    """Return ``text`` with escapes decoded that could hide a secret."""
    for _again in range(3):
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), html.unescape(unquote(text)))
    return text


def assert_fits(value: Any, hint: Any) -> None:
    """Assert that ``value`` has the type, and can be stored and printed."""
    kinds = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        (hint,) = [kind for kind in kinds if matches(value, kind)] or [types.NoneType]
        assert_fits(value, hint)
        return
    assert matches(value, hint), f"{value!r} is no {hint}"
    if origin is list:
        for item in value:
            assert_fits(item, kinds[0])
    elif origin is dict:
        for key, item in value.items():
            assert_fits(key, kinds[0])
            assert_fits(item, kinds[1])
    elif dataclasses.is_dataclass(hint):
        for name, kind in typing.get_type_hints(hint).items():
            assert_fits(getattr(value, name), kind)
    elif not isinstance(value, bytes):
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def matches(value: Any, hint: Any) -> bool:
    kind = typing.get_origin(hint) or hint
    if kind is Any:
        return True
    if kind is typing.Literal:
        return value in typing.get_args(hint)
    if kind in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, types.NoneType if kind is None else kind)


# Responses of a server


@pytest.fixture(scope="module")
def server() -> Iterator[Wire]:
    """Answers each request with the pieces in ``answer``, and closes the connection."""

    def converse(peer: Peer) -> None:
        peer.read_request()
        for piece in wire.answer:  # type: ignore[attr-defined]
            peer.send(piece)

    wire = Wire(converse)
    wire.answer = []  # type: ignore[attr-defined]
    yield wire
    wire.close()


@pytest.fixture(autouse=True)
def quick(clock: Clock) -> None:
    """Pauses take no time."""


def deep(opening: str, closing: str, depth: int, core: str = "") -> str:
    return opening * depth + core + closing * depth


# JSON that Python's encoder can't produce, or only slowly.
RAW = [
    *(deep("[", "]", depth) for depth in (50, 900, 990, 5_000, 100_000)),
    *(deep('{"message":', "}", depth, "1") for depth in (50, 900, 990, 5_000, 100_000)),
    deep("[", "", 100_000),
    *("9" * digits for digits in (20, 400, 4_300, 4_301, 20_000)),
    "-" + "9" * 400,
    *(f'"{"9" * digits}"' for digits in (20, 400, 4_301)),
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e-999", "-0.0", "-0"),
    *('"\\ud800"', '"a\\udfffb"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\u202e"', '"\\u2028"'),
    '"' + "x" * 20_000 + '"',
    "[" + "{}," * 20_000 + "{}]",
]
MARK = "\x00raw{}\x00"

SPELLED = [
    TOKEN,
    quote(TOKEN, safe=""),
    quote(TOKEN, safe="").lower(),
    quote(quote(TOKEN, safe=""), safe=""),
    html.escape(TOKEN),
    json.dumps(TOKEN)[1:-1].replace("/", "\\/"),
    "".join(f"\\u{ord(c):04x}" for c in TOKEN),
    "".join(f"&#{ord(c)};" for c in TOKEN),
]
# Texts and fields that the clients look for.
WORDS = [
    *("authorized", "starting", "alreadyLogged", "error", "qrCode", "NOT_FOUND", "0", "APIG.0308", "KOOPHONE.API.1001"),
    *("instance is in starting process", "account is expired", "null not allowed", "Client-Token is not configured"),
    *("0001-01-01T00:00:00", "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00+23:59", "99999999999999999999"),
    *("data:image/png;base64,", f"data:;base64,{PNG}", PNG, "\uff11\uff12", "\u00b2", ""),
]
KEYS = ["code", "description", "error", "message", "status", "error_code", "error_msg", "value", "connected", "reason"]

texts = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=20),
    st.tuples(st.text(max_size=5), st.sampled_from(SPELLED), st.text(max_size=5)).map("".join),
)
# A few pages or far too many, because the client requests each page.
numbers = st.one_of(
    st.integers(-3, 40), st.sampled_from([401, 404, 429, 466, 500, 10_001, 10**11, 2**63]), st.floats(), st.booleans()
)
leaves = st.one_of(st.none(), numbers, texts, st.sampled_from([MARK.format(index) for index in range(len(RAW))]))
junk = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | texts, inner, max_size=4),
    max_leaves=8,
)


def like(good: Any) -> st.SearchStrategy[Any]:
    """Values like ``good``, in which fields are missing, or have another type or content."""
    if isinstance(good, dict):
        near: st.SearchStrategy[Any] = st.builds(
            lambda fields, more: {**more, **fields},
            st.fixed_dictionaries({}, optional={key: like(value) for key, value in good.items()}),
            st.dictionaries(st.sampled_from(KEYS), junk, max_size=2),
        )
    elif isinstance(good, list):
        near = st.lists(like(good[0]), max_size=3)
    else:
        near = st.just(good)
    # Mostly of the right type, to pass the first check.
    return st.one_of(near, near, near, junk if isinstance(good, (dict, list)) else leaves)


def encode(value: Any) -> bytes:
    text = json.dumps(value)
    for index, raw in enumerate(RAW):
        text = text.replace(json.dumps(MARK.format(index)), raw)
    return text.encode()


def mangle(content: bytes, how: int, where: float) -> bytes:
    at = int(where * len(content))
    return [content, content[:at], content[:at] + b"\xff\xfe\x00" + content[at:], content[at:] + content][how]


statuses = st.one_of(st.just(200), st.sampled_from([201, 204, 304, 400, 401, 403, 404, 405, 408, 429, 466, 499, 503]))
odd_statuses = statuses | st.integers(100, 999)
header_values = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30)
nonsense = st.one_of(header_values, st.sampled_from([f"{word} {TOKEN}" for word in ("a", "b")]), st.just("9" * 400))
headers = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(["application/json", "text/html", "image/png", "", ";;;", "\xff/\xff"]),
        "Retry-After": st.sampled_from(["0", "1", "-1", "1e9", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "NaN"]),
        "Location": st.sampled_from(["/", "http://[", f"http://127.0.0.1:1/{TOKEN}", "\xff", "javascript:1"]),
        "Set-Cookie": nonsense,
        "X-Subject-Token": nonsense,
        "Connection": st.sampled_from(["close", "keep-alive", "Upgrade"]),
        "WWW-Authenticate": nonsense,
    },
)
encodings = st.sampled_from(
    ["gzip", "GZIP", "deflate", "br", "zstd", "identity", "gzip, gzip", "gzip, deflate, br", ", ,", "x", "gzip" * 99]
)
lengths = st.sampled_from(["0", "1", "-1", "1e3", "9" * 30, "9" * 5000, "12, 13", "", "abc", "0x10", " 7", "+7"])
PACKED: list[Callable[[bytes], bytes]] = [
    bytes,
    gzip.compress,
    zlib.compress,
    lambda content: gzip.compress(gzip.compress(content)),
    lambda content: gzip.compress(content)[:-9],
    lambda content: gzip.compress(content) + b"junk",
    lambda content: gzip.compress(content + b" " * 2**22),
    lambda content: gzip.compress(b" " * 2**22 + content) * 3,
]


def chunked(content: bytes, sizes: list[int], end: bytes) -> bytes:
    parts = []
    for size in sizes:
        piece, content = content[:size], content[size:]
        parts.append(b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b"")
    return b"".join([*parts, b"%x\r\n%s\r\n" % (len(content), content) if content else b"", end])


def pieces(data: bytes, cuts: list[float]) -> list[bytes]:
    edges = sorted({0, len(data), *(int(cut * len(data)) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


fractions = st.floats(0, 1)


@each_api_call
@few
@given(data=st.data())
def test_whatever_json_says_a_call_keeps_its_promises(server: Wire, api_call: ApiCall, data: st.DataObject) -> None:
    content = encode(data.draw(like(api_call.good)))
    server.answer = [response(content, data.draw(statuses), api_call.headers)]  # type: ignore[attr-defined]
    check(api_call, server)


@each_api_call
@few
@given(data=st.data())
def test_however_http_is_broken_a_call_keeps_its_promises(server: Wire, api_call: ApiCall, data: st.DataObject) -> None:
    content = data.draw(st.sampled_from([json.dumps(api_call.good).encode(), b"", b"\x00\xff" * 50]) | st.binary())
    content = data.draw(st.sampled_from(PACKED))(mangle(content, data.draw(st.integers(0, 3)), data.draw(fractions)))
    fields = {**api_call.headers, **data.draw(headers)}
    if data.draw(st.booleans()):
        fields["Content-Encoding"] = data.draw(encodings)
    if data.draw(st.booleans()):
        fields["Content-Length"] = data.draw(lengths)
    head, _end, body = response(content, data.draw(odd_statuses), fields).partition(b"\r\n\r\n")
    if data.draw(st.booleans()):
        ends = [
            b"0\r\n\r\n",
            b"",
            b"0\r\n",
            b"zz\r\n",
            b"-1\r\n",
            b"f" * 20 + b"\r\n",
            b"0\r\nTrailer: x\r\n\r\n",
            b"1;x",
        ]
        head += b"\r\nTransfer-Encoding: chunked"
        body = chunked(body, data.draw(st.lists(st.integers(0, 60), max_size=4)), data.draw(st.sampled_from(ends)))
    answer = head + b"\r\n\r\n" + body
    if data.draw(st.integers(0, 3)) == 0:
        answer = mangle(answer, data.draw(st.integers(0, 3)), data.draw(fractions))
    server.answer = pieces(answer, data.draw(st.lists(fractions, max_size=3)))  # type: ignore[attr-defined]
    check(api_call, server, timeout=2.0)


@each_api_call
@few
@given(data=st.binary(max_size=200), start=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 ", b"HTTP/0.9 "]))
def test_whatever_bytes_come_a_call_keeps_its_promises(
    server: Wire, api_call: ApiCall, data: bytes, start: bytes
) -> None:
    server.answer = [start + data]  # type: ignore[attr-defined]
    check(api_call, server, timeout=2.0)


def deepest() -> int:
    """The depth at which Python's parser refuses nested JSON, when called from about here."""
    low, high = 1, 200_000
    while high - low > 1:
        middle = (low + high) // 2
        try:
            json.loads("[" * middle + "]" * middle)
        except RecursionError:
            high = middle
        else:
            low = middle
    return low


def with_each_field(good: Any, raw: str) -> Iterator[str]:
    """``good`` with each of its fields, and of a few fields for errors, replaced by ``raw`` in turn."""
    yield raw
    if isinstance(good, list):
        yield from (f"[{text}]" for text in with_each_field(good[0], raw))
    elif isinstance(good, dict):
        for key in {**good, **dict.fromkeys(KEYS)}:
            for text in with_each_field(good.get(key), raw):
                others = {k: v for k, v in {"code": 500, "error_code": "1", **good}.items() if k != key}
                yield json.dumps(others)[:-1] + f", {json.dumps(key)}: {text}}}"


@each_api_call
def test_an_answer_that_is_just_python_can_just_parse_is_not_too_deep_for_ours(server: Wire, api_call: ApiCall) -> None:
    limit = deepest()
    for depth in (limit - 150, limit - 60, limit - 30, limit - 15):
        for text in with_each_field(api_call.good, deep("[", "]", depth)):
            server.answer = [response(text.encode(), headers=api_call.headers)]  # type: ignore[attr-defined]
            check(api_call, server)
