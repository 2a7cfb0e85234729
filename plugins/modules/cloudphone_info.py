# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: cloudphone_info
short_description: List the cloud phones of a Huawei Cloud KooPhone tenant
version_added: 0.1.0
description:
  - Lists all phones of a tenant, with the status of each.
  - It needs the permission C(koophone:cloudphoneResource:queryInstanceBatch), whose access level is Read, while
    M(msgops.fleet.cloudphone_status) needs one whose access level is Write.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.koophone
  - msgops.fleet.transport
  - msgops.fleet.attributes
  - msgops.fleet.attributes.reads_only
attributes:
  action_group:
    support: full
    membership:
      - msgops.fleet.koophone
      - msgops.fleet.all
options:
  page_size:
    description: The number of phones in one request, from 1 to 100. KooPhone's documentation states no limit.
    type: int
    default: 100
seealso:
  - module: msgops.fleet.cloudphone_status
  - plugin: msgops.fleet.cloudphones
    plugin_type: inventory
  - name: KooPhone, querying instances in batches
    description: The call that is used.
    link: https://support.huaweicloud.com/intl/en-us/api-koophone/ListInstances.html
"""

EXAMPLES = r"""
- name: List the tenant's phones
  msgops.fleet.cloudphone_info:
    auth_token: "{{ koophone_token }}"
  register: tenant

- name: Show the phones that are in the grace period after their paid time
  ansible.builtin.debug:
    var: tenant.phones | selectattr('frozen') | map(attribute='name')
"""

RETURN = r"""
phones:
  description: The phones. What the listing leaves out is null.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id:
      description: The phone's ID.
      type: str
      sample: a44uhlf7
    name:
      description: Its name.
      type: str
      sample: phone-1
    status:
      description: KooPhone's integer (C(running_status)).
      type: int
      sample: 2
    status_name:
      description: The integer's name, as M(msgops.fleet.cloudphone_status) returns it.
      type: str
      sample: running
    health:
      description: What kind of attention the status needs, such as V(ready) or V(action_required).
      type: str
      sample: ready
    frozen:
      description: Whether it is frozen, which it is in the grace period after its paid time.
      type: bool
    assigned:
      description: Whether it is assigned to a user.
      type: bool
    region:
      description: Its region.
      type: str
      sample: cn-south-1
    sku:
      description: Its specification.
      type: str
      sample: koophone.standard
    billing_mode:
      description: The vendor's word or number for how it is paid.
      type: str
      sample: "1"
summary:
  description: The number of phones, of those with each status, and of frozen ones.
  returned: success
  type: dict
  sample:
    total: 2
    by_status:
      running: 1
      stopped: 1
    frozen: 0
error:
  description: The failure, with C(code), C(message), C(http_status) and C(retryable).
  returned: on failure
  type: dict
"""

import collections
from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    TRANSPORT,
    ArgumentSpec,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.cloudphones import KOOPHONE, make_koophone
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone import MAX_PAGE_SIZE
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_responses import ListedPhone

ARGUMENTS = TRANSPORT.merge(KOOPHONE, ArgumentSpec({"page_size": {"type": "int", "default": MAX_PAGE_SIZE}}))


def run(task: TaskContext) -> dict[str, Any]:
    """List the tenant's phones."""
    params = task.params
    options = transport_options(params, check_mode=task.check_mode)
    koophone = make_koophone(params, options, task.secrets)
    phones = koophone.list_phones(concurrency=options.concurrency)
    by_status = collections.Counter(phone.status_name or "unreadable" for phone in phones)
    return {
        "changed": False,
        "phones": [_as_result(phone) for phone in phones],
        "summary": {
            "total": len(phones),
            "by_status": dict(sorted(by_status.items())),
            "frozen": sum(phone.frozen is True for phone in phones),
        },
    }


def _as_result(phone: ListedPhone) -> dict[str, Any]:
    return {
        "instance_id": phone.id,
        "name": phone.name,
        "status": phone.status,
        "status_name": phone.status_name,
        "health": phone.health,
        "frozen": phone.frozen,
        "assigned": phone.assigned,
        "region": phone.region,
        "sku": phone.sku,
        "billing_mode": phone.billing_mode,
    }


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
