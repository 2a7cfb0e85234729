# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages and results of failures."""

from __future__ import annotations

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import (
    Delivery,
    FleetError,
    UsageError,
    failed,
    failure_result,
)


def test_an_error_has_code_message_http_status_and_retryable() -> None:
    error = FleetError("throttled", "Too fast", http_status=429, retryable=True)
    assert error.as_error() == {"code": "throttled", "message": "Too fast", "http_status": 429, "retryable": True}
    assert error.as_item_error() == {"code": "throttled", "message": "Too fast", "retryable": True}


def test_wrong_options_are_a_bad_request_that_was_never_sent() -> None:
    error = UsageError("name is missing")
    assert (error.code, error.delivery, error.http_status) == ("bad_request", Delivery.NOT_SENT, None)


@pytest.mark.parametrize("name", ["two\nlines", "two\r\nlines", "two\u2028lines", "\x1b[31mred", "tab\tbed", "a\x00b"])
def test_a_message_is_one_printable_line_whatever_a_name_holds(name: str) -> None:
    error = FleetError("vendor", f"reading {name} failed")
    result = failed(f"{name} did not become authorized", error)
    for text in (error.message, str(error), result["msg"]):
        assert text.isprintable()
        assert len(text.splitlines()) == 1


def test_a_failure_has_an_error_only_where_one_request_is_to_blame() -> None:
    error = FleetError("vendor", "It failed")
    assert failed("It failed", error) == {"failed": True, "msg": "It failed", "error": error.as_error()}
    assert "error" not in failed("Several failed")


def test_the_failure_of_a_single_one_is_its_own_message() -> None:
    error = FleetError("timeout", "Reading a failed: no answer")
    assert failure_result("instances", "read", [("a", error)], 1) == failed("Reading a failed: no answer", error)


def test_failures_are_counted_by_cause_and_the_most_frequent_comes_first() -> None:
    failures = [
        ("shop-99", FleetError("timeout", "Reading shop-99 failed: no answer")),
        ("shop-17", FleetError("unauthorized", "Reading shop-17 failed: HTTP 401", http_status=401)),
        ("shop-31", FleetError("unauthorized", "Reading shop-31 failed: HTTP 401", http_status=401)),
    ]
    result = failure_result("instances", "read", failures, 1000)
    assert result["msg"] == (
        "3 of 1,000 instances could not be read: HTTP 401 (2): shop-17, shop-31; timeout (1): shop-99. "
        "Reading shop-17 failed: HTTP 401. Reading shop-99 failed: no answer"
    )
    assert "error" not in result


def test_one_failure_of_many_has_name_and_count() -> None:
    error = FleetError("timeout", "Reading shop failed: no answer")
    result = failure_result("instances", "read", [("shop", error)], 10_000)
    assert result["msg"] == (
        "1 of 10,000 instances could not be read: timeout (1): shop. Reading shop failed: no answer"
    )
    assert result["error"] == error.as_error()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (FleetError("unauthorized", "", http_status=401), "HTTP 401"),
        (FleetError("bad_answer", "", http_status=200), "bad_answer"),
        (FleetError("not_found", "", http_status=400, vendor_code="KOOPHONE.API.4001"), "KOOPHONE.API.4001"),
        (FleetError("connection", ""), "connection"),
        (FleetError("timeout", "", cause="starting"), "starting"),
    ],
)
def test_the_cause_is_as_exact_as_it_is_known(error: FleetError, cause: str) -> None:
    assert error.cause == cause


def test_one_request_can_be_to_blame_for_many() -> None:
    error = FleetError("unauthorized", "no answer", http_status=401)
    assert failure_result("phones", "read", [("a", error), ("b", error)], 3)["error"] == error.as_error()
    others = [("a", error), ("b", FleetError("unauthorized", "no answer", http_status=401))]
    assert "error" not in failure_result("phones", "read", others, 3)


def test_the_failure_of_a_great_many_is_bounded() -> None:
    failures = [
        (f"<{n}>", FleetError("vendor", f"Reading <{n}> failed", http_status=400 + n % 20)) for n in range(10_000)
    ]
    message = failure_result("instances", "read", failures, 20_000)["msg"]
    assert message.startswith("10,000 of 20,000 instances could not be read: HTTP 400 (500): <0>, <20>, ")
    assert "and 490 more" in message
    assert "; and 15 more" in message
    assert len(message) < 1000
