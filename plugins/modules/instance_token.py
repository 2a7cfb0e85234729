# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: instance_token
short_description: Renew the tokens of GREEN-API instances
version_added: 0.1.0
description:
  - Gives instances new tokens, delivers them as M(msgops.fleet.instance_create) delivers those of new instances,
    and reads each state with the new token, which proves that it works.
  - A token is in every URL of an instance's requests, so it leaks into logs of proxies and programs. After that, only a
    new one helps.
  - The request is sent once, and written to a journal before. If its answer is lost, the listing of the partner's
    account shows the new token, in the same task or in the next one.
  - A task that has no safe way to deliver a token sends nothing. The ways are O(credentials_file), C(no_log=true),
    and ansible-core 2.22.
  - Whether and when GREEN-API's old tokens end to work isn't documented. The vendor's advice after a leak is to log the
    phone out, and to clear the queue of messages before it is linked again.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway
  - msgops.fleet.gateway.instance
  - msgops.fleet.gateway.instances_of_partners
  - msgops.fleet.gateway.partner
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the module reads the listing and the states, and sends no request that writes.
  diff_mode:
    support: full
    details:
      - Shows which instances get a new token, and no token.
  idempotent:
    support: partial
    details:
      - Each task renews the tokens again, except those that are younger than O(max_age_days).
  action_group:
    support: full
    membership:
      - msgops.fleet.green_api
      - msgops.fleet.all
options:
  credentials_file:
    description:
      - The file for the tokens, as in M(msgops.fleet.instance_create). An instance's entry is under its name in the
        listing.
    type: path
  journal:
    description:
      - The journal of the renewals, a file or a URL of PostgreSQL as in M(msgops.fleet.instance_create). Without a
        writable journal, nothing is renewed.
      - If not set, the environment variable E(MSGOPS_JOURNAL) is used.
    type: path
    default: ~/.local/state/msgops/fleet.sqlite3
  max_age_days:
    description:
      - Leave tokens alone that the journal, or the instance's creation, shows to be younger than this number of days.
      - Without it, each token is renewed.
    type: float
  max_changes:
    description:
      - How many tokens the task may renew, a number or a share of its instances such as V(10%). If the plan has more,
        the task fails before the first request, and lists them.
    type: str
    default: "1"
seealso:
  - module: msgops.fleet.instance_create
  - name: GREEN-API UpdateApiToken
    description: The request.
    link: https://green-api.com/en/docs/api/account/UpdateApiToken/
"""

EXAMPLES = r"""
- name: Renew a token that has leaked
  msgops.fleet.instance_token:
    provider: green_api
    instance_id: "{{ shop_id }}"
    instance_token: "{{ shop_token }}"
    partner_token: "{{ green_api_partner_token }}"
    credentials_file: ~/green-api.json

- name: Renew the tokens that are older than 90 days
  msgops.fleet.instance_token:
    partner_token: "{{ green_api_partner_token }}"
    credentials_file: ~/green-api.json
    instances: "{{ fleet | selectattr('provider', 'eq', 'green_api') }}"
    max_age_days: 90
    max_changes: 25%
"""

RETURN = r"""
instances:
  description: The instances, in the order asked.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    account:
      description: The name of its account, if O(account) gives one.
      type: str
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
    api_url:
      description: The base address that was used.
      type: str
      sample: https://api.green-api.com
    action:
      description:
        - V(rotated), V(unchanged) (younger than O(max_age_days)), V(would_rotate) (in check mode), V(failed) (it keeps
          its token), or V(unknown) (the answer was lost and the listing shows no new token yet, or the new token
          doesn't work).
      type: str
      sample: rotated
    token:
      description:
        - The new token, a secret, or null if it has none, or if it is the one that the task gave.
        - Also null if Ansible would print it, that is without C(no_log=true) and before ansible-core 2.22.
      type: str
    error:
      description: Why it has no new token, or what is wrong with it, or null.
      type: dict
      contains:
        code:
          description: The kind of failure, such as V(not_found) or V(outcome_unknown).
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
      rotated: 1
      unchanged: 1
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, if a single instance or the plan caused it
  type: dict
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.limits import Limit
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials import CredentialsFile
from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import LISTING_POLICY, ListingPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._creation.token_delivery import TokenDelivery
from ansible_collections.msgops.fleet.plugins.module_utils._journal.changes import ChangeJournal
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal
from ansible_collections.msgops.fleet.plugins.module_utils._renewal.plan import RenewalPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._renewal.renewer import Renewer
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    GATEWAY,
    INSTANCE,
    JOURNAL,
    PARTNER,
    TRANSPORT,
    ArgumentSpec,
    many_instances,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._task.renewals import resolve_renewals
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache

ARGUMENTS = TRANSPORT.merge(
    GATEWAY,
    INSTANCE,
    PARTNER,
    JOURNAL,
    many_instances(**PARTNER.options),
    ArgumentSpec(
        {
            "credentials_file": {"type": "path"},
            "max_age_days": {"type": "float"},
            "max_changes": {"type": "str", "default": "1"},
        }
    ),
)


def run(
    task: TaskContext,
    *,
    listing_policy: ListingPolicy = LISTING_POLICY,
    proof_timeout: float = RenewalPolicy.proof_timeout,
    proof_interval: float = RenewalPolicy.proof_interval,
) -> dict[str, Any]:
    """Renew the tokens; in check mode, predict which ones would be renewed."""
    params = task.params
    policy = RenewalPolicy(
        max_changes=Limit("max_changes", params["max_changes"]),
        max_age_days=params["max_age_days"],
        listing=listing_policy,
        proof_timeout=proof_timeout,
        proof_interval=proof_interval,
    )
    path = params["credentials_file"]
    delivery = TokenDelivery(output=task.output, file=CredentialsFile(path) if path else None)
    options = transport_options(params, check_mode=task.check_mode)
    renewals = resolve_renewals(params, GatewayCache(options), task.resolver)
    renewer = Renewer(
        policy,
        delivery,
        Journal(params["journal"]),
        ChangeJournal(params["journal"]),
        concurrency=options.concurrency,
        progress=task.progress,
    )
    result = renewer.predict(renewals) if task.check_mode else renewer.renew(renewals)
    task.warnings.extend(delivery.warnings)
    return result


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
