# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: fleet_check
short_description: Read the hosts of a fleet, evaluate them by a rule, and write a report
version_added: 0.1.0
description:
  - Reads the instances or phones that are hosts of the play, evaluates them by your rule, and writes a report. It never
    changes anything at the gateways.
  - The playbooks C(msgops.fleet.check_fleet), C(check_phones) and C(merge_reports) run this task once, show its
    result, and fail if the fleet does not pass. Use them if you can.
  - A fleet that violates the rule does not fail the task. Check RV(passed).
  - A check that could not see the whole fleet does not pass. RV(violations) begins with what it could not see, which is
    no host at all, or the hosts of an inventory source that failed.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway.provider
  - msgops.fleet.rule
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode it really reads, but writes no file.
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
  kind:
    description:
      - What to check. With V(reports), the task merges the earlier O(reports), and sends no requests.
    type: str
    choices: [instances, phones, reports]
    default: instances
  pattern:
    description:
      - The pattern of the hosts to read. Only active hosts of the play are read, so run the play over
        V(localhost:all).
      - Each needs the variables C(msgops_id) and C(msgops_provider), as the inventory plugins set them.
    type: list
    elements: str
    default: [msgops_instances]
  provider:
    description:
      - The gateway of O(accounts) that don't name their own.
      - If not set, the environment variable E(MSGOPS_PROVIDER) is used.
  accounts:
    description:
      - The accounts to list for the tokens of instances that have none in their host's variables or in
        O(credentials_file). A list, or its JSON or YAML. Only accounts of the gateways where tokens are missing are
        listed.
      - If not set, the account of each gateway whose partner's token is in the environment.
      - What an item leaves out comes from the environment.
    type: list
    elements: dict
    suboptions:
      provider:
        description: The gateway. Without it, O(provider) is used.
        type: str
        choices: [green_api, plugzapi]
      api_url:
        description: The base address of the gateway's API.
        type: str
      partner_token:
        description: The partner's token.
        type: str
      account:
        description: Your own name for the account.
        type: str
  credentials_file:
    description:
      - The file that M(msgops.fleet.instance_create) has written. Its tokens are used unless the host's variables or a
        listing have others.
    type: path
  serial:
    description:
      - How many hosts to read before the next ones, as a number or as a share such as V(10%). The last item of a list
        is repeated.
    type: list
    elements: str
    default: ["100%"]
  batch_size:
    description:
      - The number of phones in a request for their status, from 1 to 100. Phones are read by the tenant's listing, and
        by their status only if that is refused.
    type: int
    default: 32
  reports:
    description:
      - Earlier reports to merge, as the option O(msgops.fleet.fleet_report#module:reports). A list, or its JSON or
        YAML, or a single path or pattern.
    type: list
    elements: raw
    default: []
  artifacts:
    description: Earlier reports to merge, as RV(report) returns them.
    type: list
    elements: dict
    default: []
  allowed_states:
    description: Overrides O(rule.allowed_states).
    type: list
    elements: str
  max_failing:
    description: Overrides O(rule.max_failing).
    type: str
  min_due_days:
    description: Overrides O(rule.min_due_days).
    type: float
  min_total:
    description: Overrides O(rule.min_total).
    type: int
  allow_empty:
    description: Whether a pattern that matches no host is no violation. O(rule.min_total) counts in any case.
    type: bool
    default: false
  allow_partial:
    description: Whether an inventory source that failed, or left out an account, is no violation.
    type: bool
    default: false
  report_dir:
    description:
      - The folder for the report's files, which get the suffixes C(.json), C(.xml) (JUnit) and C(.html). If not set, no
        files are written.
      - A relative path begins in the folder where C(ansible-playbook) was started.
    type: path
  report_name:
    description: The name of the report's files.
    type: str
    default: fleet
  title:
    description: The report's title.
    type: str
    default: Fleet
  slice:
    description: The name of this part of the fleet in a merged report.
    type: str
  return_report:
    description: Whether to return the whole report.
    type: bool
    default: false
  set_facts:
    description:
      - Whether to return RV(hosts), from which the playbooks set facts for later plays.
      - By default, only if a playbook was started that isn't one of this collection, because no later play can use the
        facts otherwise.
    type: bool
  shown:
    description: How many failing instances and phones RV(shown) names.
    type: int
    default: 10
notes:
  - O(rule) may also be YAML.
  - The credentials for phones come from the environment, as those of M(msgops.fleet.cloudphone_status) do.
  - It runs on the controller, in Ansible's own process, and needs the Python library requests there. It can't be run
    with C(async).
  - An option that is blank counts as not set, because that is what AWX makes of a question that was left unanswered.
seealso:
  - module: msgops.fleet.fleet_report
  - name: Checking a fleet
    description: The playbooks, their variables, and the report.
    link: https://github.com/msgops/fleet/blob/main/docs/report.md
"""

EXAMPLES = r"""
- name: Check the instances that are hosts of this play
  msgops.fleet.fleet_check:
    pattern: [msgops_instances]
    max_failing: 5%
    allow_empty: true
    report_dir: reports
  run_once: true
  register: check

- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ check.shown }}"
  run_once: true
