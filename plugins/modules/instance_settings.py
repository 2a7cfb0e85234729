# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: instance_settings
short_description: Set webhooks and other settings of existing WhatsApp gateway instances
version_added: 0.1.0
description:
  - Reads the settings of instances, changes those that differ, and reads them back. What isn't named is left as it is.
  - GREEN-API gets one request per instance, with the differing settings only. It restarts the instance with each one,
    and may show the change minutes later, or never, although it says that it has saved it. So an instance is V(applied)
    only after its settings were read back, and the request is not sent a second time.
  - PlugzAPI gets one request per differing setting.
  - All instances are read before the first change. An instance that can't be read isn't changed and makes the task
    fail; the others are changed.
  - What is sent is written to a journal first, as fingerprints without the values. If a run is interrupted, the next
    one waits for what was sent instead of sending it again.
  - Of a URL, results and diffs show scheme, host and path, because its query and its user part may hold secrets; of a
    secret only that it changes.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway
  - msgops.fleet.gateway.instance
  - msgops.fleet.settings
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the module reads the settings, and sends no request that writes. So it reports the drift of a
        fleet, which M(msgops.fleet.fleet_report) takes.
  diff_mode:
    support: full
    details:
      - Shows the settings that differ, without secrets.
  idempotent:
    support: full
  action_group:
    support: full
    membership:
      - msgops.fleet.green_api
      - msgops.fleet.plugzapi
      - msgops.fleet.all
options:
  verify:
    description:
      - Whether to read the settings back. Without that, the action of a changed instance is V(unverified), and doesn't
        make the task fail.
    type: bool
    default: true
  verify_timeout:
    description:
      - Seconds to wait, after a change was sent, until the gateway shows it. After that the action is V(unverified),
        and the task fails.
      - GREEN-API documents up to 5 minutes.
      - GREEN-API takes no change while an instance starts. The module sends the change again for as long, and after
        that the action is V(failed).
    type: float
    default: 330.0
  verify_interval:
    description:
      - Seconds between two readings of the same instance, above 0.
      - GREEN-API allows one request a second for each instance. With a smaller value, the module sends more.
    type: float
    default: 10.0
  max_restarting:
    description:
      - How many of the task's instances at GREEN-API may restart at the same time, a number or a share such as V(10%).
        It is at least one.
    type: str
    default: 10%
  max_changes:
    description:
      - How many instances the task may change, a number or a share of its instances such as V(10%). If the plan has
        more, the task fails before the first change, and lists them.
    type: str
  on_unreadable:
    description:
      - What to do about a setting that the gateway doesn't tell, such as all those of PlugzAPI where it has no C(/me).
      - V(fail) leaves the instance as it is, and the task fails.
      - V(apply) writes the setting once per value, which the journal knows by a fingerprint. The action is
        V(unverified), and doesn't make the task fail.
    type: str
    choices: [fail, apply]
    default: fail
  journal:
    description:
      - The journal of the changes, a file or a URL of PostgreSQL as in M(msgops.fleet.instance_create). Without a
        writable journal, nothing is changed.
      - If not set, the environment variable E(MSGOPS_JOURNAL) is used.
    type: path
    default: ~/.local/state/msgops/fleet.sqlite3
  returned:
    description:
      - Which instances RV(instances) holds. V(all) of them, or V(failed) for those with an error, or none with
        V(summary). RV(summary) counts all of them in any case.
    type: str
    choices: [all, failed, summary]
    default: all
seealso:
  - module: msgops.fleet.instance_create
  - module: msgops.fleet.fleet_report
  - name: GREEN-API SetSettings
    description: The request for GREEN-API.
    link: https://green-api.com/en/docs/api/account/SetSettings/
  - name: Z-API webhooks
    description: The requests for PlugzAPI, a white label of Z-API.
    link: https://developer.z-api.io/en/webhooks/introduction
"""

EXAMPLES = r"""
- name: Send the notifications of all shops to a new address
  msgops.fleet.instance_settings:
    instances: "{{ fleet | selectattr('provider', 'eq', 'green_api') }}"
    settings:
      webhookUrl: https://hooks.example.com/whatsapp
      incomingWebhook: true
      stateWebhook: true

- name: Show what would change, and change nothing
  msgops.fleet.instance_settings:
    instances: "{{ fleet | selectattr('provider', 'eq', 'green_api') }}"
    settings:
      webhookUrl: https://hooks.example.com/messages
  check_mode: true
  diff: true

