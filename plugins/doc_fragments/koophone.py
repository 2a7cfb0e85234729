# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules for Huawei Cloud KooPhone."""

from __future__ import annotations


class ModuleDocFragment:
    """The address of the API, and the ways to authenticate."""

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
      - One of O(auth_token), O(iam_user) and O(access_key) is needed. If the task sets one, the variables of the others
        are ignored.
      - If none of them is set, the environment variable E(KOOPHONE_AUTH_TOKEN) is used.
    type: str
  iam_endpoint:
    description:
      - The address of Huawei Cloud IAM, which issues the tokens for O(iam_user).
      - If not set, the environment variable E(KOOPHONE_IAM_ENDPOINT) is used.
    type: str
    default: https://iam.myhuaweicloud.com
  iam_user:
    description:
      - The name of an IAM user. The module gets a token for this user, and renews it before it expires. (A HUAWEI ID
        account can't get tokens.)
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
      - The ID of an access key. The module signs each request with it (SDK-HMAC-SHA256). It doesn't expire.
      - Needs O(secret_key).
      - If not set, the environment variable E(KOOPHONE_ACCESS_KEY) is used.
    type: str
  secret_key:
    description:
      - The secret of O(access_key). It is never sent.
      - If not set, the environment variable E(KOOPHONE_SECRET_KEY) is used.
    type: str
"""
