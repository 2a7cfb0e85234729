# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The times of linking."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LinkTiming:
    """In seconds.

    ``step`` is the pause between two steps of an instance. A gateway that gives no code is asked again after
    ``retry_after_refusal`` at the latest, and has failed after ``no_code_timeout``. The page is written at most every
    ``page_interval`` and at least every ``page_heartbeat``; it warns its reader when it is older than ``page_stale``.
    """

    step: float = 1.0
    retry_after_refusal: float = 15.0
    no_code_timeout: float = 20.0
    page_interval: float = 0.5
    page_heartbeat: float = 5.0
    page_stale: float = 30.0


DEFAULT_TIMING = LinkTiming()
