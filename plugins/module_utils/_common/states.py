# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States of instances at all gateways, in GREEN-API's vocabulary, with the health and the remedy of each.

Source: https://green-api.com/en/docs/api/account/GetStateInstance/. Since 2026-07-30, ``suspended`` is the word for
what ``yellowCard`` was: https://green-api.com/en/docs/release/5.44.37.12/. The vendor has added states over time, so a
state that isn't here becomes ``unknown``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

Health = Literal["ready", "transient", "action_required", "degraded", "failed", "unknown"]

AUTHORIZED = "authorized"
NOT_AUTHORIZED = "notAuthorized"
CREATING = "creating"
STARTING = "starting"
YELLOW_CARD = "yellowCard"
SUSPENDED = "suspended"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class StateMeaning:
    """How healthy an instance in a state is, and what its operator does about it."""

    health: Health
    remedy: str


STATES: dict[str, StateMeaning] = {
    AUTHORIZED: StateMeaning("ready", "nothing to do"),
    CREATING: StateMeaning("transient", "wait up to 5 minutes: the gateway is still creating it"),
    STARTING: StateMeaning(
        "transient", "wait up to 5 minutes; if it stays, reboot it with instance_reboot, then ask the gateway's support"
    ),
    "sleepMode": StateMeaning("transient", "switch the phone on and wait up to 5 minutes"),
    NOT_AUTHORIZED: StateMeaning(
        "action_required", "link a phone: instance_link, provision_link and the gateway's console show its code"
    ),
    YELLOW_CARD: StateMeaning(
        "degraded", "reboot the instance with instance_reboot; the state returns while WhatsApp's restriction lasts"
    ),
    SUSPENDED: StateMeaning(
        "degraded", "wait until WhatsApp's restriction ends; instance_reboot clears the state, which returns until then"
    ),
    "blocked": StateMeaning("failed", "the account is banned: appeal in WhatsApp or use another number"),
    UNKNOWN: StateMeaning("unknown", "look the vendor's word up in its documentation (see vendor_state)"),
}


def normalize(vendor_state: str) -> str:
    """Return a state of GREEN-API as it is if this vocabulary has it, else ``unknown``."""
    return sys.intern(vendor_state) if vendor_state in STATES else UNKNOWN


def health_for(state: str | None) -> Health:
    """Return the health of ``state``; that of ``None`` (the instance could not be read) is ``unknown``."""
    return STATES[state or UNKNOWN].health


def remedy_for(state: str | None) -> str:
    """Return what the operator does about ``state``."""
    return STATES[state or UNKNOWN].remedy
