# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-builder makes of our metadata what a job needs. (Building the image takes a container engine.)"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from ansible_collections.msgops.fleet.tests.support.awx_jobs import COMMANDS, KIT, environment, run

pytest.importorskip("ansible_builder", reason="needs ansible-builder: make awx")


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """The build context of the kit's example."""
    shutil.copy(KIT / "ee" / "execution-environment.yml", tmp_path)
    command = (COMMANDS / "ansible-builder", "create", "--output-filename", "Containerfile", "-c", tmp_path / "context")
    result = run(*command, env=environment(COMMANDS), cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    return tmp_path / "context"


def test_the_context_asks_for_the_collection_and_for_psycopg(context: Path) -> None:
    build = context / "_build"
    collection = {"name": "https://github.com/msgops/fleet.git", "type": "git"}
    assert yaml.safe_load((build / "requirements.yml").read_text()) == {"collections": [collection]}
    assert (build / "requirements.txt").read_text().split() == ["psycopg[binary]"]
    assert "introspect" in (context / "Containerfile").read_text()


def test_what_the_build_reads_from_the_collection_are_its_requirements(tmp_path: Path, collections_path: Path) -> None:
    for option in ("--write-pip", "--write-bindep"):
        result = run(
            COMMANDS / "ansible-builder", "introspect", collections_path, option, tmp_path / option,
            env=environment(COMMANDS), cwd=tmp_path,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "--write-pip").read_text().splitlines() == [
        "requests>=2.25.1  # from collection msgops.fleet",
        "urllib3>=1.26.5  # from collection msgops.fleet",
    ]
    assert not (tmp_path / "--write-bindep").exists()
