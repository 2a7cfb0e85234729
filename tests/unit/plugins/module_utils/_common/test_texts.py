# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of messages."""

from __future__ import annotations

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.texts import (
    join_first,
    join_groups,
    sentence,
    shorten,
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a" * 300, "a" * 300),
        ("a" * 301, "a" * 297 + "..."),
        ("two\n lines\x00", "two lines"),
        ("\x1b[2Jshop\x9b\u2028\u202e\u2066\u200b\ufeff\ud800 1", "[2Jshop 1"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\U0001f468\u200d\U0001f469 क्\u200dष", "\U0001f468\u200d\U0001f469 क्\u200dष"),
        ("sh\u200dop \u200c", "sh op"),
        ("م\u200c\u200cخ", "م خ"),
    ],
)
def test_what_is_quoted_is_one_printable_line_of_300_characters_at_most(text: str, line: str) -> None:
    assert shorten(text) == line


def test_a_failure_is_a_sentence_with_a_remedy_if_there_is_one() -> None:
    assert sentence("reading a", "no answer", "raise timeout") == "Reading a failed: no answer; raise timeout"
    assert sentence("reading a", "no answer", "") == "Reading a failed: no answer"


@pytest.mark.parametrize(
    ("items", "joined"),
    [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b, and 1 more")],
)
def test_the_first_items_are_named_and_the_others_counted(items: list[str], joined: str) -> None:
    assert join_first(items, shown=2) == joined


def test_labels_are_grouped_and_the_largest_group_comes_first() -> None:
    pairs = [("b", "1"), ("a", "2"), ("a", "3"), ("c", "4"), ("a", "5")]
    assert join_groups(pairs, shown_groups=2, shown=2) == "a (3): 2, 3, and 1 more; b (1): 1; and 1 more"
    assert join_groups([]) == ""
