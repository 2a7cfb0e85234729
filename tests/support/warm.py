# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Ansible's commands, or its modules, in forks of a process that has already imported most of what they import.

For commands, these are libraries and the parts of Ansible that read no settings: each command reads its settings
itself, as a new process does. For modules, these are libraries only: a module brings Ansible's own code in its archive.
The files of code and YAML that each command or module reads are parsed and compiled once. ``ansible_commands.py``
starts this process.
"""

from __future__ import annotations

import _imp
import array
import contextlib
import gc
import glob
import hashlib
import importlib
import itertools
import json
import locale
import marshal
import os
import pickle
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
import zipimport
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import SourceFileLoader
from typing import Any, Literal, NoReturn, TextIO

import yaml

# Imported by every command and by the collection.
_COMMANDS = (
    *(f"ansible.cli.{name}" for name in ("adhoc", "config", "doc", "inventory", "playbook", "vault")),
    "ansible.executor.process.worker",
    "ansible.plugins.action.debug",
    "ansible.plugins.callback.default",
    "ansible.plugins.strategy.linear",
    "requests",
    "sqlite3",
)
# Imported by a module of the collection, or by the archive that brings it.
_MODULES = ("argparse", "concurrent.futures", "logging", "platform", "requests", "runpy", "sqlite3", "zipfile")
_SETTINGS = "ansible.constants"
# A play for which Ansible reads what it reads for each play.
_PLAY = "[{hosts: localhost, gather_facts: false, tasks: [{ansible.builtin.debug: {msg: ''}}]}]"


class _ReadsSettings(BaseException):
    """Raised by an import of the settings; a BaseException, so that ``except ImportError`` does not catch it."""


class _Guard:
    """An importer that refuses to import the settings and leaves all else to the others."""

    @staticmethod
    def find_spec(name: str, _path: Any, _target: Any = None) -> None:
        if name == _SETTINGS:
            raise _ReadsSettings


def _in_a_fork(function: Any, *arguments: Any) -> Any:
    """Return the result of a function that runs in a fork, so that this process imports nothing."""
    read, write = os.pipe()
    if os.fork() == 0:
        result = function(*arguments)
        with open(write, "w") as file:
            json.dump(result, file)
        os._exit(0)
    os.close(write)
    with open(read) as file:
        text = file.read()
    os.wait()
    return json.loads(text)


class _Parser:
    """Takes the place of ``yaml.load``, and has what it parsed in advance ready for the first that loads it.

    ``folder`` is where it leaves each text that it is given, if there is one: pickled with the loader.
    """

    def __init__(self) -> None:
        self.folder: str | None = None
        self._load, self._count = yaml.load, itertools.count()
        self._ready: dict[bytes, list[Any]] = {}
        yaml.load = self.load

    def load(self, stream: Any, Loader: Any) -> Any:  # the names that callers use
        text = stream if isinstance(stream, str | bytes) else stream.read()
        key = pickle.dumps((text, Loader))
        if self.folder:
            with open(os.path.join(self.folder, f"{os.getpid()}.{next(self._count)}.yaml"), "wb") as file:
                file.write(key)
        # Who gets a result may change it, so nobody else gets the same one.
        ready = self._ready.get(key)
        return ready.pop() if ready else self._load(text, Loader)

    def parse(self, folder: str) -> None:
        """Parse what was left in the folder, as often as it was, with the loaders that need no settings."""
        for path in glob.glob(os.path.join(folder, "*.yaml")):
            with open(path, "rb") as file, contextlib.suppress(_ReadsSettings):
                key = file.read()
                text, loader = pickle.loads(key)
                self._ready.setdefault(key, []).append(self._load(text, loader))


def _rehearse(parser: _Parser, folder: str) -> dict[str, str | None]:
    """Import all that the commands import, run a play, and return the names and the files of the modules, in order.

    Each YAML text that Ansible parses is left in the folder, in a file of its own, pickled with its loader.
    """
    before = set(sys.modules)
    parser.folder = folder
    for name in _COMMANDS:
        with contextlib.suppress(ImportError):  # not every environment has it
            importlib.import_module(name)
    with open(os.path.join(folder, "play.yml"), "w") as play:
        play.write(_PLAY)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.environ["ANSIBLE_HOME"] = os.path.join(folder, "home")
    with contextlib.suppress(SystemExit):
        playbook = importlib.import_module("ansible.cli.playbook")
        playbook.main(["ansible-playbook", "-i", "localhost,", "-c", "local", play.name])
    return {
        name: getattr(module, "__file__", None)
        for name, module in sys.modules.items()
        if name not in before and not name.startswith("ansible_collections")
    }


def _without_settings(names: Sequence[str]) -> list[str]:
    """The names of modules that can be imported without the settings."""
    sys.meta_path.insert(0, _Guard())
    free = []
    for name in names:
        with contextlib.suppress(ImportError, _ReadsSettings):
            importlib.import_module(name)
            free.append(name)
    return free


def _once(folder: str, key: bytes, make: Callable[[], Any]) -> Any:
    """Return what ``make`` made for this key, in this process or another; only what ``marshal`` can write is kept."""
    file = os.path.join(folder, hashlib.sha256(key).hexdigest())
    with contextlib.suppress(FileNotFoundError), open(file, "rb") as kept:
        return marshal.load(kept)
    made = make()
    with contextlib.suppress(ValueError):
        content = marshal.dumps(made)
        with open(f"{file}.{os.getpid()}", "wb") as new:
            new.write(content)
        os.replace(new.name, file)
    return made


def _read_code(files: Iterable[str]) -> None:
    """Read the code of files that each fork imports itself."""
    codes = {}
    for file in files:
        with contextlib.suppress(OSError):
            codes[file] = SourceFileLoader("", file).get_code("")
    read = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, fullname: str) -> Any:
        return codes.get(self.path) or read(self, fullname)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def _compile_once(folder: str) -> None:
    """Compile each file of a collection once, which Ansible's importer of collections would do at each start."""

    def compile_file(*, source: str | bytes, filename: str, **options: Any) -> Any:
        text = source.encode() if isinstance(source, str) else source
        key = b"\0".join((filename.encode(), repr(sorted(options.items())).encode(), text))
        return _once(folder, key, lambda: compile(source=source, filename=filename, **options))

    from ansible.utils.collection_loader import _collection_finder

    _collection_finder.compile = compile_file


