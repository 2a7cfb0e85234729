# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of faults and their options: one table, which both validates and generates the documentation."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .bombs import BOMBS
from .config import Option, check_options, is_whole
from .errors import Invalid
from .messages import JSON_TYPE

_BEFORE = Option(
    "before", "Whether the fault fires before or after the request has had its effect.", ("before", "after")
)
_AFTER = Option("after", _BEFORE.help, ("before", "after"))
_AT = Option(
    "answer",
    "Where the connection ends. Of a request: before its first byte (`connection`: the next connection, so the route "
    "is `*`), after its head, or in its body. Of a response: before it (`answer`), in its head or body, or after all "
    "of it (`answer_end`), although keep-alive was agreed. Before `answer` the request has no effect, after `answer` "
    "it has one; at `answer`, `when` decides.",
    ("connection", "head", "body", "answer", "answer_head", "answer_body", "answer_end"),
)
_RETRY_AFTER = {
    "retry_after": Option(
        "none",
        "Form of the Retry-After header: none, seconds, an HTTP date, or invalid text.",
        ("none", "seconds", "date", "nonsense"),
    ),
    "seconds": Option(1.0, "Seconds from now that Retry-After asks for."),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault and its options."""

    help: str
    options: Mapping[str, Option] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    "throttle": Kind("429 in the vendor's form; the request has no effect.", _RETRY_AFTER),
    "status": Kind(
        "A response with any status and body.",
        {
            "status": Option(500, "HTTP status."),
            "body": Option(
                None, 'Body: a string is sent as it is, anything else as JSON; null: `{"error": ...}`.', anything=True
            ),
            "content_type": Option(JSON_TYPE, "Content-Type."),
            "echo_secret": Option(
                False,
                "Put the request's token or path in the place of `{secret}`, `{encoded_secret}` and `{path}` in the "
                "body, half of the token for `{secret_start}` and `{secret_end}`, all of it for `{capital_secret}`, "
                "with zero-width characters in between for `{split_secret}`, with line breaks for `{wrapped_secret}`.",
            ),
            "when": _BEFORE,
            **_RETRY_AFTER,
        },
    ),
    "quota": Kind(
        "GREEN-API's 466; the request has no effect.",
        {"kind": Option("invokeStatus", "Which quota is exceeded.", ("invokeStatus", "correspondentsStatus"))},
    ),
    "bad_gateway": Kind("502 with the HTML page of a gateway.", {"when": _BEFORE}),
    "client_closed": Kind("499 without a body.", {"when": _BEFORE}),
    "slow": Kind(
        "The normal response, but delayed or sent in pieces.",
        {
            "seconds": Option(1.0, "Seconds of delay."),
            "drip": Option(0, "Size of the pieces of the body in bytes; 0: all at once."),
            "interval": Option(0.1, "Seconds before each piece."),
            "when": _BEFORE,
        },
    ),
    "hang": Kind(
        "No response until the fault is released; none at all if the emulator is reset.",
        {"cap": Option(600.0, "Seconds after which the connection is closed."), "when": _BEFORE},
    ),
    "reset": Kind("The connection ends with RST.", {"when": _BEFORE, "at": _AT}),
    "close": Kind("The connection ends with FIN.", {"when": _BEFORE, "at": _AT}),
    "truncate": Kind(
        "The normal response, but cut off before the end that Content-Length announces.",
        {"keep": Option(0.5, "Share of the body that is sent.")},
    ),
    "garbage": Kind(
        "A response that can't be parsed.",
        {
            "kind": Option(
                "not_json", "Kind of body.", ("not_json", "html", "binary", "empty", "huge", "deep", "wrong_type")
            ),
            "megabytes": Option(16, "Size of `huge` in MiB."),
            "depth": Option(100000, "Depth to which the arrays of `deep` are nested."),
            "status": Option(200, "HTTP status."),
            "when": _AFTER,
        },
    ),
    "bomb": Kind(
        "A response that costs a careless client much memory or time.",
        {
            "kind": Option(
                "values",
                "Kind of body: JSON of many values, objects or levels, a number of many digits, a long key, a text of "
                "escapes (`%252525...`, in a GREEN-API error) or of halves of characters; or what there is too much of "
                "around a body: informational responses, headers, the length of a header, cookies, chunks, the length "
                "of a chunk's extension, or trailers.",
                BOMBS,
            ),
            "megabytes": Option(60, "Size in MiB; of a body, before it is compressed."),
            "encoding": Option(
                "gzip",
                "Content-Encoding of a body, compressed once for each gzip in it; an empty string: none.",
            ),
            "status": Option(200, "HTTP status."),
            "when": _AFTER,
        },
    ),
    "charset": Kind(
        "The normal response in another encoding, which its Content-Type declares.",
        {
            "charset": Option("ISO-8859-1", "The encoding; characters that it lacks are sent as JSON escapes."),
            "message": Option(
                "criação concluída",
                "Text that an object gets as `message`, so that it holds characters that depend on the encoding.",
            ),
        },
    ),
    "nulls": Kind(
        "The normal response, but with null as the value of a field.",
        {
            "key": Option("name", "Key of the field, at any depth."),
            "items": Option(1, "How many of these fields become null, from the first one on; 0: all."),
        },
    ),
    "redirect": Kind(
        "A redirect to another path or host.",
        {
            "location": Option("/elsewhere{path}", "Location; `{path}` stands for the request's path with its query."),
            "status": Option(302, "HTTP status.", (301, 302, 303, 307, 308)),
            "when": _BEFORE,
        },
    ),
    "informational": Kind(
        "Informational responses (1xx) before the final one.",
        {
            "statuses": Option([103], "Their HTTP statuses, each from 100 to 199 but not 101.", anything=True),
            "seconds": Option(0.0, "Seconds before each of them."),
            "pause": Option(0.0, "Seconds between the last of them and the final response."),
        },
    ),
    "lag": Kind(
        "Listings leave out the instance that the request creates for a time.",
        {
            "seconds": Option(0.0, "Seconds until listings show it."),
            "listings": Option(0, "Number of listings that leave it out."),
        },
    ),
}

# Kinds that fire in addition to another fault.
OVERLAYS = ("lag", "informational")
# Values of the option `at` at which the request has not been read.
EARLY = ("connection", "head", "body")


def check_fault(kind: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a kind, with the values of ``wanted``; raise Invalid if one of them is not allowed."""
    given = check_options(wanted, KINDS[kind].options)
    options = {key: given.get(key, option.default) for key, option in KINDS[kind].options.items()}
    if "status" in options and not 200 <= options["status"] <= 599:
        raise Invalid(f"status: {options['status']} is not from 200 to 599")
    if options.get("at") in EARLY and options["when"] == "after":
        raise Invalid(f"when: at {options['at']} the request has not been read, and has no effect")
    if "statuses" in options:
        _check_statuses(options["statuses"])
    if "charset" in options:
        _check_charset(options["charset"])
    return options


def _check_statuses(statuses: Any) -> None:
    # 101 would switch the connection to another protocol.
    if not isinstance(statuses, list) or not all(is_whole(s) and 100 <= s <= 199 and s != 101 for s in statuses):
        raise Invalid(f"statuses: {statuses!r} is not a list of numbers from 100 to 199 without 101")


def _check_charset(charset: str) -> None:
    try:
        codecs.lookup(charset)
    except LookupError:
        raise Invalid(f"charset: {charset!r} is not an encoding that Python supports") from None
