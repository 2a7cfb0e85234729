# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules for Huawei Cloud KooPhone."""

from __future__ import annotations


class ModuleDocFragment:
    """Where the API is, and who asks."""

    DOCUMENTATION = r"""
options:
  endpoint:
    description:
      - The address of the KooPhone API. Must be C(https), or C(http) to a loopback address.
      - If not set, the environment variable E(KOOPHONE_ENDPOINT) is used.
    type: str
    default: https://koophone.myhuaweicloud.com
  auth_token:
    description:
      - A project-level token of Huawei Cloud IAM, sent as C(X-Auth-Token). It lives for 24 hours.
      - If not set, the environment variable E(KOOPHONE_AUTH_TOKEN) is used.
    type: str
"""
