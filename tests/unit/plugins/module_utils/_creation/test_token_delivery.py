# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token that can't be delivered safely is never asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.release import __version__ as ansible_version
from ansible_collections.msgops.fleet.plugins.module_utils._common import masking
from ansible_collections.msgops.fleet.tests.support.creation import Fleet, actions

REGISTERS = masking.can_register_secrets()
needs_register_secret = pytest.mark.skipif(
    not REGISTERS, reason=f"ansible-core {ansible_version} has no register_secret, which 2.22 has"
)


@pytest.fixture
def without_register_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ansible-core before 2.22."""
    monkeypatch.setattr(masking, "_register_secret", None)


@pytest.mark.usefixtures("without_register_secret")
def test_without_a_safe_way_nothing_is_created(fleet: Fleet) -> None:
    result = fleet.create("shop", "sales", credentials_file=None, no_log=False)
    assert actions(result) == {"shop": "failed", "sales": "failed"}
    assert not result["changed"]
    assert fleet.posts() == []
    assert fleet.status("shop") is None
    for way in ("no_log: true", "credentials_file"):
        assert way in result["msg"]


@pytest.mark.usefixtures("without_register_secret")
def test_without_a_safe_way_check_mode_warns(fleet: Fleet) -> None:
    result = fleet.create("shop", credentials_file=None, no_log=False, check_mode=True)
    assert actions(result) == {"shop": "would_create"}
    assert "no_log: true" in result["warnings"][0]


@pytest.mark.usefixtures("without_register_secret")
def test_what_is_there_needs_no_safe_way_but_its_token_is_withheld(fleet: Fleet) -> None:
    fleet.seed("shop")
    result = fleet.create("shop", credentials_file=None, no_log=False)
    assert actions(result) == {"shop": "adopted"}
    assert result["instance"]["token"] is None
    assert fleet.status("shop") == "created", "it was not delivered"


@pytest.mark.usefixtures("without_register_secret")
def test_with_no_log_the_token_is_in_the_result(fleet: Fleet) -> None:
    result = fleet.create("shop", credentials_file=None, no_log=True)
    assert result["instance"]["token"] == fleet.existing("shop")[0]["token"]
    assert fleet.status("shop") == "delivered"


@pytest.mark.usefixtures("without_register_secret")
def test_with_a_file_the_token_is_there_and_not_in_the_result(fleet: Fleet) -> None:
    result = fleet.create("shop", no_log=False)
    assert result["instance"]["token"] is None
    assert fleet.existing("shop")[0]["token"] not in json.dumps(result)
    assert fleet.status("shop") == "delivered"
    fleet.assert_delivered("shop")


def test_a_token_that_was_shown_nowhere_is_delivered_by_a_later_run(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.seed("shop")
    with monkeypatch.context() as patch:
        patch.setattr(masking, "_register_secret", None)
        fleet.create("shop", credentials_file=None, no_log=False)
    assert fleet.create("shop", credentials_file=None, no_log=True)["instance"]["token"]
    assert fleet.status("shop") == "delivered"


def test_a_registered_token_is_in_the_result(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr(masking, "_register_secret", registered.append)
    result = fleet.create("shop", "sales", credentials_file=None, no_log=False)
    assert set(actions(result).values()) == {"created"}
    assert {instance["token"] for instance in result["instances"]} <= set(registered)
    assert {instance["token"] for instance in fleet.existing()} <= set(registered)


def test_a_token_too_short_to_be_masked_is_withheld(green: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr(masking, "_register_secret", registered.append)
    green.seed("shop", token="short")
    result = green.create("shop", credentials_file=None, no_log=False)
    assert result["instance"]["token"] is None
    assert "short" not in registered


# Through ansible-playbook

PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - msgops.fleet.instance_create:
        name: shop
        provider: green_api
        api_url: "{{ url }}"
        partner_token: "{{ partner_token }}"
        journal: "{{ journal }}"
      register: shop
      vars:
        msgops_execution: "{{ place }}"
    - ansible.builtin.debug:
        var: shop
    - ansible.builtin.copy:
        content: "{{ shop.instance.token }}"
        dest: "{{ journal }}.token"
        mode: "0600"
"""


@pytest.fixture
def play(green: Fleet, ansible_commands: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run ansible-playbook in which the module's result is shown and its token is used."""

    def run(place: str) -> subprocess.CompletedProcess[str]:
        playbook, variables = green.folder / "play.yml", green.folder / "vars.json"
        playbook.write_text(PLAY)
        given = {
            "url": green.emulator.url,
            "partner_token": green.emulator.account("green_api")["partner_token"],
            "journal": str(green.journal_file),
            "place": place,
        }
        variables.write_text(json.dumps(given))
        command = [ansible_commands / "ansible-playbook", "-vvv", "-i", "localhost,", "-c", "local"]
        python = f"ansible_python_interpreter={sys.executable}"
        return subprocess.run(
            [*command, "-e", f"@{variables}", "-e", python, str(playbook)],
            capture_output=True,
            text=True,
            check=False,
            cwd=green.folder,
        )

    return run


@needs_register_secret
@pytest.mark.parametrize("place", ["controller", "module"])
def test_ansible_masks_a_registered_token_and_can_use_it(
    green: Fleet, play: Callable[[str], subprocess.CompletedProcess[str]], place: str
) -> None:
    done = play(place)
    assert done.returncode == 0, done.stdout + done.stderr
    (instance,) = green.existing("shop")
    assert instance["token"] not in done.stdout + done.stderr
    assert Path(f"{green.journal_file}.token").read_text() == instance["token"]
    assert green.status("shop") == "delivered"


@pytest.mark.skipif(REGISTERS, reason="this ansible-core has register_secret, so there is always a safe way")
@pytest.mark.parametrize("place", ["controller", "module"])
def test_an_older_ansible_creates_nothing(
    green: Fleet, play: Callable[[str], subprocess.CompletedProcess[str]], place: str
) -> None:
    done = play(place)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "no safe way" in done.stdout
    assert green.posts() == []


def test_results_are_plain_data(fleet: Fleet) -> None:
    result: dict[str, Any] = fleet.create("shop", "sales", diff=True)
    assert json.loads(json.dumps(result)) == result
