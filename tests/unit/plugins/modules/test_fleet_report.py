# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fleet_report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.msgops.fleet.plugins.doc_fragments.rule import ModuleDocFragment as RuleFragment
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import ALL_STATES
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, execute
from ansible_collections.msgops.fleet.plugins.modules import fleet_report
from ansible_collections.msgops.fleet.tests.support.reports import REFUSED

INSTANCES = [
    {"id": "1", "name": "shop", "provider": "green_api", "state": "authorized", "host": "shop", "token": "s3cret"},
    {"id": "5", "name": "lost", "provider": "green_api", "state": None, "host": "lost", "error": REFUSED},
]


def ran(check_mode: bool = False, **options: Any) -> dict[str, Any]:
    task = TaskContext(fleet_report.ARGUMENTS.validate(options).params, check_mode=check_mode, diff=False, no_log=False)
    return execute(fleet_report.ARGUMENTS, fleet_report.run, task)


def files(folder: Path) -> dict[str, Any]:
    return {
        "json_file": str(folder / "new" / "fleet.json"),
        "junit_file": str(folder / "new" / "fleet.xml"),
        "html_file": str(folder / "new" / "fleet.html"),
    }


def test_a_violated_rule_is_reported_and_does_not_fail_the_task() -> None:
    result = ran(instances=INSTANCES)
    assert (result["passed"], result["violations"]) == (False, ["1 of 2 is failing, 0 may be"])
    assert result["failing"] == [
        {"host": "lost", "account": None, "id": "5", "line": f"lost (5) at green_api: {REFUSED['message']}"}
    ]
    assert (result["summary"]["total"], "failed" in result, "report" in result) == (2, False, False)


def test_a_rule_may_be_json_text() -> None:
    assert ran(instances=INSTANCES, rule='{"max_failing": "50%"}')["passed"]


def test_the_files_are_written_and_hold_no_token(tmp_path: Path) -> None:
    result = ran(instances=INSTANCES, return_report=True, **files(tmp_path))
    written = {path.name: path for path in (tmp_path / "new").iterdir()}
    assert (result["changed"], set(written)) == (True, {"fleet.json", "fleet.xml", "fleet.html"})
    assert json.loads(written["fleet.json"].read_text()) == result["report"]
    for path in written.values():
        assert path.stat().st_mode & 0o777 == 0o644
        assert "s3cret" not in path.read_text()


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    result = ran(check_mode=True, instances=INSTANCES, **files(tmp_path))
    assert (result["changed"], result["passed"], list(tmp_path.iterdir())) == (True, False, [])


def test_without_files_nothing_changes() -> None:
    assert not ran(instances=INSTANCES)["changed"]


def test_a_file_that_can_not_be_written_fails_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "fleet.json").mkdir()
    result = ran(instances=INSTANCES, json_file=str(tmp_path / "fleet.json"))
    assert result["failed"]
    assert result["msg"].startswith(f"json_file {tmp_path}/fleet.json can't be written")
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.json"]


def test_reports_are_merged_from_files_and_from_results(tmp_path: Path) -> None:
    ran(instances=INSTANCES[:1], slice="1", **files(tmp_path))
    second = ran(instances=INSTANCES[1:], slice="2", return_report=True)["report"]
    result = ran(reports=[files(tmp_path)["json_file"], second], return_report=True)
    assert (result["summary"]["total"], result["violations"]) == (2, ["1 of 2 is failing, 0 may be"])
    assert [source["name"] for source in result["report"]["sources"]] == ["1", "2"]


def test_a_rule_for_the_whole_goes_before_those_of_the_parts() -> None:
    part = ran(instances=INSTANCES, return_report=True)["report"]
    assert not ran(reports=[part])["passed"]
    assert ran(reports=[part], rule={"max_failing": 1})["passed"]


@pytest.mark.parametrize(("content", "says"), [(None, "can't be read"), ("{", "isn't valid JSON"), ("{}", "version 1")])
def test_a_file_that_is_no_report_is_named(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "fleet.json"
    if content is not None:
        path.write_text(content)
    result = ran(reports=[str(path)])
    assert result["failed"]
    assert str(path) in result["msg"]
    assert says in result["msg"]


def test_the_states_of_the_documentation_are_those_of_the_vocabulary() -> None:
    rule = yaml.safe_load(RuleFragment.DOCUMENTATION)["options"]["rule"]["suboptions"]
    assert set(rule["allowed_states"]["choices"]) == set(ALL_STATES)


def test_a_path_may_be_a_pattern_that_matches_a_file(tmp_path: Path) -> None:
    ran(instances=INSTANCES, json_file=str(tmp_path / "slice-1.json"))
    assert ran(reports=[str(tmp_path / "slice-*.json")])["summary"]["total"] == 2
    result = ran(reports=[str(tmp_path / "nothing-*.json")])
    assert (result["failed"], "matches no file" in result["msg"]) == (True, True)


def test_what_an_earlier_report_could_not_see_fails_the_merged_one() -> None:
    seen = ran(instances=INSTANCES[:1], return_report=True)["report"]
    assert ran(reports=[seen])["passed"]
    unseen = seen | {"problems": ["the inventory source x failed: HTTP 401"], "notes": ["y was left out"]}
    merged = ran(reports=[unseen, seen])
    assert (merged["passed"], merged["violations"], merged["notes"]) == (
        False, unseen["problems"], unseen["notes"],
    )  # fmt: skip
