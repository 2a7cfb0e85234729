# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a number may be registered, a request that counts as a change."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.msgops.fleet.plugins.module_utils._common import masking
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._task.entrypoint import TaskContext
from ansible_collections.msgops.fleet.plugins.modules import registration_availability
from ansible_collections.msgops.fleet.tests.support.wire import ANY, TOKEN, make_context
from pytest_httpserver import HTTPServer

FIELDS = {
    "available",
    "blocked",
    "appeal_token",
    "sms_wait_seconds",
    "voice_wait_seconds",
    "wa_old_wait_seconds",
    "wa_old_eligible",
    "reason",
}


def task(url: str, ddi: str = "55", phone: str = "4499999999", **options: Any) -> TaskContext:
    return make_context(
        registration_availability.ARGUMENTS,
        api_url=url,
        instance_id="3C01",
        instance_token=TOKEN,
        ddi=ddi,
        phone=phone,
        **options,
    )


def test_the_result_has_every_field_and_counts_as_a_change(httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request(ANY).respond_with_json({"available": True, "smsWaitSeconds": 30})
    result = registration_availability.run(task(url))
    assert set(result) == FIELDS | {"changed", "diff"}
    assert (result["changed"], result["available"], result["sms_wait_seconds"]) == (True, True, 30)
    assert result["blocked"] is None


def test_in_check_mode_nothing_is_asked_and_every_field_is_null(httpserver: HTTPServer, url: str) -> None:
    result = registration_availability.run(task(url, check_mode=True))
    assert result["changed"]
    assert {result[field] for field in FIELDS} == {None}
    assert httpserver.log == []


@pytest.mark.parametrize("digits", ["+55", "55 ", "44 9999", "(44)9999", "4499999999x", "\uff15\uff15", "\u0665"])
@pytest.mark.parametrize("option", ["ddi", "phone"])
def test_anything_but_ascii_digits_is_an_error_before_any_request(
    httpserver: HTTPServer, url: str, option: str, digits: str
) -> None:
    for check_mode in (False, True):
        with pytest.raises(UsageError, match=f"^{option} must hold digits only"):
            registration_availability.run(task(url, check_mode=check_mode, **{option: digits}))
    assert httpserver.log == []


def banned(httpserver: HTTPServer) -> None:
    httpserver.expect_request(ANY).respond_with_json({"available": False, "blocked": True, "appealToken": "app3al-t0k"})


def test_an_appeal_token_is_withheld_with_a_warning_where_ansible_would_print_it(
    httpserver: HTTPServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "_register_secret", None)
    banned(httpserver)
    asking = task(url)
    result = registration_availability.run(asking)
    assert (result["blocked"], result["appeal_token"]) == (True, None)
    assert len(asking.warnings) == 1
    assert "no_log" in asking.warnings[0]
    assert "app3al-t0k" not in repr((result, asking.warnings))


def test_an_appeal_token_is_returned_with_no_log(
    httpserver: HTTPServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "_register_secret", None)
    banned(httpserver)
    asking = task(url, no_log=True)
    assert registration_availability.run(asking)["appeal_token"] == "app3al-t0k"
    assert asking.warnings == []


def test_an_appeal_token_is_returned_where_ansible_can_be_told_that_it_is_a_secret(
    httpserver: HTTPServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: list[str] = []
    monkeypatch.setattr(masking, "_register_secret", registered.append)
    banned(httpserver)
    assert registration_availability.run(task(url))["appeal_token"] == "app3al-t0k"
    assert registered == ["app3al-t0k"]


def test_the_documentation_warns_of_the_pop_up_and_of_the_call() -> None:
    returned = yaml.safe_load(registration_availability.RETURN)
    assert "without access to the phone" in " ".join(returned["wa_old_wait_seconds"]["description"])
    described = " ".join(yaml.safe_load(registration_availability.DOCUMENTATION)["description"])
    assert "unlinks it from the physical phone" in described
