# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PlugzAPI, a white label of Z-API: which handler serves a request."""

from __future__ import annotations

from .messages import Call, Match, Response, Route
from .plugzapi_common import bearer, error, not_found
from .plugzapi_instance import PHONE_CODE, InstanceApi
from .plugzapi_partner import CREATE, LIST, PartnerApi
from .world import World

UNKNOWN = Route("plugzapi.unknown")


class PlugzApi:
    """Responds as api.plugzapi.com.br does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._instance_api = InstanceApi(world)
        self._partner_api = PartnerApi(world)
        handled = (*self._instance_api.routes.values(), *self._partner_api.instance_routes.values())
        self.routes = (CREATE, LIST, *(route for route, _handler in handled), PHONE_CODE, UNKNOWN)

    def match(self, call: Call) -> Match | None:
        """Return the route of a request and its handler, None if the path is not PlugzAPI's."""
        first, *rest = call.segments
        if first != "instances":
            return None
        partner_token = bearer(call)
        if not rest and call.method == "GET":
            return Match(LIST, lambda: self._partner_api.list_page(call), partner_token)
        if rest == ["integrator", "on-demand"] and call.method == "POST":
            return Match(CREATE, lambda: self._partner_api.create(call), partner_token)
        if len(rest) > 3 and rest[1] == "token":
            id, token, key = rest[0], rest[2], (call.method, "/".join(rest[3:]))
            found = self._instance_api.routes.get(key)
            if call.method == "GET" and rest[3] == "phone-code" and len(rest) == 5:
                found = (PHONE_CODE, self._instance_api.phone_code)
            if found:
                route, handler = found
                secret = call.headers.get("Client-Token") or token
                return Match(route, lambda: self._instance_api.handle(call, id, token, route, handler), secret)
            if key in self._partner_api.instance_routes:
                route, handler = self._partner_api.instance_routes[key]
                return Match(route, lambda: self._partner_api.handle(call, id, token, handler), partner_token)
        return Match(UNKNOWN, self._unknown, partner_token or call.headers.get("Client-Token", ""))

    def _unknown(self) -> Response:
        if self._world.config["plugzapi.wrong_path"] == "http405":
            return error(405, "Method Not Allowed")
        return not_found()
