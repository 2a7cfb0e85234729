# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL server; the journal of every fleet is in a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.msgops.fleet.tests.storm.postgres import PostgresServer, Unavailable


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """A server that is up, or that the tests bring up again."""
    try:
        server = PostgresServer()
    except Unavailable as exc:
        pytest.skip(str(exc))
    with server:
        yield server


@pytest.fixture
def options(server: PostgresServer) -> dict[str, Any]:
    """The journal."""
    return {"journal": server.new_database()}
