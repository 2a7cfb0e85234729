# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the buttons of the emulator's page do, and that other web sites can't press them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
import requests

if TYPE_CHECKING:
    from msgops_emulator import Control


class Page(HTMLParser):
    """The buttons of the page by their text, and the values that each field offers."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.buttons: dict[str, dict[str, str]] = {}
        self.offers: dict[str, list[str]] = {}
        self._button: dict[str, str] = {}
        self._field = ""
        self._option: dict[str, str] | None = None
        self.feed(requests.get(url, timeout=10).text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "button":
            self._button = attributes
        elif tag in ("select", "input"):
            self._field = attributes["name"]
            self.offers.setdefault(self._field, [])
        elif tag == "option":
            self._option = attributes

    def handle_data(self, data: str) -> None:
        if self._button:
            self.buttons[data] = self._button
            self._button = {}
        elif self._option is not None:
            self.offers[self._field].append(self._option.get("value", data))
            self._option = None

    def press(self, text: str, **fields: Any) -> requests.Response:
        """Send the request that the page's script sends for a button."""
        button = self.buttons[text]
        body = json.loads(button.get("data-body", "{}"))
        body |= {name: fields[name] for name in button.get("data-fields", "").split()}
        path = button["data-path"].format(**{name: quote(str(value)) for name, value in fields.items()})
        url = f"{self.url}/_emulator/{path}"
        return requests.request(button.get("data-method", "POST"), url, json=body, timeout=10)


def test_an_instance_gets_a_state_and_a_phone(emulator: Control) -> None:
    page = Page(emulator.url)
    made = emulator.seed(instances=[{"provider": provider, "name": "shop"} for provider in page.offers["provider"]])
    for instance in made["instances"]:
        fields = {"provider": instance["provider"], "id": str(instance["id"])}
        assert page.press("Link a phone", **fields).json()["state"] in ("authorized", "connected")
        assert page.press("Set the state", **fields, state="deleted").json()["state"] == "deleted"


def test_each_state_that_the_page_offers_can_be_set(emulator: Control) -> None:
    page = Page(emulator.url)
    made = emulator.seed(instances=[{"provider": provider, "name": "shop"} for provider in page.offers["provider"]])
    for state in page.offers["state"]:
        assert [
            instance["id"]
            for instance in made["instances"]
            if page.press("Set the state", provider=instance["provider"], id=str(instance["id"]), state=state).ok
        ]


def test_a_phone_gets_each_status_that_the_page_offers(emulator: Control) -> None:
    page = Page(emulator.url)
    (phone,) = emulator.seed(phones=[{}])["phones"]
    assert page.offers["status"] == ["0", "1", "2", "3", "4", "5"]
    for status in map(int, page.offers["status"]):
        assert page.press("Set the status", id=phone["id"], status=status).json()["status"] == status


def test_the_clock_moves(emulator: Control) -> None:
    page = Page(emulator.url)
    page.press("Freeze")
    before = emulator.clock()["now"]
    page.press("Advance", advance=60)
    assert emulator.clock() == {**emulator.clock(), "now": before + 60, "frozen": True}
    page.press("Let it run")
    assert emulator.clock()["frozen"] is False


def test_each_fault_that_the_page_offers_can_be_armed(emulator: Control) -> None:
    page = Page(emulator.url)
    for fault in page.offers["fault"]:
        page.press("Arm", route="*", fault=fault, count=1).raise_for_status()
    for route in page.offers["route"]:
        page.press("Arm", route=route, fault="throttle", count=None).raise_for_status()
    assert len(emulator.faults()) == len(page.offers["fault"]) + len(page.offers["route"])
    page.press("Disarm all")
    assert emulator.faults() == []


def test_a_fault_of_the_overview_can_be_disarmed_alone(emulator: Control) -> None:
    emulator.arm("*", "throttle")
    emulator.arm("*", "hang")
    (first, _second) = requests.get(f"{emulator.url}/_emulator/overview", timeout=10).json()["faults"]
    requests.delete(f"{emulator.url}/_emulator/faults/{first['id']}", timeout=10).raise_for_status()
    assert [fault["fault"] for fault in emulator.faults()] == ["hang"]


def test_the_policy_allows_the_page_s_own_style_and_script_alone(emulator: Control) -> None:
    response = requests.get(emulator.url, timeout=10)
    policy = response.headers["Content-Security-Policy"]
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", response.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r'<[^>]* style="', response.text)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Host": "attacker.example:8642"},
        {"Host": "attacker.example:8642", "Origin": "http://attacker.example:8642"},
        {"Host": "[nonsense"},
    ],
)
def test_other_sites_control_nothing_and_read_nothing(headers: dict[str, str], emulator: Control) -> None:
    emulator.seed(instances=[{"provider": "green_api", "name": "shop"}])
    for method, path in (("POST", "reset"), ("DELETE", "log"), ("GET", "accounts")):
        response = requests.request(method, f"{emulator.url}/_emulator/{path}", headers=headers, timeout=10)
        assert response.status_code == 403, path
        assert set(response.json()) == {"error"}
    assert len(emulator.instances()) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "LOCALHOST", "emulator.localhost", "emulator", "192.0.2.7"])
def test_the_page_itself_is_obeyed_under_each_local_name(host: str, emulator: Control) -> None:
    address = f"{host}:{urlsplit(emulator.url).port}"
    headers = {"Host": address, "Origin": f"http://{address.lower()}"}
    requests.post(f"{emulator.url}/_emulator/clock", headers=headers, timeout=10).raise_for_status()
