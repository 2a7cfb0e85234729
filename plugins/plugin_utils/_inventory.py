# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory plugins share: options, the cache, names and groups of hosts, and no secret in any failure."""

from __future__ import annotations

import datetime
import functools
import itertools
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ansible import constants
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.inventory.group import to_safe_group_name
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.text.converters import to_text
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError, UsageError, failure_result
from ansible_collections.msgops.fleet.plugins.module_utils._common.masking import occurring, redact, register_secret
from ansible_collections.msgops.fleet.plugins.module_utils._common.polling import poll
from ansible_collections.msgops.fleet.plugins.module_utils._common.texts import one_line
from ansible_collections.msgops.fleet.plugins.module_utils._common.timestamps import parse_time
from ansible_collections.msgops.fleet.plugins.module_utils._http.session import REQUESTS_IMPORT_ERROR
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import TransportOptions
from ansible_collections.msgops.fleet.plugins.module_utils._report.due import due_bucket
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import ArgumentSpec, transport_options
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import unexpected
from ansible_collections.msgops.fleet.plugins.plugin_utils._hostnames import STYLES, host_names
from ansible_collections.msgops.fleet.plugins.plugin_utils._unsafe import untrusted

PREFIX = "msgops_"

# A host as it is cached: its variables without their prefix, of JSON's types.
Record = dict[str, Any]

# What is due within a day is due within a week, too: each is a group in the next one.
_NESTED_DUE = ("due_within_24h", "due_within_7d", "due_within_30d")

# Expressions and templates that Ansible itself evaluates for each host.
_EXPRESSIONS = ("compose", "groups", "keyed_groups")

_CACHE_VERSION = 1


@dataclass(frozen=True)
class Account:
    """Where hosts come from.

    ``fingerprint`` tells who asks where, without giving the credentials away; it is ``None`` where they are missing.
    ``connect`` returns what lists the hosts, and sends nothing.

    :raises UsageError: from ``connect``, if the options don't do.
    """

    name: str
    fingerprint: str | None
    connect: Callable[[], Callable[[], list[Record]]]


def view_arguments(*, group: str, group_by: list[str]) -> ArgumentSpec:
    """The options that say how hosts are shown."""
    return ArgumentSpec(
        {
            "hostnames": {"type": "list", "elements": "str", "choices": list(STYLES), "default": ["name", "id"]},
            "group": {"type": "str", "default": group},
            "group_by": {"type": "list", "elements": "str", "choices": group_by, "default": group_by},
            "group_prefix": {"type": "str", "default": ""},
            "on_error": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
        }
    )


