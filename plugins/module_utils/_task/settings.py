# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that a task's instances should have, by its options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .._common.errors import UsageError
from .._fleet.observation import Target
from .._settings.progress import SettingsProgress
from .._vendors.gateway import Gateway, Setting
from .._vendors.providers import PROVIDERS
from .arguments import CREATION


def with_settings(params: Mapping[str, Any], targets: Sequence[Target]) -> list[SettingsProgress]:
    """The instances with the settings of their items, which go over those of the task. Sends no request.

    :raises UsageError: if an instance has no settings, or one that its gateway doesn't have or take.
    """
    items = [{}] if params["instances"] is None else params["instances"]
    found = []
    for index, (item, target) in enumerate(zip(items, targets, strict=True)):
        given = _named(params["settings"]) | _named(item.get("settings"))
        where = f"instances[{index}] ({target.label})" if item else "the task"
        if not given:
            raise UsageError(f"{where} needs settings: the ones that the instance should have")
        found.append(SettingsProgress(target=target, desired=desired_settings(target.gateway, given, where)))
    return found


def settings_of_creation(item: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among the options of a creation: those that an existing instance can be given, too."""
    known = {key for gateway in PROVIDERS.values() for key in gateway.settings}
    given = {key: item[key] for key in CREATION.options if key in known and item[key] is not None}
    return _named(item["settings"]) | given


def desired_settings(gateway: Gateway, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The settings ``given`` as the gateway has them; ``where`` is the instance in messages.

    :raises UsageError: if there is one that the gateway doesn't have or take.
    """
    checked = {}
    for key, value in given.items():
        if key not in gateway.settings:
            owners = [name for name, other in PROVIDERS.items() if key in other.settings]
            raise UsageError(
                f"{where}: {key} is a setting of {' and '.join(owners) or 'no gateway'}; {gateway.provider} has "
                f"{', '.join(gateway.settings)}"
            )
        checked[key] = _checked(value, gateway.settings[key], f"{where}: {key}")
    return gateway.vendor_settings(checked)


def _named(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (settings or {}).items() if value is not None}


def _checked(value: Any, setting: Setting, where: str) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and not setting.least <= value <= setting.most:
        raise UsageError(f"{where} must be between {setting.least} and {setting.most}")
    if setting.is_url and isinstance(value, str):
        value = value.strip()
        if value and not _is_url(value):
            raise UsageError(f'{where} must be an address that begins with https:// or http://, or "" for none')
    if value == "" and not setting.may_be_empty:
        raise UsageError(f"{where} can't be empty")
    return value


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        # The port raises ValueError if it is no number.
        return url.scheme in ("https", "http") and bool(url.hostname) and url.port != 0 and not re.search(r"\s", text)
    except ValueError:
        return False
