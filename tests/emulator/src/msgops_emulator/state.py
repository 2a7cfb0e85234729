# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The world behind the APIs: accounts, instances, phones and numbers."""

from __future__ import annotations

import itertools
import random
import secrets
import string
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from .clock import Clock
from .config import Config, Invalid, Missing

GREEN_API = "green_api"
PLUGZAPI = "plugzapi"
KOOPHONE = "koophone"
PROVIDERS = (GREEN_API, PLUGZAPI)

CREATING = "creating"
STARTING = "starting"
AUTHORIZED = "authorized"
NOT_AUTHORIZED = "notAuthorized"
CONNECTED = "connected"
DISCONNECTED = "disconnected"
DELETED = "deleted"

AWKWARD = "/+=%& "
ALPHANUMERIC = string.ascii_lowercase + string.digits


class Conflict(ValueError):
    """What was asked for cannot happen in the state that things are in."""


@dataclass(slots=True)
class Account:
    """A customer of a vendor, with its credentials and the config keys that it overrides."""

    provider: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)

    CREDENTIALS: ClassVar[tuple[str, ...]] = ()

    def describe(self) -> dict[str, Any]:
        credentials = {key: getattr(self, key) for key in self.CREDENTIALS}
        return {"provider": self.provider, "name": self.name, **credentials, "options": self.options}


@dataclass(slots=True)
class PartnerAccount(Account):
    """An account at a gateway: its newest partner token opens it, and so do the older ones that still hold."""

    partner_token: str = ""
    old_partner_tokens: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        return Account.describe(self) | {"old_partner_tokens": self.old_partner_tokens}

    def opens(self, token: str) -> bool:
        """Return whether a partner token is one of this account's."""
        return token == self.partner_token or token in self.old_partner_tokens

    def renew(self, token: str, *, keep_old: bool) -> None:
        """Have another partner token from now on; those before it hold on, or don't."""
        self.old_partner_tokens = [*self.old_partner_tokens, self.partner_token] if keep_old else []
        self.partner_token = token


@dataclass(slots=True)
class GreenApiAccount(PartnerAccount):
    partner_token: str = "gac.emulator+partner=4f1c9a7be02d48c3"

    CREDENTIALS = ("partner_token",)


@dataclass(slots=True)
class PlugzApiAccount(PartnerAccount):
    partner_token: str = "plugz.emulator/partner+9d3e71c05ab8=="
    client_token: str = "Femulator/client+token7c21d9S"

    CREDENTIALS = ("partner_token", "client_token")


@dataclass(slots=True)
class KooPhoneAccount(Account):
    """A tenant: a token that never expires, an AK/SK pair and an IAM user; ``limit`` counts its requests."""

    auth_token: str = "MIIemulator+auth/token5b0e8f3c=="
    access_key: str = "EMULATORACCESSKEY001"
    secret_key: str = "emulator+secret/key=2f9a6d41"
    iam_domain: str = "emulator-domain"
    iam_user: str = "emulator"
    iam_password: str = "emulator+iam/password=c85e07"
    project_name: str = "cn-south-1"
    limit: Bucket | None = None

    CREDENTIALS = (
        "auth_token",
        "access_key",
        "secret_key",
        "iam_domain",
        "iam_user",
        "iam_password",
        "project_name",
    )


ACCOUNTS: dict[str, type[GreenApiAccount] | type[PlugzApiAccount] | type[KooPhoneAccount]] = {
    GREEN_API: GreenApiAccount,
    PLUGZAPI: PlugzApiAccount,
    KOOPHONE: KooPhoneAccount,
}


