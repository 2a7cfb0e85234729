# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Demonstrate the collection against the emulator: provision, link phones, run again, and do a dry run.

A thread plays the person with the phones, and scans the QR codes of the linking page. Ansible runs the collection of
the checkout, or the one in the folder of ``--collections-path``. The exit status is 1 if a check fails.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from msgops_emulator import Control, ControlError, EmulatorProcess

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from environment import without_foreign_settings  # noqa: E402

CODE = re.compile(r'src="data:image/png;base64,(?P<image>[^"]*)" alt="QR code that links (?P<name>[^"]*)"')
SECRETS = ("auth_token", "client_token", "iam_password", "partner_token", "secret_key")
COLOUR = re.compile(r"\x1b\[[\d;]*m")

FOURTH_INSTANCE = {"demo_more": [{"name": "newsletter", "provider": "green_api"}]}


class Person(threading.Thread):
    """Scans each QR code of the linking page with a phone, as a person would; each scan takes two seconds."""

    def __init__(self, emulator: Control, page: Path) -> None:
        super().__init__(daemon=True)
        self._emulator = emulator
        self._page = page
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(0.5):
            # The page is the only source: a person sees nothing else.
            text = self._page.read_text(encoding="utf-8") if self._page.exists() else ""
            if (code := CODE.search(text)) and not self._stopped.wait(2):
                image = base64.b64decode(code["image"])
                try:
                    self._emulator.scan(image=image)
                except ControlError as refusal:
                    print(f"  (the phone refuses the code: {refusal})", flush=True)
                else:
                    print(f"  (a phone has scanned the code of {code['name']})", flush=True)

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_exception: object) -> None:
        self._stopped.set()
        self.join()


class Demo:
    """The steps of the demo, and the checks of each step."""

    def __init__(self, emulator: Control, folder: Path, collections_path: Path) -> None:
        self._emulator = emulator
        self._environment = _environment(emulator, folder, collections_path)
        self._page_folder = folder / "page"
        self._output = ""
        self._failures = 0

    def run(self) -> int:
        """Run the steps, and return the exit status."""
        _head("1. From two empty accounts to three instances, each linked to a phone, and the status of forty phones")
        with Person(self._emulator, self._page_folder / "index.html"):
            recap = self._play()
        self._check("the playbook succeeded", recap["rc"] == 0)
        created = [len(self._emulator.log(route=route)) for route in ("green_api.create", "plugzapi.create")]
        self._check("three instances were created, once each", created == [2, 1])
        states = sorted(instance["state"] for instance in self._emulator.instances())
        self._check("all of them are linked to a phone", states == ["authorized", "authorized", "connected"])
        self._check("the page shows no code any more", self._page_shows_no_code())
        self._check("two requests read forty phones", len(self._emulator.log(vendor="koophone")) == 2)

        _head("2. The same playbook again: nothing changes")
        seen = self._last_request()
        recap = self._play()
        self._check("changed=0", recap["changed"] == 0 and recap["rc"] == 0)
        self._check("no writing request was sent", not self._emulator.log(writes=True, since=seen))

        _head("3. What would a fourth instance change? --check --diff")
        seen = self._last_request()
        recap = self._play("--check", "--diff", "--skip-tags", "phones", "--extra-vars", json.dumps(FOURTH_INSTANCE))
        self._check("it would be created", recap["rc"] == 0 and "would create newsletter" in self._output)
        self._check("no writing request was sent", not self._emulator.log(writes=True, since=seen))
        self._check("there are still three instances", len(self._emulator.instances()) == 3)

        _head("In all steps")
        self._check("no output held a token", not any(secret in self._output for secret in self._secrets()))
        self._check("there was no warning", "WARNING" not in self._output and "DEPRECAT" not in self._output)
        return 1 if self._failures else 0

    def _play(self, *arguments: str) -> Counter[str]:
        """Run the playbook and print its output; return ``changed`` of its recap, and its exit status as ``rc``."""
        command = [
            "ansible-playbook",
            "msgops.fleet.demo",
            "--extra-vars",
            f"demo_link_dest={self._page_folder}",
            *arguments,
        ]
        print("$", shlex.join(command), flush=True)
        command[0] = str(Path(sys.executable).with_name(command[0]))
        lines = []
        with subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout
            for line in process.stdout:
                print(line, end="", flush=True)
                lines.append(COLOUR.sub("", line))
        output = "".join(lines)
        self._output += output
        return Counter(rc=process.returncode, changed=sum(map(int, re.findall(r"\bchanged=(\d+)", output))))

    def _check(self, text: str, holds: bool) -> None:
        print(f"{'  ok' if holds else 'FAIL'}  {text}", flush=True)
        self._failures += not holds

    def _page_shows_no_code(self) -> bool:
        files = [path.name for path in self._page_folder.iterdir()]
        return files == ["index.html"] and not CODE.search((self._page_folder / files[0]).read_text(encoding="utf-8"))

    def _last_request(self) -> int:
        return int(self._emulator.log_page(limit=1)["last"])

    def _secrets(self) -> set[str]:
        accounts, instances = self._emulator.accounts(), self._emulator.instances()
        secrets = {value for account in accounts for key, value in account.items() if key in SECRETS}
        secrets |= {instance["token"] for instance in instances}
        return secrets | {quote(secret, safe="") for secret in secrets}


def main() -> int:
    """Run the demo against an emulator, and return the exit status."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collections-path", type=Path, help="where the collection is installed")
    collections_path = parser.parse_args().collections_path or _checkout()
    with EmulatorProcess() as emulator, tempfile.TemporaryDirectory(prefix="msgops-demo-") as folder:
        emulator.seed(phones=[{"count": 40, "id": "phone{n:02d}", "statuses": [2, 2, 2, 1, 4]}])
        status = Demo(emulator, Path(folder), collections_path).run()
    print(f"\n{'Some checks failed' if status else 'Every check succeeded'}; {time.monotonic() - started:.0f} seconds")
    return status


def _environment(emulator: Control, folder: Path, collections_path: Path) -> dict[str, str]:
    """Return an environment without the user's settings and accounts, with quiet output of Ansible."""
    green_api, plugzapi, koophone = (emulator.account(vendor) for vendor in ("green_api", "plugzapi", "koophone"))
    settings = folder / "ansible.cfg"
    settings.touch()
    return without_foreign_settings(os.environ) | {
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_COLLECTIONS_PATH": str(collections_path),
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        "ANSIBLE_FORCE_COLOR": str(sys.stdout.isatty()),
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "GREEN_API_PARTNER_TOKEN": green_api["partner_token"],
        "GREEN_API_URL": emulator.url,
        "KOOPHONE_AUTH_TOKEN": koophone["auth_token"],
        "KOOPHONE_ENDPOINT": emulator.url,
        "MSGOPS_JOURNAL": str(folder / "journal.sqlite3"),
        "PLUGZAPI_PARTNER_TOKEN": plugzapi["partner_token"],
        "PLUGZAPI_URL": emulator.url,
    }


def _checkout() -> Path:
    """Link the checkout as the collection msgops.fleet, and return the folder for Ansible's collections path."""
    tree = ROOT / ".cache" / "tree"
    link = tree / "ansible_collections" / "msgops" / "fleet"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.symlink_to(ROOT, target_is_directory=True)
    return tree


def _head(text: str) -> None:
    print(f"\n{'=' * len(text)}\n{text}\n{'=' * len(text)}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
