# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: instance_delete
short_description: Delete WhatsApp gateway instances for good, with guards
version_added: 0.1.0
description:
  - Deletes instances of GREEN-API and PlugzAPI. That can't be undone.
  - Each instance is named by its ID and its name, which must both be those of one instance in the account's listing.
    All guards decide before anything is sent. If one of them refuses an instance, or an instance can't be read, nothing
    is deleted at all.
  - The module unlinks the phone and waits until it is unlinked, cancels the subscription (PlugzAPI), deletes the
    instance, and reads the account's listing until it doesn't show the instance any more, for up to 15 seconds. Only
    then does it remove the instance from O(journal) and O(credentials_file).
  - Each request is written to the journal before it is sent, and sent once. If its response is lost, the listing
    decides. A run that was killed is finished by the next run of the same task.
  - Only Z-API documents a call that deletes an instance of PlugzAPI, a white label of it. Where there is none, or it
    refuses the instance for now, the instance is V(draining); PlugzAPI ends it by itself after its trial or its paid
    time, and a later run of the same task goes on.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway
  - msgops.fleet.gateway.partner
  - msgops.fleet.gateway.named_instances_to_delete
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the module lists the accounts, reads the states, lets the guards decide, and sends no request that
        writes.
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
  client_token:
    description:
      - PlugzAPI's account security token (C(Client-Token)). Needed once the account has activated it.
      - If not set, the environment variable E(PLUGZAPI_CLIENT_TOKEN) is used.
    type: str
  instances:
    description:
      - The instances that shall be gone, as a list or as JSON or YAML text of one. Each account is listed once.
    required: true
  max_changes:
    description:
      - How many instances may be deleted, as a number, or as a share such as V(10%). If there are more, none is.
    type: str
    default: "1"
  protected:
    description: IDs or names of instances that are never deleted.
    type: list
    elements: str
    default: []
  allow_authorized:
    description:
      - Whether an instance may be deleted whose phone is linked. Without it, any state but V(notAuthorized) and
        V(blocked) is refused.
    type: bool
    default: false
  only_journalled:
    description:
      - Whether only instances may be deleted that M(msgops.fleet.instance_create) has made or adopted, by O(journal).
    type: bool
    default: true
  journal:
    description:
      - The journal, a file or a URL of PostgreSQL as in M(msgops.fleet.instance_create). Without a writable journal,
        nothing is deleted.
      - If not set, the environment variable E(MSGOPS_JOURNAL) is used.
    type: path
    default: ~/.local/state/msgops/fleet.sqlite3
  credentials_file:
    description:
      - The file of M(msgops.fleet.instance_create), from which the entries of deleted instances are removed.
    type: path
  wait_timeout:
    description:
      - Seconds to wait until a phone is unlinked, above 0. An instance whose phone is still linked then isn't deleted.
    type: float
    default: 60.0
seealso:
  - module: msgops.fleet.instance_subscription
  - module: msgops.fleet.creation_journal
  - name: GREEN-API deleteInstanceAccount
    description: The call for GREEN-API.
    link: https://green-api.com/en/docs/partners/deleteInstanceAccount/
  - name: Z-API, deleting an instance
    description: The call for PlugzAPI, a white label of Z-API.
    link: https://developer.z-api.io/en/partner/delete-instance
"""

EXAMPLES = r"""
- name: Show what would be deleted, and whether a guard refuses it
  msgops.fleet.instance_delete:
    provider: green_api
    partner_token: "{{ green_api_partner_token }}"
    instances: "{{ fleet | selectattr('name', 'eq', 'shop') }}"
    protected: [support]
    allow_authorized: true
    only_journalled: false
  check_mode: true

- name: Delete a shop for good, although its phone is still linked
  msgops.fleet.instance_delete:
    provider: green_api
    partner_token: "{{ green_api_partner_token }}"
    instances: "{{ fleet | selectattr('name', 'eq', 'shop') }}"
    protected: [support]
    allow_authorized: true
    only_journalled: false
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
      description: Its name.
      type: str
      sample: shop
    provider:
      description: The gateway.
      type: str
      sample: green_api
    action:
      description:
        - V(deleted), V(draining) (PlugzAPI will end it by itself), V(unchanged) (it was gone already), V(would_delete)
          (in check mode), V(refused) (by a guard), V(failed), or V(unknown) (sent, but the listing still shows it).
      type: str
      sample: deleted
    error:
      description: Why it isn't deleted, or null.
      type: dict
      contains:
        code:
          description: The kind of failure.
          type: str
        message:
          description: What failed or which guard refused it, why, and what to do.
          type: str
        retryable:
          description: Whether a later attempt may succeed.
          type: bool
summary:
  description: The number of instances, and of instances by action.
  returned: always, unless the options are wrong
  type: dict
  sample:
    total: 1
    by_action:
      deleted: 1
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, if a single instance caused it
  type: dict
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.limits import Limit
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials import CredentialsFile
from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import LISTING_POLICY, ListingPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._ending.deletion import Deleter
from ansible_collections.msgops.fleet.plugins.module_utils._ending.plan import Deletion, DeletionPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._ending.report import report, warnings
from ansible_collections.msgops.fleet.plugins.module_utils._journal.changes import ChangeJournal
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import LEASE_POLICY, Journal, LeasePolicy
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    GATEWAY,
    INSTANCE,
    JOURNAL,
    PARTNER,
    TRANSPORT,
    ArgumentSpec,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._task.named import NAMED_ITEM, named_instances
from ansible_collections.msgops.fleet.plugins.module_utils._task.targets import refuse_duplicates
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache

_CLIENT_TOKEN = {"client_token": INSTANCE.options["client_token"]}

ARGUMENTS = TRANSPORT.merge(
    GATEWAY,
    PARTNER,
    JOURNAL,
    ArgumentSpec(
        {
            **_CLIENT_TOKEN,
            "instances": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {**NAMED_ITEM, **_CLIENT_TOKEN},
            },
            "max_changes": {"type": "str", "default": "1"},
            "protected": {"type": "list", "elements": "str", "default": []},
            "allow_authorized": {"type": "bool", "default": False},
            "only_journalled": {"type": "bool", "default": True},
            "credentials_file": {"type": "path"},
            "wait_timeout": {"type": "float", "default": DeletionPolicy.wait_timeout},
        }
    ),
)


def run(
    task: TaskContext,
    *,
    listing_policy: ListingPolicy = LISTING_POLICY,
    lease_policy: LeasePolicy = LEASE_POLICY,
    interval: float = DeletionPolicy.interval,
) -> dict[str, Any]:
    """Delete the instances; in check mode, predict which would be."""
    params = task.params
    path = params["credentials_file"]
    policy = DeletionPolicy(
        max_changes=Limit("max_changes", params["max_changes"]),
        protected=params["protected"] or (),
        allow_authorized=params["allow_authorized"],
        only_journalled=params["only_journalled"],
        wait_timeout=params["wait_timeout"],
        interval=interval,
        listing=listing_policy,
    )
    options = transport_options(params, check_mode=task.check_mode)
    named = list(named_instances(params, GatewayCache(options), task.resolver))
    refuse_duplicates([instance.target for instance in named])
    deletions = [Deletion(target=one.target, account=one.account.identity.name) for one in named]
    deleter = Deleter(
        policy,
        Journal(params["journal"], lease_policy),
        ChangeJournal(params["journal"]),
        credentials_file=CredentialsFile(path) if path else None,
        concurrency=options.concurrency,
        progress=task.progress,
    )
    (deleter.predict if task.check_mode else deleter.delete)(deletions)
    task.warnings.extend(warnings(deletions))
    return report(deletions)


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
