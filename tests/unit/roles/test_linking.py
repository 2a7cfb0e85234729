# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role shows codes to a person, and reboots when told to."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.support.linking import Person, Sitting

from msgops_emulator import Emulator

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Provision
      ansible.builtin.include_role:
        name: msgops.fleet.provision
"""


@pytest.fixture
def sitting(emulator: Emulator, tmp_path: Path) -> Sitting:
    emulator.config({"green_api.restart_seconds": 0.3})
    (tmp_path / "play.yml").write_text(PLAYBOOK, encoding="utf-8")
    return Sitting(emulator, tmp_path)


Play = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def play(ansible_commands: Path) -> Play:
    """``run_role`` with Ansible's commands."""
    return functools.partial(run_role, ansible_commands)


def run_role(commands: Path, sitting: Sitting, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run the role; its variables go without their prefix."""
    accounts = {gateway: sitting.emulator.account(gateway) for gateway in ("green_api", "plugzapi")}
    given = {
        "partner_tokens": {gateway: account["partner_token"] for gateway, account in accounts.items()},
        "api_urls": dict.fromkeys(accounts, sitting.emulator.url),
        "journal": str(sitting.journal),
        "link_dest": str(sitting.codes),
        "wait_interval": 0.3,
        **variables,
    }
    extra = json.dumps({f"provision_{name}": value for name, value in given.items()})
    return subprocess.run(
        [commands / "ansible-playbook", "play.yml", "-e", extra, *arguments],
        cwd=sitting.folder,
        env={**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"},
        capture_output=True,
        text=True,
        check=False,
    )


def items(fleet: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: item[key] for key in ("provider", "name")} for item in fleet]


def test_phones_are_linked_between_creation_and_assertion(sitting: Sitting, play: Play) -> None:
    fleet = [{"name": "shop", "provider": "green_api"}, {"name": "sales", "provider": "plugzapi"}]
    seen: list[str] = []

    def scan() -> None:
        for card in sitting.cards().values():
            if card.picture:
                sitting.emulator.scan(image=card.picture)
                seen.append(card.text)

    with Person(scan):
        done = play(sitting, "-vvv", instances=fleet, link="qr", link_max_codes=0, wait_timeout=60)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert len(seen) == 2
    assert f"{sitting.page} shows the codes of the instances that need a phone: open it now" in " ".join(output.split())
    assert "2 of 2 instances wait for a phone" in output
    assert "2 of 2 instances are authorized" in output
    secrets = [instance["token"] for instance in sitting.emulator.instances()]
    assert not [secret for secret in secrets if secret in output]
    again = play(sitting, instances=fleet, link="qr")
    assert "changed=0" in again.stdout
    assert "wait for a phone" not in again.stdout


def test_pairing_codes_for_the_phones_of_the_items(sitting: Sitting, play: Play) -> None:
    fleet = [{"name": "shop", "provider": "green_api", "phone": "4915112345678"}]

    def type_in() -> None:
        for card in sitting.cards().values():
            if card.code:
                sitting.emulator.scan(card.code, phone=card.phone)

    with Person(type_in):
        done = play(sitting, "-vvv", instances=fleet, link="code", wait_timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sitting.emulator.instances()[0]["phone"] == "4915112345678"


def test_the_failing_assertion_names_the_page(sitting: Sitting, play: Play) -> None:
    fleet = sitting.seed("green_api", "shop") + sitting.seed("green_api", "banned", state="blocked")
    done = play(sitting, instances=items(fleet), link="qr", wait_timeout=2)
    assert done.returncode == 2
    assert (
        "shop at green_api: no phone within 2 s: none of its codes was used in time; "
        f"have {sitting.page} open and run it again"
    ) in " ".join(done.stdout.split())
    assert "banned at green_api: it is blocked; the account is banned" in " ".join(done.stdout.split())


def test_in_check_mode_nobody_is_waited_for(sitting: Sitting, play: Play) -> None:
    fleet = sitting.seed("green_api", "shop")
    done = play(sitting, "--check", instances=items(fleet), link="qr", wait_timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=1" in done.stdout
    assert sitting.emulator.log(writes=True) == []
    assert not sitting.codes.exists()


def test_a_folder_that_cant_be_written_is_told(sitting: Sitting, play: Play) -> None:
    (sitting.folder / "file").write_text("")
    fleet = sitting.seed("green_api", "shop")
    done = play(sitting, instances=items(fleet), link="qr", link_dest=str(sitting.folder / "file" / "codes"))
    assert done.returncode == 2
    assert "can't be written" in done.stdout


def test_nothing_is_rebooted_or_linked_unless_told_so(sitting: Sitting, play: Play) -> None:
    fleet = sitting.seed("green_api", "shop", state="yellowCard") + sitting.seed("green_api", "support")
    done = play(sitting, instances=items(fleet), wait=False, link="off")
    assert done.returncode == 2
    assert "shop at green_api is yellowCard; reboot the instance" in done.stdout
    assert sitting.emulator.log(writes=True) == []


def test_a_reboot_when_told_to(sitting: Sitting, play: Play) -> None:
    fleet = sitting.seed("green_api", "shop", state="authorized")
    sitting.emulator.set_state("green_api", fleet[0]["id"], "yellowCard")
    done = play(sitting, instances=items(fleet), reboot_on=["yellowCard"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=1" in done.stdout
    assert sitting.state(fleet[0]) == "authorized"
    sitting.emulator.set_state("green_api", fleet[0]["id"], "yellowCard")
    denied = play(sitting, instances=items(fleet), reboot_on=["yellowCard"], wait_timeout=1)
    assert denied.returncode == 2
    assert "give that reboot 2 minutes to show" in " ".join(denied.stdout.split())
