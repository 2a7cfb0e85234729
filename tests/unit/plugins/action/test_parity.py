# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task has the same result and sends the same requests on the controller and as a module."""

from __future__ import annotations

import datetime
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.msgops.fleet.plugins.module_utils._common.masking import can_register_secrets
from ansible_collections.msgops.fleet.tests.support.stage import Played, Stage, TaskContext, Vaulted

from msgops_emulator import Control

VAULT_PASSWORD = "vault password"


def encrypted(value: str) -> Vaulted:
    """``value`` as ``ansible-vault encrypt_string`` would have it."""
    ciphertext = VaultLib([("default", VaultSecret(VAULT_PASSWORD.encode()))]).encrypt(value)
    return Vaulted(ciphertext.decode())


# What the emulator has; the tokens hold what URLs, shells and JSON spell in another way.
SHOP = {"id": 1101000001, "token": 's3cret/shop+token="%&', "name": "shop", "state": "authorized"}
SUPPORT = {"id": 1101000002, "token": "s3cret/support+token=", "name": "support", "state": "notAuthorized"}
BANNED = {"id": 1101000003, "token": "s3cret/banned+token=", "name": "banned", "state": "blocked"}
STRANGE = {"id": 1101000004, "token": "s3cret/strange+token=", "name": "strange", "state": "hibernating"}
BUSY = {"id": 1101000005, "token": "s3cret/busy+token=", "name": "busy", "state": "authorized"}
TALKATIVE = {"id": 1101000006, "token": "s3cret/talkative+token=", "name": "talkative", "state": "authorized"}
DEAF = {"id": 1101000007, "token": "s3cret/deaf+token=", "name": "deaf", "state": "authorized"}
EXPORTED = {"id": 1101000008, "token": "s3cret/exported+token=", "name": "exported", "state": "authorized"}
WARNED = {"id": 1101000009, "token": "s3cret/warned+token=", "name": "warned", "state": "yellowCard"}
LOJA = {"id": "3C0FFEE0000000000000000000000001", "token": "s3cret-loja-token", "name": "loja", "state": "connected"}
GREEN_API = [SHOP, SUPPORT, BANNED, STRANGE, BUSY, TALKATIVE, DEAF, EXPORTED, WARNED]
PHONES = [{"id": "a44uhlf7", "status": 2}, {"id": "efjy72gs", "status": 1}]
ROWS = [
    {"id": str(instance["id"]), "name": instance["name"], "provider": "green_api", "state": instance["state"]}
    for instance in (SHOP, SUPPORT)
]
NUMBERS = [
    {"ddi": "55", "phone": "4499999999", "result": "available"},
    {"ddi": "55", "phone": "4488888888", "result": "banned", "appeal_token": "s3cret-appeal-token"},
]


INSTANCES = [*GREEN_API, LOJA]
TOKENS = {
    **{str(instance["name"]): str(instance["token"]) for instance in INSTANCES},
    "wrong": "s3cret-wrong",
    "hook": "s3cret-hook",
}


HOOK = "https://user:s3cret-user@hooks.example/in?key=s3cret-query"


@dataclass(frozen=True)
class Case:
    """A task of ``module``; ``says`` is part of the message if it fails, ``warns`` of a warning if there is one.

    ``differs`` are the keys of the result in which the two ways are known to differ.
    """

    module: str
    options: Any
    keywords: dict[str, Any] = field(default_factory=dict)
    says: str = ""
    warns: str = ""
    differs: tuple[str, ...] = ()


def state(**options: Any) -> dict[str, Any]:
    """The options of ``instance_state`` for GREEN-API, which fails at once."""
    return {"provider": "green_api", "retry_timeout": 0, **options}


def token(instance: Mapping[str, Any]) -> str:
    """A template of the instance's token: ansible-core 2.19 and later quote a playbook's lines in messages."""
    return "{{ tokens." + str(instance["name"]) + " }}"


def single(instance: Mapping[str, Any], /, **options: Any) -> dict[str, Any]:
    """The options of ``instance_state`` for one instance."""
    return {**state(instance_id=str(instance["id"]), instance_token=token(instance)), **options}


def item(instance: Mapping[str, Any], /, **more: Any) -> dict[str, Any]:
    """The instance as an item of ``instances``."""
    return {"id": str(instance["id"]), "token": token(instance), "name": instance["name"], **more}


