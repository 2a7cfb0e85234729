# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That the matrix finds what there is to be found: flaws planted in a copy of the collection."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.msgops.fleet.tests.support.leaks import (
    ANSIBLE,
    CRASH,
    CRASHES,
    SECRETS,
    Cell,
    Servers,
    find_leaks,
    make_secret,
    patched_collection,
    run_playbook,
)

ENTRYPOINT = "plugins/module_utils/_task/entrypoint.py"
HTTP = "plugins/module_utils/_http/transport.py"
MESSAGES = "plugins/module_utils/_http/messages.py"
FAILURES = "plugins/module_utils/_http/failures.py"

_EXCHANGE = "        timeout = max(0.001, min("

# A flaw, and where it shows.
FLAWS: dict[str, tuple[tuple[tuple[str, str, str], ...], str, str]] = {
    "an exception's text in the message": (
        (
            *CRASHES,
            (ENTRYPOINT, 'return f"unexpected {where};', 'return f"unexpected {where} {exc};'),
        ),
        CRASH,
        "stdout",
    ),
    "the URL in a message": (
        ((FAILURES, 'f"{to.host} refuses the connection"', 'f"{request.path} refuses"'),),
        "refused",
        "stdout",
    ),
    "the vendor's words as they are": (
        (
            (
                MESSAGES,
                "return shorten(redact(text, (*self.request.secrets, *more_secrets)))",
                "return shorten(text, 9999)",
            ),
        ),
        "403 that echoes",
        "stdout",
    ),
    "the options in an encoding that Ansible doesn't mask": (
        (
            (
                ENTRYPOINT,
                '{"module_args": arguments.without_secrets(task.params)}',
                '{"module_args": __import__("base64").b64encode(repr(task.params).encode()).decode()}',
            ),
        ),
        "refused",
        "stdout",
    ),
    "a line on the standard error": (
        ((HTTP, _EXCHANGE, "        print(request.path, file=__import__('sys').stderr)\n" + _EXCHANGE),),
        "refused",
        "stderr",
    ),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_planted_flaw_is_found(servers: Servers, ansible_commands: Path, tmp_path: Path, flaw: str) -> None:
    patches, outcome, place = FLAWS[flaw]
    if place == "stderr" and ANSIBLE < (2, 19):
        pytest.skip("before ansible-core 2.19, a task that prints to the standard error by itself may never end")
    collections = patched_collection(tmp_path / "flawed", *patches)
    (tmp_path / "run").mkdir()
    cell = Cell("state of GREEN-API", outcome, "controller", "variables", no_log=False)
    output = run_playbook([cell], servers, tmp_path / "run", collections=collections, commands=ansible_commands)
    found = {leak.place for leak in output.leaks([cell], SECRETS)}
    assert place in found


@pytest.mark.parametrize(
    "spell",
    [
        str,
        str.lower,
        str.upper,
        lambda text: quote(text, safe=""),
        lambda text: quote(text, safe="").lower(),
        lambda text: quote(quote(text)),
        quote_plus,
        json.dumps,
        lambda text: json.dumps(json.dumps(text)),
        repr,
        html.escape,
        lambda text: text[: len(text) // 2],
        lambda text: text[len(text) // 2 :],
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
        lambda text: base64.urlsafe_b64encode(f"a{text}".encode()).decode(),
        lambda text: text.encode().hex(),
        lambda text: "".join(f"%{byte:02x}" for byte in text.encode()[:3]) + text[3:],
    ],
)
def test_the_search_knows_each_spelling(spell: Callable[[str], str]) -> None:
    secret = make_secret("an example")
    text = f"TASK [first] ***\nnothing\nTASK [second] ***\nbefore {spell(secret)} after\n"
    leaks = find_leaks(text, "stdout", {"example": secret, "another": make_secret("another")})
    assert {(leak.secret, leak.cell) for leak in leaks} == {("example", "second")}


def test_the_search_finds_nothing_where_nothing_is() -> None:
    assert find_leaks("TASK [first] ***\n" + make_secret("another"), "stdout", SECRETS) == []
