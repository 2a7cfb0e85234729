# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a creation, which the gateways have in part."""

from __future__ import annotations

from ansible_collections.msgops.fleet.plugins.doc_fragments.gateway import PARTNER_ITEM


class ModuleDocFragment:
    """What a new instance is created with."""

    DOCUMENTATION = f"""
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
      - They apply to a new instance only. The settings of an existing one are not changed.
    type: dict
    suboptions: &settings
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
  instances:
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
      session_name:
        description: See O(session_name).
        type: str
      delivery_callback_url:
        description: See O(delivery_callback_url).
        type: str
      received_callback_url:
        description: See O(received_callback_url).
        type: str
      received_and_delivery_callback_url:
        description: See O(received_and_delivery_callback_url).
        type: str
      disconnected_callback_url:
        description: See O(disconnected_callback_url).
        type: str
      connected_callback_url:
        description: See O(connected_callback_url).
        type: str
      message_status_callback_url:
        description: See O(message_status_callback_url).
        type: str
      settings:
        description: See O(settings).
        type: dict
        suboptions: *settings
"""
