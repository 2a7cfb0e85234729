# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivering new tokens to the user: in the result if Ansible doesn't print them, or in a file."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from .._common.errors import UsageError
from .._common.masking import SecretOutput
from .._common.texts import join_first
from .._vendors.gateway import Instance
from .credentials import CredentialsFile
from .credentials_content import Slot, find_token
from .plan import Plan
from .result import Action, Result

# Actions after which an instance's token, if the gateway tells it, goes into the file.
_DELIVERED: tuple[Action, ...] = ("adopted", "unchanged", "would_create")


@dataclass(kw_only=True)
class TokenDelivery:
    """Delivers tokens in the result, as far as ``output`` allows that, and in the ``file``."""

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

    def reserved(self, found: Sequence[tuple[Slot, Instance | None]]) -> AbstractContextManager[None]:
        """Keep room in the file for the tokens of ``found``, which aren't there yet.

        :raises UsageError: if the file can't take them.
        """
        return self.file.reserved(found) if self.file and found else contextlib.nullcontext()

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


@dataclass
class CreationDelivery(TokenDelivery):
    """Delivers the tokens of a creation's results.

    With ``returns_tokens=False``, the task's result has none: without a file, the gateway's listing must show them.
    """

    returns_tokens: bool = True

    def refusal(self, *, is_listed: bool) -> UsageError | None:
        """Why the token of a new instance would be printed or lost; ``None`` if it is safe to ask for.

        ``is_listed`` tells whether the gateway lists the account's instances, with their tokens.
        """
        if self.file:
            return None
        if not self.output.is_safe:
            return UsageError(
                "there is no safe way to deliver a new instance's token, so none is created: set no_log: true on this "
                "task, or give credentials_file (in the role: provision_no_log, provision_credentials_file)"
            )
        if not self.returns_tokens and not is_listed:
            return UsageError(
                "the token of a new instance would be lost, so none is created: the gateway lists no instances, and "
                "would not show the token again; give credentials_file (in the role: provision_credentials_file)"
            )
        return None

    def delivers(self, result: Result) -> bool:
        """Whether the result's token reaches the user."""
        token = result.instance.token if result.instance else None
        if token is None or result.error:
            return False
        return self.file is not None or (self.returns_tokens and self.output.may_return(token))

    def without_conflicts(self, plans: Sequence[Plan]) -> list[Plan]:
        """Fail each plan whose slot in the file has another instance's entry.

        :raises UsageError: if the file can't be read.
        """
        if self.file is None:
            return list(plans)
        content, checked = self.file.read(), []
        for plan in plans:
            conflict = None
            if plan.action in _DELIVERED:
                conflict = self.file.conflict(content, plan.slot, plan.instance)
            checked.append(plan.failed(conflict) if conflict else plan)
        return checked

    def room_for(self, plans: Sequence[Plan]) -> AbstractContextManager[None]:
        """:raises UsageError: if the file can't take the tokens of what is to be created; nothing was created."""
        creates = any(plan.action == "would_create" for plan in plans)
        return self.reserved([(plan.slot, plan.instance) for plan in plans if creates and plan.action in _DELIVERED])

    def write_at_once(self, result: Result) -> None:
        """Write a new token immediately, because the process may be killed."""
        if result.instance:
            self.write_early(result.plan.slot, result.instance)

    def restore_tokens(self, results: Sequence[Result]) -> list[Result]:
        """Take tokens that the gateway doesn't show again from the file.

        :raises UsageError: if the file can't be read.
        """
        content = self.file.read() if self.file else {}

        def restored(result: Result) -> Result:
            if result.instance is None or result.has_token:
                return result
            account = result.entry.account if result.entry else None
            return result.with_token(find_token(content, result.plan.slot, result.instance.id, account))

        return [restored(result) for result in results]

    def write_credentials(self, results: Sequence[Result]) -> list[Result]:
        """Write the tokens into the file. If that fails, the instances exist, but their results are failures."""
        found = [
            (result.plan.slot, result.instance)
            for result in results
            if result.instance and result.has_token and result.action != "failed"
        ]
        try:
            self.write(found)
        except UsageError as error:
            return [one.failed(error) if one.instance and not one.error else one for one in results]
        return list(results)

    def strip_tokens(self, results: Sequence[Result]) -> list[Result]:
        """Remove the tokens that must not be in the module's result."""

        def strip_token(result: Result) -> Result:
            token = result.instance.token if result.instance else None
            return result if token is None or self.output.may_return(token) else result.with_token(None)

        return [strip_token(result) for result in results]
