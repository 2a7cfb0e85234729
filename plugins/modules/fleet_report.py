# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: fleet_report
short_description: Evaluate a fleet by a rule, and write a report as JSON, JUnit and HTML
version_added: 0.1.0
description:
  - Evaluates what M(msgops.fleet.instance_state) and M(msgops.fleet.cloudphone_status) have read by your rule, and
    writes a report that lists each failing instance and phone. JSON is for programs, JUnit for a CI server, the HTML
    page for people.
  - Can merge earlier reports into one, for example those of the slices of a large fleet.
  - Sends no requests. The reports hold no secrets.
  - A fleet that violates the rule does not fail the task. Check RV(passed).
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.rule
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
      - Each report contains the time at which it was made.
  action_group:
    support: none
    membership: []
options:
  instances:
    description:
      - Instances, as M(msgops.fleet.instance_state) or M(msgops.fleet.instance_settings) returns them, or the lists of
        both together. An instance whose settings differ is failing, whatever its state.
      - Each may also have C(host), its name in the inventory, C(account), your name for its account, and C(due), when
        its paid time ends (ISO 8601).
    type: list
    elements: dict
    default: []
  phones:
    description:
      - Cloud phones, as M(msgops.fleet.cloudphone_status) returns them.
      - Each may also have C(host), C(account), C(name) and C(due).
    type: list
    elements: dict
    default: []
  reports:
    description:
      - Earlier reports, each as the path of its JSON file, or as RV(report). A path may be a pattern such as
        V(reports/*.json); one that matches no file is an error.
      - An instance or phone that is in several reports counts once, as it was read last. Equal IDs in accounts of
        different names are different instances.
      - What an earlier report could not see of the fleet, such as a failed inventory source, fails this one, too.
    type: list
    elements: raw
    default: []
  title:
    description: The report's title.
    type: str
    default: Fleet
  slice:
    description: The name of this part of the fleet in a merged report.
    type: str
  json_file:
    description:
      - The file for the JSON report. The folder of this and of the other files is created if it doesn't exist.
      - A relative path begins in the folder where C(ansible-playbook) was started.
      - An existing file is replaced atomically, and keeps its owner and its mode. A new file has mode 0644. To a pipe,
        the report is written.
    type: path
  junit_file:
    description:
      - The file for the JUnit report, with a test case for each instance and phone.
      - The test cases of all failing ones fail, even where O(rule.max_failing) allows that many.
    type: path
  html_file:
    description: The file for the HTML page, which loads no other files.
    type: path
  return_report:
    description: Whether to return the whole report. The report of a large fleet has megabytes.
    type: bool
    default: false
seealso:
  - module: msgops.fleet.instance_state
  - module: msgops.fleet.cloudphone_status
  - name: The report's format
    description: The content of the JSON report, and its JSON Schema.
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
      max_failing: 5%
    json_file: reports/fleet.json
    junit_file: reports/fleet.xml
    html_file: reports/fleet.html
  register: report

- name: Fail if too many are failing
  ansible.builtin.assert:
    that: report.passed
    fail_msg: "{{ report.violations + report.failing | map(attribute='line') | list }}"

- name: Merge the reports of two slices
  msgops.fleet.fleet_report:
    reports:
      - reports/slice-1.json
      - reports/slice-2.json
    html_file: reports/fleet.html
"""

RETURN = r"""
passed:
  description: Whether the fleet satisfies the rule.
  returned: success
  type: bool
violations:
  description: How the fleet violates the rule, in one sentence for each part of the rule. Empty if it passed.
  returned: success
  type: list
  elements: str
  sample: [12 of 200 are failing, 10 may be]
notes:
  description: What O(reports) could not see of the fleet, but were allowed not to see.
  returned: success
  type: list
  elements: str
summary:
  description:
    - How many instances and phones there are, are failing, are authorized, and could not be read; how many there are by
      state, health, provider, cause of failing (the worst first), and due date.
  returned: success
  type: dict
  sample:
    total: 2
    failing: 1
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
    by_cause:
      notAuthorized: 1
    due:
      overdue: 0
      within_24h: 1
      within_7d: 0
      within_30d: 1
      later: 0
      unknown: 0
failing:
  description: The failing instances and phones, the worst first.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: The name in the inventory, or null.
      type: str
    account:
      description: The name of its account, or null.
      type: str
    id:
      description: The ID of the instance or phone.
      type: str
    line:
      description: Which one it is, what is wrong with it, and what to do about it.
      type: str
      sample: "phone-2 (efjy72gs) at koophone: is stopped: start the phone in the KooPhone console"
report:
  description: The report as it is written to O(json_file).
  returned: if O(return_report) is true
  type: dict
"""

from collections.abc import Mapping
from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.timestamps import utc_now
from ansible_collections.msgops.fleet.plugins.module_utils._report.evaluation import evaluate
from ansible_collections.msgops.fleet.plugins.module_utils._report.files import FORMATS, load_parts, write_report
from ansible_collections.msgops.fleet.plugins.module_utils._report.members import instance_member, phone_member
from ansible_collections.msgops.fleet.plugins.module_utils._report.report import Report, Source
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import RULE_OPTION, Rule, common_rule
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import ArgumentSpec
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module

ARGUMENTS = ArgumentSpec(
    {
        "instances": {"type": "list", "elements": "dict", "default": []},
        "phones": {"type": "list", "elements": "dict", "default": []},
        "reports": {"type": "list", "elements": "raw", "default": []},
        "rule": RULE_OPTION,
        "title": {"type": "str", "default": "Fleet"},
        "slice": {"type": "str"},
        **{option: {"type": "path"} for option in FORMATS},
        "return_report": {"type": "bool", "default": False},
    }
)


def run(task: TaskContext) -> dict[str, Any]:
    """Evaluate the fleet, write the report, and return the failing members."""
    params = task.params
    report = _build_report(params, task.folder)
    result = {"changed": write_report(report, params, check_mode=task.check_mode), **report.as_result()}
    return result | ({"report": report.as_json()} if params["return_report"] else {})


def _build_report(params: Mapping[str, Any], folder: "str | None") -> Report:
    now = utc_now()
    members = [instance_member(row, f"instances[{index}]") for index, row in enumerate(params["instances"])]
    members += [phone_member(row, f"phones[{index}]") for index, row in enumerate(params["phones"])]
    earlier = load_parts(params["reports"], folder)
    sources = [Source(params["slice"], now, len(members))] if members or not earlier else []
    return evaluate(
        [*members, *(member for part in earlier for member in part.members)],
        Rule.from_option(params["rule"]) if params["rule"] else common_rule([part.rule for part in earlier]),
        title=params["title"],
        generated_at=now,
        sources=[*sources, *(source for part in earlier for source in part.sources)],
        problems=[problem for part in earlier for problem in part.problems],
        notes=[note for part in earlier for note in part.notes],
    )


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
