# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test where the network has package registries and nothing else, and where pyenv is installed.

Everything that this takes is here, and can go where ansible-test does without:

- It fetches get-pip.py from a host that is no registry. Its cache gets this file instead, as ``get_pip_<version>.py``,
  which installs the wheel of pip that lies beside it.
- Its release candidates may want a package as of a commit on GitHub; they get the package's release.
- It takes a ``python3.x`` on PATH at its word, and pyenv's shims are names only. PATH gets the real interpreters.

The first argument is the folder with the ansible-test to run, the others are its own; HOME is where its cache is kept.
"""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve()


def stand_in_for_get_pip() -> None:
    """What get-pip.py does, with the wheel beside this file."""
    version = HERE.stem.replace("get_pip_", "").replace("_", ".")
    sys.path.insert(0, str(HERE.with_name(f"pip-{version}-py3-none-any.whl")))
    # get-pip.py's own switches; pip knows none of them and installs neither package unless asked to.
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    sys.argv[1:] = ["install", "--find-links", str(HERE.parent), *arguments]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


def fill_cache(requirements: Path) -> None:
    """Give ansible-test's cache each version of pip that it asks for."""
    cache = Path.home() / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in set(re.findall(r"pip='([\d.]+)'", requirements.read_text(encoding="utf-8"))):
        if not list(cache.glob(f"pip-{version}-*.whl")):
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", cache, f"pip=={version}"]
            subprocess.run(pip, check=True)
        shutil.copy(HERE, cache / f"get_pip_{version.replace('.', '_')}.py")


def want_releases(pins: Path) -> None:
    """Have the file name a package's release instead of a commit on GitHub."""
    text = pins.read_text(encoding="utf-8")
    if " @ https://github.com/" in text:
        pins.unlink()  # it may be a link into the cache of what installed it
        pins.write_text(re.sub(r"^(\S+) @ https://github\.com/.*$", r"\1", text, flags=re.MULTILINE), encoding="utf-8")


def path(bin_folder: Path, links: Path) -> str:
    """A PATH with the real interpreters, and without shims."""
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir()
    listing = subprocess.run([HERE.with_name("pythons.sh")], check=True, capture_output=True, text=True).stdout
    for version, interpreter in (line.split(" ", 1) for line in listing.splitlines()):
        (links / f"python{version}").symlink_to(interpreter)
    others = [entry for entry in os.environ["PATH"].split(os.pathsep) if Path(entry).name != "shims"]
    return os.pathsep.join([str(bin_folder), str(links), *others])


def main() -> None:
    bin_folder = Path(sys.argv[1]).absolute()
    (package,) = bin_folder.parent.glob("lib/python*/site-packages/ansible_test")
    fill_cache(package / "_internal" / "python_requirements.py")
    for pins in package.glob("_data/requirements/sanity.*.txt"):
        want_releases(pins)
    environment = os.environ | {"PATH": path(bin_folder, Path.home() / "pythons")}
    os.execve(bin_folder / "ansible-test", ["ansible-test", *sys.argv[2:]], environment)


if __name__ == "__main__":
    stand_in_for_get_pip() if HERE.stem.startswith("get_pip_") else main()
