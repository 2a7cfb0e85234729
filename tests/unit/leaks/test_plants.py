# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The leak matrix finds leaks: each test plants a flaw in a copy of the collection, and the search must find it."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.msgops.fleet.tests.support.flaws import CRASHES, Wrapper, flawed_collection
from ansible_collections.msgops.fleet.tests.support.leaks import (
    ANSIBLE,
    CRASH,
    SECRETS,
    Cell,
    Servers,
    find_leaks,
    make_secret,
    run_playbook,
)


def add_exception_text(original: Callable[..., str]) -> Callable[..., str]:
    """Append the text of an unexpected exception to the message."""

    def unexpected(exc: Exception) -> str:
        return f"{original(exc)} {exc}"

    return unexpected


def add_path(original: Callable[..., Any]) -> Callable[..., Any]:
    """Append the path of the request, which holds the token, to the message of a failed connection."""

    def explain(exc: BaseException, request: Any, *arguments: Any) -> Any:
        error = original(exc, request, *arguments)
        error.message += f" at {request.path}"
        return error

    return explain


def quote_vendor(_original: Callable[..., str]) -> Callable[..., str]:
    """Leave the secrets in the vendor's words."""

    def masked(_self: Any, text: str, *_more_secrets: str) -> str:
        return text

    return masked


def leave_secrets(_original: Callable[..., Any]) -> Callable[..., Any]:
    """Leave the secrets in the result, which the entrypoint masks whatever a message holds."""

    def masked(value: Any, _secrets: Any) -> Any:
        return value

    return masked


def encode_options(_original: Callable[..., Any]) -> Callable[..., Any]:
    """Return the task's options in Base64, in which Ansible doesn't recognize what it masks."""

    def without_secrets(_self: Any, params: Any) -> Any:
        import base64

        return {"options": base64.b64encode(repr(params).encode()).decode()}

    return without_secrets


def print_path(original: Callable[..., Any]) -> Callable[..., Any]:
    """Print the path of each request, which holds the token, to the standard error."""

    def exchange(self: Any, request: Any, *arguments: Any) -> Any:
        import sys

        print(request.path, file=sys.stderr)
        return original(self, request, *arguments)

    return exchange


UNMASKED: dict[str, Wrapper] = {"_task.entrypoint:masked": leave_secrets}
# A flaw, and the outcome and the output in which it shows.
FLAWS: dict[str, tuple[dict[str, Wrapper], str, str]] = {
    "an exception's text in the message": (
        {**UNMASKED, **CRASHES, "_task.entrypoint:unexpected": add_exception_text},
        CRASH,
        "stdout",
    ),
    "the URL in a message": ({**UNMASKED, "_http.failures:explain": add_path}, "refused", "stdout"),
    "the vendor's words as they are": (
        {**UNMASKED, "_http.messages:Response.masked": quote_vendor},
        "403 that echoes",
        "stdout",
    ),
    "the options in an encoding that Ansible doesn't mask": (
        {"_task.arguments:ArgumentSpec.without_secrets": encode_options},
        "refused",
        "stdout",
    ),
    "a line on the standard error": ({"_http.transport:Transport._exchange": print_path}, "refused", "stderr"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_planted_flaw_is_found(servers: Servers, ansible_commands: Path, tmp_path: Path, flaw: str) -> None:
    flaws, outcome, place = FLAWS[flaw]
    if place == "stderr" and ANSIBLE < (2, 19):
        pytest.skip("before ansible-core 2.19, a task that prints to the standard error by itself may never end")
    collections = flawed_collection(tmp_path / "flawed", flaws)
    (tmp_path / "run").mkdir()
    cell = Cell("state of GREEN-API", outcome, "controller", "variables", no_log=False)
    output = run_playbook([cell], servers, tmp_path / "run", collections=collections, commands=ansible_commands)
    found = {leak.place for leak in output.leaks([cell], SECRETS)}
    assert place in found


@pytest.mark.parametrize("name", ["_http.nowhere:send", "_http.transport:Transport.nothing"])
def test_a_flaw_in_a_function_that_does_not_exist_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises((ImportError, AttributeError)):
        flawed_collection(tmp_path, {name: print_path})


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
        "\u200b".join,
        " ".join,
        lambda text: json.dumps("\u200b".join(text)),
        lambda text: json.dumps("\n".join(text)),
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
