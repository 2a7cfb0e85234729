# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The leak matrix: every way to give a module a secret, every outcome, and a search through all that comes out."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import random
import re
import socket
import string
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import quote

import yaml
from ansible.release import __version__ as ansible_version

from msgops_emulator import Emulator

ANSIBLE = tuple(int(part) for part in ansible_version.split(".")[:2])

Place = Literal["controller", "module"]
Way = Literal["variables", "environment", "process"]
Extent = Literal["all", "core"]


# Secrets. Each has runs of letters and digits that occur nowhere else, with everything between them that URLs, JSON,
# YAML, HTML and shells spell in another way. So a run betrays the secret however the rest is spelled, and half of it.

_BETWEEN = ("/+", '="', "%&", "\\ ", "'é")
_LEAST = 8
_RUN = re.compile(rf"[A-Za-z0-9]{{{_LEAST},}}")


def make_secret(name: str) -> str:
    """A token that looks as bad as one can that a URL's path and a header take; always the same for a name."""
    letters = random.Random(name)
    runs = ["".join(letters.choices(string.ascii_letters + string.digits, k=9)) for _run in range(6)]
    return "".join(run + between for run, between in zip(runs, (*_BETWEEN, ""), strict=True))


SECRETS = {
    name: make_secret(name)
    for name in (
        "green_instance",
        "green_renewed",
        "green_partner",
        "webhook",
        "told",
        "plugz_instance",
        "plugz_client",
        "plugz_partner",
        "koophone_token",
        "iam_password",
        "secret_key",
        "appeal",
    )
}
# It stands in a URL, where it has to be percent-encoded.
SECRETS["journal_password"] = "Kq7mWz3nXp/+%=&:Lr8vYc4tBd"
ACCESS_KEY = "ACCESSKEY0123456789"


def needles(secret: str) -> set[str]:
    """What betrays a secret, in lower case: its runs, and pieces of the encodings that hide them."""
    raw = secret.encode()
    shifted = [base64.b64encode(b"x" * shift + raw)[4:-4].decode() for shift in range(3)]
    pieces = [run[i : i + 8] for text in shifted for run in _RUN.findall(text) for i in range(0, len(run) - 7, 8)]
    pieces += [raw.hex()[i : i + 16] for i in range(0, 2 * len(raw) - 15, 16)]
    return {needle.lower() for needle in (*_RUN.findall(secret), *pieces)}


@dataclass(frozen=True)
class Leak:
    """A secret that was found: where, and in the output of which cell."""

    secret: str
    place: str
    cell: str
    line: str

    def __str__(self) -> str:
        return f"{self.secret} in {self.place}, {self.cell}: {self.line[:400]}"


_TASK = re.compile(r"TASK \[(.*?)\] \*+|<testcase [^>]*name=\"([^\"]*)\"")


# Zero-width characters and line breaks, as they are or as JSON spells them, and the space between single characters
# that a message may have in their place.
_UNSEEN = re.compile(r"\u200b|\\+(?:u200b|n)")
_SPELLED_OUT = re.compile(r"(?<=\b\w) (?=\w\b)")


def find_leaks(text: str, place: str, secrets: Mapping[str, str]) -> list[Leak]:
    """All secrets that a text betrays, each with the cell whose task had begun last before it."""
    text = _SPELLED_OUT.sub("", _UNSEEN.sub(" ", text))
    by_start = {needle[:_LEAST]: (needle, name) for name, secret in secrets.items() for needle in needles(secret)}
    if not _betrayed(text, by_start):
        return []
    leaks, cell = [], "before the first task"
    for line in text.splitlines():
        if task := _TASK.search(line):
            cell = next(filter(None, task.groups()))
        leaks += [Leak(name, place, cell, line) for name in sorted(_betrayed(line, by_start))]
    return leaks


def _betrayed(text: str, by_start: Mapping[str, tuple[str, str]]) -> set[str]:
    found = set()
    for run in {run.lower() for run in _RUN.findall(text)}:
        for start in range(len(run) - _LEAST + 1):
            needle, name = by_start.get(run[start : start + _LEAST], ("", ""))
            if name and run.startswith(needle, start):
                found.add(name)
    return found


# Outcomes: each is a server that does the same to every request


