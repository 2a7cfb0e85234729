# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

msgops_emulator: Any = pytest.importorskip("msgops_emulator")

if TYPE_CHECKING:
    from msgops_emulator import Control

    from .conftest import GreenApi, PlugzApi


def refused(emulator: Control, status: int, text: str, path: str, body: Any) -> None:
    with pytest.raises(msgops_emulator.ControlError, match=text) as raised:
        emulator.request("POST", path, body)
    assert raised.value.status == status


# Seeds


def test_one_item_of_a_seed_adds_a_thousand_instances(emulator: Control) -> None:
    made = emulator.seed(
        instances=[
            {"provider": "green_api", "count": 3000, "name": "shop-{n:04d}", "states": ["authorized", "blocked"]},
            {"provider": "plugzapi", "count": 2000, "name": "loja-{n}", "state": "connected"},
        ],
        phones=[{"count": 5000, "id": "kp{n:05d}", "name": "phone {n}", "statuses": [2, 2, 1]}],
    )
    assert [len(made[kind]) for kind in ("instances", "phones")] == [5000, 5000]
    assert made["instances"][1]["name"] == "shop-0002"
    assert len(emulator.instances(provider="green_api", state="blocked")) == 1500
    assert len({instance["token"] for instance in made["instances"]}) == 5000
    assert made["phones"][2] == {**made["phones"][2], "id": "kp00003", "name": "phone 3", "status": 1}


def test_a_seed_adds_single_objects(emulator: Control) -> None:
    made = emulator.seed(
        accounts=[{"provider": "plugzapi", "name": "other", "partner_token": "p", "client_token": "c"}],
        instances=[
            {"provider": "green_api", "id": 1101728000, "token": "t" * 50, "name": "a", "state": "yellowCard"},
            {"provider": "plugzapi", "id": "A1", "token": "B2", "account": "other"},
        ],
        phones=[{"id": "a44uhlf7", "status": 0}],
        numbers=[{"ddi": "55", "phone": "44", "result": "banned"}],
    )
    assert made["accounts"][0]["client_token"] == "c"
    assert emulator.instance("green_api", 1101728000)["token"] == "t" * 50
    assert emulator.instance("plugzapi", "A1")["account"] == "other"
    assert emulator.phones()[0]["id"] == "a44uhlf7"
    assert emulator.numbers()[0]["result"] == "banned"


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"instance": []}, "instance: not a key"),
        ({"instances": {}}, "instances: not a list"),
        ({"instances": [{"provider": "telegram"}]}, "provider: 'telegram'"),
        ({"instances": [{"provider": "green_api", "colour": 1}]}, "colour"),
        ({"instances": [{"provider": "green_api", "count": -1}]}, "count"),
        ({"instances": [{"provider": "green_api", "account": "x"}]}, "no account 'x'"),
        ({"instances": [{"provider": "plugzapi", "state": "authorized"}]}, "authorized"),
        ({"instances": [{"provider": "green_api", "id": 1, "count": 2}]}, "id: only for a count of 1"),
        ({"instances": [{"provider": "green_api", "id": 1}] * 2}, "id: 1 exists already"),
        ({"instances": [{"provider": "green_api", "name": "{n:q}"}]}, "pattern"),
        ({"phones": [{"status": "running"}]}, "status"),
        ({"accounts": [{"provider": "koophone", "name": "a", "options": {"plugzapi.due_form": "ms"}}]}, "due_form"),
        ({"accounts": [{"provider": "plugzapi", "name": "a", "options": {"plugzapi.listing": "http404"}}]}, "listing"),
        ({"numbers": [{"ddi": "+55", "phone": "1"}]}, "ddi"),
        ([1], "not a JSON object"),
    ],
)
def test_an_invalid_seed_is_refused(emulator: Control, wanted: Any, text: str) -> None:
    refused(emulator, 400, text, "seed", wanted)


