# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths in options: the same file in every process of a task."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.paths import (
    absolute,
    journal_kind,
    with_absolute_paths,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import JOURNAL, TRANSPORT

OPTIONS = TRANSPORT.merge(JOURNAL).options
DEFAULT = JOURNAL.options["journal"]["default"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("credentials.json", "/start/credentials.json"),
        ("./a/../b", "/start/./a/../b"),
        ("/srv/x", "/srv/x"),
        ("~", "/home/somebody"),
        ("~/x", "/home/somebody/x"),
        ("./~/x", "/start/~/x"),
        ("./a//b", "/start/a/b"),
        ("a~", "/start/a~"),
    ],
)
def test_a_relative_path_begins_where_ansible_playbook_was_started(
    monkeypatch: pytest.MonkeyPatch, path: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert absolute(path, "journal", "/start") == expected


def test_a_user_that_is_not_there_has_no_home() -> None:
    with pytest.raises(UsageError, match="there is no user msgops-nobody; give an absolute path"):
        absolute("~msgops-nobody/x", "journal", "/start")


def test_a_folder_that_is_gone_leaves_only_paths_from_the_root() -> None:
    assert absolute("/x", "journal", None) == "/x"
    with pytest.raises(UsageError, match="isn't there any more"):
        absolute("x", "journal", None)


def resolved(**params: Any) -> dict[str, Any]:
    given = {"ca_path": None, "journal": DEFAULT, "timeout": 1.0, **params}
    return with_absolute_paths(given, OPTIONS, "/start")


def test_every_option_for_a_path_is_absolute_and_nothing_else() -> None:
    assert resolved(ca_path="ca.pem", journal="state/x") == {
        "ca_path": "/start/ca.pem",
        "journal": "/start/state/x",
        "timeout": 1.0,
    }


@pytest.mark.parametrize(
    "address",
    ["postgresql://db/fleet", " PostgreSQL://db/fleet", "postgresql+psycopg://db", "host=db password=x", "mysql://db"],
)
def test_a_journal_that_is_an_address_is_no_path(address: str) -> None:
    assert resolved(journal=address)["journal"] == address


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("/var/lib/journal.sqlite3", "file"),
        ("folder:1/journal.sqlite3", "file"),
        ("./user=me/journal", "file"),
        ("postgresql://db/fleet", "postgresql"),
        (" Postgres://db/fleet", "postgresql"),
        ("postgresql+psycopg://db/fleet", "unusable"),
        ("postgresql:/db/fleet", "unusable"),
        ("/folder/postgresql://db/fleet", "unusable"),
        ("host=db password=s3cret", "unusable"),
    ],
)
def test_a_journal_is_a_file_a_database_or_unusable(location: str, kind: str) -> None:
    assert journal_kind(location) == kind
