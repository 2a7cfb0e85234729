# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as they are sent, and responses as they are parsed."""

from __future__ import annotations

import gzip
import json
import logging
import os
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery, FleetError, UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._http.messages import Effect, Request, Response
from ansible_collections.msgops.fleet.plugins.module_utils._http.sizes import KIB, MAX_DEPTH, MIB, Size
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import TransportOptions, transport_to
from ansible_collections.msgops.fleet.tests.support.wire import (
    ANY,
    ROOT,
    TOKEN,
    WireFactory,
    answering,
    parse,
    reading,
    response,
    send,
    transport,
    writing,
)
from pytest_httpserver import HTTPServer

# Requests


def test_the_user_agent_names_the_version_of_galaxy_yml(wire: WireFactory) -> None:
    server = wire(answering(response({})))
    send(server.url, reading())
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    assert server.received[0].headers["user-agent"].startswith(f"msgops.fleet/{version} ")


def test_json_is_asked_for_and_sent(wire: WireFactory) -> None:
    server = wire(answering(response({})))
    send(server.url, writing(body={"name": "Zoë"}))
    request = server.received[0]
    assert request.headers["accept"] == "application/json"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {"name": "Zoë"}


def test_a_request_without_a_body_claims_no_content_type(wire: WireFactory) -> None:
    server = wire(answering(response({})))
    send(server.url, reading())
    assert "content-type" not in server.received[0].headers


def test_headers_and_query_of_the_request_are_sent(wire: WireFactory) -> None:
    server = wire(answering(response({})))
    send(server.url, reading(headers={"Client-Token": TOKEN}, query={"page": "1", "name": "a b&c"}))
    assert server.received[0].headers["client-token"] == TOKEN
    assert server.received[0].target == "/thing?page=1&name=a+b%26c"


@pytest.mark.parametrize("token", [TOKEN, "a/../b", "%2e%2e", "100%", "é🔑", "a b"])
def test_a_quoted_token_arrives_as_it_was_quoted(wire: WireFactory, token: str) -> None:
    server = wire(answering(response({})))
    send(server.url, reading(f"/state/{quote(token, safe='')}"))
    assert server.received[0].target == f"/state/{quote(token, safe='')}"


def test_the_path_is_put_behind_the_prefix_of_the_address(wire: WireFactory) -> None:
    server = wire(answering(response({})))
    send(server.url + "/v3/", reading("/waInstance1"))
    assert server.received[0].target == "/v3/waInstance1"


def test_a_connection_is_kept_for_the_next_request(wire: WireFactory) -> None:
    server = wire(answering(response({"a": 1})))
    api = transport(server.url)
    for _attempt in range(3):
        assert api.send(reading(), parse) == {"a": 1}
    assert (len(server.received), server.connections) == (3, 1)


def test_a_connection_is_kept_after_an_error_too(wire: WireFactory) -> None:
    server = wire(answering(response({"error": "no"}, 404)))
    api = transport(server.url)
    for _attempt in range(2):
        with pytest.raises(FleetError):
            api.send(reading(), parse)
    assert server.connections == 1


def test_cookies_are_not_kept(wire: WireFactory) -> None:
    server = wire(answering(response({}, headers={"Set-Cookie": "session=1; Path=/"})))
    api = transport(server.url)
    for _attempt in range(2):
        api.send(reading(), parse)
    assert "cookie" not in server.received[1].headers


