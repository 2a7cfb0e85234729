# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: instance_link
short_description: Link phones to WhatsApp gateway instances
version_added: 0.1.0
description:
  - Shows a person the QR code or the pairing code of each instance that isn't authorized, for as long as it holds and
    then the next one, until a phone is linked to it.
  - With O(dest), one page shows the codes of all instances that still wait for a phone. Open it and link one phone
    after the other.
  - An instance that is authorized already is left alone, and no code is asked for.
  - A code is a key to the account. It is only asked for where somebody gets to see it, and it is in files of mode 0600,
    on that terminal, or in the result of a task with C(no_log=true), but never in any output.
  - An instance that can't be linked doesn't keep the others from being linked.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway
  - msgops.fleet.gateway.instance
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the states are really read, and no code is asked for.
  diff_mode:
    support: full
    details:
      - Shows the states of the instances.
  idempotent:
    support: full
  action_group:
    support: full
    membership:
      - msgops.fleet.green_api
      - msgops.fleet.plugzapi
      - msgops.fleet.all
requirements:
  - segno, for O(terminal) only
options:
  instances:
    description:
      - Instances that exist, instead of a single one.
      - What an item leaves out comes from the module's own options.
    type: list
    elements: dict
    suboptions:
      id:
        description: The instance's ID.
        type: str
        required: true
      token:
        description: The instance's token. Without it, O(instance_token) is used.
        type: str
      name:
        description: A name for messages, results and the page.
        type: str
      provider:
        description: The gateway. Without it, O(provider) is used.
        type: str
        choices: [green_api, plugzapi]
      api_url:
        description: The base address of the gateway's API. Without it, O(api_url) is used.
        type: str
      client_token:
        description: PlugzAPI's account security token. Without it, O(client_token) is used.
        type: str
      phone:
        description: The number for O(method=code). Without it, O(phone) is used.
        type: str
  method:
    description:
      - With V(qr), the phone scans a QR code, which holds for 20 seconds.
      - With V(code), a code is typed in on the phone, which holds for two and a half minutes. The number of the phone
        must be known.
    type: str
    choices: [qr, code]
    default: qr
  phone:
    description:
      - The number of the phone for O(method=code), with the country's, in digits alone.
    type: str
  dest:
    description:
      - A folder for the page C(index.html), which shows all codes and reads itself again every 2 seconds, and for one
        PNG for each QR code, named by gateway and ID.
      - It is made with mode 0700 if it isn't there. The files have mode 0600 and are replaced atomically; a PNG is
        removed when its phone is linked, and all of them when the task ends. Two tasks at the same time need two
        folders.
    type: path
  terminal:
    description:
      - Draw the codes on the terminal of whoever watches the play, one instance after the other. They aren't written to
        a log.
      - Needs the Python library segno. GREEN-API gives its QR codes as pictures only, which need O(dest).
      - It draws nothing where the output isn't a terminal, or the task doesn't run in the controller's process.
    type: bool
    default: false
  max_codes:
    description:
      - After how many unused codes to give an instance up. V(0) means never.
      - If not set, it is 3 for PlugzAPI, which wants a person to ask for more then, and never for GREEN-API.
    type: int
  wait_timeout:
    description:
      - Seconds to wait for the phones. After that the task fails and names who has none yet.
      - With V(0) each instance is asked for one code, and the task ends at once. The files stay.
    type: float
    default: 300.0
  wait_interval:
    description:
      - Seconds between two readings of the state of the same instance, above 0. How often codes are asked for is up to
        the gateway.
      - GREEN-API allows one request a second for each instance.
    type: float
    default: 5.0
seealso:
  - module: msgops.fleet.instance_create
  - module: msgops.fleet.instance_state
  - name: GREEN-API QR
    description: The call that is used for GREEN-API's QR codes.
    link: https://green-api.com/en/docs/api/account/QR/
  - name: GREEN-API GetAuthorizationCode
    description: The call that is used for GREEN-API's pairing codes.
    link: https://green-api.com/en/docs/api/account/GetAuthorizationCode/
  - name: Z-API QR code
    description: The calls that are used for PlugzAPI, a white label of Z-API.
    link: https://developer.z-api.io/en/instance/qrcode
"""

EXAMPLES = r"""
- name: Link the phones of a fleet in one sitting
  msgops.fleet.instance_link:
    instances: "{{ fleet }}"
    dest: ~/link
    wait_timeout: 900
    max_codes: 0

- name: Link one phone by its number
  msgops.fleet.instance_link:
    provider: green_api
    instance_id: "1101000001"
    instance_token: "{{ shop_token }}"
    method: code
    phone: "4915112345678"
    dest: ~/link

