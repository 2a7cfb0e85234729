# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values from outside as variables that nobody can be harmed by: Ansible doesn't evaluate templates in them."""

from __future__ import annotations

import functools
import re
from typing import Any

try:
    from ansible.template import trust_as_template  # since ansible-core 2.19, where strings are unsafe by themselves
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


# Neither a template nor a call can be made of these characters.
_WORDS = re.compile(r"[\w .:/@+-]*")


def untrusted(value: Any) -> Any:
    """``value``, which is of JSON's types, with each string in it marked as unsafe that could be a template.

    Others stay plain: ansible-inventory, and so AWX, shows a marked string as an object that no filter matches.
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
