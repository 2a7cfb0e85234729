# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of docs/awx.md: which variable stands for which option, and which credential type sets it.

``python tests/support/awx_options.py`` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from ansible_collections.msgops.fleet.tests.support.checkout import ROOT

PAGE = ROOT / "docs" / "awx.md"
BEGIN, END = "<!-- options: begin -->\n", "<!-- options: end -->\n"


def variables() -> Iterator[tuple[str, str]]:
    """Each option with the variable that stands in for it, in the order of the code's own tables."""
    from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import GATEWAY, JOURNAL, TRANSPORT
    from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_options import (
        OPTIONS,
        environment_variable,
    )
    from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import PROVIDERS

    for arguments in (GATEWAY, TRANSPORT, JOURNAL):
        yield from _fallbacks(arguments.options)
    for provider in PROVIDERS.values():
        yield from provider.environment.items()
    yield from ((option, environment_variable(option)) for option in OPTIONS)


def _fallbacks(options: Mapping[str, Mapping[str, object]]) -> Iterator[tuple[str, str]]:
    for option, spec in options.items():
        if "fallback" in spec:
            _function, (variable,) = spec["fallback"]  # type: ignore[misc]
            yield option, variable


def table() -> str:
    """The table, in Markdown."""
    from ansible_collections.msgops.fleet.plugins.inventory import cloudphones, instances
    from ansible_collections.msgops.fleet.tests.support.awx_jobs import CREDENTIAL_TYPES

    sources = {
        "instances": {
            *instances.InventoryModule.API_OPTIONS.options,
            *instances.InventoryModule.DISPLAY_OPTIONS.options,
        },
        "cloudphones": {
            *cloudphones.InventoryModule.API_OPTIONS.options,
            *cloudphones.InventoryModule.DISPLAY_OPTIONS.options,
        },
    }
    lines = [
        "| option of modules | variable | option of inventory sources | credential type: input |",
        "| --- | --- | --- | --- |",
    ]
    for option, variable in variables():
        plugins = [plugin for plugin, options in sources.items() if option in options]
        inputs = [
            f"{name}: `{field['id']}`"
            for name, kind in CREDENTIAL_TYPES.items()
            for field in kind["inputs"]["fields"]
            if f"{{ {field['id']} " in kind["injectors"].get("env", {}).get(variable, "")
        ]
        shown = [f"`{option}`: {', '.join(plugins)}" if plugins else "", ", ".join(inputs)]
        lines.append(f"| `{option}` | `{variable}` | {' | '.join(text or '-' for text in shown)} |")
    return "\n".join(lines) + "\n"


def embedded(page: str) -> tuple[str, str, str]:
    """The page before the table, the table in it, and what comes after."""
    before, begin, rest = page.partition(BEGIN)
    inside, end, after = rest.partition(END)
    return before + begin, inside, end + after


if __name__ == "__main__":
    # Beside pytest, whose conftest.py does the same for the tests.
    sys.path.insert(0, str(ROOT / ".cache" / "tree"))
    before, _old, after = embedded(PAGE.read_text())
    PAGE.write_text(f"{before}\n{table()}\n{after}")
