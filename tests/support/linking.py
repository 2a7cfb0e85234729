# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances at emulated gateways, tasks that link and reboot them, and a person who scans their codes."""

from __future__ import annotations

import base64
import html
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._linking.timing import LinkTiming
from ansible_collections.msgops.fleet.tests.storm.runs import PATIENCE, Result, Run

from msgops_emulator import ControlError, Emulator

CODE_ROUTES = (
    "green_api.qr",
    "green_api.get_authorization_code",
    "plugzapi.qr_code",
    "plugzapi.qr_code_image",
    "plugzapi.phone_code",
)
LINKED = ("authorized", "connected")
QUICK = LinkTiming(step=0.02, no_code_timeout=0.5, page_interval=0.02)

_CARD = re.compile(r'<li class="card" id="([^"]*)">(.*?)</li>', re.DOTALL)


@dataclass
class Sitting:
    """Emulated gateways, and the folders for the tasks' codes and journal."""

    emulator: Emulator
    folder: Path

    def __post_init__(self) -> None:
        self.codes = self.folder / "codes"
        self.page = self.codes / "index.html"
        self.journal = self.folder / "journal.sqlite3"

    def seed(self, provider: str, *names: str, **options: Any) -> list[dict[str, Any]]:
        """Instances that exist, as items of a task."""
        wanted = [{"provider": provider, "name": name, **options} for name in names]
        return [
            {"provider": provider, "id": str(made["id"]), "name": made["name"], "token": made["token"]}
            for made in self.emulator.seed(instances=wanted)["instances"]
        ]

    def run(self, module: str, instances: list[dict[str, Any]] | None, **options: Any) -> Run:
        """A task for ``instances``, which a child process can run, too."""
        run = {key: options.pop(key) for key in ("check_mode", "diff", "no_log", "times") if key in options}
        items = None if instances is None else [{"api_url": self.emulator.url, **item} for item in instances]
        given = {"instances": items, "timeout": 5, "retry_timeout": 0, "wait_interval": 0.05, **options}
        given = {key: value for key, value in given.items() if value is not None}
        return Run(module, given, **{"no_log": False, **run})

    def link(self, instances: list[dict[str, Any]] | None, **options: Any) -> Result:
        """The result of the task that links ``instances``."""
        given = {"dest": str(self.codes), "wait_timeout": 20, "times": {"timing": QUICK}, **options}
        return self.run("instance_link", instances, **given)()

    def state(self, item: dict[str, Any]) -> str:
        """The vendor's word for the state of an instance."""
        return str(self.emulator.instance(item["provider"], item["id"])["state"])

    def codes_asked(self) -> int:
        """How many requests for a code there were."""
        return sum(len(self.emulator.log(route=route)) for route in CODE_ROUTES)

    # What a person sees

    def pictures(self) -> dict[str, bytes]:
        """The QR codes in the folder, by file name."""
        return {path.stem: path.read_bytes() for path in self.codes.glob("*.png")}

    def cards(self) -> dict[str, Card]:
        """The instances that the page shows, by their anchor."""
        if not self.page.exists():
            return {}
        text = self.page.read_text(encoding="utf-8")
        return {anchor: Card(card) for anchor, card in _CARD.findall(text)}


@dataclass(frozen=True)
class Card:
    """An instance on the page."""

    source: str

    @property
    def text(self) -> str:
        """All that can be read."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.source)).split())

    @property
    def picture(self) -> bytes | None:
        found = re.search(r'src="data:image/png;base64,([^"]*)"', self.source)
        return base64.b64decode(found[1]) if found else None

    @property
    def code(self) -> str | None:
        found = re.search(r'<span class="type">([^<]*)</span>', self.source)
        return found[1] if found else None

    @property
    def phone(self) -> str | None:
        found = re.search(r"phone \+(\d+)", self.source)
        return found[1] if found else None


@dataclass
class Person:
    """Calls ``act`` repeatedly while the block runs; ``refusals`` collects the errors that phones get."""

    act: Callable[[], None]
    refusals: list[str] = field(default_factory=list)

    def __enter__(self) -> Person:
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._leaving.set()
        self._thread.join(PATIENCE)

    def _live(self) -> None:
        while not self._leaving.wait(0.02):
            try:
                self.act()
            except ControlError as refusal:
                self.refusals.append(str(refusal))
            except FileNotFoundError:
                continue  # it was removed just now


def errors(result: Result) -> dict[str, str]:
    """The error message of each name that was not linked."""
    return {item["name"]: item["error"]["message"] for item in result["instances"] if item["error"]}


def strings_in(value: Any) -> Iterator[str]:
    """Every string of a result."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from strings_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings_in(item)
