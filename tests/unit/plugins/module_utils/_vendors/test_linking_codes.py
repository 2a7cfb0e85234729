# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the clients parse responses to requests for codes and reboots, documented ones and malformed ones."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import Delivery, FleetError, UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import (
    RequestBudget,
    Transport,
    TransportOptions,
)
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import (
    Credentials,
    Gateway,
    Instance,
    Reading,
)
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.green_api import GreenApi
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.parsing import parse_png
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.plugzapi import Plugzapi
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

PNG = b"\x89PNG\r\n\x1a\n and so on"
IN_BASE64 = base64.b64encode(PNG).decode()
TOKEN = "to/ken+=%"
CREDENTIALS = Credentials("7", TOKEN, "client/token")
PHONE = "4915112345678"

Ask = Callable[[Gateway], Any]


def qr(gateway: Gateway, *, as_text: bool = False) -> Any:
    return gateway.request_qr_code(CREDENTIALS, RequestBudget(), as_text=as_text)


def pairing(gateway: Gateway) -> Any:
    return gateway.request_pairing_code(CREDENTIALS, RequestBudget(), PHONE)


def reboot(gateway: Gateway) -> Any:
    return gateway.reboot(CREDENTIALS)


class Vendor:
    """A server that gives all requests the same response."""

    def __init__(self, server: HTTPServer) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self._server = server

    def ask(
        self, client: type[Gateway], ask: Ask, body: Any = None, status: int = 200, *, read_only: bool = False
    ) -> Any:
        """What the client returns for this response."""

        def answer(request: Request) -> Response:
            self.requests.append(
                (request.method, str(request.environ["REQUEST_URI"]), json.loads(request.data or b"0"))
            )
            return Response(body if isinstance(body, str) else json.dumps(body), status)

        self._server.expect_request(re.compile(".*")).respond_with_handler(answer)
        options = TransportOptions(timeout=5, retry_timeout=0, read_only=read_only)
        return ask(client(Transport(f"http://127.0.0.1:{self._server.port}", options)))


@pytest.fixture
def vendor(httpserver: HTTPServer) -> Vendor:
    return Vendor(httpserver)


def test_green_apis_requests(vendor: Vendor) -> None:
    vendor.ask(GreenApi, qr, {"type": "qrCode", "message": IN_BASE64})
    assert vendor.requests == [("GET", "/waInstance7/qr/to%2Fken%2B%3D%25", 0)]


def test_green_apis_request_for_a_pairing_code(vendor: Vendor) -> None:
    code = vendor.ask(GreenApi, pairing, {"status": True, "code": "GAPI2015"})
    assert code.text == "GAPI2015"
    path = "/waInstance7/getAuthorizationCode/to%2Fken%2B%3D%25"
    assert vendor.requests == [("POST", path, {"phoneNumber": 4915112345678})]


def test_green_apis_reboot(vendor: Vendor) -> None:
    assert vendor.ask(GreenApi, reboot, {"isReboot": True}) is None
    assert vendor.requests == [("GET", "/waInstance7/reboot/to%2Fken%2B%3D%25", 0)]


@pytest.mark.parametrize(("as_text", "call"), [(True, "qr-code"), (False, "qr-code/image")])
def test_plugzapis_requests_for_qr_codes(vendor: Vendor, as_text: bool, call: str) -> None:
    code = vendor.ask(Plugzapi, lambda gateway: qr(gateway, as_text=as_text), {"value": "2@what,it,says"})
    assert (code.text, code.image) == ("2@what,it,says", None)
    assert vendor.requests == [("GET", f"/instances/7/token/to%2Fken%2B%3D%25/{call}", 0)]


@pytest.mark.parametrize("head", ["", "data:image/png;base64,"])
def test_a_picture_with_and_without_its_head(vendor: Vendor, head: str) -> None:
    assert vendor.ask(Plugzapi, qr, {"value": head + IN_BASE64}).image == PNG


@pytest.mark.parametrize("head", ["", "data:image/png;base64,"])
def test_green_apis_picture_with_and_without_its_head(vendor: Vendor, head: str) -> None:
    assert vendor.ask(GreenApi, qr, {"type": "qrCode", "message": head + IN_BASE64}).image == PNG


