# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzzing with names and vendors' messages: through all tasks that print them, and all files that they write.

The gateways are emulated. The suite tries the same few texts each time; with FUZZ_EXAMPLES=500, it tries 500 random
ones.
"""

from __future__ import annotations

import html.parser
import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._report.junit import render_junit
from ansible_collections.msgops.fleet.plugins.module_utils._report.page import render_page
from ansible_collections.msgops.fleet.plugins.module_utils._task.arguments import ArgumentSpec
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext, execute
from ansible_collections.msgops.fleet.tests.support.foreign_text import foreign_name, foreign_text, unprintable_lines
from ansible_collections.msgops.fleet.tests.support.reports import REFUSED, REPORTS, instance, make_report
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgops_emulator import Emulator

_WANTED = os.environ.get("FUZZ_EXAMPLES")
few = settings(
    max_examples=int(_WANTED or 10),
    derandomize=not _WANTED,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

# The parts of results that playbooks and Ansible print as they are.
_SHOWN = ("msg", "warnings", "verdict", "news", "shown", "violations")


@pytest.fixture(scope="module")
def gateway() -> Iterator[Emulator]:
    with Emulator({}, {}) as emulator:
        yield emulator


class Run:
    """A task, and the lines that it printed."""

    def __init__(self, module: str, **options: Any) -> None:
        check_mode, diff = options.pop("check_mode", False), options.pop("diff", True)
        core = importlib.import_module(f"ansible_collections.msgops.fleet.plugins.modules.{module}")
        self.printed: list[str] = []
        self.drawn: list[str] = []
        validated = core.ARGUMENTS.validate({"retry_timeout": 0, **options} if module != "fleet_report" else options)
        task = TaskContext(
            validated.params,
            check_mode=check_mode,
            diff=diff,
            no_log=True,
            progress=self.printed.append,
            draw=self.drawn.append,
        )
        self.result = execute(core.ARGUMENTS, core.run, task)

    def lines(self) -> Iterator[str]:
        """All that a person or a log reads."""
        yield from self.printed
        for text in self.drawn:
            yield from text.split("\n")
        for name in _SHOWN:
            shown = self.result.get(name, [])
            yield from shown if isinstance(shown, list) else [shown]
        for row in self.result["instances"]:
            if row.get("error"):
                yield row["error"]["message"]
        diffs = self.result.get("diff", [])
        for diff in diffs if isinstance(diffs, list) else [diffs]:
            for text in (diff["before"], diff["after"]):
                yield from text.split("\n")


def seed(gateway: Emulator, names: list[str], **options: Any) -> list[dict[str, Any]]:
    """Instances with these names, as items of a task."""
    gateway.reset()
    provider = options.pop("provider", "green_api")
    rows = gateway.seed(instances=[{"provider": provider, "name": name, **options} for name in names])["instances"]
    return [
        {"provider": provider, "api_url": gateway.url, "id": str(row["id"]), "token": row["token"], "name": name}
        for row, name in zip(rows, names, strict=True)
    ]


names = st.lists(foreign_name, min_size=2, max_size=3, unique=True)


@few
@given(names=names, message=foreign_name, status=st.sampled_from([200, 400, 403, 500]))
def test_reading_states(gateway: Emulator, names: list[str], message: str, status: int) -> None:
    instances = seed(gateway, names)
    gateway.arm("green_api.get_state", "status", count=None, status=status, body={"message": message, "code": 403})
    run = Run("instance_state", instances=instances)
    assert run.result["failed"]
    assert unprintable_lines(run.lines()) == {}
    assert [row["name"] for row in run.result["instances"]] == names


@few
@given(names=names, word=foreign_name)
def test_states_that_nobody_knows(gateway: Emulator, names: list[str], word: str) -> None:
    instances = seed(gateway, names)
    gateway.arm("green_api.get_state", "status", count=None, status=200, body={"stateInstance": word})
    run = Run("instance_state", instances=instances, wait_for=["authorized"], wait_timeout=0)
    assert run.result["failed"]
    assert unprintable_lines([*run.lines(), *(row["vendor_state"] for row in run.result["instances"])]) == {}


@few
@given(names=names, refusal=foreign_name)
def test_creating(gateway: Emulator, tmp_path: Path, names: list[str], refusal: str) -> None:
    seed(gateway, names)
    account = {"provider": "green_api", "api_url": gateway.url}
    account["partner_token"] = gateway.account("green_api")["partner_token"]
    wanted = [{"name": name} for name in [*names, "another"]]
    journal = str(tmp_path / "journal.sqlite3")
    predicted = Run("instance_create", instances=wanted, journal=journal, check_mode=True, **account)
    gateway.arm("green_api.create", "status", count=None, status=400, body={"message": refusal})
    refused = Run("instance_create", instances=wanted, journal=journal, **account)
    assert refused.result["failed"]
    assert unprintable_lines([*predicted.lines(), *refused.lines()]) == {}
    assert predicted.result["diff"]["after"].count("\n") == len(wanted)
    assert [row["name"] for row in predicted.result["instances"]] == [*names, "another"]


@few
@given(names=names)
def test_linking(gateway: Emulator, tmp_path: Path, names: list[str]) -> None:
    instances = seed(gateway, names, provider="plugzapi", state="disconnected")
    for item in instances:
        item["client_token"] = gateway.account("plugzapi")["client_token"]
        item["phone"] = "4915112345678"
    dest = tmp_path / "codes"
    # Pairing codes, because to draw QR codes takes long.
    run = Run("instance_link", instances=instances, method="code", dest=str(dest), terminal=True, wait_timeout=0)
    assert len(run.drawn) == len(names), run.result
    assert unprintable_lines(run.lines()) == {}
    page = Page((dest / "index.html").read_text())
    assert unprintable_lines(page.texts) == {}
    assert page.tags.count("h2") == len(names)
    assert page.tags.count("script") == 1


@few
@given(code=foreign_text.filter(lambda text: not (text.isascii() and text.replace("-", "").isalnum())))
@pytest.mark.parametrize(("provider", "state"), [("green_api", "notAuthorized"), ("plugzapi", "disconnected")])
def test_a_pairing_code_is_letters_and_digits(
    gateway: Emulator, tmp_path: Path, provider: str, state: str, code: str
) -> None:
    (item,) = seed(gateway, ["shop"], provider=provider, state=state)
    item |= {"phone": "4915112345678", "client_token": gateway.account("plugzapi")["client_token"]}
    if provider == "green_api":
        item.pop("client_token")
    body = {"status": True, "code": code, "value": code}
    for route in ("green_api.get_authorization_code", "plugzapi.phone_code"):
        gateway.arm(route, "status", count=None, status=200, body=body)
    run = Run("instance_link", instances=[item], method="code", dest=str(tmp_path), terminal=True, wait_timeout=0)
    assert run.drawn == []
    assert run.result["instances"][0]["error"]["code"] == "bad_answer"
    assert unprintable_lines(run.lines()) == {}


# Reports


class Page(html.parser.HTMLParser):
    """The tags, the texts and the values of attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.texts += [value for _name, value in attrs if value]

    def handle_data(self, data: str) -> None:
        self.texts += data.split("\n")


