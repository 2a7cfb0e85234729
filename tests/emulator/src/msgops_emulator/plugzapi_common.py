# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PlugzAPI's partner API and instance API have in common."""

from __future__ import annotations

from .instances import DELETED, PlugzApiInstance
from .messages import Call, Response, json_response
from .world import World

CALLBACKS = (
    "deliveryCallbackUrl",
    "receivedCallbackUrl",
    "receivedAndDeliveryCallbackUrl",
    "disconnectedCallbackUrl",
    "connectedCallbackUrl",
    "messageStatusCallbackUrl",
    "presenceChatCallbackUrl",
)


def bearer(call: Call) -> str:
    """Return the token of the Authorization header, "" if there is none."""
    kind, _space, token = call.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def find_instance(world: World, id: str, token: str) -> PlugzApiInstance | None:
    """Return the instance with this id and token, None if there is none or if it was deleted."""
    instance = world.plugzapi.get(id)
    if instance is None or instance.token != token:
        return None
    return None if instance.advance_to(world.clock.now()) == DELETED else instance


def error(status: int, text: str) -> Response:
    """Return an error in PlugzAPI's form."""
    return json_response({"error": text}, status)


def not_found() -> Response:
    """Return PlugzAPI's response to an unknown path: an error with status 200."""
    return json_response({"error": "NOT_FOUND", "message": "Unable to find matching target resource method"})


def unknown_instance(world: World, call: Call) -> Response:
    """Return the response to a wrong instance id or token."""
    status = world.config["plugzapi.unknown_instance"]
    if status == "http403":
        return error(403, f"Client-Token {call.headers.get('Client-Token', 'null')} not allowed")
    return error(int(status[-3:]), "Instance not found")


def milliseconds(seconds: float) -> int:
    """Return a time in whole milliseconds."""
    return int(seconds * 1000)
