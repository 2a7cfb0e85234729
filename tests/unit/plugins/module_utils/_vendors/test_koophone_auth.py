# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How requests to KooPhone authenticate: by a given token, as an IAM user, or with an access key."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import TransportOptions
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_auth import (
    AccessKey,
    Authentication,
    GivenToken,
    IamUser,
)
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_options import make_authentication
from ansible_collections.msgops.fleet.tests.support.wire import (
    TOKEN,
    Clock,
    WireFactory,
    answering,
    raised_error,
    response,
    transport,
)
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

PASSWORD = TOKEN


def issued(token: str, seconds: float = 86400, **headers: str) -> bytes:
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    body = {"token": {"expires_at": end.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}}
    return response(body, 201, {"X-Subject-Token": token, **headers})


def iam_user(url: str, **options: Any) -> IamUser:
    return IamUser(transport(url, **options), "robot", PASSWORD, "acme", "cn-south-1")


def make_headers(authentication: Authentication) -> dict[str, str]:
    return dict(authentication.headers_for("POST", "https://koophone.example.com/v1/x", b"{}"))


# A given token


def test_a_given_token_is_sent_as_it_is() -> None:
    authentication = GivenToken(TOKEN)
    assert make_headers(authentication) == {"X-Auth-Token": TOKEN}
    assert authentication.secrets == (TOKEN,)
    assert TOKEN not in repr(authentication)


# A user of IAM


def test_iam_is_asked_for_a_projects_token(wire: WireFactory) -> None:
    server = wire(answering(issued("project-token")))
    assert make_headers(iam_user(server.url)) == {"X-Auth-Token": "project-token"}
    request = server.received[0]
    assert (request.method, request.target) == ("POST", "/v3/auth/tokens?nocatalog=true")
    user = {"name": "robot", "password": PASSWORD, "domain": {"name": "acme"}}
    assert request.json == {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "cn-south-1"}},
        }
    }


def test_a_token_is_used_again_until_shortly_before_its_end(wire: WireFactory) -> None:
    server = wire(answering(issued("long", 3600), issued("another")))
    authentication = iam_user(server.url)
    assert [make_headers(authentication)["X-Auth-Token"] for _use in range(3)] == ["long"] * 3
    assert len(server.received) == 1


def test_a_token_that_is_about_to_end_is_replaced(wire: WireFactory) -> None:
    server = wire(answering(issued("short", 60), issued("another")))
    authentication = iam_user(server.url)
    assert [make_headers(authentication)["X-Auth-Token"] for _use in range(3)] == ["short", "another", "another"]


def test_a_token_that_ended_in_the_first_year_is_replaced(wire: WireFactory) -> None:
    first = response({"token": {"expires_at": "0001-01-01T00:00:00Z"}}, 201, {"X-Subject-Token": "old"})
    authentication = iam_user(wire(answering(first, issued("another"))).url)
    assert [make_headers(authentication)["X-Auth-Token"] for _use in range(2)] == ["old", "another"]


def test_password_and_token_are_secrets(wire: WireFactory) -> None:
    authentication = iam_user(wire(answering(issued("project-token"))).url)
    assert authentication.secrets == (PASSWORD,)
    make_headers(authentication)
    assert set(authentication.secrets) == {PASSWORD, "project-token"}


IAM_SAYS = {
    "as Keystone does": {"error": {"code": 1, "message": f"The password {PASSWORD} is wrong.", "title": "No"}},
    "with a code": {"error_code": "IAM.0073", "error_msg": f"The password {PASSWORD} is wrong."},
}


@pytest.mark.parametrize("body", IAM_SAYS.values(), ids=IAM_SAYS)
@pytest.mark.parametrize(("status", "code"), [(401, "unauthorized"), (403, "forbidden")])
def test_a_refusal_by_iam_is_told_in_its_words_and_not_repeated(
    wire: WireFactory, clock: Clock, status: int, code: str, body: Any
) -> None:
    server = wire(answering(response(body, status)))
    error = raised_error(lambda: make_headers(iam_user(server.url, retry_timeout=60.0)))
    assert (error.code, error.http_status, error.retryable) == (code, status, False)
    assert error.message.startswith("Asking Huawei Cloud IAM for a token of user robot failed")
    assert "The password *** is wrong." in error.message
    assert "check iam_user, iam_password, iam_domain and project_name" in error.message
    assert len(server.received) == 1


@pytest.mark.parametrize("body", IAM_SAYS.values(), ids=IAM_SAYS)
def test_a_request_that_iam_finds_bad_is_told_why(wire: WireFactory, body: Any) -> None:
    error = raised_error(lambda: make_headers(iam_user(wire(answering(response(body, 400))).url)))
    assert (error.code, error.http_status) == ("bad_request", 400)
    assert "The password *** is wrong." in error.message


@pytest.mark.parametrize("body", [None, [], {}, {"error": "no"}, {"error": {"message": 5}}, {"error_msg": 5}])
def test_iam_may_say_nothing(wire: WireFactory, body: Any) -> None:
    error = raised_error(lambda: make_headers(iam_user(wire(answering(response(body, 403))).url)))
    assert error.code == "forbidden"


def test_iam_is_asked_again_after_a_failure_of_the_moment(wire: WireFactory, clock: Clock) -> None:
    server = wire(answering(response({}, 503), issued("project-token")))
    assert make_headers(iam_user(server.url, retry_timeout=60.0)) == {"X-Auth-Token": "project-token"}


