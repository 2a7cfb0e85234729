# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python that is too old is refused in plain words before it meets what it can't parse or import."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT
from ansible_collections.msgops.fleet.tests.support.wire import MODULE_UTILS

GUARD = MODULE_UTILS / "_python.py"
GUARD_MODULE = f"ansible_collections.msgops.fleet.plugins.module_utils.{GUARD.stem}"
MODULES = sorted((ROOT / "plugins/modules").glob("*.py"))
# Python 3.6 has these.
OLD = {"collections", "collections.abc.Mapping", "time", "typing.Any"}
AS_IF = "import runpy, sys; sys.version_info = (3, {}, 18, 'final', 0); runpy.run_path(sys.argv[1])"


def imported_names(path: Path) -> list[str]:
    """The names that a file imports, in the order in which they are imported."""
    names = []
    for node in ast.parse(path.read_text(), feature_version=(3, 6)).body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_imports_the_guard_before_anything_new(module: Path) -> None:
    names = imported_names(module)
    assert set(names[: names.index(GUARD_MODULE)]) <= OLD


@pytest.mark.parametrize("minor", [6, 7, 8, 9])
def test_an_old_python_is_refused(minor: int) -> None:
    assert set(imported_names(GUARD)) == {"json", "sys"}
    ran = subprocess.run(
        [sys.executable, "-c", AS_IF.format(minor), str(GUARD)], check=False, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (1, "")
    result = json.loads(ran.stdout)
    assert result["failed"]
    assert result["msg"] == (
        f"msgops.fleet needs Python 3.10 or newer, and {sys.executable} is Python 3.{minor}.18; "
        "set ansible_python_interpreter to a newer one"
    )


@pytest.mark.parametrize("minor", [10, 14])
def test_a_python_that_is_new_enough_is_not_refused(minor: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", AS_IF.format(minor), str(GUARD)], check=False, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
