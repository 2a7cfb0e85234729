# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of a provisioning task: create, pay, set, reboot, link, read. A failing item leaves the others alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .._common import states
from .._common.errors import FleetError, UsageError
from .._creation.provisioner import Provisioner
from .._creation.result import Result
from .._creation.result import report as report_creations
from .._ending.subscription import Subscriber, Subscription
from .._ending.subscription import report as report_subscriptions
from .._fleet.observation import Target, observe
from .._fleet.reboot import Rebooter
from .._fleet.watching import READ_ONCE, WaitPolicy
from .._linking.linker import Linker
from .._linking.progress import LinkRequest
from .._settings.applier import SettingsApplier
from .._settings.progress import SettingsProgress
from .._settings.report import report as report_settings
from .._settings.report import warnings as settings_warnings
from .._vendors.gateway import Credentials
from .._vendors.providers import GatewayCache
from .member import Identity, Member

Outcome = TypeVar("Outcome")

# Actions of instance_link on instances that had no phone when the stage began.
_PHONELESS = ("linked", "would_link", "pending")


@dataclass
class Stages:
    """What a task does to its members, and what it found; a stage that is ``None`` is left out.

    ``wants_authorized`` tells whether the task fails unless all are authorized. ``errors`` are the messages of stages
    that failed as a whole, before they came to single instances; ``explain`` makes a message of an error. ``diffs``
    are those of the stages, ``creations`` what the first one did.
    """

    provisioner: Provisioner
    rebooter: Rebooter | None
    linker: Linker | None
    applier: SettingsApplier | None
    subscriber: Subscriber | None
    waiting: WaitPolicy
    gateways: GatewayCache
    concurrency: int
    check_mode: bool
    wants_authorized: bool
    explain: Callable[[FleetError], str]
    progress: Callable[[str], None] | None = None
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    diffs: list[Any] = field(default_factory=list)
    creations: Sequence[Result] = ()
    changed: bool = False
    needed_phones: bool = False

    def run(self, members: Sequence[Member]) -> None:
        """Run all stages, in this order."""
        self._create([member for member in members if member.desired])
        if self.subscriber:
            self._subscribe(self.subscriber, members)
        if self.applier:
            self._apply_settings(self.applier, members)
        if self.rebooter:
            act = self.rebooter.predict if self.check_mode else self.rebooter.reboot
            self._attempt(members, lambda readable: act([_target(same) for same in readable]))
        if self.linker:
            link = self.linker.predict if self.check_mode else self.linker.link
            rows = self._attempt(members, lambda readable: link([_link_request(same) for same in readable]))
            self.needed_phones = any(row["action"] in _PHONELESS for row in rows)
        self._read(members)

    def asserts(self, members: Iterable[Member]) -> bool:
        """Whether all members must be authorized: one that check mode would create or link can't be."""
        predicts = self.check_mode and self.needed_phones
        return self.wants_authorized and not predicts and not any(m.action == "would_create" for m in members)

    def _create(self, members: Sequence[Member]) -> None:
        wanted = {member.desired: member for member in members if member.desired}
        provision = self.provisioner.predict if self.check_mode else self.provisioner.provision
        results = self._whole(lambda: provision(list(wanted)))
        if results is None:
            for member in members:
                member.action = "failed"
            return
        self.creations = results
        self._note(report_creations(results))
        # A token that must not be returned is in the credentials file, and this task needs it to read the state.
        with contextlib.suppress(UsageError):
            results = self.provisioner.delivery.restore_tokens(results)
        for result in results:
            gateway = self.gateways.get(result.desired.gateway.provider, result.desired.api_url)
            wanted[result.desired].take(result, gateway)

    def _apply_settings(self, applier: SettingsApplier, members: Sequence[Member]) -> None:
        """Give the settings of their items to the instances that this task hasn't created with them."""
        created = [member for member in members if member.action == "created" and member.target]
        self._whole(
            lambda: applier.record_created([_settings_progress([member]) for member in created if member.settings])
        )
        existing = (member for member in members if member.action in ("adopted", "unchanged", "checked"))
        wanted = [same for same in _by_instance(existing).values() if any(member.settings for member in same)]
        instances = [_settings_progress(same) for same in wanted]
        if not instances:
            return
        apply = applier.predict if self.check_mode else applier.apply
        self._whole(lambda: apply(instances))
        self._note(report_settings(instances))
        self.warnings += settings_warnings(instances)
        for same, instance in zip(wanted, instances, strict=True):
            for member in same:
                member.settings_progress = instance

    def _subscribe(self, subscriber: Subscriber, members: Sequence[Member]) -> None:
        """Subscribe the instances whose gateway has subscriptions, unless they are."""
        for member in members:
            member.subscription = _subscription(member)
        paying = [(member, member.subscription) for member in members if member.subscription]
        subscriptions = [subscription for _member, subscription in paying]
        if not subscriptions:
            return
        apply = subscriber.predict if self.check_mode else subscriber.apply
        self._whole(lambda: apply(subscriptions))
        self._note(report_subscriptions(subscriptions))
        for member, subscription in paying:
            if subscription.action in ("subscribed", "would_subscribe", "unchanged"):
                member.trial_ends_at = None

    def _attempt(
        self, members: Iterable[Member], act: Callable[[list[list[Member]]], dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Reboot or link the instances, and return a result for each; members of one instance share it."""
        readable = list(_by_instance(members).values())
        report = self._whole(lambda: act(readable)) if readable else None
        if report is None:
            return []
        self._note(report)
        rows: list[dict[str, Any]] = report["instances"]
        for same, row in zip(readable, rows, strict=True):
            for member in same:
                member.attempts += [row["error"]] if row["error"] else []
        return rows

    def _read(self, members: Sequence[Member]) -> None:
        """Read the states. It doesn't wait after a failed stage, nor for phones that linking has waited for."""
        failed = self.errors or not all(member.is_created for member in members)
        waits = self.asserts(members) and not self.needed_phones and not failed
        readable = _by_instance(members)
        observations = observe(
            [_target(same) for same in readable.values()],
            concurrency=self.concurrency,
            waiting=self.waiting if waits else READ_ONCE,
            progress=self.progress,
        )
        for observation in observations:
            for member in readable[observation.target.gateway, observation.target.credentials]:
                member.observation = observation

    def _whole(self, stage: Callable[[], Outcome]) -> Outcome | None:
        try:
            return stage()
        except FleetError as error:
            self.errors.append(self.explain(error))
            return None

    def _note(self, report: dict[str, Any]) -> None:
        self.changed = self.changed or report["changed"]
        self.diffs.append(report["diff"])


def wait_policy(timeout: float, interval: float) -> WaitPolicy:
    """Wait until each instance is authorized. A blocked one isn't read again, because a ban doesn't pass."""
    return WaitPolicy(timeout, interval, [states.AUTHORIZED], hopeless=["blocked"])


def _by_instance(members: Iterable[Member]) -> dict[Identity, list[Member]]:
    """The members whose state can be read, by their instance."""
    found: dict[Identity, list[Member]] = {}
    for member in members:
        if member.identity:
            found.setdefault(member.identity, []).append(member)
    return found


def _target(same: Sequence[Member]) -> Target:
    """The target of an instance's members."""
    target = same[0].target
    if target is None:
        raise TypeError("a member without a target has no state to read")
    return target


def _settings_progress(same: Sequence[Member]) -> SettingsProgress:
    """The settings of an instance's members; those of a later item go over those of an earlier one."""
    desired = {key: value for member in same for key, value in member.settings.items()}
    return SettingsProgress(target=_target(same), desired=desired)


def _subscription(member: Member) -> Subscription | None:
    """The subscription of an instance that exists, by the client of its account."""
    desired = member.desired
    if not (desired and member.instance_id and desired.gateway.has_subscriptions):
        return None
    return Subscription(target=Target(desired.gateway, Credentials(member.instance_id, ""), desired.name))


def _link_request(same: Sequence[Member]) -> LinkRequest:
    return LinkRequest(_target(same), next((member.phone for member in same if member.phone), None))
