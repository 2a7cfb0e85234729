# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateways that there are: provider name -> client, default address, environment variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .._http.transport import TransportOptions, transport_to
from .gateway import Gateway
from .green_api import GreenApi
from .plugzapi import Plugzapi


@dataclass(frozen=True)
class IdForm:
    """What the IDs of a gateway's instances look like; ``words`` says it to a person."""

    pattern: re.Pattern[str]
    words: str


@dataclass(frozen=True)
class Provider:
    """One row of the table.

    ``environment`` maps an option to the variable that stands in for it. ``id_form`` is what an ID that a person gives
    is checked by, ``None`` if the vendor doesn't say.
    """

    client: type[Gateway]
    api_url: str
    environment: Mapping[str, str]
    id_form: IdForm | None = None


PROVIDERS: dict[str, Provider] = {
    "green_api": Provider(
        client=GreenApi,
        api_url="https://api.green-api.com",
        environment={
            "api_url": "GREEN_API_URL",
            "instance_id": "GREEN_API_ID_INSTANCE",
            "instance_token": "GREEN_API_TOKEN_INSTANCE",
            "partner_token": "GREEN_API_PARTNER_TOKEN",
            "account": "GREEN_API_ACCOUNT",
        },
        # https://green-api.com/en/docs/api/account/GetStateInstance/: idInstance is an integer.
        id_form=IdForm(re.compile(r"[0-9]+"), "digits"),
    ),
    "plugzapi": Provider(
        client=Plugzapi,
        api_url="https://api.plugzapi.com.br",
        environment={
            "api_url": "PLUGZAPI_URL",
            "instance_id": "PLUGZAPI_INSTANCE_ID",
            "instance_token": "PLUGZAPI_INSTANCE_TOKEN",
            "client_token": "PLUGZAPI_CLIENT_TOKEN",
            "partner_token": "PLUGZAPI_PARTNER_TOKEN",
            "account": "PLUGZAPI_ACCOUNT",
        },
        # As the examples have it that PlugzAPI and Z-API document creations with.
        id_form=IdForm(re.compile(r"[0-9A-Fa-f]{32}"), "32 hexadecimal digits"),
    ),
}


class GatewayCache:
    """A task's clients, one for each account, over one transport for each address."""

    def __init__(self, options: TransportOptions) -> None:
        self._options = options
        self._gateways: dict[tuple[str, str, str | None], Gateway] = {}

    def get(self, provider: str, api_url: str, partner_token: str | None = None) -> Gateway:
        """The client for ``provider`` at ``api_url``.

        :raises UsageError: if ``api_url`` isn't a URL that may be used.
        """
        key = (provider, api_url, partner_token)
        if key not in self._gateways:
            self._gateways[key] = PROVIDERS[provider].client(transport_to(api_url, self._options), partner_token)
        return self._gateways[key]
