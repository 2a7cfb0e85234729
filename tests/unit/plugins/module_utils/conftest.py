# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers and settings for the tests of the core; nothing of the caller's environment reaches them."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from ansible_collections.msgops.fleet.plugins.module_utils._http import pace, transport
from ansible_collections.msgops.fleet.tests.support.creation import GATEWAYS, Fleet
from ansible_collections.msgops.fleet.tests.support.linking import Sitting
from ansible_collections.msgops.fleet.tests.support.wire import PATIENCE, ROOT, Clock, Wire, join_workers
from hypothesis import configuration, settings
from pytest_httpserver import HTTPServer

from msgops_emulator import Emulator

configuration.set_hypothesis_home_dir(ROOT / ".cache" / "hypothesis")
# The same examples each time: a failure is due to a change, not to the day. A slow machine is no failure.
settings.register_profile("core", derandomize=True, deadline=None)
settings.load_profile("core")


@pytest.fixture(scope="session")
def make_httpserver() -> Iterator[HTTPServer]:
    """The plugin's server, at an IP address, and with a thread for each connection."""
    with HTTPServer("127.0.0.1", 0, threaded=True) as server:
        yield server


@pytest.fixture
def url(httpserver: HTTPServer) -> Iterator[str]:
    """The URL of ``httpserver``; the test fails if the server gets a request that the test didn't expect."""
    yield f"http://127.0.0.1:{httpserver.port}"
    # Requests of threads that are still running would be counted in the next test.
    join_workers()
    httpserver.check()


@pytest.fixture
def wire() -> Iterator[Callable[..., Wire]]:
    """Start a ``Wire`` with the given arguments; it is closed after the test."""
    wires: list[Wire] = []

    def start(*conversations: Any, **options: Any) -> Wire:
        wires.append(Wire(*conversations, **options))
        return wires[-1]

    yield start
    for server in wires:
        server.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The authority that issues the certificates of this run's servers."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_path(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the transport's clock, so that its pauses take no time; timeouts of sockets stay real."""
    clock = Clock()
    monkeypatch.setattr(transport, "time", clock)
    monkeypatch.setattr(pace, "time", clock)
    return clock


@pytest.fixture
def deaf_url() -> Iterator[str]:
    """A URL whose host neither accepts nor refuses a connection, because its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address, timeout=PATIENCE):
            with socket.socket() as another:
                another.settimeout(0.05)
                if another.connect_ex(address) == 0:
                    pytest.skip("this system queues more connections than it was asked to")
            yield f"http://127.0.0.1:{address[1]}"


# Creation


@pytest.fixture
def options() -> dict[str, Any]:
    """Options of the fleets' tasks, besides those that every task gets."""
    return {}


@pytest.fixture(params=GATEWAYS)
def fleet(request: pytest.FixtureRequest, emulator: Emulator, tmp_path: Path, options: dict[str, Any]) -> Fleet:
    """An empty account, at each gateway in turn."""
    return Fleet(emulator, request.param, tmp_path, options)


@pytest.fixture
def green(emulator: Emulator, tmp_path: Path, options: dict[str, Any]) -> Fleet:
    """An empty account at GREEN-API."""
    return Fleet(emulator, "green_api", tmp_path, options)


@pytest.fixture
def plugz(emulator: Emulator, tmp_path: Path, options: dict[str, Any]) -> Fleet:
    """An empty account at PlugzAPI, with a listing."""
    return Fleet(emulator, "plugzapi", tmp_path, options)


# Linking and rebooting


@pytest.fixture
def sitting(emulator: Emulator, tmp_path: Path) -> Sitting:
    """An empty fleet; codes live for a second."""
    lives = {f"{provider}.{kind}_seconds": 1 for provider in ("green_api", "plugzapi") for kind in ("qr", "pairing")}
    emulator.config(lives)
    return Sitting(emulator, tmp_path)


# Folders of several users


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an unprivileged user may use."""
    yield from _folder(0o777)


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder like ``/tmp``: every user may make files, and remove only their own."""
    yield from _folder(0o1777)


def _folder(mode: int) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="msgops-"))
    folder.chmod(mode)
    yield folder
    shutil.rmtree(folder)