@dataclass(frozen=True)
class Outcome:
    """``faults`` of the emulator for all requests, or a special ``address``. ``succeeds``: whether the task does."""

    faults: tuple[tuple[str, dict[str, Any]], ...] = ()
    address: str = ""
    succeeds: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


_ECHO = {"error": "{secret} not allowed", "message": "{encoded_secret} at {path}", "error_msg": "{secret}"}
_ECHO_TEXT = "{secret} {encoded_secret} {path}"


def _echo(form: str) -> dict[str, str]:
    """A body that holds the secret in a form, where each vendor puts its message."""
    return dict.fromkeys(("error", "message", "error_msg"), f"{{{form}}} not allowed")


def _status(status: int, body: Any, **options: Any) -> Outcome:
    return Outcome((("status", {"status": status, "body": body, "echo_secret": True, **options}),))


def _garbage(kind: str, **options: Any) -> Outcome:
    return Outcome((("garbage", {"kind": kind, **options}),))


OUTCOMES: dict[str, Outcome] = {
    "success": Outcome(succeeds=True),
    "401": _status(401, _ECHO),
    "403 that echoes": _status(403, _ECHO),
    "403 that echoes as text": _status(403, _ECHO_TEXT, content_type="text/plain"),
    "500 that echoes": _status(500, _ECHO),
    "200 that echoes": _status(200, _ECHO),
    "200 that echoes as text": _status(200, _ECHO_TEXT, content_type="text/html"),
    "403 with its beginning": _status(403, _echo("secret_start")),
    "403 with its end": _status(403, _echo("secret_end")),
    "403 in capitals": _status(403, _echo("capital_secret")),
    "403 with zero-width characters": _status(403, _echo("split_secret")),
    "403 with line breaks": _status(403, _echo("wrapped_secret")),
    "200 with zero-width characters": _status(200, _echo("split_secret")),
    "timeout": Outcome((("hang", {}),), options={"timeout": 0.2}),
    "refused": Outcome(address="refused"),
    "no TLS": Outcome(address="no TLS"),
    "untrusted": Outcome(address="untrusted"),
    "reset": Outcome((("reset", {}),)),
    "truncated": Outcome((("truncate", {}),)),
    "redirect": Outcome((("redirect", {}),)),
    "not JSON": _garbage("not_json"),
    "huge": _garbage("huge", megabytes=4),
    "deep": _garbage("deep"),
    "wrong type": _garbage("wrong_type"),
    "binary": _garbage("binary"),
    "a broken header": Outcome(address="broken header"),
    "a crash of ours": Outcome(),
}
CRASH = "a crash of ours"
# Those that differ most, where not all are needed.
CHOSEN = ("success", "403 that echoes", CRASH, "refused")


class Servers:
    """An address for each outcome."""

    def __init__(self, folder: Path) -> None:
        self._stack = contextlib.ExitStack()
        self._emulators: list[Emulator] = []
        self._addresses: dict[str, str] = {}
        plain = self._emulator(Outcome())
        self._plain, self._with_listing = plain.url, self._emulator(Outcome(), listing="present").url
        # Nothing listens on this port, and as long as it is bound, nothing else can.
        closed = self._stack.enter_context(socket.socket())
        closed.bind(("127.0.0.1", 0))
        self._addresses["refused"] = f"http://127.0.0.1:{closed.getsockname()[1]}"
        self._addresses["no TLS"] = plain.url.replace("http:", "https:")
        certificate = (folder / "certificate.pem", folder / "key.pem")
        self._addresses["untrusted"] = self._emulator(Outcome(), tls=certificate).url
        self._addresses["broken header"] = self._stack.enter_context(_broken_headers())
        self._by_outcome = {
            name: self._addresses[outcome.address]
            if outcome.address
            else (self._emulator(outcome).url if outcome.faults else plain.url)
            for name, outcome in OUTCOMES.items()
        }

    def _emulator(self, outcome: Outcome, *, listing: str = "http404", **options: Any) -> Emulator:
        # An instance that restarts after one cell's settings would refuse those of the next, at times.
        config = {"plugzapi.listing": listing, "green_api.restart_seconds": 0}
        emulator = Emulator(config, _SEED, **options)
        self._stack.enter_context(emulator)
        self._emulators.append(emulator)
        for fault, values in outcome.faults:
            emulator.arm("*", fault, count=None, **values)
        return emulator

    def address(self, outcome: str, *, needs_listing: bool) -> str:
        """Where that outcome is to be had."""
        address = self._by_outcome[outcome]
        return self._with_listing if needs_listing and address == self._plain else address

    def secrets(self) -> dict[str, str]:
        """The tokens that the servers have given out."""
        found: dict[str, str] = {}
        for emulator in self._emulators:
            world = emulator.application.world
            instances = {f"token of {instance.name}": instance.token for instance in world.instances()}
            tokens = {f"IAM token {number}": token for number, token in enumerate(world.iam_tokens)}
            found |= instances | tokens
        return {name: secret for name, secret in found.items() if secret not in SECRETS.values()}

    def close(self) -> None:
        """Stop them all."""
        self._stack.close()