@pytest.mark.parametrize(
    "answer",
    [
        response({}, 201, {"X-Subject-Token": "x"}),
        response({"token": None}, 201, {"X-Subject-Token": "x"}),
        response({"token": {"expires_at": 5}}, 201, {"X-Subject-Token": "x"}),
        response({"token": {"expires_at": "soon"}}, 201, {"X-Subject-Token": "x"}),
        issued(""),
        response(b"<html>", 200, {"X-Subject-Token": "x"}),
    ],
)
def test_another_answer_of_iam_is_a_bad_answer(wire: WireFactory, answer: bytes) -> None:
    assert raised_error(lambda: make_headers(iam_user(wire(answering(answer)).url))).code == "bad_answer"


def test_an_end_without_a_zone_is_taken_as_utc(wire: WireFactory) -> None:
    end = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).replace(tzinfo=None)
    server = wire(answering(response({"token": {"expires_at": end.isoformat()}}, 201, {"X-Subject-Token": "x"})))
    authentication = iam_user(server.url)
    assert [make_headers(authentication)["X-Auth-Token"] for _use in range(2)] == ["x", "x"]
    assert len(server.received) == 1


# An access key


@pytest.mark.parametrize(
    "path", ["/v1/instances/batch-query-status", "/", "/a b/%C3%A9~x", "/v1/instances?page_no=1&page_size=2&name=a+b"]
)
@pytest.mark.parametrize("body", [b"", b'{"instance_ids": ["a"]}', "Zoë".encode()])
def test_a_signature_is_the_one_that_huaweis_sdk_makes(path: str, body: bytes) -> None:
    host = "koophone.example.com"
    signed = {"Host": host, "X-Sdk-Date": "20260102T030405Z"}
    mine = AccessKey("AKEY", "skey").authorization("POST", f"https://{host}{path}", signed, body)
    resource, _mark, query = path.partition("?")
    request = SdkRequest(
        method="POST",
        schema="https",
        host=host,
        resource_path=resource,
        query_params=[tuple(pair.replace("+", " ").split("=")) for pair in query.split("&") if pair],
        header_params={"X-Sdk-Date": signed["X-Sdk-Date"]},
        body=body,
    )
    theirs = Signer(BasicCredentials("AKEY", "skey", "project")).sign(request).header_params["Authorization"]
    assert mine == theirs


def test_a_signature_covers_host_and_date_and_holds_no_secret() -> None:
    authentication = AccessKey("AKEY", TOKEN)
    headers = make_headers(authentication)
    assert headers["Host"] == "koophone.example.com"
    assert re.fullmatch(r"\d{8}T\d{6}Z", headers["X-Sdk-Date"])
    assert re.fullmatch(
        r"SDK-HMAC-SHA256 Access=AKEY, SignedHeaders=host;x-sdk-date, Signature=[0-9a-f]{64}", headers["Authorization"]
    )
    assert authentication.secrets == (TOKEN,)
    assert TOKEN not in repr(authentication)


# Choosing

IAM = {"iam_user": "robot", "iam_password": PASSWORD, "iam_domain": "acme", "project_name": "cn-south-1"}


def choose(params: dict[str, Any]) -> tuple[Authentication, set[str]]:
    secrets: set[str] = set()
    options = TransportOptions()
    chosen = make_authentication({"iam_endpoint": "https://iam.example.com", **params}, options, secrets)
    return chosen, secrets


@pytest.mark.parametrize(
    ("params", "kind", "secret"),
    [
        ({"auth_token": TOKEN}, GivenToken, TOKEN),
        (IAM, IamUser, PASSWORD),
        ({"access_key": "AKEY", "secret_key": "skey"}, AccessKey, "skey"),
    ],
)
def test_a_way_is_chosen_by_the_options_or_by_their_variables(
    monkeypatch: pytest.MonkeyPatch, params: dict[str, str], kind: type, secret: str
) -> None:
    assert isinstance(choose(params)[0], kind)
    for option, value in params.items():
        monkeypatch.setenv(f"KOOPHONE_{option.upper()}", value)
    chosen, secrets = choose({})
    assert isinstance(chosen, kind)
    assert secrets == {secret}


def test_an_option_may_come_from_the_task_and_another_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOOPHONE_SECRET_KEY", "skey")
    assert choose({"access_key": "AKEY"})[0] == AccessKey("AKEY", "skey")


def test_what_the_task_chooses_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOOPHONE_AUTH_TOKEN", "another")
    assert isinstance(choose({"access_key": "AKEY", "secret_key": "skey"})[0], AccessKey)


def test_the_spaces_around_a_token_are_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOOPHONE_ACCESS_KEY", " ")
    monkeypatch.setenv("KOOPHONE_AUTH_TOKEN", f" {TOKEN}\n")
    assert choose({})[0] == GivenToken(TOKEN)


def test_missing_credentials_are_an_error_that_names_the_ways_to_authenticate() -> None:
    with pytest.raises(UsageError) as caught:
        choose({})
    for name in ("auth_token", "iam_user", "access_key", "KOOPHONE_AUTH_TOKEN"):
        assert name in caught.value.message


@pytest.mark.parametrize("missing", sorted(set(IAM) - {"iam_user"}))
def test_a_missing_option_is_an_error_that_names_the_option_and_its_variable(missing: str) -> None:
    with pytest.raises(UsageError, match=f"iam_user needs {missing} .*KOOPHONE_{missing.upper()}"):
        choose({option: value for option, value in IAM.items() if option != missing})
