# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: cloudphone_reboot
short_description: Reboot Huawei Cloud KooPhone cloud phones
version_added: 0.1.0
description:
  - Reads the tenant's listing, reboots those of the phones that are running, in batches of at most 100, and waits until
    they run again. KooPhone reboots running phones only.
  - If KooPhone refuses a batch because of one phone, no phone of it was rebooted, and the module halves the batch until
    it has found that phone.
  - A task reboots each phone at most once. If the response is lost, the reboot isn't sent again; the status then shows
    whether it arrived.
  - The module writes a reboot to a journal before it sends it, so that O(max_reboots_per_hour) holds for all runs that
    share the journal, including runs at the same time.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.koophone
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the module reads the listing, and sends no request that writes.
  diff_mode:
    support: full
    details:
      - Shows the statuses of the phones.
  idempotent:
    support: none
  action_group:
    support: full
    membership:
      - msgops.fleet.koophone
      - msgops.fleet.all
options:
  instance_ids:
    description:
      - The phones' IDs, as a list, as JSON or YAML text of one, or as text with commas or lines between the IDs.
      - An ID that occurs twice is rebooted and returned once.
    type: list
    elements: str
    required: true
  max_reboots_per_hour:
    description:
      - How often a phone may be rebooted within an hour, from 0 to 60. Between two reboots there are at least 2
        minutes.
    type: int
    default: 2
  max_changes:
    description:
      - How many phones the task may reboot, a number or a share of O(instance_ids) such as V(10%). If the plan has
        more, the task fails before the first request, and lists them.
    type: str
  journal:
    description:
      - The journal of the reboots, a file or a URL of PostgreSQL as in M(msgops.fleet.instance_create). Without a
        writable journal, nothing is rebooted.
      - If not set, the environment variable E(MSGOPS_JOURNAL) is used.
    type: path
    default: ~/.local/state/msgops/fleet.sqlite3
  wait_timeout:
    description:
      - Seconds to wait until a phone runs again after its reboot. After that the task fails and names the phones that
        don't.
      - With V(0) the task doesn't wait.
    type: float
    default: 300.0
  wait_interval:
    description: Seconds between two readings of the listing, above 0.
    type: float
    default: 5.0
seealso:
  - module: msgops.fleet.cloudphone_info
  - name: KooPhone, rebooting instances in batches
    description: The call that is used.
    link: https://support.huaweicloud.com/api-koophone/BatchRebootInstance.html
"""

EXAMPLES = r"""
- name: Reboot two phones, and wait until they run again
  msgops.fleet.cloudphone_reboot:
    auth_token: "{{ koophone_token }}"
    instance_ids:
      - a44uhlf7
      - efjy72gs
    wait_interval: 1

- name: Reboot the phones that the inventory has, a tenth of them at most
  msgops.fleet.cloudphone_reboot:
    auth_token: "{{ koophone_token }}"
    instance_ids: "{{ phone_ids }}"
    max_changes: 10%
  check_mode: true
  register: reboots
  failed_when: false
"""

RETURN = r"""
phones:
  description: The phones, in the order asked.
  returned: always, unless the options are wrong or the phones can't be listed
  type: list
  elements: dict
  contains:
    instance_id:
      description: The phone's ID.
      type: str
      sample: a44uhlf7
    name:
      description: Its name, or null if the tenant doesn't have it.
      type: str
      sample: phone-1
    before:
      description: The name of its status before.
      type: str
      sample: running
    status:
      description: KooPhone's integer, as it was read last.
      type: int
      sample: 2
    status_name:
      description: The integer's name, as M(msgops.fleet.cloudphone_status) returns it.
      type: str
      sample: running
    action:
      description:
        - V(rebooted), V(skipped) (it isn't running), V(would_reboot) (in check mode), V(over_budget) (rebooted as often
          as O(max_reboots_per_hour) allows), V(failed) (it was not rebooted), or V(unknown) (the response was lost, and
          the status has not changed).
      type: str
      sample: rebooted
    error:
      description: Why it was not rebooted, or what is wrong after its reboot, or null.
      type: dict
      contains:
        code:
          description: The kind of failure, such as V(throttled) (beyond O(max_reboots_per_hour)) or V(timeout).
          type: str
        message:
          description: What failed, why, and what to do.
          type: str
        retryable:
          description: Whether a later attempt may succeed.
          type: bool
summary:
  description: The number of phones, and of phones by action.
  returned: always, unless the options are wrong or the phones can't be listed
  type: dict
  sample:
    total: 2
    by_action:
      rebooted: 1
      skipped: 1
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, if a single request caused it
  type: dict
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.limits import Limit
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.phone_reboot import PhoneRebooter
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.reboot_budget import SPACING, RebootBudget
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import WaitPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    JOURNAL,
    TRANSPORT,
    WAITING,
    ArgumentSpec,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.cloudphones import KOOPHONE, make_koophone
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module

ARGUMENTS = TRANSPORT.merge(
    KOOPHONE,
    JOURNAL,
    WAITING,
    ArgumentSpec(
        {
            "instance_ids": {"type": "list", "elements": "str", "required": True},
            "max_reboots_per_hour": {"type": "int", "default": 2},
            "max_changes": {"type": "str"},
        }
    ),
)


def run(task: TaskContext, spacing: float = SPACING) -> dict[str, Any]:
    """Reboot the running phones; in check mode, predict which ones would be rebooted."""
    params = task.params
    if not 0 <= params["max_reboots_per_hour"] <= 60:
        raise UsageError("max_reboots_per_hour must be between 0 and 60")
    max_changes = params["max_changes"]
    options = transport_options(params, check_mode=task.check_mode)
    rebooter = PhoneRebooter(
        make_koophone(params, options, task.secrets),
        RebootBudget(params["journal"], params["max_reboots_per_hour"], spacing),
        WaitPolicy(params["wait_timeout"], params["wait_interval"]),
        None if max_changes is None else Limit("max_changes", max_changes),
        options.concurrency,
        task.progress,
    )
    return (rebooter.predict if task.check_mode else rebooter.reboot)(params["instance_ids"])


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
