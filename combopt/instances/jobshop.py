"""The job shop problem: every job visits machines in its own given order; the last job shall end early."""

from __future__ import annotations

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
    padded,
)
from combopt.instances.solutions import Schedule
from combopt.model import Evaluation, Floats, Instance, Ints, Sense, Solution, View, frozen_array


@dataclass(frozen=True, eq=False, kw_only=True)
class JobShop(Instance):
    """Job shop with makespan objective, J||Cmax and J|recrc|Cmax in the notation of Graham et al. (1979).

    Parameters
    ----------
    machine
        ``int64[jobs, steps]``: the machine, from 0, of each operation in the order of its job.  A job may visit a
        machine several times or never; a job with fewer operations than others has -1 after its last one.
    duration
        ``int64[jobs, steps]``, 0 or more; 0 where there is no operation.
    machines
        Number of machines; 0 (the default) stands for the largest one named and those before it.
    """

    kind: ClassVar[str] = "jobshop"
    sense: ClassVar[Sense] = Sense.MIN  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Schedule
    views: ClassVar[frozenset[str]] = frozenset({"mip"})
    name: str = "jobshop"
    machine: Ints
    duration: Ints
    machines: int = 0

    def __post_init__(self) -> None:
        machine = frozen_array(padded(self.machine, -1), np.int64, (None, None), "machine")
        duration = frozen_array(padded(self.duration, 0), np.int64, machine.shape, "duration")
        object.__setattr__(self, "machine", machine)
        object.__setattr__(self, "duration", duration)
        present = machine >= 0
        if machine.size and machine.min() < -1:
            raise InputError("E117", f"machine {int(machine.min())}", expected="0 or more, -1 for no operation")
        if not machine.size or not present[:, 0].all():
            raise InputError("E118", "a job has no operations")
        if (present[:, 1:] & ~present[:, :-1]).any():
            raise InputError("E120", "a job goes on after -1", expected="-1 only after the last operation")
        check_durations(duration)
        if duration[~present].any():
            raise InputError("E120", "a duration is given where there is no operation")
        object.__setattr__(self, "machines", count_machines(machine, self.machines))

    @property
    def jobs(self) -> int:
        return len(self.machine)

    @cached_property
    def operations(self) -> Operations:
        """The operations as flat arrays, with one alternative each."""
        present = self.machine >= 0
        count = int(present.sum())
        return Operations(
            first_operation=np.concatenate(([0], np.cumsum(present.sum(axis=1)))).astype(np.int64),
            first_alternative=np.arange(count + 1, dtype=np.int64),
            machine=self.machine[present],
            duration=self.duration[present],
            machines=self.machines,
        )

    def size(self) -> dict[str, int]:
        return {"jobs": self.jobs, "machines": self.machines, "operations": len(self.operations)}

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
        cls, rng: np.random.Generator, *, n: int = 10, m: int | None = None, family: str = "taillard"
    ) -> JobShop:
        """A random instance of ``n`` jobs on ``m`` machines (by default as many as jobs, but at most 20).

        ``taillard``: durations uniform on 1..99, machine orders random permutations by Taillard's (1993) own
        generators with random seeds; ``two_sets``: as before, but each job visits the first half of the machines
        before the second (Storer, Wu and Vaccari 1992, also dmu41-80 of Demirkol, Mehta and Uzsoy 1998);
        ``flow``: all jobs in machine order 0, 1, ...; ``recirculation``: machines drawn anew for every operation.
        ``ft06`` and ``ft10`` are the instances of Fisher and Thompson (1963), whatever the other parameters.
        """
        if family in ("ft06", "ft10"):
            from combopt.instances import classic

            return {"ft06": classic.ft06, "ft10": classic.ft10}[family]()
        machines = min(n, 20) if m is None else m
        if n < 1 or machines < 1:
            raise UsageError("E201", f"n = {n}, m = {machines}", expected="1 or more")
        if family == "taillard":
            seeds = rng.integers(1, 2**31 - 1, size=2).tolist()
            return taillard(n, machines, seeds[0], seeds[1])
        duration = rng.integers(1, 100, size=(n, machines))
        if family == "two_sets":
            half = machines // 2
            rows = [[*rng.permutation(half), *(half + rng.permutation(machines - half))] for _ in range(n)]
            machine = np.array(rows)
        elif family == "flow":
            machine = np.tile(np.arange(machines), (n, 1))
        elif family == "recirculation":
            machine = rng.integers(0, machines, size=(n, machines))
        else:
            known = "taillard, two_sets, flow, recirculation, ft06, ft10"
            raise UsageError("E201", f"family {family!r}", expected=known)
        return cls(name=f"jobshop-{family}-{n}x{machines}", machine=machine, duration=duration, machines=machines)


def taillard(jobs: int, machines: int, time_seed: int, machine_seed: int) -> JobShop:
    """The instance of Taillard (1993) for two seeds, operation by operation his procedure (his ta01 to ta80
    included): durations ``U[1, 99]`` row by row, then for each job the swaps of position ``i`` with ``U[i, m]``."""
    times = _uniform(time_seed, np.ones(jobs * machines), np.full(jobs * machines, 99.0))
    low = np.tile(np.arange(machines), jobs)
    swaps = _uniform(machine_seed, low.astype(float), np.full(jobs * machines, machines - 1.0))
    machine = np.tile(np.arange(machines), (jobs, 1))
    swap = swaps.reshape(jobs, machines)
    rows = np.arange(jobs)
    for i in range(machines):
        other = swap[:, i]
        held = machine[rows, i].copy()
        machine[rows, i] = machine[rows, other]
        machine[rows, other] = held
    name = f"jobshop-taillard-{jobs}x{machines}"
    return JobShop(name=name, machine=machine, duration=times.reshape(jobs, machines), machines=machines)


def _uniform(seed: int, low: Floats, high: Floats) -> Ints:
    """Whole numbers uniform on ``[low, high]`` from the generator of Bratley, Fox and Schrage (1983) that Taillard
    used: ``x := 16807 x mod (2^31 - 1)``, ``low + floor(x / (2^31 - 1) * (high - low + 1))``."""
    modulus = 2**31 - 1
    states = np.empty(len(low))
    for k in range(len(low)):
        seed = 16807 * seed % modulus
        states[k] = seed
    return (low + np.floor(states / modulus * (high - low + 1))).astype(np.int64)
