# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers of the core: a file imports from its own layer and from lower ones only."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.support.wire import MODULE_UTILS, ROOT

# From the lowest layer to the highest.
LAYERS = (
    ("",),
    ("_common",),
    ("_http",),
    ("_vendors",),
    ("_journal",),
    ("_creation", "_fleet"),
    ("_ending", "_linking", "_renewal", "_report", "_settings"),
    ("_provisioning",),
    ("_task",),
)
# What the vendors' files may import of their own folder.
SHARED = {f"_vendors/{name}.py" for name in ("gateway", "paging", "parsing", "payments")}
VENDORS = ("green_api", "plugzapi", "koophone")

FILES = {str(path.relative_to(MODULE_UTILS)): path for path in MODULE_UTILS.rglob("*.py")}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the level and the name of each imported module, also of imports inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            if f"{package}.{node.names[0].name}".replace(".", "/") + ".py" in FILES or not package:
                yield from ((node.level, f"{package}.{alias.name}".strip(".")) for alias in node.names)
            else:
                yield node.level, package


def parent_folder(name: str) -> str:
    return name.rpartition("/")[0]


def own_imports(name: str) -> set[str]:
    """The files of the core that a file imports."""
    found = set()
    for level, imported in imports(FILES[name]):
        if level:
            folder = parent_folder(name) if level == 1 else ""
            path = "/".join(filter(None, [folder, *imported.split(".")]))
            found.add(f"{path}.py")
    return found


def foreign_imports(name: str) -> set[str]:
    return {imported.split(".")[0] for level, imported in imports(FILES[name]) if level == 0}


def below(folder: str) -> set[str]:
    """The folders that a folder may import from."""
    (place,) = [place for place, layer in enumerate(LAYERS) if folder in layer]
    return {folder}.union(*LAYERS[:place])


def test_each_folder_has_its_layer_and_is_private() -> None:
    folders = {parent_folder(name) for name in FILES}
    assert folders == {folder for layer in LAYERS for folder in layer}
    assert all(name.startswith("_") for name in FILES)


def test_there_are_no_circles() -> None:
    graphlib.TopologicalSorter({name: own_imports(name) for name in FILES}).prepare()


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_imports_from_its_folder_and_those_below_it(name: str) -> None:
    assert own_imports(name) <= set(FILES)
    assert {parent_folder(imported) for imported in own_imports(name)} <= below(parent_folder(name))
    assert "ansible_collections" not in foreign_imports(name)


@pytest.mark.parametrize("name", sorted(FILES))
def test_only_three_files_import_ansible(name: str) -> None:
    if name not in ("_task/entrypoint.py", "_task/arguments.py", "_common/masking.py"):
        assert "ansible" not in foreign_imports(name)


@pytest.mark.parametrize("name", sorted(FILES))
def test_only_the_transport_reaches_the_network(name: str) -> None:
    network = {"requests", "urllib3", "http", "socket", "ssl"}
    assert parent_folder(name) == "_http" or not foreign_imports(name) & network


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendors_files_know_no_other_vendor(vendor: str) -> None:
    own = {name for name in FILES if name.startswith(f"_vendors/{vendor}")}
    assert own
    for name in own:
        assert {imported for imported in own_imports(name) if parent_folder(imported) == "_vendors"} <= own | SHARED
        source = FILES[name].read_text().lower()
        assert [other for other in VENDORS if other != vendor and other in source] == []


@pytest.mark.parametrize("name", sorted({*SHARED, "_task/arguments.py"}))
def test_what_all_vendors_share_names_none(name: str) -> None:
    source = FILES[name].read_text()
    assert [vendor for vendor in VENDORS if vendor in source] == []


def test_a_module_takes_nothing_from_the_controllers_side() -> None:
    for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"):
        names = {imported for _level, imported in imports(path)}
        assert not any(".plugin_utils" in name or name == "ansible.plugins" for name in names), path.name
