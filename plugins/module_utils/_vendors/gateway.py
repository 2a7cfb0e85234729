# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of a gateway's client, and the data that it takes and returns."""

from __future__ import annotations

import abc
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from .._common.errors import UsageError
from .._http.transport import RequestBudget, Transport

# A module's option as Ansible's argument specs describe it.
OptionSpec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request about one instance needs. ``client_token`` is an account's second token, where a gateway has one.

    Empty texts stand for the ID and the token of an instance that a creation in check mode would make.
    """

    id: str
    token: str = field(repr=False)
    client_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """An instance's state in the vocabulary of ``states``, and in the vendor's own word."""

    state: str
    vendor_state: str


@dataclass(frozen=True)
class Instance:
    """An instance as a listing or a creation shows it; what the response leaves out is ``None``.

    ``due`` and ``created_at`` are ISO 8601 in UTC, ``due_raw`` is the vendor's value. ``plan`` and ``payment_status``
    are the vendor's words. ``trial_ends_at`` is when the gateway deletes it unless somebody subscribes, in ISO 8601;
    ``None`` if it isn't in trial.
    """

    id: str
    name: str
    token: str | None = field(repr=False)
    due: str | None = None
    due_raw: str | int | float | None = None
    deleted: bool = False
    created_at: str | None = None
    plan: str | None = None
    payment_status: str | None = None
    expired: bool | None = None
    reading: Reading | None = None
    trial_ends_at: str | None = None


@dataclass(frozen=True)
class LinkingCode:
    """A secret that links a phone to an instance.

    A pairing code is in ``text``. A QR code is in ``text`` (its content) or in ``image`` (a PNG of it).
    """

    text: str | None = field(default=None, repr=False)
    image: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class CodePolicy:
    """How often to request codes: every ``interval`` seconds; each code is valid for ``life`` seconds.

    After ``limit`` requests, the vendor wants a person to ask for more. Without a limit, requests return the current
    code and may be repeated at will.
    """

    interval: float
    life: float
    limit: int | None = None


@dataclass(frozen=True)
class Setting:
    """A setting of an instance: its type in the options, and what its values may be.

    ``is_url`` is an address that may hold secrets, ``least`` and ``most`` are the bounds of a number.
    """

    kind: Literal["str", "int", "bool"] = "str"
    is_secret: bool = False
    is_url: bool = False
    may_be_empty: bool = True
    least: int = 0
    most: int = 2**31 - 1

    @property
    def option(self) -> OptionSpec:
        """The setting as a suboption of ``settings``."""
        return {"type": self.kind, "no_log": self.is_secret}


@dataclass(frozen=True)
class DeletionResponse:
    """The gateway's response to a deletion, which its listing must still prove.

    ``refused`` says that it doesn't delete the instance as it is now, ``no_call`` that it has no such call, and
    ``reason`` is why.
    """

    status: Literal["accepted", "gone", "refused", "no_call"]
    reason: str = ""


class IdForm(NamedTuple):
    """The form of a gateway's instance IDs; ``words`` describes it in messages."""

    pattern: re.Pattern[str]
    words: str


