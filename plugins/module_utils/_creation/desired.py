# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance that a task wants to exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._common.texts import one_line
from .._journal.entries import Key
from .._vendors.accounts import Account
from .._vendors.gateway import Gateway
from .credentials_content import credentials_key


@dataclass(frozen=True, eq=False)
class DesiredInstance:
    """An instance that is to exist: its name, its account, and the ``payload`` of the request that creates it."""

    name: str
    gateway: Gateway
    api_url: str
    account: Account
    payload: Mapping[str, Any] = field(repr=False)

    @property
    def key(self) -> Key:
        """What a run must have a lease on to work on it."""
        return Key(self.gateway.provider, self.name)

    @property
    def label(self) -> str:
        """NAME, or ACCOUNT/NAME if the account has a name, as in the credentials file."""
        return one_line(credentials_key(self.name, self.account.name))

    def __str__(self) -> str:
        return f"{self.gateway.provider} instance {self.label}"
