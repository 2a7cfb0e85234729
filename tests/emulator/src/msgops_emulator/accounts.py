# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendors' customers: their credentials, and the config keys that they override."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from .rate_limit import RateLimit

GREEN_API = "green_api"
PLUGZAPI = "plugzapi"
KOOPHONE = "koophone"
PROVIDERS = (GREEN_API, PLUGZAPI)


@dataclass(slots=True)
class Account:
    """A customer of a vendor; ``options`` are the config keys that hold for this account alone."""

    provider: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)

    CREDENTIALS: ClassVar[tuple[str, ...]] = ()

    def describe(self) -> dict[str, Any]:
        credentials = {key: getattr(self, key) for key in self.CREDENTIALS}
        return {"provider": self.provider, "name": self.name, **credentials, "options": self.options}


@dataclass(slots=True)
class PartnerAccount(Account):
    """An account at a gateway; its partner token and each of its old ones authenticate requests."""

    partner_token: str = ""
    old_partner_tokens: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        return Account.describe(self) | {"old_partner_tokens": self.old_partner_tokens}

    def accepts(self, token: str) -> bool:
        """Return whether a partner token authenticates requests of this account."""
        return token == self.partner_token or token in self.old_partner_tokens

    def renew(self, token: str, *, keep_old: bool) -> None:
        """Replace the partner token; with ``keep_old`` the earlier tokens stay valid."""
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
    """A tenant: a token that never expires, an AK/SK pair and an IAM user; ``limit`` is its rate limit, if it has
    one.
    """

    auth_token: str = "MIIemulator+auth/token5b0e8f3c=="
    access_key: str = "EMULATORACCESSKEY001"
    secret_key: str = "emulator+secret/key=2f9a6d41"
    iam_domain: str = "emulator-domain"
    iam_user: str = "emulator"
    iam_password: str = "emulator+iam/password=c85e07"
    project_name: str = "cn-south-1"
    limit: RateLimit | None = None

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
