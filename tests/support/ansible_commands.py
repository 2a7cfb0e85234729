# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's commands without most of their start-up time, and a wide terminal to run them on."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import tty
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

REAL = Path(sys.executable).parent
NAMES = ("ansible", "ansible-config", "ansible-doc", "ansible-inventory", "ansible-playbook", "ansible-vault")
PYTHON = "python"

# It starts hundreds of times, so it imports only built-in and small modules. It starts through a shell because a first
# line can't name an interpreter whose path is long or has a space.
_STAND_IN = """\
#!/bin/sh
'''exec' "{python}" -SEI "$0" "$@"
'''
import _signal as signal
import _socket as socket
import marshal
import os
import sys

COMMAND = {command!r}
ARGUMENTS = sys.argv[1:] if {is_python} else [COMMAND, *sys.argv[1:]]


def main():
    # Only a new interpreter reads PYTHON* variables, and only archives of modules run in a fork.
    settings = {{name: value for name, value in os.environ.items() if name.startswith("PYTHON")}}
    if settings != {settings!r} or {is_python} and "AnsiballZ_" not in "".join(ARGUMENTS[:1]):
        os.execv(COMMAND, [COMMAND, *sys.argv[1:]])
    umask = os.umask(0)
    os.umask(umask)
    watched = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
    ignored = [number for number in watched if signal.getsignal(number) == signal.SIG_IGN]
    message = marshal.dumps((ARGUMENTS, dict(os.environ), os.getcwd(), umask, ignored))
    server = socket.socket(socket.AF_UNIX)
    server.connect({address!r})
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    server.sendmsg([len(message).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    server.sendall(message)
    process = int.from_bytes(server.recv(4), "big")
    for number in watched:
        if number not in ignored:
            signal.signal(number, lambda number, _frame: os.killpg(process, number))
    answer = server.recv(4)
    if not answer:
        sys.exit("the process that ran the command ended without an exit status")
    status = int.from_bytes(answer, "big", signed=True)
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


main()
"""


class AnsibleCommands:
    """A folder with commands that behave as Ansible's own do: ``folder / "ansible-playbook"`` and so on.

    Each has a fork of a running process (``warm.py``) do its work, on its own standard streams and with its own
    environment, working folder, umask and signals. The fork is in another session and process group than the caller, so
    it has no controlling terminal; where that matters, use the commands in ``REAL``. ``folder / "python"`` is an
    interpreter that runs Ansible's modules in the same way.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ansible-"))  # a socket's path must be short
        sockets = {kind: self.folder / f"{kind}.socket" for kind in ("commands", "modules")}
        for kind in sockets:
            (self.folder / kind).mkdir()
        self._processes = [_start(kind, address, self.folder / kind) for kind, address in sockets.items()]
        for name in (*NAMES, PYTHON):
            self._write_stand_in(name, sockets["modules" if name == PYTHON else "commands"])
        for process in self._processes:
            assert process.stdout
            if process.stdout.readline() != b"ready\n":
                raise RuntimeError(f"{process.args} does not start")

    def _write_stand_in(self, name: str, socket: Path) -> None:
        path, command = self.folder / name, sys.executable if name == PYTHON else str(REAL / name)
        settings = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
        text = _STAND_IN.format(
            python=sys.executable,
            command=command,
            is_python=name == PYTHON,
            settings=settings,
            address=str(socket),
        )
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def stop(self) -> None:
        """End the processes; they also end when this one does."""
        for process in self._processes:
            assert process.stdin
            process.stdin.close()
            process.wait()
        shutil.rmtree(self.folder)


def _start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, Path(__file__).with_name("warm.py"), *arguments],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C ends the tests, which then close its standard input
    )


def run_on_terminal(
    command: Sequence[str | Path], *, columns: int = 10_000, cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command on a terminal of that width, and return its output.

    Where there is no terminal, ansible-core before 2.19 breaks its lines at 79 columns, within words too.
    """
    ours, theirs = pty.openpty()
    tty.setraw(theirs)  # line feeds stay single characters
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    pieces: list[bytes] = []
    with open(ours, "rb", buffering=0) as terminal, suppress(OSError):  # Linux raises it once the other end is closed
        while piece := terminal.read(65536):
            pieces.append(piece)
    return subprocess.CompletedProcess(command, process.wait(), b"".join(pieces).decode(), "")