- name: Get a pairing code to send to somebody, without waiting
  msgops.fleet.instance_link:
    provider: green_api
    instance_id: "1101000001"
    instance_token: "{{ shop_token }}"
    method: code
    phone: "4915112345678"
    wait_timeout: 0
  no_log: true
  register: shop
"""

RETURN = r"""
instances:
  description: The instances, in the order asked.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    id:
      description: The instance's ID.
      type: str
      sample: "1101000001"
    name:
      description: The name that the task gave it, or null.
      type: str
      sample: shop
    provider:
      description: The gateway.
      type: str
      sample: green_api
    state:
      description: The state, as M(msgops.fleet.instance_state) has it. Null if the instance could not be read.
      type: str
      sample: authorized
    authorized:
      description: Whether the state is V(authorized).
      type: bool
    action:
      description:
        - V(linked), V(already_authorized), V(pending) (it still waits for a phone), V(would_link) (in check mode), or
          V(failed) (it can't be linked as it is).
      type: str
      sample: linked
    code:
      description:
        - The code, a secret, if it can still be used, which takes O(wait_timeout=0). Of a QR code, what it says, where
          the gateway tells.
        - Null where Ansible would print it, that is without C(no_log=true) and before ansible-core 2.22.
      type: str
    file:
      description: The PNG of the QR code, if it is still there, which takes O(wait_timeout=0), or null.
      type: str
    error:
      description: Why it wasn't linked, or null.
      type: dict
      contains:
        code:
          description: The kind of failure, such as V(timeout) or V(unauthorized).
          type: str
        message:
          description: What failed, why, and what to do.
          type: str
        retryable:
          description: Whether the same may succeed later.
          type: bool
summary:
  description: How many instances there are, how many are authorized, and what became of how many.
  returned: always, unless the options are wrong
  type: dict
  sample:
    total: 2
    authorized: 1
    by_action:
      linked: 1
      pending: 1
page:
  description: The page that shows the codes, or null.
  returned: always, unless the options are wrong
  type: str
  sample: /home/user/link/index.html
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure, where one instance is to blame
  type: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._linking.linker import (
    CodeDisplay,
    Linker,
    LinkRequest,
    WaitPolicy,
)
from ansible_collections.msgops.fleet.plugins.module_utils._linking.qr import SEGNO_IMPORT_ERROR
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    GATEWAY,
    INSTANCE,
    TRANSPORT,
    WAITING,
    ArgumentSpec,
    OptionResolver,
    many_instances,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._task.targets import refuse_duplicates, resolve_targets
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache

ARGUMENTS = TRANSPORT.merge(
    GATEWAY,
    INSTANCE,
    WAITING,
    many_instances(phone={"type": "str"}),
    ArgumentSpec(
        {
            "method": {"type": "str", "choices": ["qr", "code"], "default": "qr"},
            "phone": {"type": "str"},
            "dest": {"type": "path"},
            "terminal": {"type": "bool", "default": False},
            "max_codes": {"type": "int"},
        }
    ),
)


def run(task: TaskContext) -> dict[str, Any]:
    """Show codes until all are linked, or say who would need one."""
    params = task.params
    waiting = WaitPolicy(params["wait_timeout"], params["wait_interval"])
    if params["terminal"] and SEGNO_IMPORT_ERROR:
        raise UsageError(missing_required_lib("segno", reason="for terminal"))
    options = transport_options(params, check_mode=task.check_mode)
    requests = link_requests(params, GatewayCache(options), OptionResolver(params, task.secrets))
    linker = Linker(
        params["method"],
        CodeDisplay(
            folder=params["dest"],
            draw=task.draw if params["terminal"] else None,
            output=task.output,
        ),
        waiting,
        max_codes=params["max_codes"],
        concurrency=options.concurrency,
        progress=task.progress,
    )
    return linker.predict(requests) if task.check_mode else linker.link(requests)


def link_requests(params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver) -> list[LinkRequest]:
    """The instances to link, as ``resolve_targets`` has them, with the numbers of their phones.

    :raises UsageError: for one that is named twice, or has no number that a pairing code could be for.
    """
    targets = resolve_targets(params, gateways, resolver)
    refuse_duplicates(targets)
    items = [params] if params["instances"] is None else params["instances"]
    phones = [item["phone"] or params["phone"] for item in items]
    for target, phone in zip(targets, phones, strict=True):
        if params["method"] == "code" and not (phone and phone.isascii() and phone.isdecimal()):
            raise UsageError(
                f"{target.label} needs phone for method: code, the number with the country's, in digits alone"
            )
    return [LinkRequest(target, phone) for target, phone in zip(targets, phones, strict=True)]


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