# What the gateways tell of the instances' webhooks.
_TOLD_URL = "https://{0}:{0}@hooks.example/old?key={0}#{0}".format(quote(SECRETS["told"], safe=""))
_SEED = {
    "accounts": [
        {"provider": "green_api", "name": "default", "partner_token": SECRETS["green_partner"]},
        {
            "provider": "plugzapi",
            "name": "default",
            "partner_token": SECRETS["plugz_partner"],
            "client_token": SECRETS["plugz_client"],
            "options": {"plugzapi.client_token_active": True},
        },
        {
            "provider": "koophone",
            "name": "default",
            "auth_token": SECRETS["koophone_token"],
            "iam_password": SECRETS["iam_password"],
            "access_key": ACCESS_KEY,
            "secret_key": SECRETS["secret_key"],
        },
    ],
    "instances": [
        {
            "provider": "green_api",
            "id": 1101,
            "name": "g",
            "token": SECRETS["green_instance"],
            "state": "authorized",
            "settings": {"webhookUrl": _TOLD_URL, "webhookUrlToken": SECRETS["told"]},
        },
        {"provider": "green_api", "id": 1102, "name": "r", "token": SECRETS["green_renewed"], "state": "authorized"},
        {
            "provider": "plugzapi",
            "id": "P1",
            "name": "p",
            "token": SECRETS["plugz_instance"],
            "state": "connected",
            "settings": {"receivedCallbackUrl": _TOLD_URL, "deliveryCallbackUrl": _TOLD_URL},
        },
    ],
    "phones": [{"id": "phone-1"}, {"id": "phone-2", "status": 1}],
    "numbers": [{"ddi": "55", "phone": "44", "result": "banned", "appeal_token": SECRETS["appeal"]}],
}


