# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("msgops_emulator")

if TYPE_CHECKING:
    from msgops_emulator import Control

    from .conftest import GreenApi


def seeded(emulator: Control, **item: Any) -> dict[str, Any]:
    return emulator.seed(instances=[{"provider": "green_api", **item}])["instances"][0]


def created(green: GreenApi, **body: Any) -> dict[str, Any]:
    answer = green.create(**(body or {"name": "shop"})).json()
    return {"id": answer["idInstance"], "token": answer["apiTokenInstance"]}


def test_a_creation_returns_id_and_token(green: GreenApi) -> None:
    response = green.create(name="shop")
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"idInstance", "apiTokenInstance", "typeInstance"}
    assert isinstance(body["idInstance"], int)
    assert len(str(body["idInstance"])) == 10
    assert len(body["apiTokenInstance"]) == 50
    assert body["typeInstance"] == "whatsapp"


def test_a_new_instance_is_null_then_starting_then_not_authorized(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.creating_seconds": 10, "green_api.starting_seconds": 20})
    emulator.freeze()
    instance = created(green)
    assert green.instance(instance, "getStateInstance").text == "null"
    emulator.advance(10)
    assert green.state(instance) == {"stateInstance": "starting"}
    emulator.advance(20)
    assert green.state(instance) == {"stateInstance": "notAuthorized"}


def test_names_are_not_unique(green: GreenApi, emulator: Control) -> None:
    assert created(green)["id"] != created(green)["id"]
    assert len(emulator.instances(name="shop")) == 2


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Bad Request Validation failed"),
        ({"colour": "red"}, "Bad Request Validation failed"),
        ({"name": "a", "stateWebhook": True}, "stateWebhook"),
        ({"name": "a", "delaySendMessagesMilliseconds": 5}, "delaySendMessagesMilliseconds"),
        ({"name": 7}, "name"),
    ],
)
def test_a_bad_creation_is_refused(green: GreenApi, emulator: Control, body: dict[str, Any], text: str) -> None:
    response = green.create(**body)
    assert response.status_code == 400
    assert text in response.text
    assert emulator.instances() == []


def test_a_creation_can_carry_settings(green: GreenApi) -> None:
    instance = created(green, name="shop", stateWebhook="yes", webhookUrl="https://example.org/hook")
    settings = green.instance(instance, "getSettings").json()
    assert settings["stateWebhook"] == "yes"
    assert settings["webhookUrl"] == "https://example.org/hook"
    assert settings["incomingWebhook"] == "no"


def test_the_listing_is_a_bare_list_with_tokens_and_deleted_ones(green: GreenApi) -> None:
    instance = created(green)
    gone = created(green, name="gone")
    green.partner("deleteInstanceAccount", json={"idInstance": gone["id"]})
    for verb in ("GET", "POST"):
        listed = green.partner("getInstances", verb).json()
        assert [(item["idInstance"], item["deleted"]) for item in listed] == [
            (instance["id"], False),
            (gone["id"], True),
        ]
    assert listed[0]["apiTokenInstance"] == instance["token"]
    assert listed[0]["timeDeleted"] == "0001-01-01T00:00:00"
    assert listed[1]["timeDeleted"] >= listed[0]["timeCreated"]


def test_deleting_an_unknown_instance_is_a_404_in_the_body(green: GreenApi) -> None:
    instance = created(green)
    assert green.partner("deleteInstanceAccount", json={"idInstance": instance["id"]}).json() == {
        "deleteInstanceAccount": True
    }
    again = green.partner("deleteInstanceAccount", json={"idInstance": instance["id"]})
    assert (again.status_code, again.json()) == (200, {"code": 404, "description": "Not found"})


@pytest.mark.parametrize(("mode", "status"), [("http200", 200), ("http400", 400), ("http401", 401)])
def test_a_wrong_partner_token(green: GreenApi, emulator: Control, mode: str, status: int) -> None:
    emulator.config({"green_api.partner_error": mode})
    for method, verb in (("createInstance", "POST"), ("getInstances", "GET"), ("deleteInstanceAccount", "POST")):
        response = green.partner(method, verb, token="wrong", json={"name": "shop"})
        assert response.status_code == status
        if status == 200:
            assert response.json() == {"code": 401, "description": "Unauthorized"}
    assert emulator.instances() == []


def test_the_partner_token_is_accepted_raw_and_percent_encoded(green: GreenApi) -> None:
    token = green.credential("green_api", "partner_token")
    assert green.partner("getInstances", "GET").json() == []
    assert green.send("GET", f"/partner/getInstances/{token}").json() == []


