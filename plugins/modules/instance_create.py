# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: instance_create
short_description: Make sure that WhatsApp gateway instances exist
version_added: 0.1.0
description:
  - Creates an instance at GREEN-API or PlugzAPI, unless the account already has one of exactly this name.
  - Creating can cost money. GREEN-API debits a day's price at once; PlugzAPI gives a trial of two days and then deletes
    the instance or bills it.
  - The gateways have neither unique names nor idempotency keys. So the module first lists the account (once, for all
    names of the task), and never repeats a creation unless its request provably never left or was throttled.
  - If several instances have the name, the task fails and names their IDs. Deleted instances don't count.
  - The journal identifies an instance by gateway, account and name. An account with a renewed token or another spelling
    of O(api_url) is the same account. O(account) distinguishes two accounts at one gateway.
  - The module writes each creation to the journal before it sends the request. If the response is lost (by a timeout, a
    broken connection, an HTTP 5xx), it lists the account again for up to 15 seconds. If the instance isn't there then,
    its outcome is V(unknown), and no later run creates it until a person has resolved that with
    M(msgops.fleet.creation_journal) or O(on_unknown).
  - The module creates nothing if Ansible would print the new token. The task needs C(no_log=true), or
    O(credentials_file), or ansible-core 2.22 or newer, where the module registers the token as a secret.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway
  - msgops.fleet.gateway.partner
  - msgops.fleet.creation
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode, the module lists the account, and sends no request that writes.
  diff_mode:
    support: full
    details:
      - Shows the instances that are created, without secrets.
  idempotent:
    support: full
  action_group:
    support: full
    membership:
      - msgops.fleet.green_api
      - msgops.fleet.plugzapi
      - msgops.fleet.all
