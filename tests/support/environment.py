# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that checks remove from their environment, above all the credentials of real accounts."""

from __future__ import annotations

import re
from collections.abc import Mapping

_COLLECTION = re.compile("(ansible|controller|fleet|green_api|koophone|msgops|plugzapi|tower)_.*", re.IGNORECASE)
_CLIENT = re.compile("pg[a-z]+|netrc|.*_proxy|(requests|curl)_ca_bundle", re.IGNORECASE)


def is_of_the_collection(name: str) -> bool:
    """Whether a variable of the environment changes what the collection or Ansible does; credentials are among them."""
    return _COLLECTION.fullmatch(name) is not None


def is_foreign(name: str) -> bool:
    """Whether it changes that, or what a client of HTTP or PostgreSQL does."""
    return is_of_the_collection(name) or _CLIENT.fullmatch(name) is not None


def without_foreign_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without those variables."""
    return {name: value for name, value in environment.items() if not is_foreign(name)}
