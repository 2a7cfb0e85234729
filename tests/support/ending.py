# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that end instances and change their subscriptions."""

from __future__ import annotations

from typing import Any

from ansible_collections.msgops.fleet.tests.storm.runs import Result, Run
from ansible_collections.msgops.fleet.tests.support.creation import QUICK_LISTING, SHORT_LEASE, Fleet

LINKED = {"green_api": "authorized", "plugzapi": "connected"}
UNLINKED = {"green_api": "notAuthorized", "plugzapi": "disconnected"}
UNLINK_ROUTES = {"green_api": "logout", "plugzapi": "disconnect"}


def items(fleet: Fleet, *names: str) -> list[dict[str, Any]]:
    """Items of a task for the instances of these names."""
    return [{"id": str(fleet.existing(name)[0]["id"]), "name": name} for name in names]


def make(fleet: Fleet, *names: str, linked: bool = False) -> list[dict[str, Any]]:
    """Instances that a task has created, with or without a phone, as items of a task."""
    fleet.emulator.config({"green_api.creating_seconds": 0})
    assert not fleet.create(*names).get("failed")
    made = items(fleet, *names)
    for item in made if linked else ():
        fleet.emulator.set_state(fleet.provider, item["id"], LINKED[fleet.provider])
    return made


def deletion(fleet: Fleet, instances: list[dict[str, Any]], **options: Any) -> Run:
    """The task that deletes instances."""
    run = {key: options.pop(key) for key in ("check_mode", "diff") if key in options}
    given = {
        "provider": fleet.provider,
        "api_url": fleet.emulator.url,
        "partner_token": fleet.emulator.account(fleet.provider)["partner_token"],
        "journal": fleet.journal,
        "credentials_file": str(fleet.credentials_file),
        "timeout": 2.0,
        "retry_timeout": 0,
        "wait_timeout": 20,
        "instances": instances,
        **options,
    }
    times = {"listing_policy": QUICK_LISTING, "lease_policy": SHORT_LEASE, "interval": 0.02}
    return Run("instance_delete", given, times=times, **run)


def delete(fleet: Fleet, instances: list[dict[str, Any]], **options: Any) -> Result:
    """The result of that task, run here."""
    return deletion(fleet, instances, **options)()


def subscription(fleet: Fleet, instances: list[dict[str, Any]] | None, state: str, **options: Any) -> Run:
    """The task that subscribes instances, or cancels their subscriptions."""
    run = {key: options.pop(key) for key in ("check_mode", "diff") if key in options}
    given = {
        "state": state,
        "api_url": fleet.emulator.url,
        "partner_token": fleet.emulator.account(fleet.provider)["partner_token"],
        "timeout": 2.0,
        "retry_timeout": 0,
        "instances": instances,
        **options,
    }
    given = {key: value for key, value in given.items() if value is not None}
    return Run("instance_subscription", given, times={"listing_policy": QUICK_LISTING}, **run)


def writes(fleet: Fleet) -> list[str]:
    """The routes of the requests that wrote something, without creations and the gateway's name."""
    routes = [entry["route"].partition(".")[2] for entry in fleet.emulator.log(writes=True)]
    return [route for route in routes if route != "create"]
