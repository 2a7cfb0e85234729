# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("msgops_emulator")

if TYPE_CHECKING:
    from msgops_emulator import Control

    from .conftest import PlugzApi

NOT_FOUND = {"error": "NOT_FOUND", "message": "Unable to find matching target resource method"}


def seeded(emulator: Control, **item: Any) -> dict[str, Any]:
    return emulator.seed(instances=[{"provider": "plugzapi", **item}])["instances"][0]


@pytest.mark.parametrize("status", [200, 201])
def test_a_creation(plugz: PlugzApi, emulator: Control, status: int) -> None:
    emulator.config({"plugzapi.create_status": status})
    response = plugz.create(name="loja", sessionName="s", connectedCallbackUrl="https://example.org/up")
    assert response.status_code == status
    body = response.json()
    assert set(body) == {"id", "token", "due"}
    assert re.fullmatch("[0-9A-F]{32}", body["id"])
    assert re.fullmatch("[0-9A-F]{24}", body["token"])
    (instance,) = emulator.instances()
    assert instance["attributes"] == {"sessionName": "s", "connectedCallbackUrl": "https://example.org/up"}


@pytest.mark.parametrize(
    ("form", "kind", "factor"),
    [("ms", int, 1000), ("ms_string", str, 1000), ("seconds", int, 1), ("seconds_string", str, 1)],
)
def test_forms_of_due(plugz: PlugzApi, emulator: Control, form: str, kind: type, factor: int) -> None:
    emulator.config({"plugzapi.due_form": form})
    due = plugz.create(name="loja").json()["due"]
    assert isinstance(due, kind)
    assert int(due) / factor == pytest.approx(time.time() + 2 * 86400, abs=60)


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": 3}, {"name": "a", "deliveryCallbackUrl": "http://example.org"}]
)
def test_a_bad_creation(plugz: PlugzApi, emulator: Control, body: dict[str, Any]) -> None:
    assert plugz.create(**body).status_code == 400
    assert emulator.instances() == []


def test_a_creation_needs_bearer_and_content_type(plugz: PlugzApi, emulator: Control) -> None:
    path = "/instances/integrator/on-demand"
    assert plugz.send("POST", path, data=b'{"name": "a"}', headers=plugz.bearer).status_code == 415
    assert plugz.send("POST", path, json={"name": "a"}).status_code == 401
    assert plugz.send("POST", path, json={"name": "a"}, headers={"Authorization": "Bearer x"}).status_code == 401
    assert emulator.instances() == []


def test_the_listing_pages(plugz: PlugzApi, emulator: Control) -> None:
    emulator.seed(instances=[{"provider": "plugzapi", "count": 7, "name": "loja-{n}"}])
    answer = plugz.list(2, 3).json()
    assert {key: answer[key] for key in ("total", "totalPage", "pageSize", "page")} == {
        "total": 7,
        "totalPage": 3,
        "pageSize": 3,
        "page": 2,
    }
    assert [item["name"] for item in answer["content"]] == ["loja-4", "loja-5", "loja-6"]
    assert plugz.list(4, 3).json()["content"] == []
    assert plugz.send("GET", "/instances", headers=plugz.bearer).status_code == 400
    emulator.config({"plugzapi.max_page_size": 2})
    assert plugz.list(1, 50).json()["totalPage"] == 4


def test_a_query_is_fuzzy_on_name_and_id(plugz: PlugzApi, emulator: Control) -> None:
    emulator.seed(
        instances=[
            {"provider": "plugzapi", "name": "loja"},
            {"provider": "plugzapi", "name": "minha LOJA 2"},
            {"provider": "plugzapi", "name": "x", "id": "9LOJA0"},
            {"provider": "plugzapi", "name": "y", "settings": {"isDevice": True}},
        ]
    )
    assert [item["name"] for item in plugz.list(query="loja").json()["content"]] == ["loja", "minha LOJA 2", "x"]
    assert [item["name"] for item in plugz.list(middleware="mobile").json()["content"]] == ["y"]


@pytest.mark.parametrize(("mode", "status"), [("http404", 404), ("http405", 405), ("not_found_200", 200)])
def test_without_a_listing(plugz: PlugzApi, emulator: Control, mode: str, status: int) -> None:
    emulator.config({"plugzapi.listing": mode})
    response = plugz.list()
    assert response.status_code == status
    assert (response.json() == NOT_FOUND) == (status == 200)


