# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: creation_journal
short_description: List and resolve entries in the journal of created WhatsApp gateway instances
version_added: 0.1.0
description:
  - Lists the entries that M(msgops.fleet.instance_create) has written to its journal, and resolves those whose creation
    may or may not have happened, after a person has looked into the gateway's console.
  - An entry is named by O(operation_id), or by O(provider) and O(name).
  - It sends no request.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway.provider
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  action_group:
    support: none
    membership: []
    details:
      - The groups set options for requests, and this module sends none.
options:
  action:
    description:
      - V(list) returns the entries.
      - V(adopt) records that the creation happened, and made the instance O(instance_id). It also corrects an earlier
        V(adopt) or V(discard), and with O(account) records the account's name.
      - V(discard) records that it never happened. The next run of M(msgops.fleet.instance_create) creates the instance.
      - V(forget) removes the entry, whatever its status. The next run adopts an instance of the name if the account
        lists one, and creates one otherwise.
    type: str
    choices: [list, adopt, discard, forget]
    default: list
  operation_id:
    description:
      - The ID of the creation, as the list and messages show it. Limits the list.
      - For other actions, an ID that the journal doesn't have is an error, because each creation gets a new one.
    type: str
  provider:
    description: The gateway. Needed with O(name); limits the list.
  name:
    description: The instance's name. Limits the list. Other actions need it if there is no O(operation_id).
    type: str
  account:
    description:
      - The name of the account, as in O(msgops.fleet.instance_create#module:account). Limits the list, and chooses
        between entries of the same instance name.
      - For V(adopt) with O(operation_id), the new name of the instance's account.
    type: str
  instance_id:
    description:
      - For V(adopt), the ID of the instance. GREEN-API's are digits, PlugzAPI's 32 hexadecimal digits.
      - For V(forget), the ID in the entry. Needed if the entry has one, so that no entry is removed by mistake.
      - IDs are compared without regard to case. The entry keeps the spelling given here, until a run finds the instance
        in the account's listing and takes the listing's spelling.
    type: str
  credentials_file:
    description:
      - For V(forget), the file from which the entry of the instance O(instance_id) is removed, too, so that the next
        run can write that of a new instance. Another instance's entry stays.
      - It is the file of O(msgops.fleet.instance_create#module:credentials_file).
    type: path
  status:
    description: Limits the list to entries of these statuses.
    type: list
    elements: str
    choices: [pending, created, rejected, unknown, delivered]
  journal:
    description:
      - The journal of creations, a file or a URL of PostgreSQL as in M(msgops.fleet.instance_create).
      - If not set, the environment variable E(MSGOPS_JOURNAL) is used.
    type: path
    default: ~/.local/state/msgops/fleet.sqlite3
seealso:
  - module: msgops.fleet.instance_create
"""

EXAMPLES = r"""
- name: Show the creations whose outcome is unknown
  msgops.fleet.creation_journal:
    status: [pending, unknown]
  register: open_creations

- name: The console shows the instance, so it was created
  msgops.fleet.creation_journal:
    action: adopt
    provider: green_api
    name: shop
    instance_id: "1101000001"

- name: The console doesn't show the instance, so it was not created
  msgops.fleet.creation_journal:
    action: discard
    provider: plugzapi
    name: sales

- name: That instance was deleted, and the next run is to create a new one
  msgops.fleet.creation_journal:
    action: forget
    provider: green_api
    name: shop
    instance_id: "1101000001"
    credentials_file: ~/.config/msgops/credentials.json
"""

RETURN = r"""
entries:
  description: The entries, sorted by provider, account, address and name. After other actions, the entry unless it was
    removed.
  returned: success
  type: list
  elements: dict
  contains:
    provider:
      description: The gateway.
      type: str
      sample: green_api
    account:
      description: The name of the account, or null if none was given.
      type: str
      sample: retail
    address:
      description: The address at which the account was last used for this instance, or null if that isn't known.
      type: str
      sample: https://api.green-api.com
    last_seen:
      description: When a run last used one of the entry's partner tokens, ISO 8601 in UTC, or null.
      type: str
      sample: "2026-01-31T12:00:01Z"
    name:
      description: The instance's name.
      type: str
      sample: shop
    status:
      description:
        - V(pending) (begun, and perhaps interrupted), V(unknown) (sent, without a clear response), V(rejected) (it did
          not happen), V(created) (it did, but the token was not delivered), or V(delivered).
      type: str
      sample: delivered
    id:
      description: The instance's ID, or null.
      type: str
      sample: "1101000001"
    operation_id:
      description: The ID of this creation, which the other actions take.
      type: str
    payload_hash:
      description: SHA-256 of the creation's request. Empty for an instance that was adopted.
      type: str
    created_at:
      description: When it was begun, ISO 8601 in UTC.
      type: str
      sample: "2026-01-31T12:00:00Z"
    updated_at:
      description: When its status changed, ISO 8601 in UTC.
      type: str
      sample: "2026-01-31T12:00:01Z"
accounts:
  description: The accounts that runs have used, by provider, name and address, without tokens.
  returned: for V(list)
  type: list
  elements: dict
  contains:
    provider:
      description: The gateway.
      type: str
      sample: green_api
    account:
      description: The name of the account, or null if none was given.
      type: str
      sample: retail
    address:
      description: The address in its canonical spelling.
      type: str
      sample: https://api.green-api.com
    tokens:
      description: The number of partner tokens that were used for it.
      type: int
      sample: 1
    first_seen:
      description: When a run first used it, ISO 8601 in UTC.
      type: str
      sample: "2026-01-31T12:00:00Z"
    last_seen:
      description: When a run last used it, ISO 8601 in UTC.
      type: str
      sample: "2026-01-31T12:00:01Z"
    listed_at:
      description: When its gateway last returned a listing, ISO 8601 in UTC, or null if it never did.
      type: str
      sample: "2026-01-31T12:00:01Z"
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials import CredentialsFile
from ansible_collections.msgops.fleet.plugins.module_utils._creation.journal_actions import (
    EntryAction,
    EntryFilter,
    list_entries,
)
from ansible_collections.msgops.fleet.plugins.module_utils._journal.entries import STATUSES
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import (
    LEASE_POLICY,
    Journal,
    LeasePolicy,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import JOURNAL, ArgumentSpec
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.accounts import checked_name
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import PROVIDERS

ARGUMENTS = JOURNAL.merge(
    ArgumentSpec(
        {
            "action": {"type": "str", "choices": ["list", "adopt", "discard", "forget"], "default": "list"},
            "operation_id": {"type": "str"},
            "provider": {"type": "str", "choices": list(PROVIDERS)},
            "name": {"type": "str"},
            "account": {"type": "str"},
            "instance_id": {"type": "str"},
            "credentials_file": {"type": "path"},
            "status": {"type": "list", "elements": "str", "choices": list(STATUSES)},
        },
        required_if=[("action", "adopt", ("instance_id",))],
    )
)


def run(task: TaskContext, *, lease_policy: LeasePolicy = LEASE_POLICY) -> dict[str, Any]:
    """List the entries, or resolve one."""
    params = task.params
    operation_id, name, instance_id = params["operation_id"], params["name"], params["instance_id"]
    account = checked_name(params["account"])
    journal = Journal(params["journal"], lease_policy)
    action = params["action"]
    if action == "list":
        return list_entries(journal, EntryFilter(operation_id, params["provider"], name, account, params["status"]))
    if not operation_id and not (params["provider"] and name):
        raise UsageError(f"action {action} needs operation_id, or provider and name")
    # With operation_id, account doesn't choose the entry, but names its account.
    is_new_name = bool(operation_id) and action == "adopt"
    entries = EntryFilter(operation_id, params["provider"], name, None if is_new_name else account)
    path = params["credentials_file"]
    file = CredentialsFile(path) if path else None
    entry_action = EntryAction(action, entries, instance_id, account if is_new_name else None, file)
    return entry_action.apply(journal, check_mode=task.check_mode)


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
