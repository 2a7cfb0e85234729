# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pytest fixtures: ``emulator`` (one server for the session, reset for each test)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .client import Emulator


@pytest.fixture(scope="session")
def emulator_server() -> Iterator[Emulator]:
    """The server behind ``emulator``, with the state that earlier tests left."""
    with Emulator() as server:
        yield server


@pytest.fixture
def emulator(emulator_server: Emulator) -> Emulator:
    """An emulator with empty default accounts and the default config."""
    emulator_server.reset()
    return emulator_server