class Gateway(abc.ABC):
    """A vendor's API, as seen by one account, and the vendor's options."""

    # The value of the option ``provider``.
    provider: ClassVar[str]
    # The default of the option ``api_url``.
    api_url: ClassVar[str]
    # The environment variable that is used for an option that isn't set.
    environment: ClassVar[Mapping[str, str]]
    # What an ID that the user gives must look like; ``None`` if the vendor doesn't document it.
    id_form: ClassVar[IdForm | None] = None
    # The options of a creation that only some gateways have.
    creation_options: ClassVar[Mapping[str, OptionSpec]] = {}
    # The settings of an instance that a task can change, by option.
    settings: ClassVar[Mapping[str, Setting]] = {}
    # Whether a change of its settings restarts an instance, and the seconds until its gateway shows the change.
    settings_restart: ClassVar[bool] = False
    settings_lag: ClassVar[float] = 0.0
    # WhatsApp's own times: https://green-api.com/en/docs/api/account/QR/ and .../GetAuthorizationCode/
    qr_policy: ClassVar[CodePolicy] = CodePolicy(interval=20.0, life=20.0)
    pairing_policy: ClassVar[CodePolicy] = CodePolicy(interval=150.0, life=150.0)
    # The states for which the vendor recommends a reboot.
    reboot_cures: ClassVar[frozenset[str]] = frozenset()
    # Whether instances are paid for by subscriptions.
    has_subscriptions: ClassVar[bool] = False
    # Whether an instance can get a new token.
    renews_tokens: ClassVar[bool] = False

    def __init__(self, transport: Transport, partner_token: str | None = None) -> None:
        self._transport = transport
        self._partner_token = partner_token or ""

    @abc.abstractmethod
    def read_state(self, credentials: Credentials, budget: RequestBudget) -> Reading:
        """The state of one instance now."""

    @abc.abstractmethod
    def list_instances(self) -> list[Instance] | None:
        """All of the account's instances, or ``None`` if the gateway has no such call."""

    @abc.abstractmethod
    def create_instance(self, payload: Mapping[str, Any]) -> Instance:
        """Create an instance; ``payload`` comes from ``payload_for``. It may cost money."""

    @staticmethod
    @abc.abstractmethod
    def payload_for(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The body of the request that creates ``name``; ``options`` are the given ones of ``creation_options``."""

    def request_qr_code(self, credentials: Credentials, budget: RequestBudget, *, as_text: bool) -> LinkingCode | None:
        """A QR code that links a phone; ``None`` if a phone is linked already.

        ``as_text`` requests the code's content instead of its image, where the gateway has both.
        """
        raise self._lacks("QR codes")

    def request_pairing_code(self, credentials: Credentials, budget: RequestBudget, phone: str) -> LinkingCode | None:
        """A code to type in on the phone; ``None`` if a phone is linked already. It invalidates the code before it.

        ``phone`` is the number in digits, with the country code.
        """
        raise self._lacks("pairing codes")

    def reboot(self, credentials: Credentials) -> None:
        """Restart the instance. Its phone stays linked."""
        raise self._lacks("reboots")

    @classmethod
    def vendor_settings(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """The values of ``settings`` as ``read_settings`` returns them and ``write_settings`` takes them."""
        return dict(options)

    @classmethod
    def settings_requests(cls, changes: Mapping[str, Any], desired: Mapping[str, Any]) -> list[dict[str, Any]]:
        """How ``changes`` are divided among requests, in the order in which these must be sent.

        ``desired`` are all settings that the instance should have in the end.
        """
        return [dict(changes)]

    def read_settings(self, credentials: Credentials, wanted: Collection[str], budget: RequestBudget) -> dict[str, Any]:
        """All settings that the gateway tells; those of ``wanted`` that it doesn't tell are left out."""
        raise self._lacks("settings")

    def write_settings(self, credentials: Credentials, changes: Mapping[str, Any]) -> None:
        """Send one request of ``settings_requests``."""
        raise self._lacks("settings")

    def unlink(self, credentials: Credentials) -> None:
        """Unlink the phone. The answer doesn't prove it: only the state does."""
        raise self._lacks("unlinking phones")

    def delete_instance(self, credentials: Credentials) -> DeletionResponse:
        """Delete the instance for good. It must be unlinked before."""
        raise self._lacks("deletions")

    def subscribe(self, credentials: Credentials) -> None:
        """Begin to pay for the instance."""
        raise self._lacks("subscriptions")

    def cancel_subscription(self, credentials: Credentials) -> None:
        """Stop paying for the instance. It lives on for a while."""
        raise self._lacks("subscriptions")

    def renew_token(self, credentials: Credentials) -> str:
        """Give the instance a new token, and return it. When the old one ends to work isn't known."""
        raise self._lacks("new tokens")

    def _lacks(self, calls: str) -> UsageError:
        return UsageError(f"{self.provider} has no call for {calls}")
