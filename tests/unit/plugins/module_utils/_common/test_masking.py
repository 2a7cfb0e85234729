# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redaction masks each spelling of a secret, and nothing else."""

from __future__ import annotations

import html
import importlib
import json
import string
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common import masking
from ansible_collections.msgops.fleet.plugins.module_utils._common.masking import masked, passwords_in, redact
from ansible_collections.msgops.fleet.plugins.module_utils._common.phone_states import PHONE_STATUSES
from ansible_collections.msgops.fleet.plugins.module_utils._common.secret_index import MASK
from ansible_collections.msgops.fleet.plugins.module_utils._common.states import STATES
from ansible_collections.msgops.fleet.plugins.module_utils._common.vocabulary import WORDS
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import PROVIDERS
from ansible_collections.msgops.fleet.tests.support.checkout import ROOT
from ansible_collections.msgops.fleet.tests.support.wire import TOKEN
from hypothesis import assume, given
from hypothesis import strategies as st


def percent(character: str, digits: str = "x") -> str:
    return "".join(f"%{byte:02{digits}}" for byte in character.encode())


def json_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def raw(character: str) -> str:
    return character


SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": raw,
    "percent-encoded with lower-case digits": percent,
    "percent-encoded with upper-case digits": lambda c: percent(c, "X"),
    "percent-encoded twice": lambda c: quote(percent(c)),
    "escaped for JSON by its code": json_escape,
    "escaped for JSON by its code, upper-case": lambda c: json_escape(c).upper().replace("\\U", "\\u"),
    "escaped for HTML by its decimal code": lambda c: f"&#{ord(c)};",
    "escaped for HTML by its hexadecimal code": lambda c: f"&#x{ord(c):X};",
    "escaped for HTML with leading zeros": lambda c: f"&#0{ord(c)};",
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("secret", [TOKEN, "plain0token", "tøken/ключ", "tok\U0001f511n", "50%2541%41\\n"])
def test_a_secret_is_masked_in_every_spelling(secret: str, spell: Callable[[str], str]) -> None:
    assert redact(f"before {''.join(map(spell, secret))} after", [secret]) == f"before {MASK} after"


@pytest.mark.parametrize(
    "encode",
    [
        quote,
        lambda s: quote(s, safe=""),
        quote_plus,
        html.escape,
        json.dumps,
        lambda s: json.dumps(s, ensure_ascii=False),
        lambda s: json.dumps(s).replace("/", "\\/"),
        lambda s: json.dumps(json.dumps(s).replace("/", "\\/")[1:-1]),
        lambda s: html.escape(html.escape(s)),
    ],
    ids=[
        *("quote", "quote all", "quote_plus", "html", "json", "json in UTF-8", "json of PHP", "json in json"),
        "html in html",
    ],
)
def test_a_secret_is_masked_as_the_usual_libraries_escape_it(encode: Callable[[str], str]) -> None:
    secret = "a b/c\"d\\e&f<g>h'i+j%k\tl\nmé"
    assert redact(f"[{encode(secret).strip(chr(34))}]", [secret]) == f"[{MASK}]"


@pytest.mark.parametrize("character", string.punctuation + " \t")
def test_a_character_after_a_backslash_is_the_character(character: str) -> None:
    assert redact(f"[a\\{character}b]", [f"a{character}b"]) == f"[{MASK}]"


def test_a_secret_is_masked_wherever_it_stands() -> None:
    assert redact("abcdefgh abcdefgh xabcdefghx", ["abcdefgh"]) == f"{MASK} {MASK} x{MASK}x"


def test_a_secret_inside_a_longer_one_leaves_nothing_of_the_longer_one() -> None:
    assert redact("token-and-more token", ["token", "token-and-more"]) == f"{MASK} {MASK}"


def test_secrets_that_overlap_leave_nothing_of_either() -> None:
    assert redact("<abcdefghijkl>", ["abcdefgh", "efghijkl"]) == f"<{MASK}>"


