# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data goes one way: module, entrypoint, core, client, http. Nothing below imports anything above it."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.unit.core.support import MODULE_UTILS, ROOT

CLIENTS = {"_green_api", "_plugzapi", "_koophone", "_koophone_auth"}
# What a client may know of this collection: its own vendor, and what stands below all clients.
TRANSPORT = {"_http", "_messages", "_parsing", "_failures", "_session", "_connection", "_address", "_certificates"}
BELOW_CLIENTS = TRANSPORT | {"_errors", "_gateway", "_secrets", "_states", "_version", "_polling"}
# They know Ansible, or a task's options; the core doesn't.
ABOVE_CORE = {"_arguments", "_entrypoint", "_targets", "_desired", "_registration"}

FILES = {path.stem: path for path in MODULE_UTILS.glob("*.py")}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Level and name of each imported module, wherever in the file the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module:
                yield node.level, node.module
            else:
                yield from ((node.level, alias.name) for alias in node.names)


def own_imports(name: str) -> set[str]:
    return {imported for level, imported in imports(FILES[name]) if level == 1}


def foreign_imports(name: str) -> set[str]:
    return {imported.split(".")[0] for level, imported in imports(FILES[name]) if level == 0}


def test_the_layers_name_modules_that_exist() -> None:
    assert (CLIENTS | BELOW_CLIENTS | ABOVE_CORE) - set(FILES) == set()


def test_the_core_is_private() -> None:
    assert [name for name in FILES if not name.startswith("_")] == []


def test_there_are_no_circles() -> None:
    graphlib.TopologicalSorter({name: own_imports(name) for name in FILES}).prepare()


@pytest.mark.parametrize("name", sorted(FILES))
def test_modules_of_the_core_are_imported_by_their_place_in_it(name: str) -> None:
    assert {level for level, _imported in imports(FILES[name])} <= {0, 1}
    assert own_imports(name) <= set(FILES)
    assert "ansible_collections" not in foreign_imports(name)


@pytest.mark.parametrize("name", sorted(FILES))
def test_ansible_is_known_at_three_places_only(name: str) -> None:
    if name not in ("_entrypoint", "_arguments", "_secrets"):
        assert "ansible" not in foreign_imports(name)


@pytest.mark.parametrize("name", sorted(FILES))
def test_only_the_transport_reaches_the_network(name: str) -> None:
    network = {"requests", "urllib3", "http", "socket", "ssl"}
    assert name in TRANSPORT or not foreign_imports(name) & network


@pytest.mark.parametrize("name", sorted(CLIENTS))
def test_a_client_knows_its_vendor_and_what_is_below_it(name: str) -> None:
    others = own_imports(name) - BELOW_CLIENTS
    assert others <= {client for client in CLIENTS if client.startswith(name)}


@pytest.mark.parametrize("name", sorted(set(FILES) - ABOVE_CORE))
def test_the_core_knows_nothing_of_what_is_above_it(name: str) -> None:
    assert own_imports(name) & ABOVE_CORE == set()


@pytest.mark.parametrize("name", sorted(BELOW_CLIENTS))
def test_what_is_below_the_clients_knows_no_client(name: str) -> None:
    assert own_imports(name) <= BELOW_CLIENTS


def test_a_module_takes_nothing_from_the_controllers_side() -> None:
    for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"):
        names = {imported for _level, imported in imports(path)}
        assert not any(".plugin_utils" in name or name == "ansible.plugins" for name in names), path.name
