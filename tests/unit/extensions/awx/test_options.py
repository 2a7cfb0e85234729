# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each option that an account needs can be had from AWX, and the documentation's table says how."""

from __future__ import annotations

from ansible_collections.msgops.fleet.tests.support.awx_jobs import CREDENTIAL_TYPES
from ansible_collections.msgops.fleet.tests.support.awx_options import PAGE, embedded, table, variables

# They name a single instance, or how a job works, and belong to no account.
NO_ACCOUNTS = {
    "GREEN_API_ID_INSTANCE",
    "GREEN_API_TOKEN_INSTANCE",
    "PLUGZAPI_INSTANCE_ID",
    "PLUGZAPI_INSTANCE_TOKEN",
    "MSGOPS_PROVIDER",
    "MSGOPS_TIMEOUT",
}
# PostgreSQL's own.
FOREIGN = {"PGPASSWORD"}

INJECTED = {variable for kind in CREDENTIAL_TYPES.values() for variable in kind["injectors"].get("env", {})}


def test_credential_types_inject_what_accounts_need_and_nothing_unheard_of() -> None:
    assert {variable for _option, variable in variables()} - NO_ACCOUNTS == INJECTED - FOREIGN


def test_an_input_is_called_like_the_option_that_it_becomes() -> None:
    options = {variable: option for option, variable in variables()}
    for kind in CREDENTIAL_TYPES.values():
        fields = {field["id"] for field in kind["inputs"]["fields"]}
        assert {options[variable] for variable in kind["injectors"].get("env", {}) if variable not in FOREIGN} <= fields


def test_the_table_of_the_documentation_is_that_of_the_code() -> None:
    assert embedded(PAGE.read_text())[1].strip() == table().strip()