def test_the_mask_itself_is_never_masked() -> None:
    assert redact("longer-secret", ["longer-secret", "*"]) == MASK
    assert redact(redact("a longer-secret", ["longer-secret"]), ["*", "***"]) == f"a {MASK}"


def test_an_empty_secret_masks_nothing() -> None:
    assert redact("text", ["", ""]) == "text"


def test_text_without_a_secret_is_left_alone() -> None:
    text = 'HTTP 503: {"a%20b": "\\u0041&amp;"} 100% + more'
    assert redact(text, [TOKEN]) == text


@given(st.text(st.characters(exclude_categories=["C", "Z", "M"], exclude_characters="\\+"), min_size=8), st.data())
def test_no_mixture_of_spellings_lets_a_secret_survive(secret: str, data: st.DataObject) -> None:
    # Surrounded by characters that no secret contains, so that only the secret can match.
    spelled = "".join(data.draw(st.sampled_from(list(SPELLINGS.values())))(character) for character in secret)
    assert redact(f"\x00{spelled}\x00", [secret]) == f"\x00{MASK}\x00"


@given(st.text(string.ascii_letters + string.digits + string.punctuation, min_size=12, max_size=60), st.data())
def test_no_percent_encoding_of_a_token_survives(token: str, data: st.DataObject) -> None:
    encoders = st.sampled_from([raw, percent, lambda c: percent(c, "X")])
    encoded = "".join(data.draw(encoders)(character) for character in token)
    assert encoded not in redact(f"https://host/wait/{encoded}/end", [token])


@given(st.text(max_size=30), st.text(string.ascii_letters + string.digits + "/-_.~", min_size=8))
def test_a_secret_never_stands_in_a_redacted_text(text: str, secret: str) -> None:
    assume(secret not in WORDS)
    assert secret not in redact(text + secret + text, [secret])


# Short secrets


@pytest.mark.parametrize("secret", ["a", "1", "failed", "msg", "seven77", "a/b"])
@pytest.mark.parametrize("around", ["", " ", "/", "'", "=", "\u200b", "-", "%2F", "&quot;"])
def test_a_short_secret_is_masked_where_it_stands_apart(secret: str, around: str) -> None:
    assert redact(f"x {around}{secret}{around} x", [secret]) == f"x {around}{MASK}{around} x"
    assert redact(f"x {around}{quote(secret, safe='')}{around} x", [secret]) == f"x {around}{MASK}{around} x"


@pytest.mark.parametrize("secret", ["a", "t", "atten", "seven77"])
def test_a_short_secret_is_not_masked_within_a_word(secret: str) -> None:
    text = "pattern xseven77 seven77_ éa aé"
    assert redact(text, [secret]) == text


def test_eight_characters_are_masked_within_a_word() -> None:
    assert redact("xabcdefghx", ["abcdefgh"]) == f"x{MASK}x"


# Fragments

LONG = "0123456789abcdefGHIJklmnopqr"


@pytest.mark.parametrize("start", range(len(LONG) - 11))
def test_each_part_of_twelve_characters_of_a_long_secret_is_masked(start: int) -> None:
    assert redact(f"<{LONG[start : start + 12]}>", [LONG]) == f"<{MASK}>"
    assert redact(f"<{LONG[start : start + 12].swapcase()}>", [LONG]) == f"<{MASK}>"
    assert redact(f"<{percent(LONG[start : start + 12])}>", [LONG]) == f"<{MASK}>"


def test_a_part_of_eleven_characters_is_no_secret() -> None:
    assert redact(LONG[3:14], [LONG]) == LONG[3:14]
    assert redact(LONG[3:15], [LONG[:19]]) == LONG[3:15]  # not of a secret of fewer than 20 characters


