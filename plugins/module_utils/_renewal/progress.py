# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One instance on its way to a new token."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .._common.errors import FleetError
from .._creation.credentials_content import Slot
from .._fleet.outcome import Outcome
from .._vendors.accounts import Account
from .._vendors.gateway import Instance

Action = Literal["rotated", "unchanged", "would_rotate", "failed", "unknown"]


@dataclass(kw_only=True)
class Renewal(Outcome[Action]):
    """One instance. ``target`` has the token that the task gives.

    ``listed`` is the instance as its account's listing shows it, ``current`` the token that works before the renewal,
    ``new`` the one that the user gets. ``is_due`` tells whether it shall get a new token, ``is_found`` whether an
    earlier task has renewed it and never got the answer. ``was_sent`` tells whether this task sent a request, ``doubt``
    is the error that leaves open whether it arrived, ``proof`` why the new token doesn't work.
    """

    account: Account
    api_url: str
    action: Action = "unchanged"
    listed: Instance | None = field(default=None, repr=False)
    current: str = field(default="", repr=False)
    new: str | None = field(default=None, repr=False)
    is_due: bool = False
    is_found: bool = False
    was_sent: bool = False
    doubt: FleetError | None = None
    proof: FleetError | None = None

    @property
    def slot(self) -> Slot:
        """Where its token goes in the credentials file: under the name of the listing, as a creation's does."""
        name = (self.listed.name if self.listed else "") or self.target.credentials.id
        return Slot(self.gateway.provider, name, self.api_url, account=self.account.name)

    @property
    def instance(self) -> Instance:
        """The instance with its new token, or without one as long as there is none."""
        return Instance(self.target.credentials.id, self.slot.name, self.new)

    @property
    def is_changed(self) -> bool:
        """Whether it has a new token (or would get one), as far as is known."""
        return self.is_found or self.was_sent or self.action == "would_rotate"

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it; ``new`` is ``None`` if the result must not hold it."""
        account = {"account": self.account.name} if self.account.name else {}
        return {**account, **super().as_result(), "api_url": self.api_url, "token": self.new}
