# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file into which tokens are written."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials import CredentialsFile
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials_content import Slot
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Instance
from ansible_collections.msgops.fleet.tests.storm.runs import Child, in_parallel
from ansible_collections.msgops.fleet.tests.support.creation import (
    SHORT_LEASE,
    Fleet,
    Unprivileged,
    actions,
    wait_until,
)

from msgops_emulator import Emulator

AWKWARD = 'a/b+c=d%e&f g"h\\i\u00e9\U0001f600'


def instance(number: int, token: str = "token") -> Instance:
    return Instance(id=str(number), name=f"shop-{number}", token=token)


def entry(number: int, token: str = "token") -> tuple[Slot, Instance]:
    return Slot("green_api", f"shop-{number}", "https://example.com"), instance(number, token)


def test_it_holds_id_token_and_address_by_provider_and_name(green: Fleet) -> None:
    green.create("shop")
    (there,) = green.existing("shop")
    assert json.loads(green.credentials_file.read_text()) == {
        "green_api": {"shop": {"id": str(there["id"]), "token": there["token"], "api_url": green.emulator.url}}
    }


def test_both_gateways_share_it(green: Fleet, plugz: Fleet) -> None:
    green.create("shop")
    plugz.create("shop")
    green.assert_delivered("shop")
    plugz.assert_delivered("shop")


@pytest.mark.parametrize("before", [None, 0o666])
def test_its_mode_is_0600(green: Fleet, before: int | None) -> None:
    if before is not None:
        green.credentials_file.touch()
        green.credentials_file.chmod(before)
    mask = os.umask(0)
    try:
        green.create("shop")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(green.credentials_file.stat().st_mode) == 0o600
    assert [path.name for path in green.folder.iterdir() if path.is_file()] == ["credentials.json"]


def test_whatever_a_token_holds_comes_out_as_it_went_in(tmp_path: Path) -> None:
    file = CredentialsFile(str(tmp_path / "credentials.json"))
    file.merge([entry(1, AWKWARD)])
    assert file.read()["green_api"]["shop-1"]["token"] == AWKWARD


def test_what_else_it_holds_is_kept(green: Fleet) -> None:
    others = {
        "green_api": {"kiosk": {"id": "1", "token": "t", "api_url": "u", "note": "é"}},
        "another": {"name": {"key": [1, 2.5, None, {"deep": True}]}},
    }
    green.credentials_file.write_text(json.dumps(others))
    green.create("shop")
    content = json.loads(green.credentials_file.read_text())
    assert content["green_api"].pop("shop")
    assert content == others


def test_it_is_not_replaced_when_nothing_changes(fleet: Fleet) -> None:
    fleet.create("shop")
    before = fleet.credentials_file.stat()
    fleet.create("shop")
    assert fleet.credentials_file.stat() == before


def test_a_token_that_changed_at_the_gateway_is_replaced(green: Fleet) -> None:
    green.create("shop")
    content = json.loads(green.credentials_file.read_text())
    content["green_api"]["shop"]["token"] = "old"
    green.credentials_file.write_text(json.dumps(content))
    assert actions(green.create("shop")) == {"shop": "unchanged"}
    green.assert_delivered("shop")


def test_a_symbolic_link_stays_one(green: Fleet) -> None:
    green.credentials_file = green.folder / "link.json"
    target = green.folder / "elsewhere" / "target.json"
    target.parent.mkdir()
    green.credentials_file.symlink_to(target)
    green.create("shop")
    assert green.credentials_file.is_symlink()
    assert not target.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    green.assert_delivered("shop")


def test_a_tilde_is_the_home_folder(green: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(green.folder))
    green.create("shop", credentials_file="~/credentials.json")
    green.assert_delivered("shop")


def test_a_reader_never_sees_half_of_it(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    done = threading.Event()
    sizes: list[int] = []

    def read() -> None:
        while not done.is_set():
            with contextlib.suppress(FileNotFoundError):
                sizes.append(len(json.loads(path.read_bytes()).get("green_api", {})))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(60):
            CredentialsFile(str(path)).merge([entry(number, "x" * 5000)])
            if number % 20 == 0:
                path.unlink()
    finally:
        done.set()
        reader.join()
    assert len(sizes) > 10
    assert len(CredentialsFile(str(path)).read()["green_api"]) == 19


class Merge:
    """Merge instances one by one."""

    def __init__(self, path: str, numbers: range) -> None:
        self.path = path
        self.numbers = numbers

    def __call__(self) -> None:
        for number in self.numbers:
            CredentialsFile(self.path).merge([entry(number)])


def test_what_parallel_processes_merge_is_all_there(tmp_path: Path) -> None:
    path = str(tmp_path / "credentials.json")
    in_parallel(*[Merge(path, range(start, start + 25)) for start in range(0, 100, 25)])
    assert set(CredentialsFile(path).read()["green_api"]) == {f"shop-{number}" for number in range(100)}
    assert os.listdir(tmp_path) == ["credentials.json"]


def test_a_process_that_is_killed_leaves_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    for lines in range(0, 120, 4):
        killed = Child(Merge(str(path), range(1000)), die_after=lines)
        assert killed.result() is None
        if path.exists():
            json.loads(path.read_bytes())
            path.unlink()


# If it can't be used, nothing is created


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"not JSON",
        b"[]",
        b"null",
        b'"text"',
        b'{"green_api": []}',
        b'{"green_api": {"shop": "token"}}',
        b'{"other": 1}',
        b"\xff\xfe",
        b"\x00" * 100,
        b"[" * 100_000,
        b"$ANSIBLE_VAULT;1.1;AES256\n6162636465666768\n",
    ],
)
def test_one_that_holds_something_else_creates_nothing_and_stays_byte_for_byte(fleet: Fleet, content: bytes) -> None:
    fleet.credentials_file.write_bytes(content)
    for check_mode in (False, True):
        result = fleet.create("shop", check_mode=check_mode)
        assert result["failed"]
        assert str(fleet.credentials_file) in result["msg"]
        assert "it was left as it is" in result["msg"]
    assert fleet.credentials_file.read_bytes() == content
    assert fleet.posts() == []


