# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: instance_state
short_description: Read the state of WhatsApp gateway instances
version_added: 0.1.0
description:
  - Reads the state of instances at GREEN-API or PlugzAPI, one or thousands in one task, and can wait for states.
  - It never changes anything, and really reads in check mode.
  - If an instance can't be read, the others are read all the same.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway
  - msgops.fleet.gateway.instance
  - msgops.fleet.gateway.instances
  - msgops.fleet.transport
  - msgops.fleet.waiting
  - msgops.fleet.attributes
  - msgops.fleet.attributes.reads_only
attributes:
  action_group:
    support: full
    membership:
      - msgops.fleet.green_api
      - msgops.fleet.plugzapi
      - msgops.fleet.all
options:
  wait_for:
    description:
      - Read the instances again and again until each is in one of these states, for up to O(wait_timeout).
    type: list
    elements: str
    choices: [authorized, creating, starting, sleepMode, notAuthorized, yellowCard, suspended, blocked, unknown]
  fail_fast_on:
    description:
      - If an instance gets into one of these states, waiting ends for all instances at once, and the task fails.
      - A state that is also in O(wait_for) has no effect here.
    type: list
    elements: str
    choices: [authorized, creating, starting, sleepMode, notAuthorized, yellowCard, suspended, blocked, unknown]
    default: [blocked]
  fail_on_error:
    description:
      - Whether the task fails if an instance could not be read. All instances are tried first.
    type: bool
    default: true
  returned:
    description:
      - Which instances RV(instances) holds. V(all) of them, or V(failed) for those that could not be read or have no
        state of O(wait_for), or none with V(summary). RV(summary) counts all of them in any case.
      - Ansible prints the whole result of a task that fails. For a large fleet, V(failed) keeps that short.
    type: str
    choices: [all, failed, summary]
    default: all
seealso:
  - module: msgops.fleet.instance_create
  - name: GREEN-API GetStateInstance
    description: The call that is used for GREEN-API.
    link: https://green-api.com/en/docs/api/account/GetStateInstance/
  - name: Z-API instance status
    description: The call that is used for PlugzAPI, a white label of Z-API.
    link: https://developer.z-api.io/en/instance/status
"""

EXAMPLES = r"""
- name: Read the state of one instance
  msgops.fleet.instance_state:
    provider: green_api
    instance_id: "1101000001"
    instance_token: "{{ shop_token }}"
  register: shop

- name: Read a whole fleet in one task, and don't fail if an instance can't be read
  msgops.fleet.instance_state:
    provider: green_api
    instances: "{{ fleet }}"
    concurrency: 32
    fail_on_error: false
  register: states

- name: Fail if an instance of a large fleet can't be read, and show only those
  msgops.fleet.instance_state:
    provider: green_api
    instances: "{{ fleet }}"
    returned: failed

- name: Name the instances that a person has to link
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.state }}"
  loop: "{{ states.instances | selectattr('health', 'equalto', 'action_required') }}"
  loop_control:
    label: "{{ item.id }}"

- name: Wait until both instances are authorized, or fail at once if one is banned
  msgops.fleet.instance_state:
    instances:
      - name: shop
        provider: green_api
        id: "1101000001"
        token: "{{ shop_token }}"
      - name: support
        provider: plugzapi
        id: "{{ support_id }}"
        token: "{{ support_token }}"
        client_token: "{{ account_security_token }}"
    wait_for: [authorized]
    wait_timeout: 600
"""

RETURN = r"""
instances:
  description:
    - The instances, in the order of the options. An ID that occurs twice is returned once.
    - O(returned) says which of them.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    id:
      description: The instance's ID.
      type: str
      sample: "1101000001"
    name:
      description: The name from the task's options, or null.
      type: str
      sample: shop
    provider:
      description: The gateway.
      type: str
      sample: green_api
    state:
      description:
        - The state in GREEN-API's vocabulary, for both gateways. Null if the instance could not be read.
        - V(creating) means that GREEN-API is still setting the instance up. V(unknown) means that the gateway's word
          isn't in the vocabulary.
      type: str
      sample: authorized
    vendor_state:
      description: The gateway's own word, V(connected) or V(disconnected) for PlugzAPI.
      type: str
      sample: authorized
    authorized:
      description: Whether the state is V(authorized).
      type: bool
    health:
      description:
        - What the state calls for. V(ready) (nothing), V(transient) (wait), V(action_required) (link a phone),
          V(degraded) (sending is limited), V(failed) (the account is banned), or V(unknown).
      type: str
      sample: ready
    attempts:
      description: The number of requests that were sent for this instance.
      type: int
      sample: 1
    observed_at:
      description: When the state was read, ISO 8601 in UTC.
      type: str
      sample: "2026-01-31T12:00:00Z"
    error:
      description: Why the instance could not be read, or null.
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
summary:
  description: The number of instances, of authorized and of unreadable ones, and of those in each state.
  returned: always, unless the options are wrong
  type: dict
  sample:
    total: 2
    authorized: 1
    unreadable: 0
    by_state:
      authorized: 1
      notAuthorized: 1
state:
  description: The state of the instance.
  returned: for a single instance
  type: str
  sample: authorized
authorized:
  description: Whether the instance is authorized.
  returned: for a single instance
  type: bool
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
from ansible_collections.msgops.fleet.plugins.module_utils._common.states import STATES
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.observation import observe, report
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import RETURNED, WaitPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    GATEWAY,
    INSTANCE,
    TRANSPORT,
    WAITING,
    ArgumentSpec,
    many_instances,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._task.targets import resolve_targets
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache

ARGUMENTS = TRANSPORT.merge(
    GATEWAY,
    INSTANCE,
    WAITING,
    many_instances(),
    ArgumentSpec(
        {
            "wait_for": {"type": "list", "elements": "str", "choices": list(STATES)},
            "fail_fast_on": {"type": "list", "elements": "str", "choices": list(STATES), "default": ["blocked"]},
            "fail_on_error": {"type": "bool", "default": True},
            "returned": {"type": "str", "choices": list(RETURNED), "default": "all"},
        }
    ),
)


def run(task: TaskContext) -> dict[str, Any]:
    """Read, or wait, and report."""
    params = task.params
    waiting = WaitPolicy(
        params["wait_timeout"], params["wait_interval"], params["wait_for"] or (), params["fail_fast_on"] or ()
    )
    options = transport_options(params, check_mode=task.check_mode)
    targets = resolve_targets(params, GatewayCache(options), task.resolver)
    started = time.monotonic()
    observations = observe(targets, concurrency=options.concurrency, waiting=waiting, progress=task.progress)
    result = report(observations, waiting, fail_on_error=params["fail_on_error"], returned=params["returned"])
    if waiting.states:
        result["waited"] = round(time.monotonic() - started, 3)
    return result


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