class Bucket:
    """A rate limit: ``rate`` requests a second, that many at once."""

    # Clients that pace themselves by a clock of their own arrive some milliseconds early.
    TOLERANCE = 0.05

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._left = max(rate, 1.0)
        self._at = now

    def take(self, now: float) -> bool:
        """Return whether one more request is within the limit."""
        self._left = min(max(self.rate, 1.0), self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1 - self.TOLERANCE:
            return False
        self._left -= 1
        return True


@dataclass(slots=True)
class Stateful:
    """A thing whose state changes as time goes by: ``pending`` holds (time, state), sorted."""

    account: Account
    name: str
    state: Any
    created: float
    pending: list[tuple[float, Any]] = field(default_factory=list)

    def settle(self, now: float) -> Any:
        """Let happen what was due by now; return the state."""
        while self.pending and self.pending[0][0] <= now:
            self.state = self.pending.pop(0)[1]
        return self.state

    def become(self, state: Any, pending: list[tuple[float, Any]] | None = None) -> None:
        """Be in a state now; what was to come is off, ``pending`` comes instead."""
        self.state = state
        self.pending = sorted(pending or [], key=lambda change: change[0])


@dataclass(slots=True, eq=False)
class Code:
    """A code that links a phone until the time ``expires``; a pairing code is for one ``phone``."""

    text: str
    expires: float
    phone: str


@dataclass(slots=True)
class Instance(Stateful):
    """One WhatsApp account at a gateway.

    ``visible_at`` and ``hidden_listings`` keep a new one out of listings for a time. ``codes`` are those that can be
    used now, by kind; ``codes_made`` counts all since the last restart. ``refusal`` is what the vendor says next
    instead of a code.
    """

    token: str = ""
    phone: str = ""
    visible_at: float = 0.0
    hidden_listings: int = 0
    codes: dict[str, Code] = field(default_factory=dict)
    codes_made: int = 0
    refusal: str = ""

    def settle(self, now: float) -> Any:
        Stateful.settle(self, now)
        if self.state in (AUTHORIZED, CONNECTED) and not self.phone:
            self.phone = "55449" + "".join(random.choices(string.digits, k=8))
        return self.state

    def forget_codes(self) -> None:
        """Start from the first code again, as after a restart."""
        self.codes.clear()
        self.codes_made = 0
        self.refusal = ""

    def listed(self, now: float, *, count: bool) -> bool:
        """Return whether a listing made now shows the instance; ``count`` it as one of those that don't."""
        if now < self.visible_at:
            return False
        if self.hidden_listings > 0:
            self.hidden_listings -= count
            return False
        return True


@dataclass(slots=True)
class GreenApiInstance(Instance):
    """``states``: GREEN-API's own words, and ``creating``, ``expired`` and ``deleted`` for what has no word."""

    id: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    deleted_at: float | None = None
    limits: dict[str, Bucket] = field(default_factory=dict)

    provider: ClassVar[str] = GREEN_API

    def settle(self, now: float) -> Any:
        Instance.settle(self, now)
        if self.state != DELETED:
            self.deleted_at = None
        elif self.deleted_at is None:
            self.deleted_at = now
        return self.state

    def describe(self) -> dict[str, Any]:
        return {
            "provider": GREEN_API,
            "account": self.account.name,
            "id": self.id,
            "name": self.name,
            "token": self.token,
            "state": self.state,
            "phone": self.phone,
            "codes_made": self.codes_made,
            "created": self.created,
            "deleted_at": self.deleted_at,
            "settings": self.settings,
            "pending": self.pending,
        }


@dataclass(slots=True)
class PlugzApiInstance(Instance):
    """``state`` is ``connected``, ``disconnected`` or ``deleted``; ``due`` ends the trial or what is paid for."""

    id: str = ""
    due: float = 0.0
    subscribed: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)

    provider: ClassVar[str] = PLUGZAPI

    def settle(self, now: float) -> Any:
        Instance.settle(self, now)
        if now >= self.due and not self.subscribed and self.state != DELETED:
            self.become(DELETED)
        return self.state

    def describe(self) -> dict[str, Any]:
        return {
            "provider": PLUGZAPI,
            "account": self.account.name,
            "id": self.id,
            "name": self.name,
            "token": self.token,
            "state": self.state,
            "phone": self.phone,
            "codes_made": self.codes_made,
            "created": self.created,
            "due": self.due,
            "subscribed": self.subscribed,
            "attributes": self.attributes,
            "pending": self.pending,
        }


@dataclass(slots=True)
class Phone(Stateful):
    """One KooPhone cloud phone; ``state`` is the vendor's integer."""

    id: str = ""

    def describe(self) -> dict[str, Any]:
        return {
            "account": self.account.name,
            "id": self.id,
            "name": self.name,
            "status": self.state,
            "created": self.created,
            "pending": self.pending,
        }


