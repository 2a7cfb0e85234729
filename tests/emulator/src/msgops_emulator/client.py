# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of the control API."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode


class ControlError(Exception):
    """The control API refused a request; ``status`` is the HTTP status, the text is the reason."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Control:
    """A client of an emulator's control API. ``url``: where the emulator listens."""

    def __init__(self, url: str = "") -> None:
        self.url = url.rstrip("/")
        # The emulator listens on loopback: no proxy of the environment, and its certificate may be self-signed.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request to ``/_emulator/<path>`` and return the JSON of its response.

        Raises ControlError if the emulator refuses it.
        """
        request = urllib.request.Request(
            f"{self.url}/_emulator/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(error.code, json.load(error)["error"]) from None

    # Accounts, instances, phones and numbers

    def reset(self, config: Mapping[str, Any] | None = None) -> None:
        """Restore the config and the data that the emulator was started with; then set ``config``."""
        self.request("POST", "reset", {"config": dict(config or {})})

    def config(self, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Set config keys, if any are given; return all keys with their values."""
        return dict(self.request("GET", "config") if values is None else self.request("POST", "config", dict(values)))

    def seed(
        self,
        *,
        accounts: Iterable[Mapping[str, Any]] = (),
        instances: Iterable[Mapping[str, Any]] = (),
        phones: Iterable[Mapping[str, Any]] = (),
        numbers: Iterable[Mapping[str, Any]] = (),
    ) -> dict[str, list[dict[str, Any]]]:
        """Add accounts, instances, phones and numbers; return what was added, with ids and tokens."""
        wanted = {"accounts": accounts, "instances": instances, "phones": phones, "numbers": numbers}
        return dict(self.request("POST", "seed", {name: list(items) for name, items in wanted.items()}))

    def accounts(self) -> list[dict[str, Any]]:
        """Return all accounts with their credentials."""
        return list(self.request("GET", "accounts")["accounts"])

    def account(self, provider: str, name: str = "default") -> dict[str, Any]:
        """Return one account with its credentials."""
        for account in self.accounts():
            if (account["provider"], account["name"]) == (provider, name):
                return account
        raise LookupError(f"{provider} has no account {name!r}")

    def renew(
        self, provider: str, account: str = "default", partner_token: str | None = None, *, keep_old: bool = False
    ) -> dict[str, Any]:
        """Replace an account's partner token; return the account.

        ``partner_token``: default is a random one. ``keep_old``: the earlier tokens stay valid.
        """
        given = {"provider": provider, "account": account, "partner_token": partner_token, "keep_old": keep_old}
        body = {key: value for key, value in given.items() if value is not None}
        return dict(self.request("POST", "renew", body))

    def instances(self, **filters: str) -> list[dict[str, Any]]:
        """Return instances; filters: provider, account, name, state."""
        return list(self.request("GET", f"instances?{urlencode(filters)}")["instances"])

    def instance(self, provider: str, id: int | str) -> dict[str, Any]:
        """Return one instance."""
        return dict(self.request("GET", f"instances/{provider}/{quote(str(id), safe='')}"))

    def set_state(
        self,
        provider: str,
        id: int | str,
        state: str | None = None,
        schedule: Iterable[tuple[float, str]] = (),
        **others: Any,
    ) -> dict[str, Any]:
        """Change an instance's state; ``schedule``: the states that follow, as (seconds from now, state)."""
        body = {"schedule": [{"after": after, "state": later} for after, later in schedule], **others}
        if state is not None:
            body["state"] = state
        return dict(self.request("POST", f"instances/{provider}/{quote(str(id), safe='')}", body))

    def set_settings(self, provider: str, id: int | str, **settings: Any) -> dict[str, Any]:
        """Change settings of an instance, in the vendor's words, as a person does in the gateway's console."""
        return dict(self.request("POST", f"instances/{provider}/{quote(str(id), safe='')}", {"settings": settings}))

    def set_payment(self, id: str, word: str | None) -> dict[str, Any]:
        """Set PlugzAPI's word for whether an instance is paid for; ``None``: the gateway leaves it out."""
        return dict(self.request("POST", f"instances/plugzapi/{quote(id, safe='')}", {"payment": word}))

    def link(
        self,
        provider: str,
        id: int | str | None = None,
        *,
        name: str | None = None,
        account: str | None = None,
        when_ready: bool = False,
    ) -> dict[str, Any]:
        """Link an instance as if a phone had scanned its QR code; with ``when_ready``, as soon as it can show one."""
        given = {"provider": provider, "id": id, "name": name, "account": account, "when_ready": when_ready}
        return dict(self.request("POST", "link", {key: value for key, value in given.items() if value is not None}))

    def scan(self, code: str | None = None, *, image: bytes | None = None, phone: str | None = None) -> dict[str, Any]:
        """Link a phone by the ``image`` of a QR code, its content or a pairing code (``code``); return the instance."""
        given = {"code": code, "image": None if image is None else base64.b64encode(image).decode(), "phone": phone}
        return dict(self.request("POST", "scan", {key: value for key, value in given.items() if value is not None}))

    def phones(self, **filters: str) -> list[dict[str, Any]]:
        """Return cloud phones; filters: account, name, status."""
        return list(self.request("GET", f"phones?{urlencode(filters)}")["phones"])

    def set_phone(
        self, id: str, status: int | None = None, schedule: Iterable[tuple[float, int]] = ()
    ) -> dict[str, Any]:
        """Change a cloud phone's status; ``schedule``: what follows, as (seconds from now, status)."""
        body: dict[str, Any] = {"schedule": [{"after": after, "status": later} for after, later in schedule]}
        if status is not None:
            body["status"] = status
        return dict(self.request("POST", f"phones/{quote(id, safe='')}", body))

    def numbers(self) -> list[dict[str, Any]]:
        """Return the telephone numbers that were set or that registration was asked about."""
        return list(self.request("GET", "numbers")["numbers"])

    def set_number(self, ddi: str, phone: str, **values: Any) -> dict[str, Any]:
        """Set what registration says about a number: result (available, banned, error), reason, ..."""
        return dict(self.request("POST", f"numbers/{ddi}/{phone}", values))

    # The clock

    def clock(self) -> dict[str, Any]:
        """Return the time of the emulator's clock."""
        return dict(self.request("GET", "clock"))

    def advance(self, seconds: float) -> dict[str, Any]:
        """Move the clock forward."""
        return dict(self.request("POST", "clock", {"advance": seconds}))

    def freeze(self, frozen: bool = True) -> dict[str, Any]:
        """Stop the clock, or start it again."""
        return dict(self.request("POST", "clock", {"freeze": frozen}))

    # Faults and the log

    def arm(
        self,
        route: str,
        fault: str,
        *,
        count: int | None = 1,
        skip: int = 0,
        match: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Arm a fault for the next ``count`` matching requests (None: for all), after ``skip`` others."""
        body = {"route": route, "fault": fault, "count": count, "skip": skip, "match": match, "options": options}
        return dict(self.request("POST", "faults", body))

    def faults(self) -> list[dict[str, Any]]:
        """Return the armed faults, including those that have fired ``count`` times."""
        return list(self.request("GET", "faults")["faults"])

    def disarm(self, id: int | None = None) -> int:
        """Disarm one fault or all; return how many were disarmed."""
        return int(self.request("DELETE", "faults" if id is None else f"faults/{id}")["disarmed"])

    def release(self, id: int | None = None) -> int:
        """Resume the requests that ``hang`` faults hold, or those of one fault; return how many there were."""
        return int(self.request("POST", "faults/release" if id is None else f"faults/{id}/release")["released"])

    def log(self, **filters: object) -> list[dict[str, Any]]:
        """Return logged requests.

        Filters: route, vendor, method, writes, committed, status, fault, match (text in path or body), since, limit.
        """
        return list(self.log_page(**filters)["entries"])

    def log_page(self, **filters: object) -> dict[str, Any]:
        """Return logged requests as ``entries``, with ``total``, ``counts`` by route and the ``last`` number."""
        texts = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in filters.items()}
        return dict(self.request("GET", f"log?{urlencode(texts)}"))

    def clear_log(self) -> None:
        """Delete the logged requests."""
        self.request("DELETE", "log")
