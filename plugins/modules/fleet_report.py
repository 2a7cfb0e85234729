# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_report
short_description: Judge a fleet by a rule, and write a report as JSON, JUnit and HTML
version_added: 0.1.0
description:
  - Takes what M(msgops.fleet.instance_state) and M(msgops.fleet.cloudphone_status) have read, says who is out of order
    by a rule of yours, and writes it down. JSON is for programs, JUnit for a CI server, the HTML page for people.
  - Can merge earlier reports into one, for example those of the slices of a large fleet.
  - It asks no gateway for anything. The reports hold no secrets.
  - A broken rule does not fail the task. Use RV(kept).
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode no file is written.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each report has its time in it.
  action_group:
    support: none
    membership: []
options:
  instances:
    description:
      - Instances, as M(msgops.fleet.instance_state) returns them.
      - Each may also have C(host), its name in the inventory, and C(due), until when it is paid (ISO 8601).
    type: list
    elements: dict
    default: []
  phones:
    description:
      - Cloud phones, as M(msgops.fleet.cloudphone_status) returns them.
      - Each may also have C(host), C(name) and C(due).
    type: list
    elements: dict
    default: []
  reports:
    description:
      - Earlier reports, each as the path of its JSON file, or as RV(report).
      - An instance or phone that several reports have counts once, as it was read last.
    type: list
    elements: raw
    default: []
  rule:
    description:
      - When the fleet is in order. It may be given as JSON text, too.
      - Without it, O(reports) are evaluated by their own rule, which must be the same in all of them.
    type: dict
    suboptions:
      allowed_states:
        description:
          - The states that are in order. An instance or phone that could not be read is in none.
        type: list
        elements: str
        choices:
          - authorized
          - creating
          - starting
          - sleepMode
          - notAuthorized
          - yellowCard
          - suspended
          - blocked
          - unknown
          - running
          - stopped
          - shut_down
          - offline
          - missing
          - other
        default: [authorized, running]
      max_out:
        description:
          - How many may be out of order, as a number such as V(3), or as a share of all such as V(5%), rounded down.
        type: str
        default: "0"
      min_due_days:
        description:
          - Whoever is paid for fewer days than this is out of order, whatever the state.
          - One whose due date isn't known is not. If not set, due dates don't matter.
        type: float
      min_total:
        description:
          - How many there must be at least. An account that lists nothing looks fine otherwise.
        type: int
        default: 0
  title:
    description: What the report is called.
    type: str
    default: Fleet
  slice:
    description: What this part of the fleet is called where reports are merged.
    type: str
  json_file:
    description:
      - The file for the JSON report. The folder of this and the other files is made if it isn't there.
      - A relative path begins in the folder where C(ansible-playbook) was started.
      - A file that is there is replaced atomically and keeps its owner and its mode; a new one has mode 0644. A pipe is
        written to.
    type: path
  junit_file:
    description:
      - The file for the JUnit report, with a case for each instance and phone.
      - The case of whoever is out of order fails, even where O(rule.max_out) allows for it.
    type: path
  html_file:
    description: The file for the HTML page. It needs nothing but itself.
    type: path
  return_report:
    description: Whether to return the whole report. That of a large fleet takes megabytes.
    type: bool
    default: false
seealso:
  - module: msgops.fleet.instance_state
  - module: msgops.fleet.cloudphone_status
  - name: The report's format
    description: What is in the JSON, and its JSON Schema.
    link: https://github.com/msgops/fleet/blob/main/docs/report.md
"""

EXAMPLES = r"""
- name: Read the fleet
  msgops.fleet.instance_state:
    provider: green_api
    instances: "{{ fleet }}"
    fail_on_error: false
  register: states

- name: Report
  msgops.fleet.fleet_report:
    instances: "{{ states.instances }}"
    rule:
      max_out: 5%
    json_file: reports/fleet.json
    junit_file: reports/fleet.xml
    html_file: reports/fleet.html
  register: report

- name: Fail if too many are out of order
  ansible.builtin.assert:
    that: report.kept
    fail_msg: "{{ report.broken + report.out | map(attribute='line') | list }}"