@dataclass(slots=True)
class Number:
    """A telephone number as PlugzAPI's registration sees it; ``onboardings`` holds the times of its set-ups."""

    ddi: str
    phone: str
    result: str = "available"
    reason: str = "unknown error"
    appeal_token: str = ""
    sms_wait_seconds: int = 0
    voice_wait_seconds: int = 0
    wa_old_wait_seconds: int = 0
    wa_old_eligible: bool = True
    onboardings: list[float] = field(default_factory=list)

    RESULTS: ClassVar[tuple[str, ...]] = ("available", "banned", "error")

    def describe(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class IamToken:
    account: KooPhoneAccount
    expires_at: float


class World:
    """Everything that exists at the three vendors.

    ``lock`` guards it; whoever reads or changes something holds it. Nothing blocks inside.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Be empty but for one account, ``default``, at each vendor."""
        self.accounts: dict[tuple[str, str], Account] = {}
        self.green_api: dict[int, GreenApiInstance] = {}
        self.plugzapi: dict[str, PlugzApiInstance] = {}
        self.phones: dict[str, Phone] = {}
        self.numbers: dict[tuple[str, str], Number] = {}
        self.codes: dict[str, tuple[GreenApiInstance | PlugzApiInstance, Code]] = {}
        self.iam_tokens: dict[str, IamToken] = {}
        self._green_api_ids = itertools.count(1101000001)
        for provider, kind in ACCOUNTS.items():
            self.accounts[provider, "default"] = kind(provider, "default")

    # Accounts

    def account(self, provider: str, name: str = "default") -> Account:
        """Return an account; raise Invalid where there is none."""
        try:
            return self.accounts[provider, name]
        except KeyError:
            raise Invalid(f"{provider} has no account {name!r}") from None

    def accounts_of(self, provider: str) -> Iterator[Account]:
        """Iterate over the accounts at a vendor."""
        return (account for (owner, _name), account in self.accounts.items() if owner == provider)

    def renew(self, account: Account, token: str | None, *, keep_old: bool) -> None:
        """Renew an account's partner token, by one that is made unless it is given."""
        if not isinstance(account, PartnerAccount):
            raise Invalid(f"{account.provider} has no partner tokens")
        if token is None:
            # The default's form, with its characters that URLs encode.
            form = ACCOUNTS[account.provider](account.provider, account.name)
            assert isinstance(form, PartnerAccount)
            token = form.partner_token + secrets.token_hex(4)
        others = (other for other in self.accounts_of(account.provider) if other is not account)
        if any(isinstance(other, PartnerAccount) and other.opens(token) for other in others):
            raise Conflict(f"another account of {account.provider} has this partner token")
        account.renew(token, keep_old=keep_old)

    def option(self, account: Account, key: str) -> Any:
        """Return the value of a config key for an account."""
        return account.options[key] if key in account.options else self.config[key]

    # Creation

    def create_green_api(
        self,
        account: Account,
        name: str,
        *,
        id: int | None = None,
        token: str | None = None,
        token_style: str = "plain",
    ) -> GreenApiInstance:
        """Add an instance that is not authorized yet; the caller sets its state."""
        if id is None:
            id = next(number for number in self._green_api_ids if number not in self.green_api)
        instance = GreenApiInstance(
            account=account,
            name=name,
            state=NOT_AUTHORIZED,
            created=self.clock.now(),
            id=id,
            token=token or _token(50, string.digits + "abcdef", token_style),
        )
        self.green_api[id] = instance
        return instance

    def create_plugzapi(
        self,
        account: Account,
        name: str,
        *,
        id: str | None = None,
        token: str | None = None,
        token_style: str = "plain",
    ) -> PlugzApiInstance:
        """Add an instance that is not connected, on trial."""
        now = self.clock.now()
        instance = PlugzApiInstance(
            account=account,
            name=name,
            state=DISCONNECTED,
            created=now,
            id=id or secrets.token_hex(16).upper(),
            token=token or _token(24, string.digits + "ABCDEF", token_style),
            due=now + float(self.option(account, "plugzapi.trial_seconds")),
        )
        self.plugzapi[instance.id] = instance
        return instance

    def create_phone(self, account: Account, status: int, *, id: str | None = None, name: str | None = None) -> Phone:
        """Add a cloud phone."""
        if id is None:
            candidates = ("".join(random.choices(ALPHANUMERIC, k=8)) for _n in itertools.count())
            id = next(candidate for candidate in candidates if candidate not in self.phones)
        phone = Phone(account=account, name=name or id, state=status, created=self.clock.now(), id=id)
        self.phones[id] = phone
        return phone

    def number(self, ddi: str, phone: str) -> Number:
        """Return a telephone number, which exists once it is spoken of."""
        number = self.numbers.get((ddi, phone))
        if number is None:
            number = self.numbers[ddi, phone] = Number(ddi, phone, appeal_token=secrets.token_urlsafe(140))
        return number

    def delay_listing(self, instance: Instance, seconds: float, listings: int) -> None:
        """Keep a new instance out of listings for that long and that many of them."""
        instance.visible_at = self.clock.now() + seconds
        instance.hidden_listings = listings

    # Instances of both gateways

    def instances(self, provider: str | None = None) -> Iterator[GreenApiInstance | PlugzApiInstance]:
        """Iterate over instances, deleted ones too, each in the state that it is in now."""
        now = self.clock.now()
        chosen: list[Mapping[Any, GreenApiInstance | PlugzApiInstance]] = []
        if provider in (None, GREEN_API):
            chosen.append(self.green_api)
        if provider in (None, PLUGZAPI):
            chosen.append(self.plugzapi)
        for instance in itertools.chain.from_iterable(instances.values() for instances in chosen):
            instance.settle(now)
            yield instance

    def instance(self, provider: str, id: object) -> GreenApiInstance | PlugzApiInstance:
        """Return an instance by its id, a number in digits or not; raise Missing where there is none."""
        found: GreenApiInstance | PlugzApiInstance | None = None
        text = str(id)
        if provider == GREEN_API:
            found = self.green_api.get(int(text)) if text.isdecimal() else None
        elif provider == PLUGZAPI:
            found = self.plugzapi.get(text)
        else:
            raise Invalid(f"{provider!r} is not one of {', '.join(PROVIDERS)}")
        if found is None:
            raise Missing(f"{provider} has no instance {text}")
        found.settle(self.clock.now())
        return found

    def set_state(
        self, instance: GreenApiInstance | PlugzApiInstance, state: str, pending: list[tuple[float, Any]]
    ) -> None:
        """Put an instance into a state, and plan the states that follow."""
        for word in (state, *(word for _at, word in pending)):
            check_state(instance.provider, word)
        instance.become(state, pending)
        instance.settle(self.clock.now())

    def link(self, instance: GreenApiInstance | PlugzApiInstance, *, when_ready: bool = False) -> None:
        """Let a person scan the code; with ``when_ready`` they wait until there is one.

        Raises Conflict where no code can be shown, and says why.
        """
        linked = AUTHORIZED if isinstance(instance, GreenApiInstance) else CONNECTED
        unlinked = NOT_AUTHORIZED if isinstance(instance, GreenApiInstance) else DISCONNECTED
        who = f"{instance.provider} instance {instance.id}"
        if instance.state == unlinked:
            instance.become(linked)
        elif instance.state in (CREATING, STARTING):
            ready = next((at for at, state in instance.pending if state == unlinked), None)
            if not when_ready or ready is None:
                raise Conflict(f"{who} shows no code yet: it is {instance.state}")
            instance.pending = [change for change in instance.pending if change[0] <= ready] + [(ready, linked)]
        elif instance.state == linked:
            raise Conflict(f"{who} is {linked} already")
        else:
            raise Conflict(f"{who} shows no code: it is {instance.state}")
        instance.settle(self.clock.now())


def check_state(provider: str, state: Any) -> None:
    """Raise Invalid unless an instance of that provider can be put into the state.

    GREEN-API's list is open, so any word is good there.
    """
    if provider == PLUGZAPI and state not in (CONNECTED, DISCONNECTED, DELETED):
        raise Invalid(f"state {state!r} is not one of {CONNECTED}, {DISCONNECTED}, {DELETED}")
    if not isinstance(state, str) or not state:
        raise Invalid(f"state {state!r} is not a word")


def _token(length: int, alphabet: str, style: str) -> str:
    """Return a random token; an awkward one holds each character that URLs and headers treat specially."""
    if style == "plain":
        return "".join(secrets.choice(alphabet) for _n in range(length))
    # The ends stay plain: HTTP strips white space from the ends of header values.
    middle = list(AWKWARD) + [secrets.choice(alphabet + AWKWARD) for _n in range(length - len(AWKWARD) - 2)]
    random.shuffle(middle)
    return secrets.choice(alphabet) + "".join(middle) + secrets.choice(alphabet)
