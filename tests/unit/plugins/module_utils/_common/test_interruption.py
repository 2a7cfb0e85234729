# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process cleans up before a signal ends it, and keeps the signal's own effect."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common import interruption

# What the parent ignores, a child ignores, too: a shell lets background jobs ignore SIGINT.
PROGRAM = """
import os, signal, sys
sys.path.insert(0, {folder!r})
from interruption import before_exit
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.{ignored}, signal.SIG_IGN)

def clean_up():
    print("cleaning", flush=True)
    os.read(0, 1)
    print("cleaned", flush=True)

with before_exit(clean_up):
    print("ready", flush=True)
    os.read(0, 1)
print("left", flush=True)
os.read(0, 1)
"""


def start(ignored: str = "SIGUSR1") -> subprocess.Popen[str]:
    program = PROGRAM.format(folder=str(Path(interruption.__file__).parent), ignored=ignored)
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_process_after_the_clean_up(number: signal.Signals) -> None:
    process = start()
    process.send_signal(number)
    output, _none = process.communicate()
    assert (process.returncode, output) == (-number, "cleaning\ncleaned\n")


def test_further_signals_wait_for_the_clean_up() -> None:
    process = start()
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.readline() == "cleaning\n"
    for _time in range(2):
        process.send_signal(signal.SIGTERM)
    assert process.communicate("x")[0] == "cleaned\n"
    assert process.returncode == -signal.SIGINT


def test_an_ignored_signal_stays_ignored() -> None:
    process = start(ignored="SIGHUP")
    process.send_signal(signal.SIGHUP)
    assert process.communicate("xx") == ("left\n", None)


def test_after_the_block_a_signal_has_its_own_effect_alone() -> None:
    process = start()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("x")
    process.stdin.flush()
    assert process.stdout.readline() == "left\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate()[0] == ""
    assert process.returncode == -signal.SIGTERM
