# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutation tests of the core: find small changes of its code that no test detects.

The script changes the files of the checkout in which it runs; ``make mutants`` runs it in a copy.
"""

from __future__ import annotations

import argparse
import ast
import collections
import random
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.modules import find_modules
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkResult
from coverage import CoverageData

MODULE_UTILS = Path("plugins", "module_utils")

# The fast tests of each file; those that most likely fail for a mutant come first.
TESTS = {
    "_common/masking": ["_common/test_masking.py"],
    "_common/secret_index": ["_common/test_masking.py"],
    "_fleet/observation": ["_fleet/test_observation.py", "_common/test_polling.py"],
    "_http/connection": ["_http/test_transport_ways.py", "_http/test_transport_faults.py", "_http/test_transport.py"],
    "_http/retries": ["_http/test_retries.py"],
    "_http/transport": [
        *("_http/test_transport.py", "_http/test_retries.py", "_http/test_address.py"),
        *("_http/test_transport_faults.py", "_http/test_transport_tls.py", "_http/test_transport_proxies.py"),
    ],
    "_creation/creator": [
        *("_creation/test_outcomes.py", "_creation/test_delivery.py", "_creation/test_limits.py"),
    ],
    "_creation/provisioner": [
        *("_creation/test_outcomes.py", "_creation/test_reconciling.py", "_creation/test_without_listing.py"),
        *("_creation/test_token_delivery.py", "_creation/test_result.py", "_creation/test_journal_actions.py"),
    ],
}
PYTEST = [sys.executable, "-m", "pytest", "-x", "-q"]
# From this number of tests on, they run in several processes: below, starting the processes takes longer.
PARALLEL_FROM = 30

Span = tuple[tuple[int, int], tuple[int, int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="*", metavar="FILE", help=f"{', '.join(TESTS)}; default: each")
    parser.add_argument(
        "--share", type=float, default=1.0, help="share of the mutants to try, from 0 to 1; always the same ones"
    )
    parser.add_argument("--results", type=Path, default=Path(".cache", "mutants"), help="folder of the databases")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    for file in options.file or TESTS:
        report(file, *mutate(file, options.share, options.results / f"{file.replace('/', '.')}.sqlite"))


def mutate(file: str, share: float, database: Path) -> tuple[Path, float]:
    """Try a share of the file's mutants; return the database with the results, and the seconds that it took."""
    path = MODULE_UTILS / f"{file}.py"
    started = time.monotonic()
    tests = Tests(path, [f"tests/unit/plugins/module_utils/{test}" for test in TESTS[file]])
    timeout = 10 + 3 * (time.monotonic() - started)
    with use_db(str(database), WorkDB.Mode.create) as db:
        init(find_modules([path]), db, {})
        skip(db, share, list(annotations(path)))
        for item in list(db.pending_work_items):
            mutation = item.mutations[0]
            command = tests.command(range(mutation.start_pos[0], mutation.end_pos[0] + 1))
            db.set_result(item.job_id, mutate_and_test(item.mutations, command, timeout))
    return database, time.monotonic() - started


class Tests:
    """A file's tests, and which of its lines each of them runs."""

    def __init__(self, path: Path, files: list[str]) -> None:
        measure = ["--cov", str(path.parent), "--cov-context", "test", "--cov-report", ""]
        subprocess.run([*PYTEST, *measure, *files], check=True)
        data = CoverageData()
        data.read()
        self._files = files
        self._contexts = data.contexts_by_lineno(str(path.resolve()))

    def command(self, lines: range) -> str:
        """Return the command that runs the tests of these lines: all tests, if a line runs at import."""
        contexts = {context for line in lines for context in self._contexts.get(line, [""])}
        tests = self._files if "" in contexts else sorted({context.rpartition("|")[0] for context in contexts})
        Path("tests.txt").write_text("\n".join(tests), encoding="utf-8")
        processes = 4 if "" in contexts or len(tests) > PARALLEL_FROM else 0
        return shlex.join([*PYTEST, "--numprocesses", str(processes), "@tests.txt"])


def skip(db: WorkDB, share: float, spans: list[Span]) -> None:
    """Skip all but a share of the mutants, and all mutants of annotations, which have no effect at run time."""
    chance = random.Random(1)
    for item in sorted(db.work_items, key=lambda item: (item.mutations[0].operator_name, item.mutations[0].occurrence)):
        mutation = item.mutations[0]
        pointless = any(start <= mutation.start_pos and mutation.end_pos <= end for start, end in spans)
        if chance.random() >= share or pointless:
            db.set_result(item.job_id, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))


def annotations(path: Path) -> Iterator[Span]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for note in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(note, ast.expr):
                yield (note.lineno, note.col_offset), (note.end_lineno or 0, note.end_col_offset or 0)


def report(file: str, database: Path, seconds: float) -> None:
    """Print the mutants that no test has detected, and the score."""
    counts: collections.Counter[str] = collections.Counter()
    with use_db(str(database), WorkDB.Mode.open) as db:
        mutations = {item.job_id: item.mutations[0] for item in db.work_items}
        for job, result in db.results:
            if result.worker_outcome is WorkerOutcome.SKIPPED:
                continue
            timed_out = result.output == "timeout"  # cosmic-ray counts a timeout as killed
            verdict = (
                "survived" if result.test_outcome is TestOutcome.SURVIVED else "timed out" if timed_out else "killed"
            )
            counts[verdict] += 1
            if verdict == "survived":
                print(describe(mutations[job], result.diff or ""))
    total = counts.total()
    found = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("killed", "timed out", "survived"))
    score = 1 - counts["survived"] / max(1, total)
    print(
        f"{file}: {total} mutants tried of {len(mutations)}: {found}; score {score:.0%}, in {seconds:.0f} s", flush=True
    )


def describe(mutation: MutationSpec, diff: str) -> str:
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return "\n".join([f"{mutation.module_path}:{mutation.start_pos[0]} {mutation.operator_name}", *changed, ""])


if __name__ == "__main__":
    main()
