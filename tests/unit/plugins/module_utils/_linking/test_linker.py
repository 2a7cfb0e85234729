# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones are linked with the codes that a task shows, and each failure is reported with its reason."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common import masking
from ansible_collections.msgops.fleet.plugins.module_utils._common.masking import can_register_secrets
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.observation import Target
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import WaitPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import TransportOptions
from ansible_collections.msgops.fleet.plugins.module_utils._linking.display import CodeDisplay
from ansible_collections.msgops.fleet.plugins.module_utils._linking.linker import Linker
from ansible_collections.msgops.fleet.plugins.module_utils._linking.progress import ActiveCode, LinkRequest
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Credentials, LinkingCode
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache
from ansible_collections.msgops.fleet.tests.support.creation import GATEWAYS, actions, wait_until
from ansible_collections.msgops.fleet.tests.support.linking import (
    LINKED,
    QUICK,
    Person,
    Sitting,
    errors,
    strings_in,
)

from msgops_emulator.camera import read_codes

PHONE = "4915112345678"
# Longer than a test may take.
FOR_EVER = 3600
BANNED = "4915100000001"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Linking


def test_phones_scan_the_pictures_in_the_folder(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "shop", "support") + sitting.seed("plugzapi", "sales")

    def scan() -> None:
        for picture in sitting.pictures().values():
            sitting.emulator.scan(image=picture)

    with Person(scan):
        result = sitting.link(fleet, max_codes=0)
    assert not result.get("failed")
    assert result["changed"] is True
    assert actions(result) == dict.fromkeys(("shop", "support", "sales"), "linked")
    assert result["summary"] == {"total": 3, "authorized": 3, "by_action": {"linked": 3}}
    assert all(sitting.state(item) in LINKED for item in fleet)
    assert all(instance["authorized"] and instance["state"] == "authorized" for instance in result["instances"])
    assert [path.name for path in sitting.codes.iterdir()] == ["index.html"]
    assert "All phones are linked" in sitting.page.read_text()


def test_phones_scan_the_page(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "shop") + sitting.seed("plugzapi", "sales")

    def scan() -> None:
        for card in sitting.cards().values():
            if card.picture:
                sitting.emulator.scan(image=card.picture)

    with Person(scan):
        result = sitting.link(fleet, max_codes=0)
    assert set(actions(result).values()) == {"linked"}


@pytest.mark.parametrize("provider", GATEWAYS)
def test_codes_are_typed_in(sitting: Sitting, provider: str) -> None:
    shop, support = sitting.seed(provider, "shop", "support")
    fleet = [{**shop, "phone": "4915100000111"}, support]

    def type_in() -> None:
        for card in sitting.cards().values():
            if card.code:
                sitting.emulator.scan(card.code, phone=card.phone)

    person = Person(type_in)
    with person:
        result = sitting.link(fleet, method="code", phone=PHONE)
    assert set(actions(result).values()) == {"linked"}
    phones = [sitting.emulator.instance(provider, item["id"])["phone"] for item in fleet]
    assert phones == ["4915100000111", PHONE]
    assert not [refusal for refusal in person.refusals if "for the phone" in refusal]
    assert not sitting.pictures()


