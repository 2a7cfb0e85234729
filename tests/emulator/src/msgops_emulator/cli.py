# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The console command ``msgops-emulator``."""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .application import Application
from .errors import Invalid
from .server import Server, serve
from .tls import server_context


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes, the parent process ends or the time is over; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        _check_host(options.host, options.allow_remote)
        if options.tls and not (options.certfile and options.keyfile):
            raise Invalid("--tls needs --certfile and --keyfile; if neither file exists, they are made")
        application = Application(_load(options.config), _load(options.seed))
        tls = server_context(options.certfile, options.keyfile) if options.tls else None
        server = Server(application, options.host, options.port, tls=tls, verbose=options.verbose)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"msgops-emulator: {error}", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    serve(server)
    if options.port_file:
        _write_port(Path(options.port_file), server.server_address[1])
    print(f"listening on {server.url}", flush=True)
    _wait(stop, options.stop_after, options.parent)
    application.faults.reset()
    server.shutdown()
    server.server_close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="msgops-emulator", description="Emulate GREEN-API, PlugzAPI and KooPhone in one HTTP server."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one (default)")
    parser.add_argument("--port-file", metavar="FILE", help="write the port into this file once the server listens")
    parser.add_argument("--seed", metavar="FILE", help="JSON file with accounts, instances and phones to start with")
    parser.add_argument("--config", metavar="FILE", help="JSON file with config keys and values to start with")
    parser.add_argument(
        "--stop-after", type=float, default=3600.0, metavar="SECONDS", help="stop after this time (default %(default)s)"
    )
    parser.add_argument("--parent", type=int, metavar="PID", help="stop when this process ends")
    parser.add_argument("--allow-remote", action="store_true", help="allow an address that is not a loopback address")
    parser.add_argument("--tls", action="store_true", help="serve https with --certfile and --keyfile")
    parser.add_argument(
        "--certfile", metavar="FILE", help="certificate (PEM); a self-signed one is made if neither file exists"
    )
    parser.add_argument("--keyfile", metavar="FILE", help="key of the certificate (PEM)")
    parser.add_argument("--verbose", action="store_true", help="print a line for each request")
    return parser


def _check_host(host: str, allow_remote: bool) -> None:
    """Raise Invalid for an address that other machines can reach: the control API shows every token."""
    if allow_remote:
        return
    if not host:
        raise Invalid("--host is empty, which would listen on all addresses")
    try:
        addresses = [str(info[4][0]) for info in socket.getaddrinfo(host, None)]
    except OSError as error:
        raise Invalid(f"{host}: {error}") from None
    if not all(ipaddress.ip_address(address).is_loopback for address in addresses):
        raise Invalid(f"{host}: not a loopback address; --allow-remote allows it")


def _load(path: str | None) -> Any:
    if path is None:
        return None
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise Invalid(f"{path}: not JSON: {error}") from None


def _write_port(path: Path, port: object) -> None:
    """Write the port atomically: a process that waits for the file never reads half of it."""
    new = path.with_name(path.name + ".new")
    new.write_text(str(port), encoding="ascii")
    os.replace(new, path)


def _wait(stop: threading.Event, seconds: float, parent: int | None) -> None:
    deadline = time.monotonic() + seconds
    while not stop.wait(min(1.0, max(0.0, deadline - time.monotonic()))):
        if time.monotonic() >= deadline or (parent is not None and not _exists(parent)):
            return


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    # A zombie has ended, too: its parent only hasn't fetched its exit status yet.
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] != "Z"
        )
    except (OSError, IndexError):
        return True
