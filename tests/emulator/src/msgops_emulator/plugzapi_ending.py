# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PlugzAPI's calls that pay for an instance, stop paying, and delete it: https://developer.z-api.io/en/partner/."""

from __future__ import annotations

from collections.abc import Callable

from .instances import CONNECTED, DELETED, PlugzApiInstance
from .messages import Call, Response, Route, json_response, text_response
from .plugzapi_common import error, not_found
from .world import World

SUBSCRIPTION = 30 * 86400.0

SUBSCRIBE = Route("plugzapi.subscribe", writes=True)
CANCEL = Route("plugzapi.cancel", writes=True)
DELETE = Route("plugzapi.delete", writes=True)

Handler = Callable[[Call, PlugzApiInstance], Response]


def message(status: int, text: str, **more: str) -> Response:
    """Return an error in the form of the newer calls."""
    return json_response({"message": text, **more}, status)


class EndingApi:
    """The subscription of an instance, and its deletion."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.routes: dict[tuple[str, str], tuple[Route, Handler]] = {
            ("POST", "integrator/on-demand/subscription"): (SUBSCRIBE, self._subscribe),
            ("POST", "integrator/on-demand/cancel"): (CANCEL, self._cancel),
            ("DELETE", "integrator/on-demand/delete"): (DELETE, self._delete),
        }

    def _subscribe(self, call: Call, instance: PlugzApiInstance) -> Response:
        if instance.subscribed:
            return error(400, "This instance is already paid")
        now = self._world.clock.now()
        word = self._world.option(instance.account, "plugzapi.subscribed_word")
        instance.subscribe(word, now + SUBSCRIPTION, self._shown_at(instance))
        instance.advance_to(now)
        return self._ok(instance)

    def _cancel(self, call: Call, instance: PlugzApiInstance) -> Response:
        now = self._world.clock.now()
        instance.cancel(self._world.option(instance.account, "plugzapi.canceled_word"), now, self._shown_at(instance))
        instance.advance_to(now)
        return self._ok(instance)

    def _shown_at(self, instance: PlugzApiInstance) -> float:
        lag: float = self._world.option(instance.account, "plugzapi.payment_lag_seconds")
        return self._world.clock.now() + lag

    def _ok(self, instance: PlugzApiInstance) -> Response:
        form = self._world.option(instance.account, "plugzapi.subscription_body")
        return text_response("OK", 201) if form == "text" else Response(201)

    def _delete(self, call: Call, instance: PlugzApiInstance) -> Response:
        option = self._world.option
        if refusal := self._refusal(instance):
            return message(403, "The instance can't be deleted", type=refusal)
        if option(instance.account, "plugzapi.delete_effect") == "deleted":
            now = self._world.clock.now()
            instance.become(instance.state, [(now + option(instance.account, "plugzapi.delete_seconds"), DELETED)])
            instance.advance_to(now)
        return Response(204)

    def _refusal(self, instance: PlugzApiInstance) -> str:
        """Return the type of the refusal of a deletion, "" if the instance may be deleted."""
        option = self._world.option
        word = (instance.payment or "").casefold()
        if instance.state == CONNECTED:
            return "INSTANCE_STILL_CONNECTED"
        if not word:
            return "INSTANCE_PAYMENT_STATUS_MISSING"
        if word in ("canceled", "cancelled"):
            grace = option(instance.account, "plugzapi.delete_grace_seconds")
            ended = instance.canceled_at
            is_over = ended is None or self._world.clock.now() >= ended + grace
            return "" if is_over else "INSTANCE_NOT_ELIGIBLE"
        if word == "pending" and instance.subscribed:
            return "INSTANCE_HAS_ACTIVE_SUBSCRIPTION"
        is_other = option(instance.account, "plugzapi.deletable") == "canceled"
        return "INSTANCE_NOT_ELIGIBLE" if is_other or word not in ("pending", "trial") else ""


def no_deletion(world: World) -> Response | None:
    """Return the response of a server that has no call for a deletion, None if it has one."""
    presence = world.config["plugzapi.delete"]
    if presence == "present":
        return None
    if presence == "not_found_200":
        return not_found()
    return error(int(presence[-3:]), "Not Found" if presence == "http404" else "Method Not Allowed")
