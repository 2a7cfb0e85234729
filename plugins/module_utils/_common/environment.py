# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment variables in place of options. AWX sets a variable to a blank value if a survey question isn't
answered.
"""

from __future__ import annotations

import os

from .texts import stripped


def read_variable(name: str) -> str | None:
    """The variable's value without white space at its ends; ``None`` if the variable is blank or not set."""
    return stripped(os.environ.get(name, "")) or None
