# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linking phones: show each instance's code while it holds, then the next one, until the instance is authorized."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from .._common import states
from .._common.errors import FleetError
from .._common.interruption import before_exit
from .._common.polling import ProgressLog, poll
from .._fleet.observation import observe
from .._fleet.progress import report
from .._fleet.watching import WaitPolicy, by_state
from .._http.transport import RequestBudget
from .._vendors.gateway import LinkingCode
from .code_folder import CodeFolder
from .codes import CodeRequester
from .display import CodeDisplay, Method, Terminal
from .page import Card, Page
from .progress import LinkProgress, LinkRequest
from .timing import DEFAULT_TIMING, LinkTiming


class Linker:
    """Links the instances of one task. If ``waiting`` has no timeout, it requests one code for each instance."""

    def __init__(
        self,
        method: Method,
        display: CodeDisplay,
        waiting: WaitPolicy,
        *,
        max_codes: int | None,
        concurrency: int,
        progress: Callable[[str], None] | None = None,
        timing: LinkTiming = DEFAULT_TIMING,
    ) -> None:
        self._method = method
        self._display = display
        self._waiting = waiting
        self._concurrency = concurrency
        self._progress = progress
        self._timing = timing
        self._links: list[LinkProgress] = []
        self._folder = CodeFolder(display.folder, timing) if display.folder else None
        self._terminal = Terminal(display.draw, self._folder) if display.draw else None
        self._codes = CodeRequester(method, display, max_codes, timing)
        self._is_over = False
        self._ends_at = 0.0
        # A signal's handler may publish while the main thread does.
        self._publishing = threading.RLock()

    def predict(self, requests: Sequence[LinkRequest]) -> dict[str, Any]:
        """The module's result in check mode: which instances need a phone. Requests no code.

        :raises UsageError: if nobody would see the codes.
        """
        self._begin(requests, None)
        for link in self._links:
            if not link.is_over and (
                link.state in (states.NOT_AUTHORIZED, states.CREATING) or not link.target.is_created
            ):
                link.end("would_link")
        return self._report()

    def link(self, requests: Sequence[LinkRequest]) -> dict[str, Any]:
        """The module's result. The failure of one instance doesn't keep the others from being linked.

        :raises UsageError: if nobody would see the codes, before any request; or if the folder can't be written.
        """
        deadline = self._waiting.deadline()
        self._ends_at = time.time() + self._waiting.timeout
        self._begin(requests, deadline)
        pending = [link for link in self._links if not link.is_over]
        if pending:
            with before_exit(self._stop):
                self._show_codes(pending, deadline)
        return self._report()

    def _show_codes(self, pending: Sequence[LinkProgress], deadline: float | None) -> None:
        if self._folder:
            self._folder.open([link.anchor for link in pending])
            self._folder.show(self._page())
        log = ProgressLog(self._progress, self._describe, deadline=lambda: deadline) if self._progress else None
        try:
            if log:
                log.update(time.monotonic())
            poll(
                pending,
                self._step,
                workers=self._concurrency,
                interval=min(self._timing.step, self._waiting.interval),
                deadline=deadline,
                progress=log,
            )
        except BaseException:
            self._stop()
            raise
        self._finish()

    def _begin(self, requests: Sequence[LinkRequest], deadline: float | None) -> None:
        self._display.check(self._method, waits=bool(self._waiting.timeout))
        observations = observe([request.target for request in requests], concurrency=self._concurrency)
        read_at = time.monotonic() + self._waiting.interval
        for request, observation in zip(requests, observations, strict=True):
            link = LinkProgress(
                target=request.target,
                phone=request.phone,
                observation=observation,
                before=observation.state,
                budget=RequestBudget(deadline),
                read_interval=self._waiting.interval,
                read_at=read_at,
            )
            link.end_by_state("already_authorized")
            self._links.append(link)

    # One step of one instance

    def _step(self, link: LinkProgress) -> bool:
        if self._is_over:
            return True
        if time.monotonic() >= link.read_at:
            link.read()
        if not link.is_over and link.state == states.NOT_AUTHORIZED and self._is_visible(link):
            self._serve(link)
        self._publish()
        # Without time to wait, one code is requested for each.
        return link.is_over or not self._waiting.timeout

    def _is_visible(self, link: LinkProgress) -> bool:
        """Whether a person would see its code: a terminal shows one instance after the other."""
        return self._folder is not None or self._terminal is None or self._is_next(link)

    def _is_next(self, link: LinkProgress) -> bool:
        waiting = (one for one in self._links if not one.is_over and one.state == states.NOT_AUTHORIZED)
        return not self._waiting.timeout or link is next(waiting, None)

    def _serve(self, link: LinkProgress) -> None:
        """Show a code that can be used now, after requesting one where it is due."""
        if self._codes.may_request(link):
            if time.monotonic() >= link.ask_at:
                self._codes.request(link)
        elif link.active is None:
            # A phone may have used the last code since the state was read.
            link.read()
            if link.state == states.NOT_AUTHORIZED:
                link.end("pending", self._exhausted(link))
        if link.active and not link.active.is_alive:
            link.active = None
        if link.active and self._terminal and self._is_next(link):
            self._terminal.show(link, link.active.code, self._method)

    def _publish(self) -> None:
        """Hand the page as it is now to the folder, when the folder is due for one."""
        with self._publishing:
            if self._folder and not self._is_over and self._folder.is_due():
                self._folder.show(self._page())

    # The end

    def _stop(self) -> None:
        """End the task before its time: no code stays in the folder."""
        self._finish("the task was stopped before a phone was linked")

    def _finish(self, stopped: str = "") -> None:
        self._is_over = True
        # Copies, because a step that is still under way would change the originals.
        self._links = [dataclasses.replace(link) for link in self._links]
        for link in self._links:
            if link.is_over:
                continue
            if stopped:
                link.end("pending", FleetError("timeout", stopped))
            elif self._waiting.timeout:
                link.end("pending", self._overdue(link))
            elif link.refusal and link.active is None:
                link.end("failed", link.refusal)
        with self._publishing:
            if self._folder:
                self._folder.show(self._page())

    def _exhausted(self, link: LinkProgress) -> FleetError:
        reason = f"{link.codes} codes ran out unused, and max_codes allows no more"
        return FleetError("timeout", f"{reason}{_last_refusal(link)}; {self._again()}, or raise max_codes")

    def _overdue(self, link: LinkProgress) -> FleetError:
        reason = f"no phone within {self._waiting.timeout:g} s"
        if link.observation.error:
            reason += f": {link.observation.error.message}"
        elif link.state != states.NOT_AUTHORIZED:
            reason += f": it is {link.state}; {states.remedy_for(link.state)}"
        elif link.codes:
            reason += ": none of its codes was used in time"
        message = f"{reason}{_last_refusal(link)}; {self._again()}"
        return FleetError(
            "timeout", message, cause=link.observation.error.cause if link.observation.error else link.state
        )

    def _again(self) -> str:
        return f"have {self._folder.page} open and run it again" if self._folder else "run it again"

    # Page, log and result

    def _page(self) -> Page:
        return Page(
            cards=[self._card(link) for link in self._links if not link.is_over],
            linked=[link.name for link in self._links if link.state == states.AUTHORIZED],
            lost=[(link.name, link.error.message) for link in self._links if link.error],
            is_over=self._is_over,
            wait_seconds=self._waiting.timeout,
            ends_at=self._ends_at,
        )

    def _card(self, link: LinkProgress) -> Card:
        active, target = link.active, link.target
        note = ""
        if link.observation.error:
            note = link.observation.error.message
        elif link.state != states.NOT_AUTHORIZED:
            note = f"{link.state}: {states.remedy_for(link.state)}"
        return Card(
            anchor=link.anchor,
            name=link.name,
            id=target.credentials.id,
            provider=target.gateway.provider,
            image=active.code.image if active and self._method == "qr" else None,
            text=active.code.text if active and self._method == "code" else None,
            phone=link.phone if self._method == "code" else None,
            since=active.since if active else 0.0,
            life=active.life if active else 0.0,
            note=note,
            refusal=link.refusal.message if link.refusal else "",
        )

    def _describe(self) -> str:
        left = [(link.target.label, link.observation) for link in self._links if not link.is_over]
        where = f"; open {self._folder.page}" if self._folder else ""
        states_of_left = by_state(left, shown=3)
        return f"{len(left):,} of {len(self._links):,} instances wait for a phone: {states_of_left}{where}"

    def _report(self) -> dict[str, Any]:
        links = self._links
        page = self._folder.page if self._folder else None
        result = report(
            links,
            changed=any(link.action in ("linked", "would_link") for link in links),
            after=[states.AUTHORIZED if link.action == "would_link" else link.state for link in links],
            done="linked",
            verdict=" was not linked",
        )
        return result | {"page": page, "instances": [self._as_result(link) for link in links]}

    def _as_result(self, link: LinkProgress) -> dict[str, Any]:
        code = link.active.code if link.active else LinkingCode()
        return link.as_result() | {
            "code": code.text if code.text and self._display.output.may_return(code.text) else None,
            "file": self._folder.image(link.anchor) if self._folder and code.image else None,
        }


def _last_refusal(link: LinkProgress) -> str:
    return f". {link.refusal.message}" if link.refusal else ""
