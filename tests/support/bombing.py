# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that makes many calls of a client at once, first of a good gateway and then of one that sends bombs.

``python bombing.py URL CALL NUMBER WORKERS BOMB...`` has the emulator at ``URL`` answer ``NUMBER`` times well, and then
``NUMBER`` times with each of the bombs (options of the fault as JSON). It prints as JSON, for each of these rounds, the
largest memory of the process until then in MiB, and how often each error came; a good answer is no error.
"""

from __future__ import annotations

import collections
import json
import resource
import sys
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import FleetError
from ansible_collections.msgops.fleet.plugins.module_utils._http.transport import Transport, TransportOptions
from ansible_collections.msgops.fleet.tests.support.api_calls import API_CALLS

from msgops_emulator import Control


def main() -> None:
    url, name, number, workers, *bombs = sys.argv[1:]
    api_call = API_CALLS[name]
    api = Transport(url, TransportOptions(retry_timeout=0.0, concurrency=int(workers)))
    emulator = Control(url)
    kept: list[FleetError | None] = []

    def call(_index: int) -> FleetError | None:
        try:
            api_call.call(api)
        except FleetError as error:
            return error
        return None

    def make_calls() -> tuple[float, dict[str, int]]:
        with ThreadPoolExecutor(int(workers)) as executor:
            outcomes = list(executor.map(call, range(int(number))))
        # A task keeps the error of each instance until its end.
        kept.extend(outcomes)
        found = collections.Counter(error.code if error else "none" for error in outcomes)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, dict(found)

    emulator.arm("*", "status", count=None, status=200, body=api_call.good)
    rounds = [make_calls()]
    for bomb in bombs:
        emulator.disarm()
        emulator.arm("*", "bomb", count=None, **json.loads(bomb))
        rounds.append(make_calls())
    print(json.dumps(rounds))


if __name__ == "__main__":
    main()