def test_a_netrc_file_is_ignored(wire: WireFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server = wire(answering(response({})))
    send(server.url, reading())
    send(server.url, reading(headers={"Authorization": "Bearer mine"}))
    assert [request.headers.get("authorization") for request in server.received] == [None, "Bearer mine"]


# Check mode


def test_nothing_that_writes_leaves_in_check_mode(wire: WireFactory) -> None:
    server = wire(answering(response({})))
    with pytest.raises(AssertionError, match="check mode"):
        send(server.url, writing(), read_only=True)
    assert server.connections == 0


def test_what_reads_is_sent_in_check_mode_whatever_its_verb(wire: WireFactory) -> None:
    server = wire(answering(response({"a": 1})))
    reading_post = Request("POST", "/query", "asking", Effect.READS, "the_token", body={})
    assert send(server.url, reading(), read_only=True) == {"a": 1}
    assert send(server.url, reading_post, read_only=True) == {"a": 1}


# Answers


@pytest.mark.parametrize("body", [None, True, 0, 1.5, "text", [], [1, {}], {}, {"a": {"b": None}}])
def test_any_json_is_an_answer(httpserver: HTTPServer, url: str, body: object) -> None:
    httpserver.expect_request("/thing").respond_with_json(body)
    assert send(url, reading()) == body


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (b'{"a\\ud800": "b\\uDFFFc"}', {"a?": "b?c"}),
        (b'"\\ud83d\\ude00 \\ud83d"', "\U0001f600 ?"),
        (b'"\\\\ud800"', "\\ud800"),
        ('"\U0001f600 \xe9"'.encode(), "\U0001f600 \xe9"),
        ('\ufeff"\xe9"'.encode(), "\xe9"),
        ('"\xe9"'.encode("utf-16"), "\xe9"),
    ],
    ids=["halves alone", "a pair and a half", "a backslash", "UTF-8", "UTF-8 with a mark", "UTF-16"],
)
def test_text_is_such_that_a_file_or_a_database_can_hold_it(wire: WireFactory, content: bytes, body: object) -> None:
    assert send(wire(answering(response(content))).url, reading()) == body


LATIN = '{"a": "criação"}'.encode("iso-8859-1")


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json; charset=ISO-8859-1", LATIN),
        ('application/json;Charset="iso-8859-1"; x=y', LATIN),
        ("application/json; charset=windows-1252", LATIN),
        ("application/json; charset=cp850", '{"a": "criação"}'.encode("cp850")),
        ("application/json; charset=ISO-8859-1", '{"a": "criação"}'.encode()),
        ("application/json; charset=x-unknown", '{"a": "criação"}'.encode()),
    ],
    ids=["declared", "quoted", "Windows'", "DOS's", "Unicode all the same", "Unicode, whatever that is"],
)
def test_text_is_read_by_the_charset_that_it_is_in(wire: WireFactory, content_type: str, content: bytes) -> None:
    server = wire(answering(response(content, headers={"Content-Type": content_type})))
    assert send(server.url, reading()) == {"a": "criação"}
    assert send(server.url, writing()) == {"a": "criação"}


UNREADABLE_CHARSETS = ["", "; charset=utf-8", "; charset=x-unknown", "; charset=base64", "; charset=\xff", "; charset="]


@pytest.mark.parametrize("charset", UNREADABLE_CHARSETS)
def test_text_in_a_charset_that_nobody_knows_is_no_answer_to_a_read(wire: WireFactory, charset: str) -> None:
    server = wire(answering(response(LATIN, headers={"Content-Type": f"application/json{charset}"})))
    with pytest.raises(FleetError) as caught:
        send(server.url, reading())
    assert caught.value.code == "bad_answer"


@pytest.mark.parametrize("charset", UNREADABLE_CHARSETS)
def test_what_a_write_answers_is_read_as_far_as_it_can_be_because_it_comes_once(
    wire: WireFactory, charset: str
) -> None:
    server = wire(answering(response(LATIN, headers={"Content-Type": f"application/json{charset}"})))
    assert send(server.url, writing()) == {"a": "cria\ufffd\ufffdo"}


def test_json_counts_whatever_its_content_type_says(wire: WireFactory) -> None:
    server = wire(answering(response({"a": 1}, headers={"Content-Type": "text/html"})))
    assert send(server.url, reading()) == {"a": 1}


def test_a_compressed_answer_is_read(wire: WireFactory) -> None:
    content = gzip.compress(b'{"a": 1}')
    server = wire(answering(response(content, headers={"Content-Encoding": "gzip"})))
    assert send(server.url, reading()) == {"a": 1}
    assert "gzip" in server.received[0].headers["accept-encoding"]


