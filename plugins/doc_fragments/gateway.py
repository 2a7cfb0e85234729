# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules and plugins that serve the WhatsApp gateways.

Choices, default addresses and environment variables come from the table of the gateways.
"""

from __future__ import annotations

from typing import ClassVar

from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import PROVIDERS

CHOICES = list(PROVIDERS)
_ADDRESSES = " or ".join(f"V({gateway.api_url})" for gateway in PROVIDERS.values())


def _variables(option: str) -> str:
    """The gateways' environment variables for an option."""
    environments = [gateway.environment for gateway in PROVIDERS.values()]
    return " or ".join(f"E({environment[option]})" for environment in environments if option in environment)


# The suboptions that each item of a list of instances or accounts has.
_ITEM = f"""
      provider:
        description: The gateway. Without it, O(provider) is used.
        type: str
        choices: {CHOICES}
      api_url:
        description: The base address of the gateway's API. Without it, O(api_url) is used.
        type: str
"""

_PARTNER = """
      partner_token:
        description: The partner's token. Without it, O(partner_token) is used.
        type: str
      account:
        description: Your own name for the account. Without it, O(account) is used.
        type: str
"""

# The same for an item that names a partner account.
PARTNER_ITEM = _ITEM + _PARTNER

_CLIENT_TOKEN = """
      client_token:
        description: PlugzAPI's account security token. Without it, O(client_token) is used.
        type: str
"""

INSTANCES = f"""
options:
  instances:
    description:
      - Existing instances, instead of a single one, as a list or as JSON or YAML text of one.
      - What an item leaves out comes from the module's own options.
      - An item may be one that another module of this collection has returned, or have a host's variables from its
        inventory, such as C(msgops_id). Other keys of these are ignored.
    type: list
    elements: dict
    suboptions:
      id:
        description: The instance's ID.
        type: str
        required: true
      token:
        description: The instance's token. Without it, O(instance_token) is used.
        type: str
      name:
        description: A name for messages and results.
        type: str
{_ITEM}
{_CLIENT_TOKEN}
"""

_ACCOUNTS = f"""
options:
  accounts:
    description:
      - Several accounts to list, instead of a single one.
      - What an item leaves out comes from the module's or plugin's option of the same name, else from the environment.
    type: list
    elements: dict
    suboptions:
{PARTNER_ITEM}
"""

# Instances that a task names by ID and name; the module says what becomes of them.
_NAMED = f"""
options:
  instances:
    type: list
    elements: dict
    suboptions:
      id:
        description: The instance's ID.
        type: str
        required: true
      name:
        description: Its name, which must be that of the listing.
        type: str
        required: true
      token:
        description: Its token. The listing's own token is used where it shows one.
        type: str
{PARTNER_ITEM}
"""


class ModuleDocFragment:
    """Gateways, accounts and instances."""

    DOCUMENTATION: ClassVar[str] = f"""
options:
  provider:
    description:
      - The gateway.
      - If not set, the environment variable E(MSGOPS_PROVIDER) is used. An item of O(instances) may name its own.
    type: str
    choices: {CHOICES}
  api_url:
    description:
      - The base address of the gateway's API. Must be C(https), or C(http) to a loopback address.
      - If not set, the environment variable {_variables("api_url")} is used, depending on the gateway; else
        {_ADDRESSES}.
      - GREEN-API shows each instance's own address in its console.
    type: str
"""

    PROVIDER: ClassVar[str] = f"""
options:
  provider:
    description: The gateway.
    type: str
    choices: {CHOICES}
"""

    INSTANCE: ClassVar[str] = f"""
options:
  instance_id:
    description:
      - The instance's ID (GREEN-API calls it C(idInstance)).
      - If neither this nor O(instance_token) is set, the environment variable {_variables("instance_id")} is used. Only
        one of the two is an error, because the ID and the token must belong to the same instance.
      - Null or a blank text is an error. If both are, check mode takes them for those of an instance that a task before
        this one would create, and reads nothing of it.
    type: str
    aliases: [id_instance]
  instance_token:
    description:
      - The instance's token (GREEN-API calls it C(apiTokenInstance)).
      - If neither this nor O(instance_id) is set, the environment variable {_variables("instance_token")} is used.
    type: str
    aliases: [api_token_instance]
  client_token:
    description:
      - PlugzAPI's account security token (C(Client-Token)). Needed once the account has activated it.
      - If not set, the environment variable {_variables("client_token")} is used.
    type: str
"""

    INSTANCES: ClassVar[str] = INSTANCES

    INSTANCES_TO_LINK: ClassVar[str] = f"""{INSTANCES}
      phone:
        description: The number for O(method=code). Without it, O(phone) is used.
        type: str
"""

    INSTANCES_OF_PARTNERS: ClassVar[str] = INSTANCES + _PARTNER

    NAMED_INSTANCES: ClassVar[str] = _NAMED

    NAMED_INSTANCES_TO_DELETE: ClassVar[str] = _NAMED + _CLIENT_TOKEN

    PARTNER: ClassVar[str] = f"""
options:
  partner_token:
    description:
      - The partner's token at the gateway.
      - If not set, the environment variable {_variables("partner_token")} is used.
    type: str
  account:
    description:
      - Your own name for the account that the partner's token opens. Needed if you have two accounts of a gateway at
        the same address.
      - If set, it alone identifies the account, whatever the token and the address. If not, accounts of a gateway with
        the same token or the same address are taken for the same account.
      - It must be printable, without a slash.
      - If not set, the environment variable {_variables("account")} is used, depending on the gateway.
    type: str
"""

    ACCOUNTS: ClassVar[str] = _ACCOUNTS

    INVENTORY_ACCOUNTS: ClassVar[str] = f"""{_ACCOUNTS}
      name:
        description:
          - The account's name in host variables, groups and messages. Without it, O(accounts[].account) is used, else
            the provider's name.
        type: str
      client_token:
        description: PlugzAPI's account security token. Without it, O(client_token) is used.
        type: str
"""
