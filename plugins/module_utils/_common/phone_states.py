# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statuses of KooPhone's cloud phones, and what each of them means."""

from __future__ import annotations

from .states import StateMeaning

RUNNING = "running"
OTHER = "other"  # an integer that has no name here
MISSING = "missing"  # the response leaves the phone out

# https://support.huaweicloud.com/intl/en-us/api-koophone/instanceBatchQueryStatus.html : the introduction of the page's
# newest edition has these integers, its table others.
_NAMES = {0: "unknown", 1: "stopped", 2: RUNNING, 3: "offline", 4: "starting", 5: "shut_down"}

_START = "start the phone in the KooPhone console"

# KooPhone documents no remedies. These are what its console offers.
PHONE_STATUSES: dict[str, StateMeaning] = {
    "unknown": StateMeaning("unknown", "look the phone up in the KooPhone console"),
    "stopped": StateMeaning("action_required", _START),
    RUNNING: StateMeaning("ready", "nothing to do"),
    "offline": StateMeaning("degraded", "restart the phone in the KooPhone console"),
    "starting": StateMeaning("transient", "wait a few minutes"),
    "shut_down": StateMeaning("action_required", _START),
    OTHER: StateMeaning("unknown", "look the status up in KooPhone's documentation (see vendor_state)"),
    MISSING: StateMeaning("failed", "check the phone's ID and the tenant: KooPhone's answer leaves it out"),
}


def status_name(status: int) -> str:
    """The name of KooPhone's integer."""
    return _NAMES.get(status, OTHER)
