# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: instances
short_description: GREEN-API and PlugzAPI instances as inventory hosts
version_added: 0.1.0
description:
  - Lists the instances of one or several partner accounts at GREEN-API and PlugzAPI. Each instance is a host.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - constructed
  - inventory_cache
  - msgops.fleet.gateway
  - msgops.fleet.gateway.partner
  - msgops.fleet.gateway.inventory_accounts
  - msgops.fleet.inventory
  - msgops.fleet.transport
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [msgops.fleet.instances]
  provider:
    description:
      - The gateway. An item of O(accounts) may name its own.
      - If not set, the environment variable E(MSGOPS_PROVIDER) is used.
      - If none of O(provider), O(accounts), O(api_url) and O(partner_token) is set, the source lists the account of
        each gateway whose partner's token is in the environment. Of these, it leaves out the account of a gateway that
        has no listing, with a warning, unless no other is left.
  client_token:
    description:
      - PlugzAPI's account security token. Only O(read_states) needs it, if the account has activated it.
      - If not set, the environment variable E(PLUGZAPI_CLIENT_TOKEN) is used.
    type: str
  read_states:
    description:
      - Whether to read each state that is not in the listing, with a request for each instance, O(concurrency) at once.
      - PlugzAPI's listing contains the state (C(whatsappConnected)). GREEN-API's doesn't, so without this option
        C(msgops_state) of its instances is null.
    type: bool
    default: false
  include_deleted:
    description: Whether to include instances that GREEN-API lists as deleted (in the last three months).
    type: bool
    default: false
  include_tokens:
    description:
      - Whether each host has its instance's token as the variable C(msgops_token).
      - B(Warning.) Everyone who can read the inventory can then read the tokens of all instances. That includes
        C(ansible-inventory), the inventory in AWX, and tasks that print host variables. An instance's token suffices to
        send messages in its owner's name.
      - Such a source can't be cached, except in memory (O(cache_plugin=ansible.builtin.memory)). Ansible makes the
        files of a cache readable for all users.
      - By default, tokens are neither in variables nor in the cache.
    type: bool
    default: false
  group:
    description: The group of all hosts of this source. If it is empty, there is no such group.
    type: str
    default: msgops_instances
  group_by:
    description:
      - What to group hosts by. Groups are named C(state_authorized), C(provider_green_api), C(plan_PARTNER_23) and so
        on.
      - The groups of V(due) are C(overdue), C(due_within_24h), C(due_within_7d), C(due_within_30d) and C(due_later).
        They are nested, because what is due within 24 hours is due within 7 days, too.
    type: list
    elements: str
    choices: [provider, account, state, health, plan, payment, due]
    default: [provider, account, state, health, plan, payment, due]
notes:
  - A cached listing belongs to its O(account), or to its O(partner_token) where no O(account) is set.
  - Hosts have the variables C(msgops_id), C(msgops_name), C(msgops_provider), C(msgops_account), C(msgops_api_url),
    C(msgops_state), C(msgops_vendor_state), C(msgops_health), C(msgops_authorized), C(msgops_plan),
    C(msgops_payment_status), C(msgops_created_at), C(msgops_due), C(msgops_due_in), C(msgops_expired),
    C(msgops_deleted), C(msgops_trial_ends_at), C(msgops_observed_at) and C(msgops_error). Unknown values are null.
seealso:
  - plugin: msgops.fleet.cloudphones
    plugin_type: inventory
  - module: msgops.fleet.instance_state
"""

EXAMPLES = r"""
# fmt: code
# The accounts whose tokens are in the environment: GREEN_API_PARTNER_TOKEN, PLUGZAPI_PARTNER_TOKEN
plugin: msgops.fleet.instances

---
# One account, its token from a variable (ansible-inventory -e @secrets.yml), with the state of each instance
plugin: msgops.fleet.instances
provider: green_api
partner_token: "{{ green_api_partner_token }}"
read_states: true
concurrency: 32

---
# Several accounts in one source; one that can't be listed doesn't prevent listing the others
plugin: msgops.fleet.instances
accounts:
  - name: retail
    provider: green_api
    partner_token: "{{ lookup('ansible.builtin.env', 'RETAIL_TOKEN') }}"
  - name: support
    provider: plugzapi
    partner_token: "{{ lookup('ansible.builtin.env', 'SUPPORT_TOKEN') }}"
