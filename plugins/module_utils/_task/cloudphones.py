# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KooPhone's options, and the client for the tenant that they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._http.transport import TransportOptions, transport_to
from .._vendors.koophone import MAX_PAGE_SIZE, Koophone
from .._vendors.koophone_options import OPTIONS, WAYS, environment_variable, make_authentication
from .arguments import ArgumentSpec, from_environment

# Only options with a default have a fallback here. The fallbacks of the ways to authenticate are up to
# ``make_authentication``: a token in the environment must not contradict an access key in the task.
KOOPHONE = ArgumentSpec(
    {
        name: {**option, **from_environment(environment_variable(name))} if "default" in option else option
        for name, option in OPTIONS.items()
    },
    mutually_exclusive=[tuple(WAYS)],
)


def make_koophone(params: Mapping[str, Any], options: TransportOptions, secrets: set[str]) -> Koophone:
    """The client for the tenant that the options or the environment name.

    Adds the secret values to ``secrets``, because Ansible doesn't know those of the environment.

    :raises UsageError: if neither has the credentials of a tenant, or an option is out of range.
    """
    transport = transport_to(params["endpoint"], options, url_option="endpoint")
    authentication = make_authentication(params, options, secrets)
    return Koophone(transport, authentication, page_size=params.get("page_size", MAX_PAGE_SIZE))
