# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the tokens of new instances reach the user: in the result, if Ansible won't print them, or in a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from .._common.errors import UsageError
from .._common.masking import SecretOutput
from .._vendors.gateway import Instance
from .credentials import CredentialsFile, Slot, credentials_key
from .listing import Listing
from .plan import Action, DesiredInstance, Outcome

# Actions after which the token, if the gateway tells it, goes into the file.
_DELIVERED: tuple[Action, ...] = ("adopted", "unchanged", "would_create")


@dataclass(frozen=True)
class TokenDelivery:
    """How the tokens of instances leave the module.

    ``output`` decides whether they may be in the result; ``file`` is the other way.
    """

    output: SecretOutput
    file: CredentialsFile | None = None
    _slots: dict[DesiredInstance, Slot] = field(default_factory=dict)

    def check(self) -> None:
        """:raises UsageError: if the file can't be used."""
        if self.file:
            self.file.check()

    @property
    def is_safe(self) -> bool:
        """Whether the token of a new instance reaches the user without being printed."""
        return self.output.is_safe or self.file is not None

    def plan(self, planned: Sequence[Outcome], listing: Listing | None) -> None:
        """Find out where in the file each is to go."""
        deleted: frozenset[str] = listing.deleted if listing else frozenset()
        for outcome in planned:
            former = outcome.entry and outcome.entry.instance_id
            # Not one more copy for each instance of a fleet.
            gone = deleted | {former} if former and former not in deleted else deleted
            desired = outcome.desired
            key = credentials_key(desired.name, desired.account.name)
            self._slots[desired] = Slot(desired.gateway.provider, key, desired.api_url, gone)

    def without_conflicts(self, planned: Sequence[Outcome]) -> list[Outcome]:
        """Fail each instance whose entry in the file is another instance's.

        :raises UsageError: if the file can't be read.
        """
        if self.file is None:
            return list(planned)
        content = self.file.read()
        checked = []
        for outcome in planned:
            conflict = None
            if outcome.action in _DELIVERED:
                conflict = self.file.conflict(content, self._slots[outcome.desired], outcome.instance)
            checked.append(replace(outcome, action="failed", error=conflict) if conflict else outcome)
        return checked

    @contextlib.contextmanager
    def room_for(self, planned: Sequence[Outcome]) -> Iterator[None]:
        """:raises UsageError: if the file could not take what is to be created; nothing was created."""
        if self.file is None or not any(outcome.action == "would_create" for outcome in planned):
            yield
            return
        wanted = [(self._slots[o.desired], o.instance) for o in planned if o.action in _DELIVERED]
        with self.file.reserved(wanted):
            yield

    def failure(self) -> UsageError | None:
        """Why nothing more must be created."""
        return self.file.failure() if self.file else None

    def write_at_once(self, desired: DesiredInstance, instance: Instance) -> None:
        """Write a new token down, because the process may be killed."""
        if self.file:
            with contextlib.suppress(UsageError):  # tried once more for all, and reported then
                self.file.merge([(self._slots[desired], instance)])

    def restore_tokens(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """A gateway without a listing doesn't tell a token again, but the file may still know it.

        :raises UsageError: if the file can't be read.
        """
        known = self.file.read() if self.file else {}

        def restore_tokens(outcome: Outcome) -> Outcome:
            instance, desired = outcome.instance, outcome.desired
            if instance is None or instance.token is not None:
                return outcome
            entries = known.get(desired.gateway.provider, {})
            # Its account may have got its name later, or only elsewhere.
            account = outcome.entry.account if outcome.entry else None
            for key in (self._slots[desired].key, desired.name, credentials_key(desired.name, account)):
                credentials = entries.get(key, {})
                if credentials.get("id") == instance.id and isinstance(token := credentials.get("token"), str):
                    return replace(outcome, instance=replace(instance, token=token))
            return outcome

        return [restore_tokens(outcome) for outcome in outcomes]

    def strip_tokens(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The outcomes without those tokens that must not stand in the result."""

        def strip_tokens(outcome: Outcome) -> Outcome:
            instance = outcome.instance
            if instance is None or instance.token is None or self.output.may_return(instance.token):
                return outcome
            return replace(outcome, instance=replace(instance, token=None))

        return [strip_tokens(outcome) for outcome in outcomes]

    def write_credentials(self, strip_tokens: Sequence[Outcome], reconciled: Sequence[Outcome]) -> list[Outcome]:
        """Write the tokens into the file; where that fails the instance exists, but its task isn't done."""
        found = [
            (self._slots[outcome.desired], outcome.instance)
            for outcome in reconciled
            if outcome.instance and outcome.instance.token and outcome.action != "failed"
        ]
        if self.file is None or not found:
            return list(strip_tokens)
        try:
            self.file.deliver(found)
        except UsageError as error:
            return [replace(o, action="failed", error=error) if o.instance and not o.error else o for o in strip_tokens]
        return list(strip_tokens)


def has_token(outcome: Outcome) -> bool:
    """Whether the token of its instance is known."""
    return outcome.instance is not None and outcome.instance.token is not None
