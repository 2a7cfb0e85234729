# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists and dictionaries given as text, as surveys, variables of the environment and templates give them."""

from __future__ import annotations

import ast
import collections
import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from .._common.texts import stripped

try:
    import yaml
except ImportError:  # a managed node may lack PyYAML, which ansible-core brings to the controller
    yaml = None  # type: ignore[assignment]

# ValueError is also that of a date that isn't in the calendar, TypeError that of a key that JSON doesn't have; PyYAML
# raises the next three for tags such as !!int whose text is none.
_UNREADABLE: tuple[type[Exception], ...] = (
    ValueError,
    SyntaxError,
    TypeError,
    AttributeError,
    IndexError,
    KeyError,
    RecursionError,
    MemoryError,
    *([yaml.YAMLError] if yaml else []),
)

_LIST_TEXT = re.compile(r"\s*(---\s|\[|\{|-(\s|$))")


def parse_list(text: str, elements: str) -> Any:
    """Return what ``text`` lists; something else than a list if it lists nothing.

    Of ``elements`` that are texts, a number is the text that it is written in, or ``None``: YAML reads 010 as 8.
    """
    if elements != "dict" and not _LIST_TEXT.match(text):
        return [part for part in map(stripped, re.split(r"[,\r\n]", text)) if part] or None
    value = _parse(text)
    return _as_written(value, text) if elements == "str" and isinstance(value, list) else value


def _as_written(values: list[Any], text: str) -> list[Any]:
    numbers = collections.Counter(filter(_is_number, values))
    as_read = {
        number: str(number) if len(re.findall(rf"(?<![\w.:+-]){number}(?![\w.:])", text)) >= count else None
        for number, count in numbers.items()
    }
    return [as_read[value] if _is_number(value) else value for value in values]


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def parse_dictionary(text: str) -> Any:
    """Return the dictionary in ``text``; something else if there is none."""
    value = _parse(text)
    if isinstance(value, Mapping):
        return value
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = ", \t\r\n", True, ""
    found = {}
    try:
        for pair in lexer:
            key, value = pair.split("=", 1)
            found[key] = value
    except ValueError:  # an open quote, or something without an equals sign
        return None
    return found


def where_unreadable(text: str) -> str:
    """Where the YAML parser gives up on ``text``, as the end of a message; empty if it doesn't.

    The parser's own words are left out: they quote the text, which may hold secrets.
    """
    try:
        yaml.safe_load(text)
    except _UNREADABLE as error:  # AttributeError if there is no PyYAML
        if mark := getattr(error, "problem_mark", None):
            return f"; the YAML parser stops at line {mark.line + 1}, column {mark.column + 1} of the text"
    return ""


def _parse(text: str) -> Any:
    """Return the value of JSON, of Python's notation, which templates may leave behind, or of YAML, in JSON's types.

    ``None`` if it is none of them.
    """
    for read in (json.loads, ast.literal_eval, yaml.safe_load if yaml else None):
        try:
            if read:
                return json.loads(json.dumps(read(text), default=str))
        except _UNREADABLE:
            continue
    return None
