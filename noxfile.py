# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check of the collection. ``make help`` lists the usual ones, ``nox --list`` all of them.

A command is quiet when it succeeds and prints all it has to say when it fails. A session whose subject does not exist
fails; only a missing Python skips, and says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Container
from fnmatch import fnmatch
from pathlib import Path

import nox
import yaml
from nox.command import CommandFailed

from msgops_emulator import EmulatorProcess

ROOT = Path(__file__).resolve().parent
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
CPUS = os.cpu_count() or 1
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# The newest stable ansible-core for this Python.
CORE = [core for core, pythons in MATRIX.items() if PYTHON in pythons and core not in PRE_RELEASES][-1]
# Each Python once, and between them the oldest and the newest ansible-core.
UNITS = (("3.10", "2.16"), ("3.11", "2.19"), ("3.12", "2.20"), ("3.13", "2.21"), ("3.14", "2.21"), ("3.13", "2.22"))
# What takes minutes: the oldest ansible-core, the newest stable one, and what comes next.
ENDS = (("3.10", "2.16"), (PYTHON, CORE), ("3.13", "2.22"))
# Unit tests that start Ansible.
RUN_ANSIBLE = tuple(
    f"tests/unit/{part}"
    for part in (
        "controller",
        "creation/test_commands.py",
        "creation/test_playbooks.py",
        "inventory",
        "leaks",
        "roles",
        "test_adding_a_gateway.py",
        "test_documentation.py",
    )
)
# What AWX runs with, which has pins of its own, and the journal that its jobs share.
AWX = ("tests/unit/awx", "tests/unit/creation/postgres")
# Tests of what measures and tries the collection, which no user's ansible-core ever meets.
TOOLS = ("tests/unit/benchmark", "tests/unit/creation/test_storm.py")
# Full paths, because a name on PATH can be one of pyenv's shims, and because uv downloads what it only knows by number.
INTERPRETERS = dict(
    line.split(" ", 1)
    for line in subprocess.run(
        [ROOT / "tests" / "tools" / "pythons.sh"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
)

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.error_on_external_run = True
nox.options.reuse_venv = "yes"

# The checks must not see the settings of whoever runs them, above all not the credentials of real accounts.
for setting in list(os.environ):
    if setting.startswith(("ANSIBLE_", "GREEN_API_", "KOOPHONE_", "MSGOPS_", "PLUGZAPI_")):
        del os.environ[setting]


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


def collection_tree() -> Path:
    """A folder in which Python and Ansible find the checkout as a collection."""
    tree = CACHE / "tree"
    link = tree / COLLECTION
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.symlink_to(ROOT)
    return tree


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
    return {"HOME": str(home)}


def run_pytest(session: nox.Session, *arguments: str, processes: int = CPUS) -> None:
    """Run unit tests, and keep their last line."""
    output = session.run("pytest", f"--numprocesses={processes}", *arguments, env=sandbox(session), silent=True)
    summary = str(output).rstrip().rpartition("\n")[2]
    session.log(summary)
    # The Makefile ends with these lines: the last thing that a reader of the log sees.
    summaries = CACHE / "summary"
    summaries.mkdir(parents=True, exist_ok=True)
    (summaries / session.name).write_text(f"{summary}  {session.name}\n")


def per_core(
    usual: Container[tuple[str, str]], *, every_python: bool = False, parallel: bool = False
) -> Callable[[Callable[..., None]], None]:
    """Make a session of the check for each row of the matrix; by default those in ``usual`` (Python, core) run.

    ``make test-all`` runs it on each ansible-core with the oldest Python, or with ``every_python``.
    """

    def register(check: Callable[[nox.Session, str, str], None]) -> None:
        def add(core: str, python: str) -> None:
            def run(session: nox.Session) -> None:
                if python not in INTERPRETERS:
                    session.skip(f"no Python {python} here")
                check(session, core, python)

            run.__doc__ = check.__doc__
            default = (python, core) in usual
            tags = ["all"] if default or every_python or python == MATRIX[core][0] else []
            nox.session(
                run,
                name=f"{check.__name__}-{python}-{core}",
                python=INTERPRETERS.get(python, False),
                tags=[*tags, check.__name__] if default else tags,
                default=default,
                allow_parallel=parallel,
            )

        for core, pythons in MATRIX.items():
            for python in pythons:
                add(core, python)

    return register


@nox.session(tags=["all"], allow_parallel=True)
def lint(session: nox.Session) -> None:
    """Code style, types, YAML, Ansible's production profile, changelog fragments and licences."""
    install(session, "lint")
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(collection_tree()), "NO_COLOR": "1"}
    failed = []
    for command in (
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["yamllint", "--strict", "."],
        ["ansible-lint", "--profile", "production", "--offline"],
        ["antsibull-changelog", "lint"],
        ["reuse", "lint"],
    ):
        try:
            session.run(*command, env=environment, silent=True)
        except CommandFailed:
            failed.append(command[0])
    if failed:
        session.error(f"{', '.join(failed)} failed")


@per_core(ENDS, parallel=True)
def sanity(session: nox.Session, core: str, python: str) -> None:
    """The sanity tests of ansible-test, without ignore files."""
    install(session, f"ansible-core-{core}", "sanity")
    root = copy_tree(session)
    if list(root.glob("tests/sanity/ignore-*")):
        session.error("there are ignore files: mend what they hide")
    environment = sandbox(session, fresh=False)  # ansible-test keeps virtual environments there, too

    # ansible-test fetches get-pip.py from a host that is no package registry; its cache gets ours instead.
    cache = Path(environment["HOME"], ".ansible", "test", "cache")
    cache.mkdir(parents=True, exist_ok=True)
    requirements = next(Path(session.virtualenv.location).rglob("ansible_test/_internal/python_requirements.py"))
    for version in set(re.findall(r"pip='([\d.]+)'", requirements.read_text())):
        if not list(cache.glob(f"pip-{version}-*.whl")):
            session.run_install(
                sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(cache), f"pip=={version}",
                external=True, silent=True,
            )  # fmt: skip
        shutil.copy(ROOT / "tests" / "tools" / "get_pip.py", cache / f"get_pip_{version.replace('.', '_')}.py")

    # It takes names on PATH at their word, so it gets only interpreters that are real.
    links = CACHE / session.name / "pythons"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir()
    for version, interpreter in INTERPRETERS.items():
        (links / f"python{version}").symlink_to(interpreter)
    path = [entry for entry in os.environ["PATH"].split(os.pathsep) if Path(entry).name != "shims"]
    environment["PATH"] = os.pathsep.join([session.bin, str(links), *path])

    # Release candidates may want a package as of a commit on GitHub, which is no package registry; its release does.
    for pins in Path(session.virtualenv.location).rglob("ansible_test/_data/requirements/sanity.*.txt"):
        text = pins.read_text()
        if " @ https://github.com/" in text:
            pins.unlink()  # uv may share the file with its cache
            pins.write_text(re.sub(r"^(\S+) @ https://github\.com/.*$", r"\1", text, flags=re.MULTILINE))

    session.chdir(root)
    output = str(
        session.run("ansible-test", "sanity", "--venv", "--color", "no", *session.posargs, env=environment, silent=True)
    )
    for line in re.findall(r"^WARNING: (Skipping .*)", output, re.MULTILINE):
        session.log(line)
    if "All targets skipped" in output:
        session.error("nothing was tested")


@nox.session(tags=["all"], allow_parallel=True)
def docs(session: nox.Session) -> None:
    """The documentation of plugins and roles, and every reference in it."""
    install(session, "docs")
    session.chdir(copy_tree(session))
    session.run(
        "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all",
        "--disallow-unknown-collection-refs", ".", env=sandbox(session), silent=True,
    )  # fmt: skip


@nox.session(tags=["all"], allow_parallel=True)
def site(session: nox.Session) -> None:
    """The guides and the reference as a site in .cache/site/html; a reference or a link that leads nowhere fails."""
    install(session, "site")
    guides = copy_tree(session) / "docs"
    environment = sandbox(session) | {"ANSIBLE_COLLECTIONS_PATH": str(CACHE / session.name)}
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
    session.log(f"{html.relative_to(ROOT)}/index.html: {str(counts).strip()}")


@nox.session(tags=["all"], allow_parallel=True)
def build(session: nox.Session) -> None:
    """The tarball for Galaxy, and that nothing is in it but what is tracked and meant for users."""
    install(session, f"ansible-core-{CORE}")
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
    session.log(f"{tarball.relative_to(ROOT)}: {len(names)} files")


@nox.session(tags=["all"], allow_parallel=True)
def importer(session: nox.Session) -> None:
    """Galaxy's own checks of the tarball; warnings fail too."""
    install(session, "importer")
    root = copy_tree(session)
    environment = sandbox(session)
    dist = CACHE / session.name / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.run(
        "ansible-galaxy", "collection", "build", str(root), "--output-path", str(dist), env=environment, silent=True
    )
    (tarball,) = dist.iterdir()
    # ansible-test is the session "sanity"; the importer would run it in a container.
    settings = {
        "CHECK_CHANGELOG": True,
        "CHECK_REQUIRED_TAGS": True,
        "RUN_ANSIBLE_DOC": True,
        "RUN_ANSIBLE_LINT": True,
        "RUN_ANSIBLE_TEST": False,
        "RUN_FLAKE8": True,
    }
    config = dist / "galaxy-importer.cfg"
    config.write_text("[galaxy-importer]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    environment["GALAXY_IMPORTER_CONFIG"] = str(config)
    output = session.run("python", "-m", "galaxy_importer.main", str(tarball), env=environment, silent=True)
    # As ruff formats it and PEP 8 wants it: white space before the colon of a slice, breaks before binary operators.
    # It lints an unpacked tarball, which Ansible doesn't know as a collection; the session "lint" finds the playbooks.
    explained = re.compile(r" (E203|W503) |Failed to find msgops\.fleet\.\w+ playbook")
    lines = [line for line in str(output).splitlines() if re.match(r"(WARNING|ERROR|CRITICAL)", line)]
    complaints = [line for line in lines if not explained.search(line)]
    if complaints:
        session.error("\n".join(["galaxy-importer complains:", *complaints]))


@per_core(UNITS, every_python=True)
def units(session: nox.Session, core: str, python: str) -> None:
    """Unit tests that take no other programs."""
    install(session, f"ansible-core-{core}", "units")
    elsewhere = [f"--ignore={path}" for path in (*RUN_ANSIBLE, *AWX, *TOOLS)]
    # Half of the time they wait for a server, or for time to pass.
    run_pytest(session, *(session.posargs or elsewhere), processes=2 * CPUS)


@per_core(ENDS)
def plays(session: nox.Session, core: str, python: str) -> None:
    """Unit tests that start Ansible: minutes of them."""
    install(session, f"ansible-core-{core}", "units")
    run_pytest(session, *(session.posargs or RUN_ANSIBLE))


@nox.session(tags=["all"])
def awx(session: nox.Session) -> None:
    """Unit tests of the AWX kit, with AWX's own code, ansible-runner, ansible-builder and PostgreSQL."""
    install(session, f"ansible-core-{CORE}", "awx")
    run_pytest(session, *(session.posargs or AWX))


@nox.session(tags=["all"])
def tools(session: nox.Session) -> None:
    """Unit tests of the benchmark and of the storm."""
    install(session, f"ansible-core-{CORE}", "units")
    run_pytest(session, *(session.posargs or TOOLS))


@per_core(ENDS, parallel=True)
def integration(session: nox.Session, core: str, python: str) -> None:
    """Integration targets, against the emulator."""
    if not shutil.which("ssh-keygen"):
        session.skip("no ssh-keygen here, without which ansible-test begins no integration test")
    install(session, f"ansible-core-{core}", "integration")
    root = copy_tree(session)
    if not list(root.glob("tests/integration/targets/*/tasks")):
        session.error("there are no targets")
    with EmulatorProcess() as emulator:
        (root / "tests" / "integration" / "integration_config.yml").write_text(f"emulator_url: {emulator.url}\n")
        session.chdir(root)
        session.run(
            "ansible-test", "integration", "--local", "--color", "no", *session.posargs,
            env=sandbox(session), silent=True,
        )  # fmt: skip


@nox.session(tags=["all"], allow_parallel=False)
def molecule(session: nox.Session) -> None:
    """The role's molecule scenarios, against the emulator."""
    install(session, "molecule")
    root = copy_tree(session)
    if not list(root.glob("extensions/molecule/*/molecule.yml")):
        session.error("there are no scenarios")
    with EmulatorProcess() as emulator:
        session.chdir(root / "extensions")
        session.run(
            "molecule", "test", "--all", *session.posargs,
            env=sandbox(session)
            | {"ANSIBLE_COLLECTIONS_PATH": str(CACHE / session.name), "MSGOPS_EMULATOR_URL": emulator.url},
            silent=True,
        )  # fmt: skip


@nox.session(default=False)
def changelog(session: nox.Session) -> None:
    """What the changelog says of this version, or will say once it is released."""
    install(session, "lint")
    root = copy_tree(session)
    session.chdir(root)
    environment = sandbox(session) | {"ANSIBLE_COLLECTIONS_PATH": str(CACHE / session.name)}
    if list(root.glob("changelogs/fragments/*.yml")):
        session.run("antsibull-changelog", "release", env=environment, silent=True)
    session.run("antsibull-changelog", "lint", env=environment, silent=True)
    session.run("antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml", env=environment, silent=True)
    print((root / "CHANGELOG.rst").read_text())


@nox.session(default=False)
def storm(session: nox.Session) -> None:
    """Two thousand creations, each with a fault."""
    install(session, f"ansible-core-{CORE}", "units")
    tree = {"PYTHONPATH": str(collection_tree())}
    session.run("python", "-m", "ansible_collections.msgops.fleet.tests.storm.storm", *session.posargs, env=tree)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure, and write docs/performance."""
    install(session, f"ansible-core-{CORE}", "bench")
    session.run("python", "tests/benchmark/bench.py", *session.posargs)


@nox.session(default=False)
def mutants(session: nox.Session) -> None:
    """Change the core a little, thousands of times, and count the changes that no test notices."""
    install(session, f"ansible-core-{CORE}", "units", "mutants")
    root = copy_tree(session)  # because each change is made to the file itself
    results = CACHE / "mutants"
    session.chdir(root)
    session.run("python", "tests/tools/mutants.py", "--results", str(results), *session.posargs, env=sandbox(session))


@nox.session(default=False)
def pins(session: nox.Session) -> None:
    """Pin the newest versions that the .in files allow."""
    oldest = {f"ansible-core-{core}": pythons[0] for core, pythons in MATRIX.items()} | {"units": "3.10"}
    for source in sorted(REQUIREMENTS.glob("*.in")):
        session.run(
            "uv", "pip", "compile", "--quiet", "--upgrade", "--universal", "--no-annotate",
            "--custom-compile-command", "make pins",
            "--prerelease", "if-necessary-or-explicit", "--python-version", oldest.get(source.stem, "3.11"),
            str(source), "--output-file", str(source.with_suffix(".txt")),
        )  # fmt: skip
