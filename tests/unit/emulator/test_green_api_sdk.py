# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's own Python SDK works with the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("msgops_emulator")
API: Any = pytest.importorskip("whatsapp_api_client_python.API")

if TYPE_CHECKING:
    from msgops_emulator import Control


def test_an_instance_from_its_creation_to_its_deletion(emulator: Control) -> None:
    emulator.config({"green_api.creating_seconds": 0, "green_api.restart_seconds": 30})
    token = emulator.account("green_api")["partner_token"]
    partner = API.GreenApiPartner(token, host=emulator.url)
    made = partner.partner.createInstance({"name": "shop", "stateWebhook": "yes"})
    assert made.code == 200
    number = made.data["idInstance"]
    api = API.GreenApi(str(number), made.data["apiTokenInstance"], host=emulator.url)

    assert api.account.getStateInstance().data == {"stateInstance": "notAuthorized"}
    emulator.link("green_api", number)
    assert api.account.getStateInstance().data == {"stateInstance": "authorized"}
    assert api.account.getSettings().data["stateWebhook"] == "yes"

    assert api.account.setSettings({"stateWebhook": "no"}).data == {"saveSettings": True}
    assert api.account.getStateInstance().data == {"stateInstance": "starting"}
    emulator.advance(30)
    assert api.account.getSettings().data["stateWebhook"] == "no"
    assert api.account.getStatusInstance().data == {"statusInstance": "online"}
    assert api.account.getWaSettings().data["stateInstance"] == "authorized"
    assert api.account.reboot().data == {"isReboot": True}
    emulator.advance(30)
    assert api.account.logout().data == {"isLogout": True}

    renewed = api.account.updateApiToken().data["apiTokenInstance"]
    assert renewed != made.data["apiTokenInstance"]
    assert api.account.getStateInstance().code == 401
    assert api.account.updateApiToken().data == {"code": 401, "description": "Unauthorized"}
    api = API.GreenApi(str(number), renewed, host=emulator.url)
    assert api.account.getStateInstance().data == {"stateInstance": "notAuthorized"}
    assert partner.partner.getInstances().data[0]["apiTokenInstance"] == renewed

    assert [item["idInstance"] for item in partner.partner.getInstances().data] == [number]
    assert partner.partner.deleteInstanceAccount(number).data == {"deleteInstanceAccount": True}
    assert partner.partner.getInstances().data[0]["deleted"] is True
    assert api.account.getStateInstance().code == 400


def test_a_logout_that_leaves_the_session(emulator: Control) -> None:
    emulator.freeze()
    emulator.config({"green_api.logout_effect": "kept_once", "green_api.logout_seconds": 5})
    (shop,) = emulator.seed(instances=[{"provider": "green_api", "name": "shop", "state": "authorized"}])["instances"]
    api = API.GreenApi(str(shop["id"]), shop["token"], host=emulator.url)
    assert api.account.logout().data == {"isLogout": True}
    emulator.advance(5)
    assert api.account.getStateInstance().data == {"stateInstance": "authorized"}
    assert api.account.logout().data == {"isLogout": True}
    assert api.account.getStateInstance().data == {"stateInstance": "authorized"}
    emulator.advance(5)
    assert api.account.getStateInstance().data == {"stateInstance": "notAuthorized"}


def test_deletions_that_lie(emulator: Control) -> None:
    (shop,) = emulator.seed(instances=[{"provider": "green_api", "name": "shop"}])["instances"]
    partner = API.GreenApiPartner(emulator.account("green_api")["partner_token"], host=emulator.url).partner
    emulator.config({"green_api.delete_effect": "lost"})
    assert partner.deleteInstanceAccount(shop["id"]).data == {"deleteInstanceAccount": True}
    assert partner.getInstances().data[0]["deleted"] is False
    emulator.config({"green_api.delete_effect": "deleted", "green_api.delete_seconds": 5})
    emulator.freeze()
    assert partner.deleteInstanceAccount(shop["id"]).data == {"deleteInstanceAccount": True}
    assert partner.getInstances().data[0]["deleted"] is False
    emulator.advance(5)
    assert partner.getInstances().data[0]["deleted"] is True
    assert partner.deleteInstanceAccount(shop["id"]).code == 200
    assert partner.deleteInstanceAccount(shop["id"]).data == {"code": 404, "description": "Not found"}
    other = API.GreenApiPartner("wrong", host=emulator.url).partner
    assert other.deleteInstanceAccount(shop["id"]).data == {"code": 401, "description": "Unauthorized"}


def test_a_wrong_partner_token(emulator: Control) -> None:
    partner = API.GreenApiPartner("wrong", host=emulator.url)
    assert partner.partner.getInstances().data == {"code": 401, "description": "Unauthorized"}


def test_the_sdk_repeats_a_throttled_creation(emulator: Control) -> None:
    emulator.arm("green_api.create", "throttle")
    partner = API.GreenApiPartner(emulator.account("green_api")["partner_token"], host=emulator.url)
    assert partner.partner.createInstance({"name": "shop"}).code == 200
    assert len(emulator.instances()) == 1
    assert [entry["status"] for entry in emulator.log(route="green_api.create")] == [429, 200]


def test_settings_of_an_existing_instance(emulator: Control) -> None:
    emulator.freeze()
    emulator.config({"green_api.settings_lag_seconds": 300, "green_api.enforce_rate_limits": True})
    (shop,) = emulator.seed(instances=[{"provider": "green_api", "name": "shop", "state": "authorized"}])["instances"]
    account = API.GreenApi(str(shop["id"]), shop["token"], host=emulator.url).account
    assert account.setSettings({"webhookUrl": "https://new.example", "autoTyping": 3}).data == {"saveSettings": True}
    assert account.getSettings().data["webhookUrl"] == ""
    emulator.advance(300)
    settings = account.getSettings().data
    assert (settings["webhookUrl"], settings["autoTyping"], settings["stateWebhook"]) == (
        "https://new.example",
        3,
        "no",
    )
    assert account.getStateInstance().data == {"stateInstance": "authorized"}
    assert account.setSettings({"autoTyping": 11}).code == 400
    emulator.config({"green_api.settings_effect": "lost"})
    emulator.advance(1)
    assert account.setSettings({"autoTyping": 4}).data == {"saveSettings": True}
    emulator.advance(300)
    assert account.getSettings().data["autoTyping"] == 3