options:
  name:
    description: The instance's name. It is compared exactly, including case.
    type: str
  journal:
    description:
      - The journal of creations, a SQLite file of mode 0600. Runs that may create the same instances must share it.
      - Runs on several machines or in temporary containers share a journal in PostgreSQL, by a URL such as
        V(postgresql://msgops@db.example.com/fleet). That needs the Python library C(psycopg) 3. Give the password in
        E(PGPASSWORD) or E(PGPASSFILE) rather than in the URL.
      - It never holds a token. Nothing is created if it can't be written, if it is no journal, or if it has fewer
        changes than the file with the suffix C(.serial) beside it says, as an older copy has.
      - If not set, the environment variable E(MSGOPS_JOURNAL) is used.
    type: path
    default: ~/.local/state/msgops/fleet.sqlite3
  on_unknown:
    description:
      - What to do about an earlier creation that the listing doesn't show. With V(fail), the task fails, and its
        message has the commands that resolve it. With V(create), the instance is created, which may be a second one.
    type: str
    choices: [fail, create]
    default: fail
  listing:
    description:
      - Whether the gateway can list the account's instances. GREEN-API can; PlugzAPI can't everywhere.
      - With V(auto), PlugzAPI may answer that there is no such call. If O(journal) doesn't know the account yet, the
        task asks twice, five seconds apart. It then uses O(journal) alone. If the account was ever listed, such an
        answer is an error, and nothing is created.
      - With V(required), such an answer is an error, and nothing is created. With V(none), the account isn't listed.
    type: str
    choices: [auto, required, none]
    default: auto
  credentials_file:
    description:
      - A JSON file of mode 0600 into which the module merges ID, token and address of each instance, by provider and
        name. The file is replaced atomically, and keeps its owner and its other entries.
      - The key of an instance is its name, or V(ACCOUNT/NAME) if the account has a name. Another instance's entry under
        the same key is an error, and is never overwritten. An entry from before the account had a name is kept, with a
        warning.
      - Before anything is created, the file is written and replaced once, and room for the new entries is reserved
        beside it, so that no token is lost to a full disk. Nothing is created if the file is a mount point, if its file
        system has no locks, or if its path has a symbolic link that another user may have made.
      - A relative path begins in the folder where C(ansible-playbook) was started, also if a module runs the task.
      - RV(ignore:changed) is about instances, not about this file.
    type: path
seealso:
  - module: msgops.fleet.instance_state
  - module: msgops.fleet.creation_journal
  - name: GREEN-API createInstance
    description: The call that is used for GREEN-API.
    link: https://green-api.com/en/docs/partners/createInstance/
  - name: PlugzAPI, creating an instance
    description: The call that is used for PlugzAPI (in Portuguese).
    link: https://atendimento.tecnospeed.com.br/hc/pt-br/articles/9658694844567-Criando-uma-inst%C3%A2ncia
"""

EXAMPLES = r"""
- name: Make sure that an instance exists
  msgops.fleet.instance_create:
    provider: green_api
    partner_token: "{{ green_api_partner_token }}"
    name: shop
    settings:
      webhookUrl: https://hooks.example.com/green-api
      stateWebhook: true
  no_log: true
  register: shop

- name: Make sure that a fleet exists at both gateways
  msgops.fleet.instance_create:
    instances:
      - name: support
        provider: green_api
        partner_token: "{{ green_api_partner_token }}"
      - name: sales
        provider: plugzapi
        partner_token: "{{ plugzapi_partner_token }}"
        session_name: Sales
        disconnected_callback_url: https://hooks.example.com/disconnected
  no_log: true
  register: fleet

- name: Make sure that two accounts at one gateway have an instance of the same name
  msgops.fleet.instance_create:
    provider: green_api
    instances:
      - name: shop
        account: retail
        partner_token: "{{ green_api_partner_token }}"
      - name: shop
        account: wholesale
        partner_token: "{{ green_api_wholesale_token }}"
  no_log: true

- name: Write the tokens into a file
  msgops.fleet.instance_create:
    provider: green_api
    partner_token: "{{ green_api_partner_token }}"
    name: newsletter
    credentials_file: ~/.config/msgops/credentials.json
"""

RETURN = r"""
instances:
  description: The instances, in the order of the task.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    name:
      description: The instance's name.
      type: str
      sample: shop
    id:
      description: The instance's ID, or null if it doesn't exist yet.
      type: str
      sample: "1101000001"
    provider:
      description: The gateway.
      type: str
      sample: green_api
    account:
      description: The account's name.
      returned: if it was given
      type: str
      sample: retail
    token:
      description:
        - The instance's token, a secret, or null if the instance doesn't exist yet.
        - Also null if Ansible would print it, that is without C(no_log=true) and before ansible-core 2.22.
      type: str
    due:
      description: The time until which the instance is paid, ISO 8601 in UTC, or null.
      type: str
      sample: "2026-01-31T12:00:00Z"
    due_raw:
      description: The same in the gateway's format.
      type: raw
      sample: 1769860800000
    api_url:
      description: The base address that was used.
      type: str
      sample: https://api.green-api.com
    action:
      description:
        - V(created), V(adopted) (the account already had it, and the journal didn't), V(unchanged), V(would_create) (in
          check mode), V(failed), or V(unknown) (it isn't known whether it was created).
      type: str
      sample: created
    error:
      description: Why it failed, or null.
      type: dict
      contains:
        code:
          description: The kind of error, such as V(unauthorized) or V(timeout).
          type: str
        message:
          description: The failure, its cause, and what to do.
          type: str
        retryable:
          description: Whether the same task may succeed later.
          type: bool
instance:
  description: The same, for a single instance.
  returned: for a single instance
  type: dict
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, if a single request caused it
  type: dict
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials import (
    LOCK_TIMEOUT,
    CredentialsFile,
)
from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import LISTING_POLICY, ListingPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._creation.provisioner import Provisioner
from ansible_collections.msgops.fleet.plugins.module_utils._creation.result import report
from ansible_collections.msgops.fleet.plugins.module_utils._creation.token_delivery import CreationDelivery
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import (
    LEASE_POLICY,
    Journal,
    LeasePolicy,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    CREATION,
    GATEWAY,
    ITEM_GATEWAY,
    JOURNAL,
    PARTNER,
    TRANSPORT,
    ArgumentSpec,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.desired import desired_instances, warn_of_numbers
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache

ARGUMENTS = TRANSPORT.merge(
    GATEWAY,
    PARTNER,
    JOURNAL,
    ArgumentSpec(
        {
            "name": {"type": "str"},
            **CREATION.options,
            "on_unknown": {"type": "str", "choices": ["fail", "create"], "default": "fail"},
            "listing": {"type": "str", "choices": ["auto", "required", "none"], "default": "auto"},
            "credentials_file": {"type": "path"},
            "instances": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "name": {"type": "str", "required": True},
                    **ITEM_GATEWAY,
                    **PARTNER.options,
                    **CREATION.options,
                },
            },
        },
        mutually_exclusive=[("instances", option) for option in ("name", *CREATION.options)],
        required_one_of=[("name", "instances")],
    ),
)


def run(
    task: TaskContext,
    *,
    lease_policy: LeasePolicy = LEASE_POLICY,
    listing_policy: ListingPolicy = LISTING_POLICY,
    lock_timeout: float = LOCK_TIMEOUT,
) -> dict[str, Any]:
    """Plan by the listing and the journal, create what is missing, and report."""
    params = task.params
    options = transport_options(params, check_mode=task.check_mode)
    desired = desired_instances(params, GatewayCache(options), task.resolver)
    path = params["credentials_file"]
    provisioner = Provisioner(
        journal=Journal(params["journal"], lease_policy),
        delivery=CreationDelivery(output=task.output, file=CredentialsFile(path, lock_timeout) if path else None),
        on_unknown=params["on_unknown"],
        listing=params["listing"],
        concurrency=options.concurrency,
        listing_policy=listing_policy,
        progress=task.progress,
    )
    results = provisioner.predict(desired) if task.check_mode else provisioner.provision(desired)
    task.warnings.extend(provisioner.warnings)
    warn_of_numbers(results, task)
    return report(results)


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