def fleet(*instances: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """The options of ``instance_state`` for many instances."""
    return state(instances=[item(instance) for instance in instances], **options)


READS = {
    "one instance": Case("instance_state", single(SHOP)),
    "one in check mode": Case("instance_state", single(SHOP), {"check_mode": True}),
    "one at PlugzAPI": Case("instance_state", single(LOJA, provider="plugzapi")),
    "many": Case("instance_state", fleet(SHOP, SUPPORT, BANNED, STRANGE)),
    "many of both gateways": Case(
        "instance_state", {"instances": [item(SHOP, provider="green_api"), item(LOJA, provider="plugzapi")]}
    ),
    "some unreadable": Case(
        "instance_state",
        fleet(SHOP, {**SUPPORT, "name": "wrong"}, {**BANNED, "id": 1}),
        says="2 of 3 instances could not be read: HTTP 401 (1): wrong; HTTP 403 (1): banned.",
    ),
    "some unreadable, which is fine": Case(
        "instance_state", fleet(SHOP, {**SUPPORT, "name": "wrong"}, fail_on_error=False)
    ),
    "a wrong token": Case("instance_state", single({**SHOP, "name": "wrong"}), says="check instance_id"),
    "throttled": Case("instance_state", single(BUSY, retry_timeout=10)),
    "a vendor that repeats the token": Case("instance_state", single(TALKATIVE), says="***"),
    "nobody there": Case("instance_state", single(SHOP, api_url="http://127.0.0.1:1"), says="refuses the connection"),
    "plain http": Case("instance_state", single(SHOP, api_url="http://gateway.example"), says="must use https"),
}

WAITS_AND_PHONES = {
    "waiting for a state that does not come": Case(
        "instance_state",
        fleet(SHOP, SUPPORT, wait_for=["authorized"], wait_timeout=0.5, wait_interval=5),
        says="did not become authorized",
    ),
    "waiting for the banned": Case(
        "instance_state", fleet(SUPPORT, BANNED, wait_for=["authorized"]), says="gave up waiting"
    ),
    "waiting for a state that is reached": Case("instance_state", single(SUPPORT, wait_for="authorized,notAuthorized")),
    "phones": Case("cloudphone_status", {"instance_ids": ["a44uhlf7", "efjy72gs", "missing1", "a44uhlf7"]}),
    "phones that are not there yet": Case(
        "cloudphone_status",
        {"instance_ids": ["a44uhlf7", "efjy72gs"], "wait_for": ["running"], "wait_timeout": 0.5, "wait_interval": 5},
        says="stopped (1): efjy72gs",
    ),
    "phones of somebody else": Case(
        "cloudphone_status", {"instance_ids": ["a44uhlf7"], "auth_token": "{{ tokens.wrong }}"}, says="check auth_token"
    ),
}

CREATIONS = {
    "a creation in check mode": Case(
        "instance_create", {"provider": "green_api", "name": "new"}, {"check_mode": True, "diff": True}
    ),
    "a creation": Case(
        "instance_create",
        {
            "provider": "green_api",
            "name": "new",
            "settings": {"stateWebhook": True, "webhookUrlToken": "{{ tokens.hook }}"},
        },
        {"no_log": True, "diff": True},
    ),
    "the same again": Case("instance_create", {"provider": "green_api", "name": "new"}, {"no_log": True, "diff": True}),
    "an adoption": Case("instance_create", {"provider": "plugzapi", "name": "loja"}, {"no_log": True}),
    "creations into a file": Case(
        "instance_create",
        {
            "instances": [
                {"provider": "green_api", "name": "filed"},
                {"provider": "plugzapi", "name": "filed", "session_name": "Ação ☎"},
            ],
            "credentials_file": "made/credentials.json",
        },
    ),
    "a creation with a lost answer": Case(
        "instance_create", {"provider": "green_api", "name": "lost"}, {"no_log": True}
    ),
    "a creation that is refused": Case(
        "instance_create", {"provider": "green_api", "name": "refused"}, {"no_log": True}, says="HTTP 400"
    ),
    "a creation without a safe way": Case(
        "instance_create",
        {"provider": "green_api", "name": "shown"},
        says="" if can_register_secrets() else "there is no safe way",
    ),
    "the journal": Case("creation_journal", {}),
    "a discarded creation in check mode": Case(
        "creation_journal",
        {"action": "discard", "provider": "green_api", "name": "new"},
        {"check_mode": True},
        says="isn't open",
    ),
}

NUMBERS_AND_JOURNAL_ACTIONS = {
    "an adoption of nothing": Case(
        "creation_journal",
        {"action": "adopt", "provider": "green_api", "name": "nobody", "instance_id": "1"},
        says="has no creation of",
    ),
    "a number": Case(
        "registration_availability",
        {"instance_id": LOJA["id"], "instance_token": token(LOJA), "ddi": "55", "phone": "4499999999"},
        {"diff": True},
    ),
    "a number in check mode": Case(
        "registration_availability",
        {"instance_id": LOJA["id"], "instance_token": token(LOJA), "ddi": "55", "phone": "4499999999"},
        {"check_mode": True, "diff": True},
    ),
    "a banned number": Case(
        "registration_availability",
        {"instance_id": LOJA["id"], "instance_token": token(LOJA), "ddi": "55", "phone": "4488888888"},
        warns="" if can_register_secrets() else "the appeal token was withheld",
    ),
    "a banned number in secret": Case(
        "registration_availability",
        {"instance_id": LOJA["id"], "instance_token": token(LOJA), "ddi": "55", "phone": "4488888888"},
        {"no_log": True},
    ),
}

LINKS_AND_REBOOTS = {
    "a link in check mode": Case("instance_link", {**single(SUPPORT), "dest": "made"}, {"check_mode": True}),
    "a link that is there": Case("instance_link", {**single(SHOP), "dest": "made"}),
    "a link that fails": Case(
        "instance_link",
        {**fleet(SHOP, SUPPORT), "dest": "made", "wait_timeout": 0.5, "wait_interval": 5},
        {"diff": True},
        says="support",
    ),
    "a link without a way to show its code": Case("instance_link", single(SUPPORT), says="dest"),
    "a code without waiting": Case(
        "instance_link",
        {**single(SUPPORT), "method": "code", "phone": "4915112345678", "wait_timeout": 0},
        {"no_log": True},
    ),
    "settings in check mode": Case(
        "instance_settings",
        fleet(SHOP, SUPPORT, settings={"webhookUrl": HOOK, "webhookUrlToken": "s3cret-hook"}),
        {"check_mode": True, "diff": True},
    ),
    "settings": Case(
        "instance_settings",
        fleet(EXPORTED, settings={"webhookUrl": HOOK, "stateWebhook": True}, verify_interval=0.1),
        {"diff": True},
    ),
    "settings of the other gateway": Case(
        "instance_settings", single(SHOP, settings={"delivery_callback_url": HOOK}), says="is a setting of plugzapi"
    ),
    "settings beyond a limit": Case(
        "instance_settings", fleet(SHOP, SUPPORT, settings={"autoTyping": 3}, max_changes=1), says="max_changes is 1"
    ),
    "a new token in check mode": Case(
        "instance_token",
        fleet(SHOP, credentials_file="made/renewed.json"),
        {"check_mode": True, "diff": True},
    ),
    "new tokens beyond the limit": Case(
        "instance_token", fleet(SHOP, SUPPORT, credentials_file="made/renewed.json"), says="max_changes is 1"
    ),
    "a token that is young": Case(
        "instance_token", {**single(SHOP, max_age_days=1), "credentials_file": "made/renewed.json"}, {"diff": True}
    ),
    "a new token at the other gateway": Case(
        "instance_token", single(LOJA, provider="plugzapi"), says="plugzapi has no call for new tokens"
    ),
    "the phones of a tenant": Case("cloudphone_info", {}),
    "a reboot of phones in check mode": Case(
        "cloudphone_reboot", {"instance_ids": ["a44uhlf7", "efjy72gs"]}, {"check_mode": True, "diff": True}
    ),
    "a reboot of a phone too many": Case(
        "cloudphone_reboot", {"instance_ids": ["a44uhlf7"], "max_reboots_per_hour": 0}, says="rebooted 0 times"
    ),
    "a reboot in check mode": Case("instance_reboot", fleet(SHOP, WARNED), {"check_mode": True, "diff": True}),
    "a reboot too many": Case("instance_reboot", single(WARNED, max_reboots_per_hour=0), says="reboot"),
    "a reboot": Case("instance_reboot", fleet(SHOP, WARNED, wait_timeout=0), {"diff": True}),
}

ENDS = {
    "a subscription in check mode": Case(
        "instance_subscription",
        {"state": "subscribed", "instances": [item(LOJA)]},
        {"check_mode": True, "diff": True},
    ),
    "a subscription": Case("instance_subscription", {"state": "subscribed", "instances": [item(LOJA)]}, {"diff": True}),
    "a subscription of the other gateway": Case(
        "instance_subscription",
        {"state": "cancelled", "provider": "green_api", "instance_id": str(SHOP["id"]), "name": "shop"},
        says="they renew by themselves",
    ),
    "a deletion that is refused": Case(
        "instance_delete",
        {"provider": "green_api", "instances": [item(SHOP), item(SUPPORT)], "only_journalled": False},
        {"diff": True},
        says="could not be deleted",
    ),
    "a deletion in check mode": Case(
        "instance_delete",
        {"provider": "green_api", "instances": [item(SUPPORT)], "only_journalled": False},
        {"check_mode": True, "diff": True},
    ),
    "a deletion of what is gone": Case(
        "instance_delete", {"provider": "green_api", "instances": [{"id": "1", "name": "gone"}]}, {"diff": True}
    ),
}

PROVISIONS = {
    "a provision in check mode": Case(
        "instance_provision",
        {"instances": [{"name": "wanted", "provider": "green_api"}, item(SHOP, provider="green_api")]},
        {"check_mode": True, "diff": True, "no_log": True},
    ),
    "a provision": Case(
        "instance_provision",
        {
            "instances": [
                {"name": "wanted", "provider": "green_api"},
                item(SHOP, provider="green_api"),
                item({**SUPPORT, "name": "wrong"}, provider="green_api"),
            ],
            "credentials_file": "made/provisioned.json",
            "report_file": "made/provisioned-report.json",
            "wait": False,
            "retry_timeout": 0,
        },
        {"diff": True},
        says="1 of 3 instances are authorized",
    ),
}

LISTS_AND_REPORTS = {
    "the instances of an account": Case(
        "instance_info",
        {"provider": "green_api"},
        warns="" if can_register_secrets() else "the tokens were withheld",
    ),
    "the instances of an account in secret": Case("instance_info", {"provider": "plugzapi"}, {"no_log": True}),
    "the instances of all accounts": Case("instance_info", {}, {"no_log": True}),
    "a wrong partner": Case(
        "instance_info", {"provider": "green_api", "partner_token": "{{ tokens.wrong }}"}, says="check partner_token"
    ),
    "a report": Case(
        "fleet_report", {"instances": ROWS, "json_file": "made/fleet.json", "html_file": "made/fleet.html"}
    ),
    "a report in check mode": Case(
        "fleet_report", {"instances": ROWS, "json_file": "made/other.json"}, {"check_mode": True, "diff": True}
    ),
    "a report of reports": Case(
        "fleet_report", {"reports": ["made/fleet.json"], "junit_file": "made/fleet.xml", "return_report": True}
    ),
    "a report of nothing readable": Case("fleet_report", {"reports": ["made/nothing.json"]}, says="nothing.json"),
}

WRONG_OPTIONS = {
    "missing": Case("cloudphone_status", {}, says="missing required arguments: instance_ids"),
    "missing in an item": Case(
        "instance_state", state(instances=[{"token": "{{ tokens.wrong }}"}]), says="found in instances"
    ),
    "unsupported": Case("instance_state", single(SHOP, nonsense="1"), says="Unsupported parameters for"),
    "unsupported in an item": Case("instance_state", state(instances=[item(SHOP, tok="x")]), says="Unsupported"),
    "mutually exclusive": Case("instance_state", fleet(SHOP, instance_id="1"), says="mutually exclusive"),
    "required one of": Case("instance_create", {"provider": "green_api"}, says="one of the following is required"),
    "required if": Case("creation_journal", {"action": "adopt"}, says="action is adopt but all of the following"),
    "several at once": Case("instance_state", state(timeout="soon", wait_for=["linked"], colour="red"), says="timeout"),
}

WRONG_VALUES = {
    "wrong choice": Case("instance_state", single(SHOP, wait_for=["linked"]), says="must be one or more of"),
    "wrong choice in an item": Case(
        "instance_state", state(instances=[item(SHOP, provider="green")]), says="must be one of"
    ),
    "wrong type": Case("instance_state", single(SHOP, timeout="soon"), says="unable to convert to float"),
    "wrong type in a variable": Case(
        "instance_state",
        single(SHOP),
        {"environment": {"MSGOPS_TIMEOUT": "soon"}},
        says="(timeout comes from the variable MSGOPS_TIMEOUT)",
    ),
    "wrong type of an element": Case("instance_state", state(instances=[1]), says="instances"),
    "wrong type of a list": Case("instance_state", state(instances={"id": "1"}), says="instances must be a list"),
    "a secret in the wrong place": Case(
        "instance_state", single(SHOP, timeout=token(SHOP)), says="unable to convert to float"
    ),
    "a secret for a choice": Case("instance_state", single(SHOP, provider=token(SHOP)), says="must be one of"),
}

OTHERS = {"GREEN_API_ID_INSTANCE": EXPORTED["id"], "GREEN_API_TOKEN_INSTANCE": "{{ tokens.exported }}"}

# What says which instance is blank, while the environment names another one.
BLANKS = {
    f"{module}, {option} is {blank!r}": Case(
        module, {**single(WARNED), **more, option: blank}, {"environment": OTHERS}, says=f"{option} is "
    )
    for module, more in {
        "instance_state": {},
        "instance_reboot": {},
        "instance_link": {"dest": "made"},
        "registration_availability": {"provider": "plugzapi", "ddi": "55", "phone": "4499999999"},
    }.items()
    for option in ("instance_id", "instance_token", "client_token")
    for blank in (None, " ")
} | {
    "a blank name": Case("instance_create", {"provider": "green_api", "name": None}, says="name is null"),
    "a blank partner": Case(
        "instance_create", {"provider": "green_api", "name": "x", "partner_token": ""}, says="partner_token is blank"
    ),
    "a blank tenant": Case(
        "cloudphone_status", {"instance_ids": ["a44uhlf7"], "auth_token": None}, says="auth_token is null"
    ),
    "a blank item": Case("instance_reboot", state(instances=[item(SHOP), item(WARNED, id="")]), says="instances[1].id"),
    "a boolean for a name": Case("instance_create", {"provider": "green_api", "name": True}, says="quote it"),
    "a fraction for a name": Case("instance_state", state(instances=[item(SHOP, name=1.50)]), says="quote it"),
    "no list": Case("cloudphone_status", {"instance_ids": {"a": 1}}, says="instance_ids must be a list"),
}

MISTAKES = {
    "a URL in a variable": Case(
        "instance_state",
        single(SHOP),
        {"environment": {"GREEN_API_URL": "gateway"}},
        says="(api_url comes from the variable GREEN_API_URL)",
    ),
    "only one of two from the task": Case(
        "instance_state", state(instance_id="1"), {"environment": OTHERS}, says="needs instance_token, because"
    ),
    "an option and its alias": Case(
        "instance_state",
        single(SHOP, id_instance=str(SHOP["id"])),
        warns="Both option instance_id and its alias",
        differs=("warnings",),
    ),
    "out of range": Case("instance_state", single(SHOP, concurrency=0), says="concurrency must be between"),
    "nothing at all": Case("instance_state", {}, says="needs provider"),
    "no templates": Case("instance_state", single(SHOP, instance_id="{{ nowhere }}"), says="is undefined"),
}

VALUES = {
    "an integer for an ID": Case("instance_state", single(SHOP, instance_id=SHOP["id"])),
    "key=value": Case(
        "instance_state",
        f"provider=green_api id_instance={SUPPORT['id']} api_token_instance='{token(SUPPORT)}' timeout=5",
    ),
    "a boolean in words": Case("instance_state", single(SHOP, fail_on_error="yes", validate_certs="off")),
    "a template": Case(
        "instance_state",
        single(SHOP, name="{{ omit }}", api_url="{{ url if url is defined else omit }}", timeout="{{ 2 + 3 }}"),
    ),
    "a fleet from a template": Case(
        "instance_state",
        state(instances="{{ ours + theirs }}"),
        {"vars": {"ours": [item(SHOP)], "theirs": [item(SUPPORT, name="{{ 'sup' ~ 'port' }}")]}},
    ),
    "a vaulted token": Case("instance_state", single(SHOP, instance_token=encrypted(str(SHOP["token"])))),
    "a vaulted token in a variable": Case(
        "instance_state",
        state(instances=[item(SHOP, token="{{ vaulted }}")]),
        {"vars": {"vaulted": encrypted(str(SHOP["token"]))}},
    ),
    "a name with everything": Case(
        "instance_state", state(instances=[item(SHOP, name="Ação ☎ 'quoted' \"twice\" \\")])
    ),
    "a date for a name": Case(
        "instance_state",
        state(
            instances=[
                item(SHOP, name=datetime.date(2026, 1, 31)),
                item(SHOP, name=datetime.datetime(2026, 1, 31, 12, 0, 0, tzinfo=datetime.timezone.utc)),
            ]
        ),
        differs=("instances", "invocation"),
    ),
    "blank options that say how": Case(
        "instance_state",
        single(SHOP, api_url=None, timeout="", ca_path=" ", provider="", wait_for=""),
        {"environment": {"MSGOPS_PROVIDER": "green_api", "MSGOPS_TIMEOUT": " ", "KOOPHONE_ENDPOINT": ""}},
    ),
    "white space around options": Case(
        "instance_state", state(instances=[item(SHOP, id=f"{SHOP['id']}\r\n", token="{{ tokens.shop }}\r", name=" a ")])
    ),
    "a fleet as JSON text": Case(
        "instance_state", state(instances='[{"id": "1101000001", "token": "{{ tokens.loja }}"}]', fail_on_error=False)
    ),
    "phones as text": Case("cloudphone_status", {"instance_ids": "a44uhlf7, efjy72gs\r\n"}),
    "an instance that check mode would create": Case(
        "instance_state",
        single(SHOP, instance_id=None, instance_token=""),
        {"check_mode": True, "environment": {"GREEN_API_ID_INSTANCE": "1", "GREEN_API_TOKEN_INSTANCE": "t"}},
        warns="would be created",
    ),
    "instances that check mode would create": Case(
        "instance_reboot",
        state(instances=[item(WARNED), {"id": None, "token": None, "name": "new", "action": "would_create"}]),
        {"check_mode": True},
        warns="are blank: instances[1].id",
    ),
    "a link of an instance that check mode would create": Case(
        "instance_link",
        state(instances=[{"id": None, "token": None, "name": "new", "action": "would_create"}], dest="made"),
        {"check_mode": True},
        warns="would be created",
    ),
    "a number of an instance that check mode would create": Case(
        "registration_availability",
        {"instance_id": None, "instance_token": None, "ddi": "55", "phone": "4499999999"},
        {"check_mode": True},
        warns="would be created",
    ),
    "a creation of a number's name in check mode": Case(
        "instance_create", {"provider": "green_api", "name": 83}, {"check_mode": True}, warns="quote them: 83"
    ),
    "an empty list": Case("instance_state", state(instances=[])),
}

KEYWORDS = {
    "module defaults": Case(
        "instance_state",
        {"instance_id": str(SHOP["id"])},
        {
            "module_defaults": {
                "group/msgops.fleet.all": {"provider": "plugzapi", "timeout": 3},
                "group/msgops.fleet.green_api": {"provider": "green_api"},
                "msgops.fleet.instance_state": {"instance_token": token(SHOP)},
            }
        },
    ),
    "the task's environment": Case(
        "instance_state",
        {"timeout": 5},
        {
            "environment": {
                "MSGOPS_PROVIDER": "green_api",
                "GREEN_API_ID_INSTANCE": EXPORTED["id"],
                "GREEN_API_TOKEN_INSTANCE": token(EXPORTED),
            }
        },
    ),
    "a proxy in the task's environment": Case(
        "instance_state",
        single(SHOP, api_url="https://api.example.com"),
        {"environment": {"https_proxy": "http://127.0.0.1:1"}},
        says="the proxy",
    ),
    "a home in the task's environment": Case(
        "creation_journal", {"journal": "~/journal.sqlite3"}, {"environment": {"HOME": "{{ playbook_dir }}/home"}}
    ),
    "a variable in a path": Case(
        "creation_journal", {"journal": "$PLACE/journal.sqlite3"}, {"environment": {"PLACE": "{{ playbook_dir }}"}}
    ),
    "a relative path": Case("creation_journal", {"journal": "made/relative.sqlite3"}),
    "a loop": Case(
        "instance_state",
        single(SHOP, instance_token="{{ tokens[item] }}"),
        {"loop": ["shop", "wrong"]},
        says="One or more items failed",
    ),
    "the task's timeout": Case("instance_state", single(DEAF), {"timeout": 1}, says="1"),
    "a condition of its own": Case(
        "instance_state",
        single(SHOP),
        {"register": "read", "failed_when": "read.state != 'authorized'", "changed_when": True},
    ),
    "until": Case(
        "instance_state",
        single(SHOP),
        {"register": "repeated", "until": "repeated.authorized", "retries": 1, "delay": 0},
    ),
}


def _refused(cases: Mapping[str, Case]) -> dict[str, Case]:
    # What was given isn't shown with -vvv where the controller refuses it.
    return {name: replace(case, differs=("invocation", *case.differs)) for name, case in cases.items()}


ACTS = {
    "reads": READS,
    "waits and phones": WAITS_AND_PHONES,
    "creations": CREATIONS,
    "numbers and journal actions": NUMBERS_AND_JOURNAL_ACTIONS,
    "links and reboots": LINKS_AND_REBOOTS,
    "ends": ENDS,
    "provisions": PROVISIONS,
    "lists and reports": LISTS_AND_REPORTS,
    "wrong options": _refused(WRONG_OPTIONS),
    "blanks": _refused(BLANKS),
    "wrong values": {**_refused(WRONG_VALUES), **MISTAKES},
    "values": VALUES,
    "keywords": KEYWORDS,
}

# Keys whose value is never the same twice.
_NEW = {"due": "(time)", "due_raw": "(number)", "operation_id": "(word)", "waited": "(seconds)"}

WAYS = ("controller", "module")


@dataclass(frozen=True)
class Performance:
    """What came of the cases in one way.

    The registered results, the requests, the files that the tasks made (mode, and text if it is stable), and what must
    not be printed.
    """

    played: Played
    registered: dict[str, Any]
    requests: list[Any]
    files: dict[str, Any]
    secrets: set[str]


def perform(cases: Mapping[str, Case], way: str, stage: Stage, emulator: Control) -> Performance:
    """Play the cases in a new world."""
    set_up(emulator)
    shutil.rmtree(stage.folder)
    stage.folder.mkdir()
    (stage.folder / "made").mkdir()
    (stage.folder / "password").write_text(VAULT_PASSWORD)
    (stage.folder / "tokens.json").write_text(json.dumps({"tokens": TOKENS}))
    names = {name: case.keywords.get("register", f"registered_{n}") for n, (name, case) in enumerate(cases.items())}
    keep = {
        "ansible.builtin.copy": {
            "content": "{{ dict(names | zip(query('ansible.builtin.vars', *names))) | to_json }}",
            "dest": "{{ playbook_dir }}/registered.json",
            "mode": "0600",
        },
        "no_log": True,
        "vars": {"names": list(names.values()), "ansible_python_interpreter": stage.python("keep")},
    }
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": ["tokens.json"],
        # An interpreter that isn't there: nothing can run as a module unnoticed.
        "vars": {
            "msgops_execution": way,
            "ansible_python_interpreter": stage.python("case") if way == "module" else "/nonexistent",
        },
        "tasks": [*(_task(name, case, names[name]) for name, case in cases.items()), keep],
    }
    # ansible-core before 2.20 always says how it was called.
    environment = {"ANSIBLE_INJECT_INVOCATION": "true"}
    played = stage.play([play], "-vvv", "--vault-password-file", "password", environment=environment)
    assert played.status == 0, played.output
    registered = json.loads((stage.folder / "registered.json").read_text())
    made = {i["token"]: f"(token of {i['name']})" for i in emulator.instances()}
    made |= {str(i["id"]): f"(id of {i['name']})" for i in emulator.instances()}
    return Performance(
        Played(played.status, played.output, _plain(played.results, made)),
        {name: _plain(registered[names[name]], made) for name in cases},
        sorted((_plain(_sent(entry), made) for entry in emulator.log()), key=str),
        {path.name: _plain(_file(path), made) for path in (stage.folder / "made").rglob("*") if path.is_file()},
        _all_secrets(emulator),
    )


