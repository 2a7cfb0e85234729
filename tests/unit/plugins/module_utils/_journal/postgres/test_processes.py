# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that share a journal in PostgreSQL pass the tests of those that share one in a file."""

from __future__ import annotations

from ansible_collections.msgops.fleet.tests.unit.plugins.module_utils._creation import (
    test_journal_actions,
    test_processes,
)
from ansible_collections.msgops.fleet.tests.unit.plugins.module_utils._journal import test_journal

TESTS = (
    test_processes.test_a_killed_runs_names_are_free_once_its_lease_has_lapsed,
    test_processes.test_a_run_keeps_its_names_for_longer_than_a_lease_lasts,
    test_processes.test_a_run_that_is_killed_after_any_time,
    test_processes.test_a_run_that_is_killed_at_any_line_leaves_nothing_twice_and_nothing_lost,
    test_processes.test_a_run_that_is_killed_while_its_creation_hangs,
    test_processes.test_a_run_that_was_stopped_for_too_long_creates_nothing,
    test_processes.test_a_run_that_was_stopped_while_it_posted_loses_nothing,
    test_processes.test_bulk_lists_that_overlap_create_each_name_once,
    test_processes.test_one_of_several_runs_creates_and_the_others_find_it,
    test_processes.test_runs_that_share_no_name_do_not_wait_for_each_other,
    test_processes.test_runs_whose_clocks_differ_wait_for_each_other,
    test_processes.test_several_threads_take_turns_as_well,
    test_processes.test_so_it_is_without_a_listing,
    test_processes.test_who_waits_and_stood_still_as_long_as_the_holder_takes_nothing_over,
    test_processes.test_without_a_listing_such_a_creation_stays_unknown,
    test_journal.test_each_of_many_is_pending_before_it_is_posted,
    test_journal_actions.test_it_does_not_resolve_what_a_run_is_working_on,
    test_journal_actions.test_what_was_never_begun_can_be_discarded_but_not_adopted,
)
# pytest collects them here, where the fixture ``options`` is another one.
globals().update({test.__name__: test for test in TESTS})
