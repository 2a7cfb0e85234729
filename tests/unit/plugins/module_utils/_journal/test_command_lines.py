# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of messages: pasted into a shell as they stand, they do what the message says."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._creation.desired import DesiredInstance
from ansible_collections.msgops.fleet.plugins.module_utils._creation.refusals import Refusals
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import TransportOptions
from ansible_collections.msgops.fleet.plugins.module_utils._journal.command_lines import JournalCommands
from ansible_collections.msgops.fleet.plugins.module_utils._journal.entries import new_entry
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.accounts import resolve_account
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache
from ansible_collections.msgops.fleet.tests.support.creation import Fleet, actions, commands_in

# What a shell, Ansible, Jinja and YAML would each take for something else.
NAME = """it's "a" {{ name }}; $(touch pwned) | `x` 'b' key=value {% raw %} #\n\\ Лавка"""
PLACES = ("journal.sqlite3", "with a space/{{ journal }}/#$%.sqlite3")


def paste(command: str, folder: Path, **environment: str) -> str:
    """What a shell prints; it fails the test if the command does not succeed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=os.environ | {"PATH": path, "HOME": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def as_printed(message: str) -> str:
    """The message as Ansible prints it by default: in JSON."""
    return json.dumps(message, ensure_ascii=False)


@pytest.mark.parametrize("place", PLACES)
def test_an_unknown_outcome_is_resolved_by_the_command_of_its_message(green: Fleet, place: str) -> None:
    green.journal_file = green.folder / place
    green.arm("create", "reset", when="before")
    message = green.create(NAME)["msg"]
    adopt, discard = commands_in(as_printed(message))
    folder = green.folder / "somewhere else"
    folder.mkdir()
    assert "CHANGED" in paste(adopt.replace("instance_id=ID", "instance_id=1101000001"), folder)
    assert green.entry(NAME)["id"] == "1101000001"  # type: ignore[index]
    assert not (folder / "pwned").exists()
    assert discard.startswith(adopt.partition("ansible ")[0])


@pytest.mark.parametrize("place", PLACES)
def test_what_never_happened_is_discarded_and_created(green: Fleet, place: str) -> None:
    green.journal_file = green.folder / place
    green.arm("create", "reset", when="before")
    _adopt, discard = commands_in(as_printed(green.create("shop")["msg"]))
    assert "CHANGED" in paste(discard, green.folder)
    assert actions(green.create("shop")) == {"shop": "created"}


def test_the_journal_is_not_named_where_the_module_finds_it(green: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(green.folder))
    green.arm("create", "reset", when="before")
    _adopt, discard = commands_in(green.create("shop", journal=None)["msg"])
    assert "journal=" not in discard
    assert "CHANGED" in paste(discard, green.folder)


def test_it_is_named_where_the_module_would_find_another_one(green: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(green.folder))
    monkeypatch.setenv("MSGOPS_JOURNAL", str(green.folder / "another.sqlite3"))
    green.arm("create", "reset", when="before")
    _adopt, discard = commands_in(green.create("shop", journal="~/.local/state/msgops/fleet.sqlite3")["msg"])
    assert "CHANGED" in paste(discard, green.folder)


def test_an_instance_that_is_gone_is_forgotten(green: Fleet) -> None:
    instance_id = green.create("shop")["instance"]["id"]
    green.emulator.set_state("green_api", instance_id, name="renamed")
    (forget,) = commands_in(as_printed(green.create("shop")["msg"]))
    assert "CHANGED" in paste(forget, green.folder)
    assert green.entry("shop") is None


ENTRY = new_entry(resolve_account("green_api", None, "https://api.example.com", "token"), "shop", "unknown")
COMMAND = "ansible localhost -m msgops.fleet.creation_journal -a '"


@pytest.mark.parametrize(
    ("location", "before", "options"),
    [
        ("/var/lib/journal.sqlite3", "", "journal=/var/lib/journal.sqlite3"),
        ("postgresql://fleet@db.example.com:5432/fleet", "", "journal=postgresql://fleet@db.example.com:5432/fleet"),
        ("postgresql://db/fleet?sslmode=require", "MSGOPS_JOURNAL='postgresql://db/fleet?sslmode=require' ", ""),
        ("/a b/{{ c }}.sqlite3", "MSGOPS_JOURNAL='/a b/{{ c }}.sqlite3' ", ""),
        *(
            (location, "(with the journal's path or URL in the variable MSGOPS_JOURNAL) ", "")
            for location in (
                "postgresql://fleet:s3cret@db.example.com/fleet",
                "postgresql://db/fleet?password=s3cret",
                "/it's/journal",
                '/a"b/journal',
                "/a\\\\b/journal",
                "/two  spaces/journal",
                "/a\nb/journal",
            )
        ),
    ],
)
def test_a_command_names_the_journal_so_that_a_shell_takes_it(location: str, before: str, options: str) -> None:
    command = JournalCommands(location).discard(ENTRY)
    start, command, arguments = command.partition(COMMAND)
    assert start == before
    assert arguments == f"action=discard operation_id={ENTRY.operation_id} {options}".rstrip() + "'"
    assert "s3cret" not in start + arguments


@pytest.mark.parametrize(
    ("name", "shown"), [("retail", "retail"), ("Ação-1", "Ação-1"), ("a b", "/NAME/"), ("'", "/NAME/")]
)
def test_an_account_that_would_need_quotes_is_left_to_the_reader(name: str, shown: str) -> None:
    text = JournalCommands("/journal").adopt_as(ENTRY, name)
    (command,) = commands_in(text)
    assert re.search(r" account=(\S+) ", shlex.split(command)[-1] + " ")[1] == shown  # type: ignore[index]
    assert ("in the place of /NAME/" in text) == (shown == "/NAME/")


def parse_options(command: str) -> dict[str, Any]:
    return dict(option.split("=", 1) for option in shlex.split(command)[-1].split())


def test_a_command_names_the_creation_and_no_name() -> None:
    commands = JournalCommands("/journal")
    for command in (commands.adopt(ENTRY), commands.discard(ENTRY), commands.forget(ENTRY)):
        assert parse_options(command)["operation_id"] == ENTRY.operation_id
        assert "shop" not in command


def test_a_message_shows_the_first_of_many_entries_each_with_its_command() -> None:
    refusals = Refusals(JournalCommands("/journal"))
    entries = [dataclasses.replace(ENTRY, operation_id=f"{number:032}", instance_id=str(number)) for number in range(5)]
    for error in (refusals.unclear(desired(None), entries), refusals.unclear(desired("mine"), entries)):
        commands = [parse_options(command) for command in commands_in(error.message)]
        assert [command["operation_id"] for command in commands] == [entry.operation_id for entry in entries[:3]]
        assert "and 2 more" in error.message


def desired(account: str | None) -> DesiredInstance:
    gateway = GatewayCache(TransportOptions()).get("green_api", "https://api.example.com", "token")
    owner = resolve_account("green_api", account, "https://api.example.com", "token")
    return DesiredInstance("shop", gateway, "https://api.example.com", owner, {})
