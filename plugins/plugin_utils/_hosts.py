# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts, their variables and their groups, made of records."""

from __future__ import annotations

import datetime
import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ansible import constants
from ansible.inventory.group import to_safe_group_name
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable
from ansible_collections.msgops.fleet.plugins.module_utils._common.timestamps import parse_time
from ansible_collections.msgops.fleet.plugins.module_utils._report.due import due_bucket
from ansible_collections.msgops.fleet.plugins.plugin_utils._hostnames import host_names
from ansible_collections.msgops.fleet.plugins.plugin_utils._unsafe import untrusted

PREFIX = "msgops_"

# A host as the cache stores it: its variables without their prefix, of JSON's types.
Record = dict[str, Any]

# Each of these groups is a child of the next one: what is due within a day is due within a week, too.
_NESTED_DUE = ("due_within_24h", "due_within_7d", "due_within_30d")


class HostsPlugin(BaseInventoryPlugin, Constructable):  # type: ignore[misc]  # no type information
    """An inventory plugin that makes hosts of records."""

    GROUP_BY: ClassVar[Mapping[str, str]]  # what hosts can be grouped by, and the variable that has the value

    def _populate(self, records: Iterable[Record], view: Mapping[str, Any]) -> None:
        now = datetime.datetime.now(datetime.timezone.utc)
        hosts = [
            {**record, "due_in": due_bucket(parse_time(record["due"]) if record["due"] else None, now)}
            if "due" in record
            else record
            for record in records
            if view.get("include_deleted") or not record.get("deleted")
        ]
        groups = [self._group_names(host, view) for host in hosts]
        # Ansible would give a host with the name of a group the variables of that group.
        taken = {*self.inventory.groups, *constants.LOCALHOST, *itertools.chain.from_iterable(groups)}
        taken |= {self._sanitize_group_name(group) for group in self.get_option("groups") or ()}
        taken |= {view["group_prefix"] + group for group in _NESTED_DUE}
        names = host_names(hosts, view["hostnames"], taken)
        for group in dict.fromkeys(itertools.chain.from_iterable(groups)):
            self.inventory.add_group(group)
        for name, host, own in zip(names, hosts, groups, strict=True):
            self.inventory.add_host(name)
            for variable, value in host.items():
                self.inventory.set_variable(name, PREFIX + variable, untrusted(value))
            for group in own:
                self.inventory.add_child(group, name)
        self._nest(view["group_prefix"])
        self._construct(names)

    def _group_names(self, host: Mapping[str, Any], view: Mapping[str, Any]) -> list[str]:
        groups = [view["group"]] if view["group"] else []
        for criterion in view["group_by"]:
            value = host[self.GROUP_BY[criterion]]
            if criterion == "due":
                group = {"overdue": "overdue", "unknown": ""}.get(value, f"due_{value}")
            else:
                group = "" if value in (None, "") else f"{criterion}_{value}"
            if group:
                groups.append(view["group_prefix"] + group)
        return [_group_name(group) for group in groups]

    def _nest(self, prefix: str) -> None:
        for child, parent in itertools.pairwise(_group_name(prefix + group) for group in _NESTED_DUE):
            if child in self.inventory.groups:
                self.inventory.add_group(parent)
                self.inventory.add_child(parent, child)

    def _construct(self, names: Sequence[str]) -> None:
        """Evaluate ``compose``, then ``groups``, then ``keyed_groups``, each for all hosts before the next.

        ``keyed_groups`` makes groups whose names aren't known before, and one may be named like a host: so it is last.
        """
        strict = self.get_option("strict")
        if compose := self.get_option("compose"):
            for name in names:
                self._set_composite_vars(compose, self._host_variables(name), name, strict)
        if groups := self.get_option("groups"):
            for name in names:
                self._add_host_to_composed_groups(
                    groups, self._host_variables(name), name, strict, fetch_hostvars=False
                )
        if keyed_groups := self.get_option("keyed_groups"):
            for name in names:
                self._add_host_to_keyed_groups(
                    keyed_groups, self._host_variables(name), name, strict, fetch_hostvars=False
                )

    def _host_variables(self, name: str) -> dict[str, Any]:
        variables: dict[str, Any] = self.inventory.get_host(name).get_vars()
        return variables

    def _compose(self, template: Any, variables: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The value of an expression.

        An expression that is just the name of a variable is looked up without a template. A template takes a
        millisecond, which adds up to a minute for the groups of a large fleet.
        """
        if isinstance(template, str) and template in variables and not self.get_option("use_extra_vars"):
            return variables[template]
        return untrusted(super()._compose(template, variables, *args, **kwargs))


@functools.lru_cache(maxsize=1024)
def _group_name(text: str) -> str:
    return str(to_safe_group_name(text, force=True, silent=True))