@pytest.mark.parametrize(("mode", "status"), [("http405", 405), ("not_found_200", 200)])
def test_a_wrong_path_or_verb(plugz: PlugzApi, emulator: Control, mode: str, status: int) -> None:
    emulator.config({"plugzapi.wrong_path": mode})
    instance = seeded(emulator)
    for response in (
        plugz.instance(instance, "status", "POST", json={}),
        plugz.instance(instance, "nothing"),
        plugz.send("GET", "/instances/integrator/on-demand"),
    ):
        assert response.status_code == status
        assert (response.json() == NOT_FOUND) == (status == 200)


def test_the_status_of_a_connected_instance_has_an_error_text(plugz: PlugzApi, emulator: Control) -> None:
    instance = seeded(emulator, state="connected")
    response = plugz.instance(instance, "status")
    assert response.json() == {"connected": True, "error": "You are already connected", "smartphoneConnected": True}
    emulator.set_state("plugzapi", instance["id"], "disconnected")
    emulator.config({"plugzapi.status_session": True})
    body = plugz.instance(instance, "status").json()
    assert (body["connected"], body["session"]) == (False, False)
    assert body["error"]


def test_me_and_device(plugz: PlugzApi, emulator: Control) -> None:
    instance = seeded(emulator, state="connected", name="loja")
    me = plugz.instance(instance, "me").json()
    assert (me["id"], me["token"], me["connected"]) == (instance["id"], instance["token"], True)
    assert plugz.instance(instance, "device").json()["phone"].isdigit()


def test_restart_and_disconnect_are_gets_with_effects(plugz: PlugzApi, emulator: Control) -> None:
    instance = seeded(emulator, state="connected")
    assert plugz.instance(instance, "restart").json() == {"value": True}
    assert plugz.instance(instance, "status").json()["connected"] is False
    emulator.advance(5)
    assert plugz.instance(instance, "status").json()["connected"] is True
    assert plugz.instance(instance, "disconnect").json() == {"value": True}
    emulator.advance(5)
    assert plugz.instance(instance, "status").json()["connected"] is False
    assert [entry["route"] for entry in emulator.log(writes=True)] == ["plugzapi.restart", "plugzapi.disconnect"]


def test_an_activated_client_token_is_required(plugz: PlugzApi, emulator: Control) -> None:
    instance = seeded(emulator)
    assert plugz.instance(instance, "status", headers={"Client-Token": "any"}).status_code == 200
    emulator.seed(
        accounts=[{"provider": "plugzapi", "name": "default", "options": {"plugzapi.client_token_active": True}}]
    )
    missing = plugz.instance(instance, "status")
    assert (missing.status_code, missing.json()) == (403, {"error": "null not allowed"})
    wrong = plugz.instance(instance, "status", headers={"Client-Token": "s3cret"})
    assert (wrong.status_code, wrong.json()) == (403, {"error": "Client-Token s3cret not allowed"})
    right = {"Client-Token": plugz.credential("plugzapi", "client_token")}
    assert plugz.instance(instance, "status", headers=right).status_code == 200
    emulator.config({"plugzapi.client_token_missing": "http200"})
    assert plugz.instance(instance, "status").status_code == 200
    assert plugz.list().status_code == 200


@pytest.mark.parametrize(("mode", "status"), [("http404", 404), ("http403", 403), ("http400", 400)])
def test_a_wrong_id_or_token(plugz: PlugzApi, emulator: Control, mode: str, status: int) -> None:
    emulator.config({"plugzapi.unknown_instance": mode})
    instance = seeded(emulator)
    assert plugz.instance({**instance, "id": "A0"}, "status").status_code == status
    assert plugz.instance({**instance, "token": "A0"}, "status").status_code == status


ON_DEMAND = "integrator/on-demand"


def test_a_trial_day_by_day(plugz: PlugzApi, emulator: Control) -> None:
    emulator.freeze()
    emulator.seed(instances=[{"provider": "plugzapi", "name": "trial"}, {"provider": "plugzapi", "name": "paid"}])
    trial, paid = emulator.instances()
    assert [item["paymentStatus"] for item in plugz.list().json()["content"]] == ["TRIAL", "TRIAL"]
    emulator.advance(86400)
    assert plugz.instance(paid, f"{ON_DEMAND}/subscription", "POST", json={}, headers=plugz.bearer).ok
    assert [item["paymentStatus"] for item in plugz.list().json()["content"]] == ["TRIAL", "PAID"]
    emulator.advance(86399)
    assert plugz.instance(trial, "status").status_code == 200
    emulator.advance(1)
    assert plugz.instance(trial, "status").status_code == 404
    assert [item["name"] for item in plugz.list().json()["content"]] == ["paid"]


