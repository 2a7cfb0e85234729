"""The gateways by provider name, and a task's clients for them."""

from __future__ import annotations

from .._http.transport import TransportOptions, transport_to
from . import koophone_options
from .gateway import Gateway
from .green_api import GreenApi
from .plugzapi import Plugzapi

PROVIDERS: dict[str, type[Gateway]] = {
    GreenApi.provider: GreenApi,
    Plugzapi.provider: Plugzapi,
}

# Environment variables whose value is a secret.
SECRET_VARIABLES = frozenset(
    [
        *map(koophone_options.environment_variable, koophone_options.SECRETS),
        *(
            variable
            for gateway in PROVIDERS.values()
            for option, variable in gateway.environment.items()
            if option.endswith("_token")
        ),
    ]
)


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
            self._gateways[key] = PROVIDERS[provider](transport_to(api_url, self._options), partner_token)
        return self._gateways[key]