def set_up(emulator: Control) -> None:
    """Make the world that the cases expect."""
    emulator.reset({"green_api.error_body": "json_with_path"})
    emulator.seed(
        instances=[{"provider": "green_api", **i} for i in GREEN_API] + [{"provider": "plugzapi", **LOJA}],
        phones=PHONES,
        numbers=NUMBERS,
    )
    emulator.arm("green_api.get_state", "throttle", match=str(BUSY["id"]), retry_after="seconds", seconds=0)
    emulator.arm(
        "green_api.get_state",
        "status",
        match=str(TALKATIVE["id"]),
        count=None,
        status=400,
        body="not with {secret} or {encoded_secret}",
        echo_secret=True,
    )
    emulator.arm("green_api.get_state", "hang", match=str(DEAF["id"]), count=None)
    emulator.arm("green_api.create", "reset", match="lost", when="after")
    emulator.arm("green_api.create", "status", match="refused", status=400)


def _task(name: str, case: Case, variable: str) -> TaskContext:
    return {
        "name": name,
        f"msgops.fleet.{case.module}": case.options,
        "register": variable,
        "ignore_errors": True,
        **case.keywords,
    }


def _file(path: Path) -> list[Any]:
    # Pages hold codes and times, and a database is bytes.
    return [path.stat().st_mode, path.read_text() if path.suffix in (".json", ".xml") else None]


