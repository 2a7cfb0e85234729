# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check of the collection; TIERS, at the end, says what runs together. ``make NAME`` runs the session NAME.

What antsibull-nox can check is in antsibull-nox.toml. A command is quiet when it succeeds and prints all it has to say
when it fails. A session whose subject does not exist fails; only a missing program skips, and says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from pathlib import Path

import nox
import yaml
from antsibull_nox import load_antsibull_nox_toml

from msgops_emulator import EmulatorProcess

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))
from tests.support.environment import is_of_the_collection  # noqa: E402  # what nox runs does not find its neighbours

CACHE = ROOT / ".cache"
COLLECTION = Path("ansible_collections", "msgops", "fleet")
REQUIREMENTS = Path("tests", "requirements")

# The Pythons on which each ansible-core is a controller.
MATRIX = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
    "2.22": ("3.13", "3.14"),
}
PRE_RELEASES = ("2.22",)
Row = tuple[str, str]  # a Python and an ansible-core
ROWS: list[Row] = [(python, core) for core, pythons in MATRIX.items() for python in pythons]
EACH_CORE: list[Row] = [(pythons[0], core) for core, pythons in MATRIX.items()]
OLDEST, NEXT = EACH_CORE[0], EACH_CORE[-1]
# The Python that runs this, with the newest stable ansible-core that it can be a controller of.
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
NEWEST = [row for row in ROWS if row[0] == PYTHON and row[1] not in PRE_RELEASES][-1]
CORE = f"ansible-core-{NEWEST[1]}"
CPUS = os.cpu_count() or 1
# Unit tests that start Ansible, and those of them that follow the guides, which are written for the newest one.
DOCS = ["tests/unit/docs"]
RUN_ANSIBLE = [
    *(
        f"tests/unit/{name}"
        for name in ("leaks", "playbooks", "plugins/action", "plugins/inventory", "roles", "support")
    ),
    "tests/unit/plugins/module_utils/_journal/test_command_lines.py",
]
# What AWX runs with, which has pins of its own, and the journal that its jobs share.
AWX = ["tests/unit/extensions", "tests/unit/plugins/module_utils/_journal/postgres"]
# Tests of what measures and tries the collection, which no user's ansible-core ever meets.
TOOLS = ["tests/unit/tools"]
# Full paths, because a name on PATH can be one of pyenv's shims, and because uv downloads what it only knows by number.
listing = subprocess.run([ROOT / "tests" / "tools" / "pythons.sh"], check=True, capture_output=True, text=True).stdout
INTERPRETERS = dict(line.split(" ", 1) for line in listing.splitlines())

nox.needs_version = ">=2026.10.20"
nox.options.allow_parallel = True
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.error_on_external_run = True
nox.options.reuse_venv = "yes"
nox.options.sessions = ["test"]

# A proxy and the like stay: uv and pip may need them.
for setting in filter(is_of_the_collection, list(os.environ)):
    del os.environ[setting]

load_antsibull_nox_toml()


def install(session: nox.Session, *pins: str) -> None:
    """Make the session's environment exactly what these requirement files pin."""
    files = [str(REQUIREMENTS / f"{name}.txt") for name in pins]
    # Without byte code the first run of every tool is several times slower.
    session.run_install("uv", "pip", "sync", "--quiet", "--compile-bytecode", *files, silent=True)


def git_files(*options: str) -> set[str]:
    """The paths that git lists and that are still there."""
    listing = subprocess.run(["git", "ls-files", "-z", *options], cwd=ROOT, check=True, capture_output=True, text=True)
    return {name for name in listing.stdout.split("\0") if name and os.path.lexists(ROOT / name)}


def copy_tree(session: nox.Session) -> Path:
    """Copy what git tracks or would add: ansible-test refuses a checkout of another name, and sees through links."""
    root = CACHE / session.name / COLLECTION
    output, kept = root / "tests" / "output", CACHE / session.name / "output"
    if output.exists() and not kept.exists():  # ansible-test's virtual environments: minutes to make again
        output.rename(kept)
    shutil.rmtree(root, ignore_errors=True)
    for name in git_files("--cached", "--others", "--exclude-standard"):
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    if kept.exists():
        kept.rename(output)
    # A repository of its own: to tools that ask git, an ignored folder of ours is empty, and they pass on nothing.
    subprocess.run(["git", "init", "--quiet", root], check=True)
    return root