- name: Give an instance an address of its own, besides those of all, and change ten at most
  msgops.fleet.instance_settings:
    provider: plugzapi
    max_changes: 10
    settings:
      disconnected_callback_url: https://hooks.example.com/disconnected
    instances:
      - name: support
        id: "{{ support_id }}"
        token: "{{ support_token }}"
        settings:
          received_callback_url: https://hooks.example.com/support
"""

RETURN = r"""
instances:
  description:
    - The instances, in the order asked.
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
      description: The name that the task gave it, or null.
      type: str
      sample: shop
    provider:
      description: The gateway.
      type: str
      sample: green_api
    action:
      description:
        - V(unchanged), V(applied) (changed, and read back), V(would_apply) (in check mode), V(unverified) (sent, but
          not read back), V(failed), or V(unknown) (the response was lost, and the gateway doesn't show the change).
      type: str
      sample: applied
    changed_keys:
      description: The settings that differed.
      type: list
      elements: str
      sample: [webhookUrl]
    before:
      description: The settings that the task names, as they were. Null for what the gateway doesn't tell.
      type: dict
      sample:
        webhookUrl: https://old.example.com/whatsapp?***
    after:
      description: The same settings as they were read last, or in check mode as they would be.
      type: dict
      sample:
        webhookUrl: https://hooks.example.com/whatsapp
    error:
      description: Why the instance doesn't have its settings, or null.
      type: dict
      contains:
        code:
          description: The kind of failure, such as V(timeout) (not shown within O(verify_timeout)).
          type: str
        message:
          description: What failed, why, and what to do.
          type: str
        retryable:
          description: Whether a later attempt may succeed.
          type: bool
summary:
  description: The number of instances, and of instances by action.
  returned: always, unless the options are wrong
  type: dict
  sample:
    total: 2
    by_action:
      applied: 1
      unchanged: 1
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, if a single instance or the plan caused it
  type: dict
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.limits import Limit
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import RETURNED
from ansible_collections.msgops.fleet.plugins.module_utils._journal.changes import ChangeJournal
from ansible_collections.msgops.fleet.plugins.module_utils._settings.applier import SettingsApplier
from ansible_collections.msgops.fleet.plugins.module_utils._settings.plan import SettingsPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._settings.report import report, warnings
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    GATEWAY,
    INSTANCE,
    JOURNAL,
    SETTINGS,
    TRANSPORT,
    ArgumentSpec,
    many_instances,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._task.settings import with_settings
from ansible_collections.msgops.fleet.plugins.module_utils._task.targets import refuse_duplicates, resolve_targets
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache

ARGUMENTS = TRANSPORT.merge(
    GATEWAY,
    INSTANCE,
    JOURNAL,
    many_instances(**SETTINGS),
    ArgumentSpec(
        {
            **SETTINGS,
            "verify": {"type": "bool", "default": True},
            "verify_timeout": {"type": "float", "default": SettingsPolicy.verify_timeout},
            "verify_interval": {"type": "float", "default": SettingsPolicy.verify_interval},
            "max_restarting": {"type": "str", "default": "10%"},
            "max_changes": {"type": "str"},
            "on_unreadable": {"type": "str", "choices": ["fail", "apply"], "default": "fail"},
            "returned": {"type": "str", "choices": list(RETURNED), "default": "all"},
        }
    ),
)


def run(task: TaskContext) -> dict[str, Any]:
    """Give the instances their settings; in check mode, predict which would change."""
    params = task.params
    max_changes = params["max_changes"]
    policy = SettingsPolicy(
        max_restarting=Limit("max_restarting", params["max_restarting"]),
        max_changes=None if max_changes is None else Limit("max_changes", max_changes),
        verify=params["verify"],
        verify_timeout=params["verify_timeout"],
        verify_interval=params["verify_interval"],
        on_unreadable=params["on_unreadable"],
    )
    journal = ChangeJournal(params["journal"])
    options = transport_options(params, check_mode=task.check_mode)
    targets = resolve_targets(params, GatewayCache(options), task.resolver)
    refuse_duplicates(targets)
    instances = with_settings(params, targets)
    applier = SettingsApplier(policy, journal, concurrency=options.concurrency, progress=task.progress)
    (applier.predict if task.check_mode else applier.apply)(instances)
    task.warnings.extend(warnings(instances))
    return report(instances, params["returned"])


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