def _sent(entry: Mapping[str, Any]) -> Any:
    headers = {name.lower(): value for name, value in entry["headers"].items()}
    compared = (
        "accept",
        "accept-encoding",
        "authorization",
        "client-token",
        "content-type",
        "user-agent",
        "x-auth-token",
    )
    # KooPhone's listing has it as a parameter, and it is another one in each request.
    path = re.sub(r"x-request-id=[^&]*", "x-request-id=", entry["path"])
    return [entry["method"], path, entry["body"], [headers.get(name) for name in compared]]


def _all_secrets(emulator: Control) -> set[str]:
    secrets = {value for account in emulator.accounts() for key, value in account.items() if key.endswith("_token")}
    secrets |= {instance["token"] for instance in emulator.instances()}
    secrets |= {*TOKENS.values(), "s3cret-appeal-token", "s3cret-user", "s3cret-query"}
    return secrets | {quote(secret, safe="") for secret in secrets} | {json.dumps(secret)[1:-1] for secret in secrets}


def _plain(value: Any, made: Mapping[str, str]) -> Any:
    """``value`` without what is new each time, and without Ansible's own note that a module's output was read."""
    if isinstance(value, dict):
        plain = {key: _NEW[key] if item and key in _NEW else _plain(item, made) for key, item in value.items()}
        plain.pop("ansible_parsed", None)
        return plain
    if isinstance(value, list):
        return [_plain(item, made) for item in value]
    if not isinstance(value, str):
        return value
    for text, stand_in in made.items():
        value = value.replace(text, stand_in).replace(quote(text, safe=""), stand_in)
    value = re.sub(r"\b2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ?\b", "(time)", value)
    value = re.sub(r"\boperation_id=[0-9a-f]{32}\b", "operation_id=(word)", value)
    value = re.sub(r"^Interrupted at <frame .*", "(the line at which Ansible ended the task)", value)
    return re.sub(r"^[A-Z0-9]{8}$", "(pairing code)", value)


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    """The keys whose values aren't the same."""
    return {key for key in {*one, *other} if one.get(key, ...) != other.get(key, ...)}


@pytest.mark.parametrize("act", ACTS)
def test_both_ways_lead_to_the_same(act: str, stage: Stage, emulator: Control, subtests: pytest.Subtests) -> None:
    cases = ACTS[act]
    performances = {way: perform(cases, way, stage, emulator) for way in WAYS}
    emulator.disarm()
    controller, module = performances.values()
    for name, case in cases.items():
        with subtests.test(name):
            result = module.registered[name]
            assert bool(result.get("failed")) == bool(case.says), result
            assert case.says in str(result.get("msg"))
            assert case.warns in str(result.get("warnings"))
            assert differences(controller.registered[name], result) - {"invocation"} == {*case.differs} - {"invocation"}
            assert differences(controller.played.result(name), module.played.result(name)) == {*case.differs}
    with subtests.test("requests"):
        assert controller.requests == module.requests
    with subtests.test("files"):
        assert controller.files == module.files
    for way, performance in performances.items():
        with subtests.test(f"secrets in the output, {way}"):
            assert not [secret for secret in performance.secrets if secret in performance.played.output]
