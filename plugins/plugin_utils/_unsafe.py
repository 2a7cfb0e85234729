# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks values from APIs as unsafe, so that Ansible doesn't evaluate templates in them."""

from __future__ import annotations

import functools
import re
from typing import Any

try:
    from ansible.template import trust_as_template  # since ansible-core 2.19, where strings are unsafe by default
except ImportError:
    from ansible.utils.unsafe_proxy import wrap_var

    def _plain(text: str) -> Any:
        return text

    def _unsafe(text: str) -> Any:
        return wrap_var(text)

else:

    def _plain(text: str) -> Any:
        return trust_as_template(text)

    def _unsafe(text: str) -> Any:
        return text


# Texts of these characters contain neither a template nor a call.
_WORDS = re.compile(r"[\w .:/@+-]*")


def untrusted(value: Any) -> Any:
    """Return ``value``, which consists of JSON's types, with each string that could be a template marked as unsafe.

    Other strings stay plain: ansible-inventory, which AWX uses, prints a marked string as an object, which no filter
    of hosts matches.
    """
    if isinstance(value, str):
        return _untrusted_text(value)
    if isinstance(value, list):
        return [untrusted(item) for item in value]
    if isinstance(value, dict):
        return {key: untrusted(item) for key, item in value.items()}
    return value


@functools.lru_cache(maxsize=1024)
def _untrusted_text(text: str) -> Any:
    return _plain(text) if _WORDS.fullmatch(text) else _unsafe(text)
