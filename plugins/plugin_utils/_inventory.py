# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The common part of the inventory plugins: options, the cache, and listing accounts. No failure shows a secret."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.text.converters import to_text
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import Cacheable
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import (
    FleetError,
    UsageError,
    failure_result,
    unexpected,
)
from ansible_collections.msgops.fleet.plugins.module_utils._common.masking import redact, register_secret
from ansible_collections.msgops.fleet.plugins.module_utils._common.polling import poll
from ansible_collections.msgops.fleet.plugins.module_utils._common.texts import one_line
from ansible_collections.msgops.fleet.plugins.module_utils._http.session import REQUESTS_IMPORT_ERROR
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import TransportOptions
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import ArgumentSpec, transport_options
from ansible_collections.msgops.fleet.plugins.module_utils._task.listing import NoListingError
from ansible_collections.msgops.fleet.plugins.module_utils._task.normalization import name_variables
from ansible_collections.msgops.fleet.plugins.plugin_utils._hostnames import STYLES
from ansible_collections.msgops.fleet.plugins.plugin_utils._hosts import HostsPlugin, Record
from ansible_collections.msgops.fleet.plugins.plugin_utils._sources import source_failures

# Options with expressions and templates, which Ansible itself evaluates for each host.
_EXPRESSIONS = ("compose", "groups", "keyed_groups")

_CACHE_VERSION = 1

_NAME_THE_OTHERS = "to get rid of this warning, name the accounts to list in the option accounts"


@dataclass(frozen=True)
class Account:
    """An account whose hosts are listed.

    ``fingerprint`` identifies the account without revealing its credentials; ``None`` if they are missing. ``connect``
    returns the function that lists the hosts, and sends no request itself. ``is_implied``: no option names the account;
    its token is in the environment.

    :raises UsageError: from ``connect``, if an option is missing or wrong.
    """

    name: str
    fingerprint: str | None
    connect: Callable[[], Callable[[], list[Record]]]
    is_implied: bool = False


def view_arguments(*, group: str, group_by: list[str]) -> ArgumentSpec:
    """The options for names and groups of hosts."""
    return ArgumentSpec(
        {
            "hostnames": {"type": "list", "elements": "str", "choices": list(STYLES), "default": ["name", "id"]},
            "group": {"type": "str", "default": group},
            "group_by": {"type": "list", "elements": "str", "choices": group_by, "default": group_by},
            "group_prefix": {"type": "str", "default": ""},
            "on_error": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
        }
    )


