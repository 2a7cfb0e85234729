# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: instance_info
short_description: List the WhatsApp gateway instances of partner accounts
version_added: 0.1.0
description:
  - Lists the instances of one or several partner accounts at GREEN-API and PlugzAPI, with their tokens and due dates.
  - It never changes anything, and really lists in check mode.
  - To get tokens, the task needs C(no_log=true), or ansible-core 2.22 or newer, where the module makes Ansible mask
    them. Otherwise tokens are null, and the task warns of that.
  - To have instances as inventory hosts, use P(msgops.fleet.instances#inventory).
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway
  - msgops.fleet.gateway.partner
  - msgops.fleet.gateway.accounts
  - msgops.fleet.transport
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
  provider:
    description:
      - The gateway.
      - If not set, the environment variable E(MSGOPS_PROVIDER) is used. An item of O(accounts) may name its own.
      - If no provider is set, and no O(accounts), O(api_url) or O(partner_token) either, the module lists the account
        of each gateway whose partner's token is in the environment.
  names:
    description:
      - The names of the instances to return, as a list, or text with commas or lines between them. By default all; an
        empty list returns none.
      - A name that none of the listed accounts has is an error.
    type: list
    elements: str
  fail_on_error:
    description:
      - Whether an account that could not be listed fails the task, after all of them were tried.
    type: bool
    default: true
seealso:
  - module: msgops.fleet.instance_state
  - plugin: msgops.fleet.instances
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: List the account whose partner's token is in the environment
  msgops.fleet.instance_info:
    provider: green_api
  no_log: true
  register: account

- name: Show when the paid time of each instance ends
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.due }}"
  loop: "{{ account.instances }}"
  loop_control:
    label: "{{ item.id }}"
"""

RETURN = r"""
instances:
  description:
    - The instances of the accounts that could be listed, in the order of the accounts and of their listings, without
      deleted ones. With O(names), only those.
  returned: always, unless an option is wrong
  type: list
  elements: dict
  contains:
    id:
      description: The instance's ID.
      type: str
      sample: "1101000001"
    name:
      description: The instance's name.
      type: str
      sample: shop
    provider:
      description: The gateway.
      type: str
      sample: green_api
    account:
      description: The user's name for its account, or null.
      type: str
      sample: retail
    api_url:
      description: The base address that was used.
      type: str
      sample: https://api.green-api.com
    token:
      description:
        - The instance's token, a secret.
        - Null where Ansible would print it, that is without C(no_log=true) and before ansible-core 2.22.
      type: str
    due:
      description: The end of the instance's paid time, ISO 8601 in UTC, or null.
      type: str
      sample: "2026-01-31T12:00:00Z"
    trial_ends_at:
      description:
        - When PlugzAPI deletes the instance unless somebody subscribes, ISO 8601 in UTC. Null if it isn't in trial.
      type: str
      sample: "2026-01-03T12:00:00Z"
accounts:
  description: The accounts, in the order of their listing.
  returned: always, unless an option is wrong
  type: list
  elements: dict
  contains:
    provider:
      description: The gateway.
      type: str
      sample: green_api
    account:
      description: The user's name for the account, or null.
      type: str
      sample: retail
    api_url:
      description: The base address that was used.
      type: str
      sample: https://api.green-api.com
    total:
      description: How many instances the account has; null if it could not be listed.
      type: int
      sample: 3
    error:
      description: Why the account could not be listed, with C(code), C(message) and C(retryable), or null.
      type: dict
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, where one request is to blame
  type: dict
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import failure_result
from ansible_collections.msgops.fleet.plugins.module_utils._common.texts import join_first
from ansible_collections.msgops.fleet.plugins.module_utils._task.accounts import PartnerAccount, resolve_accounts
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    GATEWAY,
    ITEM_GATEWAY,
    PARTNER,
    TRANSPORT,
    ArgumentSpec,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._task.listing import list_accounts
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Instance
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache

ARGUMENTS = TRANSPORT.merge(
    GATEWAY,
    PARTNER,
    ArgumentSpec(
        {
            "accounts": {"type": "list", "elements": "dict", "options": {**ITEM_GATEWAY, **PARTNER.options}},
            "names": {"type": "list", "elements": "str"},
            "fail_on_error": {"type": "bool", "default": True},
        },
    ),
)


def run(task: TaskContext) -> dict[str, Any]:
    """List the accounts, and return the instances of those that could be listed."""
    options = transport_options(task.params, check_mode=task.check_mode)
    accounts = resolve_accounts(task.params, "the task", task.resolver)
    listings = list_accounts(accounts, GatewayCache(options), task.resolver, concurrency=options.concurrency)
    rows: list[dict[str, Any]] = []
    wanted, withheld = task.params["names"], False
    for listing in listings:
        for instance in listing.instances:
            if wanted is not None and instance.name not in wanted:
                continue
            shown = instance.token is not None and task.output.may_return(instance.token)
            withheld |= instance.token is not None and not shown
            rows.append(_row(instance, listing.account, instance.token if shown else None))
    if withheld:
        task.warnings.append(
            "the tokens were withheld, because Ansible would print them: set no_log: true on this task"
        )
    result = {"changed": False, "instances": rows, "accounts": [listing.as_result() for listing in listings]}
    failures = [(listing.account.label, listing.error) for listing in listings if listing.error]
    if failures and task.params["fail_on_error"]:
        return result | failure_result("accounts", "listed", failures, len(accounts))
    found = {row["name"] for row in rows}
    missing = [name for name in wanted or () if name not in found]
    if missing:
        labels = join_first([listing.account.label for listing in listings if not listing.error])
        return result | {"failed": True, "msg": f"no listed account ({labels or 'none'}) has {join_first(missing)}"}
    return result


def _row(instance: Instance, account: PartnerAccount, token: "str | None") -> dict[str, Any]:
    return {
        "id": instance.id,
        "name": instance.name,
        "provider": account.provider,
        "account": account.identity.name,
        "api_url": account.api_url,
        "token": token,
        "due": instance.due,
        "trial_ends_at": instance.trial_ends_at,
    }


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
