# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of the collection with a flaw: a function of the core, given by its dotted name, is wrapped by another one.

The source of the wrapper is appended to the file of the function, so that Ansible, which sends a module's files to
other processes, sends the flaw along.
"""

from __future__ import annotations

import inspect
import pkgutil
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.msgops.fleet.tests.support.checkout import ROOT

_CORE = "plugins.module_utils"

# Takes a function of the core and returns the one in its place. It must not use any name from outside of its body.
Wrapper = Callable[[Callable[..., Any]], Callable[..., Any]]


def flawed_collection(folder: Path, flaws: Mapping[str, Wrapper]) -> Path:
    """Copy the collection to ``folder`` and wrap functions there, such as ``_http.transport:Transport.send``.

    :raises ImportError: if there is no such module.
    :raises AttributeError: if it has no such function.
    """
    target = folder / "ansible_collections" / "msgops" / "fleet"
    for name in ("plugins", "meta", "galaxy.yml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / name)
    for name, wrapper in flaws.items():
        pkgutil.resolve_name(f"ansible_collections.msgops.fleet.{_CORE}.{name}")
        module, _colon, function = name.partition(":")
        path = target.joinpath(*_CORE.split("."), *module.split(".")).with_suffix(".py")
        planted = f"\n\n{inspect.getsource(wrapper)}\n\n{function} = {wrapper.__name__}({function})\n"
        path.write_text(path.read_text() + planted)
    return folder


def crash_with_request(_original: Callable[..., Any]) -> Callable[..., Any]:
    """Crash with the URL, the headers and the body of a request in the exception's text."""

    def exchange(self: Any, request: Any, *_arguments: Any) -> None:
        secret = f"{self.base_url}{vars(request)!r}"
        try:
            raise ValueError(secret)
        except ValueError as exc:
            raise RuntimeError(secret) from exc

    return exchange


def crash_with_journal(_original: Callable[..., Any]) -> Callable[..., Any]:
    """Crash with the address of the journal in the exception's text."""

    def work(journal: Any, *_arguments: Any) -> None:
        raise RuntimeError(repr(vars(journal._storage)))

    return work


CRASHES: dict[str, Wrapper] = {
    "_http.transport:Transport._exchange": crash_with_request,
    "_creation.journal_actions:list_entries": crash_with_journal,
}
