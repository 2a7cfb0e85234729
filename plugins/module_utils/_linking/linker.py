# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linking phones: show a person each instance's code for as long as it holds, until the instance is authorized."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from .._common import states
from .._common.errors import Delivery, FleetError, UsageError, failed, failure_result
from .._common.masking import SecretOutput
from .._common.polling import poll
from .._fleet.observation import Observation, Target, observe, read
from .._fleet.watching import WaitPolicy
from .._http.transport import RequestBudget
from .._vendors.gateway import CodePolicy, LinkingCode
from . import qr
from .code_folder import CodeFolder
from .page import Card, Page, spell

Method = Literal["qr", "code"]
Action = Literal["linked", "already_authorized", "pending", "would_link", "failed"]

# Seconds. For how long a gateway may give no code before that is final, and how soon it is asked again at the latest.
_NO_CODE_TIMEOUT = 20.0
_RETRY_AFTER_REFUSAL = 15.0
# Between two looks at what is due for an instance.
_TICK = 1.0
# Between two lines that say the same.
_REMINDER = 30.0


@dataclass(frozen=True)
class LinkRequest:
    """An instance that shall be linked; ``phone`` is the number that a pairing code is for."""

    target: Target
    phone: str | None


@dataclass(frozen=True)
class CodeDisplay:
    """How a person gets to see the codes.

    ``folder`` is for a page and images, ``draw`` shows text on the terminal of somebody who watches, and ``output``
    decides whether a code may be in the result.
    """

    folder: str | None = None
    draw: Callable[[str], None] | None = None
    output: SecretOutput = field(default_factory=SecretOutput)


@dataclass(frozen=True)
class ActiveCode:
    """A code that a person can use now, as far as is known; times in seconds since 1970."""

    code: LinkingCode = field(repr=False)
    since: float
    until: float

    @property
    def is_alive(self) -> bool:
        """Whether the code can still be used."""
        return time.time() < self.until


@dataclass
class LinkProgress:
    """One instance on its way to a phone; the times are those of ``time.monotonic()``.

    ``codes`` counts the codes that it had. ``refusal`` is what the gateway said last instead of one, and it has given
    none since ``refused_at``.
    """

    request: LinkRequest
    before: Observation
    observation: Observation
    budget: RequestBudget
    action: Action = "pending"
    error: FleetError | None = None
    is_over: bool = False
    active: ActiveCode | None = None
    codes: int = 0
    refusal: FleetError | None = None
    refused_at: float | None = None
    read_at: float = 0.0
    ask_at: float = 0.0

    @property
    def target(self) -> Target:
        """The instance, and the gateway that knows it."""
        return self.request.target

    @property
    def name(self) -> str:
        """The instance as a person knows it."""
        return self.target.name or self.target.credentials.id

    @property
    def anchor(self) -> str:
        """The instance as a file and a page name it."""
        return f"{self.target.gateway.provider}-{quote(self.target.credentials.id, safe='')}"

    @property
    def state(self) -> str | None:
        """Its state, ``None`` as long as it can't be read."""
        return self.observation.state

    def end(self, action: Action, error: FleetError | None = None) -> None:
        """It won't change any more."""
        self.action, self.error, self.is_over, self.active = action, error, True, None


