# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that answers with bombs makes calls fail, and not the machine run out of memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError
from ansible_collections.msgops.fleet.tests.support.api_calls import API_CALLS
from ansible_collections.msgops.fleet.tests.support.wire import assert_tells_no_secret, transport

from msgops_emulator import Emulator

BODIES = ("values", "objects", "levels", "digits", "key", "escapes", "surrogates")
FLOODS = ("informational", "headers", "header", "cookies", "chunks", "extension", "trailers")
BOMBS: list[dict[str, Any]] = [
    *({"kind": kind} for kind in (*BODIES, *FLOODS)),
    {"kind": "values", "encoding": "", "megabytes": 2},
    # Within the bytes that the largest response has.
    *({"kind": kind, "megabytes": 31} for kind in ("surrogates", "key", "values")),
    {"kind": "values", "encoding": "gzip, gzip"},
    {"kind": "values", "encoding": "br", "megabytes": 2},
    {"kind": "escapes", "status": 400},
    {"kind": "values", "status": 503},
]
# One for each thing that is bounded: bytes before and after unpacking, values, text, headers.
DIFFERENT: list[dict[str, Any]] = [
    *({"kind": kind} for kind in ("values", "objects", "escapes", "headers")),
    {"kind": "surrogates", "megabytes": 31},
]
# A thousand bombs in all, and as many calls at once as a fleet's tasks make.
WORKERS = 64
NUMBER = -(-1000 // len(BOMBS))


def run(emulator: Emulator, name: str, number: int, workers: int, bombs: list[dict[str, Any]]) -> list[Any]:
    """Let another process make the calls, and return what it prints."""
    command = [sys.executable, "-m", "ansible_collections.msgops.fleet.tests.support.bombing", emulator.url, name]
    ran = subprocess.run(
        [*command, str(number), str(workers), *map(json.dumps, bombs)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(ran.stdout))


@pytest.mark.parametrize(
    ("name", "bombs"),
    [
        ("green state", BOMBS),
        # Other bounds by the same code.
        *((name, DIFFERENT) for name in ("green QR code", "plugz state", "koophone statuses", "koophone list")),
    ],
)
def test_a_thousand_bombs_take_no_memory_to_speak_of(
    emulator: Emulator, name: str, bombs: list[dict[str, Any]]
) -> None:
    (before, good), *rounds = run(emulator, name, NUMBER, WORKERS, bombs)
    assert good == {"none": NUMBER}
    assert all("none" not in errors for _most, errors in rounds)
    assert rounds[-1][0] - before < 200


def test_a_listing_that_is_a_bomb_takes_no_memory_to_speak_of(emulator: Emulator) -> None:
    (before, good), *rounds = run(emulator, "green list", 1, 1, BOMBS)
    assert good == {"none": 1}
    assert all("none" not in errors for _most, errors in rounds)
    assert rounds[-1][0] - before < 200


@pytest.mark.parametrize("bomb", BOMBS, ids=map(json.dumps, BOMBS))
@pytest.mark.parametrize("name", API_CALLS)
def test_each_call_fails_for_each_bomb_and_says_why(emulator: Emulator, name: str, bomb: dict[str, Any]) -> None:
    emulator.arm("*", "bomb", count=None, **{**bomb, "megabytes": 1})
    with pytest.raises(FleetError) as caught:
        API_CALLS[name].call(transport(emulator.url))
    assert_tells_no_secret(caught.value)
    # A megabyte is no bomb as the text of an error in GREEN-API's listing.
    if bomb["kind"] != "informational" and "status" not in bomb and (name, bomb["kind"]) != ("green list", "escapes"):
        assert (caught.value.code, caught.value.retryable) == ("bad_answer", False)
