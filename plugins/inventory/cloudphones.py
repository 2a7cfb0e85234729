# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: cloudphones
short_description: Huawei Cloud KooPhone cloud phones as inventory hosts
version_added: 0.1.0
description:
  - Lists all cloud phones of a tenant. Each phone is a host.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - constructed
  - inventory_cache
  - msgops.fleet.inventory
  - msgops.fleet.koophone
  - msgops.fleet.transport
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [msgops.fleet.cloudphones]
  page_size:
    description: The number of phones in one request, from 1 to 100. KooPhone's documentation states no limit.
    type: int
    default: 100
  group:
    description: The group of all hosts of this source. If it is empty, there is no such group.
    type: str
    default: msgops_cloudphones
  group_by:
    description:
      - What to group hosts by. Groups are named C(status_running), C(region_cn_south_1) and so on.
    type: list
    elements: str
    choices: [status, health, region, sku, billing_mode, project, account]
    default: [status, health, region, sku, billing_mode, project, account]
notes:
  - Hosts have the variables C(msgops_id), C(msgops_name), C(msgops_provider), C(msgops_account), C(msgops_endpoint),
    C(msgops_status), C(msgops_status_name), C(msgops_health), C(msgops_frozen), C(msgops_assigned), C(msgops_region),
    C(msgops_sku), C(msgops_billing_mode), C(msgops_project) and C(msgops_observed_at). Unknown values are null.
seealso:
  - plugin: msgops.fleet.instances
    plugin_type: inventory
  - module: msgops.fleet.cloudphone_status
  - name: KooPhone, querying instances in batches
    description: The API's page on the request that lists the phones.
    link: https://support.huaweicloud.com/intl/en-us/api-koophone/ListInstances.html
"""

EXAMPLES = r"""
# fmt: code
# The tenant whose credentials are in the environment, such as KOOPHONE_ACCESS_KEY and KOOPHONE_SECRET_KEY
plugin: msgops.fleet.cloudphones

---
# An access key from variables (ansible-inventory -e @secrets.yml), and groups by region and status only
plugin: msgops.fleet.cloudphones
access_key: "{{ koophone_access_key }}"
secret_key: "{{ koophone_secret_key }}"
group_by: [region, status]
group_prefix: phones_

---
# An IAM user, your own groups and variables, and the listing cached for five minutes
plugin: msgops.fleet.cloudphones
iam_user: "{{ koophone_iam_user }}"
iam_password: "{{ koophone_iam_password }}"
iam_domain: "{{ koophone_iam_domain }}"
project_name: cn-south-1
hostnames: [name_id]
keyed_groups:
  - key: msgops_sku
    prefix: sku
compose:
  ansible_connection: "'local'"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: "{{ cache_folder }}"
cache_timeout: 300
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ansible_collections.msgops.fleet.plugins.module_utils._common.environment import read_variable
from ansible_collections.msgops.fleet.plugins.module_utils._common.timestamps import utc_now
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import TransportOptions
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import TRANSPORT, ArgumentSpec
from ansible_collections.msgops.fleet.plugins.module_utils._task.cloudphones import KOOPHONE, make_koophone
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.accounts import hash_secret
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone import MAX_PAGE_SIZE
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_options import WAYS, environment_variable
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_responses import ListedPhone
from ansible_collections.msgops.fleet.plugins.plugin_utils._inventory import (
    Account,
    FleetInventory,
    Record,
    view_arguments,
)


class InventoryModule(FleetInventory):
    """The cloud phones of a tenant."""

    NAME = "msgops.fleet.cloudphones"

    GROUP_BY: ClassVar[Mapping[str, str]] = {
        "status": "status_name",
        "health": "health",
        "region": "region",
        "sku": "sku",
        "billing_mode": "billing_mode",
        "project": "project",
        "account": "account",
    }
    DISPLAY_OPTIONS = view_arguments(group="msgops_cloudphones", group_by=list(GROUP_BY))
    API_OPTIONS = TRANSPORT.merge(KOOPHONE, ArgumentSpec({"page_size": {"type": "int", "default": MAX_PAGE_SIZE}}))

    def accounts(self, params: Mapping[str, Any], options: TransportOptions) -> list[Account]:
        endpoint = params["endpoint"].rstrip("/")

        def connect() -> Callable[[], list[Record]]:
            koophone = make_koophone(params, options, self._secrets)

            def listed() -> list[Record]:
                phones = koophone.list_phones(concurrency=options.concurrency)
                observed_at = utc_now()
                return [_record(endpoint, phone, observed_at) for phone in phones]

            return listed

        return [Account("koophone", _fingerprint(endpoint, params), connect)]


def _fingerprint(endpoint: str, params: Mapping[str, Any]) -> str | None:
    """What identifies the tenant and the user in the cache; ``None`` without credentials."""
    options = [option for way in WAYS.values() for option in way]
    values = {option: params[option] or read_variable(environment_variable(option)) for option in options}
    return hash_secret(json.dumps([endpoint, values])) if any(values.values()) else None


def _record(endpoint: str, phone: ListedPhone, listed_at: str) -> Record:
    return {
        "id": phone.id,
        "name": phone.name,
        "provider": "koophone",
        "account": phone.tenant,
        "endpoint": endpoint,
        "status": phone.status,
        "status_name": phone.status_name,
        "health": phone.health,
        "frozen": phone.frozen,
        "assigned": phone.assigned,
        "region": phone.region,
        "sku": phone.sku,
        "billing_mode": phone.billing_mode,
        "project": phone.project,
        "observed_at": listed_at,
    }
