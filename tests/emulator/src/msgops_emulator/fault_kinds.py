# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of faults and their options: one table, from which validation and documentation both come."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .config import Invalid, Option, check_options, is_whole
from .messages import JSON_TYPE

_BEFORE = Option("before", "Whether it strikes before or after the request has had its effect.", ("before", "after"))
_AFTER = Option("after", _BEFORE.help, ("before", "after"))
_AT = Option(
    "answer",
    "Where: before a byte of the request is read (`connection`: the next one to anybody, so with the route `*`), after "
    "its head or half of its body, before the answer, in the answer's head or body, or after all of it although the "
    "connection was to be kept. Before `answer` the request has no effect, beyond it has one; `when` is for `answer`.",
    ("connection", "head", "body", "answer", "answer_head", "answer_body", "answer_end"),
)
_RETRY_AFTER = {
    "retry_after": Option(
        "none",
        "Form of the Retry-After header: none, seconds, an HTTP date, or nonsense.",
        ("none", "seconds", "date", "nonsense"),
    ),
    "seconds": Option(1.0, "What Retry-After says, in seconds from now."),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault and its options."""

    help: str
    options: Mapping[str, Option] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    "throttle": Kind("429 in the vendor's form; nothing happens.", _RETRY_AFTER),
    "status": Kind(
        "Any status and body.",
        {
            "status": Option(500, "HTTP status."),
            "body": Option(None, 'A string as it is, anything else as JSON; null: `{"error": ...}`.', anything=True),
            "content_type": Option(JSON_TYPE, "Content-Type."),
            "echo_secret": Option(
                False,
                "Repeat the request's token: in place of `{secret}`, `{encoded_secret}` and `{path}` in the body.",
            ),
            "when": _BEFORE,
            **_RETRY_AFTER,
        },
    ),
    "quota": Kind(
        "GREEN-API's 466; nothing happens.",
        {"kind": Option("invokeStatus", "Which limit.", ("invokeStatus", "correspondentsStatus"))},
    ),
    "bad_gateway": Kind("502 with a gateway's HTML page.", {"when": _BEFORE}),
    "client_closed": Kind("499 without a body.", {"when": _BEFORE}),
    "slow": Kind(
        "The right answer, late or in drops.",
        {
            "seconds": Option(1.0, "Seconds of delay."),
            "drip": Option(0, "Bytes of the body at a time; 0: all at once."),
            "interval": Option(0.1, "Seconds before each drop."),
            "when": _BEFORE,
        },
    ),
    "hang": Kind(
        "No answer until the fault is released (then the right one), or the emulator is reset (then never).",
        {"cap": Option(600.0, "Seconds until the connection is closed anyway."), "when": _BEFORE},
    ),
    "reset": Kind("The connection ends with RST.", {"when": _BEFORE, "at": _AT}),
    "close": Kind("The connection ends with FIN.", {"when": _BEFORE, "at": _AT}),
    "truncate": Kind(
        "The right answer, cut off: Content-Length promises more.",
        {"keep": Option(0.5, "Share of the body that is sent.")},
    ),
    "garbage": Kind(
        "An answer that can't be read.",
        {
            "kind": Option(
                "not_json", "What it is.", ("not_json", "html", "binary", "empty", "huge", "deep", "wrong_type")
            ),
            "megabytes": Option(16, "Size of `huge`."),
            "depth": Option(100000, "Depth of `deep`."),
            "status": Option(200, "HTTP status."),
            "when": _AFTER,
        },
    ),
    "charset": Kind(
        "The right answer in another encoding, which its Content-Type declares.",
        {
            "charset": Option("ISO-8859-1", "The encoding; what it lacks is escaped as JSON has it."),
            "message": Option(
                "criação concluída", "Words that an object gets as `message`, so that it makes a difference."
            ),
        },
    ),
    "nulls": Kind(
        "The right answer with null in the place of a field.",
        {
            "key": Option("name", "Key of the field, at whatever depth."),
            "items": Option(1, "How many of them, the first ones; 0: all."),
        },
    ),
    "redirect": Kind(
        "A redirect to another path or host.",
        {
            "location": Option("/elsewhere{path}", "Location; `{path}` is the request's own, with its query."),
            "status": Option(302, "HTTP status.", (301, 302, 303, 307, 308)),
            "when": _BEFORE,
        },
    ),
    "informational": Kind(
        "Answers come before the real one that only say that it is to come.",
        {
            "statuses": Option([103], "Their HTTP statuses, each from 100 to 199.", anything=True),
            "seconds": Option(0.0, "Seconds before each of them."),
            "pause": Option(0.0, "Seconds between the last of them and the rest."),
        },
    ),
    "lag": Kind(
        "The instance that the request creates stays out of listings for a time.",
        {
            "seconds": Option(0.0, "Seconds until listings show it."),
            "listings": Option(0, "Number of listings that don't show it."),
        },
    ),
}

# These come on top of another fault.
OVERLAYS = ("lag", "informational")
# Places at which a request isn't here yet.
EARLY = ("connection", "head", "body")


def check_fault(kind: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a kind, those of ``wanted`` checked; raise Invalid for what can't be."""
    given = check_options(wanted, KINDS[kind].options)
    options = {key: given.get(key, option.default) for key, option in KINDS[kind].options.items()}
    if "status" in options and not 200 <= options["status"] <= 599:
        raise Invalid(f"status: {options['status']} is not from 200 to 599")
    if options.get("at") in EARLY and options["when"] == "after":
        raise Invalid(f"when: at {options['at']} the request isn't here yet, and has no effect")
    if "statuses" in options:
        _check_statuses(options["statuses"])
    if "charset" in options:
        _check_charset(options["charset"])
    return options


def _check_statuses(statuses: Any) -> None:
    # 101 would make another protocol of the connection.
    if not isinstance(statuses, list) or not all(is_whole(s) and 100 <= s <= 199 and s != 101 for s in statuses):
        raise Invalid(f"statuses: {statuses!r} is not a list of numbers from 100 to 199 without 101")


def _check_charset(charset: str) -> None:
    try:
        codecs.lookup(charset)
    except LookupError:
        raise Invalid(f"charset: {charset!r} is no encoding that Python knows") from None
