# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task's options as the user wrote them, made ready for Ansible's own validation.

Ansible's validation turns any value into text, so that ``true`` becomes an instance named ``True``. It splits text at
commas only, keeps line ends, and takes null for "not given". So an option is normalized before that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._common.environment import read_variable
from .._common.errors import UsageError
from .._common.texts import join_first, stripped
from .._vendors.providers import PROVIDERS
from .items import own_keys
from .text_values import parse_dictionary, parse_list, where_unreadable

# Options that say which instance, phone or account, or whose. With a blank value, the task would act on another one,
# for example on the instance that the environment names.
WHICH = frozenset(
    {
        *("id", "token", "instance_id", "instance_token", "instance_ids", "name", "operation_id", "phone", "ddi"),
        *("partner_token", "client_token", "auth_token", "access_key", "secret_key"),
        *("iam_user", "iam_password", "iam_domain", "project_name"),
    }
)

# Options whose empty text is a value of its own: no group.
_EMPTY_IS_A_VALUE = frozenset({"group"})
# Dictionaries whose values say whose.
_WHOSE = frozenset({"partner_tokens"})
# Options whose values go to the gateway's API as they are, where an empty text switches a setting off.
_FOR_THE_API = frozenset({"settings"})
# Lists of names, whose elements are normalized like the option ``name``.
_NAMES = frozenset({"names"})
# The variables by which users of the role and of the playbooks give a module's options, by an option that tells which
# module it is.
_HANDED_ON = {
    "assert_authorized": {
        name: f"in the role: provision_{name}; in the playbook: fleet_{name}" for name in ("instances", "names")
    },
    "fail_on_error": {"names": "in the playbook: fleet_names"},
    "on_unreadable": {"settings": "in the playbook: fleet_settings"},
    "report_dir": {name: f"in the playbook: fleet_{name}" for name in ("accounts", "reports")},
}
# Numbers of which each character counts.
_DIGITS = frozenset({"phone", "ddi"})


@dataclass
class NormalizedOptions:
    """``params`` for Ansible's validation, and what messages say about them.

    ``variables`` are the environment variables that stand in for options, by option. ``numbers`` are the names that
    were given as whole numbers.
    """

    params: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, set[str]] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)


def normalize(
    options: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], *, check_mode: bool = False
) -> NormalizedOptions:
    """Normalize the options ``given`` by the argument spec ``options``; other keys stay as they are.

    Text has no white space at its ends, text for a list is a list, and options that say how are left out if they are
    blank. In check mode, an ID and a token that are both blank belong to an instance that would be created: they become
    empty texts.

    :raises UsageError: if an option that says which or whose is blank or no text, or if the value of a list or a
        dictionary isn't one.
    """
    normalizer = _Normalizer(check_mode, options)
    result = normalizer.result
    result.params = normalizer.options(given, options, "")
    if normalizer.uncreated:
        result.warnings.append(
            "nothing was read of instances that would be created, whose IDs and tokens are blank: "
            + join_first(normalizer.uncreated)
        )
    for name, option in options.items():
        _function, variables = option.get("fallback", (None, ()))
        read = {variable for variable in variables if read_variable(variable)}
        if read and result.params.keys().isdisjoint((name, *option.get("aliases", ()))):
            result.variables[name] = read
    return result


def as_users_name_it(option: str, options: Container[str]) -> str:
    """An option of the module that has ``options``, with the variables by which users of role and playbooks give it."""
    variables = [given[option] for own, given in _HANDED_ON.items() if own in options and option in given]
    return f"{option} ({'; '.join(variables)})" if variables else option


def name_variables(message: str, variables: Mapping[str, set[str]]) -> str:
    """Return ``message`` with the variables that the values of the options in it come from.

    Of several gateways' variables, only those of the gateways that it names. An option of an item has no variable.
    Ansible's message about it ends in the place where it was found.
    """
    if " found in " in message:
        return message
    text = message.lower().replace("-", "_")
    own = {name for gateway, one in PROVIDERS.items() if gateway in text for name in one.environment.values()}
    origins = [
        f"{option} comes from the variable {' or '.join(sorted(names & own or names))}"
        for option, names in variables.items()
        if re.search(rf"\b{option}\b", message) and not any(name in message for name in names)
    ]
    return f"{message} ({'; '.join(origins)})" if origins else message


