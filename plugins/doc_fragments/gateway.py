# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules that serve both WhatsApp gateways."""

from __future__ import annotations


class ModuleDocFragment:
    """Which gateway, and where."""

    DOCUMENTATION = r"""
options:
  provider:
    description:
      - The gateway.
      - If not set, the environment variable E(MSGOPS_PROVIDER) is used. An item of O(instances) may name its own.
    type: str
    choices: [green_api, plugzapi]
  api_url:
    description:
      - The base address of the gateway's API. Must be C(https), or C(http) to a loopback address.
      - If not set, the environment variable E(GREEN_API_URL) or E(PLUGZAPI_URL) is used, depending on the gateway; else
        V(https://api.green-api.com) or V(https://api.plugzapi.com.br).
      - GREEN-API shows each instance's own address in its console.
    type: str
"""

    INSTANCE = r"""
options:
  instance_id:
    description:
      - The instance's ID (GREEN-API calls it C(idInstance)).
      - If not set, the environment variable E(GREEN_API_ID_INSTANCE) or E(PLUGZAPI_INSTANCE_ID) is used.
    type: str
    aliases: [id_instance]
  instance_token:
    description:
      - The instance's token (GREEN-API calls it C(apiTokenInstance)).
      - If not set, the environment variable E(GREEN_API_TOKEN_INSTANCE) or E(PLUGZAPI_INSTANCE_TOKEN) is used.
    type: str
    aliases: [api_token_instance]
  client_token:
    description:
      - PlugzAPI's account security token (C(Client-Token)). Needed once the account has activated it.
      - If not set, the environment variable E(PLUGZAPI_CLIENT_TOKEN) is used.
    type: str
"""

    INSTANCES = r"""
options:
  instances:
    description:
      - Instances that exist, instead of a single one.
      - What an item leaves out comes from the module's own options.
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
      provider:
        description: The gateway. Without it, O(provider) is used.
        type: str
        choices: [green_api, plugzapi]
      api_url:
        description: The base address of the gateway's API. Without it, O(api_url) is used.
        type: str
      client_token:
        description: PlugzAPI's account security token. Without it, O(client_token) is used.
        type: str
"""

    PARTNER = r"""
options:
  partner_token:
    description:
      - The partner's token at the gateway.
      - If not set, the environment variable E(GREEN_API_PARTNER_TOKEN) or E(PLUGZAPI_PARTNER_TOKEN) is used.
    type: str
  account:
    description:
      - Your own name for the account that the partner's token opens. Needed where two accounts of a gateway are at one
        address.
      - What has the name is the same account, whatever its token and its address. Without one, accounts of a gateway
        are the same if they have the same token or the same address.
      - It must be printable, without a slash.
      - If not set, the environment variable E(GREEN_API_ACCOUNT) or E(PLUGZAPI_ACCOUNT) is used, depending on the
        gateway.
    type: str
"""