def test_plugzapis_request_for_a_pairing_code(vendor: Vendor) -> None:
    assert vendor.ask(Plugzapi, pairing, {"value": "A1B2C3D4E5"}).text == "A1B2C3D4E5"
    assert vendor.requests == [("GET", f"/instances/7/token/to%2Fken%2B%3D%25/phone-code/{PHONE}", 0)]


def test_plugzapis_restart(vendor: Vendor) -> None:
    assert vendor.ask(Plugzapi, reboot, {"value": True}) is None
    assert vendor.requests == [("GET", "/instances/7/token/to%2Fken%2B%3D%25/restart", 0)]


LINKED = [
    (GreenApi, qr, {"type": "alreadyLogged", "message": "Instance has auth. You need to make log out"}),
    (Plugzapi, qr, {"connected": True}),
    (Plugzapi, qr, {"connected": True, "error": "You are already connected"}),
    (Plugzapi, pairing, {"connected": True, "error": "You are already connected"}),
]


@pytest.mark.parametrize(("client", "ask", "body"), LINKED)
def test_a_linked_instance_gives_no_code(vendor: Vendor, client: type[Gateway], ask: Ask, body: Any) -> None:
    assert vendor.ask(client, ask, body) is None


# client, request, HTTP status, body, code of the error, whether it is retryable, its delivery
FAILURES: list[tuple[type[Gateway], Ask, int, Any, str, bool, Delivery]] = [
    (GreenApi, qr, 200, {"type": "error", "message": "no luck"}, "vendor", False, Delivery.REFUSED),
    (GreenApi, qr, 200, {"type": "error"}, "vendor", False, Delivery.REFUSED),
    (GreenApi, qr, 200, {"type": "passkeyRequired", "message": ""}, "vendor", False, Delivery.REFUSED),
    (GreenApi, qr, 200, {"type": "passkeyRequired"}, "vendor", False, Delivery.REFUSED),
    (GreenApi, qr, 200, {"type": "qrCode", "message": "no base64!"}, "bad_answer", False, Delivery.UNKNOWN),
    (GreenApi, qr, 200, {"type": "qrCode", "message": "bm8gUE5H"}, "bad_answer", False, Delivery.UNKNOWN),
    (GreenApi, qr, 200, {"type": "qrCode"}, "bad_answer", False, Delivery.UNKNOWN),
    (GreenApi, qr, 200, {"type": "surprise"}, "bad_answer", False, Delivery.UNKNOWN),
    (GreenApi, qr, 200, [], "bad_answer", False, Delivery.UNKNOWN),
    (GreenApi, qr, 400, "instance in starting process try later", "unavailable", True, Delivery.REFUSED),
    (GreenApi, qr, 401, "Unauthorized", "unauthorized", False, Delivery.REFUSED),
    (GreenApi, qr, 466, {}, "quota", False, Delivery.REFUSED),
    (GreenApi, qr, 502, "<html>", "unavailable", True, Delivery.UNKNOWN),
    (GreenApi, pairing, 200, {"status": False, "code": ""}, "vendor", False, Delivery.REFUSED),
    (GreenApi, pairing, 200, {"status": True}, "bad_answer", False, Delivery.UNKNOWN),
    (GreenApi, pairing, 200, {"status": True, "code": 12345678}, "bad_answer", False, Delivery.UNKNOWN),
    (GreenApi, reboot, 200, {"isReboot": False}, "vendor", False, Delivery.REFUSED),
    (GreenApi, pairing, 200, {"status": "no", "code": "12345678"}, "bad_answer", False, Delivery.UNKNOWN),
    (GreenApi, reboot, 200, {}, "bad_answer", False, Delivery.UNKNOWN),
    (GreenApi, reboot, 200, {"code": 401, "description": "no"}, "unauthorized", False, Delivery.REFUSED),
    (GreenApi, reboot, 400, "instance in starting process try later", "unavailable", True, Delivery.REFUSED),
    (GreenApi, reboot, 499, "", "timeout", True, Delivery.UNKNOWN),
    (Plugzapi, qr, 200, {"value": "data:image/jpeg;base64,AAAA"}, "bad_answer", False, Delivery.UNKNOWN),
    (Plugzapi, qr, 200, {"value": ""}, "bad_answer", False, Delivery.UNKNOWN),
    (Plugzapi, qr, 200, {"value": None}, "bad_answer", False, Delivery.UNKNOWN),
    (Plugzapi, qr, 200, {"value": "2" * 2954}, "bad_answer", False, Delivery.UNKNOWN),
    (Plugzapi, qr, 200, {"value": "ü" * 1477}, "bad_answer", False, Delivery.UNKNOWN),
    (Plugzapi, qr, 200, {"error": "no luck"}, "vendor", False, Delivery.REFUSED),
    (Plugzapi, qr, 200, {"error": "NOT_FOUND", "message": "..."}, "not_found", False, Delivery.REFUSED),
    (Plugzapi, qr, 403, {"error": "null not allowed"}, "unauthorized", False, Delivery.REFUSED),
    (Plugzapi, pairing, 200, {}, "bad_answer", False, Delivery.UNKNOWN),
    (Plugzapi, reboot, 200, {"value": False}, "vendor", False, Delivery.REFUSED),
    (Plugzapi, reboot, 200, {"error": "no luck"}, "vendor", False, Delivery.REFUSED),
    (Plugzapi, reboot, 200, {"value": "true"}, "bad_answer", False, Delivery.UNKNOWN),
    (Plugzapi, reboot, 500, "", "unavailable", True, Delivery.UNKNOWN),
]


