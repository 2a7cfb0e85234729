# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let plain pytest import the checkout as ``ansible_collections.msgops.fleet``, wherever it lies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# ROOT is the folder ansible_collections/msgops/fleet in it.
COLLECTIONS_PATH = ROOT / ".cache" / "tree"


def _link_checkout() -> None:
    """Link the checkout to where Ansible and Python import it from; pytest's workers may do so at the same time."""
    link = COLLECTIONS_PATH / "ansible_collections" / "msgops" / "fleet"
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(ROOT, target_is_directory=True)
    except FileExistsError:
        if link.resolve() != ROOT:
            link.unlink()
            link.symlink_to(ROOT, target_is_directory=True)


def _prepare_environment() -> None:
    """Remove the user's own settings and credentials from the environment of the tests and of their processes."""
    from ansible_collections.msgops.fleet.tests.support.environment import is_foreign

    for variable in filter(is_foreign, list(os.environ)):
        del os.environ[variable]
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(COLLECTIONS_PATH)


_link_checkout()
sys.path.insert(0, str(COLLECTIONS_PATH))
_prepare_environment()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--leaks",
        choices=["all", "core"],
        default="all",
        help="cells of the leak matrix to run: all, or only those that depend on ansible-core",
    )


@pytest.fixture(scope="session")
def collections_path() -> Path:
    """The value of ANSIBLE_COLLECTIONS_PATH with which Ansible finds this checkout; processes of a test inherit it."""
    return COLLECTIONS_PATH


@pytest.fixture(scope="session")
def ansible_commands() -> Iterator[Path]:
    """A folder with Ansible's commands that behave as the installed ones and start several times as fast."""
    from ansible_collections.msgops.fleet.tests.support.ansible_commands import AnsibleCommands

    commands = AnsibleCommands()
    yield commands.folder
    commands.stop()