members = st.builds(
    lambda id, name, state, word, account, error: instance(
        id or "1", state, name=name, vendor_state=word, account=account, error=error and {**REFUSED, "message": error}
    ),
    *(foreign_text, foreign_text, st.sampled_from(["authorized", "unknown", None]), foreign_text),
    *(st.none() | foreign_text, st.none() | foreign_text),
)


@few
@given(members=st.lists(members, min_size=1, max_size=4), title=foreign_text)
def test_reports(members: list[Any], title: str) -> None:
    report = make_report(members)
    xml = ElementTree.fromstring(render_junit(report))
    texts = [text for element in xml.iter() for text in (*element.attrib.values(), (element.text or "").strip())]
    assert unprintable_lines(texts) == {}
    assert len(list(xml.iter("testcase"))) == len(report.findings)
    page = Page(render_page(report))
    honest = Page(render_page(REPORTS["failed"]))
    assert unprintable_lines(page.texts) == {}
    assert set(page.tags) <= set(honest.tags)
    assert unprintable_lines(finding.line for finding in report.findings) == {}
    rows = json.loads(json.dumps(report.as_json()))["members"]
    assert {row["name"] for row in rows} == {finding.member.name for finding in report.findings}


@few
@given(text=foreign_text, secret=st.text("abcdef0123456789", min_size=20, max_size=40))
def test_progress_and_warnings(text: str, secret: str) -> None:
    printed: list[str] = []
    task = TaskContext({}, check_mode=False, diff=True, no_log=False, progress=printed.append, secrets={secret})
    task.warnings.append(f"a warning: {text}")

    def run(task: TaskContext) -> dict[str, Any]:
        assert task.progress
        task.progress(f"1 of 2; {text} {secret.upper()}")
        return {"changed": False}

    result = execute(ArgumentSpec({}), run, task)
    assert unprintable_lines([*printed, *result["warnings"]]) == {}
    assert secret.upper() not in printed[0]