def collection_tree() -> str:
    """A folder in which Python and Ansible find the checkout as a collection."""
    link = CACHE / "tree" / COLLECTION
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.symlink_to(ROOT)
    return str(CACHE / "tree")


def sandbox(session: nox.Session, *, fresh: bool = True) -> dict[str, str]:
    """The environment for tools that write to the home folder: an empty one of our own, with the user's package index.

    Where not ``fresh``, it holds what the last run left in it.
    """
    home = CACHE / session.name / "home"
    if fresh:
        shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    for name in (".config/pip", ".pip", ".netrc"):
        if (Path.home() / name).exists() and not (home / name).exists():
            (home / name).parent.mkdir(exist_ok=True)
            (home / name).symlink_to(Path.home() / name)
    return {"HOME": str(home), "ANSIBLE_COLLECTIONS_PATH": str(CACHE / session.name)}


def note(session: nox.Session, text: str) -> None:
    """Say it now, and at the end of the tier once more."""
    session.log(text)
    (CACHE / "summary").mkdir(parents=True, exist_ok=True)
    (CACHE / "summary" / session.name).write_text(text, encoding="utf-8")


def run_pytest(session: nox.Session, tests: Iterable[str], processes: int = CPUS) -> None:
    """Run unit tests, or those that are asked for, and keep their last line."""
    arguments = [f"--numprocesses={processes}", *(session.posargs or tests)]
    output = session.run("pytest", *arguments, env={"HOME": sandbox(session)["HOME"]}, silent=True)
    note(session, str(output).rstrip().rpartition("\n")[2])


def on(rows: Iterable[Row], check: str) -> list[str]:
    """The check's sessions on these rows."""
    return [check if row == NEWEST else f"{check}-{row[0]}-{row[1]}" for row in rows]


def on_each_row(check: Callable[[nox.Session, str], None]) -> None:
    """Make a session of the check for each row; that of the newest stable ansible-core has the check's own name."""
    for name, (python, core) in zip(on(ROWS, check.__name__), ROWS, strict=True):

        def run(session: nox.Session, python: str = python, pins: str = f"ansible-core-{core}") -> None:
            if python not in INTERPRETERS:
                session.skip(f"no Python {python} here")
            check(session, pins)

        run.__doc__ = check.__doc__
        nox.session(run, name=name, python=INTERPRETERS.get(python, False))


@nox.session
def typing(session: nox.Session) -> None:
    """Types, in mypy's strict mode."""
    install(session, "lint")
    collection_tree()
    session.run("mypy", silent=True)


@nox.session(name="ruff-format")
def ruff_format(session: nox.Session) -> None:
    """Formatting of Python."""
    install(session, "lint")
    session.run("ruff", "format", "--check", ".", silent=True)


@nox.session
def changelog(session: nox.Session) -> None:
    """The fragments, and .cache/changelog/CHANGELOG.rst: what it says of this version, or will once it is released."""
    install(session, "lint")
    result = CACHE / session.name / "CHANGELOG.rst"
    result.unlink(missing_ok=True)
    root = copy_tree(session)
    session.chdir(root)
    environment = sandbox(session)
    session.run("antsibull-changelog", "lint", env=environment, silent=True)
    if list(root.glob("changelogs/fragments/*.yml")):
        session.run("antsibull-changelog", "release", env=environment, silent=True)
    session.run("antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml", env=environment, silent=True)
    shutil.copy(root / "CHANGELOG.rst", result)


@on_each_row
def sanity(session: nox.Session, core: str) -> None:
    """The sanity tests of ansible-test, without ignore files: of all files and Pythons on the newest ansible-core.

    Others see what runs on them, in the row's own Python: not the tests, which no user's ansible-core meets.
    """
    install(session, core, "sanity")
    root = copy_tree(session)
    if list(root.glob("tests/sanity/ignore-*")):
        session.error("there are ignore files: mend what they hide")
    session.chdir(root)
    part = [] if core == CORE else ["--exclude", "tests/", "--python", session.name.split("-")[1]]
    output = session.run(
        sys.executable, str(ROOT / "tests" / "tools" / "ansible_test.py"), session.bin,
        "sanity", "--venv", "--color", "no", *part, *session.posargs,
        env={"HOME": sandbox(session, fresh=False)["HOME"]}, external=True, silent=True,
    )  # fmt: skip
    for line in re.findall(r"^WARNING: (Skipping .*)", str(output), re.MULTILINE):
        session.log(line)
    if "All targets skipped" in str(output):
        session.error("nothing was tested")


