# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
import requests

signing: Any = pytest.importorskip("msgops_emulator.signing")

if TYPE_CHECKING:
    from msgops_emulator import Control

    from .conftest import KooPhone


@pytest.fixture
def ids(emulator: Control) -> list[str]:
    phones = emulator.seed(phones=[{"count": 3, "statuses": [2, 0, 7]}])["phones"]
    return [phone["id"] for phone in phones]


def test_a_batch_in_both_shapes(koo: KooPhone, emulator: Control, ids: list[str]) -> None:
    results = [{"instance_id": id, "status": status} for id, status in zip(ids, (2, 0, 7), strict=True)]
    assert koo.query([*ids, ids[0], "unknown"]).json() == {
        "data": {"status_results": results},
        "error_code": "0",
        "error_msg": "ok",
    }
    emulator.config({"koophone.answer_shape": "top_level"})
    assert koo.query(ids).json() == {"status_results": results}


@pytest.mark.parametrize("code", ["1001", "1002", "1012", "4001"])
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_one_unknown_id_refuses_the_batch(
    koo: KooPhone, emulator: Control, ids: list[str], code: str, status: int
) -> None:
    options = {"koophone.unknown_ids": code, "koophone.error_status": status}
    emulator.seed(accounts=[{"provider": "koophone", "name": "default", "options": options}])
    response = koo.query([*ids, "unknown"])
    assert response.status_code == status
    assert response.json()["error_code"] == f"KOOPHONE.API.{code}"
    assert koo.query(ids).json()["error_code"] == "0"


@pytest.mark.parametrize("bad", [[], ["x"] * 101, ["x" * 33], [""], [7], "x", None])
def test_an_invalid_list_of_ids_is_refused(koo: KooPhone, bad: Any) -> None:
    assert koo.query(bad).json()["error_code"] == "KOOPHONE.API.1000"


def test_x_request_id_is_mandatory(koo: KooPhone, emulator: Control, ids: list[str]) -> None:
    emulator.config({"koophone.error_status": 400})
    response = koo.query(ids, {"X-Auth-Token": koo.credential("koophone", "auth_token")})
    assert (response.status_code, response.json()["error_code"]) == (200, "KOOPHONE.API.0002")


@pytest.mark.parametrize(("headers", "text"), [({}, "not found"), ({"X-Auth-Token": "x"}, "decrypt token fail")])
def test_the_gateway_checks_credentials_first(koo: KooPhone, headers: dict[str, str], text: str) -> None:
    response = koo.query(["x"], headers)
    assert response.status_code == 401
    body = response.json()
    assert body["error_code"] == "APIG.0301"
    assert text in body["error_msg"]
    assert body["request_id"]


def test_an_unknown_api(koo: KooPhone) -> None:
    response = koo.send("GET", "/v1/instances/batch-query-status")
    assert (response.status_code, response.json()["error_code"]) == (404, "APIG.0101")


def test_the_listing(koo: KooPhone, emulator: Control, ids: list[str]) -> None:
    emulator.set_phone(ids[0], 7)
    body = koo.list(page_no=1, page_size=2, **{"x-request-id": "1"}).json()
    assert body["error_code"] == "0"
    assert body["data"]["total_count"] == 3
    assert [item["instance_id"] for item in body["data"]["result"]] == ids[:2]
    assert body["data"]["result"][0]["running_status"] == 0
    only = koo.list(page_no=1, page_size=9, instance_id=ids[2], **{"x-request-id": "1"}).json()
    assert [item["instance_id"] for item in only["data"]["result"]] == [ids[2]]
    assert koo.list(page_no=1, page_size=2).json()["error_code"] == "KOOPHONE.API.0002"
    assert koo.list(**{"x-request-id": "1"}).json()["error_code"] == "KOOPHONE.API.1000"


def test_a_phone_follows_a_schedule(koo: KooPhone, emulator: Control, ids: list[str]) -> None:
    emulator.set_phone(ids[0], 4, [(30, 2)])
    assert koo.query(ids[:1]).json()["data"]["status_results"][0]["status"] == 4
    emulator.advance(30)
    assert koo.query(ids[:1]).json()["data"]["status_results"][0]["status"] == 2


