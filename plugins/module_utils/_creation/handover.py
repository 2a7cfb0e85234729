# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How new tokens reach the user: in the result if Ansible doesn't print them, or in a file."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from .._common.errors import UsageError
from .._common.masking import SecretOutput
from .._common.texts import join_first
from .._vendors.gateway import Instance
from .credentials import CredentialsFile
from .credentials_content import Slot


@dataclass(kw_only=True)
class Handover:
    """Hands tokens over in the result, as far as ``output`` allows that, and in the ``file``."""

    output: SecretOutput
    file: CredentialsFile | None = None
    warnings: list[str] = field(default_factory=list)

    def check(self) -> None:
        """:raises UsageError: if the file can't be used."""
        if self.file:
            self.file.check()

    def failure(self) -> UsageError | None:
        """The error after which no more tokens must be made."""
        return self.file.failure() if self.file else None

    def write_early(self, slot: Slot, instance: Instance) -> None:
        """Write a new token immediately, because the process may be killed."""
        if self.file:
            with contextlib.suppress(UsageError):  # write tries it again, and reports the error
                self.file.merge([(slot, instance)])

    def write(self, found: Sequence[tuple[Slot, Instance]]) -> None:
        """Write the tokens of ``found`` into the file, for the last time.

        :raises UsageError: if it could not be changed; the message says where the tokens are.
        """
        if self.file and found:
            self._warn_of_outdated(self.file.deliver(found))

    def _warn_of_outdated(self, slots: Sequence[Slot]) -> None:
        if slots:
            keys = join_first([f"{slot.name} (now {slot.key})" for slot in slots])
            self.warnings.append(
                "credentials_file has entries from before their account got its name, which are kept but not updated "
                f"any more: {keys}. Read the new ones, then remove the old ones"
            )
