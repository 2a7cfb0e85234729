# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test on a network that only reaches package registries, and beside pyenv.

``ansible_test.py BIN ARGUMENT...`` runs ``BIN/ansible-test`` with the arguments; its cache is in HOME. It works around:

- ansible-test downloads get-pip.py from a host that is not a package registry. Its cache gets a copy of this file as
  ``get_pip_<version>.py``, which installs pip from the wheel beside it.
- Release candidates of ansible-core can require a package from a commit on GitHub: require the package's release.
- ansible-test runs each ``python3.x`` on PATH, and pyenv's shims may stand for no interpreter: PATH gets the real ones.
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
    """Install pip from the wheel beside this file, with the arguments of get-pip.py."""
    version = HERE.stem.replace("get_pip_", "").replace("_", ".")
    sys.path.insert(0, str(HERE.with_name(f"pip-{version}-py3-none-any.whl")))
    # Options of get-pip.py that pip doesn't have; pip installs neither package anyway.
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    sys.argv[1:] = ["install", "--find-links", str(HERE.parent), *arguments]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


def fill_cache(requirements: Path) -> None:
    """Put each version of pip that ansible-test requires into its cache, and get-pip.py's replacement."""
    cache = Path.home() / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in set(re.findall(r"pip='([\d.]+)'", requirements.read_text(encoding="utf-8"))):
        if not list(cache.glob(f"pip-{version}-*.whl")):
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", cache, f"pip=={version}"]
            subprocess.run(pip, check=True)
        shutil.copy(HERE, cache / f"get_pip_{version.replace('.', '_')}.py")


def want_releases(pins: Path) -> None:
    """Replace requirements of a commit on GitHub by the package's release."""
    text = pins.read_text(encoding="utf-8")
    if " @ https://github.com/" in text:
        pins.unlink()  # it may be a hard link into the installer's cache
        pins.write_text(re.sub(r"^(\S+) @ https://github\.com/.*$", r"\1", text, flags=re.MULTILINE), encoding="utf-8")


def path(bin_folder: Path, links: Path) -> str:
    """Return a PATH with the real interpreters, and without pyenv's shims."""
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