class Linker:
    """One task's links. Without a time-out of ``waiting``, each instance is asked for one code."""

    def __init__(
        self,
        method: Method,
        display: CodeDisplay,
        waiting: WaitPolicy,
        *,
        max_codes: int | None,
        concurrency: int,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self._method = method
        self._display = display
        self._waiting = waiting
        self._max_codes = max_codes
        self._concurrency = concurrency
        self._progress = progress
        self._links: list[LinkProgress] = []
        self._folder = CodeFolder(display.folder, self._page) if display.folder else None
        self._is_over = False
        self._drawn: LinkingCode | None = None
        self._told: tuple[str, float] = ("", 0.0)

    def predict(self, requests: Sequence[LinkRequest]) -> dict[str, Any]:
        """The module's result in check mode: who would need linking. Asks for no code.

        :raises UsageError: if nobody would see the codes.
        """
        self._check_display()
        self._begin(requests, None)
        for link in self._links:
            if not link.is_over and link.state in (states.NOT_AUTHORIZED, states.CREATING):
                link.end("would_link")
        return self._report()

    def link(self, requests: Sequence[LinkRequest]) -> dict[str, Any]:
        """The module's result, with what became of each. The failure of one doesn't keep the others from being linked.

        :raises UsageError: if nobody would see the codes; none was asked for.
        """
        self._check_display()
        deadline = time.monotonic() + self._waiting.timeout if self._waiting.timeout else None
        self._begin(requests, deadline)
        pending = [link for link in self._links if not link.is_over]
        if pending:
            with self._folder.opened([link.anchor for link in pending]) if self._folder else contextlib.nullcontext():
                try:
                    self._tell()
                    poll(
                        pending,
                        self._step,
                        workers=self._concurrency,
                        interval=min(_TICK, self._waiting.interval),
                        deadline=deadline,
                        progress=self._tell,
                    )
                finally:
                    self._is_over = True
                    # Copies, because a step that is still under way doesn't know that it is over.
                    self._links = [dataclasses.replace(link) for link in self._links]
                    for link in self._links:
                        self._conclude(link)
        return self._report()

    def _check_display(self) -> None:
        # The result is there when the waiting is over, and then a code is of no use.
        is_returned = self._method == "code" and not self._waiting.timeout and self._display.output.is_safe
        if not (self._folder or self._display.draw or is_returned):
            raise UsageError(
                "nobody would see the codes, so none is asked for: give dest, a folder for a page that shows them, or "
                "run it in a terminal with terminal: true"
            )

    # What is known

    def _begin(self, requests: Sequence[LinkRequest], deadline: float | None) -> None:
        observations = observe([request.target for request in requests], concurrency=self._concurrency)
        read_at = time.monotonic() + self._waiting.interval
        for request, observation in zip(requests, observations, strict=True):
            link = LinkProgress(request, observation, observation, RequestBudget(deadline), read_at=read_at)
            self._links.append(link)
            _end_by_state(link, "already_authorized")

    def _read(self, link: LinkProgress) -> None:
        observation = read(link.target, link.budget)
        if observation.reading is None and link.budget.remaining() == 0:
            return  # cut short by the end of the waiting: the last state that was seen says more
        link.observation = observation
        link.read_at = time.monotonic() + self._waiting.interval
        _end_by_state(link, "linked")

    # Codes

    def _step(self, link: LinkProgress) -> bool:
        if self._is_over:
            return True
        if time.monotonic() >= link.read_at:
            self._read(link)
        if not link.is_over and link.state == states.NOT_AUTHORIZED and self._is_visible(link):
            self._serve(link)
        if self._folder:
            self._folder.update()
        # Without time to wait, each is asked for one code.
        return link.is_over or not self._waiting.timeout

    def _is_visible(self, link: LinkProgress) -> bool:
        """Whether somebody would see its code: a terminal has room for one instance after the other."""
        return self._folder is not None or self._display.draw is None or self._is_next(link)

    def _is_next(self, link: LinkProgress) -> bool:
        waiting = (one for one in self._links if not one.is_over and one.state == states.NOT_AUTHORIZED)
        return not self._waiting.timeout or link is next(waiting, None)

    def _serve(self, link: LinkProgress) -> None:
        """Have the code at hand that a person can use now."""
        policy = self._policy(link)
        limit = policy.limit if self._max_codes is None else self._max_codes or None
        if limit is None or link.codes < limit:
            if time.monotonic() >= link.ask_at:
                self._ask(link, policy)
        elif link.active is None:
            # The phone may have used the last code since the state was read.
            self._read(link)
            if link.state == states.NOT_AUTHORIZED:
                link.end("pending", self._exhausted(link))
        if link.active and not link.active.is_alive:
            link.active = None
        if link.active and self._display.draw and self._is_next(link) and link.active.code is not self._drawn:
            self._drawn = link.active.code
            self._draw(link, link.active.code, self._display.draw)

    def _policy(self, link: LinkProgress) -> CodePolicy:
        gateway = link.target.gateway
        return gateway.qr_policy if self._method == "qr" else gateway.pairing_policy

    def _ask(self, link: LinkProgress, policy: CodePolicy) -> None:
        try:
            code = self._request(link)
        except FleetError as error:
            if link.budget.remaining():
                self._go_without(link, policy, error)
            return
        link.ask_at = time.monotonic() + policy.interval
        link.refused_at = None
        if link.refusal and link.refusal.code != "vendor":
            link.refusal = None
        if code is None:
            # A phone is linked; its state will tell.
            link.active, link.read_at = None, 0.0
            return
        now = time.time()
        if link.active and link.active.code == code:
            # Who gives it again says that it holds, at least until it is asked for the next time.
            link.active = dataclasses.replace(
                link.active, until=max(link.active.until, now + min(2 * policy.interval, policy.life))
            )
            link.codes += policy.limit is not None
        else:
            link.active = ActiveCode(code, now, now + policy.life)
            link.codes += 1

    def _request(self, link: LinkProgress) -> LinkingCode | None:
        gateway, credentials = link.target.gateway, link.target.credentials
        if self._method == "code":
            return gateway.request_pairing_code(credentials, link.budget, link.request.phone or "")
        code = gateway.request_qr_code(credentials, link.budget, as_text=self._display.draw is not None)
        if code and code.text and self._folder:
            return dataclasses.replace(code, image=qr.as_png(code.text))
        return code

    def _go_without(self, link: LinkProgress, policy: CodePolicy, error: FleetError) -> None:
        now = time.monotonic()
        link.refusal = error
        link.ask_at = now + min(policy.interval, _RETRY_AFTER_REFUSAL)
        if policy.limit is not None and error.delivery is Delivery.UNKNOWN:
            link.codes += 1  # the vendor may have made one
        if error.code == "vendor":
            # This may be about the last phone that tried, and then the next answer is a code again.
            link.active = None
            link.refused_at = link.refused_at or now
            if now - link.refused_at < _NO_CODE_TIMEOUT:
                return
        elif error.retryable or error.transient:
            if error.delivery is Delivery.REFUSED:
                # It is starting: a phone has used the code.
                link.active, link.read_at = None, 0.0
            return
        link.end("failed", error)

    def _draw(self, link: LinkProgress, code: LinkingCode, draw: Callable[[str], None]) -> None:
        label, provider = link.target.label, link.target.gateway.provider
        if self._method == "code":
            draw(f"{label} at {provider}: type {spell(code.text or '')} on the phone +{link.request.phone}")
        elif code.text:
            draw(f"{label} at {provider}: scan this code\n{qr.as_lines(code.text)}")
        elif self._folder:
            draw(f"{label} at {provider}: scan the picture {self._folder.image(link.anchor)}")
        else:
            link.end("failed", UsageError(f"{provider} gives pictures, which a terminal can't show; give dest"))

    # The end

    def _conclude(self, link: LinkProgress) -> None:
        if link.is_over:
            return
        if self._waiting.timeout:
            link.end("pending", self._overdue(link))
        elif link.refusal and link.active is None:
            link.end("failed", link.refusal)

    def _exhausted(self, link: LinkProgress) -> FleetError:
        reason = f"{link.codes} codes ran out unused, and max_codes allows no more"
        return FleetError("timeout", f"{reason}{_last_word(link)}; {self._again()}, or raise max_codes")

    def _overdue(self, link: LinkProgress) -> FleetError:
        reason = f"no phone within {self._waiting.timeout:g} s"
        if link.observation.error:
            reason += f": {link.observation.error.message}"
        elif link.state != states.NOT_AUTHORIZED:
            reason += f": it is {link.state}; {states.remedy_for(link.state)}"
        elif link.codes:
            reason += ": none of its codes was used in time"
        return FleetError("timeout", f"{reason}{_last_word(link)}; {self._again()}")

    def _again(self) -> str:
        return f"have {self._folder.page} open and run it again" if self._folder else "run it again"

    # Telling

    def _page(self) -> Page:
        lost = [(link.name, link.error.message) for link in self._links if link.error]
        linked = [link.name for link in self._links if link.state == states.AUTHORIZED]
        return Page(
            cards=[self._card(link) for link in self._links if not link.is_over],
            linked=linked,
            lost=lost,
            is_over=self._is_over,
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
            phone=link.request.phone if self._method == "code" else None,
            since=active.since if active else 0.0,
            life=active.until - active.since if active else 0.0,
            note=note,
            refusal=link.refusal.message if link.refusal else "",
        )

    def _tell(self) -> None:
        left = sum(not link.is_over for link in self._links)
        where = f"; open {self._folder.page}" if self._folder else ""
        line = f"{left} of {len(self._links)} instances wait for a phone{where}"
        now = time.monotonic()
        if self._progress and (line != self._told[0] or now - self._told[1] >= _REMINDER):
            self._told = (line, now)
            self._progress(line)

    def _report(self) -> dict[str, Any]:
        links = self._links
        result: dict[str, Any] = {
            "changed": any(link.action in ("linked", "would_link") for link in links),
            "instances": [self._as_result(link) for link in links],
            "summary": {
                "total": len(links),
                "authorized": sum(link.state == states.AUTHORIZED for link in links),
                "by_action": dict(sorted(collections.Counter(link.action for link in links).items())),
            },
            "page": self._folder.page if self._folder else None,
            "diff": _diff(links),
        }
        failures = [(link.target.label, link.error) for link in links if link.error]
        if len(failures) == 1:
            label, error = failures[0]
            return result | failed(f"{label} was not linked: {error.message}", error)
        return result | (failure_result("instances", "linked", failures) if failures else {})

    def _as_result(self, link: LinkProgress) -> dict[str, Any]:
        code = link.active.code if link.active else LinkingCode()
        target = link.target
        return {
            "id": target.credentials.id,
            "name": target.name,
            "provider": target.gateway.provider,
            "state": link.state,
            "authorized": link.state == states.AUTHORIZED,
            "action": link.action,
            "code": code.text if code.text and self._display.output.may_return(code.text) else None,
            "file": self._folder.image(link.anchor) if self._folder and code.image else None,
            "error": link.error.as_item_error() if link.error else None,
        }


def _end_by_state(link: LinkProgress, arrived: Action) -> None:
    """End what the state ends."""
    observation = link.observation
    if link.state == states.AUTHORIZED:
        link.end(arrived)
    elif observation.error and observation.is_final:
        link.end("failed", observation.error)
    elif link.state and states.health_for(link.state) in ("degraded", "failed"):
        link.end("failed", FleetError("vendor", f"it is {link.state}; {states.remedy_for(link.state)}"))
    elif link.state not in (None, states.NOT_AUTHORIZED):
        # A phone has used the code, or there can't be one yet.
        link.active = None


def _last_word(link: LinkProgress) -> str:
    return f". {link.refusal.message}" if link.refusal else ""


def _diff(links: Sequence[LinkProgress]) -> dict[str, str]:
    def lines(states: Iterable[str | None]) -> str:
        pairs = zip(links, states, strict=True)
        return "".join(f"{link.target.gateway.provider} {link.target.label}: {state}\n" for link, state in pairs)

    after = [states.AUTHORIZED if link.action == "would_link" else link.state for link in links]
    before = lines(link.before.state for link in links)
    return {"before": before, "after": lines(after), "before_header": "instances", "after_header": "instances"}