@pytest.mark.parametrize(
    "base64_like", ["ab+cd/efgh+ijklmn+opqrs", "a b c d e f g h i j k l m n", "\\a\\b\\cdefghijklmnopqrs"]
)
def test_parts_with_characters_that_escapes_change_are_masked(base64_like: str) -> None:
    for start in range(len(base64_like) - 11):
        part = base64_like[start : start + 12]
        if len(part.replace(" ", "")) >= 8:
            assert MASK in redact(f"<{part}>", [base64_like]), part


@pytest.mark.parametrize(
    "between",
    [
        *("\n", "\r\n", "\t", "\x00", "\x1b", "\x9b", "\u200b", "\u200d", "\u2028", "\u202e", "\ufeff", "\u00ad"),
        *("\u0336", "\u3164", "\ufe0f", "\\n", "\\u200b", "\\x00", "%E2%80%8B", "%0a", "&#8203;", "&#x200B;", " "),
    ],
)
def test_characters_that_nobody_sees_hide_no_secret(between: str) -> None:
    assert redact(f"<{between.join(LONG)}>", [LONG]) == f"<{MASK}>"
    assert redact(f"<{LONG[:14]}{between}{LONG[14:]}>", [LONG]) == f"<{MASK}>"


@pytest.mark.parametrize("secret", [LONG, "eight678", "fifteen-letters"])
def test_a_secret_in_capitals_and_in_other_letters_is_masked(secret: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in secret)
    assert redact(f"{secret.upper()} {secret.swapcase()} {wide}", [secret]) == f"{MASK} {MASK} {MASK}"


@given(st.text(string.ascii_letters + string.digits + "+/=-_%&\\", min_size=20, max_size=60), st.data())
def test_no_part_of_a_long_secret_survives_however_it_is_spelled(secret: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(secret) - 12))
    part = secret[start : start + 12]
    spell = data.draw(
        st.sampled_from([str, str.upper, str.lower, "\u200b".join, "\n".join, quote, json.dumps, html.escape])
    )
    assert redact(f"<{spell(part)}>", [secret]) != f"<{spell(part)}>"


# Results


RESULT = {
    "changed": False,
    "failed": True,
    "msg": "Reading shop failed: HTTP 403",
    "instances": [{"id": "1101", "state": "notAuthorized", "action": "would_create", "token": None, "attempts": 1}],
    "error": {"code": "forbidden", "http_status": 403, "retryable": False},
    "summary": {"by_state": {"notAuthorized": 1}},
}


@pytest.mark.parametrize(
    "secret", ["failed", "changed", "notAuthorized", "would_create", "forbidden", "a", "1", "true"]
)
def test_masking_changes_no_key_and_no_word_of_a_result(secret: str) -> None:
    result = masked(RESULT, [secret, TOKEN])
    assert {**result, "msg": ""} == {**RESULT, "msg": ""}
    assert list(result) == list(RESULT)


def test_masking_changes_values_at_any_depth() -> None:
    value = {"a": [{"b": f"x{TOKEN}"}, TOKEN, 5, None], TOKEN: TOKEN}
    assert masked(value, [TOKEN]) == {"a": [{"b": f"x{MASK}"}, MASK, 5, None], TOKEN: MASK}


def test_a_result_without_a_secret_is_the_same() -> None:
    assert masked(RESULT, [TOKEN, "another-one"]) is RESULT
    assert masked(RESULT, []) is RESULT


def test_many_secrets_are_each_found() -> None:
    secrets = [f"{number:020x}{number:020x}" for number in range(7, 700_000, 1000)]
    value = [f"at {secret[5:20]}." for secret in secrets]
    assert masked(value, secrets) == [f"at {MASK}."] * len(secrets)


def test_every_literal_of_the_core_is_a_word_of_results() -> None:
    literals = {
        f"{path.stem}.{name}": value
        for path in (ROOT / "plugins" / "module_utils").glob("_*/*.py")
        for name, value in vars(
            importlib.import_module(f"{masking.__name__.rpartition('._common')[0]}.{path.parent.name}.{path.stem}")
        ).items()
        if get_origin(value) is Literal
    }
    assert len(literals) > 10
    assert {name: word for name, value in literals.items() for word in get_args(value) if word not in WORDS} == {}