def test_an_answer_in_chunks_is_read(wire: WireFactory) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server = wire(answering(head + b'4\r\n{"a"\r\n5\r\n: 1}\n\r\n0\r\n\r\n'))
    assert send(server.url, reading()) == {"a": 1}


@pytest.mark.parametrize(
    ("body", "description"),
    [
        (b"", "empty"),
        (b"<html>Welcome</html>", "no JSON (text/html, 20 bytes)"),
        (b'{"a": ', "no JSON (text/html, 6 bytes)"),
        (b"\xff\xfe\xfd", "no JSON (text/html, 3 bytes)"),
        (b"[" * 200_000, "more than 16 KiB"),
        (b"[NaN]", "no JSON (text/html, 5 bytes)"),
        (b"-Infinity", "no JSON (text/html, 9 bytes)"),
        (b"1e999", "no JSON (text/html, 5 bytes)"),
        (b"9" * 5000, "no JSON (text/html, 5000 bytes)"),
        (b'"\xed\xa0\x80"', "no JSON (text/html, 5 bytes)"),
    ],
    ids=[
        *("empty", "HTML", "truncated", "binary", "deeply nested"),
        *("no number", "infinite", "too large", "too long", "half a character"),
    ],
)
def test_an_answer_that_is_no_json_is_described_instead_of_quoted(
    wire: WireFactory, body: bytes, description: str
) -> None:
    server = wire(answering(response(body, headers={"Content-Type": "text/html; charset=utf-8"})))
    with pytest.raises(FleetError) as caught:
        send(server.url, reading())
    error = caught.value
    assert (error.code, error.http_status, error.retryable) == ("bad_answer", 200, False)
    assert error.message.startswith(f"Reading the thing failed: HTTP 200, but the answer is {description} where JSON")