- name: Merge the reports of two slices
  msgops.fleet.fleet_report:
    reports:
      - reports/slice-1.json
      - reports/slice-2.json
    html_file: reports/fleet.html
"""

RETURN = r"""
kept:
  description: Whether the fleet is in order.
  returned: success
  type: bool
broken:
  description: What of the rule is broken, a sentence each.
  returned: success
  type: list
  elements: str
  sample: [12 of 200 are out of order, 10 may be]
summary:
  description:
    - How many there are, out of order, authorized, unreadable; how many are in which state, of which health, at which
      provider, and due when.
  returned: success
  type: dict
  sample:
    total: 2
    out: 1
    authorized: 1
    unreadable: 0
    by_state:
      authorized: 1
      notAuthorized: 1
    by_health:
      action_required: 1
      ready: 1
    by_provider:
      green_api: 2
    due:
      overdue: 0
      within_24h: 1
      within_7d: 0
      within_30d: 1
      later: 0
      unknown: 0
out:
  description: Those that are out of order.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: The name in the inventory, or null.
      type: str
    id:
      description: The ID of the instance or phone.
      type: str
    line:
      description: Who it is, what is wrong and what to do.
      type: str
      sample: "shop (1101000001) at green_api: is notAuthorized: link a phone: scan the instance's QR code"
report:
  description: The report, as it is in O(json_file).
  returned: with O(return_report)
  type: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._common.paths import absolute
from ansible_collections.msgops.fleet.plugins.module_utils._common.timestamps import utc_now
from ansible_collections.msgops.fleet.plugins.module_utils._report.files import FORMATS, load_report, write_report
from ansible_collections.msgops.fleet.plugins.module_utils._report.members import instance_member, phone_member
from ansible_collections.msgops.fleet.plugins.module_utils._report.report import Report, Source, evaluate, parse
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import (
    ALL_STATES,
    ALLOWED_STATES,
    Rule,
    common_rule,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import ArgumentSpec
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module

ARGUMENTS = ArgumentSpec(
    {
        "instances": {"type": "list", "elements": "dict", "default": []},
        "phones": {"type": "list", "elements": "dict", "default": []},
        "reports": {"type": "list", "elements": "raw", "default": []},
        "rule": {
            "type": "dict",
            "options": {
                "allowed_states": {
                    "type": "list",
                    "elements": "str",
                    "choices": list(ALL_STATES),
                    "default": list(ALLOWED_STATES),
                },
                "max_out": {"type": "str", "default": "0"},
                "min_due_days": {"type": "float"},
                "min_total": {"type": "int", "default": 0},
            },
        },
        "title": {"type": "str", "default": "Fleet"},
        "slice": {"type": "str"},
        **{option: {"type": "path"} for option in FORMATS},
        "return_report": {"type": "bool", "default": False},
    }
)


def run(task: TaskContext) -> dict[str, Any]:
    """Judge, write, and say who is out of order."""
    params = task.params
    report = _build_report(params, task.folder)
    broken = report.broken()
    result = {
        "changed": write_report(report, params, check_mode=task.check_mode),
        "kept": not broken,
        "broken": broken,
        "summary": report.summary(),
        "out": [{"host": f.member.host, "id": f.member.id, "line": f.line} for f in report.out],
    }
    return result | ({"report": report.as_json()} if params["return_report"] else {})


def _build_report(params: Mapping[str, Any], folder: str | None) -> Report:
    now = utc_now()
    members = [instance_member(row, f"instances[{index}]") for index, row in enumerate(params["instances"])]
    members += [phone_member(row, f"phones[{index}]") for index, row in enumerate(params["phones"])]
    earlier = [
        parse(load_report(absolute(report, "reports", folder)), report)
        if isinstance(report, str)
        else parse(report, f"reports[{index}]")
        for index, report in enumerate(params["reports"])
    ]
    sources = [Source(params["slice"], now, len(members))] if members or not earlier else []
    return evaluate(
        [*members, *(member for part in earlier for member in part.members)],
        Rule.of(params["rule"]) if params["rule"] else common_rule([part.rule for part in earlier]),
        title=params["title"],
        generated_at=now,
        sources=[*sources, *(source for part in earlier for source in part.sources)],
    )


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
