# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""KooPhone's cloud phones, and the telephone numbers that PlugzAPI can register."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from .stateful import Stateful


@dataclass(slots=True)
class Phone(Stateful):
    """One KooPhone cloud phone; ``state`` is the vendor's number for its status."""

    id: str = ""

    def describe(self) -> dict[str, Any]:
        return {
            "account": self.account.name,
            "id": self.id,
            "name": self.name,
            "status": self.state,
            "created": self.created,
            "pending": self.pending,
        }


@dataclass(slots=True)
class Number:
    """What PlugzAPI's registration says about a telephone number; ``onboardings``: the times at which it was asked."""

    ddi: str
    phone: str
    result: str = "available"
    reason: str = "unknown error"
    appeal_token: str = ""
    sms_wait_seconds: int = 0
    voice_wait_seconds: int = 0
    wa_old_wait_seconds: int = 0
    wa_old_eligible: bool = True
    onboardings: list[float] = field(default_factory=list)

    RESULTS: ClassVar[tuple[str, ...]] = ("available", "banned", "error")

    def describe(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}
