# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's time per creation: ``journal.py LOCATION SIZE COUNT`` prints the median, in milliseconds.

Each of COUNT runs locks the entries of SIZE creations, writes each step of each creation, and unlocks the entries.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import replace

from ansible_collections.msgops.fleet.plugins.module_utils._journal.entries import Key, begun_entry, hash_payload
from ansible_collections.msgops.fleet.plugins.module_utils._journal.journal import Journal
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.accounts import resolve_account


def run(journal: Journal, number: int, size: int) -> float:
    """Return the journal's seconds per creation in one run."""
    account = resolve_account("green_api", None, "https://api.green-api.com", "token")
    keys = [Key("green_api", f"shop-{number:04d}-{index:04d}") for index in range(size)]
    created = []
    started = time.perf_counter()
    with journal.locked(keys) as lease:
        for index, key in enumerate(keys):
            entry = begun_entry(account, key.name, hash_payload({"name": key.name}), None)
            lease.begin(entry)
            created.append(replace(entry, status="created", instance_id=str(1101000000 + index)))
            lease.record(created[-1:])
        # A run records all deliveries at once, at its end.
        lease.record([replace(entry, status="delivered") for entry in created])
    return (time.perf_counter() - started) / size


def main() -> None:
    """Measure, and print the median."""
    location, size, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    journal = Journal(location)
    run(journal, 0, 1)  # creates the journal
    seconds = [run(journal, number, size) for number in range(1, count + 1)]
    print(json.dumps({"milliseconds": 1000 * statistics.median(seconds)}))


if __name__ == "__main__":
    main()
