"""The flexible job shop problem: as the job shop, but every operation has a choice of machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.scheduling import (
    Operations,
    check_durations,
    count_machines,
    evaluate_schedule,
    makespan_conventions,
)
from combopt.instances.solutions import Schedule
from combopt.model import Evaluation, Instance, Ints, Sense, Solution, View, frozen_array


@dataclass(frozen=True, eq=False, kw_only=True)
class Fjsp(Instance):
    """Flexible job shop with makespan objective (Brandimarte 1993; Hurink, Jurisch and Thole 1994).

    The data are flat: operations job after job, alternatives operation after operation.  :meth:`of_jobs` makes an
    instance of nested lists.

    Parameters
    ----------
    counts
        ``int64[jobs]``: number of operations of each job, 1 or more.
    alternatives
        ``int64[operations]``: number of machines that each operation can choose from, 1 or more.
    machine, duration
        ``int64[sum of alternatives]``: the machines, from 0, and the time the operation takes on each (0 or more).
    machines
        Number of machines; 0 (the default) stands for the largest one named and those before it.
    """

    kind: ClassVar[str] = "fjsp"
    sense: ClassVar[Sense] = Sense.MIN  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Schedule
    views: ClassVar[frozenset[str]] = frozenset({"mip"})
    name: str = "fjsp"
    counts: Ints
    alternatives: Ints
    machine: Ints
    duration: Ints
    machines: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", frozen_array(self.counts, np.int64, (None,), "counts"))
        if not self.counts.size or self.counts.min() < 1:
            raise InputError("E118", "a job has no operations")
        operations = int(self.counts.sum())
        alternatives = frozen_array(self.alternatives, np.int64, (operations,), "alternatives")
        object.__setattr__(self, "alternatives", alternatives)
        if alternatives.min() < 1:
            raise InputError("E118", "an operation has no machine")
        for name in ("machine", "duration"):
            array = frozen_array(getattr(self, name), np.int64, (int(alternatives.sum()),), name)
            object.__setattr__(self, name, array)
        check_durations(self.duration)
        if self.machine.min() < 0:
            raise InputError("E117", f"machine {int(self.machine.min())}", expected="0 or more")
        object.__setattr__(self, "machines", count_machines(self.machine, self.machines))
        owner = np.repeat(np.arange(operations), alternatives)
        if len(np.unique(owner * self.machines + self.machine)) < len(owner):
            raise InputError("E116", "an operation names a machine twice")

    @classmethod
    def of_jobs(
        cls, jobs: Iterable[Iterable[Sequence[tuple[int, int]]]], *, name: str = "fjsp", machines: int = 0
    ) -> Fjsp:
        """An instance of nested lists: jobs of operations of pairs (machine, duration)."""
        rows = [[list(operation) for operation in job] for job in jobs]
        pairs = [pair for job in rows for operation in job for pair in operation]
        table = frozen_array(pairs, np.int64, (None, 2), "alternatives")
        return cls(
            name=name,
            counts=np.array([len(job) for job in rows], dtype=np.int64),
            alternatives=np.array([len(operation) for job in rows for operation in job], dtype=np.int64),
            machine=table[:, 0],
            duration=table[:, 1],
            machines=machines,
        )

    @property
    def jobs(self) -> int:
        return len(self.counts)

    @cached_property
    def operations(self) -> Operations:
        """The operations with pointers instead of counts."""
        return Operations(
            first_operation=np.concatenate(([0], np.cumsum(self.counts))).astype(np.int64),
            first_alternative=np.concatenate(([0], np.cumsum(self.alternatives))).astype(np.int64),
            machine=self.machine,
            duration=self.duration,
            machines=self.machines,
        )

    def size(self) -> dict[str, int]:
        return {
            "jobs": self.jobs,
            "machines": self.machines,
            "operations": len(self.alternatives),
            "alternatives": len(self.machine),
        }

    def conventions(self) -> tuple[str, ...]:
        return makespan_conventions(self.operations)

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Schedule)
        return evaluate_schedule(self.operations, solution)

    def to_mip(self) -> View:
        """Manne's disjunctive program; see :mod:`combopt.instances.scheduling_mip`."""
        from combopt.instances.scheduling_mip import disjunctive_program

        return disjunctive_program(self.operations, self.name)

    @classmethod
    def generate(
        cls,
        rng: np.random.Generator,
        *,
        n: int = 10,
        m: int | None = None,
        family: str = "brandimarte",
        flexibility: float = 2.0,
    ) -> Fjsp:
        """A random instance of ``n`` jobs on ``m`` machines (by default 6, the median of mk01 to mk10).

        ``brandimarte`` (Brandimarte 1993, as mk01): 5 to 7 operations a job, each on 1 to ``2 flexibility - 1``
        random machines, durations uniform on 1..9, drawn for each machine; ``hurink`` (Hurink, Jurisch and Thole
        1994): a job shop of Lawrence's kind, every operation with further random machines, ``flexibility`` in all
        on average, all as fast as the first; ``partial``: as hurink, but each further machine slower or faster by
        up to a tenth (Dauzère-Pérès and Paulli 1994).
        """
        machines = 6 if m is None else m
        if n < 1 or machines < 1 or not 1 <= flexibility <= 1e6:
            raise UsageError("E201", f"n = {n}, m = {machines}, flexibility = {flexibility}", expected="all 1 or more")
        if family == "brandimarte":
            jobs = _brandimarte(rng, n, machines, flexibility)
        elif family in ("hurink", "partial"):
            jobs = _hurink(rng, n, machines, flexibility, 0.1 if family == "partial" else 0.0)
        else:
            raise UsageError("E201", f"family {family!r}", expected="brandimarte, hurink or partial")
        return cls.of_jobs(jobs, name=f"fjsp-{family}-{n}x{machines}", machines=machines)


_Jobs = list[list[list[tuple[int, int]]]]


def _brandimarte(rng: np.random.Generator, n: int, machines: int, flexibility: float) -> _Jobs:
    most = max(1, min(machines, round(2 * flexibility - 1)))
    return [
        [
            [
                (int(machine), int(rng.integers(1, 10)))
                for machine in np.sort(rng.permutation(machines)[: rng.integers(1, most + 1)])
            ]
            for _ in range(rng.integers(5, 8))
        ]
        for _ in range(n)
    ]


def _hurink(rng: np.random.Generator, n: int, machines: int, flexibility: float, spread: float) -> _Jobs:
    share = 0.0 if machines == 1 else min(1.0, (flexibility - 1) / (machines - 1))
    jobs: _Jobs = []
    for _ in range(n):
        job = []
        for first in rng.permutation(machines).tolist():
            duration = int(rng.integers(5, 100))
            further = np.flatnonzero(rng.random(machines) < share).tolist()
            job.append([(first, duration)])
            job[-1] += [(k, round(duration * (1 + rng.uniform(-spread, spread)))) for k in further if k != first]
        jobs.append(job)
    return jobs
