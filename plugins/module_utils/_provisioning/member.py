# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One item of a provisioning task: what the task's stages have found out about its instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._common import states
from .._common.errors import FleetError, UsageError
from .._creation.desired import DesiredInstance
from .._creation.result import Result
from .._ending.subscription import Subscription
from .._fleet.observation import Observation, Target
from .._settings.progress import SettingsProgress
from .._vendors.gateway import Credentials, Gateway

# What tells one instance from another: the client of its gateway's address, its ID and its tokens.
Identity = tuple[Gateway, Credentials]


@dataclass(eq=False)
class Member:
    """An item: an instance that is to exist has ``desired``, one that is only checked has ``target``.

    ``settings`` are those that hold for an instance that exists, ``settings_progress`` is what became of them.
    ``trial_ends_at`` is when its gateway deletes it, and ``subscription`` what became of that. ``error`` is why its
    state can't be read. ``attempts`` are the errors of rebooting and linking it, as results.
    """

    name: str | None = None
    provider: str | None = None
    account: str | None = None
    instance_id: str | None = None
    api_url: str | None = None
    client_token: str | None = field(default=None, repr=False)
    phone: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    desired: DesiredInstance | None = None
    target: Target | None = None
    action: str = "checked"
    due: str | None = None
    trial_ends_at: str | None = None
    subscription: Subscription | None = None
    error: FleetError | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    settings_progress: SettingsProgress | None = None
    observation: Observation | None = None

    @property
    def identity(self) -> Identity | None:
        """Which instance it is; ``None`` while there is none whose state can be read."""
        return (self.target.gateway, self.target.credentials) if self.target else None

    @property
    def is_created(self) -> bool:
        """Whether its instance exists, or would exist after a run that isn't in check mode."""
        return self.action not in ("failed", "unknown")

    @property
    def is_authorized(self) -> bool:
        """Whether its instance was read, and was authorized."""
        return self.observation is not None and self.observation.state == states.AUTHORIZED

    def take(self, creation: Result, gateway: Gateway) -> None:
        """Take over what its creation has shown; ``gateway`` reads its state."""
        self.action, self.error = creation.action, creation.error
        self.account, self.api_url = creation.desired.account.name, creation.desired.api_url
        instance = creation.instance
        if instance is None:
            return
        self.instance_id, self.due, self.trial_ends_at = instance.id, instance.due, instance.trial_ends_at
        if instance.token is not None and not self.error:
            self.target = Target(gateway, Credentials(instance.id, instance.token, self.client_token), self.name)
        elif not self.error:
            self.error = UsageError(
                f"Reading the state of {instance.id} failed: its token isn't known; copy it from the gateway's console "
                "into the item, with the id, or into credentials_file (in the role: provision_credentials_file)"
            )

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it, without its tokens."""
        reading = self.observation.reading if self.observation else None
        state = reading.state if reading else None
        return {
            "name": self.name,
            "provider": self.provider,
            "account": self.account,
            "id": self.instance_id,
            "api_url": self.api_url,
            "action": self.action,
            "due": self.due,
            "state": state,
            "vendor_state": reading.vendor_state if reading else None,
            "authorized": self.is_authorized,
            "health": states.health_for(state),
            "error": self._error(),
        }

    def _error(self) -> dict[str, Any] | None:
        """Why it isn't authorized or hasn't its settings, as far as an error says so."""
        if self.error:
            return self.error.as_item_error()
        if self.settings_progress and self.settings_progress.error:
            return self.settings_progress.error.as_item_error()
        if self.subscription and self.subscription.error:
            return self.subscription.error.as_item_error()
        if self.observation is None or self.is_authorized:
            return None
        if self.observation.error:
            return self.observation.error.as_item_error()
        return self.attempts[0] if self.attempts else None