# Config and reset


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"plugzapi.colour": 1}, "plugzapi.colour: no such key"),
        ({"plugzapi.due_form": "iso"}, "plugzapi.due_form: 'iso' is not one of ms"),
        ({"plugzapi.create_status": True}, "plugzapi.create_status"),
        ({"green_api.creating_seconds": -1}, "green_api.creating_seconds"),
        ({"green_api.enforce_rate_limits": "yes"}, "green_api.enforce_rate_limits"),
    ],
)
def test_an_invalid_config_changes_nothing(emulator: Control, values: dict[str, Any], text: str) -> None:
    before = emulator.config()
    refused(emulator, 400, text, "config", {"green_api.restart_seconds": 99, **values})
    assert emulator.config() == before


def test_a_reset_restores_the_start(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.creating_seconds": 9})
    emulator.seed(accounts=[{"provider": "green_api", "name": "b"}], phones=[{"count": 2}])
    emulator.set_number("55", "44")
    emulator.arm("*", "reset")
    emulator.advance(1000)
    emulator.freeze()
    emulator.request("POST", "reset", {"config": {"plugzapi.due_form": "seconds"}})
    config = emulator.config()
    assert (config["green_api.creating_seconds"], config["plugzapi.due_form"]) == (1.0, "seconds")
    assert [account["name"] for account in emulator.accounts()] == ["default"] * 3
    assert (emulator.phones(), emulator.numbers(), emulator.faults(), emulator.log()) == ([], [], [], [])
    assert emulator.clock()["frozen"] is False


def test_an_emulator_starts_with_config_and_seed() -> None:
    seed = {"instances": [{"provider": "green_api", "name": "a"}]}
    with msgops_emulator.Emulator({"green_api.restart_seconds": 7}, seed) as emu:
        emu.set_state("green_api", emu.instances()[0]["id"], "deleted")
        emu.config({"green_api.restart_seconds": 8})
        emu.reset()
        assert emu.config()["green_api.restart_seconds"] == 7
        assert [instance["state"] for instance in emu.instances()] == ["notAuthorized"]
    with pytest.raises(OSError, match="refused"):
        emu.clock()


def test_each_request_can_move_the_clock(emulator: Control) -> None:
    (made,) = emulator.seed(instances=[{"provider": "green_api", "state": "notAuthorized"}])["instances"]
    emulator.config({"server.step_seconds": 10})
    start = emulator.freeze()["now"]
    emulator.set_state("green_api", made["id"], schedule=[(15, "authorized")])
    url = f"{emulator.url}/waInstance{made['id']}/getStateInstance/{made['token']}"
    answers = [requests.get(url, timeout=60).json()["stateInstance"] for _request in range(2)]
    assert answers == ["notAuthorized", "authorized"]
    assert emulator.clock()["now"] == start + 20


def test_a_stopped_clock_can_be_moved(emulator: Control) -> None:
    frozen = emulator.freeze()["now"]
    assert emulator.clock()["now"] == frozen
    assert emulator.advance(3600)["now"] == frozen + 3600
    assert emulator.freeze(False)["now"] >= frozen + 3600
    refused(emulator, 400, "advance", "clock", {"advance": -1})


# Linking and states


def test_an_instance_is_linked_by_id_or_by_name(emulator: Control) -> None:
    emulator.seed(instances=[{"provider": "green_api", "name": "a"}, {"provider": "plugzapi", "name": "a", "id": "A1"}])
    assert emulator.link("green_api", name="a")["state"] == "authorized"
    assert emulator.link("plugzapi", "A1")["state"] == "connected"
    refused(emulator, 409, "authorized already", "link", {"provider": "green_api", "name": "a"})


@pytest.mark.parametrize("state", ["creating", "starting", "blocked", "deleted", "yellowCard"])
def test_a_state_without_a_code_refuses_a_link(emulator: Control, state: str) -> None:
    (instance,) = emulator.seed(instances=[{"provider": "green_api", "state": state}])["instances"]
    refused(emulator, 409, f"it is {state}", "link", {"provider": "green_api", "id": instance["id"]})


def test_a_link_needs_exactly_one_instance(emulator: Control) -> None:
    emulator.seed(instances=[{"provider": "green_api", "count": 2, "name": "twin"}])
    refused(emulator, 409, "several", "link", {"provider": "green_api", "name": "twin"})
    refused(emulator, 404, "nobody", "link", {"provider": "green_api", "name": "nobody"})
    refused(emulator, 404, "77", "link", {"provider": "plugzapi", "id": "77"})
    refused(emulator, 400, "telegram", "link", {"provider": "telegram", "name": "a"})


def test_a_link_can_wait_for_the_code(green: GreenApi, emulator: Control) -> None:
    emulator.config({"green_api.creating_seconds": 60})
    green.create(name="shop")
    refused(emulator, 409, "it is creating", "link", {"provider": "green_api", "name": "shop"})
    assert emulator.link("green_api", name="shop", when_ready=True)["state"] == "creating"
    emulator.advance(60)
    assert emulator.instances()[0]["state"] == "authorized"


def test_states_follow_a_schedule(green: GreenApi, emulator: Control) -> None:
    (instance,) = emulator.seed(instances=[{"provider": "green_api"}])["instances"]
    emulator.freeze()
    emulator.set_state("green_api", instance["id"], "starting", [(10, "authorized"), (30, "blocked")])
    seen = []
    for _n in range(4):
        seen.append(green.state(instance)["stateInstance"])
        emulator.advance(10)
    assert seen == ["starting", "authorized", "authorized", "blocked"]
    refused(emulator, 400, "schedule", f"instances/green_api/{instance['id']}", {"schedule": [{"in": 1}]})
    refused(emulator, 404, "no instance 5", "instances/green_api/5", {"state": "blocked"})


# The log and the rest


def test_the_log_shows_requests_and_filters_them(plugz: PlugzApi, emulator: Control) -> None:
    plugz.create(name="loja")
    plugz.list(query="lo")
    create, listing = emulator.log()
    assert create["route"] == "plugzapi.create"
    assert (create["vendor"], create["method"], create["status"], create["writes"]) == ("plugzapi", "POST", 200, True)
    assert create["headers"]["Authorization"] == plugz.bearer["Authorization"]
    assert create["body"] == '{"name": "loja"}'
    assert listing["path"] == "/instances?page=1&pageSize=50&query=lo"
    assert listing["writes"] is False
    assert listing["monotonic_ms"] >= create["monotonic_ms"]
    assert emulator.log(since=create["seq"]) == [listing]
    assert emulator.log(route="plugzapi.list", status=200, limit=1) == [listing]
    page = emulator.log_page(writes=True, limit=0)
    assert (page["total"], page["counts"], page["last"]) == (1, {"plugzapi.create": 1}, listing["seq"])
    emulator.clear_log()
    assert emulator.log() == []
    plugz.list()
    assert emulator.log()[0]["seq"] > listing["seq"]
    with pytest.raises(msgops_emulator.ControlError, match="colour"):
        emulator.log(colour="red")


def test_the_log_is_bounded(plugz: PlugzApi, emulator: Control) -> None:
    emulator.config({"server.log_entries": 3})
    for _n in range(5):
        plugz.list()
    assert [entry["seq"] for entry in emulator.log()] == [entry["seq"] for entry in emulator.log()][-3:]
    assert len(emulator.log()) == 3


def test_unknown_endpoints_and_methods_are_refused(emulator: Control) -> None:
    assert requests.get(f"{emulator.url}/_emulator/nothing", timeout=10).status_code == 404
    assert requests.delete(f"{emulator.url}/_emulator/config", timeout=10).status_code == 405
    index = requests.get(f"{emulator.url}/_emulator", timeout=10).json()
    assert {"name": "green_api.reboot", "writes": True} in index["routes"]


def test_the_page_shows_no_token(green: GreenApi, plugz: PlugzApi, emulator: Control) -> None:
    instance = green.create(name="shop-of-page").json()
    plugz.create(name="loja-of-page")
    emulator.seed(phones=[{"count": 3}])
    emulator.renew("green_api", keep_old=True)
    page = requests.get(f"{emulator.url}/", timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "http:" not in page.text.replace("https:", "").replace("http://www.w3.org", "")
    overview = requests.get(f"{emulator.url}/_emulator/overview", timeout=10).text
    assert "shop-of-page" in overview
    assert "loja-of-page" in overview
    for secret in [
        instance["apiTokenInstance"],
        *(account[key] for account in emulator.accounts() for key in account if key.endswith("token")),
        *(token for account in emulator.accounts() for token in account.get("old_partner_tokens", [])),
        *(made["token"] for made in emulator.instances()),
    ]:
        assert secret not in page.text + overview