class _Normalizer:
    def __init__(self, check_mode: bool, of_module: Container[str]) -> None:
        self._check_mode, self._of_module = check_mode, of_module
        self.uncreated: list[str] = []
        self.result = NormalizedOptions()

    def options(self, given: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]], where: str) -> dict[str, Any]:
        names = {key: name for name, option in options.items() for key in (name, *option.get("aliases", ()))}
        uncreated = self._uncreated(given, names, where) if self._check_mode else ()
        normalized = {}
        for key, value in given.items():
            name = names.get(key)
            if name is None:
                normalized[key] = value
            elif key in uncreated:
                normalized[key] = ""
            elif is_blank(value) and not (value == "" and name in _EMPTY_IS_A_VALUE):
                # An item's name is for messages only, unless the item needs one.
                is_required = options[name].get("required", False)
                if name in WHICH and (is_required or not (name == "name" and where)):
                    raise _blank(f"{where}{key}", value, is_required=is_required)
            else:
                normalized[key] = self._value(value, name, options[name], f"{where}{key}")
        return normalized

    def _uncreated(self, given: Mapping[str, Any], names: Mapping[str, str], where: str) -> Sequence[str]:
        """The keys of the ID and the token of an instance that check mode would create."""
        for pair in (("instance_id", "instance_token"), ("id", "token")):
            keys = [key for key in given if names.get(key) in pair and is_blank(given[key])]
            if len(keys) == len(pair):
                self.uncreated += [f"{where}{key}" for key in keys if names[key] == pair[0]]
                return keys
        return ()

    def _value(self, value: Any, name: str, option: Mapping[str, Any], where: str) -> Any:
        kind = option.get("type", "str")
        if kind == "list":
            return self._list(value, name, option, where)
        if kind == "dict":
            return self._dictionary(value, name, option, where)
        if name in WHICH:
            self._check_which(value, name, where)
        if isinstance(value, str) and kind not in ("path", "raw") and name not in _DIGITS:
            return stripped(value)
        return value

    def _dictionary(self, value: Any, name: str, option: Mapping[str, Any], where: str) -> dict[str, Any]:
        given = value
        if isinstance(value, str):
            value = parse_dictionary(stripped(value))
        if not isinstance(value, Mapping):
            raise self._no_such(where, "a dictionary, or JSON or YAML text of one, or text such as key=value", given)
        if name in _FOR_THE_API:
            options = option.get("options") or {}
            return {key: _for_the_api(own, options.get(key), f"{where}.{key}") for key, own in value.items()}
        if name in _WHOSE:
            for key, own in value.items():
                if is_blank(own):
                    raise _blank(f"{where}.{key}", own, is_required=False)
                self._check_which(own, key, f"{where}.{key}")
        return self.options(value, option.get("options") or {}, f"{where}.")

    def _check_which(self, value: Any, name: str, where: str) -> None:
        if isinstance(value, (bool, float)):
            raise UsageError(f"{where} must be text, not {json.dumps(value)}: quote it")
        if isinstance(value, int) and name == "name":
            self.result.numbers.add(str(value))
        if not isinstance(value, (str, int)):
            raise UsageError(f"{where} must be text, not a {type(value).__name__}")

    def _list(self, value: Any, name: str, option: Mapping[str, Any], where: str) -> list[Any]:
        elements, given = option.get("elements", "str"), value
        if isinstance(value, str):
            value = parse_list(stripped(value), elements)
        elif isinstance(value, int) and not isinstance(value, bool) and elements == "str":
            value = [value]
        if not isinstance(value, list):
            forms = {"dict": "a list of dictionaries, or JSON or YAML text of one"}
            default = "a list, or text with commas or lines, or JSON or YAML text"
            raise self._no_such(where, forms.get(elements, default), given)
        return [self._element(element, name, option, f"{where}[{index}]") for index, element in enumerate(value)]

    def _no_such(self, where: str, forms: str, given: Any) -> UsageError:
        place = where_unreadable(given) if isinstance(given, str) else ""
        return UsageError(f"{as_users_name_it(where, self._of_module)} must be {forms}{place}")

    def _element(self, element: Any, name: str, option: Mapping[str, Any], where: str) -> Any:
        if option.get("elements") == "dict":
            if not isinstance(element, Mapping):
                raise UsageError(f"{where} must be a dictionary")
            if options := option.get("options"):
                item = own_keys(element, options) if name == "instances" else element
                return self.options(item, options, f"{where}.")
            return element
        if name in WHICH | _NAMES:
            if is_blank(element):
                raise _blank(where, element, is_required=True)
            self._check_which(element, "name" if name in _NAMES else name, where)
            if name in WHICH and re.search(r"\s", stripped(str(element))):
                raise UsageError(f"{where} has white space in it; put commas or line ends between IDs")
        return stripped(element) if isinstance(element, str) else element


def _for_the_api(value: Any, option: Mapping[str, Any] | None, where: str) -> Any:
    """A setting; ``false`` switches one off whose value is text."""
    if option is None or option["type"] != "str" or not isinstance(value, (bool, float, list, dict)):
        return value
    if value is False:
        return ""
    raise UsageError(f"{where} must be text, not {json.dumps(value) if value is True else type(value).__name__}")


def is_blank(value: Any) -> bool:
    """Whether an option's value is null or text without a character to see."""
    return value is None or (isinstance(value, str) and not stripped(value))


def _blank(where: str, value: Any, *, is_required: bool) -> UsageError:
    what = "null" if value is None else "blank"
    way_out = "give it a value" if is_required else "give it a value, or leave it out, for example with omit"
    return UsageError(f"{where} is {what}, so that it isn't known which one is meant; {way_out}")