def test_a_second_subscription_is_refused_and_its_words_can_be_set(plugz: PlugzApi, emulator: Control) -> None:
    emulator.config({"plugzapi.subscription_body": "empty", "plugzapi.subscribed_word": "ACTIVE"})
    instance = seeded(emulator)
    first, second = (
        plugz.instance(instance, f"{ON_DEMAND}/subscription", "POST", json={}, headers=plugz.bearer) for _n in range(2)
    )
    assert (first.status_code, first.text) == (201, "")
    assert (second.status_code, second.json()) == (400, {"error": "This instance is already paid"})
    assert plugz.list().json()["content"][0]["paymentStatus"] == "ACTIVE"
    emulator.config({"plugzapi.payment_lag_seconds": 5, "plugzapi.canceled_word": "IN_CANCELLATION"})
    emulator.freeze()
    assert plugz.instance(instance, f"{ON_DEMAND}/cancel", "POST", json={}, headers=plugz.bearer).status_code == 201
    assert plugz.list().json()["content"][0]["paymentStatus"] == "ACTIVE"
    emulator.advance(5)
    assert plugz.list().json()["content"][0]["paymentStatus"] == "IN_CANCELLATION"
    assert emulator.set_payment(instance["id"], None)["payment"] is None
    assert plugz.list().json()["content"][0]["paymentStatus"] is None


def delete(plugz: PlugzApi, instance: dict[str, Any], **headers: str) -> tuple[int, Any]:
    response = plugz.instance(instance, f"{ON_DEMAND}/delete", "DELETE", headers=headers or plugz.bearer)
    return response.status_code, response.json() if response.text else None


@pytest.mark.parametrize(
    ("payment", "connected", "kind"),
    [
        ("TRIAL", True, "INSTANCE_STILL_CONNECTED"),
        (None, False, "INSTANCE_PAYMENT_STATUS_MISSING"),
        ("PAID", False, "INSTANCE_NOT_ELIGIBLE"),
        ("IN_CANCELLATION", False, "INSTANCE_NOT_ELIGIBLE"),
        ("PENDING", False, "INSTANCE_HAS_ACTIVE_SUBSCRIPTION"),
    ],
)
def test_a_deletion_is_refused_for_four_reasons(
    plugz: PlugzApi, emulator: Control, payment: str | None, connected: bool, kind: str
) -> None:
    instance = seeded(emulator, state="connected" if connected else "disconnected")
    emulator.request("POST", f"instances/plugzapi/{instance['id']}", {"subscribed": payment == "PENDING"})
    emulator.set_payment(instance["id"], payment)
    assert delete(plugz, instance) == (403, {"message": "The instance can't be deleted", "type": kind})
    assert emulator.instance("plugzapi", instance["id"])["state"] != "deleted"


def test_a_deletion_and_its_other_answers(plugz: PlugzApi, emulator: Control) -> None:
    instance = seeded(emulator)
    assert delete(plugz, instance, Accept="*/*") == (401, {"message": "Authorization token is empty"})
    assert delete(plugz, {**instance, "id": "A0"}) == (404, {"message": "Instance not found"})
    emulator.config({"plugzapi.delete_effect": "lost"})
    assert delete(plugz, instance) == (204, None)
    assert delete(plugz, instance) == (204, None)
    emulator.config({"plugzapi.delete_effect": "deleted", "plugzapi.delete_seconds": 5})
    emulator.freeze()
    assert delete(plugz, instance) == (204, None)
    assert len(plugz.list().json()["content"]) == 1
    emulator.advance(5)
    assert plugz.list().json()["content"] == []
    assert delete(plugz, instance) == (404, {"message": "Instance not found"})


def test_the_pages_contradict_each_other_about_what_can_be_deleted(plugz: PlugzApi, emulator: Control) -> None:
    emulator.freeze()
    instance = seeded(emulator)
    emulator.config({"plugzapi.deletable": "canceled", "plugzapi.delete_grace_seconds": 10})
    assert delete(plugz, instance)[1]["type"] == "INSTANCE_NOT_ELIGIBLE"
    for call in ("subscription", "cancel"):
        assert plugz.instance(instance, f"{ON_DEMAND}/{call}", "POST", json={}, headers=plugz.bearer).ok
    assert delete(plugz, instance)[1]["type"] == "INSTANCE_NOT_ELIGIBLE"
    emulator.advance(10)
    assert delete(plugz, instance) == (204, None)


