# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("msgops_emulator")

from msgops_emulator import ControlError

if TYPE_CHECKING:
    from msgops_emulator import Control

    from .conftest import GreenApi, PlugzApi

BANNED = "4915100000001"


def seeded(emulator: Control, provider: str, **item: Any) -> dict[str, Any]:
    return emulator.seed(instances=[{"provider": provider, **item}])["instances"][0]


def picture(green: GreenApi, instance: dict[str, Any]) -> bytes:
    """Return the image of a GREEN-API instance's QR code."""
    answer = green.instance(instance, "qr").json()
    assert answer["type"] == "qrCode"
    return base64.b64decode(answer["message"])


def refused(emulator: Control, **given: Any) -> str:
    with pytest.raises(ControlError) as refusal:
        emulator.scan(**given)
    assert refusal.value.status == 409
    return str(refusal.value)


def test_a_phone_scans_the_picture_of_a_qr_code(green: GreenApi, emulator: Control) -> None:
    shop = seeded(emulator, "green_api")
    linked = emulator.scan(image=picture(green, shop), phone="4915112345678")
    assert (linked["id"], linked["state"], linked["phone"]) == (shop["id"], "authorized", "4915112345678")
    assert green.instance(shop, "qr").json()["type"] == "alreadyLogged"


def test_a_qr_code_expires_after_twenty_seconds(green: GreenApi, emulator: Control) -> None:
    emulator.freeze()
    shop = seeded(emulator, "green_api")
    first = picture(green, shop)
    emulator.advance(19)
    assert picture(green, shop) == first
    emulator.advance(3)
    assert "ran out 2 s ago" in refused(emulator, image=first)
    second = picture(green, shop)
    assert second != first
    assert emulator.instance("green_api", shop["id"])["codes_made"] == 2
    emulator.scan(image=second)


@pytest.mark.parametrize("state", ["blocked", "yellowCard"])
def test_other_states_show_no_code(green: GreenApi, emulator: Control, state: str) -> None:
    shop = seeded(emulator, "green_api", state=state)
    assert green.instance(shop, "qr").json()["type"] == "error"
    body = {"phoneNumber": 4915112345678}
    assert green.instance(shop, "getAuthorizationCode", "POST", json=body).json() == {"status": False, "code": ""}


