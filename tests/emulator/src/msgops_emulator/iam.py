# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token endpoint of Huawei Cloud IAM: https://support.huaweicloud.com/api-iam/iam_30_0001.html."""

from __future__ import annotations

import secrets
import string
from typing import Any

from .accounts import KooPhoneAccount
from .clock import utc
from .messages import Call, Match, Response, Route, json_response
from .world import IamToken, World

TOKEN = Route("iam.token")
UNKNOWN = Route("iam.unknown")
TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}


class Iam:
    """Responds as iam.myhuaweicloud.com does."""

    routes = (TOKEN, UNKNOWN)

    def __init__(self, world: World) -> None:
        self._world = world

    def match(self, call: Call) -> Match | None:
        """Return the route of a request and its handler, None if the path is not IAM's."""
        if call.segments[0] != "v3":
            return None
        if call.method == "POST" and call.segments == ("v3", "auth", "tokens"):
            return Match(TOKEN, lambda: self._token(call), _password(call))
        return Match(UNKNOWN, lambda: iam_error(404, "The resource could not be found."))

    def _token(self, call: Call) -> Response:
        body = call.json_object()
        user = _find(body, "auth", "identity", "password", "user")
        name, password = _find(user, "name"), _find(user, "password")
        domain = _find(user, "domain", "name")
        if _find(body, "auth", "identity", "methods") != ["password"] or not (name and password and domain):
            return iam_error(400, "The request body is invalid.")
        for account in self._world.accounts_of_class(KooPhoneAccount):
            if (domain, name, password) == (account.iam_domain, account.iam_user, account.iam_password):
                break
        else:
            return iam_error(401, "The username or password is wrong.")
        project = _find(body, "auth", "scope", "project", "name")
        if project is not None and project != account.project_name:
            return iam_error(403, "The project does not exist or the user has no permission for it.")
        now = self._world.clock.now()
        issued = IamToken(account, now + self._world.option(account, "iam.token_seconds"))
        length = max(self._world.option(account, "iam.token_length"), 32)
        token = "MII" + "".join(
            secrets.choice(string.ascii_letters + string.digits + "+/-") for _n in range(length - 5)
        )
        token += "=="
        self._world.iam_tokens[token] = issued
        response: dict[str, Any] = {
            "expires_at": _timestamp(issued.expires_at),
            "issued_at": _timestamp(now),
            "methods": ["password"],
            "user": {"name": name, "domain": {"name": domain}},
        }
        if project is not None:
            response["project"] = {"name": project, "domain": {"name": domain}}
        if call.args.get("nocatalog") != "true":
            response["catalog"] = [{"type": "koophone", "name": "koophone", "endpoints": []}]
        return json_response({"token": response}, 201, ("X-Subject-Token", token))


def _find(value: Any, *keys: str) -> Any:
    """Return the value at a path of keys in nested objects, None if a key is missing."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _password(call: Call) -> str:
    return str(_find(call.json_object(), "auth", "identity", "password", "user", "password") or "")


def iam_error(status: int, text: str) -> Response:
    """Return an error in the form of OpenStack Keystone, which IAM implements."""
    return json_response({"error": {"code": status, "message": text, "title": TITLES[status]}}, status)


def _timestamp(seconds: float) -> str:
    return utc(seconds).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
