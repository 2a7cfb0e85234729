# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: instance_link
short_description: Link phones to WhatsApp gateway instances
version_added: 0.1.0
description:
  - Shows the QR code or the pairing code of each instance that isn't authorized. Replaces each code that has expired by
    the next one, until a phone is linked to the instance.
  - With O(dest), one page shows the codes of all instances that still wait for a phone. Open it and link one phone
    after the other.
  - Requests no code for an instance that is authorized already.
  - A code is a key to the account. The module requests one only if a person can see it. The code is in files of mode
    0600, on a terminal, or in the result of a task with C(no_log=true), but never in Ansible's output.
  - If an instance can't be linked, the others still are.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.gateway
  - msgops.fleet.gateway.instance
  - msgops.fleet.gateway.instances_to_link
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the module reads the states, and requests no code.
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
  method:
    description:
      - With V(qr), the phone scans a QR code, which holds for 20 seconds.
      - With V(code), a person types a pairing code in on the phone. It holds for two and a half minutes, and only for
        the number of O(phone).
    type: str
    choices: [qr, code]
    default: qr
  phone:
    description:
      - The number of the phone for O(method=code), with its country code, in digits alone.
    type: str
  dest:
    description:
      - A folder for the page C(index.html) and for a PNG of each QR code, named by gateway and ID. The page shows all
        codes and how long the task still waits. It reloads itself every 2 seconds.
      - The module creates it with mode 0700 if it doesn't exist. The files have mode 0600 and are replaced atomically.
        A PNG is removed when its phone is linked, and all of them when the task ends or is stopped by SIGINT, SIGTERM
        or SIGHUP. Two tasks at the same time need two folders.
    type: path
  terminal:
    description:
      - Draw the codes on the terminal where the play runs, one instance after the other. They aren't written to a log.
      - Needs the Python library segno. GREEN-API gives its QR codes only as images, which need O(dest).
      - Nothing is drawn if the output isn't a terminal, or the task doesn't run in the controller's process.
    type: bool
    default: false
  max_codes:
    description:
      - After how many unused codes an instance counts as V(pending). V(0) means no limit.
      - If not set, the limit is 3 for PlugzAPI, which recommends that a person asks for more, and none for GREEN-API.
    type: int
  wait_timeout:
    description:
      - Seconds to wait for the phones. After that the task fails and names the instances without a phone.
      - With V(0) the module requests one code for each instance, and the task ends at once. The files stay.
    type: float
    default: 300.0
  wait_interval:
    description:
      - Seconds between two readings of the state of the same instance, above 0. The gateway's rules decide how often
        the module requests codes.
      - GREEN-API allows one request a second for each instance.
    type: float
    default: 5.0
seealso:
  - module: msgops.fleet.instance_create
  - module: msgops.fleet.instance_state
  - name: GREEN-API QR
    description: The request for GREEN-API's QR codes.
    link: https://green-api.com/en/docs/api/account/QR/
  - name: GREEN-API GetAuthorizationCode
    description: The request for GREEN-API's pairing codes.
    link: https://green-api.com/en/docs/api/account/GetAuthorizationCode/
  - name: Z-API QR code
    description: The requests for the codes of PlugzAPI, a white label of Z-API.
    link: https://developer.z-api.io/en/instance/qrcode
"""

EXAMPLES = r"""
- name: Link the phones of a fleet
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

- name: Get a pairing code to send to the owner of the phone, without waiting
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
      description: The state, as M(msgops.fleet.instance_state) returns it. Null if the instance could not be read.
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
        - The code, a secret, if it can still be used, which needs O(wait_timeout=0). For a QR code, its contents, if
          the gateway gives them as text.
        - Null if Ansible would print it, that is without C(no_log=true) and before ansible-core 2.22.
      type: str
    file:
      description: The PNG of the QR code, if it still exists, which needs O(wait_timeout=0), or null.
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
          description: Whether a later attempt may succeed.
          type: bool
summary:
  description: The number of instances, of authorized ones, and of instances by action.
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
  returned: on failure, if a single instance caused it
  type: dict
"""

from collections.abc import Mapping
from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible.module_utils.basic import missing_required_lib
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import WaitPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._linking.display import CodeDisplay
from ansible_collections.msgops.fleet.plugins.module_utils._linking.linker import Linker
from ansible_collections.msgops.fleet.plugins.module_utils._linking.progress import LinkRequest
from ansible_collections.msgops.fleet.plugins.module_utils._linking.qr import SEGNO_IMPORT_ERROR
from ansible_collections.msgops.fleet.plugins.module_utils._linking.timing import DEFAULT_TIMING, LinkTiming
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


def run(task: TaskContext, timing: LinkTiming = DEFAULT_TIMING) -> dict[str, Any]:
    """Show codes until a phone is linked to each instance; in check mode, predict which instances need one."""
    params = task.params
    waiting = WaitPolicy(params["wait_timeout"], params["wait_interval"])
    if params["terminal"] and SEGNO_IMPORT_ERROR:
        raise UsageError(missing_required_lib("segno", reason="for terminal"))
    options = transport_options(params, check_mode=task.check_mode)
    requests = link_requests(params, GatewayCache(options), task.resolver)
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
        timing=timing,
    )
    return linker.predict(requests) if task.check_mode else linker.link(requests)


def link_requests(params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver) -> list[LinkRequest]:
    """The instances to link, with the numbers of their phones.

    :raises UsageError: if an instance is named twice, or has no usable number for a pairing code.
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
