# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listing of an account as records of hosts."""

from __future__ import annotations

from ansible_collections.msgops.fleet.plugins.module_utils._common import states
from ansible_collections.msgops.fleet.plugins.module_utils._common.timestamps import utc_now
from ansible_collections.msgops.fleet.plugins.module_utils._task.listing import list_account
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Gateway, Instance
from ansible_collections.msgops.fleet.plugins.plugin_utils._hosts import Record


def list_records(gateway: Gateway, account: str, api_url: str) -> list[Record]:
    """A record of each instance in the account's listing.

    :raises FleetError: if the account can't be listed.
    """
    instances = list_account(gateway)
    observed_at = utc_now()
    return [_record(gateway.provider, account, api_url, instance, observed_at) for instance in instances]


def _record(provider: str, account: str, api_url: str, instance: Instance, listed_at: str) -> Record:
    reading = instance.reading
    return {
        "id": instance.id,
        "name": instance.name,
        "provider": provider,
        "account": account,
        "api_url": api_url,
        "state": reading.state if reading else None,
        "vendor_state": reading.vendor_state if reading else None,
        "health": states.health_for(reading.state) if reading else None,
        "authorized": reading.state == states.AUTHORIZED if reading else None,
        "plan": instance.plan,
        "payment_status": instance.payment_status,
        "created_at": instance.created_at,
        "due": instance.due,
        "trial_ends_at": instance.trial_ends_at,
        "expired": instance.expired,
        "deleted": instance.deleted,
        "observed_at": listed_at if reading else None,
        "error": None,
        "token": instance.token,
    }