def prepare_commands(folder: str) -> None:
    """Import all that does not depend on settings, and read, parse and compile what else a command needs."""
    parser = _Parser()
    # Tells other modules of Ansible that they run on a controller; ansible-core before 2.19 has none.
    with contextlib.suppress(ImportError):
        importlib.import_module("ansible._internal")
    rehearsal = os.path.join(folder, "rehearsal")
    os.mkdir(rehearsal)
    files = _in_a_fork(_rehearse, parser, rehearsal)
    names = _in_a_fork(_without_settings, list(files))
    guard = _Guard()
    sys.meta_path.insert(0, guard)
    for name in names:
        importlib.import_module(name)
    parser.parse(rehearsal)
    sys.meta_path.remove(guard)
    _read_code(file for name, file in files.items() if file and file.endswith(".py") and name not in sys.modules)
    _compile_once(folder)


def prepare_modules(folder: str) -> None:
    """Import libraries, and keep in the folder what modules compile."""
    for name in _MODULES:
        importlib.import_module(name)
    compile_source: Callable[[str, bytes], Any] = zipimport._compile_source  # type: ignore[attr-defined]

    def compile_once(path: str, source: bytes) -> Any:
        code = _once(folder, source, lambda: compile_source(path, source))
        _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]
        return code

    zipimport._compile_source = compile_once  # type: ignore[attr-defined]


