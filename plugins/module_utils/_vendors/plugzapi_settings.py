# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of PlugzAPI's instances, and the calls that change them."""

from __future__ import annotations

from .gateway import Setting

_URL = Setting(is_url=True)
_FLAG = Setting("bool")
# In the order in which they are sent: received_and_delivery_callback_url switches notify_sent_by_me on.
# https://developer.z-api.io/en/webhooks/ , https://developer.z-api.io/en/instance/me
SETTINGS: dict[str, Setting] = {
    "received_and_delivery_callback_url": _URL,
    "delivery_callback_url": _URL,
    "received_callback_url": _URL,
    "disconnected_callback_url": _URL,
    "connected_callback_url": _URL,
    "message_status_callback_url": _URL,
    "presence_chat_callback_url": _URL,
    "auto_read_message": _FLAG,
    "call_reject_auto": _FLAG,
    "call_reject_message": Setting(),
    "name": Setting(may_be_empty=False),
    "notify_sent_by_me": _FLAG,
}
# The call that changes a setting, and its field in /me.
SETTING_CALLS = {
    "received_and_delivery_callback_url": ("update-webhook-received-delivery", "receivedAndDeliveryCallbackUrl"),
    "delivery_callback_url": ("update-webhook-delivery", "deliveryCallbackUrl"),
    "received_callback_url": ("update-webhook-received", "receivedCallbackUrl"),
    "disconnected_callback_url": ("update-webhook-disconnected", "disconnectedCallbackUrl"),
    "connected_callback_url": ("update-webhook-connected", "connectedCallbackUrl"),
    "message_status_callback_url": ("update-webhook-message-status", "messageStatusCallbackUrl"),
    "presence_chat_callback_url": ("update-webhook-chat-presence", "presenceChatCallbackUrl"),
    "auto_read_message": ("update-auto-read-message", "autoReadMessage"),
    "call_reject_auto": ("update-call-reject-auto", "callRejectAuto"),
    "call_reject_message": ("update-call-reject-message", "callRejectMessage"),
    "name": ("update-name", "name"),
    "notify_sent_by_me": ("update-notify-sent-by-me", "receiveCallbackSentByMe"),
}
ME_FIELDS = {field: option for option, (_call, field) in SETTING_CALLS.items()}