@contextlib.contextmanager
def _broken_headers() -> Iterator[str]:
    """A server whose answers have headers that libraries complain about, the request's own address among them."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = connection.recv(65536)
            target = request.split(b" ")[1] if request.count(b" ") > 1 else b"/"
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n: no name\r\nno colon\r\nX-Path: " + target + b"\r\n\r\n{}"
            )

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


# Variants: each module with each way of naming its secrets


@dataclass(frozen=True)
class Variant:
    """A module's options; ``secrets`` are those that the environment can give as well, by variable.

    ``address`` is the option that takes the server's. ``returned`` are the keys of the result that the contract lets
    hold a secret: with no_log, or where Ansible registers it.
    """

    module: str
    options: dict[str, Any]
    address: str | None = "api_url"
    secrets: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    outcomes: tuple[str, ...] = tuple(OUTCOMES)
    returned: tuple[str, ...] = ()


def _variable(name: str) -> str:
    return f"{{{{ {name} }}}}"


_CREATION = {"provider": "green_api", "settings": {"webhookUrlToken": _variable("webhook")}}
_TOKENS = ("instances.token", "instance.token")
# A secret in each place of an address.
_ENCODED = "{{ webhook | urlencode | replace('/', '%2F') }}"
_SETTINGS = {
    "webhookUrl": f"https://{_ENCODED}:{_ENCODED}@hooks.example/in?key={_ENCODED}#{_ENCODED}",
    "webhookUrlToken": _variable("webhook"),
}
_CALLBACKS = {"received_callback_url": _SETTINGS["webhookUrl"], "delivery_callback_url": _SETTINGS["webhookUrl"]}
_INSTANCES = [
    {"id": "1101", "provider": "green_api", "token": _variable("green_instance")},
    {
        "id": "P1",
        "provider": "plugzapi",
        "token": _variable("plugz_instance"),
        "client_token": _variable("plugz_client"),
    },
]

# How a single instance of each gateway is asked for. Its ID comes from where its token comes from.
_IDS = {"green_api": "GREEN_API_ID_INSTANCE", "plugzapi": "PLUGZAPI_INSTANCE_ID"}
_GREEN_API_INSTANCE = {"instance_token": ("green_instance", "GREEN_API_TOKEN_INSTANCE")}
_PLUGZAPI_INSTANCE = {
    "instance_token": ("plugz_instance", "PLUGZAPI_INSTANCE_TOKEN"),
    "client_token": ("plugz_client", "PLUGZAPI_CLIENT_TOKEN"),
}

_NAMED = {"token": _variable("plugz_instance"), "partner_token": _variable("plugz_partner")}

_PHONES: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "phones": ("cloudphone_status", {"instance_ids": ["phone-1"]}, tuple(OUTCOMES)),
    "the tenant's phones": ("cloudphone_info", {}, CHOSEN),
    # It is stopped: a reboot too many would fail.
    "reboot of a phone": ("cloudphone_reboot", {"instance_ids": ["phone-2"]}, CHOSEN),
}
_WAYS_TO_PHONES: dict[str, tuple[dict[str, Any], dict[str, tuple[str, str]]]] = {
    "token": ({}, {"auth_token": ("koophone_token", "KOOPHONE_AUTH_TOKEN")}),
    "password": (
        {"iam_user": "emulator", "iam_domain": "emulator-domain", "project_name": "cn-south-1"},
        {"iam_password": ("iam_password", "KOOPHONE_IAM_PASSWORD")},
    ),
    "key": ({"access_key": ACCESS_KEY}, {"secret_key": ("secret_key", "KOOPHONE_SECRET_KEY")}),
}
VARIANTS: dict[str, Variant] = {
    "state of GREEN-API": Variant(
        "instance_state",
        {"provider": "green_api", "instance_id": "1101"},
        secrets=_GREEN_API_INSTANCE,
    ),
    "state of PlugzAPI": Variant(
        "instance_state",
        {"provider": "plugzapi", "instance_id": "P1"},
        secrets=_PLUGZAPI_INSTANCE,
    ),
    "states of a list": Variant(
        "instance_state",
        {
            "instances": _INSTANCES,
        },
    ),
    "creation at GREEN-API": Variant(
        "instance_create",
        _CREATION,
        secrets={"partner_token": ("green_partner", "GREEN_API_PARTNER_TOKEN")},
        returned=_TOKENS,
    ),
    "creation at PlugzAPI": Variant(
        "instance_create",
        {"provider": "plugzapi"},
        secrets={"partner_token": ("plugz_partner", "PLUGZAPI_PARTNER_TOKEN")},
        returned=_TOKENS,
    ),
    "creation of a list": Variant(
        "instance_create",
        {
            "instances": [
                {**_CREATION, "partner_token": _variable("green_partner")},
                {"provider": "plugzapi", "partner_token": _variable("plugz_partner")},
            ],
        },
        returned=_TOKENS,
    ),
    "provision": Variant(
        "instance_provision",
        {
            "instances": [
                {**_CREATION, "partner_token": _variable("green_partner")},
                {"provider": "plugzapi"},
                *_INSTANCES,
            ],
            "partner_tokens": {"green_api": _variable("green_partner"), "plugzapi": _variable("plugz_partner")},
            "assert_authorized": False,
        },
        address="api_urls",
        secrets={"client_token": ("plugz_client", "PLUGZAPI_CLIENT_TOKEN")},
        outcomes=CHOSEN,
    ),
    "listing": Variant(
        "instance_info",
        {"provider": "green_api"},
        secrets={"partner_token": ("green_partner", "GREEN_API_PARTNER_TOKEN")},
        returned=("instances.token",),
        outcomes=CHOSEN,
    ),
    "listing of a list": Variant(
        "instance_info",
        {"accounts": [{"provider": "green_api", "partner_token": _variable("green_partner")}]},
        returned=("instances.token",),
        outcomes=CHOSEN,
    ),
    "link": Variant(
        "instance_link",
        {"provider": "plugzapi", "instance_id": "P1", "dest": "codes", "wait_timeout": 0},
        secrets=_PLUGZAPI_INSTANCE,
        outcomes=CHOSEN[:3],  # a gateway that can't be reached is waited for
    ),
    "link of a list": Variant(
        "instance_link", {"instances": _INSTANCES, "dest": "codes", "wait_timeout": 0}, outcomes=CHOSEN[:3]
    ),
    "reboot": Variant(
        "instance_reboot",
        {"provider": "green_api", "instance_id": "1101"},
        secrets=_GREEN_API_INSTANCE,
        outcomes=CHOSEN,
    ),
    "reboot through PlugzAPI": Variant(
        "instance_reboot",
        {"provider": "plugzapi", "instance_id": "P1"},
        secrets=_PLUGZAPI_INSTANCE,
        outcomes=CHOSEN,
    ),
    "reboot of a list": Variant("instance_reboot", {"instances": _INSTANCES}, outcomes=CHOSEN),
    "settings at GREEN-API": Variant(
        "instance_settings",
        {"provider": "green_api", "instance_id": "1101", "settings": _SETTINGS, "verify_interval": 0.1},
        secrets=_GREEN_API_INSTANCE,
    ),
    "settings at PlugzAPI": Variant(
        "instance_settings",
        {"provider": "plugzapi", "instance_id": "P1", "settings": _CALLBACKS, "verify_interval": 0.1},
        secrets=_PLUGZAPI_INSTANCE,
    ),
    "settings of a list": Variant(
        "instance_settings",
        {
            "instances": [
                {**_INSTANCES[0], "settings": {**_SETTINGS, "stateWebhook": True}},
                {**_INSTANCES[1], "settings": {**_CALLBACKS, "name": "p"}},
            ],
            "verify_interval": 0.1,
        },
        outcomes=CHOSEN,
    ),
    "subscription": Variant(
        "instance_subscription",
        {"state": "subscribed", "instances": [{**_NAMED, "id": "P1", "name": "p"}]},
        secrets={"partner_token": ("plugz_partner", "PLUGZAPI_PARTNER_TOKEN")},
        outcomes=CHOSEN,
    ),
    "subscription of one": Variant(
        "instance_subscription",
        {
            "state": "subscribed",
            "provider": "plugzapi",
            "instance_id": "P1",
            "name": "p",
            "partner_token": _variable("plugz_partner"),
        },
        secrets={"instance_token": _PLUGZAPI_INSTANCE["instance_token"]},
        outcomes=CHOSEN,
    ),
    "deletion at GREEN-API": Variant(
        "instance_delete",
        {"provider": "green_api", "instances": [{"id": "1199", "name": "gone"}]},
        secrets={"partner_token": ("green_partner", "GREEN_API_PARTNER_TOKEN")},
        outcomes=CHOSEN,
    ),
    "deletion at PlugzAPI": Variant(
        "instance_delete",
        {
            "provider": "plugzapi",
            "instances": [{**_NAMED, "id": "P9", "name": "gone", "client_token": _variable("plugz_client")}],
        },
        secrets={
            "partner_token": ("plugz_partner", "PLUGZAPI_PARTNER_TOKEN"),
            "client_token": ("plugz_client", "PLUGZAPI_CLIENT_TOKEN"),
        },
        outcomes=CHOSEN,
    ),
    "report": Variant(
        "fleet_report",
        # With the token that instance_create has returned, which a report has no use for.
        {
            "instances": [{"id": "1101", "provider": "green_api", "name": "g", "token": _variable("green_instance")}],
            "json_file": "report.json",
            "junit_file": "report.xml",
            "html_file": "report.html",
            "return_report": True,
        },
        address=None,
        outcomes=("success",),
    ),
    # Its failures are in its report, and don't fail the task.
    "check": Variant(
        "fleet_check",
        {
            "accounts": [{"provider": "green_api", "partner_token": _variable("green_partner")}],
            "return_report": True,
        },
        address=None,
        outcomes=("success",),
    ),
    # The token that leaked, and is renewed in each cell in which the gateway does so.
    "renewal of a token": Variant(
        "instance_token",
        {
            "provider": "green_api",
            "instance_id": "1102",
            "instance_token": _variable("green_renewed"),
            "client_token": _variable("plugz_client"),
            "partner_token": _variable("green_partner"),
        },
        outcomes=CHOSEN,
        returned=("instances.token",),
    ),
    "renewal by a partner": Variant(
        "instance_token",
        {"provider": "green_api", "instances": [{"id": "1102", "token": _variable("green_renewed")}]},
        secrets={"partner_token": ("green_partner", "GREEN_API_PARTNER_TOKEN")},
        returned=("instances.token",),
    ),
    "renewal of a list": Variant(
        "instance_token",
        {
            "instances": [
                {
                    "id": "1102",
                    "provider": "green_api",
                    "token": _variable("green_renewed"),
                    "client_token": _variable("plugz_client"),
                    "partner_token": _variable("green_partner"),
                }
            ],
        },
        outcomes=CHOSEN,
        returned=("instances.token",),
    ),
    **{
        f"{name} by {way}": Variant(
            module, {**options, **identity}, address="endpoint", secrets=secrets, outcomes=outcomes
        )
        for name, (module, options, outcomes) in _PHONES.items()
        for way, (identity, secrets) in _WAYS_TO_PHONES.items()
    },
    "registration": Variant(
        "registration_availability",
        {"instance_id": "P1", "ddi": "55", "phone": "44"},
        secrets=_PLUGZAPI_INSTANCE,
        returned=("appeal_token",),
    ),
    "journal": Variant("creation_journal", {}, address=None, outcomes=("success", CRASH)),
    "journal in PostgreSQL": Variant(
        "creation_journal",
        {},
        address=None,
        secrets={"journal": ("journal_url", "MSGOPS_JOURNAL")},
        outcomes=("refused", CRASH),
    ),
    "creation with a journal in PostgreSQL": Variant(
        "instance_create",
        {"provider": "green_api", "partner_token": _variable("green_partner")},
        secrets={"journal": ("journal_url", "MSGOPS_JOURNAL")},
        outcomes=("refused",),
    ),
}

VARIABLES: dict[str, Any] = {
    **SECRETS,
    "number": 8473625190837,
    "journal_url": "postgresql://fleet:Kq7mWz3nXp%2F%2B%25%3D%26%3ALr8vYc4tBd@127.0.0.1:1/fleet?connect_timeout=2",
}


# Cells


@dataclass(frozen=True)
class Cell:
    """One task: a variant, what becomes of it, where it runs, how it gets its secrets, and whether it has no_log."""

    variant: str
    outcome: str
    place: Place
    way: Way
    no_log: bool

    def __str__(self) -> str:
        hidden = "no_log" if self.no_log else "shown"
        return f"{self.variant} / {self.outcome} / {self.place} / {self.way} / {hidden}"

    @property
    def key(self) -> str:
        """The name of the variable that its result is registered in."""
        return "cell_" + re.sub(r"\W+", "_", str(self)).lower()


def cells(extent: Extent = "all") -> list[Cell]:
    """The matrix.

    ``core`` leaves out what can't differ between two ansible-cores, once ``all`` has run on one of them. Of a cell,
    Ansible knows its circumstances and its task. In which way a gateway failed makes a difference only to the text that
    our core returns; what Ansible gets is a failure with a text.
    """
    matrix = [
        Cell(name, outcome, place, way, no_log)
        for place, way in itertools.product(get_args(Place), get_args(Way))
        for name, variant in VARIANTS.items()
        if way == "variables" or variant.secrets
        for no_log in (False, True)
        for outcome in variant.outcomes
        if outcome in _outcomes(place, way, no_log)
    ]
    if extent == "all":
        return matrix
    in_cell = {cell: combinations(cell) for cell in matrix}
    missing = set().union(*in_cell.values())
    chosen = set()
    while missing:
        best = max(matrix, key=lambda cell: len(in_cell[cell] & missing))
        chosen.add(best)
        missing -= in_cell[best]
    return [cell for cell in matrix if cell in chosen]


def combinations(cell: Cell) -> set[tuple[object, ...]]:
    """What ``core`` has once at least: all circumstances together, and most of them with each module and variant."""
    end = CRASH if cell.outcome == CRASH else OUTCOMES[cell.outcome].succeeds
    variant = cell.variant
    return {
        (cell.place, cell.way, cell.no_log, end),
        (VARIANTS[variant].module, cell.place, cell.no_log, end),
        (variant, cell.no_log, end),
        (variant, cell.place),
        (variant, cell.way),
    }


def _outcomes(place: Place, way: Way, no_log: bool) -> Iterable[str]:
    """All that make a difference: the core is the same in both places, and a module takes a process for each cell."""
    if place == "module":
        return CHOSEN[:3] if way == "variables" and not no_log else CHOSEN[:1]
    if no_log:
        return CHOSEN
    return OUTCOMES if way == "variables" else {*CHOSEN, *(name for name in OUTCOMES if "echoes" in name)}


# So many that a playbook takes seconds, also on a machine that does other things.
_CELLS_IN_A_PLAYBOOK: dict[Place, int] = {"controller": 40, "module": 8}


def playbooks(extent: Extent = "all") -> dict[str, list[Cell]]:
    """The matrix, in parts that one ansible-playbook runs, by a name."""
    parts: dict[str, list[Cell]] = {}
    matrix = cells(extent)
    # The environment of the process is all its cells', and a crash takes a collection of its own.
    for place, way in itertools.product(get_args(Place), get_args(Way)):
        for crashes in (False, True):
            together = (place, way, crashes)
            chosen = [cell for cell in matrix if (cell.place, cell.way, cell.outcome == CRASH) == together]
            size = _CELLS_IN_A_PLAYBOOK[place]
            for start in range(0, len(chosen), size):
                name = f"{place}, {way}, {'crashing, ' if crashes else ''}{start}"
                parts[name] = chosen[start : start + size]
    return parts


_PATHS = ("dest", "json_file", "junit_file", "html_file")
_CREATING = ("instance_create", "instance_provision")
# What does nothing where PlugzAPI has no listing.
_LISTING = ("instance_delete", "instance_subscription")
_WITH_JOURNAL = (
    *_CREATING,
    *("creation_journal", "instance_delete", "instance_reboot", "instance_settings", "instance_token"),
    "cloudphone_reboot",
)


def cell_task(cell: Cell, servers: Servers, folder: Path) -> dict[str, Any]:
    """The task of a cell, as it stands in a playbook."""
    variant, outcome = VARIANTS[cell.variant], OUTCOMES[cell.outcome]
    options = json.loads(json.dumps(variant.options))
    options |= {name: str(folder / options[name]) for name in options if name in _PATHS}
    environment = {}
    for option, (variable, in_environment) in variant.secrets.items():
        if cell.way == "variables":
            options[option] = _variable(variable)
        elif cell.way == "environment":
            environment[in_environment] = _variable(variable)
    if cell.way != "variables" and (instance_id := options.pop("instance_id", None)):
        environment[_IDS[options.get("provider", "plugzapi")]] = instance_id
    if variant.address:
        address = servers.address(cell.outcome, needs_listing=variant.module in _LISTING)
        by_provider = dict.fromkeys(("green_api", "plugzapi"), address)
        options |= {variant.address: by_provider if variant.address == "api_urls" else address}
        options |= {"retry_timeout": 0, **outcome.options}
        if "iam_user" in options:
            options["iam_endpoint"] = options[variant.address]
    if variant.module in _CREATING:
        for number, item in enumerate(options.get("instances", [options])):
            item["name"] = f"{cell.key}-{number}"
    # With no_log, the result alone delivers tokens; instance_provision returns none.
    if variant.module in (*_CREATING, "instance_token") and (not cell.no_log or variant.module == "instance_provision"):
        options["credentials_file"] = str(folder / "credentials.json")
    if variant.module in _WITH_JOURNAL and "journal" not in variant.secrets:
        options["journal"] = str(folder / "journal.sqlite3")
    return {
        "name": str(cell),
        f"msgops.fleet.{variant.module}": options,
        "register": cell.key,
        "ignore_errors": True,
        "vars": {"msgops_execution": cell.place},
        **({"environment": environment} if environment else {}),
        **({"no_log": True} if cell.no_log else {}),
    }


# Running

# What a test itself writes secrets to, and what is there to hold them.
NOT_SEARCHED = ("vars.json", "registered.json", "credentials.json")


@dataclass
class Output:
    """All that came out of a playbook, by name, and the results that it registered."""

    texts: dict[str, str]
    results: dict[str, dict[str, Any]]

    def leaks(self, chosen: Iterable[Cell], secrets: Mapping[str, str]) -> list[Leak]:
        """All secrets in all that came out, but for the keys of results that may hold some."""
        shown = {f"result of {cell}": json.dumps(_without_returned(cell, self.results[cell.key])) for cell in chosen}
        return [leak for name, text in (self.texts | shown).items() for leak in find_leaks(text, name, secrets)]


def run_playbook(chosen: Iterable[Cell], servers: Servers, folder: Path, **places: Path) -> Output:
    """Run the cells' tasks in one ansible-playbook; ``places`` are those of ``run_tasks``."""
    chosen = list(chosen)
    environment = {}
    if any(cell.way == "process" for cell in chosen):
        for variant in VARIANTS.values():
            environment |= {name: str(VARIABLES[variable]) for variable, name in variant.secrets.values()}
    return run_tasks([cell_task(cell, servers, folder) for cell in chosen], folder, environment, **places)