@nox.session
def docs(session: nox.Session) -> None:
    """The guides and the reference as a site in .cache/docs/html; a reference or a link that leads nowhere fails."""
    install(session, "docs")
    guides = copy_tree(session) / "docs"
    environment = sandbox(session)
    reference = guides / "reference"
    reference.mkdir(mode=0o700)  # antsibull-docs wants it to be nobody else's
    session.run(
        "antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error",
        "--no-add-antsibull-docs-version", "--dest-dir", str(reference), "msgops.fleet", env=environment, silent=True,
    )  # fmt: skip
    (guides / "README.md").rename(guides / "index.md")
    html = CACHE / session.name / "html"
    shutil.rmtree(html, ignore_errors=True)
    session.run(
        "sphinx-build", "-b", "html", "--nitpicky", "--fail-on-warning", "--quiet", str(guides), str(html),
        env=environment, silent=True,
    )  # fmt: skip
    counts = session.run("python", "tests/tools/check_links.py", str(html), silent=True)
    note(session, f"{html.relative_to(ROOT)}/index.html: {str(counts).strip()}")


@nox.session
def build(session: nox.Session) -> None:
    """The tarball for Galaxy in .cache/dist, and that nothing is in it but what is tracked and meant for users."""
    install(session, CORE)
    dist = CACHE / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.run("ansible-galaxy", "collection", "build", "--output-path", str(dist), env=sandbox(session), silent=True)
    (tarball,) = dist.iterdir()
    with tarfile.open(tarball) as archive:
        names = {member.name for member in archive if not member.isdir()} - {"FILES.json", "MANIFEST.json"}
    unwanted = yaml.safe_load((ROOT / "galaxy.yml").read_text())["build_ignore"]
    wrong = {f"untracked: {name}" for name in names - git_files()}
    for name in names:
        ways = [name, *map(str, Path(name).parents)]
        wrong |= {f"ignored: {name}" for way in ways for glob in unwanted if fnmatch(way, glob)}
    if wrong:
        session.error("\n".join([f"{tarball.name} holds what it should not:", *sorted(wrong)]))
    note(session, f"{tarball.relative_to(ROOT)}: {len(names)} files")


@nox.session(requires=["build"])
def importer(session: nox.Session) -> None:
    """Galaxy's own checks of the tarball; warnings fail too, which antsibull-nox's build-import-check lets pass."""
    install(session, "importer")
    environment = sandbox(session) | {"GALAXY_IMPORTER_CONFIG": str(ROOT / "tests" / "tools" / "galaxy-importer.cfg")}
    (tarball,) = (CACHE / "dist").iterdir()
    session.chdir(environment["HOME"])  # it leaves its result where it is run
    output = session.run("python", "-m", "galaxy_importer.main", str(tarball), env=environment, silent=True)
    # As ruff formats it and PEP 8 wants it: white space before the colon of a slice, breaks before binary operators.
    complaints = re.findall(r"^(?:WARNING|ERROR|CRITICAL)(?!.* (?:E203|W503) ).*", str(output), re.MULTILINE)
    if complaints:
        session.error("\n".join(["galaxy-importer complains:", *complaints]))


@on_each_row
def units(session: nox.Session, core: str) -> None:
    """Unit tests that take no other programs; those of the oldest row with the oldest requests and urllib3."""
    others = [*DOCS, *RUN_ANSIBLE, *AWX, *TOOLS]
    if session.name in on([OLDEST], "units"):
        install(session, "oldest")
        others.append("tests/unit/emulator/test_green_api_sdk.py")  # only old SDKs work with libraries that old
    else:
        install(session, core, "units")
    # Half of the time they wait for a server, or for time to pass.
    run_pytest(session, [f"--ignore={path}" for path in others], processes=2 * CPUS)


@on_each_row
def plays(session: nox.Session, core: str) -> None:
    """Unit tests that start Ansible; on the newest one, with all guides and the whole search for leaked tokens."""
    install(session, core, "units")
    run_pytest(session, ["--leaks=all", *DOCS, *RUN_ANSIBLE] if core == CORE else ["--leaks=core", *RUN_ANSIBLE])


@nox.session
def awx(session: nox.Session) -> None:
    """Unit tests of the AWX kit and of the journal in PostgreSQL, with AWX's own code, ansible-runner and -builder."""
    install(session, CORE, "awx")
    run_pytest(session, AWX)


