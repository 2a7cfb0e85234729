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
from .config import Invalid
from .server import Server, serve
from .tls import server_context


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal, the parent's end or the time limit; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        _check_host(options.host, options.allow_remote)
        if options.tls and not (options.certfile and options.keyfile):
            raise Invalid("--tls needs --certfile and --keyfile; files that don't exist are made")
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
        prog="msgops-emulator", description="GREEN-API, PlugzAPI and KooPhone as one stateful HTTP server."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one (default)")
    parser.add_argument("--port-file", metavar="FILE", help="write the port into this file once the server listens")
    parser.add_argument("--seed", metavar="FILE", help="JSON: accounts, instances and phones to start with")
    parser.add_argument("--config", metavar="FILE", help="JSON: config keys and values to start with")
    parser.add_argument(
        "--stop-after", type=float, default=3600.0, metavar="SECONDS", help="stop by itself (default %(default)s)"
    )
    parser.add_argument("--parent", type=int, metavar="PID", help="stop when that process is gone")
    parser.add_argument("--allow-remote", action="store_true", help="allow an address that is not loopback")
    parser.add_argument("--tls", action="store_true", help="serve https with --certfile and --keyfile")
    parser.add_argument("--certfile", metavar="FILE", help="certificate (PEM); made if neither file exists")
    parser.add_argument("--keyfile", metavar="FILE", help="its key (PEM)")
    parser.add_argument("--verbose", action="store_true", help="print a line for each request")
    return parser


def _check_host(host: str, allow_remote: bool) -> None:
    """Raise Invalid for an address that others can reach: the control API shows every token."""
    if allow_remote:
        return
    if not host:
        raise Invalid("--host is empty, which means all addresses")
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
    """Write the port so that whoever waits for the file never sees half of it."""
    half = path.with_name(path.name + ".new")
    half.write_text(str(port), encoding="ascii")
    os.replace(half, path)


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
    # A process that ended and that its parent hasn't asked about yet is gone all the same.
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] != "Z"
        )
    except (OSError, IndexError):
        return True
