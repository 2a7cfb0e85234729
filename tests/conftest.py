# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let plain pytest import the checkout as ``ansible_collections.msgops.fleet``, wherever it lies."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# ROOT is the folder ansible_collections/msgops/fleet in it.
COLLECTIONS_PATH = ROOT / ".cache" / "tree"

# Settings of whoever runs the tests, above all the credentials of real accounts: neither the tests nor what they start
# shall see them.
_FOREIGN = re.compile(
    "(ansible|controller|fleet|green_api|koophone|msgops|plugzapi|tower)_.*|pg[a-z]+|netrc|.*_proxy|(requests|curl)_ca_bundle",
    re.IGNORECASE,
)


def _link_checkout() -> None:
    """Lay the checkout where Ansible's and Python's imports look for it; processes may race."""
    link = COLLECTIONS_PATH / "ansible_collections" / "msgops" / "fleet"
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(ROOT, target_is_directory=True)
    except FileExistsError:
        if link.resolve() != ROOT:
            link.unlink()
            link.symlink_to(ROOT, target_is_directory=True)


_link_checkout()
for variable in filter(_FOREIGN.fullmatch, list(os.environ)):
    del os.environ[variable]
sys.path.insert(0, str(COLLECTIONS_PATH))
os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(COLLECTIONS_PATH)


@pytest.fixture(scope="session")
def collections_path() -> Path:
    """The value of ANSIBLE_COLLECTIONS_PATH with which Ansible finds this checkout; processes of a test inherit it."""
    return COLLECTIONS_PATH
