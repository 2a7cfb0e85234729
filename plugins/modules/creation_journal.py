# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: creation_journal
short_description: Tell the journal of creations what a person knows about WhatsApp gateway instances
version_added: 0.1.0
description:
  - Lists what M(msgops.fleet.instance_create) has written to its journal, and settles entries whose creation may or may
    not have happened, after a person has looked into the gateway's console.
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
      - The groups set options of requests, and this module sends none.
options:
  action:
    description:
      - V(list) returns the entries.
      - V(adopt) says that the creation did happen, and made the instance O(instance_id). It corrects an earlier
        V(adopt) or V(discard), too, and says with O(account) whose instance it is.
      - V(discard) says that it never happened. The next run of M(msgops.fleet.instance_create) creates the instance.
      - V(forget) takes the entry out, whatever it says. The next run adopts an instance of the name that the account
        lists, and creates one otherwise.
    type: str
    choices: [list, adopt, discard, forget]
    default: list
  operation_id:
    description:
      - The ID of the creation, as the list and messages have it. Limits the list.
      - An ID that the journal doesn't have is an error, because each new creation gets a new one.
    type: str
  provider:
    description: The gateway. Needed with O(name); limits the list.
  name:
    description: The instance's name. Needed where there is no O(operation_id), but for the list, which it limits.
    type: str
  account:
    description:
      - The name of the account, as O(msgops.fleet.instance_create#module:account) has it. Tells the entries of a name
        apart; limits the list.
      - For V(adopt) with O(operation_id), the name that the instance's account has from now on.
    type: str
  instance_id:
    description:
      - For V(adopt), the ID of the instance. GREEN-API's are digits, PlugzAPI's 32 hexadecimal digits.
      - For V(forget), the ID that the entry has. Needed where it has one, so that nothing is forgotten by mistake.
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

- name: That instance was deleted for good, and the next run shall make a new one
  msgops.fleet.creation_journal:
    action: forget
    provider: green_api
    name: shop
    instance_id: "1101000001"
"""

RETURN = r"""
entries:
  description: The entries, by provider, account, address and name; after other actions the one that was named, if it
    is still there.
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
      description: The address at which the account was used last for this instance. Null if that isn't known.
      type: str
      sample: https://api.green-api.com
    last_seen:
      description: When a run last used one of the partner tokens that the entry is known by, ISO 8601 in UTC, or null.
      type: str
      sample: "2026-01-31T12:00:01Z"
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
      description: The ID of this creation, which the other actions take.
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
accounts:
  description: The accounts that runs have used, by provider, name and address. No token is among them.
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
      description: The address, in the spelling that stands for all others.
      type: str
      sample: https://api.green-api.com
    tokens:
      description: How many partner tokens were used there under that name.
      type: int
      sample: 1
    first_seen:
      description: When it was used first, ISO 8601 in UTC.
      type: str
      sample: "2026-01-31T12:00:00Z"
    last_seen:
      description: When it was used last, ISO 8601 in UTC.
      type: str
      sample: "2026-01-31T12:00:01Z"
    listed_at:
      description: When its gateway last gave a listing, ISO 8601 in UTC, or null if it never did.
      type: str
      sample: "2026-01-31T12:00:01Z"
"""

from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._creation.resolution import (
    EntryFilter,
    Resolution,
    list_entries,
)
from ansible_collections.msgops.fleet.plugins.module_utils._journal.entries import STATUSES
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal
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
            "status": {"type": "list", "elements": "str", "choices": list(STATUSES)},
        },
        required_if=[("action", "adopt", ("instance_id",))],
    )
)

# The options that say which one.
_WHICH = ("operation_id", "name", "instance_id")


def run(task: TaskContext) -> dict[str, Any]:
    """List, or settle the one entry."""
    params = task.params
    operation_id, name, instance_id = (_given(params[option], option) for option in _WHICH)
    account = checked_name((params["account"] or "").strip() or None)
    journal = Journal(params["journal"])
    action = params["action"]
    if action == "list":
        return list_entries(journal, EntryFilter(operation_id, params["provider"], name, account, params["status"]))
    if not operation_id and not (params["provider"] and name):
        raise UsageError(f"action {action} needs operation_id, or provider and name")
    # Whoever names the creation itself has said which one it is.
    whose = None if operation_id and action == "adopt" else account
    entries = EntryFilter(operation_id, params["provider"], name, whose)
    resolution = Resolution(action, entries, instance_id, account if whose is None else None)
    return resolution.write(journal, check_mode=task.check_mode)


def _given(value: str | None, option: str) -> str | None:
    """The value without white space around it.

    :raises UsageError: if nothing is left.
    """
    if value is not None and not value.strip():
        raise UsageError(f"{option} must not be blank; leave it out if it isn't to be given")
    return None if value is None else value.strip()


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