def test_a_new_code_takes_the_place_of_one_that_ran_out(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    seen: list[bytes] = []

    def look() -> None:
        for picture in sitting.pictures().values():
            if picture not in seen:
                seen.append(picture)
            if len(seen) >= 3:
                sitting.emulator.scan(image=seen[0] if not person.refusals else picture)

    person = Person(look)
    with person:
        result = sitting.link([shop])
    assert actions(result) == {"shop": "linked"}
    assert "is old" in person.refusals[0]


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_code_is_shown_for_as_long_as_the_gateway_gives_it(sitting: Sitting, provider: str) -> None:
    sitting.emulator.config({f"{provider}.qr_seconds": 600})
    fleet = sitting.seed(provider, "shop")
    shown: list[bool] = []

    def look() -> None:
        if shown or sitting.pictures():
            shown.append(bool(sitting.pictures()))

    with Person(look):
        sitting.link(fleet, wait_timeout=4, max_codes=0)
    while not shown[-1]:
        shown.pop()  # at the end they are removed
    assert len(shown) > 10
    assert all(shown)
    assert sitting.emulator.instance(provider, fleet[0]["id"])["codes_made"] == 1


def test_a_code_outlives_a_clock_that_is_set_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    code = ActiveCode.begin(LinkingCode(text="ABCD-1234"), FOR_EVER)
    monkeypatch.setattr(time, "time", lambda: real() + 2 * FOR_EVER)
    assert code.is_alive
    assert code.prolong(FOR_EVER + 60).life == pytest.approx(FOR_EVER + 60, abs=30)
    assert not ActiveCode.begin(LinkingCode(text="ABCD-1234"), 0).is_alive


def test_an_instance_that_is_starting_gets_its_code_when_it_is_ready(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    sitting.emulator.set_state("green_api", shop["id"], "creating", [(0.3, "starting"), (0.6, "notAuthorized")])
    notes: list[str] = []

    def scan() -> None:
        for card in sitting.cards().values():
            notes.append(card.text)
            if card.picture:
                sitting.emulator.scan(image=card.picture)

    with Person(scan):
        result = sitting.link([shop])
    assert actions(result) == {"shop": "linked"}
    assert "still creating it" in notes[0]


def test_a_phone_that_takes_its_time_after_the_scan(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.linking_seconds": 0.5})
    (shop,) = sitting.seed("green_api", "shop")

    def scan() -> None:
        for picture in sitting.pictures().values():
            sitting.emulator.scan(image=picture)

    person = Person(scan)
    with person:
        result = sitting.link([shop])
    assert actions(result) == {"shop": "linked"}
    assert not [refusal for refusal in person.refusals if "is authorized" in refusal]


@pytest.mark.parametrize("provider", GATEWAYS)
def test_an_authorized_instance_is_left_alone(sitting: Sitting, provider: str) -> None:
    state = "authorized" if provider == "green_api" else "connected"
    result = sitting.link(sitting.seed(provider, "shop", state=state))
    assert not result.get("failed")
    assert (result["changed"], actions(result)) == (False, {"shop": "already_authorized"})
    assert sitting.codes_asked() == 0
    assert not sitting.codes.exists()


def test_one_instance_by_its_own_options(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop", state="authorized")
    options = {"provider": "green_api", "instance_id": shop["id"], "instance_token": shop["token"]}
    result = sitting.link(None, **options, api_url=sitting.emulator.url)
    assert actions(result) == {None: "already_authorized"}


def test_an_empty_list(sitting: Sitting) -> None:
    result = sitting.link([])
    assert (result["changed"], result["instances"], result["summary"]["total"]) == (False, [], 0)


# Check mode and diff


def test_check_mode_predicts_and_requests_no_code(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "done", state="authorized") + sitting.seed("green_api", "shop")
    fleet += sitting.seed("green_api", "new", state="creating") + sitting.seed("green_api", "busy", state="starting")
    fleet += sitting.seed("plugzapi", "sales")
    result = sitting.link(fleet, check_mode=True)
    assert actions(result) == {
        "done": "already_authorized",
        "shop": "would_link",
        "new": "would_link",
        "busy": "pending",
        "sales": "would_link",
    }
    assert result["changed"] is True
    assert not result.get("failed")
    assert sitting.emulator.log(writes=True) == []
    assert not sitting.codes.exists()


def test_check_mode_where_nothing_is_to_be_done(sitting: Sitting) -> None:
    assert sitting.link(sitting.seed("green_api", "done", state="authorized"), check_mode=True)["changed"] is False


def test_the_diff_shows_states(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    diff = sitting.link([shop], check_mode=True, diff=True)["diff"]
    assert diff["before"] == f"green_api shop ({shop['id']}): notAuthorized\n"
    assert diff["after"] == f"green_api shop ({shop['id']}): authorized\n"


# What goes wrong, in one line each


@pytest.mark.parametrize("provider", GATEWAYS)
def test_nobody_scans_in_time(sitting: Sitting, provider: str) -> None:
    (shop,) = sitting.seed(provider, "shop")
    result = sitting.link([shop], wait_timeout=1.5)
    assert result["failed"]
    assert (result["changed"], actions(result)) == (False, {"shop": "pending"})
    reason = "no phone within 1.5 s: none of its codes was used in time"
    assert result["msg"] == f"shop ({shop['id']}) was not linked: {reason}; have {sitting.page} open and run it again"
    assert result["error"]["code"] == "timeout"
    assert [path.name for path in sitting.codes.iterdir()] == ["index.html"]


def test_the_codes_ran_out_that_plugzapi_wants_to_give(sitting: Sitting) -> None:
    (sales,) = sitting.seed("plugzapi", "sales")
    result = sitting.link([sales], wait_timeout=FOR_EVER)
    assert actions(result) == {"sales": "pending"}
    assert "3 codes ran out unused, and max_codes allows no more" in result["msg"]
    assert "or raise max_codes" in result["msg"]
    assert sitting.codes_asked() == 3


def test_the_user_says_how_many_codes(sitting: Sitting) -> None:
    sales = sitting.seed("plugzapi", "sales") + sitting.seed("green_api", "shop")
    result = sitting.link(sales, max_codes=2)
    assert set(actions(result).values()) == {"pending"}
    assert len(sitting.emulator.log(route="plugzapi.qr_code_image")) == 2
    assert [instance["codes_made"] for instance in sitting.emulator.instances(provider="green_api")] == [2]


def test_a_blocked_number(sitting: Sitting) -> None:
    sitting.emulator.set_number("49", "15100000001", result="banned")
    (shop,) = sitting.seed("green_api", "shop")

    def scan() -> None:
        for picture in sitting.pictures().values():
            sitting.emulator.scan(image=picture, phone=BANNED)

    with Person(scan):
        result = sitting.link([shop])
    assert actions(result) == {"shop": "failed"}
    assert result["msg"] == (
        f"shop ({shop['id']}) was not linked: it is blocked; "
        "the account is banned: appeal in WhatsApp or use another number"
    )


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_code_for_a_blocked_number_is_refused(sitting: Sitting, provider: str) -> None:
    sitting.emulator.set_number("49", "15100000001", result="banned")
    (shop,) = sitting.seed(provider, "shop")
    result = sitting.link([shop], method="code", phone=BANNED)
    assert actions(result) == {"shop": "failed"}
    assert f"code for the phone {BANNED}" in result["msg"]
    assert ("no code for this number" if provider == "green_api" else "can not be linked") in result["msg"]


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_phone_that_is_linked_elsewhere(sitting: Sitting, provider: str) -> None:
    (shop,) = sitting.seed(provider, "shop")
    (other,) = sitting.seed("green_api", "other")
    sitting.emulator.link("green_api", other["id"])
    phone = sitting.emulator.instance("green_api", other["id"])["phone"]
    notes: list[str] = []

    def scan() -> None:
        for card in sitting.cards().values():
            notes.append(card.text)
        if "linked" not in "".join(person.refusals):
            for picture in sitting.pictures().values():
                sitting.emulator.scan(image=picture, phone=phone)

    person = Person(scan)
    with person:
        result = sitting.link([shop], wait_timeout=3, max_codes=0)
    assert "is linked to green_api instance" in "".join(person.refusals)
    assert actions(result) == {"shop": "pending"}
    assert f"The number {phone} is linked to another instance" in result["msg"]
    assert any("is linked to another instance" in note for note in notes)


@pytest.mark.parametrize("provider", GATEWAYS)
def test_after_a_refusal_another_phone_is_welcome(sitting: Sitting, provider: str) -> None:
    (shop,) = sitting.seed(provider, "shop")
    (other,) = sitting.seed("green_api", "other")
    sitting.emulator.link("green_api", other["id"])
    taken = sitting.emulator.instance("green_api", other["id"])["phone"]

    def scan() -> None:
        for picture in sitting.pictures().values():
            sitting.emulator.scan(image=picture, phone=PHONE if "linked" in "".join(person.refusals) else taken)

    person = Person(scan)
    with person:
        result = sitting.link([shop], max_codes=0)
    assert actions(result) == {"shop": "linked"}


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_gateway_that_stops_giving_codes(sitting: Sitting, provider: str) -> None:
    sitting.emulator.config({f"{provider}.max_codes": 1})
    (shop,) = sitting.seed(provider, "shop")
    result = sitting.link([shop], max_codes=0)
    assert actions(result) == {"shop": "failed"}
    assert "sking for a QR code" in result["msg"]
    assert "No more codes, restart the instance" in result["msg"]
    assert "\n" not in result["msg"]


def test_an_account_that_needs_a_passkey(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.qr_answer": "passkeyRequired"})
    result = sitting.link(sitting.seed("green_api", "shop"))
    assert actions(result) == {"shop": "failed"}
    assert result["instances"][0]["error"]["code"] == "vendor"
    assert "this account needs a passkey; link the phone in the gateway's console" in result["msg"]


@pytest.mark.parametrize("state", ["yellowCard", "suspended", "blocked"])
def test_a_state_in_which_no_phone_can_be_linked(sitting: Sitting, state: str) -> None:
    result = sitting.link(sitting.seed("green_api", "shop", state=state))
    assert actions(result) == {"shop": "failed"}
    assert f"it is {state}; " in result["msg"]
    assert sitting.codes_asked() == 0


def test_an_instance_that_stays_in_a_state_without_codes(sitting: Sitting) -> None:
    result = sitting.link(sitting.seed("green_api", "shop", state="starting"), wait_timeout=0.3)
    assert "it is starting; wait up to 5 minutes" in result["msg"]
    assert sitting.codes_asked() == 0


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_wrong_token_is_final(sitting: Sitting, provider: str) -> None:
    (shop,) = sitting.seed(provider, "shop")
    result = sitting.link([{**shop, "token": "wrong"}], wait_timeout=FOR_EVER)
    assert actions(result) == {"shop": "failed"}
    assert sitting.codes_asked() == 0


def test_after_a_failure_the_other_instances_are_linked(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "shop", "support")
    fleet[0]["token"] = "wrong"

    def scan() -> None:
        for picture in sitting.pictures().values():
            sitting.emulator.scan(image=picture)

    with Person(scan):
        result = sitting.link(fleet)
    assert actions(result) == {"shop": "failed", "support": "linked"}
    assert (result["failed"], result["changed"]) == (True, True)
    assert list(errors(result)) == ["shop"]


def test_many_failures_are_grouped_by_their_reasons(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", *(f"shop-{n:02d}" for n in range(12)), state="starting")
    result = sitting.link(fleet, wait_timeout=0.3)
    assert result["msg"].startswith("12 of 12 instances could not be linked: starting (12): shop-00")
    assert "and 2 more. no phone within 0.3 s: it is starting" in result["msg"]


@pytest.mark.parametrize("provider", GATEWAYS)
@pytest.mark.parametrize("fault", ["reset", "bad_gateway", "throttle"])
def test_a_passing_fault_of_the_calls_for_codes(sitting: Sitting, provider: str, fault: str) -> None:
    route = "green_api.qr" if provider == "green_api" else "plugzapi.qr_code_image"
    options = {} if fault == "throttle" else {"when": "after"}
    sitting.emulator.arm(route, fault, count=1, **options)
    (shop,) = sitting.seed(provider, "shop")

    def scan() -> None:
        for picture in sitting.pictures().values():
            sitting.emulator.scan(image=picture)

    with Person(scan):
        result = sitting.link([shop], max_codes=0)
    assert actions(result) == {"shop": "linked"}


def test_a_code_that_was_lost_on_the_way_counts_at_plugzapi(sitting: Sitting) -> None:
    sitting.emulator.arm("plugzapi.qr_code_image", "reset", count=1, when="after")
    result = sitting.link(sitting.seed("plugzapi", "sales"))
    assert "3 codes ran out" in result["msg"]
    assert sitting.codes_asked() == 3


def test_an_answer_that_isnt_one(sitting: Sitting) -> None:
    sitting.emulator.arm("green_api.qr", "garbage", kind="html", count=None)
    result = sitting.link(sitting.seed("green_api", "shop"))
    assert actions(result) == {"shop": "failed"}
    assert result["error"]["code"] == "bad_answer"


# Where the codes are shown


@pytest.mark.parametrize(
    "options",
    [
        {"dest": None},
        {"dest": None, "no_log": True},
        {"dest": None, "terminal": True},
        {"dest": None, "method": "code", "phone": PHONE, "no_log": True},
        {"dest": None, "method": "code", "phone": PHONE, "wait_timeout": 0},
    ],
)
def test_a_code_that_nobody_would_see_is_not_asked_for(
    sitting: Sitting, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "_register_secret", None)  # as before ansible-core 2.22
    for check_mode in (False, True):
        result = sitting.link(sitting.seed("green_api", "shop"), check_mode=check_mode, **options)
        assert result["failed"]
        assert "nobody would see the codes" in result["msg"]
        assert ("no_log: true" in result["msg"]) is (options.get("wait_timeout") == 0), "the result is a way out"
        assert "give dest" in result["msg"]
    assert sitting.emulator.log() == []


@pytest.mark.parametrize("provider", GATEWAYS)
def test_without_time_to_wait_the_code_is_returned(sitting: Sitting, provider: str) -> None:
    (shop,) = sitting.seed(provider, "shop")
    options = {"method": "code", "phone": PHONE, "wait_timeout": 0, "dest": None}
    result = sitting.link([shop], no_log=True, **options)
    assert not result.get("failed")
    assert (result["changed"], actions(result)) == (False, {"shop": "pending"})
    assert sitting.codes_asked() == 1
    sitting.emulator.scan(result["instances"][0]["code"])
    assert sitting.state(shop) in LINKED


def test_without_time_to_wait_the_files_stay(sitting: Sitting) -> None:
    sitting.emulator.config({f"{provider}.qr_seconds": FOR_EVER for provider in GATEWAYS})
    shop, sales = sitting.seed("green_api", "shop") + sitting.seed("plugzapi", "sales")
    result = sitting.link([shop, sales], wait_timeout=0)
    assert not result.get("failed")
    files = {instance["name"]: Path(instance["file"]) for instance in result["instances"]}
    assert files["shop"] == sitting.codes / f"green_api-{shop['id']}.png"
    assert mode(files["sales"]) == 0o600
    assert set(sitting.cards()) == {f"green_api-{shop['id']}", f"plugzapi-{sales['id']}"}
    assert all(instance["code"] is None for instance in result["instances"])
    for path in files.values():
        sitting.emulator.scan(image=path.read_bytes())


def test_without_time_to_wait_a_refusal_is_final(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.max_codes": 0})
    result = sitting.link(sitting.seed("green_api", "shop"), wait_timeout=0)
    assert actions(result) == {"shop": "failed"}


def test_a_code_is_not_in_a_result_that_ansible_would_print(sitting: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    options = {"method": "code", "phone": PHONE, "wait_timeout": 0}
    result = sitting.link([shop], **options)
    (card,) = sitting.cards().values()
    assert card.code
    assert result["instances"][0]["code"] is None or can_register_secrets()
    shown = [text for text in strings_in({**result, "instances": []}) if card.code.replace("-", "") in text]
    assert shown == []


# The folder and the page


def test_files_are_for_their_owner_alone(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    modes: set[int] = set()

    def look() -> None:
        modes.update(mode(path) for path in sitting.codes.iterdir() if not path.name.startswith("."))
        for picture in sitting.pictures().values():
            if len(modes) and mode(sitting.codes) == 0o700:
                sitting.emulator.scan(image=picture)

    with Person(look):
        sitting.link([shop])
    assert modes == {0o600}
    assert mode(sitting.codes) == 0o700


def test_a_reader_never_finds_half_a_file(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.qr_seconds": 0.03})
    (shop,) = sitting.seed("green_api", "shop")
    halves: list[str] = []

    def look() -> None:
        for picture in sitting.pictures().values():
            if not picture.endswith(b"IEND\xaeB`\x82"):
                halves.append("a picture")
        if sitting.page.exists() and not sitting.page.read_text().endswith("</html>\n"):
            halves.append("a page")

    with Person(look):
        sitting.link([shop], wait_timeout=2)
    assert halves == []


def test_what_a_killed_run_has_left_is_removed(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop", state="starting")
    sitting.codes.mkdir()
    left = sitting.codes / f"green_api-{shop['id']}.png"
    left.write_bytes(b"an old code")
    others = sitting.codes / "notes.txt"
    others.write_text("mine")
    sitting.link([shop], wait_timeout=0.2)
    assert not left.exists()
    assert others.read_text() == "mine"


def test_a_folder_that_cant_be_written(sitting: Sitting) -> None:
    (sitting.folder / "file").write_text("")
    result = sitting.link(sitting.seed("green_api", "shop"), dest=str(sitting.folder / "file" / "codes"))
    assert result["failed"]
    assert "can't be written (Not a directory); name another folder" in result["msg"]
    assert sitting.codes_asked() == 0


def test_a_failure_in_the_midst_leaves_no_codes(sitting: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    real = Linker._serve

    def serve(linker: Any, link: Any) -> None:
        real(linker, link)
        if sitting.pictures():
            raise RuntimeError("a bug")

    monkeypatch.setattr(Linker, "_serve", serve)
    result = sitting.link([shop])
    assert "unexpected RuntimeError" in result["msg"]
    assert sitting.pictures() == {}
    assert sitting.cards() == {}


def test_the_page_says_what_is_pending_and_what_is_done(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "shop", "support")
    seen: list[str] = []

    def scan() -> None:
        cards = sitting.cards()
        if len(cards) == 1:
            seen.append(sitting.page.read_text())
        card = next(iter(cards.values()), None)
        if card and card.picture and (len(cards) == 2 or seen):
            sitting.emulator.scan(image=card.picture)

    with Person(scan):
        sitting.link(fleet)
    assert "1 of 2 wait for a phone" in seen[0]
    assert "<b>shop</b>" in seen[0]


def test_progress_names_the_page(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    lines: list[str] = []
    linker = Linker(
        "qr",
        CodeDisplay(folder=str(sitting.codes)),
        WaitPolicy(0.2, 0.1),
        max_codes=None,
        concurrency=2,
        progress=lines.append,
        timing=QUICK,
    )
    linker.link(requests(sitting, [shop]))
    left = f"notAuthorized (1): shop ({shop['id']}); open {sitting.page}"
    assert lines == [f"1 of 1 instances wait for a phone: {left} (0 s elapsed, 0 s left)"]


def requests(sitting: Sitting, items: list[dict[str, Any]], phone: str | None = None) -> list[LinkRequest]:
    gateways = GatewayCache(TransportOptions(timeout=5, retry_timeout=0))
    found = []
    for item in items:
        credentials = Credentials(item["id"], item["token"])
        target = Target(gateways.get(item["provider"], sitting.emulator.url), credentials, item["name"])
        found.append(LinkRequest(target, phone))
    return found


# The terminal


class Screen:
    """A terminal that a person watches."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def __call__(self, text: str) -> None:
        self.drawn.append(text)


def linker(screen: Screen, method: Any = "qr", folder: Path | None = None, timeout: float = 20.0) -> Linker:
    return Linker(
        method,
        CodeDisplay(folder=str(folder) if folder else None, draw=screen),
        WaitPolicy(timeout, 0.05),
        max_codes=0,
        concurrency=4,
        timing=QUICK,
    )


def test_a_terminal_shows_one_instance_after_the_other(sitting: Sitting) -> None:
    fleet = sitting.seed("plugzapi", "sales", "support")
    screen = Screen()

    def scan() -> None:
        if screen.drawn:
            name = screen.drawn[-1].partition(" ")[0]
            (item,) = [item for item in fleet if item["name"] == name]
            if sitting.state(item) == "disconnected":
                assert sitting.codes_asked() > 0
                sitting.emulator.scan(read_blocks(screen.drawn[-1]))

    with Person(scan):
        result = linker(screen).link(requests(sitting, fleet))
    assert set(actions(result).values()) == {"linked"}
    names = [text.partition(" ")[0] for text in screen.drawn]
    assert sorted(names) == sorted(names, key=["sales", "support"].index) == names
    asked = sitting.emulator.log(route="plugzapi.qr_code")
    first = next(entry["seq"] for entry in asked if fleet[1]["id"] in entry["path"])
    assert all(fleet[0]["id"] in entry["path"] for entry in asked if entry["seq"] < first)


def read_blocks(text: str) -> str:
    """What the QR code in half blocks says, as a camera would see it."""
    rows: list[str] = []
    for line in text.split("\n")[1:]:
        blocks = line.removeprefix("\x1b[97;40m").removesuffix("\x1b[0m")
        rows.append("".join("1" if block in "█▀" else "0" for block in blocks))
        rows.append("".join("1" if block in "█▄" else "0" for block in blocks))
    size = 4
    header = f"P5 {len(rows[0]) * size} {len(rows) * size} 255\n".encode()
    pixels = b"".join(
        bytes(255 if bit == "1" else 0 for bit in row for _x in range(size)) for row in rows for _y in range(size)
    )
    (code,) = read_codes(header + pixels)
    return code


def test_a_terminal_shows_pairing_codes(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "shop")
    screen = Screen()
    with Person(lambda: screen.drawn and sitting.emulator.scan(screen.drawn[-1].split()[5])):  # type: ignore[arg-type]
        result = linker(screen, "code").link(requests(sitting, fleet, PHONE))
    assert actions(result) == {"shop": "linked"}
    assert screen.drawn[0].endswith(f"on the phone +{PHONE}")


def test_a_terminal_cant_show_pictures(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "shop")
    result = linker(Screen()).link(requests(sitting, fleet))
    assert "gives pictures, which a terminal can't show; give dest" in result["msg"]


def test_a_terminal_names_the_picture(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    screen = Screen()
    linker(screen, folder=sitting.codes, timeout=1.5).link(requests(sitting, [shop]))
    assert screen.drawn[0].endswith(f"scan the picture {sitting.codes}/green_api-{shop['id']}.png")


def test_what_a_terminal_shows_is_in_the_folder_too(sitting: Sitting) -> None:
    (sales,) = sitting.seed("plugzapi", "sales")
    screen = Screen()

    def scan() -> None:
        for picture in sitting.pictures().values():
            sitting.emulator.scan(image=picture)

    with Person(scan):
        result = linker(screen, folder=sitting.codes).link(requests(sitting, [sales]))
    assert actions(result) == {"sales": "linked"}
    assert screen.drawn


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "code"}, "needs phone for method: code"),
        ({"method": "code", "phone": "+49 151"}, "in digits alone"),
        ({"wait_timeout": -1}, "wait_timeout must be 0"),
        ({"wait_interval": 0}, "wait_interval must be"),
    ],
)
def test_wrong_options(sitting: Sitting, options: dict[str, Any], message: str) -> None:
    result = sitting.link(sitting.seed("green_api", "shop"), **options)
    assert result["failed"]
    assert message in result["msg"]
    assert sitting.emulator.log() == []


def test_the_same_instance_twice(sitting: Sitting) -> None:
    (shop,) = sitting.seed("green_api", "shop")
    result = sitting.link([shop, shop])
    assert result["msg"] == f"instances names {shop['id']} of green_api 2 times"
    assert sitting.emulator.log() == []


def test_no_result_holds_a_token(sitting: Sitting) -> None:
    fleet = sitting.seed("green_api", "shop", token_style="awkward") + sitting.seed("plugzapi", "sales")
    text = json.dumps(sitting.link(fleet, wait_timeout=0.2))
    assert not [item for item in fleet if item["token"] in text]


def test_many_instances_at_once(sitting: Sitting) -> None:
    sitting.emulator.config({"green_api.qr_seconds": 5})
    fleet = sitting.seed("green_api", *(f"shop-{n:02d}" for n in range(20)))
    scanned: set[str] = set()

    def scan() -> None:
        for anchor, card in sitting.cards().items():
            if card.picture and anchor not in scanned:
                sitting.emulator.scan(image=card.picture)
                scanned.add(anchor)

    with Person(scan):
        result = sitting.link(fleet)
    assert set(actions(result).values()) == {"linked"}
    wait_until(lambda: "All phones are linked" in sitting.page.read_text(), "the end of the page")