@pytest.mark.parametrize(("client", "ask", "status", "body", "code", "retryable", "delivery"), FAILURES)
def test_failures(
    vendor: Vendor,
    client: type[Gateway],
    ask: Ask,
    status: int,
    body: Any,
    code: str,
    retryable: bool,
    delivery: Delivery,
) -> None:
    with pytest.raises(FleetError) as failure:
        vendor.ask(client, ask, body, status)
    error = failure.value
    assert (error.code, error.retryable, error.delivery) == (code, retryable, delivery)
    assert "instance 7" in error.message
    assert TOKEN not in error.message


@pytest.mark.parametrize("client", [GreenApi, Plugzapi])
@pytest.mark.parametrize("ask", [qr, pairing, reboot])
def test_none_of_them_is_sent_in_check_mode(vendor: Vendor, client: type[Gateway], ask: Ask) -> None:
    with pytest.raises(AssertionError, match="check mode must not send"):
        vendor.ask(client, ask, read_only=True)
    assert vendor.requests == []


@pytest.mark.parametrize(
    ("client", "ask", "body"),
    [
        (GreenApi, qr, {"type": "error", "message": f"no luck with {TOKEN}"}),
        (Plugzapi, qr, {"error": f"no luck with {TOKEN} and client/token"}),
    ],
)
def test_vendors_messages_are_shown_without_tokens(vendor: Vendor, client: type[Gateway], ask: Ask, body: Any) -> None:
    with pytest.raises(FleetError) as failure:
        vendor.ask(client, ask, body)
    assert "no luck with ***" in failure.value.message
    assert "client/token" not in failure.value.message


def test_codes_are_not_in_what_a_code_looks_like(vendor: Vendor) -> None:
    code = vendor.ask(Plugzapi, pairing, {"value": "A1B2C3D4E5"})
    assert "A1B2" not in repr(code)


class Acme(Gateway):
    """A gateway that can neither link nor reboot."""

    provider = "acme"

    def read_state(self, credentials: Credentials, budget: RequestBudget) -> Reading:
        raise NotImplementedError

    def list_instances(self) -> list[Instance] | None:
        raise NotImplementedError

    def create_instance(self, payload: Any) -> Instance:
        raise NotImplementedError

    @staticmethod
    def payload_for(name: str, options: Any) -> dict[str, Any]:
        raise NotImplementedError


@pytest.mark.parametrize("ask", [qr, pairing, reboot])
def test_a_gateway_without_these_calls_says_so(vendor: Vendor, ask: Ask) -> None:
    with pytest.raises(UsageError, match="acme has no call for"):
        vendor.ask(Acme, ask)


@pytest.mark.parametrize("value", [None, 1, "", "!", "data:image/png;base64,", base64.b64encode(b"GIF89a").decode()])
def test_what_is_no_png(value: Any) -> None:
    assert parse_png(value) is None