def test_an_account_that_needs_a_passkey(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.qr_answer": "passkeyRequired"})
    assert green.instance(seeded(emulator, "green_api"), "qr").json() == {"type": "passkeyRequired", "message": ""}


def test_a_starting_instance_shows_no_code_yet(green: GreenApi, emulator: Control) -> None:
    shop = seeded(emulator, "green_api", state="starting")
    assert green.instance(shop, "qr").status_code == 400


def test_the_rate_limit_is_three_qr_codes_a_second(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.enforce_rate_limits": True})
    emulator.freeze()
    shop = seeded(emulator, "green_api")
    assert [green.instance(shop, "qr").status_code for _n in range(4)] == [200, 200, 200, 429]


def test_a_pairing_code_is_for_one_phone_and_expires_after_150_seconds(green: GreenApi, emulator: Control) -> None:
    emulator.freeze()
    shop = seeded(emulator, "green_api")

    def code() -> str:
        answer = green.instance(shop, "getAuthorizationCode", "POST", json={"phoneNumber": 4915112345678}).json()
        assert answer["status"] is True
        assert re.fullmatch("[A-Z0-9]{8}", answer["code"])
        return str(answer["code"])

    first, second = code(), code()
    assert "is old" in refused(emulator, code=first)
    assert "for the phone 4915112345678" in refused(emulator, code=second, phone="4915199999999")
    emulator.advance(151)
    assert "ran out 1 s ago" in refused(emulator, code=second)
    third = code()
    spelled = f"{third[:4]}-{third[4:]}".lower()
    assert emulator.scan(spelled)["phone"] == "4915112345678"


@pytest.mark.parametrize("body", [{}, {"phoneNumber": "4915112345678"}, {"phoneNumber": True}, {"phoneNumber": -1}])
def test_a_pairing_code_needs_a_number(green: GreenApi, emulator: Control, body: dict[str, Any]) -> None:
    shop = seeded(emulator, "green_api")
    assert green.instance(shop, "getAuthorizationCode", "POST", json=body).status_code == 400


@pytest.mark.parametrize("form", ["content", "image"])
def test_qr_codes_of_plugzapi(plugz: PlugzApi, emulator: Control, form: str) -> None:
    emulator.config({"plugzapi.qr_value": form})
    shop = seeded(emulator, "plugzapi")
    value, image = (plugz.instance(shop, call).json()["value"] for call in ("qr-code", "qr-code/image"))
    assert image.startswith("data:image/png;base64,")
    assert value == image if form == "image" else value.startswith("2@")
    assert emulator.scan(image=base64.b64decode(image.partition(",")[2]))["state"] == "connected"
    assert plugz.instance(shop, "qr-code").json()["connected"] is True


def test_pairing_codes_of_plugzapi(plugz: PlugzApi, emulator: Control) -> None:
    shop = seeded(emulator, "plugzapi")
    code = plugz.instance(shop, "phone-code/4915112345678").json()["value"]
    assert emulator.scan(code)["phone"] == "4915112345678"
    assert plugz.instance(shop, "phone-code/x").status_code == 400


def test_a_banned_number_cannot_be_linked(green: GreenApi, plugz: PlugzApi, emulator: Control) -> None:
    emulator.set_number("49", "15100000001", result="banned")
    shop, sales = seeded(emulator, "green_api"), seeded(emulator, "plugzapi")
    assert "banned" in refused(emulator, image=picture(green, shop), phone=BANNED)
    assert green.state(shop) == {"stateInstance": "blocked"}
    assert "banned" in refused(emulator, code=plugz.instance(sales, "qr-code").json()["value"], phone=BANNED)
    assert plugz.instance(sales, "qr-code").json() == {"error": f"The number {BANNED} is banned"}
    assert "value" in plugz.instance(sales, "qr-code").json()
    assert "error" in plugz.instance(sales, f"phone-code/{BANNED}").json()


def test_a_linked_phone_cannot_be_linked_again(green: GreenApi, plugz: PlugzApi, emulator: Control) -> None:
    shop, sales = seeded(emulator, "green_api"), seeded(emulator, "plugzapi")
    emulator.scan(plugz.instance(sales, "qr-code").json()["value"], phone="4915112345678")
    reason = refused(emulator, image=picture(green, shop), phone="4915112345678")
    assert f"linked to plugzapi instance {sales['id']}" in reason
    assert green.instance(shop, "qr").json()["type"] == "error"
    assert green.state(shop) == {"stateInstance": "notAuthorized"}
    emulator.scan(image=picture(green, shop), phone="4915187654321")


def test_a_gateway_makes_no_more_codes_until_a_restart(green: GreenApi, plugz: PlugzApi, emulator: Control) -> None:
    emulator.config({"green_api.max_codes": 1, "plugzapi.max_codes": 1, "green_api.restart_seconds": 0})
    emulator.freeze()
    shop, sales = seeded(emulator, "green_api"), seeded(emulator, "plugzapi")
    picture(green, shop)
    plugz.instance(sales, "qr-code")
    emulator.advance(20)
    assert green.instance(shop, "qr").json()["type"] == "error"
    assert plugz.instance(sales, "qr-code").json().keys() == {"error"}
    green.instance(shop, "reboot")
    plugz.instance(sales, "restart")
    picture(green, shop)
    assert "value" in plugz.instance(sales, "qr-code").json()


def test_an_instance_can_be_starting_after_the_scan(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.linking_seconds": 5})
    emulator.freeze()
    shop = seeded(emulator, "green_api")
    assert emulator.scan(image=picture(green, shop))["state"] == "starting"
    emulator.advance(5)
    assert green.state(shop) == {"stateInstance": "authorized"}


def test_a_restart_resumes_a_session_of_plugzapi(plugz: PlugzApi, emulator: Control) -> None:
    emulator.config({"plugzapi.restart_seconds": 0})
    sales = seeded(emulator, "plugzapi", state="connected")
    emulator.set_state("plugzapi", sales["id"], "disconnected")
    assert plugz.instance(sales, "restart").json() == {"value": True}
    assert plugz.instance(sales, "status").json()["connected"] is True


@pytest.mark.parametrize("given", [{"code": "nonsense"}, {"code": ""}])
def test_an_unknown_code_is_refused(emulator: Control, given: dict[str, Any]) -> None:
    assert "no gateway shows this code" in refused(emulator, **given)


def test_an_image_without_a_code_is_refused(emulator: Control) -> None:
    with pytest.raises(ControlError, match="not a picture"):
        emulator.scan(image=b"no picture")
    with pytest.raises(ControlError, match="not base64"):
        emulator.request("POST", "scan", {"image": "!"})