def test_wrong_token_wrong_id_wrong_verb_and_deleted(green: GreenApi, emulator: Control) -> None:
    instance = seeded(emulator)
    assert green.instance({**instance, "token": "x"}, "getStateInstance").status_code == 401
    assert green.instance({**instance, "id": 1}, "getStateInstance").status_code == 403
    assert green.instance(instance, "getStateInstance", "POST").status_code == 404
    assert green.instance(instance, "reboot", "POST").status_code == 404
    assert green.instance(instance, "getStateInstance", "OPTIONS").status_code == 204
    emulator.set_state("green_api", instance["id"], "deleted")
    response = green.instance(instance, "getStateInstance")
    assert (response.status_code, response.text) == (400, "Instance is deleted")
    emulator.config({"green_api.deleted_answer": "starting"})
    assert green.state(instance) == {"stateInstance": "starting"}


def test_an_expired_instance(green: GreenApi, emulator: Control) -> None:
    instance = seeded(emulator, state="expired")
    response = green.instance(instance, "getStateInstance")
    assert response.status_code == 400
    assert "expired" in response.text


@pytest.mark.parametrize("form", ["text", "json", "json_with_path", "empty"])
def test_forms_of_error_bodies(green: GreenApi, emulator: Control, form: str) -> None:
    emulator.config({"green_api.error_body": form})
    instance = {**seeded(emulator), "token": "a/b"}
    response = green.instance(instance, "getStateInstance")
    assert response.status_code == 401
    assert ("Unauthorized" in response.text) == (form != "empty")
    assert ("a%2Fb" in response.text) == (form == "json_with_path")


@pytest.mark.parametrize("word", ["authorized", "yellowCard", "blocked", "sleepMode", "suspended", "pendingCode", "x"])
def test_any_word_is_accepted_as_a_state(green: GreenApi, emulator: Control, word: str) -> None:
    assert green.state(seeded(emulator, state=word)) == {"stateInstance": word}