@nox.session
def tools(session: nox.Session) -> None:
    """Unit tests of the benchmark and of the storm."""
    install(session, CORE, "units")
    run_pytest(session, TOOLS)


@on_each_row
def integration(session: nox.Session, core: str) -> None:
    """Integration targets, against the emulator."""
    if not shutil.which("ssh-keygen"):
        session.skip("no ssh-keygen here, without which ansible-test begins no integration test")
    install(session, core, "integration")
    root = copy_tree(session)
    if not list(root.glob("tests/integration/targets/*/tasks")):
        session.error("there are no targets")
    with EmulatorProcess() as emulator:
        (root / "tests" / "integration" / "integration_config.yml").write_text(f"emulator_url: {emulator.url}\n")
        session.chdir(root)
        arguments = ("--local", "--color", "no", *session.posargs)
        session.run("ansible-test", "integration", *arguments, env={"HOME": sandbox(session)["HOME"]}, silent=True)


@nox.session
def molecule(session: nox.Session) -> None:
    """The molecule scenarios of the roles, against the emulator."""
    install(session, "molecule")
    root = copy_tree(session)
    if not list(root.glob("extensions/molecule/*/molecule.yml")):
        session.error("there are no scenarios")
    with EmulatorProcess() as emulator:
        session.chdir(root / "extensions")
        environment = sandbox(session) | {"MSGOPS_EMULATOR_URL": emulator.url}
        session.run("molecule", "test", "--all", *session.posargs, env=environment, silent=True)


@nox.session
def storm(session: nox.Session) -> None:
    """Two thousand creations, each with a fault; ARGS="--help"."""
    install(session, CORE, "units")
    module = "ansible_collections.msgops.fleet.tests.storm.storm"
    session.run("python", "-m", module, *session.posargs, env={"PYTHONPATH": collection_tree()})


@nox.session
def bench(session: nox.Session) -> None:
    """Measure, and write docs/performance; ARGS="--help"."""
    install(session, CORE, "bench")
    session.run("python", "tests/benchmark/bench.py", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Change the core a little, thousands of times, and count what no test notices; ARGS="--help"."""
    install(session, CORE, "units", "mutants")
    session.chdir(copy_tree(session))  # because each change is made to the file itself
    arguments = ("--results", str(CACHE / "mutants"), *session.posargs)
    session.run("python", "tests/tools/mutants.py", *arguments, env={"HOME": sandbox(session)["HOME"]})


@nox.session
def pins(session: nox.Session) -> None:
    """Pin the newest versions of the development requirements that the .in files allow."""
    pythons = {f"ansible-core-{core}": python for python, core in EACH_CORE} | {"oldest": "3.10", "units": "3.10"}
    for source in sorted(REQUIREMENTS.glob("*.in")):
        session.run(
            "uv", "pip", "compile", "--quiet", "--upgrade", "--universal", "--no-annotate",
            "--custom-compile-command", "make pins",
            "--prerelease", "if-necessary-or-explicit", "--python-version", pythons.get(source.stem, "3.11"),
            str(source), "--output-file", str(source.with_suffix(".txt")),
        )  # fmt: skip


# What runs together, the longest first. Nothing else says what is in a tier, and how long it takes on two cores.
ON_ROWS = ("plays", "integration", "sanity", "units")
TIERS = {
    "static": (
        "What reads the code and doesn't run it",
        ["ansible-lint", "docs-check", "typing", "lint", "ruff-format", "license-check", "extra-checks", "changelog"],
    ),
    "test": (
        "Every kind of check, on the newest stable ansible-core and one Python; about half an hour",
        [*ON_ROWS, "awx", "tools", "importer", "molecule", "docs", "static"],
    ),
    "test-matrix": (
        "What meets ansible-core, on the oldest, with the oldest libraries, and on the next; about 40 minutes",
        [session for check in ON_ROWS for session in on((OLDEST, NEXT), check)],
    ),
    "test-all": (
        "Both, the same on every other ansible-core, and the unit tests on each of its Pythons; hours",
        ["test", "test-matrix", *(name for check in ON_ROWS for name in on(EACH_CORE, check)), *on(ROWS, "units")],
    ),
}
for tier, (description, sessions) in TIERS.items():

    def require(_session: nox.Session) -> None:
        pass

    require.__doc__ = f"{description}."
    nox.session(require, name=tier, python=False, requires=list(dict.fromkeys(sessions)))
