# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator's data: everything that exists at the three vendors."""

from __future__ import annotations

import itertools
import random
import secrets
import string
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .accounts import ACCOUNTS, GREEN_API, PLUGZAPI, PROVIDERS, Account, KooPhoneAccount, PartnerAccount
from .clock import Clock
from .config import Config
from .errors import Conflict, Invalid, Missing
from .instances import (
    DISCONNECTED,
    NOT_AUTHORIZED,
    AnyInstance,
    Code,
    GreenApiInstance,
    Instance,
    PlugzApiInstance,
    check_state,
)
from .phones import Number, Phone

AWKWARD = "/+=%& "
ALPHANUMERIC = string.ascii_lowercase + string.digits

SomeAccount = TypeVar("SomeAccount", bound=Account)


@dataclass(frozen=True, slots=True)
class IamToken:
    account: KooPhoneAccount
    expires_at: float


class World:
    """Everything that exists at the three vendors.

    Callers hold ``lock`` while they read or change something, and do nothing that blocks meanwhile.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Delete everything, and add an account named ``default`` for each vendor."""
        self.accounts: dict[tuple[str, str], Account] = {}
        self.green_api: dict[int, GreenApiInstance] = {}
        self.plugzapi: dict[str, PlugzApiInstance] = {}
        self.phones: dict[str, Phone] = {}
        self.numbers: dict[tuple[str, str], Number] = {}
        self.codes: dict[str, tuple[AnyInstance, Code]] = {}
        self.iam_tokens: dict[str, IamToken] = {}
        self._green_api_ids = itertools.count(1101000001)
        for provider, kind in ACCOUNTS.items():
            self.accounts[provider, "default"] = kind(provider, "default")

    # Accounts

    def account(self, provider: str, name: str = "default") -> Account:
        """Return an account; raise Invalid if it does not exist."""
        try:
            return self.accounts[provider, name]
        except KeyError:
            raise Invalid(f"{provider} has no account {name!r}") from None

    def accounts_of_class(self, kind: type[SomeAccount]) -> Iterator[SomeAccount]:
        """Iterate over the accounts of a class, which are those of one vendor."""
        return (account for account in self.accounts.values() if isinstance(account, kind))

    def renew(self, account: Account, token: str | None, *, keep_old: bool) -> None:
        """Replace an account's partner token, by a random one unless one is given."""
        if not isinstance(account, PartnerAccount):
            raise Invalid(f"{account.provider} has no partner tokens")
        if token is None:
            # Take the form of the default token: it has characters that URLs encode.
            form = ACCOUNTS[account.provider](account.provider, account.name)
            assert isinstance(form, PartnerAccount)
            token = form.partner_token + secrets.token_hex(4)
        if any(other.accepts(token) for other in self.accounts_of_class(type(account)) if other is not account):
            raise Conflict(f"another account of {account.provider} has this partner token")
        account.renew(token, keep_old=keep_old)

    def option(self, account: Account, key: str) -> Any:
        """Return the value that a config key has for an account."""
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
        """Add an instance in the state notAuthorized."""
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

    def new_green_api_token(self, account: Account) -> str:
        """Return a new token for an instance."""
        return _token(50, string.digits + "abcdef", self.option(account, "green_api.token_style"))

    def create_plugzapi(
        self,
        account: Account,
        name: str,
        *,
        id: str | None = None,
        token: str | None = None,
        token_style: str = "plain",
    ) -> PlugzApiInstance:
        """Add an instance in the state disconnected, on trial."""
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
        """Return a telephone number; add it if it is new."""
        number = self.numbers.get((ddi, phone))
        if number is None:
            number = self.numbers[ddi, phone] = Number(ddi, phone, appeal_token=secrets.token_urlsafe(140))
        return number

    def delay_listing(self, instance: Instance, seconds: float, listings: int) -> None:
        """Have listings leave an instance out for ``seconds``, and the first ``listings`` after that, too."""
        instance.visible_at = self.clock.now() + seconds
        instance.hidden_listings = listings

    # Instances of both gateways

    def instances(self, provider: str | None = None) -> Iterator[AnyInstance]:
        """Iterate over instances, including deleted ones, in their present state."""
        now = self.clock.now()
        chosen: list[Mapping[Any, AnyInstance]] = []
        if provider in (None, GREEN_API):
            chosen.append(self.green_api)
        if provider in (None, PLUGZAPI):
            chosen.append(self.plugzapi)
        for instance in itertools.chain.from_iterable(instances.values() for instances in chosen):
            instance.advance_to(now)
            yield instance

    def instance(self, provider: str, id: object) -> AnyInstance:
        """Return an instance in its present state; raise Missing if it does not exist. ``id``: a string or a number."""
        found: AnyInstance | None = None
        text = str(id)
        if provider == GREEN_API:
            found = self.green_api.get(int(text)) if text.isdecimal() else None
        elif provider == PLUGZAPI:
            found = self.plugzapi.get(text)
        else:
            raise Invalid(f"{provider!r} is not one of {', '.join(PROVIDERS)}")
        if found is None:
            raise Missing(f"{provider} has no instance {text}")
        found.advance_to(self.clock.now())
        return found

    def set_state(self, instance: AnyInstance, state: str, pending: list[tuple[float, Any]]) -> None:
        """Change an instance's state, and plan the states that follow."""
        for word in (state, *(word for _at, word in pending)):
            check_state(instance.provider, word)
        instance.become(state, pending)
        instance.advance_to(self.clock.now())


def _token(length: int, alphabet: str, style: str) -> str:
    """Return a random token; the style ``awkward`` adds each character that URLs and headers treat specially."""
    if style == "plain":
        return "".join(secrets.choice(alphabet) for _n in range(length))
    # No space at the ends, where HTTP strips it from header values.
    middle = list(AWKWARD) + [secrets.choice(alphabet + AWKWARD) for _n in range(length - len(AWKWARD) - 2)]
    random.shuffle(middle)
    return secrets.choice(alphabet) + "".join(middle) + secrets.choice(alphabet)
