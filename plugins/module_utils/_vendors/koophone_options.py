# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KooPhone's options, the environment variables that stand in for them, and the authentication that they choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._common.environment import read_variable
from .._common.errors import UsageError
from .._http.transport import TransportOptions, transport_to
from .gateway import OptionSpec
from .koophone_auth import AccessKey, Authentication, GivenToken, IamUser

# The ways to authenticate, each with the options that it needs. An option of the task overrides the environment as a
# whole: with access_key in the task, KOOPHONE_AUTH_TOKEN is ignored.
WAYS: dict[str, tuple[str, ...]] = {
    "auth_token": ("auth_token",),
    "iam_user": ("iam_user", "iam_password", "iam_domain", "project_name"),
    "access_key": ("access_key", "secret_key"),
}
SECRETS = ("auth_token", "iam_password", "secret_key")

OPTIONS: dict[str, OptionSpec] = {
    "endpoint": {"type": "str", "default": "https://koophone.myhuaweicloud.com"},
    "iam_endpoint": {"type": "str", "default": "https://iam.myhuaweicloud.com"},
    **{option: {"type": "str", "no_log": option in SECRETS} for options in WAYS.values() for option in options},
}


def environment_variable(option: str) -> str:
    """The environment variable that is used for an option of KooPhone that isn't set."""
    return f"KOOPHONE_{option.upper()}"


def make_authentication(params: Mapping[str, Any], options: TransportOptions, secrets: set[str]) -> Authentication:
    """The authentication that the task's options choose, else the environment.

    Adds the secret values to ``secrets``, because Ansible doesn't know those of the environment.

    :raises UsageError: if neither chooses one, or if an option of the chosen one is missing.
    """
    way = next((way for way in WAYS if params.get(way)), None) or next(
        (way for way in WAYS if read_variable(environment_variable(way))), None
    )
    if way is None:
        ways = ", or ".join(" and ".join(options) for options in WAYS.values())
        raise UsageError(f"the task needs {ways} (or their variables, such as {environment_variable('auth_token')})")
    values: dict[str, str] = {}
    for option in WAYS[way]:
        value = params.get(option) or read_variable(environment_variable(option))
        if not value:
            raise UsageError(f"{way} needs {option} as well (or the variable {environment_variable(option)})")
        if option in SECRETS:
            secrets.add(value)
        values[option] = value
    if way == "auth_token":
        return GivenToken(values["auth_token"])
    if way == "access_key":
        return AccessKey(values["access_key"], values["secret_key"])
    iam = transport_to(params["iam_endpoint"], options, url_option="iam_endpoint")
    return IamUser(iam, values["iam_user"], values["iam_password"], values["iam_domain"], values["project_name"])
