# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules that can wait."""

from __future__ import annotations


class ModuleDocFragment:
    """How long to wait."""

    DOCUMENTATION = r"""
options:
  wait_timeout:
    description:
      - Seconds to wait for O(wait_for). Then the task fails, and names what is still in another state.
      - With V(0), everything is read once, and the task fails if something is in another state.
    type: float
    default: 300.0
  wait_interval:
    description:
      - Seconds between two readings of the same instance or phone, above 0.
      - GREEN-API allows one request a second for each instance.
    type: float
    default: 5.0
"""
