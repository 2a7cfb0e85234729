# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server and its command."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

msgops_emulator: Any = pytest.importorskip("msgops_emulator")

if TYPE_CHECKING:
    from msgops_emulator import Control

COMMAND = [sys.executable, "-m", "msgops_emulator"]


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command; yield the process and its first line of output."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def talk(emulator: Control, data: bytes) -> bytes:
    """Send bytes; return the bytes that come until the connection ends."""
    where = urlsplit(emulator.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(data)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


# HTTP


def test_a_connection_is_kept(emulator: Control) -> None:
    where = urlsplit(emulator.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        for _n in range(3):
            connection.sendall(b"GET /_emulator/clock HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"Connection: close" not in answer


@pytest.mark.parametrize(
    "request_head", ["GET /_emulator/clock HTTP/1.1\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"]
)
def test_a_connection_is_closed_on_request(emulator: Control, request_head: str) -> None:
    answer = talk(emulator, request_head.encode())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close" in answer


def test_a_chunked_body(emulator: Control) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"advance": '
        yield b"5}"

    before = emulator.freeze()["now"]
    response = requests.post(f"{emulator.url}/_emulator/clock", data=pieces(), timeout=10)
    assert response.json()["now"] == before + 5


def test_input_that_is_not_http_is_refused(emulator: Control) -> None:
    assert talk(emulator, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert talk(emulator, b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert talk(emulator, b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n").startswith(b"HTTP/1.1 413 ")


def test_a_head_request_has_no_body(emulator: Control) -> None:
    answer = talk(emulator, b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n")


def test_stopping_an_emulator_closes_its_connections() -> None:
    with msgops_emulator.Emulator() as emu:
        session = requests.Session()
        session.get(f"{emu.url}/_emulator/clock", timeout=10)
    with session, pytest.raises(requests.ConnectionError):
        session.get(f"{emu.url}/_emulator/clock", timeout=10)


# The command


def test_the_command_prints_its_address_and_stops_on_a_signal(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    with running("--port-file", str(port_file)) as (process, line):
        assert line == f"listening on http://127.0.0.1:{port_file.read_text()}"
        assert requests.get(f"{line.split()[-1]}/_emulator/clock", timeout=10).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_the_command_stops_after_its_time() -> None:
    with running("--stop-after", "0.3") as (process, _line):
        assert process.wait(60) == 0


def test_the_command_stops_with_its_parent() -> None:
    parent = subprocess.Popen(["sleep", "60"])
    with running("--parent", str(parent.pid)) as (process, _line):
        time.sleep(1.5)
        assert process.poll() is None
        parent.kill()
        parent.wait()
        assert process.wait(60) == 0


def test_the_command_starts_with_config_and_seed(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"plugzapi.create_status": 201}))
    (tmp_path / "seed.json").write_text(json.dumps({"phones": [{"count": 3}]}))
    arguments = ("--config", str(tmp_path / "config.json"), "--seed", str(tmp_path / "seed.json"))
    with running(*arguments) as (_process, line):
        control = msgops_emulator.Control(line.split()[-1])
        assert control.config()["plugzapi.create_status"] == 201
        assert len(control.phones()) == 3


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--host", "0.0.0.0"], "not a loopback address"),
        (["--host", ""], "all addresses"),
        (["--config", "{folder}/config.json"], "plugzapi.colour"),
        (["--seed", "{folder}/none.json"], "none.json"),
        (["--seed", "{folder}/text.json"], "not JSON"),
        (["--tls"], "--certfile"),
    ],
)
def test_the_command_refuses(tmp_path: Path, arguments: list[str], text: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"plugzapi.colour": 1}))
    (tmp_path / "text.json").write_text("nothing")
    arguments = [argument.replace("{folder}", str(tmp_path)) for argument in arguments]
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_an_emulator_in_a_process_of_its_own() -> None:
    with msgops_emulator.EmulatorProcess({"green_api.creating_seconds": 0}) as emu:
        assert emu.config()["green_api.creating_seconds"] == 0
        assert emu.seed(phones=[{"count": 2}])["phones"]
    with pytest.raises(OSError, match="refused"):
        emu.clock()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_tls_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    files = (tmp_path / "cert.pem", tmp_path / "key.pem")
    with msgops_emulator.Emulator(tls=files) as emu:
        assert emu.url.startswith("https://")
        assert os.stat(files[1]).st_mode & 0o077 == 0
        response = requests.get(f"{emu.url}/_emulator/clock", verify=str(files[0]), timeout=10)
        assert response.status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{emu.url}/_emulator/clock", timeout=10)
        # A client that connects and sends nothing doesn't delay other clients.
        where = urlsplit(emu.url)
        with socket.create_connection((where.hostname, where.port)):
            assert emu.clock()["frozen"] is False
