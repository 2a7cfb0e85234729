# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_slice
short_description: Arguments and results of the tasks of the playbooks check_fleet and check_phones
version_added: 0.1.0
description:
  - Turns hosts of an inventory into the arguments of one task that reads all of them, and what that task returned
    into facts of each host.
  - The playbooks C(msgops.fleet.check_fleet) and C(msgops.fleet.check_phones) use it. It is not meant for other plays.
author:
  - msgops.fleet contributors (@msgops)
positional: _input, hostvars
options:
  _input:
    description: The names of the hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  credentials:
    description: The content of the file O(msgops.fleet.instance_create#module:credentials_file).
    type: dict
    default: {}
  listing:
    description: What M(msgops.fleet.instance_info) returned.
    type: dict
    default: {}
  reading:
    description: What M(msgops.fleet.instance_state) or M(msgops.fleet.cloudphone_status) returned.
    type: dict
    default: {}
  phones:
    description: Whether the hosts are cloud phones.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Read a batch of hosts in one task
  msgops.fleet.instance_state:
    instances: "{{ (ansible_play_batch | msgops.fleet.fleet_slice(hostvars)).targets }}"
  no_log: true
  run_once: true
  register: reading
"""

RETURN = r"""
_value:
  description: The arguments of the tasks, and their results by host.
  type: dict
  contains:
    targets:
      description: Items for M(msgops.fleet.instance_state), each instance once. They contain secrets.
      type: list
      elements: dict
    ids:
      description: The IDs, each once.
      type: list
      elements: str
    tokenless:
      description: The gateways of instances whose token isn't known.
      type: list
      elements: str
    rows:
      description: What is known of each host, as items for M(msgops.fleet.fleet_report), without secrets.
      type: list
      elements: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.msgops.fleet.plugins.module_utils._common.timestamps import utc_now
from ansible_collections.msgops.fleet.plugins.module_utils._report.members import phone_member
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import PROVIDERS
from ansible_collections.msgops.fleet.plugins.plugin_utils._unsafe import untrusted

Row = dict[str, Any]
Key = tuple[str, str]
# What one source knows of an instance, and the name of the account that the source gives it.
Known = tuple[str | None, Row]

# The inventory plugins' variables of a host, without their prefix.
_VARIABLES = ("id", "provider", "account", "name", "due", "api_url", "token", "client_token")
# The results of a host that could not be read.
_UNREAD_INSTANCE: Row = {
    "state": None,
    "vendor_state": None,
    "authorized": False,
    "health": "unknown",
    "observed_at": None,
    "error": None,
}
_UNREAD_PHONE: Row = {"status": None, "status_name": None, "error": None}

_PHONES = "koophone"


def fleet_slice(
    hosts: Iterable[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    *,
    credentials: Mapping[str, Mapping[str, Row]] | None = None,
    listing: Mapping[str, Any] | None = None,
    reading: Mapping[str, Any] | None = None,
    phones: bool = False,
) -> dict[str, Any]:
    """The arguments of the playbook's tasks and their results by host, as far as earlier tasks have run.

    ``listing`` and ``reading`` may be results of skipped tasks.

    :raises AnsibleFilterError: for a host without the variables of an instance or a phone.
    """
    known = _known(credentials or {}, listing or {})
    asked = [_completed(_host_variables(str(host), hostvars[host], phones), known) for host in hosts]
    targets: dict[tuple[Key, str | None], Row] = {}
    for row in asked:
        if row["token"] or phones:
            targets.setdefault((_row_key(row), row["account"]), row)
    # Results name no account. Results with equal IDs are in the order of their targets.
    results: dict[Key, list[Row]] = {}
    for row in (reading or {}).get("phones" if phones else "instances") or ():
        results.setdefault(_row_key(row), []).append(row)
    read = {target: results[target[0]].pop(0) for target in targets if results.get(target[0])}
    rows = [_row(row, read.get((_row_key(row), row["account"])), phones) for row in asked]
    result = {
        "targets": [
            {name: row[name] for name in ("id", "token", "name", "provider", "api_url", "client_token") if row[name]}
            for row in targets.values()
            if row["token"]
        ],
        "ids": list(dict.fromkeys(row["id"] for row in asked)),
        "tokenless": sorted({row["provider"] for row in asked if not row["token"]} - {_PHONES}),
        "rows": rows,
    }
    return dict(untrusted(result))


def _row_key(row: Mapping[str, Any]) -> Key:
    return (str(row.get("provider") or _PHONES), str(row.get("id") or row.get("instance_id")))


def _host_variables(host: str, variables: Mapping[str, Any], phones: bool) -> Row:
    row = {name: None if (value := variables.get(f"msgops_{name}")) is None else str(value) for name in _VARIABLES}
    allowed = (_PHONES,) if phones else tuple(PROVIDERS)
    if not row["id"] or row["provider"] not in allowed:
        raise AnsibleFilterError(
            f"host {host} needs the variables msgops_id and msgops_provider ({' or '.join(allowed)}), "
            "as the inventory plugins set them; leave other hosts out by fleet_hosts"
        )
    if phones or row["account"] == row["provider"]:  # the inventory plugin's name for an account without a name
        row["account"] = None
    return {"host": host, **row}


def _known(credentials: Mapping[str, Mapping[str, Row]], listing: Mapping[str, Any]) -> dict[Key, list[Known]]:
    """What the credentials file and the accounts' listings know of each instance; the listings, which are newer, "
    "last."""
    known: dict[Key, list[Known]] = {}
    for provider, entries in credentials.items():
        for key, row in entries.items():
            account, slash, _name = key.partition("/")
            told = {"token": row.get("token"), "api_url": row.get("api_url")}
            known.setdefault((provider, str(row.get("id"))), []).append((account if slash else None, told))
    for row in listing.get("instances") or ():
        told = {name: row[name] for name in ("account", "token", "api_url", "due") if row.get(name) is not None}
        known.setdefault(_row_key(row), []).append((row.get("account"), told))
    return known


def _completed(row: Row, known: Mapping[Key, list[Known]]) -> Row:
    """``row`` with what its host variables leave out. A listed due date replaces the variable, because it is newer."""
    candidates = known.get(_row_key(row), [])
    if len({account for account, _told in candidates if account}) > 1:  # equal IDs in several accounts
        candidates = [(account, told) for account, told in candidates if account in (None, row["account"])]
    more: Row = {}
    for _account, told in candidates:
        more |= told
    return row | {
        "account": row["account"] or more.get("account"),
        "token": row["token"] or more.get("token"),
        "api_url": row["api_url"] or more.get("api_url"),
        "due": more.get("due") or row["due"],
    }


def _row(row: Row, read: Mapping[str, Any] | None, phones: bool) -> Row:
    """The row of a host in the report, without secrets."""
    known: Row = {name: row[name] for name in ("host", "id", "account", "name", "provider", "due")}
    known |= _UNREAD_PHONE if phones else _UNREAD_INSTANCE
    if read is not None:
        known |= {name: value for name, value in read.items() if name not in ("id", "name", "provider")}
    elif not phones:
        known["error"] = _tokenless(row)
    if phones:
        known |= {"instance_id": row["id"], "observed_at": utc_now()}
        known["health"] = phone_member(known, row["host"]).health
    return known


def _tokenless(row: Mapping[str, Any]) -> Row:
    variable = PROVIDERS[row["provider"]].environment["partner_token"]
    message = (
        f"its token isn't known; give the job the partner's token ({variable}) of the account that it is in, or "
        "fleet_credentials_file"
    )
    return {"code": "bad_request", "message": message, "retryable": False}


class FilterModule:
    """Ansible's entry to the filter."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"fleet_slice": fleet_slice}
