# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of instances, which each gateway has of its own."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from ansible_collections.msgops.fleet.plugins.doc_fragments.creation import GREEN_API_SETTINGS
from ansible_collections.msgops.fleet.plugins.doc_fragments.gateway import INSTANCES

_PLUGZAPI = {
    "received_and_delivery_callback_url": (
        "str",
        "The webhook for received messages and for messages sent by the account itself. It switches "
        "O({path}.notify_sent_by_me) on, and has priority over O({path}.received_callback_url).",
    ),
    "delivery_callback_url": ("str", "The webhook for delivered messages."),
    "received_callback_url": ("str", "The webhook for received messages."),
    "disconnected_callback_url": ("str", "The webhook for a lost connection."),
    "connected_callback_url": ("str", "The webhook for a connection."),
    "message_status_callback_url": ("str", "The webhook for the status of messages."),
    "presence_chat_callback_url": ("str", "The webhook for the presence in chats."),
    "auto_read_message": ("bool", "Mark incoming messages as read."),
    "call_reject_auto": ("bool", "Reject calls."),
    "call_reject_message": ("str", "The message to who called. Needs O({path}.call_reject_auto)."),
    "name": ("str", "The name of the instance."),
    "notify_sent_by_me": ("bool", "Notify about messages sent by the account itself."),
}


def _plugzapi(path: str) -> str:
    return "".join(
        f"      {name}:\n        description:\n          - PlugzAPI only. "
        + textwrap.fill(text.format(path=path), 100).replace("\n", "\n            ")
        + f"\n        type: {kind}\n"
        for name, (kind, text) in _PLUGZAPI.items()
    )


_GREEN_API = f"""\
{GREEN_API_SETTINGS}\
      autoTyping:
        description: For how many seconds to show that the account types, before a message is sent, from 0 to 10.
        type: int
      linkPreview:
        description: Show a preview of the links in messages.
        type: bool
"""


class ModuleDocFragment:
    """What existing instances are to be set to."""

    DOCUMENTATION: ClassVar[str] = f"""
options:
  settings:
    description:
      - The settings that the instances shall have. What isn't named is left as it is.
      - An empty text or V(false) switches a setting off.
      - For GREEN-API by the names of setSettings; booleans become its C(yes) and C(no). For PlugzAPI by the names of
        M(msgops.fleet.instance_create). A setting that the instance's gateway doesn't have is an error before any
        request.
    type: dict
    suboptions:
{_GREEN_API}{_plugzapi("settings")}\
{INSTANCES.partition("options:")[2].lstrip(chr(10))}\
      settings:
        description: Its own settings, which go over those of O(settings).
        type: dict
        suboptions:
{textwrap.indent(_GREEN_API + _plugzapi("instances[].settings"), "    ")}
"""
