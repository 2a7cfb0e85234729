# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that a page of another web site makes its reader's browser send."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from .messages import Call


def refusal_of_other_sites(call: Call) -> str | None:
    """Return why the control API refuses a request of another site's page; None for any other request.

    Any web page can send requests to a loopback address. A browser adds the page's site as Origin. If the site's own
    name leads to the loopback address (DNS rebinding), the browser takes its page for the emulator's own, but Host
    then has a name that somebody could register.
    """
    host, origin = call.headers.get("Host", ""), call.headers.get("Origin")
    if not _is_local(host):
        return f"Host: {host} is neither an address nor a local name; open the emulator by its address"
    if origin is not None and origin.lower().partition("://")[2] != host.lower():
        return f"Origin: {origin} is another site; only the emulator's own page may control it"
    return None


def _is_local(host: str) -> bool:
    """Return whether a Host header has an address, or a name that nobody can register: ``localhost``, ``emulator``."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
        return "." not in name or name.endswith(".localhost") or bool(ipaddress.ip_address(name))
    except ValueError:
        return False