@pytest.mark.parametrize(("mode", "status"), [("http404", 404), ("http405", 405), ("not_found_200", 200)])
def test_there_may_be_no_call_for_a_deletion(plugz: PlugzApi, emulator: Control, mode: str, status: int) -> None:
    emulator.config({"plugzapi.delete": mode})
    answer = delete(plugz, seeded(emulator))
    assert answer[0] == status
    assert "Instance" not in str(answer)


def test_a_disconnect_may_lie_be_late_and_silence_the_instance(plugz: PlugzApi, emulator: Control) -> None:
    emulator.freeze()
    emulator.config({"plugzapi.disconnect_effect": "kept_once", "plugzapi.disconnect_seconds": 5})
    instance = seeded(emulator, state="connected")
    assert plugz.instance(instance, "disconnect").json() == {"value": True}
    emulator.advance(5)
    assert plugz.instance(instance, "status").json()["connected"] is True
    emulator.config({"plugzapi.after_disconnect": "unavailable"})
    assert plugz.instance(instance, "disconnect").json() == {"value": True}
    assert plugz.instance(instance, "status").json()["connected"] is True
    emulator.advance(5)
    assert plugz.instance(instance, "status").status_code == 400
    assert emulator.instance("plugzapi", instance["id"])["phone"] == ""


def test_the_instance_is_deleted_at_the_end_of_its_trial(plugz: PlugzApi, emulator: Control) -> None:
    emulator.seed(instances=[{"provider": "plugzapi", "name": "trial"}, {"provider": "plugzapi", "name": "paid"}])
    trial, paid = emulator.instances()
    subscribe = plugz.instance(paid, "integrator/on-demand/subscription", "POST", json={}, headers=plugz.bearer)
    assert (subscribe.status_code, subscribe.text) == (201, "OK")
    emulator.advance(2 * 86400)
    assert plugz.instance(trial, "status").status_code == 404
    assert [item["name"] for item in plugz.list().json()["content"]] == ["paid"]
    cancel = plugz.instance(paid, "integrator/on-demand/cancel", "POST", json={}, headers=plugz.bearer)
    assert cancel.status_code == 201
    assert plugz.instance(paid, "status").status_code == 200
    emulator.advance(30 * 86400)
    assert plugz.instance(paid, "status").status_code == 404


def test_a_number_is_available_banned_or_in_error(plugz: PlugzApi, emulator: Control) -> None:
    instance = seeded(emulator)
    assert plugz.registration(instance, "55", "4499999999").json() == {
        "available": True,
        "smsWaitSeconds": 0,
        "voiceWaitSeconds": 0,
        "waOldWaitSeconds": 0,
        "waOldEligible": True,
    }
    emulator.set_number("55", "4499999998", result="banned")
    banned = plugz.registration(instance, "55", "4499999998").json()
    assert set(banned) == {"available", "blocked", "appealToken"}
    emulator.set_number("55", "4499999997", result="error", reason="no_routes")
    assert plugz.registration(instance, "55", "4499999997").json()["reason"] == "no_routes"
    numbers = {number["phone"]: number for number in emulator.numbers()}
    assert [len(numbers[f"449999999{n}"]["onboardings"]) for n in (9, 8, 7)] == [1, 1, 1]
    assert banned["appealToken"] == numbers["4499999998"]["appeal_token"]


def test_a_registration_needs_client_token_digits_and_content_type(plugz: PlugzApi, emulator: Control) -> None:
    instance = seeded(emulator)
    assert plugz.registration(instance, "55", "44", headers={}).status_code == 403
    assert plugz.registration(instance, "55", "44", headers={"Client-Token": "x"}).status_code == 403
    assert plugz.registration(instance, "55", "(44) 9999").status_code == 400
    assert plugz.registration(instance, 55, "44").status_code == 400
    headers = {"Client-Token": plugz.credential("plugzapi", "client_token")}
    response = plugz.instance(instance, "mobile/registration-available", "POST", data=b"{}", headers=headers)
    assert response.status_code == 415
    assert emulator.numbers() == []
    assert {entry["writes"] for entry in emulator.log()} == {True}


