# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing the settings of an instance: what the answers mean, and what is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import RequestBudget
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Credentials
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.green_api import GreenApi
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.plugzapi import Plugzapi
from ansible_collections.msgops.fleet.tests.support.wire import ANY, TOKEN, raised_error, transport
from pytest_httpserver import HTTPServer

CREDENTIALS = Credentials("1101000001", TOKEN)
GREEN_KEYS = ("webhookUrl", "stateWebhook", "autoTyping")
PLUGZ_KEYS = ("received_callback_url", "auto_read_message")


def read_green(url: str) -> dict[str, Any]:
    return GreenApi(transport(url)).read_settings(CREDENTIALS, GREEN_KEYS, RequestBudget())


def read_plugz(url: str) -> dict[str, Any]:
    return Plugzapi(transport(url)).read_settings(CREDENTIALS, PLUGZ_KEYS, RequestBudget())


def test_green_api_tells_all_settings_but_the_phones_number(httpserver: HTTPServer, url: str) -> None:
    body = {"wid": "79@c.us", "webhookUrl": "", "stateWebhook": "no", "autoTyping": 0, "enableLidMode": "yes", "x": []}
    httpserver.expect_oneshot_request(ANY).respond_with_json(body)
    told = {"webhookUrl": "", "stateWebhook": "no", "autoTyping": 0, "enableLidMode": "yes"}
    assert read_green(url) == told


@pytest.mark.parametrize("left_out", [{"autoTyping": None}, {}])
def test_what_green_api_leaves_out_is_not_in_the_settings(
    httpserver: HTTPServer, url: str, left_out: dict[str, Any]
) -> None:
    body = {"webhookUrl": None, "stateWebhook": None, **left_out}
    httpserver.expect_oneshot_request(ANY).respond_with_json(body)
    assert read_green(url) == {"webhookUrl": ""}


@pytest.mark.parametrize(
    "body",
    [
        *([], {}, "x", 1, None),
        *({"webhookUrl": 1}, {"webhookUrl": ["a"]}, {"stateWebhook": True}, {"stateWebhook": "maybe"}),
        *({"autoTyping": "3"}, {"autoTyping": True}, {"autoTyping": 1.5}),
    ],
)
def test_another_answer_of_green_api_is_a_bad_answer(httpserver: HTTPServer, url: str, body: Any) -> None:
    httpserver.expect_oneshot_request(ANY).respond_with_json(body)
    assert raised_error(lambda: read_green(url)).code == "bad_answer"


@pytest.mark.parametrize(
    ("body", "code", "delivery"),
    [
        ({"saveSettings": False}, "vendor", Delivery.REFUSED),
        ({"saveSettings": "true"}, "bad_answer", Delivery.UNKNOWN),
        ({}, "bad_answer", Delivery.UNKNOWN),
        (None, "bad_answer", Delivery.UNKNOWN),
        ({"code": 401, "description": "Unauthorized"}, "unauthorized", Delivery.REFUSED),
    ],
)
def test_only_save_settings_says_that_green_api_took_them(
    httpserver: HTTPServer, url: str, body: Any, code: str, delivery: Delivery
) -> None:
    httpserver.expect_oneshot_request(ANY).respond_with_json(body)
    error = raised_error(lambda: GreenApi(transport(url)).write_settings(CREDENTIALS, {"autoTyping": 1}))
    assert (error.code, error.delivery) == (code, delivery)


def test_plugzapi_tells_its_settings_by_option(httpserver: HTTPServer, url: str) -> None:
    body = {"id": "1", "receivedCallbackUrl": None, "autoReadMessage": False, "callRejectAuto": True, "token": "t"}
    httpserver.expect_oneshot_request(ANY).respond_with_json(body)
    told = {"received_callback_url": "", "auto_read_message": False, "call_reject_auto": True}
    assert read_plugz(url) == told


@pytest.mark.parametrize(
    ("status", "body"), [(404, {"error": "Not Found"}), (405, {"error": "Method Not Allowed"}), (404, "")]
)
def test_without_the_call_plugzapi_tells_nothing(httpserver: HTTPServer, url: str, status: int, body: Any) -> None:
    httpserver.expect_oneshot_request(ANY).respond_with_data(json.dumps(body) if body else "", status)
    assert read_plugz(url) == {}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, {"error": "Instance not found"}, "not_found"),
        (403, {"error": "Client-Token x not allowed"}, "forbidden"),
        (200, {"error": "something else"}, "vendor"),
        (200, {"name": "shop"}, "bad_answer"),
        (200, [], "bad_answer"),
        (200, {"id": "1", "receivedCallbackUrl": 1}, "bad_answer"),
        (200, {"id": "1", "autoReadMessage": "no"}, "bad_answer"),
    ],
)
def test_other_answers_of_plugzapi_are_errors(
    httpserver: HTTPServer, url: str, status: int, body: Any, code: str
) -> None:
    httpserver.expect_oneshot_request(ANY).respond_with_json(body, status)
    assert raised_error(lambda: read_plugz(url)).code == code


@pytest.mark.parametrize(
    ("option", "call", "body"),
    [
        ("received_callback_url", "update-webhook-received", {"value": "https://h.example"}),
        ("notify_sent_by_me", "update-notify-sent-by-me", {"notifySentByMe": True}),
        ("presence_chat_callback_url", "update-webhook-chat-presence", {"value": ""}),
    ],
)
def test_each_setting_of_plugzapi_has_its_call(
    httpserver: HTTPServer, url: str, option: str, call: str, body: dict[str, Any]
) -> None:
    (value,) = body.values()
    httpserver.expect_oneshot_request(ANY, method="PUT", json=body).respond_with_json({"value": True})
    Plugzapi(transport(url)).write_settings(CREDENTIALS, {option: value})
    ((request, _response),) = httpserver.log
    assert request.path.endswith(f"/{call}")


@pytest.mark.parametrize("write", [GreenApi, Plugzapi])
def test_a_vendor_that_quotes_the_secrets_of_a_url_tells_none(
    httpserver: HTTPServer, url: str, write: Callable[..., Any]
) -> None:
    key = "webhookUrl" if write is GreenApi else "received_callback_url"
    text = "not user:pa%3Ass at h.example/in?key=c4n4ry-query, nor pa:ss with c4n4ry-query"
    httpserver.expect_oneshot_request(ANY).respond_with_json({"error": text, "message": text}, 400)
    changes = {key: "https://user:pa%3Ass@h.example/in?key=c4n4ry-query"}
    error = raised_error(lambda: write(transport(url)).write_settings(CREDENTIALS, changes))
    assert "h.example" in error.message
    assert not any(secret in error.message for secret in ("c4n4ry", "pa:ss", "pa%3Ass"))


def test_plugzapi_is_told_that_own_messages_are_not_wanted_after_what_switches_them_on() -> None:
    requests = Plugzapi.settings_requests(
        {"name": "a", "received_and_delivery_callback_url": "https://h.example"},
        {"received_and_delivery_callback_url": "https://h.example", "notify_sent_by_me": False, "name": "a"},
    )
    assert [next(iter(request)) for request in requests] == [
        "received_and_delivery_callback_url", "name", "notify_sent_by_me",
    ]  # fmt: skip
    cleared = {"received_and_delivery_callback_url": ""}
    assert Plugzapi.settings_requests(cleared, {**cleared, "notify_sent_by_me": False}) == [cleared]
