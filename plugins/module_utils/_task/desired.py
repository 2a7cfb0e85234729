# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances that shall exist, by a task's options."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping
from typing import Any

from .._common.errors import UsageError
from .._common.texts import join_first
from .._creation.desired import DesiredInstance
from .._creation.result import Result
from .._journal.entries import Key
from .._vendors.providers import PROVIDERS, GatewayCache
from .accounts import partner_account
from .arguments import CREATION, OptionResolver
from .entrypoint import TaskContext


def desired_instances(
    params: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver
) -> list[DesiredInstance]:
    """The instances of the option ``instances``, else the one that the other options describe. Sends no request.

    :raises UsageError: if the options of an instance aren't valid, or if a name occurs twice for an account.
    """
    items: list[Mapping[str, Any]] = [params] if params["instances"] is None else params["instances"]
    instances = [desired_instance(item, gateways, resolver) for item in items]
    refuse_duplicates(instances)
    return instances


def refuse_duplicates(instances: Iterable[DesiredInstance], where: str = "instances") -> None:
    """:raises UsageError: if a name occurs twice for an account; ``where`` is the option that names them."""
    by_name: dict[Key, list[DesiredInstance]] = collections.defaultdict(list)
    for desired in instances:
        by_name[desired.key].append(desired)
    for key, same in by_name.items():
        names = [desired.account.name for desired in same]
        # One token at one address opens one account, whatever the items call it.
        accesses = {desired.account.access for desired in same}
        if len(same) > 1 and (None in names or min(len(set(names)), len(accesses)) < len(same)):
            raise duplicate(key.name, key.provider, len(same), where)


def duplicate(name: str, provider: str, times: int, where: str) -> UsageError:
    """The error of a name that occurs several times for an account in the option ``where``."""
    return UsageError(
        f"{name} stands {times} times for {provider} in {where}; a name is that of one instance of an account: name it "
        "once, or if they belong to different accounts, give each its account, as an item of instances"
    )


def warn_of_numbers(results: Iterable[Result], task: TaskContext) -> None:
    """Warn of names that the user wrote as numbers, if such an instance was created or would be."""
    created = {result.desired.name for result in results if result.action in ("created", "would_create")}
    if names := sorted(created & task.numbers):
        task.warnings.append(
            "names of new instances were given as numbers, and YAML changes some numbers, for example 0123 to 83; "
            f"quote them: {join_first(names)}"
        )


def desired_instance(item: Mapping[str, Any], gateways: GatewayCache, resolver: OptionResolver) -> DesiredInstance:
    """The instance that an item describes. Sends no request.

    :raises UsageError: if its options aren't valid.
    """
    name = item["name"]
    account = partner_account(item, name, resolver)
    options = {option: item[option] for option in CREATION.options if item[option] is not None}
    gateway = account.connect(gateways, resolver)
    _refuse_foreign_options(account.provider, options)
    return DesiredInstance(
        name=name,
        gateway=gateway,
        api_url=account.api_url,
        account=account.identity,
        payload=gateway.payload_for(name, options),
    )


def _refuse_foreign_options(provider: str, options: Iterable[str]) -> None:
    own = PROVIDERS[provider].creation_options
    for option in sorted(set(options) - set(own)):
        owners = [name for name, gateway in PROVIDERS.items() if option in gateway.creation_options]
        raise UsageError(f"{option} is an option of {' and '.join(owners)}; {provider} has {', '.join(own) or 'none'}")