def test_one_encrypted_by_ansible_vault_is_called_that(green: Fleet, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("secret")
    green.credentials_file.write_text('{"green_api": {}}')
    vault = [sys.executable, "-m", "ansible", "vault", "encrypt", "--vault-password-file", str(password)]
    subprocess.run([*vault, str(green.credentials_file)], check=True, capture_output=True)
    content = green.credentials_file.read_bytes()
    assert content.startswith(b"$ANSIBLE_VAULT")
    assert "is encrypted by Ansible Vault" in green.create("shop")["msg"]
    assert green.credentials_file.read_bytes() == content
    assert green.posts() == []


@pytest.mark.parametrize("path", ["{folder}", "{folder}/none/credentials.json", "{folder}/file/x.json", "/proc/x.json"])
def test_a_path_where_no_file_can_be_creates_nothing(green: Fleet, path: str) -> None:
    (green.folder / "file").touch()
    result = green.create("shop", credentials_file=path.format(folder=green.folder))
    assert result["failed"]
    assert "credentials_file" in result["msg"]
    assert green.posts() == []


@pytest.mark.parametrize("what", ["folder", "file"])
def test_one_that_may_not_be_written_creates_nothing(emulator: Emulator, open_folder: Path, what: str) -> None:
    green = Fleet(emulator, "green_api", open_folder)
    green.credentials_file = open_folder / "vault" / "credentials.json"
    green.credentials_file.parent.mkdir()
    green.credentials_file.write_text("{}")
    if what == "file":
        green.credentials_file.parent.chmod(0o777)
        green.credentials_file.chmod(0o444)
    else:
        green.credentials_file.chmod(0o666)
        green.credentials_file.parent.chmod(0o555)
    result = Child(Unprivileged(green.task("shop"))).result()
    assert result["failed"]
    assert "can't be written" in result["msg"]
    assert green.posts() == []


# If it breaks later, the next run finishes


def test_one_that_breaks_during_a_creation_is_written_by_the_next_run(fleet: Fleet) -> None:
    run = fleet.start_hanging("shop")
    fleet.credentials_file.write_text("{")
    fleet.emulator.release()
    result = run.result()
    assert actions(result) == {"shop": "failed"}
    assert result["changed"], "the instance was created"
    assert result["failed"]
    assert "credentials_file" in result["msg"]
    assert fleet.status("shop") == "created"
    assert fleet.credentials_file.read_text() == "{"
    fleet.credentials_file.unlink()
    again = fleet.create("shop")
    assert actions(again) == {"shop": "unchanged"}
    assert fleet.posts() == ["shop"]
    assert fleet.status("shop") == "delivered"
    fleet.assert_delivered("shop")


def test_without_a_listing_the_next_run_says_that_the_token_is_lost(plugz: Fleet) -> None:
    plugz.emulator.config({"plugzapi.listing": "http404"})
    run = plugz.start_hanging("shop", no_log=False)
    plugz.credentials_file.write_text("{")
    plugz.emulator.release()
    assert run.result()["failed"]
    plugz.credentials_file.unlink()
    again = plugz.create("shop")
    assert actions(again) == {"shop": "unchanged"}
    assert "never delivered" in again["warnings"][0]


def test_a_token_is_in_it_before_the_other_creations_of_the_task_have_ended(fleet: Fleet) -> None:
    run = fleet.start_hanging("quick", "slow", fault={"match": '"slow"'}, requests=2, lease_policy=SHORT_LEASE)
    wait_until(lambda: fleet.credentials_file.exists() and fleet.credentials(), "the token")
    fleet.assert_delivered("quick")
    run.kill()


def test_its_failure_is_each_creations_own(fleet: Fleet) -> None:
    """Also for instances that existed before: the result says of each that its token was not delivered."""
    fleet.seed("old")
    run = fleet.start_hanging("old", "new")
    fleet.credentials_file.write_text("{")
    fleet.emulator.release()
    result: dict[str, Any] = run.result()
    assert actions(result) == {"old": "failed", "new": "failed"}
    assert [item["error"]["code"] for item in result["instances"]] == ["bad_request", "bad_request"]


def test_an_entry_from_before_its_account_had_a_name_is_kept_and_warned_of_once(fleet: Fleet) -> None:
    fleet.create("shop", "sales")
    before = fleet.credentials()
    result = fleet.create("shop", "sales", account="mine")
    (warning,) = result["warnings"]
    assert "shop (now mine/shop), sales (now mine/sales)" in warning
    assert fleet.credentials() == before | {f"mine/{name}": entry for name, entry in before.items()}
    assert fleet.create("shop", "sales", account="mine")["warnings"] == []


def test_another_instances_entry_under_the_name_is_neither_warned_of_nor_changed(fleet: Fleet) -> None:
    other = {"id": "77", "token": "another", "api_url": "https://example.com"}
    fleet.credentials_file.write_text(json.dumps({fleet.provider: {"shop": other}}))
    assert fleet.create("shop", account="mine")["warnings"] == []
    assert fleet.credentials()["shop"] == other
