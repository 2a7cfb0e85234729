# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A temporary PostgreSQL server on loopback, from the programs of Debian's package postgresql."""

from __future__ import annotations

import getpass
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

PASSWORD = "s3cret/+%=&:password"
# As it is spelled in a URL.
ENCODED = "s3cret%2F%2B%25%3D%26%3Apassword"
_START_TIMEOUT = 60.0


class Unavailable(Exception):
    """There are no such programs here; the text says what was looked for."""


def _programs() -> Path:
    """The folder of the newest initdb and postgres, which are installed if that can be done.

    :raises Unavailable: if it can't.
    """
    if not (found := _installed()) and os.geteuid() == 0 and shutil.which("apt-get"):
        # A package list may be missing, or no mirror may answer: then there is no PostgreSQL here.
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "-q", "update"], ["apt-get", "-qy", "install", "postgresql"]):
            subprocess.run(command, env=environment, capture_output=True, check=False, timeout=300)
        found = _installed()
    if not found:
        raise Unavailable("no PostgreSQL in /usr/lib/postgresql or on PATH, and no package postgresql to install")
    return found


def _installed() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    on_path = shutil.which("initdb")
    return folders[-1] if folders else Path(on_path).parent if on_path else None


def _database_name(url: str) -> str:
    return url.rpartition("/")[2]


class PostgresServer:
    """A server that lives as long as the ``with`` block, and no longer than this process."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="msgops-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._databases = itertools.count(1)

    def __enter__(self) -> PostgresServer:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self._folder, password):
                shutil.chown(path, self._user)
        initdb = [
            "initdb", "--pgdata", str(self._data), "--username", "fleet", "--pwfile", str(password),
            "--auth", "scram-sha-256", "--no-locale", "--encoding", "UTF8", "--no-sync",
        ]  # fmt: skip
        made = subprocess.run(self._command(initdb), capture_output=True, text=True, check=False, cwd="/")
        if made.returncode:
            raise Unavailable(f"initdb ended with {made.returncode}: {made.stderr.strip()}")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(signal.SIGQUIT)  # its immediate shutdown: its files aren't used again
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        postgres = [
            "postgres", "-D", str(self._data), "-h", "127.0.0.1", "-p", str(self._port), "-k", "", "-c", "fsync=off",
        ]  # fmt: skip
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(self._command(postgres), stdout=log, stderr=log, cwd="/")
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable((self._folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once: all connections break."""
        self._end(signal.SIGINT)  # its fast shutdown

    def _end(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait(_START_TIMEOUT)
            self._process = None

    def new_database(self, like: str | None = None) -> str:
        """The URL of a new database: an empty one, or a copy."""
        name = f"fleet{next(self._databases)}"
        self._create(name, like)
        return self._url(name)

    def replace_database(self, url: str, like: str | None = None) -> None:
        """Replace a database by an empty one or by a copy of another one; no run may be using them."""
        name = _database_name(url)
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")
        self._create(name, like)

    def _create(self, name: str, like: str | None) -> None:
        self._execute(f"CREATE DATABASE {name} TEMPLATE {_database_name(like) if like else 'template1'}")

    def _execute(self, statement: str) -> None:
        import psycopg

        deadline = time.monotonic() + _START_TIMEOUT
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            while True:
                try:
                    connection.execute(statement)
                    return
                except psycopg.errors.ObjectInUse:
                    # The server may not have noticed yet that a process which was connected is gone.
                    if time.monotonic() > deadline:
                        raise
                time.sleep(0.05)

    def _url(self, database: str) -> str:
        return f"postgresql://fleet:{ENCODED}@127.0.0.1:{self._port}/{database}"

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _user(self) -> str:
        return "postgres" if os.geteuid() == 0 else getpass.getuser()

    def _command(self, command: list[str]) -> list[str]:
        """``command`` as another user than root, because PostgreSQL refuses root; it ends with this process."""
        whole = [str(self._programs / command[0]), *command[1:]]
        if not (setpriv := shutil.which("setpriv")):
            raise Unavailable("no setpriv on PATH, which is of Debian's package util-linux")
        other = ["--reuid", self._user, "--regid", self._user, "--init-groups"] if os.geteuid() == 0 else []
        return [setpriv, *other, "--pdeathsig", "INT", *whole]
