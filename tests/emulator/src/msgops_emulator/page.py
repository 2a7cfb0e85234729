# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator's web page: instances and phones with their states, faults and requests, without any token."""

from __future__ import annotations

from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING, Any

from .accounts import GREEN_API, PLUGZAPI

if TYPE_CHECKING:
    from .application import Application

PAGE = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")

MAX_MEMBERS = 4000  # of a vendor
MAX_REQUESTS = 40
STATUS_NAMES = ("unknown", "stopped", "running", "offline", "starting", "shut down")


def overview(application: Application) -> dict[str, Any]:
    """Return the data that the page shows; the caller holds the world's lock."""
    world = application.world
    now = world.clock.now()
    gateways = {
        provider: [(str(instance.id), instance.name, instance.state) for instance in world.instances(provider)]
        for provider in (GREEN_API, PLUGZAPI)
    }
    phones = [(phone.id, phone.name, _status_name(phone.advance_to(now))) for phone in world.phones.values()]
    return {
        "clock": world.clock.describe(),
        "groups": [
            _group("GREEN-API", gateways[GREEN_API]),
            _group("PlugzAPI", gateways[PLUGZAPI]),
            _group("KooPhone", phones),
        ],
        "faults": [
            {key: fault[key] for key in ("route", "fault", "count", "hits")} for fault in application.faults.describe()
        ],
        "requests": [
            {
                "seq": entry.seq,
                "age": now - entry.time,
                "method": entry.method,
                "route": entry.route,
                "writes": entry.writes,
                "status": entry.status,
                "fault": entry.fault,
            }
            for entry in application.log.latest(MAX_REQUESTS)
        ],
    }


def _group(title: str, members: list[tuple[str, str, str]]) -> dict[str, Any]:
    return {
        "title": title,
        "total": len(members),
        "counts": dict(Counter(state for _id, _name, state in members).most_common()),
        "members": members[:MAX_MEMBERS],
    }


def _status_name(status: int) -> str:
    return STATUS_NAMES[status] if 0 <= status < len(STATUS_NAMES) else str(status)
