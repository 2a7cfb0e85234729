# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gateways' instances and the codes that link them to a phone."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .accounts import GREEN_API, PLUGZAPI
from .errors import Invalid
from .rate_limit import RateLimit
from .stateful import Stateful

CREATING = "creating"
STARTING = "starting"
AUTHORIZED = "authorized"
NOT_AUTHORIZED = "notAuthorized"
CONNECTED = "connected"
DISCONNECTED = "disconnected"
DELETED = "deleted"


@dataclass(slots=True, eq=False)
class Code:
    """A QR code or a pairing code, valid until ``expires``; ``phone`` is the number that a pairing code is for."""

    text: str
    expires: float
    phone: str


@dataclass(slots=True)
class Instance(Stateful):
    """One WhatsApp account at a gateway.

    Listings leave a new instance out until ``visible_at``, and the first ``hidden_listings`` after that, too.
    ``codes`` holds the current codes by kind (``qr``, ``pairing``), ``codes_made`` counts all since the last restart.
    The next request for a code is refused with the text of ``refusal``, where there is one. ``planned`` holds changes
    of settings, and the times from which the gateway shows them. ``unlinkings`` counts the requests to unlink the
    phone, which is forgotten at ``unlinks_at``.
    """

    token: str = ""
    phone: str = ""
    visible_at: float = 0.0
    hidden_listings: int = 0
    codes: dict[str, Code] = field(default_factory=dict)
    codes_made: int = 0
    refusal: str = ""
    planned: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    unlinkings: int = 0
    unlinks_at: float | None = None

    provider: ClassVar[str]
    linked: ClassVar[str]
    unlinked: ClassVar[str]

    def advance_to(self, now: float) -> Any:
        Stateful.advance_to(self, now)
        while self.planned and self.planned[0][0] <= now:
            self.shown_settings.update(self.planned.pop(0)[1])
        if self.unlinks_at is not None and now >= self.unlinks_at:
            self.phone, self.unlinks_at = "", None
        if self.state == self.linked and not self.phone:
            self.phone = random_phone()
        return self.state

    @property
    def shown_settings(self) -> dict[str, Any]:
        """The settings as the gateway shows them; those with their default may be missing."""
        raise NotImplementedError

    def change_settings(self, changes: dict[str, Any], at: float) -> None:
        """Show ``changes`` from the time ``at`` on, and not before those that were made earlier."""
        self.planned.append((max(at, self.planned[-1][0] if self.planned else at), changes))

    def forget_codes(self) -> None:
        """Drop the codes and count from the first one again, as a restart does."""
        self.codes.clear()
        self.codes_made = 0
        self.refusal = ""

    def unlink(self, effect: str, at: float) -> None:
        """Unlink the phone at the time ``at``, or keep it as ``effect`` says, for good or until the second request."""
        self.unlinkings += 1
        if effect == "kept" or (effect == "kept_once" and self.unlinkings == 1):
            return
        self.unlinks_at = at
        self.forget_codes()
        self.become(self.state, [(at, self.unlinked)])

    def listed(self, now: float, *, count: bool) -> bool:
        """Return whether a listing shows the instance; ``count`` it as one of the ``hidden_listings`` if not."""
        if now < self.visible_at:
            return False
        if self.hidden_listings > 0:
            self.hidden_listings -= count
            return False
        return True

    def describe(self) -> dict[str, Any]:
        keys = ("provider", "name", "token", "state", "phone", "codes_made", "created", "pending")
        return {"account": self.account.name} | {key: getattr(self, key) for key in keys}


@dataclass(slots=True)
class GreenApiInstance(Instance):
    """``state`` is a state of GREEN-API, or ``creating``, ``expired`` or ``deleted``, for which the API has none."""

    id: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    deleted_at: float | None = None
    old_token: str = ""
    old_token_until: float = 0.0
    token_works_at: float = 0.0
    token_listed_at: float = 0.0
    limits: dict[str, RateLimit] = field(default_factory=dict)

    provider: ClassVar[str] = GREEN_API
    linked: ClassVar[str] = AUTHORIZED
    unlinked: ClassVar[str] = NOT_AUTHORIZED

    @property
    def shown_settings(self) -> dict[str, Any]:
        return self.settings

    def accepts(self, token: str, now: float) -> bool:
        """Return whether requests with the token are carried out: a renewal may take time, on both sides."""
        if token == self.token:
            return now >= self.token_works_at
        return token == self.old_token != "" and now < self.old_token_until

    def listed_token(self, now: float) -> str:
        """Return the token that the partner's listing shows."""
        return self.token if now >= self.token_listed_at else self.old_token

    def advance_to(self, now: float) -> Any:
        Instance.advance_to(self, now)
        if self.state != DELETED:
            self.deleted_at = None
        elif self.deleted_at is None:
            self.deleted_at = now
        return self.state

    def describe(self) -> dict[str, Any]:
        return Instance.describe(self) | {"id": self.id, "deleted_at": self.deleted_at, "settings": self.settings}


@dataclass(slots=True)
class PlugzApiInstance(Instance):
    """``state`` is ``connected``, ``disconnected`` or ``deleted``; ``due`` is the end of the trial or the paid
    period.

    ``payment`` is the gateway's word for whether it is paid for, ``None`` if the gateway leaves it out. The words in
    ``payments`` replace it at their times. ``canceled_at`` is when the subscription was canceled.
    """

    id: str = ""
    due: float = 0.0
    subscribed: bool = False
    payment: str | None = "TRIAL"
    payments: list[tuple[float, str]] = field(default_factory=list)
    canceled_at: float | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    provider: ClassVar[str] = PLUGZAPI
    linked: ClassVar[str] = CONNECTED
    unlinked: ClassVar[str] = DISCONNECTED

    @property
    def shown_settings(self) -> dict[str, Any]:
        return self.attributes

    def advance_to(self, now: float) -> Any:
        Instance.advance_to(self, now)
        while self.payments and self.payments[0][0] <= now:
            self.payment = self.payments.pop(0)[1]
        if now >= self.due and not self.subscribed and self.state != DELETED:
            self.become(DELETED)
        return self.state

    def describe(self) -> dict[str, Any]:
        keys = ("id", "due", "subscribed", "payment", "canceled_at", "attributes")
        return Instance.describe(self) | {key: getattr(self, key) for key in keys}

    def subscribe(self, word: str, due: float, shown_at: float) -> None:
        """Have it paid for until ``due``; the gateway shows ``word`` from ``shown_at`` on."""
        self.subscribed, self.due, self.canceled_at = True, due, None
        self.payments = [(shown_at, word)]

    def cancel(self, word: str, now: float, shown_at: float) -> None:
        """End the subscription; the instance lives until its due date."""
        self.subscribed, self.canceled_at = False, now
        self.payments = [(shown_at, word)]


AnyInstance = GreenApiInstance | PlugzApiInstance


def check_state(provider: str, state: Any) -> None:
    """Raise Invalid unless the provider has the state; GREEN-API may add states, so any word is accepted for it."""
    if provider == PLUGZAPI and state not in (CONNECTED, DISCONNECTED, DELETED):
        raise Invalid(f"state {state!r} is not one of {CONNECTED}, {DISCONNECTED}, {DELETED}")
    if not isinstance(state, str) or not state:
        raise Invalid(f"state {state!r} is not a word")


def random_phone() -> str:
    """Return a telephone number, in digits with its country code."""
    return "55449" + "".join(random.choices(string.digits, k=8))
