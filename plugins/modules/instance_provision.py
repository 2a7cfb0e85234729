# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = r"""
module: instance_provision
short_description: Make sure that WhatsApp gateway instances exist and are authorized
version_added: 0.1.0
description:
  - Creates the instances that GREEN-API and PlugzAPI don't have yet, waits until a phone is linked to each, and fails
    unless all of them are authorized. The role P(msgops.fleet.provision#role) calls it, and reports what it returns.
  - It does in one task what M(msgops.fleet.instance_create), M(msgops.fleet.instance_settings),
    M(msgops.fleet.instance_reboot), M(msgops.fleet.instance_link) and M(msgops.fleet.instance_state) do, in this order.
    The failure of one instance doesn't keep the others from being created, linked and read.
  - It returns no tokens. O(credentials_file) receives them.
author:
  - msgops.fleet contributors (@msgops)
extends_documentation_fragment:
  - msgops.fleet.creation.provision
  - msgops.fleet.transport
  - msgops.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode, the module reports which instances it would create, change, reboot and link. It sends no request
        that writes. If no instance is missing or, with O(link), needs a phone, it reads, waits and fails as always.
  diff_mode:
    support: full
    details:
      - Shows the instances that are created and the states before and after, without secrets.
  idempotent:
    support: full
  action_group:
    support: full
    membership:
      - msgops.fleet.green_api
      - msgops.fleet.plugzapi
      - msgops.fleet.all
options:
  names:
    description:
      - Names of instances at the gateway O(provider), besides the items of O(instances). A list, text with a name on
        each line or commas between them, or JSON or YAML text.
      - One of O(instances) and O(names) is needed. A name that both or one of them have twice is an error.
    type: list
    elements: str
  provider:
    description:
      - The gateway of O(names), and of items without O(instances[].provider).
      - If not set, the environment variable E(MSGOPS_PROVIDER) is used.
    type: str
    choices: [green_api, plugzapi]
  partner_tokens:
    description:
      - The partner's token at each gateway. Without it, the environment variable that
        O(msgops.fleet.instance_create#module:partner_token) names is used. Null or a blank text is an error.
    type: dict
    suboptions: &by_provider
      green_api:
        description: The value for GREEN-API.
        type: str
      plugzapi:
        description: The value for PlugzAPI.
        type: str
  accounts:
    description:
      - Your own name for the account at each gateway. See O(msgops.fleet.instance_create#module:account).
    type: dict
    suboptions: *by_provider
  api_urls:
    description:
      - The base address of each gateway's API. See O(msgops.fleet.instance_create#module:api_url).
    type: dict
    suboptions: *by_provider
  client_token:
    description:
      - PlugzAPI's account security token. Needed once the account has activated it.
      - If not set, the environment variable E(PLUGZAPI_CLIENT_TOKEN) is used.
    type: str
  credentials_file:
    description:
      - A JSON file of mode 0600, into which the module merges the ID and the token of each instance that it created or
        found. See O(msgops.fleet.instance_create#module:credentials_file).
      - Without it, the module creates nothing before ansible-core 2.22 unless the task has C(no_log=true), and never at
        a gateway that doesn't list its instances, because the token of a new instance would be lost.
    type: path
  journal:
    description:
      - The journal of creations and reboots. See O(msgops.fleet.instance_create#module:journal).
      - If not set, the environment variable E(MSGOPS_JOURNAL) is used.
    type: path
    default: ~/.local/state/msgops/fleet.sqlite3
  listing:
    description:
      - Whether the gateways can list the account's instances. See O(msgops.fleet.instance_create#module:listing).
    type: str
    choices: [auto, required, none]
    default: auto
  on_unknown:
    description:
      - What to do about an earlier creation that the listing doesn't show. V(create) creates the instance, which may be
        a second one. See O(msgops.fleet.instance_create#module:on_unknown).
    type: str
    choices: [fail, create]
    default: fail
  settings:
    description:
      - Whether the settings and callbacks of an item hold for an instance that exists, too, and not for a new one only.
        They are changed as M(msgops.fleet.instance_settings) does. What the gateway doesn't tell is written once per
        value.
    type: bool
    default: true
  reboot_on:
    description:
      - The states in which the module reboots an instance before it links or waits. See
        M(msgops.fleet.instance_reboot).
    type: list
    elements: str
    choices: [yellowCard, suspended, starting, notAuthorized]
    default: []
  link:
    description:
      - Whether to show the codes that link phones to instances without one, for O(wait_timeout) seconds. V(qr) shows QR
        codes to scan, V(code) pairing codes to type in. See M(msgops.fleet.instance_link).
    type: str
    choices: ["off", qr, code]
    default: "off"
  link_dest:
    description: The folder of the page that shows the codes. Runs at the same time need a folder each.
    type: path
    default: ~/.local/state/msgops/link
  link_max_codes:
    description:
      - After how many unused codes to stop linking an instance. V(0) means never. If not set, it is 3 for PlugzAPI and
        never for GREEN-API.
    type: int
  assert_authorized:
    description:
      - Whether to fail unless every instance is authorized. Otherwise the states are only returned. An instance that
        can't be created always fails the task.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until every instance is authorized, before O(assert_authorized) decides. The module doesn't wait
        if that is V(false), or if an instance could not be created.
      - It waits for the others if an instance is V(blocked) or can't be read. O(wait=false) also ends the linking after
        one code for each instance.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait.
    type: float
    default: 300.0
  wait_interval:
    description: Seconds between two readings of the same instance, above 0.
    type: float
    default: 5.0
  subscribe:
    description:
      - Whether PlugzAPI's instances are subscribed, as M(msgops.fleet.instance_subscription) does. That costs money.
      - Without it, RV(trials) names those in trial, which PlugzAPI deletes unless somebody subscribes.
    type: bool
    default: false
  report_file:
    description:
      - A JSON file to which the module writes RV(instances) and RV(summary), without what differs from run to run
        although no state has changed. It isn't written in check mode. An existing file keeps its mode.
    type: path
seealso:
  - module: msgops.fleet.instance_create
  - module: msgops.fleet.instance_link
  - module: msgops.fleet.instance_reboot
  - module: msgops.fleet.instance_state
"""

EXAMPLES = r"""
- name: Make sure that a fleet exists, and report its states
  msgops.fleet.instance_provision:
    partner_tokens:
      green_api: "{{ green_api_partner_token }}"
      plugzapi: "{{ plugzapi_partner_token }}"
    credentials_file: ~/.config/msgops/credentials.json
    assert_authorized: false
    instances:
      - name: support
        provider: green_api
      - name: sales
        provider: plugzapi
        session_name: Sales
  register: fleet
"""

RETURN = r"""
instances:
  description: The instances, in the order of the task, without tokens.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    name:
      description: The instance's name, or null.
      type: str
      sample: shop
    provider:
      description: The gateway.
      type: str
      sample: green_api
    account:
      description: The account's name, or null.
      type: str
      sample: retail
    id:
      description: The instance's ID, or null if it doesn't exist yet.
      type: str
      sample: "1101000001"
    api_url:
      description: The base address that was used, or null for an item that was only checked at its gateway's default.
      type: str
      sample: https://api.green-api.com
    action:
      description:
        - V(created), V(adopted), V(unchanged), V(would_create), V(failed) or V(unknown), as in
          RV(msgops.fleet.instance_create#module:instances[].action), or V(checked) for an item with an ID.
      type: str
      sample: created
    due:
      description: The time until which the instance is paid, ISO 8601 in UTC, or null.
      type: str
      sample: "2026-01-31T12:00:00Z"
    state:
      description: The state, as M(msgops.fleet.instance_state) returns it, or null if it wasn't read.
      type: str
      sample: authorized
    vendor_state:
      description: The gateway's own word for the state, or null.
      type: str
      sample: authorized
    authorized:
      description: Whether the state is V(authorized).
      type: bool
    health:
      description: What the state means for an operator, as M(msgops.fleet.instance_state) returns it.
      type: str
      sample: ready
    error:
      description: Why it wasn't created, read, rebooted or linked, or null.
      type: dict
      contains:
        code:
          description: The kind of error, such as V(unauthorized) or V(timeout).
          type: str
        message:
          description: The failure, its cause, and what to do.
          type: str
        retryable:
          description: Whether the same task may succeed later.
          type: bool
summary:
  description: The number of instances, of authorized ones, of unreadable ones, and of instances by state.
  returned: always, unless the options are wrong
  type: dict
  sample:
    total: 2
    authorized: 1
    unreadable: 0
    by_state:
      authorized: 1
      notAuthorized: 1
passed:
  description: Whether all instances exist and, with O(assert_authorized), are authorized. If not, the task fails.
    In check mode, an instance that would be created counts as existing.
  returned: always, unless the options are wrong
  type: bool
verdict:
  description:
    - How many instances are authorized, then a line for each instance that isn't as it should be, with what to do.
  returned: always, unless the options are wrong
  type: list
  elements: str
  sample:
    - 1 of 2 instances are authorized
    - "sales at plugzapi is blocked; the account is banned: appeal in WhatsApp or use another number"
news:
  description:
    - A line for each instance that was created or adopted, or would be created in check mode, and the warnings of the
      task, which Ansible hides if the task has C(no_log).
  returned: always, unless the options are wrong
  type: list
  elements: str
  sample:
    - created shop at green_api
trials:
  description:
    - A line for each instance in trial, with the time at which its gateway deletes it.
    - An item that is only checked isn't among them, because its account isn't listed.
  returned: always, unless the options are wrong
  type: list
  elements: str
"""

from typing import Any

import ansible_collections.msgops.fleet.plugins.module_utils._python  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.limits import Limit
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials import CredentialsFile
from ansible_collections.msgops.fleet.plugins.module_utils._creation.listing import LISTING_POLICY, ListingPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._creation.provisioner import Provisioner
from ansible_collections.msgops.fleet.plugins.module_utils._creation.token_delivery import CreationDelivery
from ansible_collections.msgops.fleet.plugins.module_utils._ending.subscription import Subscriber
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.reboot import REBOOT_STATES, Rebooter, RebootPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.reboot_budget import RebootBudget
from ansible_collections.msgops.fleet.plugins.module_utils._fleet.watching import READ_ONCE, WaitPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._journal.changes import ChangeJournal
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal
from ansible_collections.msgops.fleet.plugins.module_utils._linking.display import CodeDisplay
from ansible_collections.msgops.fleet.plugins.module_utils._linking.linker import Linker
from ansible_collections.msgops.fleet.plugins.module_utils._linking.timing import DEFAULT_TIMING, LinkTiming
from ansible_collections.msgops.fleet.plugins.module_utils._provisioning.report import as_file, report
from ansible_collections.msgops.fleet.plugins.module_utils._provisioning.stages import Stages, wait_policy
from ansible_collections.msgops.fleet.plugins.module_utils._report.files import update_file
from ansible_collections.msgops.fleet.plugins.module_utils._settings.applier import SettingsApplier
from ansible_collections.msgops.fleet.plugins.module_utils._settings.plan import SettingsPolicy
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import (
    GATEWAY,
    JOURNAL,
    TRANSPORT,
    WAITING,
    ArgumentSpec,
    transport_options,
)
from ansible_collections.msgops.fleet.plugins.module_utils._task.desired import warn_of_numbers
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, run_module
from ansible_collections.msgops.fleet.plugins.module_utils._task.members import MEMBERS, provisioned_members
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import PROVIDERS, GatewayCache

_SECRET: dict[str, Any] = {"type": "str", "no_log": True}


def _by_provider(option: dict[str, Any]) -> dict[str, Any]:
    return {"type": "dict", "options": dict.fromkeys(PROVIDERS, option)}


ARGUMENTS = TRANSPORT.merge(
    JOURNAL,
    WAITING,
    MEMBERS,
    ArgumentSpec(
        {
            "provider": GATEWAY.options["provider"],
            "partner_tokens": {**_by_provider(_SECRET), "no_log": False},
            "accounts": _by_provider({"type": "str"}),
            "api_urls": _by_provider({"type": "str"}),
            "client_token": _SECRET,
            "credentials_file": {"type": "path"},
            "listing": {"type": "str", "choices": ["auto", "required", "none"], "default": "auto"},
            "on_unknown": {"type": "str", "choices": ["fail", "create"], "default": "fail"},
            "reboot_on": {
                "type": "list",
                "elements": "str",
                "choices": list(REBOOT_STATES),
                "default": [],
            },
            "link": {"type": "str", "choices": ["off", "qr", "code"], "default": "off"},
            "link_dest": {"type": "path", "default": "~/.local/state/msgops/link"},
            "link_max_codes": {"type": "int"},
            "settings": {"type": "bool", "default": True},
            "assert_authorized": {"type": "bool", "default": True},
            "wait": {"type": "bool", "default": True},
            "subscribe": {"type": "bool", "default": False},
            "report_file": {"type": "path"},
        }
    ),
)


def run(
    task: TaskContext, *, listing_policy: ListingPolicy = LISTING_POLICY, timing: LinkTiming = DEFAULT_TIMING
) -> dict[str, Any]:
    """Run the stages, write the report's file, and report."""
    params = task.params
    options = transport_options(params, check_mode=task.check_mode)
    gateways = GatewayCache(options)
    members, errors = provisioned_members(params, gateways, task.resolver)
    stages = _stages(task, gateways, options.concurrency, listing_policy, timing)
    stages.errors += errors
    stages.run(members)
    warn_of_numbers(stages.creations, task)
    task.warnings.extend([*stages.provisioner.warnings, *stages.warnings])
    result = report(members, stages)
    if params["report_file"] and not task.check_mode:
        try:
            is_new = update_file(params["report_file"], as_file(result), "report_file", check_mode=False)
            result["changed"] = result["changed"] or is_new
        except UsageError as error:
            stages.errors.append(error.message)
            return report(members, stages)
    return result


def _stages(
    task: TaskContext, gateways: GatewayCache, concurrency: int, listing_policy: ListingPolicy, timing: LinkTiming
) -> Stages:
    params = task.params
    path = params["credentials_file"]
    # Linking and reboots wait as long as the reading, or not at all.
    acting = WaitPolicy(params["wait_timeout"] if params["wait"] else 0.0, params["wait_interval"])
    common: dict[str, Any] = {"concurrency": concurrency, "progress": task.progress}
    rebooter = linker = applier = None
    if params["settings"]:
        settings = SettingsPolicy(
            max_restarting=Limit("max_restarting", "10%"), verify_interval=acting.interval, on_unreadable="apply"
        )
        applier = SettingsApplier(settings, ChangeJournal(params["journal"]), **common)
    if params["reboot_on"]:
        policy = RebootPolicy(states=params["reboot_on"], starting_timeout=300.0, waiting=acting)
        rebooter = Rebooter(policy, RebootBudget(params["journal"], 2), **common)
    if params["link"] != "off":
        display = CodeDisplay(folder=params["link_dest"], output=task.output)
        linker = Linker(params["link"], display, acting, max_codes=params["link_max_codes"], timing=timing, **common)
    return Stages(
        provisioner=Provisioner(
            journal=Journal(params["journal"]),
            delivery=CreationDelivery(
                output=task.output, file=CredentialsFile(path) if path else None, returns_tokens=False
            ),
            on_unknown=params["on_unknown"],
            listing=params["listing"],
            listing_policy=listing_policy,
            **common,
        ),
        rebooter=rebooter,
        linker=linker,
        applier=applier,
        subscriber=Subscriber("subscribed", None, concurrency, listing_policy) if params["subscribe"] else None,
        waiting=wait_policy(params["wait_timeout"], params["wait_interval"]) if params["wait"] else READ_ONCE,
        gateways=gateways,
        check_mode=task.check_mode,
        wants_authorized=params["assert_authorized"],
        explain=task.explain,
        **common,
    )


def main() -> None:
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
