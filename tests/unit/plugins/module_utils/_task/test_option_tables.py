# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that exist twice agree: environment variables in code and documentation, and the version."""

from __future__ import annotations

import importlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.koophone_options import (
    OPTIONS,
    environment_variable,
)
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import PROVIDERS
from ansible_collections.msgops.fleet.plugins.module_utils._version import VERSION
from ansible_collections.msgops.fleet.tests.support.wire import ROOT

PLUGINS = "ansible_collections.msgops.fleet.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))
FRAGMENTS = sorted(path.stem for path in (ROOT / "plugins" / "doc_fragments").glob("[!_]*.py"))

Table = dict[str, set[str]]

VARIABLES: Table = {
    "provider": {"MSGOPS_PROVIDER"},
    "api_url": {"GREEN_API_URL", "PLUGZAPI_URL"},
    "instance_id": {"GREEN_API_ID_INSTANCE", "PLUGZAPI_INSTANCE_ID"},
    "instance_token": {"GREEN_API_TOKEN_INSTANCE", "PLUGZAPI_INSTANCE_TOKEN"},
    "client_token": {"PLUGZAPI_CLIENT_TOKEN"},
    "partner_token": {"GREEN_API_PARTNER_TOKEN", "PLUGZAPI_PARTNER_TOKEN"},
    "account": {"GREEN_API_ACCOUNT", "PLUGZAPI_ACCOUNT"},
    "endpoint": {"KOOPHONE_ENDPOINT"},
    "auth_token": {"KOOPHONE_AUTH_TOKEN"},
    "iam_endpoint": {"KOOPHONE_IAM_ENDPOINT"},
    "iam_user": {"KOOPHONE_IAM_USER"},
    "iam_password": {"KOOPHONE_IAM_PASSWORD"},
    "iam_domain": {"KOOPHONE_IAM_DOMAIN"},
    "project_name": {"KOOPHONE_PROJECT_NAME"},
    "access_key": {"KOOPHONE_ACCESS_KEY"},
    "secret_key": {"KOOPHONE_SECRET_KEY"},
    "timeout": {"MSGOPS_TIMEOUT"},
    "journal": {"MSGOPS_JOURNAL"},
}

# Variables of requests and of PostgreSQL, which the collection only passes on.
USUAL = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PGPASSFILE", "PGPASSWORD"}


def module(name: str) -> Any:
    return importlib.import_module(f"{PLUGINS}.modules.{name}")


def variables_in_code() -> Table:
    table: Table = defaultdict(set)
    for provider in PROVIDERS.values():
        for option, variable in provider.environment.items():
            table[option].add(variable)
    for option in OPTIONS:
        table[option].add(environment_variable(option))
    for name in MODULES:
        for option, spec in module(name).ARGUMENTS.options.items():
            if "fallback" in spec:
                table[option] |= set(spec["fallback"][1])
    return dict(table)


def documentations() -> Iterator[Mapping[str, Any]]:
    for name in MODULES:
        yield yaml.safe_load(module(name).DOCUMENTATION)
    for name in FRAGMENTS:
        fragment = importlib.import_module(f"{PLUGINS}.doc_fragments.{name}").ModuleDocFragment
        for attribute in vars(fragment):
            if attribute.isupper():
                yield yaml.safe_load(getattr(fragment, attribute))


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return []


def variables_in_documentation() -> Table:
    table: Table = defaultdict(set)
    for documentation in documentations():
        for option, details in (documentation.get("options") or {}).items():
            for text in _texts(details.get("description")):
                table[option] |= set(re.findall(r"\bE\((\w+)\)", text)) - USUAL
    return {option: variables for option, variables in table.items() if variables}


def test_the_variables_of_the_code_are_these() -> None:
    assert variables_in_code() == VARIABLES


def test_the_variables_of_the_documentation_are_the_codes() -> None:
    assert variables_in_documentation() == variables_in_code()


def test_the_version_of_the_code_is_the_collections() -> None:
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"] == VERSION
