# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in places where they don't belong: of another type, in another option, where a file's path should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from ansible_collections.msgops.fleet.tests.support.leaks import SECRETS, Place, find_leaks, run_tasks

_STATE = {"provider": "green_api", "api_url": "http://127.0.0.1:1", "instance_id": "1101", "retry_timeout": 0}
_TOKEN = "{{ green_instance }}"

MISTAKES: dict[str, tuple[str, dict[str, Any]]] = {
    "a number": ("instance_state", {**_STATE, "instance_token": "{{ number }}"}),
    "a list": ("instance_state", {**_STATE, "instance_token": ["{{ green_instance }}"]}),
    "a dictionary": ("instance_state", {**_STATE, "instance_token": {"token": _TOKEN}}),
    "an option misspelled": ("instance_state", {**_STATE, "instance_tokn": _TOKEN}),
    "a suboption misspelled": (
        "instance_state",
        {**_STATE, "instance_id": "", "instances": [{"id": "1", "tokn": _TOKEN}]},
    ),
    "an item that is text": ("instance_state", {**_STATE, "instances": [_TOKEN]}),
    "a list that is text": ("instance_state", {**_STATE, "instances": "token={{ green_instance }}"}),
    "an item without its ID": ("instance_state", {"instances": [{"token": _TOKEN}]}),
    "another option wrong": ("instance_state", {**_STATE, "instance_token": _TOKEN, "provider": "nobody"}),
    "another of the wrong type": ("instance_state", {**_STATE, "instance_token": _TOKEN, "timeout": "soon"}),
    "two that exclude each other": (
        "instance_create",
        {"name": "shop", "instances": [{"name": "x", "partner_token": _TOKEN}]},
    ),
    "settings of the wrong type": (
        "instance_create",
        {"name": "x", "provider": "green_api", "partner_token": _TOKEN, "settings": ["{{ webhook }}"]},
    ),
    "a setting misspelled": (
        "instance_create",
        {"name": "x", "provider": "green_api", "partner_token": _TOKEN, "settings": {"webhookToken": "{{ webhook }}"}},
    ),
    "credentials in the URL": (
        "instance_state",
        {**_STATE, "instance_token": _TOKEN, "api_url": "https://user:{{ green_instance }}@127.0.0.1:1"},
    ),
    "a token as the URL": ("instance_state", {**_STATE, "instance_token": _TOKEN, "api_url": _TOKEN}),
    "a journal's password beside a wrong option": (
        "instance_create",
        {"name": "x", "provider": "green_api", "partner_token": _TOKEN, "timeout": -1, "journal": "{{ journal_url }}"},
    ),
    "a journal's password as it is": (
        "creation_journal",
        {"journal": "postgresql://fleet:{{ journal_password }}@127.0.0.1:1/fleet"},
    ),
    "a journal's password as a parameter": (
        "creation_journal",
        {"journal": "postgresql://127.0.0.1:1/fleet?user=fleet&password={{ green_instance | urlencode }}"},
    ),
    "a journal in the words of libpq": (
        "creation_journal",
        {"journal": "host=127.0.0.1 port=1 user=fleet password={{ green_instance }} dbname=fleet"},
    ),
    "a journal at another kind of server": (
        "creation_journal",
        {"journal": " mysql://fleet:{{ journal_password }}@127.0.0.1:1/fleet"},
    ),
    "a journal's URL that nobody knows": (
        "creation_journal",
        {"journal": "postgresql+psycopg://fleet:{{ journal_password }}@127.0.0.1:1/fleet"},
    ),
    "a journal's password with a space before the URL": (
        "creation_journal",
        {"journal": " POSTGRES://fleet: {{ journal_password }}@127.0.0.1:1/fleet"},
    ),
    "a URL of another scheme": (
        "instance_state",
        {**_STATE, "instance_token": _TOKEN, "api_url": "ftp://127.0.0.1/{{ green_instance }}"},
    ),
}


@pytest.mark.parametrize("place", get_args(Place))
def test_no_output_holds_a_secret(tmp_path: Path, collections_path: Path, ansible_commands: Path, place: Place) -> None:
    tasks = [
        {
            "name": name,
            f"msgops.fleet.{module}": options,
            "register": f"mistake_{number}",
            "ignore_errors": True,
            "vars": {"msgops_execution": place},
        }
        for number, (name, (module, options)) in enumerate(MISTAKES.items())
    ]
    output = run_tasks(tasks, tmp_path, collections=collections_path, commands=ansible_commands)
    for number, name in enumerate(MISTAKES):
        output.texts[f"result of {name}"] = json.dumps(output.results[f"mistake_{number}"])
    secrets = {**SECRETS, "number": "8473625190837"}
    leaks = [leak for name, text in output.texts.items() for leak in find_leaks(text, name, secrets)]
    assert not leaks, f"{len(leaks)} leaks:\n" + "\n".join(map(str, leaks[:40]))