def test_set_settings_applies_and_restarts(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.restart_seconds": 60})
    instance = seeded(emulator, state="authorized")
    answer = green.instance(instance, "setSettings", "POST", json={"stateWebhook": "yes"})
    assert answer.json() == {"saveSettings": True}
    assert green.state(instance) == {"stateInstance": "starting"}
    again = green.instance(instance, "setSettings", "POST", json={"stateWebhook": "no"})
    assert (again.status_code, again.text) == (400, "instance in starting process try later")
    emulator.advance(60)
    assert green.state(instance) == {"stateInstance": "authorized"}
    assert green.instance(instance, "getSettings").json()["stateWebhook"] == "yes"


def test_reboot_and_logout_are_gets_with_effects(green: GreenApi, emulator: Control) -> None:
    instance = seeded(emulator, state="yellowCard")
    assert green.instance(instance, "reboot").json() == {"isReboot": True}
    assert green.state(instance) == {"stateInstance": "starting"}
    emulator.advance(10)
    emulator.set_state("green_api", instance["id"], "authorized")
    assert green.instance(instance, "logout").json() == {"isLogout": True}
    assert green.state(instance) == {"stateInstance": "notAuthorized"}
    assert [entry["route"] for entry in emulator.log(writes=True)] == ["green_api.reboot", "green_api.logout"]


def test_status_and_account_of_an_instance(green: GreenApi, emulator: Control) -> None:
    instance = seeded(emulator, state="authorized")
    assert green.instance(instance, "getStatusInstance").json() == {"statusInstance": "online"}
    account = green.instance(instance, "getWaSettings").json()
    assert account["stateInstance"] == "authorized"
    assert account["phone"].isdigit()
    assert green.instance(instance, "getSettings").json()["wid"] == f"{account['phone']}@c.us"


def test_documented_rate_limits_when_they_are_on(green: GreenApi, emulator: Control) -> None:
    instance = seeded(emulator)
    statuses = [green.instance(instance, "getStateInstance").status_code for _n in range(3)]
    assert statuses == [200, 200, 200]
    emulator.config({"green_api.enforce_rate_limits": True})
    emulator.freeze()
    statuses = [green.instance(instance, "getStateInstance").status_code for _n in range(2)]
    assert statuses == [200, 429]
    assert green.instance(instance, "getSettings").status_code == 200
    emulator.advance(1)
    assert green.instance(instance, "getStateInstance").status_code == 200


def test_awkward_tokens(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.token_style": "awkward"})
    instance = created(green)
    assert set("/+=%& ") <= set(instance["token"])
    assert len(instance["token"]) == 50
    assert green.instance(instance, "getStateInstance").status_code == 200


def test_accounts_do_not_see_each_other(green: GreenApi, emulator: Control) -> None:
    emulator.seed(accounts=[{"provider": "green_api", "name": "other", "partner_token": "gac.a/b c%2F"}])
    mine = created(green)
    green.account = "other"
    assert green.partner("getInstances", "GET").json() == []
    answer = green.partner("deleteInstanceAccount", json={"idInstance": mine["id"]}).json()
    assert answer["code"] == 404


def test_a_path_prefix(green: GreenApi, emulator: Control) -> None:
    emulator.config({"server.path_prefix": "/gateway"})
    instance = seeded(emulator, state="authorized")
    response = green.send("GET", f"/gateway/waInstance{instance['id']}/getStateInstance/{instance['token']}")
    assert response.json() == {"stateInstance": "authorized"}


def test_an_instance_is_linked_by_itself_after_a_time(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.auto_link_seconds": 30})
    instance = created(green)
    emulator.advance(29)
    assert green.state(instance) == {"stateInstance": "notAuthorized"}
    emulator.advance(2)
    assert green.state(instance) == {"stateInstance": "authorized"}


def test_settings_show_late(green: GreenApi, emulator: Control) -> None:
    emulator.freeze()
    emulator.config({"green_api.settings_lag_seconds": 300, "green_api.restart_seconds": 0})
    (shop,) = emulator.seed(instances=[{"provider": "green_api", "settings": {"autoTyping": 2}}])["instances"]
    assert green.instance(shop, "setSettings", "POST", json={"autoTyping": 3}).json() == {"saveSettings": True}
    assert green.instance(shop, "setSettings", "POST", json={"linkPreview": "yes"}).json() == {"saveSettings": True}
    emulator.advance(299)
    assert green.instance(shop, "getSettings").json()["autoTyping"] == 2
    emulator.advance(1)
    settings = green.instance(shop, "getSettings").json()
    assert (settings["autoTyping"], settings["linkPreview"]) == (3, "yes")


def test_settings_are_lost(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.settings_effect": "lost", "green_api.restart_seconds": 0})
    (shop,) = emulator.seed(instances=[{"provider": "green_api"}])["instances"]
    assert green.instance(shop, "setSettings", "POST", json={"stateWebhook": "yes"}).json() == {"saveSettings": True}
    assert green.instance(shop, "getSettings").json()["stateWebhook"] == "no"


def test_settings_move_another_one(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.settings_effect": "moves_another", "green_api.restart_seconds": 0})
    (shop,) = emulator.seed(instances=[{"provider": "green_api"}])["instances"]
    before = green.instance(shop, "getSettings").json()
    green.instance(shop, "setSettings", "POST", json={"deletedMessageWebhook": "yes"})
    after = green.instance(shop, "getSettings").json()
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"deletedMessageWebhook", "deviceWebhook"}


def test_a_person_changes_settings_by_hand(green: GreenApi, emulator: Control) -> None:
    (shop,) = emulator.seed(instances=[{"provider": "green_api"}])["instances"]
    emulator.set_settings("green_api", shop["id"], webhookUrl="https://old.example")
    assert green.instance(shop, "getSettings").json()["webhookUrl"] == "https://old.example"


def test_a_renewed_token(green: GreenApi, emulator: Control) -> None:
    emulator.freeze()
    emulator.config(
        {
            "green_api.old_token_seconds": 30,
            "green_api.new_token_lag_seconds": 10,
            "green_api.token_listing_lag_seconds": 20,
        }
    )
    old = seeded(emulator)
    new = {**old, "token": green.instance(old, "updateApiToken").json()["apiTokenInstance"]}

    def works(instance: dict[str, Any]) -> bool:
        return bool(green.instance(instance, "getStateInstance").status_code == 200)

    def listed() -> str:
        return str(green.partner("getInstances", "GET").json()[0]["apiTokenInstance"])

    assert (works(old), works(new), listed()) == (True, False, old["token"])
    emulator.advance(10)
    assert (works(old), works(new), listed()) == (True, True, old["token"])
    emulator.advance(10)
    assert listed() == new["token"]
    emulator.advance(10)
    assert (works(old), works(new)) == (False, True)
    refused = green.instance(old, "updateApiToken")
    assert (refused.status_code, refused.json()["code"]) == (200, 401)
    assert "green_api.update_token" in [entry["route"] for entry in emulator.log(writes=True)]
