# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret in anything that comes out: modules x outcomes x ways to give secrets x places x no_log x outputs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT
from ansible_collections.msgops.fleet.tests.support.leaks import (
    CRASH,
    OUTCOMES,
    SECRETS,
    VARIANTS,
    Cell,
    Extent,
    Servers,
    cells,
    combinations,
    playbooks,
    run_playbook,
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "chosen" in metafunc.fixturenames:
        parts = playbooks(metafunc.config.getoption("leaks"))
        metafunc.parametrize("chosen", parts.values(), ids=parts)


def test_no_output_holds_a_secret(
    servers: Servers,
    crashing: Path,
    collections_path: Path,
    ansible_commands: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    chosen: list[Cell],
) -> None:
    crashes = chosen[0].outcome == CRASH
    collections = crashing if crashes else collections_path
    output = run_playbook(chosen, servers, tmp_path, collections=collections, commands=ansible_commands)
    for cell in chosen:
        assert_went_as_meant(cell, output.results[cell.key])
    leaks = output.leaks(chosen, SECRETS | servers.secrets())
    record_property("leak matrix, cells", len(chosen))
    record_property("leak matrix, characters searched", sum(map(len, output.texts.values())))
    assert not leaks, f"{len(leaks)} leaks:\n" + "\n".join(map(str, leaks[:20]))


def assert_went_as_meant(cell: Cell, result: Mapping[str, Any]) -> None:
    """A cell that does something else than it is there for proves nothing."""
    if OUTCOMES[cell.outcome].succeeds:
        assert not result["failed"], f"{cell}: {result.get('msg')}"
    else:
        assert result["failed"], str(cell)
    is_crash = result.get("msg", "").startswith("unexpected RuntimeError")
    assert is_crash is (cell.outcome == CRASH), f"{cell}: {result.get('msg')}"


# That the matrix is whole, and finds what there is to be found


def test_every_module_is_in_the_matrix() -> None:
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert {variant.module for variant in VARIANTS.values()} == modules


def test_every_secret_option_is_in_the_matrix() -> None:
    given: set[tuple[str, str]] = set()
    for variant in VARIANTS.values():
        given |= {(variant.module, option) for option in paths_in(variant.options)}
        given |= {(variant.module, option) for option in variant.secrets}
    for variant in VARIANTS.values():
        module = importlib.import_module(f"ansible_collections.msgops.fleet.plugins.modules.{variant.module}")
        for option in secret_options(module.ARGUMENTS.options):
            assert (variant.module, option) in given


def paths_in(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in options.items():
        yield prefix + name
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from paths_in(item, f"{prefix}{name}.")


def secret_options(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, option in options.items():
        if option.get("no_log"):
            yield prefix + name
        yield from secret_options(option.get("options") or {}, f"{prefix}{name}.")


def test_what_depends_on_ansible_core_is_each_combination_of_what_it_knows() -> None:
    whole, part = cells("all"), cells("core")
    assert set(part) < set(whole)
    assert len(part) < len(whole) / 4
    assert set().union(*map(combinations, part)) == set().union(*map(combinations, whole))


def test_each_cell_is_in_one_playbook() -> None:
    for extent in get_args(Extent):
        run = [cell for part in playbooks(extent).values() for cell in part]
        assert len(run) == len(set(run))
        assert set(run) == set(cells(extent))
