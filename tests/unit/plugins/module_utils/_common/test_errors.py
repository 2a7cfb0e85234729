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


def test_the_failure_of_one_is_its_own_message() -> None:
    error = FleetError("timeout", "Reading a failed: no answer")
    assert failure_result("instances", "read", [("a", error)]) == failed("Reading a failed: no answer", error)


def test_the_failure_of_several_names_each_beside_its_reason() -> None:
    failures = [(name, FleetError("timeout", f"no answer from {name}")) for name in ("a", "b")]
    result = failure_result("phones", "read", failures)
    assert result["msg"] == "2 phones could not be read: no answer from a (a); no answer from b (b)"
    assert "error" not in result


def test_a_reason_that_several_share_is_told_once() -> None:
    failures = [(name, FleetError("timeout", "no answer")) for name in ("a", "b")]
    assert failure_result("phones", "read", failures)["msg"] == "2 phones could not be read: no answer (a, b)"


def test_one_request_can_be_to_blame_for_many() -> None:
    error = FleetError("unauthorized", "no answer", http_status=401)
    assert failure_result("phones", "read", [("a", error), ("b", error)])["error"] == error.as_error()
    others = [("a", error), ("b", FleetError("unauthorized", "no answer", http_status=401))]
    assert "error" not in failure_result("phones", "read", others)


def test_the_failure_of_a_great_many_names_the_first_and_counts_the_others() -> None:
    failures = [(f"<{number}>", FleetError("timeout", "no answer")) for number in range(1000)]
    result = failure_result("instances", "read", failures)
    assert "<9>, and 990 more" in result["msg"]
    assert "<10>" not in result["msg"]
