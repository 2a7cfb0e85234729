# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a tier of the noxfile, its sessions side by side, and end with a line for each: its outcome and its seconds."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
NOX = Path(sys.executable).with_name("nox")


@dataclass(frozen=True)
class Outcome:
    """The end of a session: nox's ``result``, and the ``note`` that the session wrote, such as pytest's last line."""

    session: str
    result: str
    seconds: float
    note: str = ""

    @property
    def failed(self) -> bool:
        return self.result not in {"success", "skipped"}

    def __str__(self) -> str:
        result = self.result.upper() if self.failed else self.result
        return f"  {result:<8} {self.seconds:5.0f} s  {self.session:<24} {self.note}".rstrip()


def run(*sessions: str) -> list[Outcome]:
    """Run sessions and the sessions that they require; a failure stops no other session."""
    report, notes = CACHE / "report.json", CACHE / "summary"
    shutil.rmtree(notes, ignore_errors=True)
    CACHE.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    # One more than there are processors, because sessions also wait: for servers, for packages, for time to pass.
    parallel = str((os.cpu_count() or 1) + 1)
    command = [NOX, "--parallel", parallel, "--report", report, "--session", *sessions]
    status = subprocess.run(command, check=False, cwd=ROOT).returncode
    if not report.exists():
        sys.exit(status or 1)
    outcomes = []
    for one in json.loads(report.read_text(encoding="utf-8"))["sessions"]:
        note = notes / one["name"]
        text = note.read_text(encoding="utf-8") if note.exists() else one["reason"] or ""
        outcomes.append(Outcome(one["name"], one["result"], one["duration"], text))
    return outcomes


def tier_sessions(tier: str) -> list[str]:
    """The sessions that the tier has run, without the tier itself."""
    listing = subprocess.run(
        [NOX, "--list", "--json", "--session", tier], check=True, cwd=ROOT, capture_output=True, text=True
    )
    return [one["session"] for one in json.loads(listing.stdout) if one["session"] != tier]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tier", help="such as test-matrix")
    parser.add_argument("--list", action="store_true", help="only list its sessions, as JSON")
    arguments = parser.parse_args()
    if arguments.list:
        print(json.dumps(tier_sessions(arguments.tier)))
        return 0
    outcomes = run(arguments.tier)
    print("", *sorted(outcomes, key=lambda outcome: outcome.failed), sep="\n")
    failed = [outcome.session for outcome in outcomes if outcome.failed]
    print(f"FAILED: {', '.join(failed)}" if failed else f"{arguments.tier}: nothing has failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