def test_an_answer_without_a_content_type_is_described(wire: WireFactory) -> None:
    server = wire(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"))
    with pytest.raises(FleetError, match="no JSON \\(no content type, 1 bytes\\)"):
        send(server.url, reading())


def test_an_answer_is_as_large_as_its_request_says_and_not_one_byte_larger(wire: WireFactory) -> None:
    request = reading(size=Size(20 * KIB, 1))
    largest, larger = b'"' + b"a" * (20 * KIB - 2) + b'"', b'"' + b"a" * (20 * KIB - 1) + b'"'
    for pack, headers in ((bytes, {}), (gzip.compress, {"Content-Encoding": "gzip"})):
        server = wire(answering(*[response(pack(content), headers=headers) for content in (largest, larger)]))
        assert len(send(server.url, request)) == 20 * KIB - 2
        with pytest.raises(FleetError) as caught:
            transport(server.url).send(reading(size=Size(20 * KIB - 1, 1)), parse)
        assert (caught.value.code, caught.value.retryable) == ("bad_answer", False)
        assert "the answer is more than 20 KiB where" in caught.value.message


def test_an_answer_has_as_many_values_as_its_request_says_and_not_one_more(wire: WireFactory) -> None:
    request = reading(size=Size(KIB, 10))
    server = wire(answering(response([0] * 9), response([0] * 10)))
    api = transport(server.url)
    assert api.send(request, parse) == [0] * 9
    with pytest.raises(FleetError, match="the answer is more than 10 values where"):
        api.send(request, parse)


# Each is two levels; texts hold brackets, quotes and backslashes.
TWO_LEVELS = [("[[", "]]"), ('{"a":{"b":', "}}"), ('{"]}":["]]]]\\\\\\"",', "]}"), ('[{"\\\\":', '},"[{"]')]


@pytest.mark.parametrize(("opening", "closing"), TWO_LEVELS)
def test_an_answer_is_as_deep_as_any_vendors_is_and_no_deeper(wire: WireFactory, opening: str, closing: str) -> None:
    deepest = opening * (MAX_DEPTH // 2) + '"[[[]]"' + closing * (MAX_DEPTH // 2)
    server = wire(answering(response(deepest.encode()), response(f"[{deepest}]".encode())))
    api = transport(server.url)
    assert api.send(reading(), parse) == json.loads(deepest)
    with pytest.raises(FleetError, match="the answer is more than 32 levels where"):
        api.send(reading(), parse)


@pytest.mark.parametrize("number", ["9" * 401, "-" + "9" * 400, "0." + "0" * 399, "9" * 10_000])
def test_a_number_that_nobody_means_is_no_json(wire: WireFactory, number: str) -> None:
    with pytest.raises(FleetError) as caught:
        send(wire(answering(response(number.encode()))).url, reading())
    assert caught.value.code == "bad_answer"


def test_a_small_answer_that_grows_huge_is_refused(wire: WireFactory) -> None:
    bomb = gzip.compress(b'"' + b"a" * 1_000_000 + b'"')
    server = wire(answering(response(bomb, headers={"Content-Encoding": "gzip"})))
    with pytest.raises(FleetError) as caught:
        send(server.url, reading())
    assert caught.value.code == "bad_answer"


@pytest.mark.parametrize(("status", "code", "retryable"), [(401, "unauthorized", False), (503, "unavailable", True)])
def test_an_error_with_a_huge_text_is_the_error_that_its_status_says(
    wire: WireFactory, status: int, code: str, retryable: bool
) -> None:
    server = wire(answering(response({"description": "%252525" * 10_000}, status)))
    with pytest.raises(FleetError, match=f"HTTP {status} and more than 16 KiB") as caught:
        send(server.url, reading(size=Size(MIB, 100)))
    assert (caught.value.code, caught.value.retryable) == (code, retryable)


def test_a_long_text_of_the_vendor_is_not_quoted(wire: WireFactory) -> None:
    def refuse(answer: Response) -> None:
        raise answer.error("vendor", answer.body)

    server = wire(answering(response("%252525" * 10_000)))
    with pytest.raises(FleetError, match="a text of 70,000 characters"):
        transport(server.url).send(reading(size=Size(MIB, 100)), refuse)


def test_a_huge_answer_to_a_writing_request_leaves_the_outcome_open(wire: WireFactory) -> None:
    server = wire(answering(response({"id": "1", "token": TOKEN})))
    with pytest.raises(FleetError) as caught:
        send(server.url, writing(size=Size(16, 100)))
    assert caught.value.delivery is Delivery.UNKNOWN


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(wire: WireFactory, status: int) -> None:
    elsewhere = wire(answering(response({"a": 1})))
    server = wire(answering(response(b"", status, {"Location": f"{elsewhere.url}/{quote(TOKEN, safe='')}"})))
    with pytest.raises(FleetError) as caught:
        send(server.url, reading(headers={"Authorization": f"Bearer {TOKEN}"}, secrets=(TOKEN,)))
    assert (caught.value.code, caught.value.http_status, caught.value.retryable) == ("bad_answer", status, False)
    assert "final address" in caught.value.message
    assert (len(server.received), elsewhere.connections) == (1, 0)


@pytest.mark.parametrize("location", ["http://[::1", "/\xe9\xe8", "//:port", "http://127.0.0.1:1/" + "x" * 5000])
def test_a_redirect_to_nowhere_is_a_redirect_like_others(wire: WireFactory, location: str) -> None:
    server = wire(answering(response(b"", 307, {"Location": location})))
    for request in (reading(), writing()):
        with pytest.raises(FleetError) as caught:
            send(server.url, request)
        assert (caught.value.code, caught.value.http_status) == ("bad_answer", 307)
        assert caught.value.delivery is Delivery.UNKNOWN


def test_a_huge_redirect_is_refused(wire: WireFactory) -> None:
    server = wire(answering(response(b" " * 20_000, 302, {"Location": "/"})))
    with pytest.raises(FleetError, match="HTTP 302 and more than 16 KiB"):
        send(server.url, reading(size=Size(MIB, 100)))


# HTTP statuses


@pytest.mark.parametrize(
    ("status", "code", "retryable", "delivery"),
    [
        (304, "bad_answer", False, Delivery.UNKNOWN),
        (400, "bad_request", False, Delivery.REFUSED),
        (401, "unauthorized", False, Delivery.REFUSED),
        (403, "forbidden", False, Delivery.REFUSED),
        (404, "not_found", False, Delivery.REFUSED),
        (405, "bad_request", False, Delivery.REFUSED),
        (408, "timeout", True, Delivery.UNKNOWN),
        (415, "bad_request", False, Delivery.REFUSED),
        (422, "bad_request", False, Delivery.REFUSED),
        (429, "throttled", True, Delivery.THROTTLED),
        (466, "quota", False, Delivery.REFUSED),
        (499, "timeout", True, Delivery.UNKNOWN),
        (500, "unavailable", True, Delivery.UNKNOWN),
        (501, "unavailable", False, Delivery.UNKNOWN),
        (502, "unavailable", True, Delivery.UNKNOWN),
        (503, "unavailable", True, Delivery.UNKNOWN),
        (504, "timeout", True, Delivery.UNKNOWN),
        (599, "unavailable", True, Delivery.UNKNOWN),
    ],
)
def test_a_status_is_sorted_by_what_the_caller_may_do(
    httpserver: HTTPServer, url: str, status: int, code: str, retryable: bool, delivery: Delivery
) -> None:
    httpserver.expect_request(ANY).respond_with_data("", status)
    with pytest.raises(FleetError) as caught:
        send(url, reading())
    error = caught.value
    assert (error.code, error.http_status, error.retryable, error.delivery) == (code, status, retryable, delivery)
    assert f"HTTP {status}" in error.message


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_name_the_option(httpserver: HTTPServer, url: str, status: int) -> None:
    httpserver.expect_request(ANY).respond_with_data("", status)
    with pytest.raises(FleetError, match="check the_token"):
        send(url, reading())


def test_advice_to_repeat_is_not_given_for_what_may_have_happened(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_data("", 503)
    with pytest.raises(FleetError, match="try again later"):
        send(url, reading())
    with pytest.raises(FleetError) as caught:
        send(url, writing())
    assert "again" not in caught.value.message


# Tracebacks and logs


def test_a_request_and_its_answer_look_as_if_they_held_no_secret(wire: WireFactory) -> None:
    request = writing(f"/make/{TOKEN}", secrets=(TOKEN,), headers={"Client-Token": TOKEN}, body={"token": TOKEN})
    server = wire(answering(response({"token": TOKEN}, headers={"Token": TOKEN})))
    answer = transport(server.url).send(request, lambda answer: answer)
    assert answer.body == {"token": TOKEN}
    assert "s3cret" not in repr(request) + repr(answer)


def test_nothing_is_logged(wire: WireFactory, caplog: pytest.LogCaptureFixture) -> None:
    server = wire(answering(response({})))
    with caplog.at_level(logging.DEBUG):
        send(server.url, reading(f"/wait/{TOKEN}"))
    assert caplog.text == ""


# Shared connections


def test_callers_of_the_same_address_with_the_same_options_share_connections(wire: WireFactory) -> None:
    server = wire(answering(response({})))
    for _caller in range(3):
        transport_to(server.url, TransportOptions()).send(reading(), parse)
    assert (len(server.received), server.connections) == (3, 1)


@pytest.mark.parametrize("change", ["address", "options", "environment", "process"])
def test_another_address_option_environment_or_process_has_connections_of_its_own(
    monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    address, options = "https://api.example.com", TransportOptions()
    mine = transport_to(address, options)
    if change == "address":
        address += "/v3"
    elif change == "options":
        options = TransportOptions(validate_certs=False)
    elif change == "environment":
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    else:
        monkeypatch.setattr(os, "getpid", lambda: -1)
    assert transport_to(address, options) is not mine


# Options


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": float("inf")}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"retry_timeout": -0.1}, "retry_timeout"),
        ({"retry_timeout": float("nan")}, "retry_timeout"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 257}, "concurrency"),
        ({"ca_path": "/does/not/exist"}, "ca_path"),
    ],
)
def test_unusable_options_are_an_error_that_names_them(options: dict[str, float], names: str) -> None:
    with pytest.raises(UsageError, match=f"^{names} "):
        TransportOptions(**options)  # type: ignore[arg-type]
