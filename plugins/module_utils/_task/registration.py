# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a number may be registered: one request, which also sets up the number's onboarding at WhatsApp."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from .._common.errors import UsageError
from .._fleet.observation import Target
from .._vendors.plugzapi import Plugzapi
from .._vendors.plugzapi_responses import Availability
from .entrypoint import TaskContext


@dataclass(frozen=True)
class PhoneNumber:
    """A telephone number: the country code ``ddi``, and the rest. Both are ASCII digits.

    :raises UsageError: if they aren't.
    """

    ddi: str
    phone: str

    def __post_init__(self) -> None:
        for option in ("ddi", "phone"):
            value = getattr(self, option)
            if not (value.isascii() and value.isdecimal()):
                raise UsageError(f"{option} must hold digits only, without a plus sign, spaces or a mask")


def check_availability(task: TaskContext, target: Target, number: PhoneNumber) -> dict[str, Any]:
    """The module's result. It leaves the appeal token out, with a warning, where Ansible would print it.

    In check mode, it sends no request and leaves each field null.

    :raises FleetError: if the request fails.
    """
    what = f"{number.ddi} {number.phone}"
    diff = {
        "before": "",
        "after": f"the onboarding of {what} is set up at WhatsApp\n",
        "before_header": what,
        "after_header": what,
    }
    if task.check_mode:
        return {"changed": True, "diff": diff, **dataclasses.asdict(Availability())}
    if not isinstance(target.gateway, Plugzapi):
        raise TypeError("only PlugzAPI registers numbers")
    response = target.gateway.check_registration(target.credentials, number.ddi, number.phone)
    if response.appeal_token is not None and not task.output.may_return(response.appeal_token):
        response = dataclasses.replace(response, appeal_token=None)
        task.warnings.append(
            "the appeal token was withheld, because Ansible would print it: set no_log: true on this task and ask again"
        )
    return {"changed": True, "diff": diff, **dataclasses.asdict(response)}