def test_awkward_tokens(plugz: PlugzApi, emulator: Control) -> None:
    emulator.config({"plugzapi.token_style": "awkward"})
    made = plugz.create(name="loja").json()
    assert set("/+=%& ") <= set(made["token"])
    assert plugz.instance(made, "status").status_code == 200


def put(plugz: PlugzApi, instance: dict[str, Any], call: str, **body: Any) -> Any:
    response = plugz.instance(instance, call, "PUT", json=body)
    return response.status_code, response.json()


def test_one_put_changes_one_setting(plugz: PlugzApi, emulator: Control) -> None:
    loja = seeded(emulator)
    before = plugz.instance(loja, "me").json()
    assert put(plugz, loja, "update-webhook-disconnected", value="https://a.example") == (200, {"value": True})
    assert put(plugz, loja, "update-auto-read-message", value=True) == (200, {"value": True})
    assert put(plugz, loja, "update-name", value="loja-2") == (200, {"value": True})
    after = plugz.instance(loja, "me").json()
    assert {key: after[key] for key in after if after[key] != before[key]} == {
        "disconnectedCallbackUrl": "https://a.example",
        "autoReadMessage": True,
        "name": "loja-2",
    }


def test_received_and_delivery_switches_the_notification_of_own_messages_on(plugz: PlugzApi, emulator: Control) -> None:
    loja = seeded(emulator)
    put(plugz, loja, "update-webhook-received", value="https://a.example")
    put(plugz, loja, "update-webhook-received-delivery", value="https://b.example")
    shown = plugz.instance(loja, "me").json()
    assert shown["receivedCallbackUrl"] == "https://a.example"
    assert (shown["receivedAndDeliveryCallbackUrl"], shown["receiveCallbackSentByMe"]) == ("https://b.example", True)
    put(plugz, loja, "update-notify-sent-by-me", notifySentByMe=False)
    assert plugz.instance(loja, "me").json()["receiveCallbackSentByMe"] is False


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("update-webhook-received", {"value": "http://a.example"}),
        ("update-webhook-received", {}),
        ("update-auto-read-message", {"value": "yes"}),
        ("update-notify-sent-by-me", {"value": True}),
        ("update-name", {"value": ""}),
    ],
)
def test_a_bad_setting_is_refused(plugz: PlugzApi, emulator: Control, call: str, body: dict[str, Any]) -> None:
    loja = seeded(emulator)
    before = plugz.instance(loja, "me").json()
    assert put(plugz, loja, call, **body)[0] == 400
    assert plugz.instance(loja, "me").json() == before


@pytest.mark.parametrize(
    ("verb", "call"),
    [("PUT", "update-webhook-status"), ("PUT", "update-webhook-receive"), ("POST", "update-webhook-received")],
)
def test_a_wrong_path_or_verb_looks_applied(plugz: PlugzApi, emulator: Control, verb: str, call: str) -> None:
    response = plugz.instance(seeded(emulator), call, verb, json={"value": "https://a.example"})
    assert (response.status_code, response.json()) == (200, NOT_FOUND)


@pytest.mark.parametrize(("presence", "status"), [("http404", 404), ("http405", 405), ("not_found_200", 200)])
def test_there_may_be_no_call_that_shows_settings(
    plugz: PlugzApi, emulator: Control, presence: str, status: int
) -> None:
    emulator.config({"plugzapi.me": presence})
    response = plugz.instance(seeded(emulator), "me")
    assert response.status_code == status
    assert "token" not in response.json()


def test_settings_of_this_gateway_lie_as_well(plugz: PlugzApi, emulator: Control) -> None:
    emulator.freeze()
    loja = seeded(emulator)
    emulator.config({"plugzapi.settings_lag_seconds": 60, "plugzapi.me_received_and_delivery": False})
    assert "receivedAndDeliveryCallbackUrl" not in plugz.instance(loja, "me").json()
    put(plugz, loja, "update-auto-read-message", value=True)
    assert plugz.instance(loja, "me").json()["autoReadMessage"] is False
    emulator.advance(60)
    assert plugz.instance(loja, "me").json()["autoReadMessage"] is True
    emulator.config({"plugzapi.settings_lag_seconds": 0, "plugzapi.settings_effect": "lost"})
    assert put(plugz, loja, "update-auto-read-message", value=False) == (200, {"value": True})
    assert plugz.instance(loja, "me").json()["autoReadMessage"] is True
