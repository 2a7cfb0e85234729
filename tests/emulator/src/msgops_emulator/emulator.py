# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator in a thread of this process, or in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .application import Application
from .client import Control
from .server import Server, serve
from .tls import server_context


class Emulator(Control):
    """An emulator in a thread of this process: ``with Emulator() as emu: ... emu.url``.

    ``tls``: the paths of a certificate and its key (PEM).
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        seed: Mapping[str, Any] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: tuple[str | os.PathLike[str], str | os.PathLike[str]] | None = None,
    ) -> None:
        super().__init__()
        self.application = Application(config, seed)
        self._where = (host, port)
        self._tls = server_context(*tls) if tls else None
        self._server: Server | None = None

    def start(self) -> Emulator:
        """Listen, and serve in a thread; return self."""
        self._server = Server(self.application, *self._where, tls=self._tls)
        self.url = self._server.url
        serve(self._server)
        return self

    def stop(self) -> None:
        """Stop listening, and close the connections of requests that a fault holds."""
        if self._server is not None:
            self.application.faults.reset()
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class EmulatorProcess(Control):
    """An emulator in a process of its own, which stops when this process ends: ``with EmulatorProcess() as emu: ...``.

    ``arguments``: more options for the command; ``start_timeout``: seconds.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        seed: Mapping[str, Any] | None = None,
        *,
        arguments: Iterable[str] = (),
        start_timeout: float = 30.0,
    ) -> None:
        super().__init__()
        self._files = {"config": config, "seed": seed}
        self._arguments = list(arguments)
        self._start_timeout = start_timeout
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> EmulatorProcess:
        """Start the command and wait until it listens; return self.

        Raises RuntimeError if the command fails, TimeoutError if it doesn't listen within ``start_timeout``.
        """
        with tempfile.TemporaryDirectory(prefix="msgops-emulator-") as folder:
            command = [sys.executable, "-m", "msgops_emulator", "--parent", str(os.getpid()), *self._arguments]
            for name, content in self._files.items():
                if content is not None:
                    path = Path(folder, f"{name}.json")
                    path.write_text(json.dumps(dict(content)), encoding="utf-8")
                    command += [f"--{name}", str(path)]
            port_file = Path(folder, "port")
            command += ["--port-file", str(port_file)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            deadline = time.monotonic() + self._start_timeout
            while not port_file.exists():
                if self._process.poll() is not None:
                    raise RuntimeError(f"the emulator ended with {self._process.returncode}")
                if time.monotonic() > deadline:
                    self.stop()
                    raise TimeoutError(f"the emulator does not listen after {self._start_timeout} s")
                time.sleep(0.02)
            self.url = f"{'https' if '--tls' in self._arguments else 'http'}://127.0.0.1:{port_file.read_text()}"
        return self

    def stop(self) -> None:
        """Stop the process, and wait until it has ended."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> EmulatorProcess:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
