# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a creation, which the gateways have in part."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from ansible_collections.msgops.fleet.plugins.doc_fragments.gateway import CHOICES, PARTNER_ITEM

GREEN_API_SETTINGS = """\
      webhookUrl:
        description: The address that notifications are sent to.
        type: str
      webhookUrlToken:
        description: The token that the notifications carry, a secret.
        type: str
      delaySendMessagesMilliseconds:
        description: Milliseconds between two messages that are sent, from 500 to 600000.
        type: int
      markIncomingMessagesReaded:
        description: Mark incoming messages as read.
        type: bool
      markIncomingMessagesReadedOnReply:
        description: Mark incoming messages as read when a message is sent to the chat by the API.
        type: bool
      outgoingWebhook:
        description: Notify about the status of sent messages.
        type: bool
      outgoingMessageWebhook:
        description: Notify about messages sent from the phone.
        type: bool
      outgoingAPIMessageWebhook:
        description: Notify about messages sent by the API.
        type: bool
      stateWebhook:
        description: Notify about changes of the instance's state.
        type: bool
      incomingWebhook:
        description: Notify about incoming messages and files.
        type: bool
      deviceWebhook:
        description: Notify about the device.
        type: bool
      keepOnlineStatus:
        description: Show the account as online.
        type: bool
      pollMessageWebhook:
        description: Notify about polls and votes.
        type: bool
      incomingBlockWebhook:
        description: Notify about chats that block the account.
        type: bool
      incomingCallWebhook:
        description: Notify about incoming calls.
        type: bool
      editedMessageWebhook:
        description: Notify about edited messages.
        type: bool
      deletedMessageWebhook:
        description: Notify about deleted messages.
        type: bool
"""

_CALLBACKS = (
    "delivery_callback_url",
    "received_callback_url",
    "received_and_delivery_callback_url",
    "disconnected_callback_url",
    "connected_callback_url",
    "message_status_callback_url",
)


def _item_options(module: str) -> str:
    """The same options for an item of a list; ``module`` is where they are described, if it isn't this module."""
    texts = [
        f"      {name}:\n        description: See O({module}{name}).\n        type: str\n"
        for name in ("session_name", *_CALLBACKS)
    ]
    suboptions = textwrap.indent(GREEN_API_SETTINGS, "    ")
    settings = f"      settings:\n        description: See O({module}settings).\n        type: dict\n"
    return "".join(texts) + f"{settings}        suboptions:\n{suboptions}"


class ModuleDocFragment:
    """What a new instance is created with."""

    DOCUMENTATION: ClassVar[str] = f"""
options:
  session_name:
    description: PlugzAPI only. The name of the session as the linked phone shows it.
    type: str
  delivery_callback_url:
    description: PlugzAPI only. The webhook for delivered messages.
    type: str
  received_callback_url:
    description: PlugzAPI only. The webhook for received messages.
    type: str
  received_and_delivery_callback_url:
    description: PlugzAPI only. The webhook for received messages and for messages sent by the account itself.
    type: str
  disconnected_callback_url:
    description: PlugzAPI only. The webhook for a lost connection.
    type: str
  connected_callback_url:
    description: PlugzAPI only. The webhook for a connection.
    type: str
  message_status_callback_url:
    description: PlugzAPI only. The webhook for the status of messages.
    type: str
  settings:
    description:
      - GREEN-API only. The settings to create the instance with, by the names of setSettings.
      - Booleans become the vendor's C("yes") and C("no"). For a setting that is left out, the vendor's default applies.
      - They apply to a new instance only. M(msgops.fleet.instance_settings) changes those of an existing one.
    type: dict
    suboptions:
{GREEN_API_SETTINGS}  instances:
    description:
      - The instances that shall exist, instead of a single O(name), as a list or as JSON or YAML text of one. Each
        account is listed once, for all of its instances.
    type: list
    elements: dict
    suboptions:
      name:
        description: The instance's name. It is compared exactly.
        type: str
        required: true
{PARTNER_ITEM}
{_item_options("")}"""

    PROVISION: ClassVar[str] = f"""
options:
  instances:
    description:
      - The instances. The list may be empty.
      - An item with C(id) and C(token) is only checked. All others are created, unless the account has them.
    type: list
    elements: dict
    suboptions:
      name:
        description: The instance's name. It is compared exactly. An item that is only checked needs none.
        type: str
      id:
        description: The ID of an instance that exists.
        type: str
      token:
        description: The token of an instance that exists.
        type: str
      provider:
        description: The gateway. Without it, O(provider) is used.
        type: str
        choices: {CHOICES}
      api_url:
        description: The base address of the gateway's API. Without it, O(api_urls) is used.
        type: str
      partner_token:
        description: The partner's token. Without it, O(partner_tokens) is used.
        type: str
      account:
        description: Your own name for the account. Without it, O(accounts) is used.
        type: str
      client_token:
        description: PlugzAPI's account security token. Without it, O(client_token) is used.
        type: str
      phone:
        description: Its phone's number for O(link=code), with the country code, digits only.
        type: str
{_item_options("msgops.fleet.instance_create#module:")}
"""
