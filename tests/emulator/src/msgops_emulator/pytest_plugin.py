# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pytest fixtures: ``emulator_server`` runs for the session, ``emulator`` is the same server, reset for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .emulator import Emulator


@pytest.fixture(scope="session")
def emulator_server() -> Iterator[Emulator]:
    """The emulator, in the state in which the last test left it."""
    with Emulator() as server:
        yield server


@pytest.fixture
def emulator(emulator_server: Emulator) -> Emulator:
    """The emulator, reset: with the default accounts and the default config, and without instances."""
    emulator_server.reset()
    return emulator_server