def run_tasks(
    tasks: Sequence[dict[str, Any]],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    collections: Path,
    commands: Path,
) -> Output:
    """Run tasks, each of which registers its result, in one ansible-playbook that shows all that it can.

    ``collections`` is where the collection is found, ``commands`` where ``ansible-playbook`` is.
    """
    writing = {
        "name": "Write the results",
        "write_registered": {"names": [task["register"] for task in tasks], "dest": str(folder / "registered.json")},
    }
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": [*tasks, writing]}]
    (folder / "play.yml").write_text(yaml.safe_dump(play, sort_keys=False, width=1000))
    (folder / "vars.json").write_text(json.dumps(VARIABLES))
    for name in ("home", "junit", "tree"):
        (folder / name).mkdir(exist_ok=True)
    settings = {
        "ANSIBLE_ACTION_PLUGINS": str(Path(__file__).parent / "plugins" / "action"),
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit,ansible.builtin.tree",
        "ANSIBLE_CALLBACK_TREE_DIR": str(folder / "tree"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_DISPLAY_TRACEBACK": "always",
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_INJECT_INVOCATION": "true",
        "ANSIBLE_LOG_PATH": str(folder / "ansible.log"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PYTHON_INTERPRETER": str(commands / "python"),
        "ANSIBLE_REMOTE_TMP": str(folder / "home" / "tmp"),
        "JUNIT_OUTPUT_DIR": str(folder / "junit"),
        "LC_ALL": "C.UTF-8",
    }
    command = [commands / "ansible-playbook", "-i", "localhost,", "-c", "local", "-vvvv", "--diff"]
    done = subprocess.run(
        [*command, "-e", f"@{folder / 'vars.json'}", str(folder / "play.yml")],
        env=os.environ | settings | (environment or {}),
        cwd=folder,
        capture_output=True,
        check=False,
    )
    texts = {"stdout": done.stdout.decode(errors="replace"), "stderr": done.stderr.decode(errors="replace")}
    if done.returncode != 0:
        raise AssertionError(f"ansible-playbook ended with {done.returncode}: {texts}")
    texts |= {
        str(path.relative_to(folder)): path.read_bytes().decode(errors="replace")
        for path in folder.rglob("*")
        if path.is_file() and path.name not in NOT_SEARCHED
    }
    return Output(texts, json.loads((folder / "registered.json").read_text()))


def _without_returned(cell: Cell, result: dict[str, Any]) -> dict[str, Any]:
    """A result without the keys that the contract lets hold a secret, where this cell may have them."""
    result = json.loads(json.dumps(result))
    for key in VARIANTS[cell.variant].returned:
        first, _dot, second = key.partition(".")
        for item in result.get(first, []) if isinstance(result.get(first), list) else [result.get(first)]:
            if second and isinstance(item, dict):
                item.pop(second)
        if not second:
            result.pop(first, None)
    return result