def test_phones_of_another_tenant_are_unknown(koo: KooPhone, emulator: Control, ids: list[str]) -> None:
    emulator.seed(accounts=[{"provider": "koophone", "name": "other"}], phones=[{"id": "theirs", "account": "other"}])
    assert koo.query(["theirs"]).json()["data"]["status_results"] == []
    koo.account = "other"
    assert koo.query([*ids, "theirs"]).json()["data"]["status_results"] == [{"instance_id": "theirs", "status": 2}]


def test_a_limit_per_second(koo: KooPhone, emulator: Control, ids: list[str]) -> None:
    emulator.config({"koophone.requests_per_second": 2})
    emulator.freeze()
    responses = [koo.query(ids) for _n in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert responses[2].json()["error_code"] == "APIG.0308"
    assert "over ratelimit,limit:2,time:1 second" in responses[2].json()["error_msg"]
    emulator.advance(1)
    assert koo.query(ids).status_code == 200


# IAM


def test_a_token_from_iam_works_until_it_expires(koo: KooPhone, emulator: Control, ids: list[str]) -> None:
    response = koo.iam()
    assert response.status_code == 201
    token = response.headers["X-Subject-Token"]
    assert len(token) > 2000
    expires = datetime.strptime(response.json()["token"]["expires_at"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert expires.timestamp() == pytest.approx(emulator.clock()["now"] + 86400, abs=60)
    headers = {"X-Auth-Token": token, "x-request-id": "1"}
    assert koo.query(ids, headers).json()["error_code"] == "0"
    emulator.advance(86400)
    late = koo.query(ids, headers)
    assert late.status_code == 401
    assert "token expires" in late.json()["error_msg"]


def test_the_catalog_can_be_left_out(koo: KooPhone) -> None:
    assert "catalog" in koo.iam().json()["token"]
    assert "catalog" not in koo.iam(params={"nocatalog": "true"}).json()["token"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"password": "wrong"}, 401), ({"project": "mars"}, 403), ({"body": {"auth": {}}}, 400), ({"body": [1]}, 400)],
)
def test_iam_errors_have_the_form_of_keystone(koo: KooPhone, changes: dict[str, Any], status: int) -> None:
    response = koo.iam(**changes)
    assert response.status_code == status
    assert set(response.json()["error"]) == {"code", "message", "title"}
    assert response.json()["error"]["code"] == status


# AK/SK


