# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: instance_subscription
short_description: Subscribe PlugzAPI instances, or cancel their subscriptions
version_added: 0.1.0
description:
  - Begins to pay for instances of PlugzAPI, or stops it. A new instance is a trial of two days; PlugzAPI deletes it
    after that, unless somebody subscribes.
  - The module reads the account's listing, sends a request for each instance that isn't as O(state) says, and reads the
    listing again until it shows the change, for up to 15 seconds. No request is sent twice.
  - PlugzAPI doesn't document its words for the payment. An instance with a word that the module doesn't know fails with
    that word, and nothing is sent for it.
  - Subscriptions cost money. A cancelled instance lives on for a while, which the vendor's pages don't agree about.
  - Instances of a GREEN-API partner renew by themselves until they are deleted, so they are an error here.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway
  - msgops.fleet.gateway.partner
  - msgops.fleet.gateway.named_instances
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the module lists the account, and sends no request that writes.
  diff_mode:
    support: full
    details:
      - Shows the gateway's words for the payment.
  idempotent:
    support: full
  action_group:
    support: full
    membership:
      - msgops.fleet.plugzapi
      - msgops.fleet.all
options:
  provider:
    description:
      - The gateway. An item of O(instances) may name its own.
    default: plugzapi
  state:
    description:
      - V(subscribed) means paid for, or with a payment that is awaited. V(cancelled) means that nothing is paid for it
        any more; an instance in trial counts as such.
    type: str
    choices: [subscribed, cancelled]
    required: true
  instance_id:
    description:
      - The ID of a single instance.
      - If neither this nor O(instances) is set, the environment variable E(PLUGZAPI_INSTANCE_ID) is used, and the token
        that stands beside it in the environment.
    type: str
  instance_token:
    description: Its token. The listing's own token is used where it shows one.
    type: str
    aliases: [api_token_instance]
  name:
    description: Its name, which must be that of the listing.
    type: str
  instances:
    description:
      - Several instances, instead of a single one, as a list or as JSON or YAML text of one. Each account is listed
        once.
  max_changes:
    description:
      - How many instances may change, as a number, or as a share such as V(10%). If there are more, nothing is sent.
    type: str
    default: "10"
seealso:
  - module: msgops.fleet.instance_delete
  - module: msgops.fleet.instance_info
  - name: Z-API, subscribing an instance
    description: The call for PlugzAPI, a white label of Z-API.
    link: https://developer.z-api.io/en/partner/subscribe-instance
"""

EXAMPLES = r"""
- name: List the account
  msgops.fleet.instance_info:
    provider: plugzapi
    partner_token: "{{ plugzapi_partner_token }}"
  no_log: true
  register: account

- name: Pay for the instances that are in trial
  msgops.fleet.instance_subscription:
    state: subscribed
    partner_token: "{{ plugzapi_partner_token }}"
    instances: "{{ account.instances | selectattr('trial_ends_at') }}"
    max_changes: 25
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
      sample: 3CA01A6D41BD4F1B93C0C94A4D2E5F10
    name:
      description: Its name.
      type: str
      sample: sales
    provider:
      description: The gateway.
      type: str
      sample: plugzapi
    action:
      description:
        - V(subscribed) or V(cancelled) (sent, and read back), V(unchanged), V(would_subscribe) or V(would_cancel) (in
          check mode), V(failed), or V(unknown) (sent, but the listing doesn't show it).
      type: str
      sample: subscribed
    payment_status:
      description:
        - C(trial), C(paid), C(pending), C(pending_bank_slip), C(payment_retry), C(in_cancellation) or C(canceled). Null
          if the gateway's word is none of the known ones.
      type: str
      sample: paid
    vendor_status:
      description: The gateway's own word, or null.
      type: str
      sample: PAID
    due:
      description: The end of the trial or of the paid time, ISO 8601 in UTC, or null.
      type: str
      sample: "2026-01-31T12:00:00Z"
    error:
      description: Why it isn't as O(state) says, or null.
      type: dict
      contains:
        code:
          description: The kind of failure.
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
      subscribed: 1
      unchanged: 1
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, if a single instance caused it
  type: dict
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.limits import Limit
from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import LISTING_POLICY, ListingPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._ending.subscription import (
    Subscriber,
    Subscription,
    refuse_without_subscriptions,
    report,
    warnings,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    INSTANCE,
    ITEM_GATEWAY,
    PARTNER,
    TRANSPORT,
    ArgumentSpec,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._task.named import NAMED_ITEM, named_instances
from ansible_collections.msgops.fleet.plugins.module_utils._task.targets import refuse_duplicates
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache

ARGUMENTS = TRANSPORT.merge(
    PARTNER,
    ArgumentSpec(
        {
            "provider": {**ITEM_GATEWAY["provider"], "default": "plugzapi"},
            "api_url": ITEM_GATEWAY["api_url"],
            "state": {"type": "str", "choices": ["subscribed", "cancelled"], "required": True},
            "instance_id": {"type": "str"},
            "instance_token": INSTANCE.options["instance_token"],
            "name": {"type": "str"},
            "instances": {"type": "list", "elements": "dict", "options": NAMED_ITEM},
            "max_changes": {"type": "str", "default": "10"},
        },
        mutually_exclusive=[("instances", "instance_id")],
    ),
)


def run(task: TaskContext, listing_policy: ListingPolicy = LISTING_POLICY) -> dict[str, Any]:
    """Bring the subscriptions into the state; in check mode, predict which would change."""
    params = task.params
    options = transport_options(params, check_mode=task.check_mode)
    if params["instances"] is None:
        params = {**params, "instances": [_single(task)]}
    subscriber = Subscriber(
        params["state"], Limit("max_changes", params["max_changes"]), options.concurrency, listing_policy
    )
    named = list(named_instances(params, GatewayCache(options), task.resolver))
    for instance in named:
        gateway = instance.target.gateway
        refuse_without_subscriptions(gateway.provider, has_subscriptions=gateway.has_subscriptions)
    refuse_duplicates([instance.target for instance in named])
    subscriptions = [Subscription(target=instance.target) for instance in named]
    (subscriber.predict if task.check_mode else subscriber.apply)(subscriptions)
    task.warnings.extend(warnings(subscriptions))
    return report(subscriptions)


def _single(task: TaskContext) -> dict[str, Any]:
    """The single instance as an item. Its ID and its token are both of the task or both of the environment."""
    params, provider = task.params, task.params["provider"]
    instance_id = task.resolver.require(provider, "instance_id", "the task", own_name="instances or instance_id")
    if not params["name"]:
        raise UsageError("the task needs name, which must be that of the listed instance")
    token = params["instance_token"] if params["instance_id"] else task.resolver.find(provider, "instance_token")
    return {**dict.fromkeys(NAMED_ITEM), "id": instance_id, "name": params["name"], "token": token}


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
