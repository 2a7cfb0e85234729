# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Huawei Cloud KooPhone: https://support.huaweicloud.com/intl/en-us/api-koophone/."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from . import signing
from .accounts import KooPhoneAccount
from .clock import utc
from .messages import Call, Match, Response, Route, json_response
from .phones import Phone
from .rate_limit import RateLimit
from .world import World

MAX_ID_LENGTH = 32
RUNNING, STARTING = 2, 4

UNKNOWN = Route("koophone.unknown")
AUTH_FAILURE = "Incorrect IAM authentication information: "

REFUSALS = {
    "1001": "no permission for the instance",
    "1002": "instances not in one region",
    "1012": "instances are not belong to one tenant",
    "4001": "no such instance",
    "5005": "not all instances are running",
}


class KooPhone:
    """Responds as koophone.myhuaweicloud.com and its API gateway do."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes: dict[tuple[str, str], tuple[Route, Callable[[Call, KooPhoneAccount], Response]]] = {
            ("POST", "batch-query-status"): (Route("koophone.batch_query_status"), self._batch_query_status),
            ("POST", "reboot"): (Route("koophone.reboot", writes=True), self._reboot),
            ("GET", "batch-query"): (Route("koophone.batch_query"), self._batch_query),
        }
        self.routes = (*(route for route, _handler in self._routes.values()), UNKNOWN)

    def match(self, call: Call) -> Match | None:
        """Return the route of a request and its handler, None if the path is not KooPhone's."""
        if call.segments[0] != "v1":
            return None
        secret = call.headers.get("X-Auth-Token", "")
        if len(call.segments) == 3 and call.segments[1] == "instances":
            found = self._routes.get((call.method, call.segments[2]))
            if found:
                route, handler = found
                return Match(route, lambda: self._through_gateway(call, handler), secret)
        return Match(
            UNKNOWN,
            lambda: gateway_error(404, "APIG.0101", "The API does not exist or has not been published"),
            secret,
        )

    def _through_gateway(self, call: Call, handler: Callable[[Call, KooPhoneAccount], Response]) -> Response:
        account, problem = self._authenticate(call)
        if account is None:
            return gateway_error(401, "APIG.0301", AUTH_FAILURE + problem)
        denied = self._world.option(account, "koophone.denied")
        if denied in (f"{call.method} {call.segments[2]}", "all"):
            return gateway_error(403, "APIG.0302", "The IAM user is not allowed to access the API")
        rate = float(self._world.option(account, "koophone.requests_per_second"))
        if rate:
            now = self._world.clock.now()
            if account.limit is None or account.limit.rate != rate:
                account.limit = RateLimit(rate, now)
            if not account.limit.take(now):
                return throttled(rate)
        return handler(call, account)

    def _authenticate(self, call: Call) -> tuple[KooPhoneAccount | None, str]:
        """Return the account and "", or None and the reason for which the credentials are refused."""
        now = self._world.clock.now()
        if call.headers.get("Authorization", "").startswith(signing.ALGORITHM):
            access_key = signing.access_key(call)
            for account in self._world.accounts_of_class(KooPhoneAccount):
                if account.access_key == access_key:
                    problem = signing.problem(call, account.secret_key, now)
                    return (None, problem) if problem else (account, "")
            return None, "verify aksk signature fail"
        token = call.headers.get("X-Auth-Token")
        if not token:
            return None, "x-auth-token not found"
        issued = self._world.iam_tokens.get(token)
        if issued is not None:
            if now >= issued.expires_at:
                return None, f"token expires, expires_at is {utc(issued.expires_at).isoformat()}"
            return issued.account, ""
        for account in self._world.accounts_of_class(KooPhoneAccount):
            if account.auth_token == token:
                return account, ""
        return None, "decrypt token fail"

    def _error(self, account: KooPhoneAccount, number: str, text: str) -> Response:
        status = 200 if number == "0002" else self._world.option(account, "koophone.error_status")
        return json_response({"error_code": f"KOOPHONE.API.{number}", "error_msg": text}, status)

    def _batch_query_status(self, call: Call, account: KooPhoneAccount) -> Response:
        if not call.headers.get("x-request-id"):
            return self._error(account, "0002", "missing x-request-id")
        ids = (call.json_object() or {}).get("instance_ids")
        largest = self._world.option(account, "koophone.max_ids")
        if (
            not isinstance(ids, list)
            or not 1 <= len(ids) <= largest
            or not all(isinstance(id, str) and 0 < len(id) <= MAX_ID_LENGTH for id in ids)
        ):
            return self._error(account, "1000", "parameter error")
        now = self._world.clock.now()
        results = []
        refusal = self._world.option(account, "koophone.unknown_ids")
        for id in dict.fromkeys(ids):
            phone = self._world.phones.get(id)
            if phone is not None and phone.account is account:
                results.append({"instance_id": id, "status": phone.advance_to(now)})
            elif refusal != "leave_out":
                return self._error(account, refusal, REFUSALS[refusal])
        if self._world.option(account, "koophone.answer_shape") == "top_level":
            return json_response({"status_results": results})
        return json_response({"data": {"status_results": results}, "error_code": "0", "error_msg": "ok"})

    def _reboot(self, call: Call, account: KooPhoneAccount) -> Response:
        if not call.headers.get("x-request-id"):
            return self._error(account, "0002", "missing x-request-id")
        ids = (call.json_object() or {}).get("instance_ids")
        if not isinstance(ids, list) or not 1 <= len(ids) <= 100 or not all(isinstance(id, str) for id in ids):
            return self._error(account, "1000", "parameter error")
        now = self._world.clock.now()
        phones = [self._world.phones.get(id) for id in dict.fromkeys(ids)]
        found = [phone for phone in phones if phone is not None and phone.account is account]
        if len(found) < len(phones):
            return self._error(account, "4001", REFUSALS["4001"])
        if any(phone.advance_to(now) != RUNNING for phone in found):
            return self._error(account, "5005", REFUSALS["5005"])
        for phone in found:
            leaves = now + self._world.option(account, "koophone.reboot_lag_seconds")
            back = leaves + self._world.option(account, "koophone.reboot_seconds")
            phone.become(RUNNING, [(leaves, STARTING), (back, RUNNING)])
            phone.advance_to(now)
        return json_response({"error_code": "0", "error_msg": "OK"})

    def _batch_query(self, call: Call, account: KooPhoneAccount) -> Response:
        # The vendor documents x-request-id as a query parameter of this request alone.
        if not call.headers.get("x-request-id") and not call.args.get("x-request-id"):
            return self._error(account, "0002", "missing x-request-id")
        page = call.args.get("page_no", 0, type=int)
        size = call.args.get("page_size", 0, type=int)
        if page < 1 or size < 1:
            return self._error(account, "1000", "parameter error")
        id, name = call.args.get("instance_id"), call.args.get("instance_name")
        now = self._world.clock.now()
        found = [
            phone
            for phone in self._world.phones.values()
            if phone.account is account and id in (None, phone.id) and name in (None, phone.name)
        ]
        shown = found[(page - 1) * size : page * size]
        data = {
            "result": [_listed(phone, account, now) for phone in shown],
            "page_no": page,
            "page_size": size,
            "total_count": len(found),
        }
        return json_response({"data": data, "error_code": "0", "error_msg": "ok"})


def gateway_error(status: int, code: str, text: str) -> Response:
    """Return an error of the API gateway."""
    return json_response({"error_msg": text, "error_code": code, "request_id": uuid.uuid4().hex}, status)


def throttled(limit: float = 200) -> Response:
    """Return the gateway's response to a request beyond the limit (requests per second)."""
    text = f"The throttling threshold has been reached: policy user over ratelimit,limit:{limit:g},time:1 second"
    return gateway_error(429, "APIG.0308", text)


def _listed(phone: Phone, account: KooPhoneAccount, now: float) -> dict[str, Any]:
    status = phone.advance_to(now)
    return {
        "instance_id": phone.id,
        "instance_name": phone.name,
        "region": "cn-south-1",
        "instance_sku": "koophone.standard",
        "frozen_status": 0,
        # This field has the statuses 0 to 5 only; batch-query-status has more.
        "running_status": status if status in range(6) else 0,
        "login_status": 0,
        "assign_status": 0,
        "assign_user": "",
        "billing_mode": 1,
        "project_name": account.project_name,
        "phone_id": phone.id,
        "account_name": account.iam_domain,
    }
