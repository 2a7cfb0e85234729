# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one instance while a task waits for a phone to link to it."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from .._common import states
from .._common.errors import FleetError
from .._fleet.observation import Target
from .._fleet.progress import Progress
from .._vendors.gateway import LinkingCode

Action = Literal["linked", "already_authorized", "pending", "would_link", "failed"]


@dataclass(frozen=True)
class LinkRequest:
    """An instance to link; ``phone`` is the number that a pairing code is for."""

    target: Target
    phone: str | None


@dataclass(frozen=True)
class ActiveCode:
    """A code that a phone can use until ``expires_at``, on the clock that nobody sets (``time.monotonic()``).

    ``since``, in seconds since 1970, and ``life``, in seconds, are for the page, which a browser compares with its own
    clock.
    """

    code: LinkingCode = field(repr=False)
    since: float
    life: float
    expires_at: float

    @classmethod
    def begin(cls, code: LinkingCode, life: float) -> ActiveCode:
        """A code that the gateway gave just now."""
        return cls(code, time.time(), life, time.monotonic() + life)

    def prolong(self, seconds: float) -> ActiveCode:
        """The same code, which holds that long from now at least."""
        more = max(0.0, time.monotonic() + seconds - self.expires_at)
        return dataclasses.replace(self, life=self.life + more, expires_at=self.expires_at + more)

    @property
    def is_alive(self) -> bool:
        """Whether the code can still be used."""
        return time.monotonic() < self.expires_at


@dataclass(kw_only=True)
class LinkProgress(Progress[Action]):
    """One instance that a phone is to be linked to; the times are those of ``time.monotonic()``.

    ``codes`` counts the codes that the gateway gave. ``refusal`` is the gateway's last error instead of a code, and
    ``refused_at`` the time since which it has given none. The state is read next at ``read_at`` and every
    ``read_interval`` seconds, and a code is requested next at ``ask_at``.
    """

    phone: str | None
    read_interval: float
    read_at: float
    action: Action = "pending"
    active: ActiveCode | None = None
    codes: int = 0
    refusal: FleetError | None = None
    refused_at: float | None = None
    ask_at: float = 0.0

    @property
    def name(self) -> str:
        """The instance's name in the task, else its ID."""
        return self.target.name_or_id

    @property
    def anchor(self) -> str:
        """The instance's name in file names and in the page's addresses."""
        return f"{self.target.gateway.provider}-{quote(self.target.credentials.id, safe='')}"

    def end(self, action: Action, error: FleetError | None = None) -> None:
        """Set the action for good, and drop the code."""
        super().end(action, error)
        self.active = None

    def read(self) -> bool:
        """Read its state again, and end it where that state is final; false if the deadline cut that short."""
        is_read = super().read()
        if is_read:
            self.read_at = time.monotonic() + self.read_interval
            self.end_by_state("linked")
        return is_read

    def end_by_state(self, arrived: Action) -> None:
        """End it with ``arrived`` if it is authorized, and with a failure if no phone can be linked in its state."""
        if self.state == states.AUTHORIZED:
            self.end(arrived)
        elif self.observation.error and self.observation.is_final:
            self.end("failed", self.observation.error)
        elif self.state and states.health_for(self.state) in ("degraded", "failed"):
            message = f"it is {self.state}; {states.remedy_for(self.state)}"
            self.end("failed", FleetError("vendor", message, cause=self.state))
        elif self.state not in (None, states.NOT_AUTHORIZED):
            # A phone has used the code, or the instance can't have one yet.
            self.active = None