on_error: warn
hostnames: [account_name, account_id]

---
# Your own groups and variables, and the listing cached for 15 minutes
plugin: msgops.fleet.instances
group_by: [provider, due]
group_prefix: wa_
keyed_groups:
  - key: msgops_payment_status
    prefix: paid
    default_value: unknown
groups:
  needs_attention: msgops_health not in ('ready', None) or msgops_due_in in ('overdue', 'within_24h')
compose:
  ansible_connection: "'local'"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: "{{ cache_folder }}"
cache_timeout: 900
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.observation import Target, observe
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import TransportOptions
from ansible_collections.msgops.fleet.plugins.module_utils._task.accounts import PartnerAccount, resolve_accounts
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    GATEWAY,
    INSTANCE,
    ITEM_GATEWAY,
    PARTNER,
    TRANSPORT,
    ArgumentSpec,
    OptionResolver,
)
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Credentials
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache
from ansible_collections.msgops.fleet.plugins.plugin_utils._hosts import Record
from ansible_collections.msgops.fleet.plugins.plugin_utils._inventory import Account, FleetInventory, view_arguments
from ansible_collections.msgops.fleet.plugins.plugin_utils._listing import list_records

_CLIENT_TOKEN = {"client_token": INSTANCE.options["client_token"]}


class InventoryModule(FleetInventory):
    """The instances of partner accounts."""

    NAME = "msgops.fleet.instances"

    GROUP_BY: ClassVar[Mapping[str, str]] = {
        "provider": "provider",
        "account": "account",
        "state": "state",
        "health": "health",
        "plan": "plan",
        "payment": "payment_status",
        "due": "due_in",
    }
    CACHE_KEY_OPTIONS = ("include_tokens", "read_states")
    DISPLAY_OPTIONS = view_arguments(group="msgops_instances", group_by=list(GROUP_BY)).merge(
        ArgumentSpec(
            {
                option: {"type": "bool", "default": False}
                for option in ("include_deleted", "include_tokens", "read_states")
            }
        )
    )
    API_OPTIONS = TRANSPORT.merge(
        GATEWAY,
        PARTNER,
        ArgumentSpec(
            {
                **_CLIENT_TOKEN,
                "accounts": {
                    "type": "list",
                    "elements": "dict",
                    "options": {"name": {"type": "str"}, **ITEM_GATEWAY, **PARTNER.options, **_CLIENT_TOKEN},
                },
            }
        ),
    )

    def accounts(self, params: Mapping[str, Any], options: TransportOptions) -> list[Account]:
        resolver = OptionResolver(params, self._secrets)
        gateways = GatewayCache(options)
        self._targets: dict[str, Callable[[Record], Target]] = {}
        accounts: dict[str, Account] = {}
        for resolved in resolve_accounts(params, "the inventory source", resolver):
            account = self._account(resolved, resolver, gateways)
            if account.name in accounts:
                raise UsageError(f"accounts has {account.name} twice; give each a name of its own")
            for other in accounts.values():
                if account.fingerprint and account.fingerprint == other.fingerprint:
                    raise UsageError(f"accounts has the same account twice, as {other.name} and as {account.name}")
            accounts[account.name] = account
        return list(accounts.values())

    def complete(self, records: list[Record], view: Mapping[str, Any], options: TransportOptions) -> None:
        if not view["read_states"]:
            return
        unknown = [r for r in records if r["state"] is None and r["token"] and not r["deleted"]]
        targets = [self._targets[record["account"]](record) for record in unknown]
        for record, observation in zip(unknown, observe(targets, concurrency=options.concurrency), strict=True):
            result = observation.as_result()
            known = ("state", "vendor_state", "authorized", "health", "observed_at", "error")
            record.update({key: result[key] for key in known})

    def _account(self, account: PartnerAccount, resolver: OptionResolver, gateways: GatewayCache) -> Account:
        def connect() -> Callable[[], list[Record]]:
            gateway = account.connect(gateways, resolver)
            self._targets[account.label] = lambda record: Target(
                gateway, Credentials(record["id"], record["token"], account.client_token), record["name"] or None
            )
            return lambda: list_records(gateway, account.label, account.api_url)

        fingerprint = account.identity.fingerprint if account.is_known else None
        return Account(account.label, fingerprint, connect, is_implied=account.is_implied)
