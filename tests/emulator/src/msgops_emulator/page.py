# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator's web page: instances and phones with their states, faults and requests, without any token.

Its buttons send requests to the control API.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

from .accounts import GREEN_API, KOOPHONE, PLUGZAPI
from .fault_kinds import KINDS
from .messages import Response, Route

if TYPE_CHECKING:
    from .application import Application

_SOURCE = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")

MAX_MEMBERS = 4000  # of a vendor
MAX_REQUESTS = 40
STATUS_NAMES = ("unknown", "stopped", "running", "offline", "starting", "shut down")


def page_response(routes: Iterable[Route]) -> Response:
    """Return the page; its security policy allows its own style and script only, and no other site may frame it."""
    page = _SOURCE
    for name, options in (
        ("statuses", [f'<option value="{status}">{name}</option>' for status, name in enumerate(STATUS_NAMES)]),
        ("routes", [f"<option>{escape(route)}</option>" for route in ("*", *(route.name for route in routes))]),
        ("faults", [f'<option title="{escape(kind.help)}">{name}</option>' for name, kind in KINDS.items()]),
    ):
        page = page.replace(f"<!-- {name} -->", "".join(options))
    policy = (
        f"default-src 'none'; style-src {_content_hash('style', page)}; script-src {_content_hash('script', page)}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = [("Content-Security-Policy", policy)]
    return Response(200, page.encode(), "text/html;charset=UTF-8", headers)


def _content_hash(tag: str, page: str) -> str:
    """Return the source by which a security policy allows the content of the page's only element of that name."""
    (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


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
            _group("GREEN-API", GREEN_API, gateways[GREEN_API]),
            _group("PlugzAPI", PLUGZAPI, gateways[PLUGZAPI]),
            _group("KooPhone", KOOPHONE, phones),
        ],
        "faults": [
            {key: fault[key] for key in ("id", "route", "fault", "count", "hits")}
            for fault in application.faults.describe()
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


def _group(title: str, provider: str, members: list[tuple[str, str, str]]) -> dict[str, Any]:
    return {
        "title": title,
        "provider": provider,
        "total": len(members),
        "counts": dict(Counter(state for _id, _name, state in members).most_common()),
        "members": members[:MAX_MEMBERS],
    }


def _status_name(status: int) -> str:
    return STATUS_NAMES[status] if 0 <= status < len(STATUS_NAMES) else str(status)