"""

RETURN = r"""
passed:
  description: Whether the fleet satisfies the rule, and the check could see all of it.
  returned: success
  type: bool
violations:
  description: What the check could not see, then how the fleet violates the rule. Empty if it passed.
  returned: success
  type: list
  elements: str
  sample: [12 of 200 are failing, 10 may be]
notes:
  description: What the check could not see, but was allowed not to see.
  returned: success
  type: list
  elements: str
summary:
  description: Numbers, as M(msgops.fleet.fleet_report) returns them.
  returned: success
  type: dict
failing:
  description: The failing instances and phones, the worst first, as M(msgops.fleet.fleet_report) returns them.
  returned: success
  type: list
  elements: dict
shown:
  description: The lines to print. The verdict, the violations, one line of counts by state and cause, and the worst.
  returned: success
  type: list
  elements: str
hosts:
  description: What was read of each host, if O(set_facts) says so.
  returned: success
  type: list
  elements: dict
to_fail:
  description:
    - The hosts to fail, if more are failing than may be, the worst first. The C(line) of each C(host) says what is
      wrong with it. It is empty for a host that an earlier check of the same run has marked as failing, and that must
      not fail because of that.
    - If the fleet fails without a host to blame, and localhost is not in the play, it is the first host.
  returned: success
  type: list
  elements: dict
localhost_line:
  description: What localhost has to say, if the fleet fails without a host to blame. It is empty otherwise.
  returned: success
  type: str
report:
  description: The report as it is written to the JSON file.
  returned: if O(return_report) is true
  type: dict
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._report.rule import RULE_OPTION
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    GATEWAY,
    ITEM_GATEWAY,
    PARTNER,
    TRANSPORT,
    ArgumentSpec,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module

# These override the keys of the same names of the option rule.
RULE_OVERRIDES: dict[str, dict[str, Any]] = {
    "allowed_states": {"type": "list", "elements": "str"},
    "max_failing": {"type": "str"},
    "min_due_days": {"type": "float"},
    "min_total": {"type": "int"},
}

ARGUMENTS = TRANSPORT.merge(
    ArgumentSpec(
        {
            "kind": {"type": "str", "choices": ["instances", "phones", "reports"], "default": "instances"},
            "pattern": {"type": "list", "elements": "str", "default": ["msgops_instances"]},
            "provider": GATEWAY.options["provider"],
            "accounts": {"type": "list", "elements": "dict", "options": {**ITEM_GATEWAY, **PARTNER.options}},
            "credentials_file": {"type": "path"},
            "serial": {"type": "list", "elements": "str", "default": ["100%"]},
            "batch_size": {"type": "int", "default": 32},
            "reports": {"type": "list", "elements": "raw", "default": []},
            "artifacts": {"type": "list", "elements": "dict", "default": []},
            "rule": RULE_OPTION,
            **RULE_OVERRIDES,
            "allow_empty": {"type": "bool", "default": False},
            "allow_partial": {"type": "bool", "default": False},
            "report_dir": {"type": "path"},
            "report_name": {"type": "str", "default": "fleet"},
            "title": {"type": "str", "default": "Fleet"},
            "slice": {"type": "str"},
            "return_report": {"type": "bool", "default": False},
            "set_facts": {"type": "bool"},
            "shown": {"type": "int", "default": 10},
        }
    ),
)


def run(task: TaskContext) -> dict[str, Any]:
    """Refuse to run: only the action plugin knows the hosts of the play."""
    raise UsageError("fleet_check needs its action plugin, which runs it on the controller")


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
