# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts are the same in a journal in PostgreSQL as in a file."""

from __future__ import annotations

from ansible_collections.msgops.fleet.tests.unit.plugins.module_utils._creation import test_accounts, test_listing

TESTS = (
    test_accounts.test_a_renewed_token_makes_no_second_instance,
    test_accounts.test_without_a_listing_two_tokens_in_turns_are_found_out,
    test_accounts.test_runs_at_once_under_all_spellings_and_names_create_once,
    test_accounts.test_a_late_name_takes_over_what_the_same_token_made,
    test_listing.test_an_account_that_was_listed_once_has_a_listing,
)
# pytest collects them here, where the fixture ``options`` is another one.
globals().update({test.__name__: test for test in TESTS} | {"blind": test_accounts.blind})
