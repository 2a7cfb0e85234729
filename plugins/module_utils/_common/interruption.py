# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cleaning up when a signal ends the process."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def before_exit(clean_up: Callable[[], None]) -> Iterator[None]:
    """While the block runs, call ``clean_up`` when SIGINT, SIGTERM or SIGHUP arrives, and then let the signal act.

    Ansible stops its workers by SIGTERM, whose default action runs no ``finally``. Ignored signals (``nohup``) stay
    ignored. Python allows handlers in the main thread alone: in another one, the block runs without.
    """
    previous: dict[int, Any] = {}
    received: list[int] = []

    def handle(number: int, _frame: object) -> None:
        received.append(number)
        if len(received) > 1:
            return  # Ansible sends several in a row: the clean-up under way comes first
        try:
            clean_up()
        finally:
            for signal_number in received:
                signal.signal(signal_number, previous[signal_number])
                os.kill(os.getpid(), signal_number)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) not in (None, signal.SIG_IGN):
                previous[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for interrupted, handler in previous.items():
            signal.signal(interrupted, handler)
