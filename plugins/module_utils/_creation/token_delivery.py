# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivering tokens to the user: in the result if Ansible doesn't print them, or in a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._common.errors import UsageError
from .credentials_content import find_token
from .handover import Handover
from .plan import Plan
from .result import Action, Result

# Actions after which an instance's token, if the gateway tells it, goes into the file.
_DELIVERED: tuple[Action, ...] = ("adopted", "unchanged", "would_create")


@dataclass
class TokenDelivery(Handover):
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

    @contextlib.contextmanager
    def room_for(self, plans: Sequence[Plan]) -> Iterator[None]:
        """:raises UsageError: if the file can't take the tokens of what is to be created; nothing was created."""
        if self.file is None or not any(plan.action == "would_create" for plan in plans):
            yield
            return
        with self.file.reserved([(plan.slot, plan.instance) for plan in plans if plan.action in _DELIVERED]):
            yield

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
