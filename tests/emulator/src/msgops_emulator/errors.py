# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why the control API refuses a request; the text of each error is its reason."""

from __future__ import annotations


class Invalid(ValueError):
    """The request is malformed, or has a value that is not allowed: 400."""


class Missing(ValueError):
    """The object that the request names does not exist: 404."""


class Conflict(ValueError):
    """The present state of the object does not allow the request: 409."""
