# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the hosts of a fleet: each instance and phone once, whatever the number of hosts that name it."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._common.timestamps import utc_now
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials import CredentialsFile
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials_content import Content
from ansible_collections.msgops.fleet.plugins.module_utils._fleet import phones
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.observation import Target, observe
from ansible_collections.msgops.fleet.plugins.module_utils._report.members import phone_member
from ansible_collections.msgops.fleet.plugins.module_utils._task.accounts import (
    PartnerAccount,
    implied_accounts,
    partner_account,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import OptionResolver, transport_options
from ansible_collections.msgops.fleet.plugins.module_utils._task.cloudphones import KOOPHONE, make_koophone
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext
from ansible_collections.msgops.fleet.plugins.module_utils._task.listing import AccountListing, list_accounts
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Credentials
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import GatewayCache
from ansible_collections.msgops.fleet.plugins.plugin_utils._fleet_hosts import FleetHost, why_without_token, with_known

# What is known of a host: what instance_state or cloudphone_status returns, and ``host``, ``account`` and ``due``.
Row = dict[str, Any]

_UNREAD_INSTANCE: Row = {
    "state": None,
    "vendor_state": None,
    "authorized": False,
    "health": "unknown",
    "observed_at": None,
}


def read_instances(task: TaskContext, hosts: Sequence[FleetHost], batches: Sequence[Sequence[FleetHost]]) -> list[Row]:
    """A row for each host. Accounts are listed only if tokens of their gateway are missing."""
    options = transport_options(task.params, check_mode=task.check_mode)
    resolver, gateways = task.resolver, GatewayCache(options)
    credentials = _credentials(task.params["credentials_file"])
    tokenless = {host.provider for host in with_known(hosts, credentials, ()) if not host.token}
    accounts = _accounts(task.params, resolver, tokenless)
    listings = list_accounts(accounts, gateways, resolver, concurrency=options.concurrency)
    completed = iter(with_known(hosts, credentials, listings))
    rows = []
    for batch in batches:
        known = list(itertools.islice(completed, len(batch)))
        targets, errors = _targets(known, gateways, resolver, listings)
        task.secrets.update(target.credentials.token for target in targets.values())
        observations = observe(list(targets.values()), concurrency=options.concurrency, progress=task.progress)
        read = {place: one.as_result() for place, one in zip(targets, observations, strict=True)}
        for host in known:
            row = {"host": host.host, "account": host.account, "due": host.due}
            identity = {"id": host.id, "name": host.name, "provider": host.provider}
            found = read.get(_place(host)) or _UNREAD_INSTANCE | {"error": errors[host.host].as_item_error()}
            rows.append(row | found | identity)
    return rows


_Place = tuple[str, str, str | None]


def _place(host: FleetHost) -> _Place:
    """What identifies an instance: equal IDs in two accounts are two instances."""
    return (*host.key, host.account)


def _targets(
    hosts: Sequence[FleetHost], gateways: GatewayCache, resolver: OptionResolver, listings: Sequence[AccountListing]
) -> tuple[dict[_Place, Target], dict[str, FleetError]]:
    """The instances to read, and why the instances of other hosts can't be read."""
    targets: dict[_Place, Target] = {}
    errors: dict[str, FleetError] = {}
    for host in hosts:
        try:
            if not host.token:
                raise why_without_token(host, listings)
            item = {"api_url": host.api_url}
            gateway = resolver.gateway(gateways, host.provider, item, f"host {host.host}")
        except FleetError as error:
            errors[host.host] = error
            continue
        client_token = resolver.find(host.provider, "client_token", host.client_token)
        target = Target(gateway, Credentials(host.id, host.token, client_token), host.name)
        targets.setdefault(_place(host), target)
    return targets, errors


def _accounts(params: Mapping[str, Any], resolver: OptionResolver, providers: Collection[str]) -> list[PartnerAccount]:
    if not params["accounts"]:
        return implied_accounts("the check", resolver, providers)
    items = enumerate(params["accounts"])
    accounts = [partner_account(item, f"fleet_accounts[{index}]", resolver) for index, item in items]
    return [account for account in accounts if account.provider in providers]


def _credentials(path: str | None) -> Content:
    """The content of a file that instance_create has written; empty without one.

    :raises UsageError: if the file can't be read, or holds anything else. The message doesn't quote its content.
    """
    return {} if path is None else CredentialsFile(path).read(must_exist=True)


def read_phones(task: TaskContext, batches: Sequence[Sequence[FleetHost]]) -> list[Row]:
    """A row for each host, by the tenant's listing; only if that is refused, by the statuses, batch by batch.

    The listing needs a permission to read only, and its field has one meaning in all editions of the vendor's pages.
    """
    options = transport_options(task.params, check_mode=task.check_mode)
    environment = KOOPHONE.validate({}, action="fleet_check", check_mode=task.check_mode).params
    size = task.params["batch_size"]
    queries = [phones.PhonesQuery(list(dict.fromkeys(host.id for host in batch)), size) for batch in batches]
    hosts = [host for batch in batches for host in batch]
    if not hosts:
        return []
    ids = list(dict.fromkeys(host.id for host in hosts))
    try:
        koophone = make_koophone(environment, options, task.secrets)
        return _phone_rows(hosts, phones.read_listed_phones(koophone, ids, concurrency=options.concurrency))
    except FleetError as error:
        if error.code not in ("forbidden", "not_found"):  # such as one of options that name no tenant
            return _phone_rows(hosts, [phones.Phone(instance_id, error=error) for instance_id in ids])
    rows = []
    for batch, query in zip(batches, queries, strict=True):
        read, _requests = phones.read_phones(koophone, query, concurrency=options.concurrency, progress=task.progress)
        rows += _phone_rows(batch, read)
    return rows


def _phone_rows(hosts: Sequence[FleetHost], read: Sequence[phones.Phone]) -> list[Row]:
    """A row for each of ``hosts``, whose phones were read just now."""
    results = {phone.instance_id: phone.as_result() for phone in read}
    now = utc_now()
    rows = []
    for host in hosts:
        row = {"host": host.host, "name": host.name, "due": host.due, **results[host.id], "observed_at": now}
        rows.append(row | {"health": phone_member(row, host.host).health})
    return rows