def signed(emulator: Control, ids: list[str], *, secret_key: str | None = None, at: float | None = None) -> Any:
    """Sign a batch query, step by step as the vendor's documentation describes it."""
    account = emulator.account("koophone")
    body = json.dumps({"instance_ids": ids}).encode()
    now = datetime.fromtimestamp(emulator.clock()["now"] if at is None else at, timezone.utc)
    date = now.strftime("%Y%m%dT%H%M%SZ")
    host = emulator.url.partition("//")[2]
    names = "content-type;host;x-sdk-date"
    canonical = (
        "POST\n/v1/instances/batch-query-status/\n\n"
        f"content-type:application/json\nhost:{host}\nx-sdk-date:{date}\n\n{names}\n" + hashlib.sha256(body).hexdigest()
    )
    to_sign = f"SDK-HMAC-SHA256\n{date}\n" + hashlib.sha256(canonical.encode()).hexdigest()
    key = account["secret_key"] if secret_key is None else secret_key
    signature = hmac.new(key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    scheme = "SDK-HMAC-SHA256"
    headers = {
        "Content-Type": "application/json",
        "X-Sdk-Date": date,
        "x-request-id": "1",
        "Authorization": f"{scheme} Access={account['access_key']}, SignedHeaders={names}, Signature={signature}",
    }
    return body, headers


def post(emulator: Control, body: bytes, headers: dict[str, str]) -> requests.Response:
    url = f"{emulator.url}/v1/instances/batch-query-status"
    return requests.post(url, data=body, headers=headers, timeout=10)


def test_a_valid_signature(emulator: Control, ids: list[str]) -> None:
    body, headers = signed(emulator, ids)
    assert len(post(emulator, body, headers).json()["data"]["status_results"]) == 3


def test_invalid_signatures(emulator: Control, ids: list[str]) -> None:
    body, headers = signed(emulator, ids)
    wrong = [
        (body + b" ", headers),
        (body, {**headers, "Content-Type": "text/plain"}),
        (body, {**headers, "Authorization": "SDK-HMAC-SHA256 nonsense"}),
        (body, {**headers, "Authorization": headers["Authorization"].replace("EMULATOR", "OTHER")}),
        signed(emulator, ids, secret_key="other"),
    ]
    for changed, others in wrong:
        response = post(emulator, changed, others)
        assert (response.status_code, response.json()["error_code"]) == (401, "APIG.0301")


@pytest.mark.parametrize(("seconds", "status"), [(14 * 60, 200), (-14 * 60, 200), (16 * 60, 401), (-16 * 60, 401)])
def test_the_skew_of_signatures(emulator: Control, ids: list[str], seconds: float, status: int) -> None:
    body, headers = signed(emulator, ids, at=emulator.clock()["now"] + seconds)
    assert post(emulator, body, headers).status_code == status


def test_the_vendors_own_signer(emulator: Control, ids: list[str]) -> None:
    signer = pytest.importorskip("huaweicloudsdkcore.signer.signer")
    request = pytest.importorskip("huaweicloudsdkcore.sdk_request").SdkRequest
    credentials = pytest.importorskip("huaweicloudsdkcore.auth.credentials").BasicCredentials
    account = emulator.account("koophone")
    signed_request = signer.Signer(credentials(account["access_key"], account["secret_key"])).sign(
        request(
            method="GET",
            schema="http",
            host=emulator.url.partition("//")[2],
            resource_path="/v1/instances/batch-query",
            query_params=[("page_size", "5"), ("page_no", "1"), ("instance_name", "a b/ü+")],
            header_params={"x-request-id": "1", "Content-Type": "application/json"},
            body="",
        )
    )
    response = requests.get(emulator.url + signed_request.uri, headers=signed_request.header_params, timeout=10)
    assert (response.status_code, response.json()["error_code"]) == (200, "0")


def phone(emulator: Control, id: str) -> dict[str, Any]:
    (found,) = [phone for phone in emulator.phones() if phone["id"] == id]
    return found


def test_a_reboot_shows_as_statuses(koo: KooPhone, emulator: Control, ids: list[str]) -> None:
    emulator.freeze()
    emulator.config({"koophone.reboot_lag_seconds": 5, "koophone.reboot_seconds": 30})
    assert koo.reboot(ids[:1]) == {"error_code": "0", "error_msg": "OK"}
    for seconds, status in ((0, 2), (5, 4), (29, 4), (1, 2)):
        emulator.advance(seconds)
        assert phone(emulator, ids[0])["status"] == status
    assert [entry["route"] for entry in emulator.log(writes=True)] == ["koophone.reboot"]


def test_one_phone_that_is_not_running_refuses_a_reboot(koo: KooPhone, emulator: Control, ids: list[str]) -> None:
    assert koo.reboot(ids)["error_code"] == "KOOPHONE.API.5005"
    assert koo.reboot([ids[0], "unknown"])["error_code"] == "KOOPHONE.API.4001"
    assert phone(emulator, ids[0])["pending"] == []


@pytest.mark.parametrize("bad", [[], ["x"] * 101, "x", None, [7]])
def test_an_invalid_reboot(koo: KooPhone, bad: Any) -> None:
    assert koo.reboot(bad)["error_code"] == "KOOPHONE.API.1000"


def test_a_call_that_the_user_may_not_make(koo: KooPhone, emulator: Control, ids: list[str]) -> None:
    emulator.config({"koophone.denied": "POST reboot"})
    assert koo.reboot(ids[:1])["error_code"] == "APIG.0302"
    assert koo.query(ids[:1]).json()["error_code"] == "0"
