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
      - One of O(auth_token), O(iam_user) and O(access_key) is needed. What the task gives goes before the environment.
      - If none of them is set, the environment variable E(KOOPHONE_AUTH_TOKEN) is used.
    type: str
  iam_endpoint:
    description:
      - The address of Huawei Cloud IAM, which O(iam_user) gets its tokens from.
      - If not set, the environment variable E(KOOPHONE_IAM_ENDPOINT) is used.
    type: str
    default: https://iam.myhuaweicloud.com
  iam_user:
    description:
      - The name of an IAM user. The module gets a token for the task itself, and renews it before it expires. (A HUAWEI
        ID account can't get tokens.)
      - Needs O(iam_password), O(iam_domain) and O(project_name).
      - If not set, the environment variable E(KOOPHONE_IAM_USER) is used.
    type: str
  iam_password:
    description:
      - The password of O(iam_user).
      - If not set, the environment variable E(KOOPHONE_IAM_PASSWORD) is used.
    type: str
  iam_domain:
    description:
      - The name of the account that O(iam_user) belongs to.
      - If not set, the environment variable E(KOOPHONE_IAM_DOMAIN) is used.
    type: str
  project_name:
    description:
      - The name of the project, usually the region, such as V(cn-south-1).
      - If not set, the environment variable E(KOOPHONE_PROJECT_NAME) is used.
    type: str
  access_key:
    description:
      - The ID of an access key. Each request is signed with it (SDK-HMAC-SHA256); nothing expires.
      - Needs O(secret_key).
      - If not set, the environment variable E(KOOPHONE_ACCESS_KEY) is used.
    type: str
  secret_key:
    description:
      - The secret of O(access_key). It never leaves this machine.
      - If not set, the environment variable E(KOOPHONE_SECRET_KEY) is used.
    type: str
"""