class FleetInventory(HostsPlugin, Cacheable):  # type: ignore[misc]  # no type information
    """An inventory plugin whose hosts are listed from accounts at a vendor."""

    DISPLAY_OPTIONS: ClassVar[ArgumentSpec]
    API_OPTIONS: ClassVar[ArgumentSpec]  # options for requests to the vendor; a cached source doesn't need them
    CACHE_KEY_OPTIONS: ClassVar[Sequence[str]] = ()  # the options of DISPLAY_OPTIONS that change what is cached

    def accounts(self, params: Mapping[str, Any], options: TransportOptions) -> list[Account]:
        """The accounts in the options of ``API_OPTIONS`` or in the environment.

        :raises UsageError: if there is none, or one of them twice.
        """
        raise NotImplementedError

    def complete(self, records: list[Record], view: Mapping[str, Any], options: TransportOptions) -> None:
        """Add to the records what the listing doesn't contain."""

    def verify_file(self, path: str) -> bool:
        """Whether the file's name is that of a source of this collection."""
        if not re.fullmatch(r"(.*\.)?msgops\.ya?ml", os.path.basename(path)):
            self.display.vvv(f"{self.NAME} skips {path}: its name doesn't end in .msgops.yml or .msgops.yaml")
            return False
        return bool(super().verify_file(path))

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        """Add the hosts of the source file ``path`` to the inventory.

        :raises AnsibleParserError: its message is one line without secrets. It is raised outside of the ``except``
            blocks, so that Ansible can't print the original exception, which may contain secrets.
        """
        super().parse(inventory, loader, path, cache)
        self._secrets: set[str] = set()
        self._tokens: set[str] = set()
        self._variables: dict[str, set[str]] = {}
        message = ""
        source_failures.pop(path, None)
        try:
            self._load(path, cache)
        except UsageError as error:
            message = name_variables(error.message, self._variables)
        except FleetError as error:
            message = error.message
        except AnsibleError as error:
            message = to_text(error)
        except Exception as error:
            message = unexpected(error)
        if message:
            message = self._redacted(message)
            source_failures[path] = [message]
            raise AnsibleParserError(message)

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        """Pass only Ansible's own options to Ansible, with their templates resolved.

        Ansible would reject a template in one of our options that is a number, and print the value in its message.
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
        if caching and view.get("include_tokens") and not self._caches_in_memory:
            raise UsageError(
                "include_tokens puts tokens into the cache, which Ansible lets every user of this machine read; leave "
                "include_tokens out, or set cache: false in this source"
            )
        key = "_".join([self.get_cache_key(path), *(option for option in self.CACHE_KEY_OPTIONS if view[option])])
        records = self._cached(key, config) if cache and caching else None
        if records is None:
            records, accounts = self._fetched(config, view, path)
            if caching and accounts is not None:
                self._cache[key] = {"version": _CACHE_VERSION, "accounts": accounts, "hosts": records}
        self._tokens.update(record["token"] for record in records if record.get("token"))
        self._populate(records, view)

    @property
    def _caches_in_memory(self) -> bool:
        return str(self.get_option("cache_plugin")).rpartition(".")[2] == "memory"

    # Options

    def _resolved(self, name: str, value: Any) -> Any:
        try:
            return self.templar.template(value)
        except AnsibleError as error:
            failure = UsageError(f"{name} can't be resolved: {to_text(error)}")
        raise failure

    def _validated(self, arguments: ArgumentSpec, config: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the options of ``arguments``: from the source file, the environment, or the defaults.

        :raises UsageError: if a template, a vaulted value or an option is wrong.
        """
        given = {name: config[name] for name in arguments.options if name in config}
        # Through JSON, to get plain types without the tags that Ansible attaches to values.
        given = json.loads(json.dumps({name: self._resolved(name, given[name]) for name in given}, default=str))
        self._secrets |= arguments.secrets_in(given)
        options = arguments.validate(given)
        self._variables |= options.variables
        self._secrets |= arguments.secrets_in(options.params)
        return options.params

    def _redacted(self, message: str) -> str:
        return one_line(redact(message, self._secrets | self._tokens))

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
        """The accounts that the source has now; ``None`` if the credentials that identify them are missing."""
        try:
            params = self._validated(self.API_OPTIONS, config)
            return _identities(self.accounts(params, transport_options(params, check_mode=True)))
        except (AnsibleError, FleetError):
            return None

    # Listing

    def _fetched(
        self, config: Mapping[str, Any], view: Mapping[str, Any], path: str
    ) -> tuple[list[Record], list[list[str | None]] | None]:
        """All hosts and the accounts that they were listed from; ``None`` for the accounts if some could not be listed.

        Then the result must not be cached.
        """
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
        unlistable = [
            index
            for index in sorted(errors)
            if accounts[index].is_implied and isinstance(errors[index], NoListingError)
        ]
        if len(unlistable) < len(accounts):
            for index in unlistable:
                self._leave_out(accounts[index].name, f"{errors.pop(index).message}; {_NAME_THE_OTHERS}")
        failures = [(accounts[index].name, errors[index]) for index in sorted(errors)]
        if failures and view["on_error"] == "fail":
            raise UsageError(_failure(failures, len(accounts)))
        for name, error in failures:
            source_failures.setdefault(path, []).append(self._leave_out(name, error.message))
        records = list(itertools.chain.from_iterable(listed))
        self._tokens.update(record["token"] for record in records if record.get("token"))
        self.complete(records, view, options)
        if not view.get("include_tokens"):
            for record in records:
                record.pop("token", None)
        return records, None if failures else _identities(accounts)

    def _leave_out(self, name: str, reason: str) -> str:
        """Warn that the source leaves out an account, and return the reason without secrets."""
        message = self._redacted(f"account {name}: {reason}")
        self.display.warning(f"{self.NAME} leaves out {message}")
        return message


def _identities(accounts: Iterable[Account]) -> list[list[str | None]]:
    return [[account.name, account.fingerprint] for account in accounts]


def _same_accounts(cached: list[list[str | None]], now: list[list[str | None]] | None) -> bool:
    """Whether the source still has the accounts that were cached, as far as that is known without credentials."""
    return now is None or (
        [name for name, _fingerprint in cached] == [name for name, _fingerprint in now]
        and all(new in (None, old) for (_name, old), (_same, new) in zip(cached, now, strict=True))
    )


def _failure(failures: Sequence[tuple[str, FleetError]], total: int) -> str:
    if len(failures) == 1:
        name, error = failures[0]
        return f"account {name}: {error.message}"
    return str(failure_result("accounts", "listed", failures, total)["msg"])
