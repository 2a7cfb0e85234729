# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a credential type injects is all that a job needs: modules and inventory sources work with nothing else."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import OptionResolver
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.providers import PROVIDERS
from ansible_collections.msgops.fleet.tests.support.awx_jobs import (
    CREDENTIAL_TYPES,
    Job,
    credential_inputs,
    environment,
    run,
)

from msgops_emulator import Control

pytest.importorskip("awx_plugins.interfaces", reason="needs awx-plugins-core: make awx")

KOOPHONE = ["KooPhone access key", "KooPhone IAM user", "KooPhone token"]
GATEWAYS = {"GREEN-API partner": "green_api", "PlugzAPI partner": "plugzapi"}


def task(job: Job, module: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a module returns with nothing in its environment but what was injected."""
    result = run(
        job.commands / "ansible", "localhost", "-m", f"msgops.fleet.{module}",
        *(["-a", json.dumps(arguments)] if arguments else []),
        env=environment(job.commands) | {"HOME": str(job.folder), "ANSIBLE_LOAD_CALLBACK_PLUGINS": "true",
                                         "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal"} | job.env,
        cwd=job.folder,
    )  # fmt: skip
    status, _arrow, content = result.stdout.partition("=> ")
    assert "SUCCESS" in status, result.stdout + result.stderr
    returned: dict[str, Any] = json.loads(content)
    return returned


@pytest.mark.parametrize("name", GATEWAYS)
def test_partners_list_their_instances(job: Job, emulator: Control, name: str) -> None:
    emulator.seed(instances=[{"provider": GATEWAYS[name], "name": "shop"}])
    job.inject(name, credential_inputs(emulator)[name])
    returned = task(job, "instance_info", {})
    assert [(row["provider"], row["name"]) for row in returned["instances"]] == [(GATEWAYS[name], "shop")]


@pytest.mark.parametrize("name", KOOPHONE)
def test_tenants_read_their_phones(job: Job, emulator: Control, name: str) -> None:
    emulator.seed(phones=[{"id": "a44uhlf7"}])
    job.inject(name, credential_inputs(emulator)[name])
    returned = task(job, "cloudphone_status", {"instance_ids": ["a44uhlf7"]})
    assert returned["summary"]["by_status"] == {"running": 1}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("GREEN-API partner", "green_api.msgops.yml"),
        ("PlugzAPI partner", "plugzapi.msgops.yml"),
        *((name, "phones.msgops.yml") for name in KOOPHONE),
    ],
)
def test_inventory_sources_list_the_accounts_hosts(job: Job, emulator: Control, name: str, source: str) -> None:
    emulator.seed(
        instances=[{"provider": provider, "name": provider} for provider in PROVIDERS],
        phones=[{"id": "koophone", "name": "koophone"}],
    )
    job.inject(name, credential_inputs(emulator)[name])
    hosts = job.sync(source)["_meta"]["hostvars"]
    assert list(hosts) == [GATEWAYS.get(name, "koophone")]


@pytest.mark.parametrize("name", GATEWAYS)
def test_the_fallbacks_find_what_was_injected(
    job: Job, emulator: Control, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = credential_inputs(emulator)[name]
    job.inject(name, inputs)
    for variable, value in job.env.items():
        monkeypatch.setenv(variable, value)
    secrets: set[str] = set()
    settings = OptionResolver({}, secrets)
    assert {option: settings.find(GATEWAYS[name], option) for option in inputs} == inputs
    assert secrets == {value for option, value in inputs.items() if option.endswith("_token")}


@pytest.mark.parametrize("name", [*GATEWAYS, *KOOPHONE])
def test_an_address_that_is_left_empty_is_the_vendors(job: Job, emulator: Control, name: str) -> None:
    kind = CREDENTIAL_TYPES[name]
    inputs = {
        key: value for key, value in credential_inputs(emulator)[name].items() if key in kind["inputs"]["required"]
    }
    job.inject(name, inputs)
    addresses = {job.env[variable] for variable in job.env if variable.endswith(("_URL", "_ENDPOINT"))}
    assert addresses <= {"", "https://koophone.myhuaweicloud.com", "https://iam.myhuaweicloud.com"}
    # To options that have a fallback of their own, an empty variable is a value.
    assert name in GATEWAYS or "" not in addresses


@pytest.mark.parametrize("name", [*GATEWAYS, *KOOPHONE])
def test_what_awx_keeps_of_the_environment_holds_no_secret(job: Job, emulator: Control, name: str) -> None:
    inputs = credential_inputs(emulator)[name]
    job.inject(name, inputs)
    secrets = [field["id"] for field in CREDENTIAL_TYPES[name]["inputs"]["fields"] if field.get("secret")]
    assert set(job.env) == set(job.safe_env)
    for secret in secrets:
        assert inputs[secret] in job.env.values()
        assert not any(inputs[secret] in value for value in job.safe_env.values())


def test_a_journal_in_postgresql_is_found(job: Job) -> None:
    job.inject("Creation journal", {"journal": "postgresql://msgops@db.example.com/fleet", "password": "s3cret"})
    assert job.env == {"MSGOPS_JOURNAL": "postgresql://msgops@db.example.com/fleet", "PGPASSWORD": "s3cret"}
    assert "s3cret" not in job.safe_env.values()


def test_tokens_of_instances_come_as_a_file(
    new_job: Callable[[str], Job], emulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    from awx_plugins.interfaces import _temporary_private_container_api as container

    job = new_job("job")
    # Outside of a container its root is the private data directory.
    monkeypatch.setattr(container, "CONTAINER_ROOT", str(job.folder))
    (made,) = emulator.seed(instances=[{"provider": "plugzapi", "name": "loja", "state": "connected"}])["instances"]
    credentials = {"plugzapi": {"loja": {"id": made["id"], "token": made["token"], "api_url": emulator.url}}}
    job.inject("Instances' tokens", {"credentials": json.dumps(credentials)})
    (file,) = (path for path in (job.folder / "env").iterdir() if made["token"] in path.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (argument,) = job.arguments[1:]
    assert f"fleet_credentials_file: {file}" in Path(argument.removeprefix("@")).read_text()

    # A gateway that lists nothing, and hosts that somebody has written down.
    emulator.config({"plugzapi.listing": "http404"})
    job.env["PLUGZAPI_CLIENT_TOKEN"] = emulator.account("plugzapi")["client_token"]
    variables = {"msgops_id": made["id"], "msgops_provider": "plugzapi"}
    job.give({"_meta": {"hostvars": {"loja": variables}}, "msgops_instances": {"hosts": ["loja"]}})
    played = job.play("check_fleet.yml")
    assert (played.status, "passed: 1 of 1 healthy" in played.output) == (0, True), played.output
