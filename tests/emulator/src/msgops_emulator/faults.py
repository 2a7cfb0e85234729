# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""stub"""

from __future__ import annotations

from typing import Any


class Faults:
    def __init__(self, clock: Any, routes: Any) -> None:
        pass

    def reset(self) -> None:
        pass

    def describe(self) -> list[Any]:
        return []

    def arm(self, body: Any) -> Any:
        return {}

    def disarm(self, id: Any) -> int:
        return 0

    def release(self) -> int:
        return 0
