# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much the benchmark measures, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from measuring import Peaks, Samples


@dataclass(frozen=True)
class Plan:
    """How much to measure; a budget is the number of seconds after which a case is not repeated again."""

    instances: Mapping[tuple[int, int], float]  # (number, latency in ms): budget
    phones: Mapping[tuple[int, int], float]
    memory: Sequence[int]
    loop: int
    module_loop: int
    hosts: int
    journal: Mapping[int, int]  # creations of a run: runs
    role: int
    repetitions: int
    workers: int = 64
    forks: int = 10
    capacity_seconds: int = 2
    modules: int | None = None  # None: all


FULL = Plan(
    instances={
        **{(size, latency): 10 for size in (10, 100) for latency in (0, 20, 100)},
        **{(1000, latency): 30 for latency in (0, 20, 100)},
        **{(10000, 0): 60, (10000, 20): 90, (10000, 100): 60},
    },
    phones={(5000, latency): 25 for latency in (0, 20, 100)},
    memory=(1000, 10000),
    loop=100,
    module_loop=21,
    hosts=100,
    journal={1: 200, 100: 5},
    role=1000,
    repetitions=7,
)
QUICK = Plan(
    instances={(10, 20): 0},
    phones={(64, 0): 0},
    memory=(10,),
    loop=2,
    module_loop=2,
    hosts=2,
    journal={1: 2},
    role=2,
    repetitions=1,
    capacity_seconds=1,
    modules=1,
)


@dataclass(frozen=True)
class Capacity:
    """The server's limit: requests per second from ``tool``, over as many connections as the collection uses."""

    tool: str
    requests_per_second: float
    cpu_share: float


@dataclass(frozen=True)
class Tasks:
    """One task, a loop, and one task on each of many hosts: samples by contender."""

    one: Mapping[str, Samples]
    loop: Mapping[str, Samples]
    hosts: Mapping[str, Samples]


@dataclass(frozen=True)
class Bulk:
    """Many objects in one task, which sends ``requests`` requests; ``latency`` is in milliseconds.

    ``whole`` has the times of whole programs: ``ours``, ``registered`` (the same task with ``register``), ``empty`` (an
    empty task) and the scripts by client; ``sending`` has the times that the scripts take for their requests alone.
    ``server_share`` is the server's CPU time per second of ``ours``.
    """

    objects: int
    latency: int
    requests: int
    whole: Mapping[str, Samples]
    sending: Mapping[str, Samples]
    server_share: float

    def ratio(self, client: str, *, whole: bool = True) -> float | None:
        """Our time divided by that of an empty task plus the script, or plus the script's requests alone."""
        script = (self.whole if whole else self.sending).get(client)
        return self.whole["ours"].median / (script.median + self.whole["empty"].median) if script else None

    def cpu_ratio(self, client: str) -> float:
        """The same ratio of CPU time, on which other programs on the machine have less influence."""
        return self.whole["ours"].median_cpu / (self.whole[client].median_cpu + self.whole["empty"].median_cpu)

    def rate(self, client: str) -> float | None:
        """Requests per second, without the time for an empty task or for the start of the script."""
        if client == "ours":
            return self.requests / max(0.001, self.whole["ours"].median - self.whole["empty"].median)
        samples = self.sending.get(client)
        return self.requests / samples.median if samples else None


@dataclass(frozen=True)
class Memory:
    """Peaks of memory: of our task, of an empty task with the same variables, and of the script (MiB)."""

    instances: int
    ours: Peaks
    empty: Peaks
    script: float


@dataclass(frozen=True)
class Role:
    """The role on existing instances; ``requests`` counts those of its last run by route."""

    instances: int
    samples: Mapping[str, Samples]
    requests: Mapping[str, int]
    changed: int
    emulator_share: float


@dataclass(frozen=True)
class Imports:
    """Milliseconds that the imports of a module and of its action plugin take, by the owner of the imported code."""

    module: str
    as_module: Mapping[str, float]
    in_controller: Mapping[str, float]


@dataclass
class Results:
    """What was measured; a section that was not measured is empty."""

    plan: Plan
    capacity: Capacity | None = None
    tasks: Tasks | None = None
    instances: list[Bulk] = field(default_factory=list)
    phones: list[Bulk] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    role: Role | None = None
    journal: dict[int, float] = field(default_factory=dict)
    imports: list[Imports] = field(default_factory=list)
