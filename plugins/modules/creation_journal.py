# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: creation_journal
short_description: Settle creations of WhatsApp gateway instances whose outcome is unknown
version_added: 0.1.0
description:
  - Lists what M(msgops.fleet.instance_create) has written to its journal, and settles entries whose creation may or may
    not have happened, after a person has looked into the gateway's console.
  - It sends no request.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
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
      - The groups set options of requests, and this module sends none.
options:
  action:
    description:
      - V(list) returns the entries.
      - V(adopt) says that the creation of O(name) did happen, and made the instance O(instance_id).
      - V(discard) says that it never happened. The next run of M(msgops.fleet.instance_create) creates the instance.
    type: str
    choices: [list, adopt, discard]
    default: list
  provider:
    description: The gateway. Needed for V(adopt) and V(discard); limits the list.
    type: str
    choices: [green_api, plugzapi]
  name:
    description: The instance's name. Needed for V(adopt) and V(discard); limits the list.
    type: str
  account:
    description:
      - The fingerprint of the account, as the list shows it. Needed where several accounts of a gateway have an entry
        of the name; limits the list.
    type: str
  instance_id:
    description: The ID of the instance that the creation made.
    type: str
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
- name: Show the creations whose outcome is open
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
"""

RETURN = r"""
entries:
  description: The entries, by provider, account and name; after V(adopt) and V(discard) the one that was named.
  returned: success
  type: list
  elements: dict
  contains:
    provider:
      description: The gateway.
      type: str
      sample: green_api
    account:
      description: The fingerprint of the account.
      type: str
      sample: 3f1c0a9d5b7e2468
    name:
      description: The instance's name.
      type: str
      sample: shop
    status:
      description:
        - V(pending) (begun, and perhaps interrupted), V(unknown) (sent, without an answer that can be believed),
          V(rejected) (it did not happen), V(created) (it did, but the token was not handed over), or V(delivered).
      type: str
      sample: delivered
    id:
      description: The instance's ID, or null.
      type: str
      sample: "1101000001"
    operation_id:
      description: A name for the one creation.
      type: str
    payload_hash:
      description: SHA-256 of what was sent. Empty for an instance that was adopted.
      type: str
    created_at:
      description: When it was begun, ISO 8601 in UTC.
      type: str
      sample: "2026-01-31T12:00:00Z"
    updated_at:
      description: When its status changed, ISO 8601 in UTC.
      type: str
      sample: "2026-01-31T12:00:01Z"
"""

from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._arguments import JOURNAL, ArgumentSpec
from ansible_collections.msgops.fleet.plugins.module_utils._entrypoint import Task, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._journal import STATUSES, Journal
from ansible_collections.msgops.fleet.plugins.module_utils._providers import PROVIDERS
from ansible_collections.msgops.fleet.plugins.module_utils._settlement import Selection, list_entries, settle

ARGUMENTS = JOURNAL.merge(
    ArgumentSpec(
        {
            "action": {"type": "str", "choices": ["list", "adopt", "discard"], "default": "list"},
            "provider": {"type": "str", "choices": list(PROVIDERS)},
            "name": {"type": "str"},
            "account": {"type": "str"},
            "instance_id": {"type": "str"},
            "status": {"type": "list", "elements": "str", "choices": list(STATUSES)},
        },
        required_if=[
            ("action", "adopt", ("provider", "name", "instance_id")),
            ("action", "discard", ("provider", "name")),
        ],
    )
)


def run(task: Task) -> dict[str, Any]:
    """List, or settle the one entry."""
    params = task.params
    journal = Journal(params["journal"])
    selection = Selection(params["provider"], params["name"], params["account"], params["status"])
    if params["action"] == "list":
        return list_entries(journal, selection)
    instance_id = params["instance_id"] if params["action"] == "adopt" else None
    return settle(journal, selection, instance_id, check_mode=task.check_mode)


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
