# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: cloudphone_status
short_description: Read the status of Huawei Cloud KooPhone cloud phones
version_added: 0.1.0
description:
  - Reads the status of cloud phones in batches, thousands in one task, and can wait for statuses.
  - It never changes anything, and really reads in check mode. (The API call is a POST, and its permission
    C(koophone:cloudphoneResource:queryBatchShowInstance) has the access level Write, but the call only queries.)
  - If KooPhone refuses a batch because of one phone, the module halves the batch until it has found that phone. The
    other phones still get their status.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.koophone
  - msgops.fleet.transport
  - msgops.fleet.waiting
  - msgops.fleet.attributes
  - msgops.fleet.attributes.reads_only
attributes:
  action_group:
    support: full
    membership:
      - msgops.fleet.koophone
      - msgops.fleet.all
options:
  instance_ids:
    description:
      - The phones' IDs, as a list, as JSON or YAML text of one, or as text with commas or lines between the IDs.
      - An ID that occurs twice is read and returned once.
    type: list
    elements: str
    required: true
  batch_size:
    description:
      - The number of phones in one request, from 1 to 100.
      - KooPhone's documentation of 2024 allows 32, that of 2025 allows 100.
    type: int
    default: 32
  wait_for:
    description: Read the phones again and again until each has one of these statuses, for up to O(wait_timeout).
    type: list
    elements: str
    choices: [unknown, stopped, running, offline, starting, shut_down, other, missing]
  fail_on_error:
    description:
      - Whether the task fails if a phone could not be read. All phones are tried first.
      - A phone that the response leaves out (V(missing)) is not a failure.
    type: bool
    default: true
  returned:
    description:
      - Which phones RV(phones) holds. V(all) of them, or V(failed) for those that could not be read or don't have a
        status of O(wait_for), or none with V(summary). RV(summary) counts all of them in any case.
      - Ansible prints the whole result of a task that fails. For many phones, V(failed) keeps that short.
    type: str
    choices: [all, failed, summary]
    default: all
seealso:
  - name: KooPhone, querying the status of instances in batches
    description: The call that is used.
    link: https://support.huaweicloud.com/intl/en-us/api-koophone/instanceBatchQueryStatus.html
"""

EXAMPLES = r"""
- name: Read the status of all phones
  msgops.fleet.cloudphone_status:
    auth_token: "{{ koophone_token }}"
    instance_ids: "{{ phone_ids }}"
  register: phones

- name: Show the number of phones in each status
  ansible.builtin.debug:
    var: phones.summary.by_status

- name: Wait until two phones are running
  msgops.fleet.cloudphone_status:
    auth_token: "{{ koophone_token }}"
    instance_ids:
      - a44uhlf7
      - efjy72gs
    wait_for: [running]
    wait_timeout: 120
"""

RETURN = r"""
phones:
  description: The phones, in the order of the options. O(returned) says which of them.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    instance_id:
      description: The phone's ID.
      type: str
      sample: a44uhlf7
    status:
      description: KooPhone's integer, or null if the phone is missing or could not be read.
      type: int
      sample: 2
    status_name:
      description:
        - The integer's name, V(unknown) (0), V(stopped) (1), V(running) (2), V(offline) (3), V(starting) (4) or
          V(shut_down) (5), or V(other) for any other integer. V(missing) for a phone that the response leaves out. Null
          for a phone that could not be read.
        - The newest edition of KooPhone's documentation contradicts itself about the integers, so names may be wrong.
      type: str
      sample: running
    error:
      description: Why the phone could not be read, or null.
      type: dict
      contains:
        code:
          description: The kind of failure, such as V(unauthorized), V(not_found), V(timeout) or V(connection).
          type: str
        message:
          description: What failed, why, and what to do.
          type: str
        retryable:
          description: Whether another try may succeed.
          type: bool
missing:
  description: The IDs that the response left out. Empty with O(returned=summary).
  returned: always, unless the options are wrong
  type: list
  elements: str
  sample: [efjy72gs]
summary:
  description: The number of phones, of those in each status, and of missing and unreadable ones.
  returned: always, unless the options are wrong
  type: dict
  sample:
    total: 2
    by_status:
      running: 1
      missing: 1
    missing: 1
    unreadable: 0
requests:
  description: The number of requests that were sent.
  returned: always, unless the options are wrong
  type: int
  sample: 1
waited:
  description: Seconds that the task waited.
  returned: with O(wait_for)
  type: float
  sample: 12.3
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, where one request is to blame
  type: dict
"""

import time
from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.phone_states import PHONE_STATUSES
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.phones import PhonesQuery, read_phones, report
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import RETURNED, WaitPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    TRANSPORT,
    WAITING,
    ArgumentSpec,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.cloudphones import KOOPHONE, make_koophone
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module

ARGUMENTS = TRANSPORT.merge(
    KOOPHONE,
    WAITING,
    ArgumentSpec(
        {
            "instance_ids": {"type": "list", "elements": "str", "required": True},
            "batch_size": {"type": "int", "default": 32},
            "wait_for": {"type": "list", "elements": "str", "choices": list(PHONE_STATUSES)},
            "fail_on_error": {"type": "bool", "default": True},
            "returned": {"type": "str", "choices": list(RETURNED), "default": "all"},
        }
    ),
)


def run(task: TaskContext) -> dict[str, Any]:
    """Read, or wait, and report."""
    params = task.params
    options = transport_options(params, check_mode=task.check_mode)
    query = PhonesQuery(
        instance_ids=tuple(dict.fromkeys(params["instance_ids"])),
        batch_size=params["batch_size"],
        waiting=WaitPolicy(params["wait_timeout"], params["wait_interval"], params["wait_for"] or ()),
    )
    started = time.monotonic()
    koophone = make_koophone(params, options, task.secrets)
    phones, requests = read_phones(koophone, query, concurrency=options.concurrency, progress=task.progress)
    result = report(phones, query, fail_on_error=params["fail_on_error"], returned=params["returned"]) | {
        "requests": requests
    }
    if query.waiting.states:
        result["waited"] = round(time.monotonic() - started, 3)
    return result


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
