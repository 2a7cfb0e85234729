# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PlugzAPI's calls that change a setting: https://developer.z-api.io/en/webhooks/ and .../en/instance/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .instances import PlugzApiInstance
from .messages import Call, Response, Route, json_response
from .plugzapi_common import error
from .world import World


@dataclass(frozen=True, slots=True)
class Setting:
    """The field of ``/me`` that a call changes, and the field of the call's body that holds the new value."""

    field: str
    kind: type[str | bool] = str
    body: str = "value"
    is_url: bool = False

    @property
    def default(self) -> str | bool:
        return self.kind()


SETTINGS = {
    "update-webhook-delivery": Setting("deliveryCallbackUrl", is_url=True),
    "update-webhook-received": Setting("receivedCallbackUrl", is_url=True),
    "update-webhook-received-delivery": Setting("receivedAndDeliveryCallbackUrl", is_url=True),
    "update-webhook-disconnected": Setting("disconnectedCallbackUrl", is_url=True),
    "update-webhook-connected": Setting("connectedCallbackUrl", is_url=True),
    "update-webhook-message-status": Setting("messageStatusCallbackUrl", is_url=True),
    "update-webhook-chat-presence": Setting("presenceChatCallbackUrl", is_url=True),
    "update-notify-sent-by-me": Setting("receiveCallbackSentByMe", bool, "notifySentByMe"),
    "update-auto-read-message": Setting("autoReadMessage", bool),
    "update-call-reject-auto": Setting("callRejectAuto", bool),
    "update-call-reject-message": Setting("callRejectMessage"),
    "update-name": Setting("name"),
}
ROUTES = {call: Route("plugzapi." + call.replace("-", "_"), writes=True) for call in SETTINGS}


class SettingsApi:
    """Shows and changes an instance's settings."""

    def __init__(self, world: World) -> None:
        self._world = world

    def shown(self, instance: PlugzApiInstance) -> dict[str, Any]:
        """Return the settings as ``/me`` shows them."""
        shown = {s.field: instance.attributes.get(s.field, s.default) for s in SETTINGS.values() if s.field != "name"}
        if not self._world.option(instance.account, "plugzapi.me_received_and_delivery"):
            del shown["receivedAndDeliveryCallbackUrl"]
        return shown

    def change(self, call: Call, instance: PlugzApiInstance) -> Response:
        """Change the setting that the path names."""
        setting = SETTINGS[call.segments[-1]]
        option = self._world.option
        if not call.content_type:
            return error(415, "Unsupported Media Type")
        value = (call.json_object() or {}).get(setting.body)
        if value.__class__ is not setting.kind or (setting.field == "name" and not value):
            return error(400, f"Invalid request: {setting.body} must be a {setting.kind.__name__}")
        if (
            setting.is_url
            and value
            and option(instance.account, "plugzapi.https_webhooks")
            and urlsplit(str(value)).scheme != "https"
        ):
            return error(400, f"Invalid request: {setting.body} must be https")
        if option(instance.account, "plugzapi.settings_effect") == "applied":
            self._apply(setting, value, instance)
        return json_response({"value": True})

    def _apply(self, setting: Setting, value: str | bool, instance: PlugzApiInstance) -> None:
        if setting.field == "name":
            instance.name = str(value)
            return
        changes: dict[str, Any] = {setting.field: value}
        if setting.field == "receivedAndDeliveryCallbackUrl" and value:
            # Z-API's page of this webhook: it switches the notification of one's own messages on.
            changes["receiveCallbackSentByMe"] = True
        now = self._world.clock.now()
        instance.change_settings(changes, now + self._world.option(instance.account, "plugzapi.settings_lag_seconds"))
        instance.advance_to(now)
