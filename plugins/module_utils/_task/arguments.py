# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs that merge, and the environment variables that stand in for options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import env_fallback

from .._common.errors import UsageError
from .._common.masking import is_secret_name, passwords_in, redact
from .._http.transport import TransportOptions
from .._journal.entries import DEFAULT_JOURNAL
from .._vendors.green_api import SECRET_SETTINGS, SETTINGS
from .._vendors.koophone_auth import IAM_ENDPOINT, SECRETS, WAYS, environment_variable
from .._vendors.plugzapi import CREATE_FIELDS
from .._vendors.providers import PROVIDERS

Spec = dict[str, dict[str, Any]]


# What Ansible itself puts in the place of a secret option.
_HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@dataclass(frozen=True)
class ArgumentSpec:
    """What AnsibleModule is told about a module's options."""

    options: Spec = field(default_factory=dict)
    mutually_exclusive: Sequence[Sequence[str]] = ()
    required_one_of: Sequence[Sequence[str]] = ()
    required_together: Sequence[Sequence[str]] = ()
    required_if: Sequence[tuple[str, Any, Sequence[str]]] = ()

    def merge(self, *others: ArgumentSpec) -> ArgumentSpec:
        """This spec and ``others`` in one; a later one's options win."""
        merged = self
        for other in others:
            merged = ArgumentSpec(
                {**merged.options, **other.options},
                [*merged.mutually_exclusive, *other.mutually_exclusive],
                [*merged.required_one_of, *other.required_one_of],
                [*merged.required_together, *other.required_together],
                [*merged.required_if, *other.required_if],
            )
        return merged

    def for_validation(self) -> dict[str, Any]:
        """The keyword arguments of AnsibleModule and of ArgumentSpecValidator."""
        return {
            "argument_spec": self.options,
            "mutually_exclusive": self.mutually_exclusive,
            "required_one_of": self.required_one_of,
            "required_together": self.required_together,
            "required_if": self.required_if,
        }

    def without_secrets(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """``params`` as they may be shown."""
        return _without_secrets(params, self.options)

    def secrets_in(self, params: Mapping[str, Any]) -> set[str]:
        """The values of secret options, and the passwords in URLs."""
        return set(_secrets_in(params, self.options))


def _without_secrets(params: Mapping[str, Any], options: Spec) -> dict[str, Any]:
    return {name: _shown(value, _option(name, options)) for name, value in params.items()}


def _shown(value: Any, option: Mapping[str, Any]) -> Any:
    if option.get("no_log"):
        return value if value is None else _HIDDEN
    if isinstance(value, list):
        return [_shown(item, option) for item in value]
    if isinstance(value, dict):
        return _without_secrets(value, option.get("options", {}))
    if isinstance(value, str) and (passwords := passwords_in(value)):
        return redact(value, passwords)
    return value


def _secrets_in(params: Mapping[str, Any], options: Spec) -> Iterator[str]:
    for name, value in params.items():
        option = _option(name, options)
        if option.get("no_log") and value:
            yield str(value).strip()
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from _secrets_in(item, option.get("options", {}))
            elif isinstance(item, str):
                yield from passwords_in(item)


def _option(name: str, options: Spec) -> Mapping[str, Any]:
    """What is known of an option; a dictionary of any keys may hold what another module has returned."""
    return options.get(name) or {"no_log": is_secret_name(str(name))}


def _from_environment(variable: str) -> dict[str, Any]:
    return {"fallback": (env_fallback, [variable])}


_PROVIDER: dict[str, Any] = {"type": "str", "choices": list(PROVIDERS)}

TRANSPORT = ArgumentSpec(
    {
        "validate_certs": {"type": "bool", "default": TransportOptions.validate_certs},
        "ca_path": {"type": "path"},
        "timeout": {"type": "float", "default": TransportOptions.timeout, **_from_environment("MSGOPS_TIMEOUT")},
        "retry_timeout": {"type": "float", "default": TransportOptions.retry_timeout},
        "concurrency": {"type": "int", "default": TransportOptions.concurrency},
    }
)

# The options that belong to a provider have no default and no fallback here: both depend on the provider, which may
# differ from item to item. ``OptionResolver`` looks them up.
GATEWAY = ArgumentSpec(
    {
        "provider": {**_PROVIDER, **_from_environment("MSGOPS_PROVIDER")},
        "api_url": {"type": "str"},
    }
)
ITEM_GATEWAY: Spec = {"provider": _PROVIDER, "api_url": {"type": "str"}}

INSTANCE = ArgumentSpec(
    {
        "instance_id": {"type": "str", "aliases": ["id_instance"]},
        "instance_token": {"type": "str", "no_log": True, "aliases": ["api_token_instance"]},
        "client_token": {"type": "str", "no_log": True},
    }
)


def many_instances(**more: dict[str, Any]) -> ArgumentSpec:
    """A list of instances that exist, instead of a single one; ``more`` are suboptions."""
    options: Spec = {
        "id": {"type": "str", "required": True},
        "token": {"type": "str", "no_log": True},
        "name": {"type": "str"},
        **ITEM_GATEWAY,
        "client_token": {"type": "str", "no_log": True},
        **more,
    }
    return ArgumentSpec(
        {"instances": {"type": "list", "elements": "dict", "options": options}},
        mutually_exclusive=[("instances", "instance_id")],
    )


PARTNER = ArgumentSpec({"partner_token": {"type": "str", "no_log": True}, "account": {"type": "str"}})

# The options that say who asks have no fallback here, because what a task gives goes before the environment as a
# whole: a token in the environment must not contradict an access key in the task.
KOOPHONE = ArgumentSpec(
    {
        "endpoint": {
            "type": "str",
            "default": "https://koophone.myhuaweicloud.com",
            **_from_environment("KOOPHONE_ENDPOINT"),
        },
        "iam_endpoint": {"type": "str", "default": IAM_ENDPOINT, **_from_environment("KOOPHONE_IAM_ENDPOINT")},
        **{option: {"type": "str", "no_log": option in SECRETS} for options in WAYS.values() for option in options},
    },
    mutually_exclusive=[tuple(WAYS)],
)

# Environment variables whose value is a secret, or may hold one.
SECRET_VARIABLES = frozenset(
    [
        "MSGOPS_JOURNAL",
        *map(environment_variable, SECRETS),
        *(
            variable
            for provider in PROVIDERS.values()
            for option, variable in provider.environment.items()
            if option.endswith("_token")
        ),
    ]
)

# What goes to the vendor with a creation; each client says which of them it takes.
CREATION = ArgumentSpec(
    {
        "settings": {
            "type": "dict",
            "options": {key: {"type": kind, "no_log": key in SECRET_SETTINGS} for key, kind in SETTINGS.items()},
        },
        **{option: {"type": "str"} for option in CREATE_FIELDS},
    }
)

JOURNAL = ArgumentSpec(
    {
        "journal": {
            "type": "path",
            "default": DEFAULT_JOURNAL,
            **_from_environment("MSGOPS_JOURNAL"),
        }
    }
)

WAITING = ArgumentSpec(
    {
        "wait_timeout": {"type": "float", "default": 300.0},
        "wait_interval": {"type": "float", "default": 5.0},
    }
)


class OptionResolver:
    """Where the value of a provider's option comes from: an item, the task, the environment, the provider's default.

    ``secrets`` gathers the tokens that came from the environment, which Ansible doesn't know to be secret.
    """

    def __init__(self, params: Mapping[str, Any], secrets: set[str]) -> None:
        self._params = params
        self._secrets = secrets

    def provider(self, item: Mapping[str, Any], where: str) -> str:
        """The provider's name.

        :raises UsageError: if nobody names it.
        """
        name = item.get("provider") or self._params.get("provider")
        if not name:
            raise UsageError(f"{where} needs provider ({' or '.join(PROVIDERS)}, or the variable MSGOPS_PROVIDER)")
        return str(name)

    def api_url(self, provider: str, item: Mapping[str, Any]) -> str:
        """The base address of the provider's API."""
        return self.find(provider, "api_url", item.get("api_url")) or PROVIDERS[provider].api_url

    def find(self, provider: str, option: str, own: str | None = None) -> str | None:
        """The item's ``own`` value, else the task's, else the environment's; blank is the same as not given.

        White space around a value, such as the newline at the end of a file, is not part of it.
        """
        for value in (own, self._params.get(option)):
            if value and value.strip():
                return str(value).strip()
        variable = PROVIDERS[provider].environment.get(option)
        value = os.environ.get(variable, "").strip() if variable else ""
        if value and option.endswith("_token"):
            self._secrets.add(value)
        return value or None

    def require(self, provider: str, option: str, where: str, own: str | None = None, own_name: str = "") -> str:
        """Like ``find``.

        :raises UsageError: if there is no value; it names the option, the variable and what they are for.
        """
        value = self.find(provider, option, own)
        if value is None:
            names = [own_name or option, f"the variable {PROVIDERS[provider].environment[option]}"]
            raise UsageError(f"{where} needs {' or '.join(names)} ({provider})")
        return value


def transport_options(params: Mapping[str, Any], *, check_mode: bool) -> TransportOptions:
    """The transport's part of a module's options."""
    return TransportOptions(
        timeout=params["timeout"],
        retry_timeout=params["retry_timeout"],
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"],
        concurrency=params["concurrency"],
        read_only=check_mode,
    )
