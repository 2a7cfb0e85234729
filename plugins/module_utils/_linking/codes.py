# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a gateway for an instance's codes: when, how often, and what its answers mean."""

from __future__ import annotations

import dataclasses
import time

from .._common.errors import Delivery, FleetError
from .._vendors.gateway import CodePolicy, LinkingCode
from . import qr
from .display import CodeDisplay, Method
from .progress import ActiveCode, LinkProgress
from .timing import LinkTiming


class CodeRequester:
    """``max_codes`` is the limit for each instance: ``None`` for the gateway's own, 0 for no limit."""

    def __init__(self, method: Method, display: CodeDisplay, max_codes: int | None, timing: LinkTiming) -> None:
        self._method = method
        self._display = display
        self._max_codes = max_codes
        self._timing = timing

    def may_request(self, link: LinkProgress) -> bool:
        """Whether the limit leaves room for another code."""
        limit = self._policy(link).limit if self._max_codes is None else self._max_codes or None
        return limit is None or link.codes < limit

    def request(self, link: LinkProgress) -> None:
        """Request a code, and keep it or the refusal in ``link``, which a final refusal ends."""
        policy = self._policy(link)
        try:
            code = self._request(link)
        except FleetError as error:
            if link.budget.remaining():
                self._refuse(link, policy, error)
            return
        link.ask_at = time.monotonic() + policy.interval
        link.refused_at = None
        if link.refusal and link.refusal.code != "vendor":
            link.refusal = None
        if code is None:
            # The gateway says that a phone is linked: read the state in the next step.
            link.active, link.read_at = None, 0.0
            return
        if link.active and link.active.code == code:
            # A code that the gateway gives again holds at least until the next request.
            link.active = link.active.prolong(min(2 * policy.interval, policy.life))
            link.codes += policy.limit is not None
        else:
            link.active = ActiveCode.begin(code, policy.life)
            link.codes += 1

    def _policy(self, link: LinkProgress) -> CodePolicy:
        gateway = link.target.gateway
        return gateway.qr_policy if self._method == "qr" else gateway.pairing_policy

    def _request(self, link: LinkProgress) -> LinkingCode | None:
        gateway, credentials = link.target.gateway, link.target.credentials
        if self._method == "code":
            return gateway.request_pairing_code(credentials, link.budget, link.phone or "")
        code = gateway.request_qr_code(credentials, link.budget, as_text=self._display.draw is not None)
        if code and code.text and self._display.folder:
            return dataclasses.replace(code, image=qr.as_png(code.text))
        return code

    def _refuse(self, link: LinkProgress, policy: CodePolicy, error: FleetError) -> None:
        now = time.monotonic()
        link.refusal = error
        link.ask_at = now + min(policy.interval, self._timing.retry_after_refusal)
        if policy.limit is not None and error.delivery is Delivery.UNKNOWN:
            link.codes += 1  # the vendor may have made one
        if error.code == "vendor":
            # The refusal may concern the last phone that tried; the next response can be a code again.
            link.active = None
            link.refused_at = link.refused_at or now
            if now - link.refused_at < self._timing.no_code_timeout:
                return
        elif error.retryable or error.transient:
            if error.delivery is Delivery.REFUSED:
                # The instance is starting, because a phone has used the code.
                link.active, link.read_at = None, 0.0
            return
        link.end("failed", error)