class _Command:
    """What a process inherits from its caller; ``files`` are its standard streams."""

    def __init__(self, message: bytes, files: Sequence[int]) -> None:
        self.arguments, self.environment, self.folder, self.umask, self.ignored = marshal.loads(message)
        self.files = files

    def become(self) -> NoReturn:
        """Turn this fork into that process, in a process group of its own."""
        os.setpgid(0, 0)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, signal.SIG_IGN if number in self.ignored else usual)
        os.environ.clear()
        os.environ.update(self.environment)
        time.tzset()
        os.chdir(self.folder)
        os.umask(self.umask)
        for target, file in enumerate(self.files):
            os.dup2(file, target)
            os.close(file)
        # As the interpreter does when it starts.
        ctype = "C"
        with contextlib.suppress(locale.Error):
            ctype = locale.setlocale(locale.LC_CTYPE, "")
        errors = "surrogateescape" if ctype in ("C", "POSIX", "C.UTF-8", "C.utf8", "UTF-8") else "strict"
        sys.stdin = sys.__stdin__ = _stream(0, "r", errors)
        sys.stdout = sys.__stdout__ = _stream(1, "w", errors, lines=os.isatty(1))
        sys.stderr = sys.__stderr__ = _stream(2, "w", "backslashreplace", lines=True)
        sys.argv = list(self.arguments)
        sys.path[0] = os.path.dirname(sys.argv[0])
        runpy.run_path(sys.argv[0], run_name="__main__")
        sys.exit(0)


def _stream(number: int, mode: Literal["r", "w"], errors: str, *, lines: bool = False) -> TextIO:
    return open(number, mode, 1 if lines else -1, "utf-8", errors, closefd=False)


def _receive(connection: socket.socket) -> _Command:
    size = array.array("i")
    message, ancillary, _flags, _address = connection.recvmsg(8, socket.CMSG_SPACE(3 * size.itemsize))
    files = array.array("i")
    for _level, _type, data in ancillary:
        files.frombytes(data)
    left, pieces = int.from_bytes(message, "big"), []
    while left:
        pieces.append(connection.recv(left))
        left -= len(pieces[-1])
    return _Command(b"".join(pieces), files)


def _attend(connection: socket.socket) -> _Command:
    """Return the command in a fork.

    The parent sends the caller the ID of that fork and then its exit status, and exits.
    """
    os.setsid()
    command = _receive(connection)
    child = os.fork()
    if child == 0:
        connection.close()
        return command
    with contextlib.suppress(PermissionError):  # parent and child both do this: neither may signal too early
        os.setpgid(child, child)
    for file in command.files:
        os.close(file)
    connection.sendall(child.to_bytes(4, "big"))

    ending = threading.Lock()

    def end_with_the_caller() -> None:
        with contextlib.suppress(OSError):
            connection.recv(1)
            ending.acquire()
            os.killpg(child, signal.SIGKILL)

    threading.Thread(target=end_with_the_caller, daemon=True).start()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ending.acquire()  # the caller exits next, which must not kill what the command started in the background
    with contextlib.suppress(OSError):
        connection.sendall(status.to_bytes(4, "big", signed=True))
    os._exit(0)


def serve(listener: socket.socket) -> _Command | None:
    """Return a command in each fork, and None once the standard input is closed."""
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _events in selector.select()}
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass  # adds its CPU time to that of this process, and so to that of the tests
            if sys.stdin in ready:
                return None
            connection, _address = listener.accept()
            if os.fork() == 0:
                selector.close()
                listener.close()
                return _attend(connection)
            connection.close()


def main() -> None:
    kind, address, folder = sys.argv[1:]
    {"commands": prepare_commands, "modules": prepare_modules}[kind](folder)
    gc.collect()
    gc.freeze()  # a garbage collection in a fork would write to, and so copy, all memory pages
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    print("ready", flush=True)
    command = serve(listener)
    if command:
        command.become()


if __name__ == "__main__":
    main()
