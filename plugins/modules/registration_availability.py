# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: registration_availability
short_description: Ask whether a number may be registered at WhatsApp
version_added: 0.1.0
description:
  - Asks PlugzAPI whether a number may be registered on a mobile instance, and how its code can be requested.
  - The call also sets up the number's onboarding at WhatsApp, and must precede the request for a registration code. So
    it counts as a change, takes one number, and is not made in check mode. A request that may have reached PlugzAPI is
    never repeated.
  - V(true) for RV(available) is no guarantee. Some bans only show when the code is requested.
  - A mobile instance becomes the number's primary device. Registering it there unlinks it from the physical phone.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway.instance
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode, no request is made. The result is C(changed), and each field is null.
  diff_mode:
    support: full
    details:
      - Shows that the number's onboarding is set up.
  idempotent:
    support: none
    details:
      - Each call sets up the onboarding again.
  action_group:
    support: full
    membership:
      - msgops.fleet.plugzapi
      - msgops.fleet.all
options:
  provider:
    description:
      - The gateway. Only this one registers numbers. The option exists so that C(module_defaults) can set it.
    type: str
    choices: [plugzapi]
    default: plugzapi
  api_url:
    description:
      - The base address of PlugzAPI. Must be C(https), or C(http) to a loopback address.
      - If not set, the environment variable E(PLUGZAPI_URL) is used, else V(https://api.plugzapi.com.br).
    type: str
  ddi:
    description: The country code, digits only.
    type: str
    required: true
  phone:
    description: The number without its country code, digits only.
    type: str
    required: true
seealso:
  - name: PlugzAPI, checking the availability of a registration
    description: The call that is used (in Portuguese).
    link: https://atendimento.tecnospeed.com.br/hc/pt-br/articles/27706832301079-Verificar-disponibilidade-de-registro
"""

EXAMPLES = r"""
- name: Ask whether a number may be registered
  msgops.fleet.registration_availability:
    instance_id: "{{ mobile_instance_id }}"
    instance_token: "{{ mobile_instance_token }}"
    client_token: "{{ account_security_token }}"
    ddi: "55"
    phone: "4499999999"
  no_log: true
  register: number

- name: Stop if it is banned
  ansible.builtin.assert:
    that: number.available
    fail_msg: The number can't be registered
"""

RETURN = r"""
available:
  description: Whether the number may be registered. Null in check mode.
  returned: success
  type: bool
blocked:
  description: Whether the number is banned or blocked for another reason.
  returned: success
  type: bool
appeal_token:
  description:
    - The token for an appeal against the ban, a secret. Running the module again returns it again.
    - Null, with a warning, where Ansible would print it, that is without C(no_log=true) and before ansible-core 2.22.
  returned: success
  type: str
sms_wait_seconds:
  description: Seconds to wait before a code can be requested by SMS.
  returned: success
  type: float
  sample: 0
voice_wait_seconds:
  description: Seconds to wait before a code can be requested by a call.
  returned: success
  type: float
  sample: 0
wa_old_wait_seconds:
  description:
    - Seconds to wait before a code can be requested as a pop-up in the WhatsApp application.
    - Don't use it without access to the phone that the number is linked to now.
  returned: success
  type: float
  sample: 0
wa_old_eligible:
  description: Whether the pop-up is possible.
  returned: success
  type: bool
reason:
  description: Why it failed, in the vendor's words.
  returned: success
  type: str
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, where one request is to blame
  type: dict
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    INSTANCE,
    TRANSPORT,
    ArgumentSpec,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._task.registration import PhoneNumber, check_availability
from ansible_collections.msgops.fleet.plugins.module_utils._task.targets import single_target
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.plugzapi import Plugzapi
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache

ARGUMENTS = TRANSPORT.merge(
    INSTANCE,
    ArgumentSpec(
        {
            "provider": {"type": "str", "choices": [Plugzapi.provider], "default": Plugzapi.provider},
            "api_url": {"type": "str"},
            "ddi": {"type": "str", "required": True},
            "phone": {"type": "str", "required": True},
        }
    ),
)


def run(task: TaskContext) -> dict[str, Any]:
    """Ask for the one number, unless in check mode."""
    number = PhoneNumber(task.params["ddi"], task.params["phone"])
    options = transport_options(task.params, check_mode=task.check_mode)
    target = single_target(task.params, GatewayCache(options), task.resolver)
    return check_availability(task, target, number)


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
