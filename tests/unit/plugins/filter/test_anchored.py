# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A path that means the same file in every plugin."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.msgops.fleet.plugins.filter.anchored import anchored


@pytest.mark.parametrize("path", ["/srv/x", "~/x", "$HOME/x"])
def test_what_is_not_relative_stays(path: str) -> None:
    assert anchored(path) == path


def test_a_relative_path_begins_where_the_process_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert anchored("reports/*.json") == f"{tmp_path}/reports/*.json"


def test_what_has_no_meaning_is_an_error_that_names_the_option() -> None:
    with pytest.raises(AnsibleFilterError, match="fleet_reports ~msgops-nobody/x needs a home folder"):
        anchored("~msgops-nobody/x", "fleet_reports")
