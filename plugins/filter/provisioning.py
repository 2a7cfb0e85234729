# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: provisioning
short_description: Arguments and results of the tasks of the role provision
version_added: 0.1.0
description:
  - Turns the items of the role P(msgops.fleet.provision#role) into the arguments of its tasks, and what these returned
    into the role's result. It is not meant for other plays.
author:
  - msgops.fleet contributors (@msgops)
positional: _input
options:
  _input:
    description: The role's items.
    type: list
    elements: dict
    required: true
  provider:
    description: The gateway of items without C(provider).
    type: str
  api_urls:
    description: The base address of each gateway.
    type: dict
    default: {}
  partner_tokens:
    description: The partner's token at each gateway.
    type: dict
    default: {}
  accounts:
    description: The name of the account at each gateway.
    type: dict
    default: {}
  client_token:
    description: PlugzAPI's account security token.
    type: str
  creation:
    description: What M(msgops.fleet.instance_create) returned for RV(_value.desired).
    type: dict
    default: {}
  attempts:
    description:
      - What M(msgops.fleet.instance_reboot) and M(msgops.fleet.instance_link) returned for RV(_value.targets) and
        RV(_value.links). If an instance isn't authorized, the first error among them is returned.
    type: list
    elements: dict
    default: []
  reading:
    description: What M(msgops.fleet.instance_state) returned for RV(_value.targets).
    type: dict
    default: {}
seealso:
  - plugin: msgops.fleet.provision
    plugin_type: role
"""

EXAMPLES = r"""
- name: Show the arguments of instance_create
  ansible.builtin.debug:
    msg: "{{ ([{'name': 'shop'}] | msgops.fleet.provisioning(provider='green_api')).desired }}"
    # => [{"name": "shop", "provider": "green_api"}]
"""

RETURN = r"""
_value:
  description: The arguments of the role's tasks, and its result.
  type: dict
  contains:
    desired:
      description: The items of M(msgops.fleet.instance_create), those without an ID. They hold secrets.
      type: list
      elements: dict
    targets:
      description: The items of M(msgops.fleet.instance_state), those whose ID is known. They hold secrets.
      type: list
      elements: dict
    links:
      description: The same as items of M(msgops.fleet.instance_link), with C(phone). They hold secrets.
      type: list
      elements: dict
    result:
      description: The fact C(provision_result), which holds no secrets.
      type: dict
    report:
      description: The same without what differs from run to run where nothing has happened.
      type: dict
    errors:
      description: What the tasks complained of as a whole, before they came to single instances.
      type: list
      elements: str
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._common.states import health_for

Item = dict[str, Any]

_TARGET = ("id", "token", "name", "provider", "api_url", "client_token")
# An instance of which nothing is known yet, and what differs from run to run where nothing has happened.
_UNREAD: Item = {
    "name": None,
    "provider": None,
    "account": None,
    "id": None,
    "api_url": None,
    "action": None,
    "due": None,
    "state": None,
    "vendor_state": None,
    "authorized": False,
    "health": health_for(None),
    "error": None,
}
_FLEETING = ("action", "due")


def provisioning(
    items: Iterable[Mapping[str, Any]],
    *,
    provider: str | None = None,
    api_urls: Mapping[str, str] | None = None,
    partner_tokens: Mapping[str, str] | None = None,
    accounts: Mapping[str, str] | None = None,
    client_token: str | None = None,
    creation: Mapping[str, Any] | None = None,
    attempts: Sequence[Mapping[str, Any]] = (),
    reading: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The arguments of the role's tasks and its result, as far as they can be known yet.

    ``creation``, ``attempts`` and ``reading`` may be those of skipped tasks, or be left from an earlier run.
    """
    creation, reading = creation or {}, reading or {}
    defaults = {
        "api_url": api_urls or {},
        "partner_token": partner_tokens or {},
        "account": accounts or {},
        "client_token": {"plugzapi": client_token},
    }
    asked = [_complete(item, provider, defaults) for item in items]
    created = iter(creation.get("instances") or ())
    missing = {"action": "failed"} if _failed_as_a_whole(creation) else {}
    found = [item | {"action": "checked"} if _exists(item) else _made(item, next(created, missing)) for item in asked]
    targets = [item for item in found if _is_readable(item)]
    read = iter(_read(len(targets), reading, attempts))
    instances = [_result(item, next(read) if _is_readable(item) else {}) for item in found]
    summary = _summarize(instances)
    return {
        "desired": [_without(item, "client_token", "phone") for item in asked if not _exists(item)],
        "targets": [_only(item, *_TARGET) for item in targets],
        "links": [_only(item, *_TARGET, "phone") for item in targets],
        "result": {"instances": instances, "summary": summary},
        "report": {
            "instances": [
                {key: value for key, value in instance.items() if key not in _FLEETING} for instance in instances
            ],
            "summary": summary,
        },
        "errors": [str(result["msg"]) for result in (creation, *attempts, reading) if _failed_as_a_whole(result)],
    }


def _without(item: Item, *keys: str) -> Item:
    return {key: value for key, value in item.items() if key not in keys}


def _only(item: Item, *keys: str) -> Item:
    return {key: item[key] for key in keys if item.get(key) is not None}


def _read(number: int, reading: Mapping[str, Any], attempts: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The readings of all targets; one that isn't authorized has the error of what was tried about that."""
    rows = [list(result.get("instances") or ()) for result in (reading, *attempts)]
    # A task that was skipped has none, an earlier run of the role may have left more.
    states, *tried = [[*row, *[{}] * number][:number] for row in rows]
    readings = []
    for state, *outcomes in zip(states, *tried, strict=True):
        errors = [outcome["error"] for outcome in outcomes if outcome.get("error")]
        is_told = not state or state.get("authorized") or state.get("error") or not errors
        readings.append(state if is_told else {**state, "error": errors[0]})
    return readings


def _complete(item: Mapping[str, Any], provider: str | None, defaults: Mapping[str, Mapping[str, str | None]]) -> Item:
    """``item`` with what it leaves out; null and blank are the same as left out, except for an id or a token."""
    complete = {key: value for key, value in item.items() if value is not None}
    complete["provider"] = complete.get("provider") or provider
    for option, values in defaults.items():
        complete[option] = complete.get(option) or values.get(complete["provider"])
    return {key: value for key, value in complete.items() if value or key in ("id", "token")}


def _exists(item: Mapping[str, Any]) -> bool:
    """Whether the instance is known to exist; a blank id is a mistake that must not end in a creation."""
    return item.get("id") is not None or item.get("token") is not None


def _made(item: Mapping[str, Any], outcome: Mapping[str, Any]) -> Item:
    made = {**item, **outcome}
    if made.get("id") is not None and made.get("token") is None and not made.get("error"):
        message = (
            f"Reading the state of {made['id']} failed: its token isn't known; keep provision_no_log on, set "
            "provision_credentials_file if the gateway has no listing, or give the item its id and token"
        )
        made["error"] = {"code": "bad_request", "message": message, "retryable": False}
    return made


def _is_readable(item: Mapping[str, Any]) -> bool:
    return _exists(item) and not item.get("error")


def _failed_as_a_whole(result: Mapping[str, Any]) -> bool:
    return "msg" in result and "instances" not in result


def _result(item: Mapping[str, Any], reading: Mapping[str, Any]) -> Item:
    known = _UNREAD | dict(item) | dict(reading)
    known["id"] = None if known["id"] is None else str(known["id"])
    return {key: known[key] for key in _UNREAD}


def _summarize(instances: Sequence[Item]) -> dict[str, Any]:
    by_state = Counter(instance["state"] for instance in instances if instance["state"] is not None)
    return {
        "total": len(instances),
        "authorized": sum(instance["authorized"] for instance in instances),
        "unreadable": sum(instance["id"] is not None and instance["state"] is None for instance in instances),
        "by_state": dict(sorted(by_state.items())),
    }


class FilterModule:
    """Ansible's entry to the filter."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"provisioning": provisioning}
