# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: instance_create
short_description: Make sure that WhatsApp gateway instances exist
version_added: 0.1.0
description:
  - Creates an instance of a name at GREEN-API or PlugzAPI, unless the account already has one of exactly this name.
  - Creating can cost money. GREEN-API debits a day's price at once; PlugzAPI gives a trial of two days and then deletes
    the instance or bills it.
  - The gateways know no unique names and no idempotency keys. So the account is listed first (once, for all names of
    the task), and the creation is never repeated unless it provably never reached the gateway or was throttled.
  - A name that several instances have is an error that names their IDs. Deleted instances don't count.
  - The journal knows an instance by gateway, account and name. A renewed token or another spelling of O(api_url) makes
    no other account; two accounts of a gateway are told apart by O(account).
  - Each creation is written to a journal before it is sent. If its outcome stays unknown (a timeout, a broken
    connection, an HTTP 5xx), the account is listed again for up to 15 seconds; what then isn't there is V(unknown), and
    no later run creates it again until the matter is settled with M(msgops.fleet.creation_journal) or O(on_unknown).
  - A token that Ansible would print is never asked for. To create anything, the task needs C(no_log=true), or
    O(credentials_file), or ansible-core 2.22 or newer, where the module has Ansible mask the token.
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
      - In check mode the account is really listed, and nothing that writes is sent.
  diff_mode:
    support: full
    details:
      - Shows which instances come to exist, without secrets.
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
    description: The instance's name. It is compared exactly.
    type: str
  journal:
    description:
      - The journal of creations, a SQLite file of mode 0600. Runs that may create the same instances must share it.
      - Runs on several machines, or in containers that are thrown away, share one in PostgreSQL, by a URL such as
        V(postgresql://msgops@db.example.com/fleet). That needs the Python library C(psycopg) 3. The password is better
        given in E(PGPASSWORD) or E(PGPASSFILE) than in the URL.
      - It never holds a token. Nothing is created if it can't be written, if it is no journal, or if it has seen fewer
        changes than the file with the ending C(.serial) beside it says, as an older copy has.
      - If not set, the environment variable E(MSGOPS_JOURNAL) is used.
    type: path
    default: ~/.local/state/msgops/fleet.sqlite3
  on_unknown:
    description:
      - What to do about an earlier creation that the listing doesn't show. With V(fail), the task fails and names the
        ways out. With V(create), it is created again, which can make a second one.
    type: str
    choices: [fail, create]
    default: fail
  listing:
    description:
      - Whether the gateway can be asked which instances the account has. GREEN-API can, PlugzAPI can't everywhere.
      - With V(auto), an answer that says there is no such call is believed of PlugzAPI, unless the account was listed
        before. The task then works from O(journal) alone.
      - With V(required), such an answer is an error, and nothing is created. With V(none), the gateway isn't asked.
    type: str
    choices: [auto, required, none]
    default: auto
  credentials_file:
    description:
      - A JSON file of mode 0600 that ID, token and address of each instance are merged into, by provider and name. It
        is replaced atomically; its owner and what else it holds are kept.
      - The key of an instance is its name, or V(ACCOUNT/NAME) where the account was named. The entry of another
        instance under the same key is an error, and is never overwritten.
      - Before anything is created, the file is written and replaced once, and room for the new entries is kept beside
        it, so that no token is lost to a full disk. Nothing is created if the file is a mount point, if its file system
        has no locks, or if its path leads by a link that somebody else may have made.
      - A relative path begins in the folder where C(ansible-playbook) was started, whoever runs the task.
      - RV(ignore:changed) tells of instances, not of this file.
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

- name: Tell two accounts of a gateway apart
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

- name: Hand the tokens over in a file
  msgops.fleet.instance_create:
    provider: green_api
    partner_token: "{{ green_api_partner_token }}"
    name: newsletter
    credentials_file: ~/.config/msgops/credentials.json
"""

RETURN = r"""
instances:
  description: The instances, in the order asked.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    name:
      description: The instance's name.
      type: str
      sample: shop
    id:
      description: The instance's ID. Null where only a creation can know it.
      type: str
      sample: "1101000001"
    provider:
      description: The gateway.
      type: str
      sample: green_api
    account:
      description: The account's name.
      returned: when it was given
      type: str
      sample: retail
    token:
      description:
        - The instance's token, a secret. Null where only a creation can know it.
        - Null as well where Ansible would print it, that is without C(no_log=true) and before ansible-core 2.22.
      type: str
    due:
      description: Until when the instance is paid, ISO 8601 in UTC, or null.
      type: str
      sample: "2026-01-31T12:00:00Z"
    due_raw:
      description: The same as the gateway gave it.
      type: raw
      sample: 1769860800000
    api_url:
      description: The base address that was used.
      type: str
      sample: https://api.green-api.com
    action:
      description:
        - V(created), V(adopted) (the account already had it, and it was first seen now), V(unchanged), V(would_create)
          (in check mode), V(failed), or V(unknown) (it can't be known whether it was created).
      type: str
      sample: created
    error:
      description: Why it failed, or null.
      type: dict
      contains:
        code:
          description: The kind of failure, such as V(unauthorized) or V(timeout).
          type: str
        message:
          description: What failed, why, and what to do.
          type: str
        retryable:
          description: Whether the same may succeed later.
          type: bool
instance:
  description: The same, for a single instance.
  returned: for a single instance
  type: dict
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, where one request is to blame
  type: dict
"""

from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials import CredentialsFile
from ansible_collections.msgops.fleet.plugins.module_utils._creation.delivery import TokenDelivery
from ansible_collections.msgops.fleet.plugins.module_utils._creation.provisioner import Provisioner
from ansible_collections.msgops.fleet.plugins.module_utils._creation.result import report
from ansible_collections.msgops.fleet.plugins.module_utils._journal.commands import JournalCommands
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    CREATION,
    GATEWAY,
    ITEM_GATEWAY,
    JOURNAL,
    PARTNER,
    TRANSPORT,
    ArgumentSpec,
    OptionResolver,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.desired import desired_instances
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


def run(task: TaskContext) -> dict[str, Any]:
    """Plan from the listing and the journal, create what is missing, and report."""
    params = task.params
    options = transport_options(params, check_mode=task.check_mode)
    desired = desired_instances(params, GatewayCache(options), OptionResolver(params, task.secrets))
    file = CredentialsFile(params["credentials_file"]) if params["credentials_file"] else None
    journal = Journal(params["journal"])
    provisioner = Provisioner(
        journal=journal,
        commands=JournalCommands(journal.location),
        delivery=TokenDelivery(task.output, file),
        on_unknown=params["on_unknown"],
        listing=params["listing"],
        concurrency=options.concurrency,
        progress=task.progress,
    )
    outcomes = provisioner.predict(desired) if task.check_mode else provisioner.provision(desired)
    task.warnings.extend(provisioner.warnings)
    return report(outcomes)


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
