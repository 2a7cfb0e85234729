# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in all the forms in which playbooks get them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.msgops.fleet.plugins.filter.names import FilterModule

names = FilterModule().filters()["names"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (["corner", " market "], ["corner", "market"]),
        ("corner\r\n market \r\n\r\n", ["corner", "market"]),
        ("corner, market,", ["corner", "market"]),
        ('["corner", "a, b"]', ["corner", "a, b"]),
        ("- corner\n- market\n", ["corner", "market"]),
        ("[corner, 7]", ["corner", "7"]),
        ("- 7\n- 8\n- -7\n", ["7", "8", "-7"]),
        (None, []),
        (" \n", []),
        ([], []),
    ],
)
def test_every_form_is_a_list(value: Any, found: list[str]) -> None:
    assert names(value) == found


@pytest.mark.parametrize(
    "value", [True, 1.5, {"name": "corner"}, ["corner", None], ["corner", 8], [""], [True], "{a: b}", '[["a"]]']
)
def test_what_is_no_list_of_names_is_an_error(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="fleet_names must be a list of names"):
        names(value, "fleet_names")


@pytest.mark.parametrize(
    "value", ["[010]", "- 0x1F\n", "[1:2:3]", "[1_000]", "[8, 010]", "- +8", "[!!int '']", "[true]"]
)
def test_what_yaml_reads_as_another_name_is_an_error(value: str) -> None:
    with pytest.raises(AnsibleFilterError, match="quote names"):
        names(value)
