# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all checks of a release; with --publish also tag the commit, and publish its tarball on Galaxy.

All checks run, even after one has failed. If one fails, nothing is published, and the exit status is 1. With --publish,
a check that is skipped (this machine lacks a Python or a program) counts as failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import tier
import yaml
from tier import Outcome

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache" / "release"
CHANGELOG = ROOT / ".cache" / "changelog" / "CHANGELOG.rst"
BIN = Path(sys.executable).parent
GALAXY = "https://galaxy.ansible.com"


class Failure(Exception):
    """A check has failed; the text is the reason, unless the check's output has it."""


class Release:
    """The checks of a release, and their results."""

    def __init__(self, *, publish: bool, sessions: list[str]) -> None:
        self._publish = publish
        self._sessions = sessions
        self._outcomes: list[Outcome] = []
        self.version = str(yaml.safe_load(_text("galaxy.yml"))["version"])
        self.tag = f"v{self.version}"

    def run(self) -> int:
        """Run the checks, publish if all succeeded, and return the exit status."""
        started = time.monotonic()
        self._check("git: everything is committed", self._is_committed)
        self._check("version: the same everywhere", self._versions_agree)
        print("\n=== test-all", flush=True)
        outcomes = tier.run(*(self._sessions or ["test-all"]))
        self._outcomes += outcomes
        run = {outcome.session for outcome in outcomes}
        self._outcomes += [Outcome(one, "NOT RUN", 0) for one in tier.tier_sessions("test-all") if one not in run]
        self._check("changelog", self._changelog)
        self._check("install into an empty home, and run the demo", self._demo)
        print(f"\nmsgops.fleet {self.version}")
        print(*self._outcomes, Outcome("in all", "", time.monotonic() - started), sep="\n")
        if any(one.failed or (self._publish and one.result == "skipped") for one in self._outcomes):
            print("Not ready for a release: see the failed or skipped checks above.")
            return 1
        return self._release()

    def _check(self, name: str, check: Callable[[], None]) -> None:
        print(f"\n=== {name}", flush=True)
        started = time.monotonic()
        try:
            check()
            result = "success"
        except (Failure, subprocess.CalledProcessError) as failure:
            print(failure, flush=True)
            result = "failed"
        self._outcomes.append(Outcome(name, result, time.monotonic() - started))

    def _is_committed(self) -> None:
        if changes := _output("git", "status", "--porcelain"):
            raise Failure(changes)

    def _versions_agree(self) -> None:
        versions = dict(_versions())
        print("\n".join(f"{version}  {place}" for place, version in versions.items()))
        if set(versions.values()) != {self.version}:
            raise Failure("These versions must be the same")
        tags = [tag for tag in self._tags() if tag.startswith("v")]
        if tags not in ([], [self.tag]):
            raise Failure(f"The tag of this commit is {', '.join(tags)} instead of {self.tag}")

    def _tags(self) -> list[str]:
        return _output("git", "tag", "--points-at", "HEAD").split()

    def _changelog(self) -> None:
        """Print the changelog; with --publish it must have this version, and no fragments may be left."""
        if not CHANGELOG.exists():
            raise Failure(f"The session changelog has not written {CHANGELOG}")
        print(CHANGELOG.read_text(encoding="utf-8"))
        released = yaml.safe_load(_text("changelogs/changelog.yaml"))["releases"]
        if self._publish and (self.version not in released or _fragments()):
            raise Failure(f"{self.version} isn't in the changelog: run antsibull-changelog release, and commit")

    def _demo(self) -> None:
        shutil.rmtree(FOLDER, ignore_errors=True)
        home, collections = FOLDER / "home", FOLDER / "collections"
        home.mkdir(parents=True)
        own = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        environment = own | {"HOME": str(home)}
        install = ["collection", "install", "--offline", "--collections-path", str(collections), str(self._tarball())]
        subprocess.run([BIN / "ansible-galaxy", *install], check=True, cwd=FOLDER, env=environment)
        demo = [sys.executable, ROOT / "tests" / "tools" / "demo.py", "--collections-path", collections]
        subprocess.run(demo, check=True, cwd=FOLDER, env=environment)

    def _tarball(self) -> Path:
        tarball = ROOT / ".cache" / "dist" / f"msgops-fleet-{self.version}.tar.gz"
        if not tarball.exists():
            raise Failure(f"The session build has not written {tarball}")
        return tarball

    def _release(self) -> int:
        tag = ["git", "tag", "--annotate", self.tag, "--message", f"Release {self.version}"]
        publish = [str(BIN / "ansible-galaxy"), "collection", "publish", str(self._tarball())]
        commands = [publish] if self.tag in self._tags() else [tag, publish]
        if not self._publish:
            print("Ready for a release. With --publish and a token in GALAXY_TOKEN, these commands would run:")
            print("\n".join(f"  {shlex.join(command)}" for command in commands))
            return 0
        # Every user of this machine can read command lines, so ansible-galaxy gets the token from its environment.
        server = {"LIST": "release", "RELEASE_URL": GALAXY, "RELEASE_TOKEN": os.environ["GALAXY_TOKEN"]}
        environment = os.environ | {f"ANSIBLE_GALAXY_SERVER_{name}": value for name, value in server.items()}
        for command in commands:
            subprocess.run(command, check=True, cwd=ROOT, env=environment)
        return 0


def _versions() -> Iterator[tuple[str, str]]:
    """Yield each file that has the version, and its version."""
    for place, pattern in (
        ("galaxy.yml", r"^version: (.*)$"),
        ("plugins/module_utils/_version.py", r'^VERSION = "(.*)"$'),
        ("tests/emulator/pyproject.toml", r'^version = "(.*)"$'),
    ):
        found = re.search(pattern, _text(place), re.MULTILINE)
        yield place, found[1] if found else "none"


def _fragments() -> list[Path]:
    return list((ROOT / "changelogs" / "fragments").glob("*.y*ml"))


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout.rstrip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publish", action="store_true", help="tag and publish; needs GALAXY_TOKEN")
    parser.add_argument(
        "--session",
        action="append",
        default=[],
        help="run this session instead of test-all, to try the script out; can be repeated",
    )
    arguments = parser.parse_args()
    if arguments.publish and not os.environ.get("GALAXY_TOKEN"):
        parser.error("--publish needs a Galaxy token in GALAXY_TOKEN")
    return Release(publish=arguments.publish, sessions=arguments.session).run()


if __name__ == "__main__":
    sys.exit(main())
