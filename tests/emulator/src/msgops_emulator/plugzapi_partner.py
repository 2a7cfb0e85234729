# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PlugzAPI's partner API: https://developer.z-api.io/en/partner/."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import urlsplit

from .accounts import PLUGZAPI, PlugzApiAccount
from .instances import CONNECTED, DELETED, PlugzApiInstance
from .messages import Call, Response, Route, json_response
from .plugzapi_common import (
    CALLBACKS,
    bearer,
    error,
    find_instance,
    milliseconds,
    not_found,
    unknown_instance,
)
from .plugzapi_ending import EndingApi, Handler, message, no_deletion
from .world import World

TEXTS = ("sessionName", "callRejectMessage", *CALLBACKS)
FLAGS = (
    "callRejectAuto",
    "autoReadMessage",
    "autoReadStatus",
    "isDevice",
    "businessDevice",
    "disableEnqueueWhenDisconnected",
)
LIST = Route("plugzapi.list")
CREATE = Route("plugzapi.create", writes=True, creates=True)


class PartnerApi:
    """Creates and lists instances, and finds those to pay for or to end; a bearer token authenticates the account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.instance_routes = EndingApi(world).routes

    def handle(self, call: Call, id: str, token: str, handler: Handler) -> Response:
        """Authenticate the account, find its instance, and handle the request."""
        absent = no_deletion(self._world) if call.method == "DELETE" else None
        if absent:
            return absent
        if call.method == "POST" and not call.content_type:
            return error(415, "Unsupported Media Type")
        account = self._partner(call)
        if account is None:
            return error(401, "Unauthorized") if bearer(call) else message(401, "Authorization token is empty")
        instance = find_instance(self._world, id, token)
        if instance is None or instance.account is not account:
            is_new = call.method == "DELETE"
            return message(404, "Instance not found") if is_new else unknown_instance(self._world, call)
        return handler(call, instance)

    def create(self, call: Call) -> Response:
        """Create an instance."""
        if not call.content_type:
            return error(415, "Unsupported Media Type")
        account = self._partner(call)
        if account is None:
            return error(401, "Unauthorized")
        body = call.json_object()
        if body is None:
            return error(400, "Invalid request body")
        option = self._world.option
        problem = _problem(body, https=option(account, "plugzapi.https_webhooks"))
        if problem:
            return error(400, problem)
        instance = self._world.create_plugzapi(
            account, body["name"], token_style=option(account, "plugzapi.token_style")
        )
        instance.attributes = {key: body[key] for key in (*TEXTS, *FLAGS) if key in body}
        linked_after = option(account, "plugzapi.auto_link_seconds")
        if linked_after is not None:
            instance.pending = [(instance.created + linked_after, CONNECTED)]
        self._world.delay_listing(
            instance,
            option(account, "plugzapi.listing_lag_seconds"),
            option(account, "plugzapi.listing_lag_listings"),
        )
        return json_response(
            {"id": instance.id, "token": instance.token, "due": self._due(instance)},
            option(account, "plugzapi.create_status"),
            created=instance,
        )

    def list_page(self, call: Call) -> Response:
        """List a page of the account's instances."""
        listing = self._world.config["plugzapi.listing"]
        if listing == "not_found_200":
            return not_found()
        if listing != "present":
            return error(int(listing[-3:]), "Not Found" if listing == "http404" else "Method Not Allowed")
        account = self._partner(call)
        if account is None:
            return error(401, "Unauthorized")
        page = call.args.get("page", 0, type=int)
        size = call.args.get("pageSize", 0, type=int)
        if page < 1 or size < 1:
            return error(400, "page and pageSize are required and start at 1")
        largest = self._world.option(account, "plugzapi.max_page_size")
        size = min(size, largest) if largest else size
        query = call.args.get("query", "").casefold()
        middleware = call.args.get("middleware")
        now = self._world.clock.now()
        found = [
            instance
            for instance in self._world.instances(PLUGZAPI)
            if isinstance(instance, PlugzApiInstance)
            and instance.account is account
            and instance.state != DELETED
            and (query in instance.name.casefold() or query in instance.id.casefold())
            and middleware in (None, "", _middleware(instance))
            # Count a listing once: by its first page.
            and instance.listed(now, count=page == 1)
        ]
        shown = found[(page - 1) * size : page * size]
        return json_response(
            {
                "total": len(found),
                "totalPage": math.ceil(len(found) / size),
                "pageSize": size,
                "page": page,
                "content": [self._listed(instance) for instance in shown],
            }
        )

    def _partner(self, call: Call) -> PlugzApiAccount | None:
        token = bearer(call)
        accounts = self._world.accounts_of_class(PlugzApiAccount)
        return next((account for account in accounts if account.accepts(token)), None)

    def _listed(self, instance: PlugzApiInstance) -> dict[str, Any]:
        connected = instance.state == CONNECTED
        return {
            "token": instance.token,
            "tenant": "",
            "created": milliseconds(instance.created),
            "due": self._due(instance),
            "paymentStatus": instance.payment,
            **{key: instance.attributes.get(key, "") for key in CALLBACKS},
            "receivedStatusCallbackUrl": "",
            "phoneConnected": connected,
            "whatsappConnected": connected,
            "middleware": _middleware(instance),
            "name": instance.name,
            "id": instance.id,
        }

    def _due(self, instance: PlugzApiInstance) -> int | str:
        form = self._world.option(instance.account, "plugzapi.due_form")
        value = milliseconds(instance.due) if form.startswith("ms") else int(instance.due)
        return str(value) if form.endswith("_string") else value


def _problem(body: dict[str, Any], *, https: bool) -> str:
    """Return the reason why the body of a creation is invalid, "" if it is valid."""
    if not isinstance(body.get("name"), str) or not body["name"]:
        return "Invalid request: name is required"
    for key in TEXTS:
        if not isinstance(body.get(key, ""), str | None):
            return f"Invalid request: {key} must be a string"
    for key in FLAGS:
        if not isinstance(body.get(key, False), bool):
            return f"Invalid request: {key} must be a boolean"
    for key in CALLBACKS:
        if https and body.get(key) and urlsplit(body[key]).scheme != "https":
            return f"Invalid request: {key} must be https"
    return ""


def _middleware(instance: PlugzApiInstance) -> str:
    return "mobile" if instance.attributes.get("isDevice") else "web"