class FleetInventory(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]  # no type information
    """An inventory plugin whose hosts are in accounts at a vendor."""

    DISPLAY_OPTIONS: ClassVar[ArgumentSpec]
    API_OPTIONS: ClassVar[ArgumentSpec]  # options that only asking the vendor needs: a cached source does without them
    GROUP_BY: ClassVar[Mapping[str, str]]  # what hosts can be grouped by, and the variable that tells
    CACHE_KEY_OPTIONS: ClassVar[Sequence[str]] = ()  # those options of DISPLAY_OPTIONS that change what is cached

    def accounts(self, params: Mapping[str, Any], options: TransportOptions) -> list[Account]:
        """The accounts that the options of ``SOURCE`` or the environment name.

        :raises UsageError: if they name none, or one twice.
        """
        raise NotImplementedError

    def complete(self, records: list[Record], view: Mapping[str, Any], options: TransportOptions) -> None:
        """Add to the listed hosts what the listing doesn't tell."""

    def verify_file(self, path: str) -> bool:
        """Whether the file's name is one of this collection's sources."""
        if not re.fullmatch(r"(.*\.)?msgops\.ya?ml", os.path.basename(path)):
            self.display.vvv(f"{self.NAME} skips {path}: its name doesn't end in .msgops.yml or .msgops.yaml")
            return False
        return bool(super().verify_file(path))

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        """Add the hosts that the source file ``path`` tells of.

        :raises AnsibleParserError: with one line that holds no secret, and with no other exception behind it.
        """
        super().parse(inventory, loader, path, cache)
        self._secrets: set[str] = set()
        self._tokens: set[str] = set()
        message = ""
        try:
            self._load(path, cache)
        except FleetError as error:
            message = error.message
        except AnsibleError as error:
            message = one_line(to_text(error))
        except Exception as error:
            message = unexpected(error)
        if message:
            raise AnsibleParserError(self._redacted(message))

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        """Give Ansible its own options, and them without templates.

        Ours it must not even look at: it would refuse a template where a number belongs, and show the value.
        """
        ansibles_own = {name: value for name, value in (direct or {}).items() if name not in self._our_options}
        for name in ansibles_own.keys() - _EXPRESSIONS:
            ansibles_own[name] = self._resolved(name, ansibles_own[name])
        super().set_options(task_keys=task_keys, var_options=var_options, direct=ansibles_own)

    @property
    def _our_options(self) -> set[str]:
        return {*self.DISPLAY_OPTIONS.options, *self.API_OPTIONS.options}

    def _load(self, path: str, cache: bool) -> None:
        self.templar.available_variables = self._vars
        config = self._read_config_data(path)
        foreign = sorted(set(config) - self._our_options - set(self._options))
        if foreign:
            raise UsageError(f"{self.NAME} has no option {foreign[0]}")
        view = self._validated(self.DISPLAY_OPTIONS, config)
        caching = self.get_option("cache")
        key = "_".join([self.get_cache_key(path), *(option for option in self.CACHE_KEY_OPTIONS if view[option])])
        records = self._cached(key, config) if cache and caching else None
        if records is None:
            records, whose = self._fetched(config, view)
            if caching and whose is not None:
                self._cache[key] = {"version": _CACHE_VERSION, "accounts": whose, "hosts": records}
        self._tokens.update(record["token"] for record in records if record.get("token"))
        self._populate(records, view)

    # Options

    def _resolved(self, name: str, value: Any) -> Any:
        try:
            return self.templar.template(value)
        except AnsibleError as error:
            failure = UsageError(f"{name} can't be resolved: {to_text(error)}")
        raise failure

    def _validated(self, arguments: ArgumentSpec, config: Mapping[str, Any]) -> dict[str, Any]:
        """The options of ``arguments`` in the source file, from the environment, and by default.

        :raises UsageError: if a template, a vaulted value or an option is wrong.
        """
        given = {name: config[name] for name in arguments.options if config.get(name) is not None}
        # Types of JSON, without what Ansible has attached to them.
        given = json.loads(json.dumps({name: self._resolved(name, given[name]) for name in given}, default=str))
        for name, value in given.items():
            # Ansible would take a string for key=value, and show the key.
            if arguments.options[name].get("elements") == "dict" and not _is_list_of_dicts(value):
                raise UsageError(f"{name} must be a list of dictionaries")
        self._secrets |= arguments.secrets_in(given)
        validation = ArgumentSpecValidator(**arguments.for_validation()).validate(given)
        if validation.error_messages:
            raise UsageError(validation.errors.msg)
        params: dict[str, Any] = validation.validated_parameters
        self._secrets |= arguments.secrets_in(params)
        return params

    def _redacted(self, message: str) -> str:
        return redact(message, self._secrets | occurring(self._tokens, message))

    # The cache

    def _cached(self, key: str, config: Mapping[str, Any]) -> list[Record] | None:
        try:
            entry = self._cache[key]
        except KeyError:
            return None
        if not isinstance(entry, dict) or entry.get("version") != _CACHE_VERSION:
            return None
        if not _same_accounts(entry["accounts"], self._current_accounts(config)):
            return None
        records: list[Record] = entry["hosts"]
        return records

    def _current_accounts(self, config: Mapping[str, Any]) -> list[list[str | None]] | None:
        """Which accounts the source has now, ``None`` if it takes credentials to know that, and there are none."""
        try:
            params = self._validated(self.API_OPTIONS, config)
            return _identities(self.accounts(params, transport_options(params, check_mode=True)))
        except (AnsibleError, FleetError):
            return None

    # Asking the vendors

    def _fetched(
        self, config: Mapping[str, Any], view: Mapping[str, Any]
    ) -> tuple[list[Record], list[list[str | None]] | None]:
        """All hosts, and whose they are; ``None`` for whose if some could not be listed: that isn't to be cached."""
        if REQUESTS_IMPORT_ERROR is not None:
            raise UsageError(missing_required_lib("requests"))
        params = self._validated(self.API_OPTIONS, config)
        options = transport_options(params, check_mode=True)
        accounts = self.accounts(params, options)
        for secret in self._secrets:
            register_secret(secret)
        listings = [account.connect() for account in accounts]
        listed: list[list[Record]] = [[] for _account in accounts]
        errors: dict[int, FleetError] = {}

        def list_one(index: int) -> bool:
            try:
                listed[index] = listings[index]()
            except FleetError as error:
                errors[index] = error
            return True

        poll(range(len(accounts)), list_one, workers=options.concurrency)
        failures = [(accounts[index].name, errors[index]) for index in sorted(errors)]
        if failures and view["on_error"] == "fail":
            raise UsageError(_failure(failures))
        for name, error in failures:
            self.display.warning(self._redacted(f"{self.NAME} leaves account {name} out. {error.message}"))
        records = list(itertools.chain.from_iterable(listed))
        self._tokens.update(record["token"] for record in records if record.get("token"))
        self.complete(records, view, options)
        if not view.get("include_tokens"):
            for record in records:
                record.pop("token", None)
        return records, None if failures else _identities(accounts)

    # Hosts

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
        # A host with the name of a group would get the variables that are meant for the other.
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
        """Do what ``compose``, ``groups`` and ``keyed_groups`` ask for, one after the other for all hosts.

        While variables are set and hosts put into ``groups``, no group has come up yet that has a host's name.
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

        A template costs a millisecond: those that are nothing but the name of a variable, as the keys of groups are,
        would take a minute for a large fleet.
        """
        if isinstance(template, str) and template in variables and not self.get_option("use_extra_vars"):
            return variables[template]
        return untrusted(super()._compose(template, variables, *args, **kwargs))


def _is_list_of_dicts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


@functools.lru_cache(maxsize=1024)
def _group_name(text: str) -> str:
    return str(to_safe_group_name(text, force=True, silent=True))


def _identities(accounts: Iterable[Account]) -> list[list[str | None]]:
    return [[account.name, account.fingerprint] for account in accounts]


def _same_accounts(cached: list[list[str | None]], now: list[list[str | None]] | None) -> bool:
    """Whether the accounts are those that were cached, as far as can be known without the credentials."""
    return now is None or (
        [name for name, _fingerprint in cached] == [name for name, _fingerprint in now]
        and all(asks in (None, asked) for (_name, asked), (_same, asks) in zip(cached, now, strict=True))
    )


def _failure(failures: Sequence[tuple[str, FleetError]]) -> str:
    if len(failures) == 1:
        name, error = failures[0]
        return f"account {name}: {error.message}"
    return str(failure_result("accounts", "listed", failures)["msg"])
