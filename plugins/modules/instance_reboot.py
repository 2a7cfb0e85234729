# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: instance_reboot
short_description: Reboot WhatsApp gateway instances in states that a reboot repairs
version_added: 0.1.0
description:
  - Reads the states of instances, reboots those in a state of O(reboot_on), and waits until each state has changed and
    is the same in two readings. A reboot keeps the phone linked.
  - A task reboots each instance at most once. If the response is lost, the reboot isn't sent again; a change of the
    state then shows that it arrived.
  - The module writes a reboot to a journal before it sends it, so that O(max_reboots_per_hour) holds for all runs that
    share the journal, including runs at the same time.
  - An instance in any other state is left alone.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway
  - msgops.fleet.gateway.instance
  - msgops.fleet.gateway.instances
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the module reads the states, and sends no request that writes. An instance that is starting counts
        as one that would be rebooted, because the module doesn't wait.
  diff_mode:
    support: full
    details:
      - Shows the states of the instances.
  idempotent:
    support: full
  action_group:
    support: full
    membership:
      - msgops.fleet.green_api
      - msgops.fleet.plugzapi
      - msgops.fleet.all
options:
  reboot_on:
    description:
      - The states in which an instance is rebooted.
      - V(yellowCard), V(suspended) and V(starting) are states of GREEN-API. A reboot clears V(yellowCard) and
        V(suspended), its new word, but they return while WhatsApp's restriction lasts.
      - V(notAuthorized) is for PlugzAPI, whose instances report no other state when something is wrong; a restart
        restores the session of a linked phone.
      - An instance is left alone in a state for which its vendor recommends no reboot.
    type: list
    elements: str
    choices: [yellowCard, suspended, starting, notAuthorized]
    default: [yellowCard]
  starting_timeout:
    description:
      - Seconds for which the task must see an instance V(starting) before it reboots it.
    type: float
    default: 300.0
  max_reboots_per_hour:
    description:
      - How often an instance may be rebooted within an hour, from 0 to 60. Between two reboots there are at least 2
        minutes.
    type: int
    default: 2
  journal:
    description:
      - The journal of the reboots, a file or a URL of PostgreSQL as in M(msgops.fleet.instance_create). Without a
        writable journal, nothing is rebooted.
      - If not set, the environment variable E(MSGOPS_JOURNAL) is used.
    type: path
    default: ~/.local/state/msgops/fleet.sqlite3
  wait_timeout:
    description:
      - Seconds to wait for an instance after its reboot. After that the task fails and names the instances that aren't
        back.
      - With V(0) the task doesn't wait.
    type: float
    default: 300.0
  wait_interval:
    description:
      - Seconds between two readings of the same instance, above 0.
      - GREEN-API allows one request a second for each instance.
    type: float
    default: 5.0
seealso:
  - module: msgops.fleet.instance_state
  - module: msgops.fleet.instance_link
  - name: GREEN-API Reboot
    description: The request for GREEN-API.
    link: https://green-api.com/en/docs/api/account/Reboot/
  - name: Z-API restart
    description: The request for PlugzAPI, a white label of Z-API.
    link: https://developer.z-api.io/en/instance/restart
"""

EXAMPLES = r"""
- name: Reboot the instances whose sending is suspended
  msgops.fleet.instance_reboot:
    instances: "{{ fleet }}"

- name: Restore broken sessions at PlugzAPI, once an hour at most
  msgops.fleet.instance_reboot:
    provider: plugzapi
    instances: "{{ fleet }}"
    reboot_on: [notAuthorized]
    max_reboots_per_hour: 1
    wait_timeout: 120
"""

RETURN = r"""
instances:
  description: The instances, in the order asked.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    id:
      description: The instance's ID.
      type: str
      sample: "1101000001"
    name:
      description: The name that the task gave it, or null.
      type: str
      sample: shop
    provider:
      description: The gateway.
      type: str
      sample: green_api
    before:
      description: The state before its reboot; for an instance that wasn't rebooted, its first state.
      type: str
      sample: yellowCard
    state:
      description: The state, as M(msgops.fleet.instance_state) returns it. Null if the instance could not be read.
      type: str
      sample: authorized
    authorized:
      description: Whether the state is V(authorized).
      type: bool
    action:
      description:
        - V(unchanged), V(rebooted), V(would_reboot) (in check mode), V(failed) (it was not rebooted), or V(unknown)
          (the response was lost, and the state has not changed).
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
  description: The number of instances, of authorized ones, and of instances by action.
  returned: always, unless the options are wrong
  type: dict
  sample:
    total: 2
    authorized: 2
    by_action:
      rebooted: 1
      unchanged: 1
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, if a single instance caused it
  type: dict
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.reboot import REBOOT_STATES, Rebooter, RebootPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.reboot_budget import SPACING, RebootBudget
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import WaitPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    GATEWAY,
    INSTANCE,
    JOURNAL,
    TRANSPORT,
    WAITING,
    ArgumentSpec,
    many_instances,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._task.targets import refuse_duplicates, resolve_targets
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache

ARGUMENTS = TRANSPORT.merge(
    GATEWAY,
    INSTANCE,
    JOURNAL,
    WAITING,
    many_instances(),
    ArgumentSpec(
        {
            "reboot_on": {
                "type": "list",
                "elements": "str",
                "choices": list(REBOOT_STATES),
                "default": ["yellowCard"],
            },
            "starting_timeout": {"type": "float", "default": 300.0},
            "max_reboots_per_hour": {"type": "int", "default": 2},
        }
    ),
)


def run(task: TaskContext, spacing: float = SPACING) -> dict[str, Any]:
    """Reboot the instances in one of the states; in check mode, predict which ones would be rebooted."""
    params = task.params
    if not 0 <= params["max_reboots_per_hour"] <= 60:
        raise UsageError("max_reboots_per_hour must be between 0 and 60")
    policy = RebootPolicy(
        states=params["reboot_on"] or (),
        starting_timeout=params["starting_timeout"],
        waiting=WaitPolicy(params["wait_timeout"], params["wait_interval"]),
    )
    budget = RebootBudget(params["journal"], params["max_reboots_per_hour"], spacing)
    options = transport_options(params, check_mode=task.check_mode)
    targets = resolve_targets(params, GatewayCache(options), task.resolver)
    refuse_duplicates(targets)
    rebooter = Rebooter(policy, budget, concurrency=options.concurrency, progress=task.progress)
    return rebooter.predict(targets) if task.check_mode else rebooter.reboot(targets)


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
