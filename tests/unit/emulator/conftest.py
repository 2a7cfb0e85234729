# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients that send the vendors' requests, independent of the collection's clients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

if TYPE_CHECKING:
    from msgops_emulator import Control


@dataclass
class Caller:
    """Sends requests to the emulator as one account, by default the default account."""

    emulator: Control
    account: str = "default"
    session: requests.Session = field(default_factory=requests.Session)

    def credential(self, provider: str, key: str) -> str:
        return str(self.emulator.account(provider, self.account)[key])

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 10)
        options.setdefault("allow_redirects", False)
        return self.session.request(method, self.emulator.url + path, **options)


class GreenApi(Caller):
    def partner(self, method: str, verb: str = "POST", token: str | None = None, **options: Any) -> requests.Response:
        token = self.credential("green_api", "partner_token") if token is None else token
        return self.send(verb, f"/partner/{method}/{quote(token, safe='')}", **options)

    def create(self, **body: Any) -> requests.Response:
        return self.partner("createInstance", json=body)

    def instance(self, instance: dict[str, Any], method: str, verb: str = "GET", **options: Any) -> requests.Response:
        token = quote(instance["token"], safe="")
        return self.send(verb, f"/waInstance{instance['id']}/{method}/{token}", **options)

    def state(self, instance: dict[str, Any]) -> Any:
        return self.instance(instance, "getStateInstance").json()


class PlugzApi(Caller):
    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credential('plugzapi', 'partner_token')}"}

    def create(self, **body: Any) -> requests.Response:
        return self.send("POST", "/instances/integrator/on-demand", json=body, headers=self.bearer)

    def list(self, page: int = 1, size: int = 50, **query: Any) -> requests.Response:
        return self.send("GET", "/instances", params={"page": page, "pageSize": size, **query}, headers=self.bearer)

    def instance(self, instance: dict[str, Any], method: str, verb: str = "GET", **options: Any) -> requests.Response:
        token = quote(instance["token"], safe="")
        return self.send(verb, f"/instances/{instance['id']}/token/{token}/{method}", **options)

    def registration(self, instance: dict[str, Any], ddi: Any, phone: Any, **options: Any) -> requests.Response:
        headers = {"Client-Token": self.credential("plugzapi", "client_token")}
        body = {"ddi": ddi, "phone": phone}
        return self.instance(
            instance, "mobile/registration-available", "POST", json=body, **{"headers": headers, **options}
        )


class KooPhone(Caller):
    def query(self, ids: Any, headers: dict[str, str] | None = None) -> requests.Response:
        if headers is None:
            headers = {"X-Auth-Token": self.credential("koophone", "auth_token"), "x-request-id": "4e1f"}
        return self.send("POST", "/v1/instances/batch-query-status", json={"instance_ids": ids}, headers=headers)

    def reboot(self, ids: Any) -> Any:
        headers = {"X-Auth-Token": self.credential("koophone", "auth_token"), "x-request-id": "4e1f"}
        return self.send("POST", "/v1/instances/reboot", json={"instance_ids": ids}, headers=headers).json()

    def list(self, **query: Any) -> requests.Response:
        headers = {"X-Auth-Token": self.credential("koophone", "auth_token")}
        return self.send("GET", "/v1/instances/batch-query", params=query, headers=headers)

    def iam(self, **changes: Any) -> requests.Response:
        account = self.emulator.account("koophone", self.account)
        user = {
            "name": account["iam_user"],
            "password": changes.get("password", account["iam_password"]),
            "domain": {"name": account["iam_domain"]},
        }
        project = {"name": changes.get("project", account["project_name"])}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": {"project": project}}}
        return self.send("POST", "/v3/auth/tokens", json=changes.get("body", body), params=changes.get("params"))


@pytest.fixture
def green(emulator: Control) -> Iterator[GreenApi]:
    caller = GreenApi(emulator)
    with caller.session:
        yield caller


@pytest.fixture
def plugz(emulator: Control) -> Iterator[PlugzApi]:
    caller = PlugzApi(emulator)
    with caller.session:
        yield caller


@pytest.fixture
def koo(emulator: Control) -> Iterator[KooPhone]:
    caller = KooPhone(emulator)
    with caller.session:
        yield caller
