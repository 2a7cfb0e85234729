# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the modules' real core without Ansible around it, here or in a process of their own that may be killed."""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import multiprocessing
import os
import pkgutil
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError

PLUGINS = "ansible_collections.msgops.fleet.plugins"

# Seconds after which a process counts as stuck: far more than the slowest machine needs.
PATIENCE = 600.0

Result = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One task: a module, its options, and what Ansible would tell it.

    ``constants`` replace the core's own by dotted name, functions and methods as well; only in a process of its own.
    ``times`` are arguments of the module's ``run``. ``progress`` gets the lines about long work.
    """

    module: str
    options: Mapping[str, Any]
    check_mode: bool = False
    diff: bool = False
    no_log: bool = True
    constants: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[str], None] | None = None

    def __call__(self) -> Result:
        """The module's result, with the warnings that Ansible would show."""
        for name, value in self.constants.items():
            owner, _dot, constant = name.rpartition(".")
            owner = pkgutil.resolve_name(f"{PLUGINS}.module_utils.{owner}")
            getattr(owner, constant)  # a constant that isn't there any more is a mistake
            setattr(owner, constant, value)
        module = importlib.import_module(f"{PLUGINS}.modules.{self.module}")
        entrypoint = importlib.import_module(f"{PLUGINS}.module_utils._task.entrypoint")
        try:
            options = module.ARGUMENTS.validate(self.options, check_mode=self.check_mode)
        except UsageError as error:
            return {"failed": True, "msg": error.message}
        task = entrypoint.TaskContext(
            options.params,
            check_mode=self.check_mode,
            diff=self.diff,
            no_log=self.no_log,
            progress=self.progress,
            warnings=options.warnings,
            variables=options.variables,
            numbers=options.numbers,
        )
        result: Result = entrypoint.execute(module.ARGUMENTS, functools.partial(module.run, **self.times), task)
        return result | {"warnings": task.warnings}


class Child:
    """A process that does one job; it sends what the job returns, unless it is killed before."""

    def __init__(self, job: Callable[[], Any], *, die_after: int | None = None) -> None:
        self._receiver, sender = _context().Pipe(duplex=False)
        waits, go = _context().Pipe(duplex=False)
        self.process = _context().Process(target=_work, args=(job, waits, sender, die_after), daemon=True)
        self.process.start()
        self.was_killed = False
        # Once a process has ended, its number may be another one's: it doesn't begin before there is a handle of it.
        self._handle = os.pidfd_open(self.pid)
        go.send(None)
        for connection in (waits, go, sender):
            connection.close()

    def result(self) -> Any:
        """What the job returned; ``None`` if the process died before."""
        try:
            return self._receiver.recv() if self._receiver.poll(PATIENCE) else self._give_up()
        except EOFError:
            return None
        finally:
            self._receiver.close()
            self.process.join(PATIENCE)
            os.close(self._handle)

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self.process.pid is not None
        return int(self.process.pid)

    def ends_within(self, seconds: float) -> bool:
        """Whether it has its result, or died, by then."""
        return bool(self._receiver.poll(seconds))

    def kill(self) -> None:
        """SIGKILL: nothing of it runs any more."""
        self.was_killed = True
        self.signal(signal.SIGKILL)
        self.process.join(PATIENCE)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, such as SIGSTOP, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def _give_up(self) -> None:
        self.kill()
        raise TimeoutError("a process is stuck")


def in_parallel(*jobs: Callable[[], Any]) -> list[Any]:
    """What each job returns, all of them in processes of their own at the same time."""
    children = [Child(job) for job in jobs]
    return [child.result() for child in children]


def count_lines(job: Callable[[], Any]) -> int:
    """How many lines of the core ``job`` runs through, in all its threads."""
    lines = itertools.count()
    _trace(lambda: next(lines))
    try:
        job()
    finally:
        _trace(None)
    return next(lines)


def _die_after(lines: int) -> None:
    """Kill this process (SIGKILL) once the core has run through that many lines."""
    left = itertools.count(lines, -1)

    def step() -> None:
        if next(left) <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    _trace(step)


def _trace(step: Callable[[], Any] | None) -> None:
    core = f"{os.sep}module_utils{os.sep}_"

    def lines(_frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line" and step:
            step()
        return lines

    def calls(frame: FrameType, _event: str, _argument: Any) -> Any:
        return lines if core in frame.f_code.co_filename else None

    sys.settrace(calls if step else None)
    threading.settrace(calls if step else None)  # type: ignore[arg-type]


def _work(job: Callable[[], Any], waits: Connection, sender: Connection, die_after: int | None) -> None:
    waits.recv()
    if die_after is not None:
        _die_after(die_after)
    sender.send(job())
    sender.close()


def _context() -> Any:
    """Processes forked from one that has imported everything and has no threads: quick, and safe to fork."""
    context = multiprocessing.get_context("forkserver")
    # The server imports before it learns of this process's sys.path.
    tree = str(Path(importlib.import_module(PLUGINS).__path__[0]).parents[3])
    if tree not in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [tree, os.environ.get("PYTHONPATH")]))
    # What a child imports by itself has lines, too, and would be killed in them.
    names = ("instance_create", "instance_settings", "instance_delete", "creation_journal")
    parts = (*(f"modules.{name}" for name in names), "module_utils._task.entrypoint", "module_utils._journal.sqlite")
    modules = [f"{PLUGINS}.{part}" for part in parts]
    # Each child imports the main module again, which takes no time where what that needs is there.
    context.set_forkserver_preload([__name__, *modules, *({"pytest", "msgops_emulator"} & set(sys.modules))])
    return context
