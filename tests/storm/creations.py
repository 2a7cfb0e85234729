# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The creations of a storm, and what their runs have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.msgops.fleet.tests.storm.circumstances import Disk

FULFILLED = ("created", "adopted", "unchanged")
# What is said of a name by a run that was killed, by one that failed as a whole, and by one that took another account's
# instance for its own and told the user that this may be so.
KILLED, REFUSED, MISTAKEN = "(killed)", "(refused)", "(mistaken)"
SAYINGS = (*FULFILLED, "failed", "unknown", REFUSED, MISTAKEN, KILLED)


@dataclass(eq=False)
class Ground:
    """What the runs of some creations have in common.

    ``account`` is the account's name at the emulator, ``options`` are further options of the module.
    """

    journal: str
    credentials_file: Path
    api_url: str
    account: str = "default"
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    disk: Disk | None = None

    def key(self, name: str) -> str:
        """What an instance's entry in the credentials file is called."""
        return f"{self.options['account']}/{name}" if "account" in self.options else name


@dataclass(eq=False)
class Creation:
    """One name, what happens to it, and what the runs said of it.

    ``message`` is the last error's. ``lies`` are what the gateway's record contradicts. ``warned`` tells whether the
    user learned that its token was not delivered.
    """

    name: str
    fault: str
    ground: Ground
    said: list[str] = field(default_factory=list)
    message: str = ""
    lies: list[str] = field(default_factory=list)
    warned: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What makes it one: the account, and the name in it."""
        return (self.ground.account, self.name)

    @property
    def is_excused(self) -> bool:
        """Whether its token was in a response that no run could read, and a run warned of that."""
        return self.warned and ("unknown" in self.said or KILLED in self.said)

    @property
    def is_fulfilled(self) -> bool:
        """Whether the last run that said anything found the instance."""
        return bool(self.said) and self.said[-1] in FULFILLED


Batch = list[Creation]


def move(batch: Batch, ground: Ground) -> None:
    """Give these creations another ground."""
    for creation in batch:
        creation.ground = ground
