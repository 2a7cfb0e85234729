# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specs that modules merge, and how the value of a gateway's option is found."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import AnsibleFallbackNotFound, UnsupportedError

from .._common.environment import read_variable
from .._common.errors import UsageError
from .._common.masking import is_secret_name, masked, passwords_in, redact
from .._common.texts import stripped
from .._common.urls import shown_url
from .._http.transport import TransportOptions
from .._journal.entries import DEFAULT_JOURNAL
from .._vendors import providers
from .._vendors.gateway import Gateway
from .._vendors.providers import PROVIDERS, GatewayCache
from .normalization import NormalizedOptions, name_variables, normalize

Spec = dict[str, dict[str, Any]]


# Ansible's own replacement for the value of a secret option.
_HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@dataclass(frozen=True)
class ArgumentSpec:
    """A module's options and the rules about their combination, as AnsibleModule takes them."""

    options: Spec = field(default_factory=dict)
    mutually_exclusive: Sequence[Sequence[str]] = ()
    required_one_of: Sequence[Sequence[str]] = ()
    required_together: Sequence[Sequence[str]] = ()
    required_if: Sequence[tuple[str, Any, Sequence[str]]] = ()

    def merge(self, *others: ArgumentSpec) -> ArgumentSpec:
        """This spec and ``others`` in one; where several define an option, the last one's definition counts."""
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

    def validate(self, given: Mapping[str, Any], *, action: str = "", check_mode: bool = False) -> NormalizedOptions:
        """Normalize the options ``given``, then validate them as AnsibleModule does. ``action`` is the task's, if any.

        :raises UsageError: if an option is wrong.
        """
        normalized = normalize(self.options, given, check_mode=check_mode)
        validation = ArgumentSpecValidator(**self.for_validation()).validate(normalized.params)
        if validation.error_messages:
            message = name_variables(validation.errors.msg, normalized.variables)
            is_unsupported = action and isinstance(validation.errors[0], UnsupportedError)
            message = f"Unsupported parameters for ({action}) module: {message}" if is_unsupported else message
            raise UsageError(masked(message, self.secrets_in(normalized.params)))
        return replace(normalized, params=validation.validated_parameters)

    def without_secrets(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """``params`` with the values of secret options, and the passwords in URLs, replaced."""
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
        value = redact(value, passwords)
    return shown_url(value) if isinstance(value, str) else value


def _secrets_in(params: Mapping[str, Any], options: Spec) -> Iterator[str]:
    for name, value in params.items():
        option = _option(name, options)
        if option.get("no_log") and value:
            yield stripped(str(value))
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from _secrets_in(item, option.get("options", {}))
            elif isinstance(item, str):
                yield from passwords_in(item)


def _option(name: str, options: Spec) -> Mapping[str, Any]:
    """The definition of an option. A key without one is secret if its name says so.

    Such keys are in dictionaries of any content, which may hold what another module has returned.
    """
    return options.get(name) or {"no_log": is_secret_name(str(name))}


def from_environment(variable: str) -> dict[str, Any]:
    """The part of an option's definition that makes Ansible use ``variable``, unless it is blank, for the option."""
    return {"fallback": (_read_first, [variable])}


def _read_first(*variables: str) -> str:
    for variable in variables:
        if value := read_variable(variable):
            return value
    raise AnsibleFallbackNotFound


_PROVIDER: dict[str, Any] = {"type": "str", "choices": list(PROVIDERS)}

TRANSPORT = ArgumentSpec(
    {
        "validate_certs": {"type": "bool", "default": TransportOptions.validate_certs},
        "ca_path": {"type": "path"},
        "timeout": {"type": "float", "default": TransportOptions.timeout, **from_environment("MSGOPS_TIMEOUT")},
        "retry_timeout": {"type": "float", "default": TransportOptions.retry_timeout},
        "concurrency": {"type": "int", "default": TransportOptions.concurrency},
    }
)

# A provider's options have no default and no fallback here, because both depend on the provider, which may differ from
# item to item. ``OptionResolver`` finds their values.
GATEWAY = ArgumentSpec(
    {
        "provider": {**_PROVIDER, **from_environment("MSGOPS_PROVIDER")},
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
    """The option ``instances``: existing instances, instead of a single one. ``more`` are additional suboptions."""
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

# Environment variables whose value is a secret, or may hold one.
SECRET_VARIABLES = providers.SECRET_VARIABLES | {"MSGOPS_JOURNAL"}

# The options of a creation that only some gateways have.
CREATION = ArgumentSpec(
    {name: option for gateway in PROVIDERS.values() for name, option in gateway.creation_options.items()}
)

# The settings of an instance; each gateway has its own.
SETTINGS: Spec = {
    "settings": {
        "type": "dict",
        "options": {name: s.option for gateway in PROVIDERS.values() for name, s in gateway.settings.items()},
    }
}

JOURNAL = ArgumentSpec(
    {
        "journal": {
            "type": "path",
            "default": DEFAULT_JOURNAL,
            **from_environment("MSGOPS_JOURNAL"),
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
    """Finds the value of a provider's option: the item's, else the task's, the environment's, the provider's default.

    It adds tokens from the environment to ``secrets``, because Ansible doesn't know that they are secret. ``params``
    are normalized, so that no value is blank.
    """

    def __init__(self, params: Mapping[str, Any], secrets: set[str]) -> None:
        self._params = params
        self._secrets = secrets

    def provider(self, item: Mapping[str, Any], where: str) -> str:
        """The provider's name.

        :raises UsageError: if neither the item nor the task names one; ``where`` is the item in the message.
        """
        name = item.get("provider") or self._params.get("provider")
        if not name:
            raise UsageError(f"{where} needs provider ({' or '.join(PROVIDERS)}, or the variable MSGOPS_PROVIDER)")
        return str(name)

    def api_url(self, provider: str, item: Mapping[str, Any]) -> str:
        """The base address of the provider's API."""
        return self.find(provider, "api_url", item.get("api_url")) or PROVIDERS[provider].api_url

    def gateway(self, gateways: GatewayCache, provider: str, item: Mapping[str, Any], where: str) -> Gateway:
        """The client for the provider's API.

        :raises UsageError: if its address isn't a URL that may be used; ``where`` is the item in the message.
        """
        with self.naming(provider, "api_url", item.get("api_url"), where):
            return gateways.get(provider, self.api_url(provider, item))

    def find(self, provider: str, option: str, own: str | None = None) -> str | None:
        """The item's ``own`` value, else the task's, else the environment's."""
        if given := own or self._params.get(option):
            return str(given)
        variable = PROVIDERS[provider].environment.get(option)
        value = read_variable(variable) if variable else None
        if value and option.endswith("_token"):
            self._secrets.add(value)
        return value

    @contextlib.contextmanager
    def naming(self, provider: str, option: str, own: str | None, where: str) -> Iterator[None]:
        """Name the item, or the variable, that the value of ``option`` comes from in an error about the option."""
        try:
            yield
        except UsageError as error:
            if not error.message.startswith(option) or (not own and self._params.get(option)):
                raise
            if own:
                raise UsageError(f"{where}: {error.message}") from None
            variable = PROVIDERS[provider].environment[option]
            raise UsageError(name_variables(error.message, {option: {variable}})) from None

    def require(self, provider: str, option: str, where: str, own: str | None = None, own_name: str = "") -> str:
        """Like ``find``, for an option that must have a value. ``own_name`` is its name in the item, if it differs.

        :raises UsageError: if there is no value.
        """
        value = self.find(provider, option, own)
        if value is None:
            names = [own_name or option, f"the variable {PROVIDERS[provider].environment[option]}"]
            raise UsageError(f"{where} needs {' or '.join(names)} ({provider})")
        return value


def transport_options(params: Mapping[str, Any], *, check_mode: bool) -> TransportOptions:
    """The options of ``TRANSPORT`` as the transport takes them; in check mode, it sends no request that writes."""
    return TransportOptions(
        timeout=params["timeout"],
        retry_timeout=params["retry_timeout"],
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"],
        concurrency=params["concurrency"],
        read_only=check_mode,
    )
