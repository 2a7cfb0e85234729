# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Python's side of the control API, and ways to start the emulator."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode

from .application import Application
from .server import Server, serve
from .tls import server_context


class ControlError(Exception):
    """The control API refused; ``status`` is the HTTP status and the text its reason."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Control:
    """Talks to the control API of an emulator, wherever it runs."""

    def __init__(self, url: str = "") -> None:
        self.url = url.rstrip("/")
        # Proxies of the environment are not for loopback; a self-signed certificate is fine there.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request to ``/_emulator/<path>`` and return its JSON; raises ControlError."""
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

    # The world

    def reset(self, config: Mapping[str, Any] | None = None) -> None:
        """Go back to how the server was started, with the config on top."""
        self.request("POST", "reset", {"config": dict(config or {})})

    def config(self, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Select behaviours, and return all config keys with their values."""
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
        """Renew an account's partner token; with ``keep_old`` those before it still open it. Return the account."""
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
        """Put an instance into a state; ``schedule``: (seconds from now, state) that follow."""
        body = {"schedule": [{"after": after, "state": later} for after, later in schedule], **others}
        if state is not None:
            body["state"] = state
        return dict(self.request("POST", f"instances/{provider}/{quote(str(id), safe='')}", body))

    def link(
        self,
        provider: str,
        id: int | str | None = None,
        *,
        name: str | None = None,
        account: str | None = None,
        when_ready: bool = False,
    ) -> dict[str, Any]:
        """Have an instance linked, without any code."""
        given = {"provider": provider, "id": id, "name": name, "account": account, "when_ready": when_ready}
        return dict(self.request("POST", "link", {key: value for key, value in given.items() if value is not None}))

    def scan(self, code: str | None = None, *, image: bytes | None = None, phone: str | None = None) -> dict[str, Any]:
        """Be a phone that looks at the ``image`` of a QR code, or that a pairing ``code`` is typed into."""
        given = {"code": code, "image": None if image is None else base64.b64encode(image).decode(), "phone": phone}
        return dict(self.request("POST", "scan", {key: value for key, value in given.items() if value is not None}))

    def phones(self, **filters: str) -> list[dict[str, Any]]:
        """Return cloud phones; filters: account, name, status."""
        return list(self.request("GET", f"phones?{urlencode(filters)}")["phones"])

    def set_phone(
        self, id: str, status: int | None = None, schedule: Iterable[tuple[float, int]] = ()
    ) -> dict[str, Any]:
        """Give a cloud phone a status; ``schedule``: (seconds from now, status) that follow."""
        body: dict[str, Any] = {"schedule": [{"after": after, "status": later} for after, later in schedule]}
        if status is not None:
            body["status"] = status
        return dict(self.request("POST", f"phones/{quote(id, safe='')}", body))

    def numbers(self) -> list[dict[str, Any]]:
        """Return the telephone numbers that registration has been asked about or that were set."""
        return list(self.request("GET", "numbers")["numbers"])

    def set_number(self, ddi: str, phone: str, **values: Any) -> dict[str, Any]:
        """Say what registration finds out about a number: result (available, banned, error), reason, ..."""
        return dict(self.request("POST", f"numbers/{ddi}/{phone}", values))

    # The clock

    def clock(self) -> dict[str, Any]:
        """Return the emulator's time."""
        return dict(self.request("GET", "clock"))

    def advance(self, seconds: float) -> dict[str, Any]:
        """Move the clock forward."""
        return dict(self.request("POST", "clock", {"advance": seconds}))

    def freeze(self, frozen: bool = True) -> dict[str, Any]:
        """Stop the clock, or let it run on."""
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
        """Arm a fault for the next ``count`` requests (None: for ever) after ``skip`` others."""
        body = {"route": route, "fault": fault, "count": count, "skip": skip, "match": match, "options": options}
        return dict(self.request("POST", "faults", body))

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that are or were armed."""
        return list(self.request("GET", "faults")["faults"])

    def disarm(self, id: int | None = None) -> int:
        """Disarm one fault or all; return how many."""
        return int(self.request("DELETE", "faults" if id is None else f"faults/{id}")["disarmed"])

    def release(self, id: int | None = None) -> int:
        """Let the requests go on that hang, all or those of one fault; return how many there were."""
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
        """Forget the logged requests."""
        self.request("DELETE", "log")


class Emulator(Control):
    """An emulator in a thread of this process: ``with Emulator() as emu: ... emu.url``.

    ``tls``: paths of a certificate and its key, in PEM.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        seed: Mapping[str, Any] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: tuple[str | os.PathLike[str], str | os.PathLike[str]] | None = None,
    ) -> None:
        super().__init__()
        self.application = Application(config, seed)
        self._where = (host, port)
        self._tls = server_context(*tls) if tls else None
        self._server: Server | None = None

    def start(self) -> Emulator:
        """Listen and serve; return self."""
        self._server = Server(self.application, *self._where, tls=self._tls)
        self.url = self._server.url
        serve(self._server)
        return self

    def stop(self) -> None:
        """Stop listening; hanging requests end."""
        if self._server is not None:
            self.application.faults.reset()
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class EmulatorProcess(Control):
    """An emulator in a process of its own, which ends with this one: ``with EmulatorProcess() as emu: ...``."""

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        seed: Mapping[str, Any] | None = None,
        *,
        arguments: Iterable[str] = (),
        start_timeout: float = 30.0,
    ) -> None:
        super().__init__()
        self._files = {"config": config, "seed": seed}
        self._arguments = list(arguments)
        self._start_timeout = start_timeout
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> EmulatorProcess:
        """Start the command and wait until it listens; return self."""
        with tempfile.TemporaryDirectory(prefix="msgops-emulator-") as folder:
            command = [sys.executable, "-m", "msgops_emulator", "--parent", str(os.getpid()), *self._arguments]
            for name, content in self._files.items():
                if content is not None:
                    path = Path(folder, f"{name}.json")
                    path.write_text(json.dumps(dict(content)), encoding="utf-8")
                    command += [f"--{name}", str(path)]
            port_file = Path(folder, "port")
            command += ["--port-file", str(port_file)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            deadline = time.monotonic() + self._start_timeout
            while not port_file.exists():
                if self._process.poll() is not None:
                    raise RuntimeError(f"the emulator ended with {self._process.returncode}")
                if time.monotonic() > deadline:
                    self.stop()
                    raise TimeoutError(f"the emulator does not listen after {self._start_timeout} s")
                time.sleep(0.02)
            self.url = f"{'https' if '--tls' in self._arguments else 'http'}://127.0.0.1:{port_file.read_text()}"
        return self

    def stop(self) -> None:
        """Stop the process and wait for its end."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> EmulatorProcess:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