@pytest.mark.parametrize("words", [STATES, PHONE_STATUSES, PROVIDERS])
def test_every_word_of_a_table_is_a_word_of_results(words: Mapping[str, object]) -> None:
    assert words.keys() <= WORDS


@pytest.mark.parametrize(
    ("url", "passwords"),
    [
        ("postgresql://fleet:s%2Fcret@db.example.com/fleet", {"s%2Fcret", "s/cret"}),
        ("postgresql://fleet:s/c@r:e#t@db.example.com/fleet", {"s/c@r:e#t"}),
        ("postgres://:secret@/fleet", {"secret"}),
        ("postgresql:///fleet?user=fleet&password=s%26cret&sslpassword=other", {"s%26cret", "s&cret", "other"}),
        ("HTTPS://user:secret@[::1]:8443/", {"secret"}),
        (" PostgreSQL://fleet: secret@db.example.com/fleet\n", {" secret"}),
        ("postgresql://fleet@corp:se@cret@db.example.com/fleet", {"se@cret"}),
        ("postgresql://fleet:se?cr#et/@db.example.com/fleet", {"se?cr#et/"}),
        ("postgresql+psycopg://fleet:secret@db.example.com/fleet", {"secret"}),
        ("postgresql:/fleet:secret@db.example.com/fleet", {"secret"}),
        ("postgresql:///fleet?password=se&cret&user=fleet", {"se&cret"}),
        ("host=db.example.com user=fleet password=secret dbname=fleet", {"secret"}),
        ("host=db.example.com PASSWORD = 'a se\\'cret' dbname=fleet", {"a se\\'cret", "a se'cret"}),
        ("password='never closed", {"never closed"}),
        ("a password, and nothing else", set()),
        ("https://user@api.example.com/", set()),
        ("https://api.example.com:8443/path", set()),
        ("~/.msgops/journal.sqlite3", set()),
        ("a name: with an @ in it", set()),
    ],
)
def test_a_password_in_a_url_is_a_secret(url: str, passwords: set[str]) -> None:
    assert passwords_in(url) == passwords


def test_a_short_value_is_not_registered_with_ansible(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr(masking, "_register_secret", registered.append)
    assert not masking.register_secret("1234567")
    assert masking.register_secret("12345678")
    assert masking.register_secret("123456789")
    assert registered == ["12345678", "123456789"]


def test_nothing_is_registered_where_ansible_cannot_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_register_secret", None)
    assert not masking.can_register_secrets()
    assert not masking.register_secret("a-long-secret")


# Names


def options_in(spec: Mapping[str, Any], parent: str = "") -> Iterator[tuple[str, bool]]:
    """Yield each option, at any depth, and whether it has no_log; ``partner_tokens.green_api`` is a
    ``partner_token``.
    """
    for name, option in spec.items():
        yield parent[:-1] if name in PROVIDERS else name, option.get("no_log", False)
        yield from options_in(option.get("options") or {}, name)


@pytest.mark.parametrize("module", sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py")))
def test_an_option_has_no_log_if_its_name_is_that_of_a_secret(module: str) -> None:
    arguments = importlib.import_module(f"ansible_collections.msgops.fleet.plugins.modules.{module}").ARGUMENTS
    for name, no_log in options_in(arguments.options):
        assert no_log is masking.is_secret_name(name), name


@pytest.mark.parametrize("name", ["PLUGZAPI_PARTNER_TOKEN", "webhookUrlToken", "iam_password", "KOOPHONE_SECRET_KEY"])
def test_names_of_secrets_are_recognized_in_any_case(name: str) -> None:
    assert masking.is_secret_name(name)


@pytest.mark.parametrize("name", ["name", "access_key", "include_tokens", "iam_user"])
def test_other_names_are_not_those_of_secrets(name: str) -> None:
    assert not masking.is_secret_name(name)
