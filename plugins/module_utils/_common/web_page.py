# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the HTML pages that the collection writes have in common: escaping, and a security policy."""

from __future__ import annotations

import base64
import hashlib
import html

from .texts import one_line


def html_text(text: str) -> str:
    """Return ``text`` escaped for HTML, as one printable line."""
    return html.escape(one_line(text))


def security_policy(*, style: str, script: str = "", images: str = "") -> str:
    """Return a Content Security Policy by which a page loads nothing, and uses this style and this script only.

    It names both by their SHA-256, so that a browser ignores any other script, style or style attribute. ``images`` is
    where images may come from, such as ``data:``.
    """
    directives = ["default-src 'none'", "base-uri 'none'", "form-action 'none'", f"style-src {_source(style)}"]
    if script:
        directives.append(f"script-src {_source(script)}")
    if images:
        directives.append(f"img-src {images}")
    return "; ".join(directives)


def _source(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
